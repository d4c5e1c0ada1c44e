"""`vouchers verify`: whether the contract on the chain is what it should be, and who rules it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import InvalidInput, Refused
from chalicelib.settings import ContractSettings, load
from ops.cli.bootstrap import Tools
from ops.cli.deploy import Bytes32Type
from ops.cli.onchain import ADDRESS, connect, open_contract, progress_bar
from ops.cli.output import emit, json_option, moment
from ops.onchain.deployment import (
    DEFAULT_ADMIN_DELAY,
    LOCAL_CHAIN_ID,
    PROXY,
    SHORTEST_ADMIN_DELAY,
    plan_of,
    runtime_code,
)
from ops.onchain.errors import NodeFailed
from ops.onchain.roles import ADMIN_ROLE, Role
from ops.onchain.text import printable
from ops.seed.files import read_catalogue

if TYPE_CHECKING:
    from ops.onchain.contract import Creation, History, VoucherContract


@dataclass(frozen=True, slots=True)
class Expected:
    """What the operator believes; `None` where nothing was said.

    `salt` and `first_delay` (seconds) are the deployment's. Without `pending_admin` or
    `pending_delay` (seconds) none is expected, where `admin` is named.
    """

    salt: bytes
    first_delay: int | None
    admin: str | None
    pending_admin: str | None
    pending_delay: int | None
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
@click.option("--pending-admin", type=ADDRESS, help="Account that should be about to become admin.")
@click.option(
    "--pending-admin-delay",
    "pending_delay",
    type=click.IntRange(min=0),
    help="Admin delay that should be about to apply, in seconds.",
)
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
@click.option(
    "--salt",
    type=Bytes32Type(),
    default=bytes(32),
    help="Salt that the contract was deployed with.  [default: zero]",
)
@click.option(
    "--admin-delay",
    "first_delay",
    type=click.IntRange(min=0),
    help="Admin delay that it was deployed with, in seconds.  [default: today's, or"
    f" {DEFAULT_ADMIN_DELAY}]",
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    admin: str | None,
    pending_admin: str | None,
    pending_delay: int | None,
    minters: tuple[str, ...],
    pausers: tuple[str, ...],
    file: Path | None,
    salt: bytes,
    first_delay: int | None,
    *,
    as_json: bool,
) -> None:
    """Compare the contract on the chain with the source, the catalogue and what you expect.

    Looks at: the bytecode; its creation, which is proven by its address (no other creation code,
    admin, delay and salt lead to it); the admin, a pending admin, the delay and a pending one; who
    holds each role (rebuilt from the contract's events since DEPLOY_BLOCK and asked again by name);
    the voucher types; and whether it is paused. Changes nothing.

    Role holders are judged where you name them, and told where you do not. With --admin, a pending
    admin or delay that you did not name is wrong, too.

    One endpoint alone can leave events out, and so hide who holds a role. Name two of different
    providers in RPC_URLS: the events of the first two that answer are compared. All else is asked
    of the first.

    Exit code 0 where nothing is wrong, 1 where anything is.

    \b
    Examples:
      vouchers verify
      vouchers verify --admin 0xSafe --minter 0xMinter --pauser 0xPauser --json
      vouchers verify --admin 0xAdmin --pending-admin 0xSafe
    """
    tools = ctx.ensure_object(Tools)
    contract, witness = _open(tools)
    expected = Expected(
        salt=salt,
        first_delay=first_delay,
        admin=admin,
        pending_admin=pending_admin,
        pending_delay=pending_delay,
        holders={
            role: frozenset(accounts)
            for role, accounts in ((Role.MINTER, minters), (Role.PAUSER, pausers))
            if accounts
        },
        catalogue=_catalogue(tools, file),
    )
    first = load(ContractSettings, tools.environ).DEPLOY_BLOCK
    history, creation = _history(contract, first)
    verdicts = [
        _code(contract),
        _creation(contract, creation, expected),
        _compared(contract, history, witness, first),
        *_admin(contract, history, expected),
        *_roles(contract, history, expected),
        *_no_catalogue(tools, expected),
        *_types(contract, history.token_ids, expected.catalogue),
        Verdict("paused", None, "yes" if contract.paused() else "no"),
    ]
    emit([asdict(one) for one in verdicts], _report(contract, verdicts), as_json=as_json)
    if any(one.ok is False for one in verdicts):
        ctx.exit(1)


def _open(tools: Tools) -> "tuple[VoucherContract, VoucherContract | None]":
    """The contract through the first of RPC_URLS that answers, and through the next that does."""
    contract: VoucherContract | None = None
    for url in dict.fromkeys(load(ContractSettings, tools.environ).RPC_URLS):
        alone = replace(tools, environ={**tools.environ, "RPC_URLS": url})
        try:
            if contract is not None:
                return contract, replace(contract, node=connect(alone))
            contract = open_contract(alone)
        except NodeFailed:
            continue
    # Where none answered, this says why of each.
    return contract or open_contract(tools), None


def _history(contract: "VoucherContract", first: int) -> "tuple[History, Creation]":
    """The contract's events from block `first`, which have to begin with its creation.

    Raises:
        Refused: they do not.
    """
    node = contract.node
    head = node.head()
    if first > head:
        raise Refused(
            f"DEPLOY_BLOCK is {first}, the newest block of {node.name} is {head}; nothing was"
            " compared"
        )
    history = _swept(contract, first, head)
    if history.creation is None:
        raise Refused(
            f"the events that {node.name} tells do not begin with the deployment: check"
            " DEPLOY_BLOCK, or ask another node; nothing was compared"
        )
    return history, history.creation


def _swept(contract: "VoucherContract", first: int, head: int) -> "History":
    with progress_bar(f"Reading events from {contract.node.name}", head - first + 1) as done:
        return contract.history(first=first, last=head, progress=done)


def _catalogue(tools: Tools, file: Path | None) -> Catalogue | None:
    if file is not None:
        read = read_catalogue(file)
        if read.problems:
            raise InvalidInput(*read.problems)
        return Catalogue(types=read.types)
    return tools.store.catalogue() if _has_store(tools) else None


def _has_store(tools: Tools) -> bool:
    return bool(tools.environ.get("STORE", "").strip())


def _code(contract: "VoucherContract") -> Verdict:
    expected = runtime_code(contract.node.chain_id(), contract.address)
    same = contract.node.code(contract.address) == expected
    found = "what the committed source compiles to" if same else "another contract's"
    return Verdict("bytecode", same, found)


def _creation(contract: "VoucherContract", creation: "Creation", expected: Expected) -> Verdict:
    """The proof that storage began empty but for the admin and the delay: code alone says nothing
    of what another constructor wrote there."""
    if creation.creator != PROXY:
        found = f"{creation.creator} created it, not the deterministic deployment proxy"
        return Verdict("creation", ok=False, found=f"cannot be proven: {found}")
    salt = "0x" + expected.salt.hex()
    delays = [expected.first_delay]
    if expected.first_delay is None:
        delays = [contract.admin_delay(), DEFAULT_ADMIN_DELAY]
    tried = dict.fromkeys(delay for delay in delays if delay is not None)
    plan = plan_of(contract.address, admin=creation.admin, admin_delays=tried, salt=expected.salt)
    if plan is None:
        found = (
            f"cannot be proven: the committed creation code with admin {creation.admin}, delay"
            f" {' or '.join(map(str, tried))} s and salt {salt} makes another address; give --salt"
            " and --admin-delay of the deployment"
        )
        return Verdict("creation", ok=False, found=found)
    found = f"admin {plan.admin}, delay {plan.admin_delay} s, salt {salt}"
    return Verdict("creation", ok=True, found=f"made by the committed creation code ({found})")


def _compared(
    contract: "VoucherContract", history: "History", witness: "VoucherContract | None", first: int
) -> Verdict:
    """Whether a second endpoint tells the same events; each is asked up to its own newest block, so
    that none hides what is new by lagging."""
    check, name, told = "role history", contract.node.name, len(history.logs)
    if witness is None:
        return Verdict(check, None, f"{told} events, told by {name} alone")
    other = witness.node.name
    try:
        seen = _swept(witness, first, witness.node.head())
    except NodeFailed as error:
        return Verdict(check, None, f"{told} events, told by {name} alone: {error.message}")
    if seen == history:
        return Verdict(check, ok=True, found=f"{told} events, told alike by {name} and {other}")
    found = f"{name} tells {told} events, {other} tells {len(seen.logs)}"
    if len(seen.logs) == told:
        found += ", and they are not the same"
    return Verdict(check, ok=False, found=found)


def _admin(
    contract: "VoucherContract", history: "History", expected: Expected
) -> Iterator[Verdict]:
    from ops.onchain.contract import ADMIN_IDENTIFIER  # noqa: PLC0415 - web3 is slow to import

    admin = contract.admin()
    as_expected = None if expected.admin is None else admin == expected.admin
    told = admin if as_expected is not False else f"{admin}, expected {expected.admin}"
    yield Verdict(ADMIN_ROLE, as_expected, told)
    by_events = history.holders(ADMIN_IDENTIFIER)
    if by_events != {admin}:
        told = f"{', '.join(sorted(by_events)) or 'nobody'} by the events, {admin} by name"
        yield Verdict(f"{ADMIN_ROLE} by events", ok=False, found=told)
    yield _pending_admin(contract, expected)
    delay = contract.admin_delay()
    short = _too_short(contract, delay)
    yield Verdict("admin delay", ok=False if short else None, found=f"{delay} s{short}")
    yield _pending_delay(contract, expected)


def _pending_admin(contract: "VoucherContract", expected: Expected) -> Verdict:
    pending, wanted = contract.pending_admin(), expected.pending_admin
    account, told = None, "none"
    if pending is not None:
        account = pending.account
        told = f"{account}, can accept after {moment(pending.acceptable_after)}"
    ok = account == wanted if expected.admin or wanted else None
    if ok is False:
        told += f"; expected {wanted or 'none'}"
    return Verdict("pending admin", ok, told)


def _pending_delay(contract: "VoucherContract", expected: Expected) -> Verdict:
    pending, wanted = contract.pending_admin_delay(), expected.pending_delay
    delay, told, short = None, "none", ""
    if pending is not None:
        delay = pending.delay
        told = f"{delay} s from {moment(pending.effective_at)}"
        short = _too_short(contract, delay)
    ok = delay == wanted if expected.admin or wanted is not None else None
    if ok is False:
        told += "; expected none" if wanted is None else f"; expected {wanted} s"
    return Verdict("pending admin delay", ok=False if short else ok, found=told + short)


def _too_short(contract: "VoucherContract", delay: int) -> str:
    """What is wrong with an admin delay in seconds; empty where nothing is."""
    if delay >= SHORTEST_ADMIN_DELAY or contract.node.chain_id() == LOCAL_CHAIN_ID:
        return ""
    return f", at least {SHORTEST_ADMIN_DELAY} on a public chain"


def _roles(
    contract: "VoucherContract", history: "History", expected: Expected
) -> Iterator[Verdict]:
    for role in Role:
        accounts, wanted = history.holders(role.identifier), expected.holders.get(role)
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


def _no_catalogue(tools: Tools, expected: Expected) -> Iterator[Verdict]:
    if expected.catalogue is None:
        found = "none loaded in the store" if _has_store(tools) else "none given"
        yield Verdict("catalogue", None, f"{found}: types are not compared")


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
        lines.append(f"{click.style(mark, fg=colour)} {one.check}: {printable(one.found)}")
    wrong = sum(one.ok is False for one in verdicts)
    lines.append("Nothing is wrong." if not wrong else f"{wrong} thing(s) are wrong.")
    return "\n".join(lines)
