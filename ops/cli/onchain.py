"""What the commands on the contract share: reaching it, and handing a call to whoever signs.

web3 takes longer to import than most commands to run, so what needs it is imported on use.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import click

from chalicelib.domain.errors import InvalidInput, Refused
from chalicelib.domain.order_hash import checksum_address
from chalicelib.settings import ContractSettings, RpcSettings, load
from ops.cli.bootstrap import Tools
from ops.cli.output import emit
from ops.onchain.calls import Call, shown
from ops.onchain.errors import NodeFailed
from ops.onchain.exports import Envelope, cast_line, safe_batch, unsigned_transaction
from ops.onchain.text import printable

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract
    from ops.onchain.node import Node

F = TypeVar("F", bound=Callable[..., Any])

GAS_HEADROOM = 1.25
WEI_PER_GWEI = 10**9
WEI_PER_BNB = 10**18
MOST_GWEI = 100
"""A suggested gas price above that is taken for a mistake, or worse; BNB Chain asks for under 1."""

DELEGATION = bytes.fromhex("ef0100")
"""How the code of an account begins that delegates (EIP-7702): it has a key, and signs."""

MAX_TRANSACTION_GAS = 16_777_216
"""BNB Chain's cap on one transaction (BEP-652)."""


class AddressType(click.ParamType[str]):
    """An address, told back with its EIP-55 checksum."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The checksummed address; a wrong checksum and the zero address are refused."""
        try:
            return checksum_address(value)
        except InvalidInput as error:
            self.fail(f"{value} {error.fields[0].message}", param, ctx)


ADDRESS = AddressType()
TOKEN_ID = click.IntRange(min=0, max=2**53 - 1)


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, and in which form the calls are handed over."""

    sender: str
    form: str
    out: Path | None
    gas_price_gwei: float | None
    local: bool
    dry_run: bool
    as_json: bool


def signing_options(command: F) -> F:
    """The options of every command that ends in transactions; they arrive as one `signing`."""

    @wraps(command)
    def with_signing(*args: Any, **kwargs: Any) -> Any:
        given = {one.name: kwargs.pop(one.name) for one in fields(Signing)}
        return command(*args, signing=Signing(**given), **kwargs)

    options = (
        click.option(
            "--from",
            "sender",
            type=ADDRESS,
            required=True,
            help="Account that will sign: a key's address, or a Safe's.",
        ),
        click.option(
            "--as",
            "form",
            type=click.Choice(["cast", "safe", "unsigned"]),
            default="cast",
            show_default=True,
            help="A `cast send … --ledger` line, a Safe Transaction Builder file, or an unsigned"
            " transaction.",
        ),
        click.option(
            "--out",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File to write that to.  [default: standard output]",
        ),
        click.option(
            "--gas-price-gwei",
            type=click.FloatRange(min=0, min_open=True),
            help="Gas price of an unsigned transaction.  [default: what the endpoint suggests]",
        ),
        click.option(
            "--local",
            is_flag=True,
            help="Send now, signed by the local chain's own account (chain 31337 only).",
        ),
        click.option(
            "--dry-run", is_flag=True, help="Tell and simulate the calls; produce nothing."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON for programs."),
    )
    wrapped: Any = with_signing
    for option in reversed(options):
        wrapped = option(wrapped)
    return cast("F", wrapped)


def connect(tools: Tools, host: str | None = None) -> "Node":
    """The first of RPC_URLS that answers, once it has told the right chain; of those at `host`
    only, where one is given, as `host` or `host:port`.

    Raises:
        Refused: an endpoint serves another chain than CHAIN_ID; or none is at that host.
        NodeFailed: none answers.
    """
    settings = load(RpcSettings, tools.environ)
    urls = [url for url in settings.RPC_URLS if host in (None, *_hosts(url))]
    if not urls:
        raise Refused(f"none of RPC_URLS is at {host}; nothing was done", code="NO_ENDPOINT")
    failures: list[str] = []
    for url in urls:
        node = tools.open_node(url, settings.RPC_TIMEOUT_SECONDS)
        try:
            served = node.chain_id()
        except NodeFailed as error:
            failures.append(error.message)
            continue
        if served != settings.CHAIN_ID:
            raise Refused(
                f"{node.name} serves chain {served}, CHAIN_ID is {settings.CHAIN_ID};"
                " nothing was done",
                code="WRONG_CHAIN",
            )
        return node
    raise NodeFailed("; ".join(failures) + "; nothing was done")


def _hosts(url: str) -> tuple[str | None, str]:
    """What an endpoint may be called by, without what may be a key."""
    parts = urlsplit(url)
    return parts.hostname, parts.netloc.rpartition("@")[2]


def open_contract(tools: Tools, host: str | None = None) -> "VoucherContract":
    """The contract of the settings, once it is known to be there; `host` as for `connect`.

    Raises:
        Refused: there is no contract at CONTRACT_ADDRESS on that chain, or see `connect`.
        NodeFailed: no endpoint answers.
    """
    from ops.onchain.contract import VoucherContract  # noqa: PLC0415 - see above

    settings = load(ContractSettings, tools.environ)
    node = connect(tools, host)
    if not node.code(settings.CONTRACT_ADDRESS):
        raise Refused(
            f"there is no contract at CONTRACT_ADDRESS {settings.CONTRACT_ADDRESS} on chain"
            f" {settings.CHAIN_ID}; nothing was done",
            code="NO_CONTRACT",
        )
    return VoucherContract(node, settings.CONTRACT_ADDRESS)


@contextmanager
def progress_bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error where that is a terminal; told how many more units are done.

    A single unit shows none.
    """
    hidden = length <= 1 or not sys.stderr.isatty()
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield bar.update


