"""`vouchers verify`: whether the contract on the chain is what it should be, and who rules it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import InvalidInput
from chalicelib.settings import ContractSettings, load
from ops.cli.bootstrap import Tools
from ops.cli.onchain import ADDRESS, open_contract, progress_bar
from ops.cli.output import emit, json_option, moment
from ops.onchain.roles import ADMIN_ROLE, Role
from ops.seed.files import read_catalogue

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract


@dataclass(frozen=True, slots=True)
class Expected:
    """What the operator believes; `None` where nothing was said."""

    admin: str | None
    holders: dict[Role, frozenset[str]]
    catalogue: Catalogue | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing looked at. `ok` is `None` where there is nothing to compare with."""

    check: str
    ok: bool | None
    found: str


@click.command()
@click.option("--admin", type=ADDRESS, help="Account that should be admin.")
@click.option(
    "--minter", "minters", type=ADDRESS, multiple=True, help="Account that should be a minter."
)
@click.option(
    "--pauser", "pausers", type=ADDRESS, multiple=True, help="Account that should be a pauser."
)
@click.option(
    "--catalog",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Catalogue file to compare types with.  [default: the store's, where STORE is set]",
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    admin: str | None,
    minters: tuple[str, ...],
    pausers: tuple[str, ...],
    file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Compare the contract on the chain with the source, the catalogue and what you expect.

    Looks at: the bytecode (immutables masked), the admin, a pending admin and the delay, who holds
    each role (rebuilt from the contract's events since DEPLOY_BLOCK and asked again by name), the
    voucher types, and whether it is paused. Role holders and admin are judged where you name them,
    and told where you do not. Changes nothing.

    Exit code 0 where nothing is wrong, 1 where anything is.

    \b
    Examples:
      vouchers verify
      vouchers verify --admin 0xSafe --minter 0xMinter --pauser 0xPauser --json
    """
    tools = ctx.ensure_object(Tools)
    contract = open_contract(tools)
    expected = Expected(
        admin=admin,
        holders={
            role: frozenset(accounts)
            for role, accounts in ((Role.MINTER, minters), (Role.PAUSER, pausers))
            if accounts
        },
        catalogue=_catalogue(tools, file),
    )
    first, last = load(ContractSettings, tools.environ).DEPLOY_BLOCK, contract.node.head()
    with progress_bar("Reading events", last - first + 1) as done:
        holders, created = contract.rights(first=first, last=last, progress=done)
    verdicts = [
        *_code(contract),
        *_admin(contract, expected),
        *_roles(contract, holders, expected),
        *_types(contract, created, expected.catalogue),
        Verdict("paused", None, "yes" if contract.paused() else "no"),
    ]
    emit([asdict(one) for one in verdicts], _report(contract, verdicts), as_json=as_json)
    if any(one.ok is False for one in verdicts):
        ctx.exit(1)


def _catalogue(tools: Tools, file: Path | None) -> Catalogue | None:
    if file is not None:
        read = read_catalogue(file)
        if read.problems:
            raise InvalidInput(*read.problems)
        return Catalogue(types=read.types)
    if not tools.environ.get("STORE", "").strip():
        return None
    return tools.store.catalogue()


def _code(contract: "VoucherContract") -> Iterator[Verdict]:
    from ops.onchain.contract import is_the_source  # noqa: PLC0415 - web3 is slow to import

    same = is_the_source(contract.node.code(contract.address))
    found = "what the committed source compiles to" if same else "another contract's"
    yield Verdict("bytecode", same, found)


def _admin(contract: "VoucherContract", expected: Expected) -> Iterator[Verdict]:
    admin, delay, pending = contract.admin(), contract.admin_delay(), contract.pending_admin()
    as_expected = None if expected.admin is None else admin == expected.admin
    told = admin if as_expected is not False else f"{admin}, expected {expected.admin}"
    yield Verdict(ADMIN_ROLE, as_expected, told)
    if pending is None:
        yield Verdict("pending admin", None, "none")
    else:
        when = moment(pending.acceptable_after)
        yield Verdict("pending admin", None, f"{pending.account}, can accept after {when}")
    yield Verdict("admin delay", None, f"{delay} s")
    change = contract.pending_admin_delay()
    if change is not None:
        when = moment(change.effective_at)
        yield Verdict("pending admin delay", None, f"{change.delay} s from {when}")


def _roles(
    contract: "VoucherContract", holders: dict[Role, frozenset[str]], expected: Expected
) -> Iterator[Verdict]:
    for role, accounts in holders.items():
        wanted = expected.holders.get(role)
        ok = None if wanted is None else accounts == wanted
        told = ", ".join(sorted(accounts)) or "nobody"
        if ok is False:
            told += f"; expected {', '.join(sorted(wanted or ()))}"
        yield Verdict(role.value, ok, told)
        lost = sorted(account for account in accounts if not contract.has_role(role, account))
        if lost:
            yield Verdict(
                f"{role.value} by name",
                ok=False,
                found=f"{', '.join(lost)} held it by the events, and does not",
            )


def _types(
    contract: "VoucherContract", created: tuple[int, ...], catalogue: Catalogue | None
) -> Iterator[Verdict]:
    known = {kind.token_id for kind in catalogue.types} if catalogue else set()
    for token_id in sorted({*created, *known}):
        books = contract.books(token_id)
        if not books.exists:
            yield Verdict(f"type {token_id}", ok=False, found="in the catalogue, never created")
            continue
        told = (
            f"{'enabled' if books.enabled else 'disabled'}, minted {books.minted} of"
            f" {books.max_supply}, redeemed {books.redeemed}, {contract.uri(token_id) or 'no uri'}"
        )
        if catalogue is None:
            yield Verdict(f"type {token_id}", None, told)
        elif token_id not in known:
            yield Verdict(f"type {token_id}", not books.enabled, f"not in the catalogue; {told}")
        else:
            yield Verdict(f"type {token_id}", books.enabled, told)


MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "bright_black")}


def _report(contract: "VoucherContract", verdicts: list[Verdict]) -> str:
    lines = [f"{contract.address} on chain {contract.node.chain_id()}"]
    for one in verdicts:
        mark, colour = MARKS[one.ok]
        lines.append(f"{click.style(mark, fg=colour)} {one.check}: {one.found}")
    wrong = sum(one.ok is False for one in verdicts)
    lines.append("Nothing is wrong." if not wrong else f"{wrong} thing(s) are wrong.")
    return "\n".join(lines)