# ------------------------------------------------------------------------------------ handing over


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What was told and produced, for programs and for people."""

    data: dict[str, Any]
    text: str


def hand_over(
    tools: Tools, node: "Node", calls: Sequence[Call], signing: Signing, *, title: str
) -> None:
    """`prepare`, and print what it gives."""
    done = prepare(tools, node, calls, signing, title=title)
    emit(done.data, done.text, as_json=signing.as_json)


def prepare(
    tools: Tools, node: "Node", calls: Sequence[Call], signing: Signing, *, title: str
) -> HandedOver:
    """Tell the calls in words, make sure that each would succeed, and produce what gets signed;
    with `--local`, send them.

    Raises:
        Reverted: the contract would refuse one of them; nothing was produced.
        Refused: one needs more gas than a transaction may have; nothing was produced.
        NodeFailed: the endpoint failed; nothing was produced.
    """
    gas = []
    with progress_bar("Simulating", len(calls)) as done:
        for call in calls:
            gas.append(_gas(node, call, signing))
            done(1)
    data: dict[str, Any] = {
        "chainId": node.chain_id(),
        "from": signing.sender,
        "calls": [_as_data(call, used) for call, used in zip(calls, gas, strict=True)],
    }
    text = [in_words(call, used) for call, used in zip(calls, gas, strict=True)]
    if signing.dry_run:
        text.append("Dry run: every call would succeed now; nothing was produced.")
    elif signing.local:
        sent = [node.send(call, sender=signing.sender) for call in calls]
        data["sent"] = [
            {"txHash": one.tx_hash, "blockNumber": one.block, "gasUsed": one.gas_used}
            for one in sent
        ]
        text += [f"Mined in block {one.block}, {one.gas_used} gas: {one.tx_hash}" for one in sent]
    else:
        _check_signer(node, signing)
        data["export"] = _export(tools, node, calls, gas, signing, title)
        text.append(_delivered(data["export"], signing))
    return HandedOver(data, "\n\n".join(text))


def _gas(node: "Node", call: Call, signing: Signing) -> int:
    used = node.estimate(call, sender=signing.sender)
    if used > MAX_TRANSACTION_GAS:
        raise Refused(
            f"{call.words}: needs {used} gas, a transaction may have {MAX_TRANSACTION_GAS};"
            " nothing was produced"
        )
    return used


def in_words(call: Call, gas: int) -> str:
    """A call decoded for people; `gas` in units, as simulated."""
    lines = [click.style(printable(call.words), bold=True), f"  to        {call.to}"]
    if call.signature:
        lines.append(f"  function  {call.signature}")
        lines += [
            f"  {name:<9} {_short(printable(shown(value)))}"
            for name, value in call.arguments.items()
        ]
    else:
        lines.append(f"  data      {_short(call.data)}")
    return "\n".join([*lines, f"  gas       {gas} by simulation now"])


def _short(text: str, width: int = 100) -> str:
    return text if len(text) <= width else f"{text[: width - 20]}… ({len(text)} characters)"


def _as_data(call: Call, gas: int) -> dict[str, Any]:
    return {
        "to": call.to,
        "words": call.words,
        "function": call.signature or None,
        "arguments": dict(call.arguments),
        "data": call.data,
        "gas": gas,
    }


def _export(
    tools: Tools,
    node: "Node",
    calls: Sequence[Call],
    gas: Sequence[int],
    signing: Signing,
    title: str,
) -> Any:
    chain_id = node.chain_id()
    if signing.form == "safe":
        return safe_batch(
            calls,
            chain_id=chain_id,
            safe=signing.sender,
            name=title,
            created_at=tools.clock.now(),
        )
    if signing.form == "cast":
        return [cast_line(call, chain_id=chain_id, sender=signing.sender) for call in calls]
    nonce, price = node.nonce(signing.sender), _gas_price(node, signing)
    return [
        unsigned_transaction(
            call,
            Envelope(
                chain_id=chain_id,
                nonce=nonce + place,
                gas=min(int(used * GAS_HEADROOM), MAX_TRANSACTION_GAS),
                gas_price=price,
            ),
        )
        for place, (call, used) in enumerate(zip(calls, gas, strict=True))
    ]


def _gas_price(node: "Node", signing: Signing) -> int:
    """In wei: what was asked for, or what the endpoint suggests, within reason.

    Raises:
        Refused: the endpoint suggests more than anybody would want to pay unasked.
    """
    if signing.gas_price_gwei is not None:
        return int(signing.gas_price_gwei * WEI_PER_GWEI)
    price = node.gas_price()
    if price > MOST_GWEI * WEI_PER_GWEI:
        raise Refused(
            f"{node.name} suggests a gas price of {price / WEI_PER_GWEI:g} gwei; above {MOST_GWEI}"
            " it has to be asked for with --gas-price-gwei. Nothing was produced"
        )
    return price


def _check_signer(node: "Node", signing: Signing) -> None:
    """A Safe is a contract; whatever signs a transaction itself is none, though it may delegate.

    Raises:
        Refused: the form is not the signer's.
    """
    code = node.code(signing.sender)
    is_contract = bool(code) and not code.startswith(DELEGATION)
    if signing.form == "safe" and not is_contract:
        raise Refused(
            f"there is no Safe at {signing.sender} on chain {node.chain_id()}; nothing was produced"
        )
    if signing.form != "safe" and is_contract:
        raise Refused(
            f"{signing.sender} is a contract and cannot sign a transaction: give --as safe."
            " Nothing was produced"
        )


def _fees(export: Sequence[Mapping[str, str]]) -> str:
    """What the transactions cost at most, in words."""
    price, *_ = (int(one["gasPrice"], 16) for one in export)
    most = sum(int(one["gas"], 16) for one in export) * price / WEI_PER_BNB
    nonces = [int(one["nonce"], 16) for one in export]
    which = f"nonce {nonces[0]}" if len(nonces) == 1 else f"nonces {nonces[0]} to {nonces[-1]}"
    return f"{price / WEI_PER_GWEI:g} gwei, at most {most:.6f} BNB in all, {which}"


def _delivered(export: Any, signing: Signing) -> str:
    """What a person does with the export; the export itself goes to `--out` or is shown here."""
    text = "\n".join(export) if signing.form == "cast" else json.dumps(export, indent=2)
    how = {
        "cast": "Run with ETH_RPC_URL set and the Ledger unlocked:",
        "safe": "Load into the Safe's Transaction Builder (drag and drop):",
        "unsigned": "Sign and send:",
    }[signing.form]
    if signing.form == "unsigned":
        how = f"{_fees(export)}\n\n{how}"
    if signing.out is None:
        return f"{how}\n\n{text}"
    write_whole(signing.out, text + "\n")
    return f"{how} {signing.out}"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all; an older one is replaced.

    Raises:
        Refused: something else than a file is there, or the folder is missing or not writable.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Refused(f"{path} is there and is not a file; nothing was written")
    draft: Path | None = None
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            draft = Path(file.name)
            file.write(text)
        draft.replace(path)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise Refused(f"{path} cannot be written ({error.strerror})") from error
