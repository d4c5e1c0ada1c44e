"""`vouchers airdrop …`: one voucher type to a list of accounts, each exactly once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.domain.errors import FieldError, InvalidInput, Refused, VoucherError
from ops.cli.bootstrap import Tools
from ops.cli.onchain import (
    ADDRESS,
    GAS_HEADROOM,
    MAX_TRANSACTION_GAS,
    TOKEN_ID,
    HandedOver,
    Signing,
    in_words,
    open_contract,
    prepare,
    progress_bar,
    signing_options,
    write_whole,
)
from ops.cli.output import emit, json_option, table
from ops.onchain.airdrop import (
    COLUMNS,
    Batch,
    Plan,
    Source,
    Totals,
    make_plan,
    read_list,
    read_plan,
    salt_of,
    totals,
)
from ops.onchain.calls import Call
from ops.onchain.errors import Reverted
from ops.onchain.roles import Role

if TYPE_CHECKING:
    from ops.onchain.contract import VoucherContract

PLAN = click.Path(exists=True, dir_okay=False, path_type=Path)
Numbered = Sequence[tuple[int, Batch]]
"""Batches with their numbers in the plan, from 1."""


@click.group()
def airdrop() -> None:
    """Mint one voucher type to a list of accounts, each exactly once. A minter signs.

    First `plan` checks the list and the chain and writes a plan; `export` produces what gets
    signed for the batches that are not minted yet; `status` tells how far the chain is. The
    contract mints each batch once, so any of it can be repeated. docs/runbooks/airdrop.md walks
    through it.

    \b
    Examples:
      vouchers airdrop plan list.csv --token-id 1001 --from 0xMinter --out plan.json
      vouchers airdrop export plan.json --from 0xMinter --as safe --out airdrop.json
      vouchers airdrop status plan.json
    """


# ---------------------------------------------------------------------------------------- planning


@airdrop.command()
@click.argument("file", metavar="CSV", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--token-id", type=TOKEN_ID, required=True, help="Voucher type to mint.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1, max=1000),
    default=200,
    show_default=True,
    help="Recipients in one transaction.",
)
@click.option(
    "--salt",
    default="",
    help="Name of this airdrop, such as 2026-12, or 32 bytes in hexadecimal.  [default: none]",
)
@click.option(
    "--accept-lowercase",
    is_flag=True,
    help="Take addresses without checksum: a typing error in one goes unnoticed.",
)
@click.option("--from", "sender", type=ADDRESS, required=True, help="The minter that will sign.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File to write the plan to; it must not exist.",
)
@click.option("--dry-run", is_flag=True, help="Check everything; write nothing.")
@json_option
@click.pass_obj
def plan(
    tools: Tools,
    file: Path,
    token_id: int,
    batch_size: int,
    salt: str,
    sender: str,
    out: Path,
    *,
    accept_lowercase: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Check a list and the chain, and write the plan of an airdrop.

    CSV is a file with the header address,amount and one line for each recipient. Every bad line is
    told; each recipient is simulated. Where anything is wrong no plan is written.

    The same list, split alike, under the same --salt is the same batches, which the contract mints
    once: without --salt a list can be minted only once, ever, under whatever file name. To mint the
    same list again on purpose, name each airdrop with a --salt of its own. A list that was changed
    or is split otherwise is other batches: once a plan is partly minted, go on with that plan.

    \b
    Examples:
      vouchers airdrop plan list.csv --token-id 1001 --from 0xMinter --out plan.json
      vouchers airdrop plan staff.csv --token-id 3001 --salt 2026-12 --from 0xMinter \\
          --out plan-2026-12.json
    """
    if out.exists():
        raise Refused(
            f"{out} exists; a plan is the record of what is minted, so give --out another name."
            " Nothing was written"
        )
    salted = salt_of(salt)
    contract = open_contract(tools)
    books = contract.books(token_id)
    if not books.exists:
        raise Refused(f"there is no voucher type {token_id}; nothing was written")
    content = file.read_bytes()
    entries = read_list(
        content,
        contract=contract.address,
        max_supply=books.max_supply,
        accept_lowercase=accept_lowercase,
    )
    made = make_plan(
        entries,
        batch_size=batch_size,
        salt=salted,
        chain_id=contract.node.chain_id(),
        contract=contract.address,
        token_id=token_id,
        source=Source(file=file.name, sha256=sha256(content).hexdigest()),
    )
    _check_ids(contract, made)
    minted = _minted(contract, made)
    todo = _without(made, minted)
    if not todo:
        raise Refused(
            f"this list was minted before, all of it ({file.name}, this --salt and --batch-size);"
            " only another --salt mints it again. Nothing was written"
        )
    lines = {entry.address: f"line {entry.line}" for entry in entries}
    _check_state(contract, token_id, sender, todo)
    _check_recipients(contract, token_id, sender, todo, lambda _, address: lines[address])
    most_gas = _check_gas(contract, made, sender, todo)
    if not dry_run:
        write_whole(out, made.as_text())
    data = {
        **made.model_dump(by_alias=True, include={"chain_id", "contract", "token_id", "totals"}),
        "salt": salted,
        "largestBatchGas": most_gas,
        "available": books.available,
        "mintedBefore": sorted(minted),
        "plan": None if dry_run else str(out),
    }
    emit(data, _planned(made, data, sender), as_json=as_json)


def _planned(made: Plan, data: dict[str, Any], sender: str) -> str:
    amount, written = made.totals.amount, data["plan"]
    lines = [
        click.style(
            f"Airdrop {amount} of voucher type {made.token_id} to {made.totals.recipients}"
            f" accounts in {made.totals.batches} batches",
            bold=True,
        ),
        f"  contract  {made.contract} on chain {made.chain_id}",
        f"  minter    {sender}",
        f"  salt      {data['salt']}",
        f"  supply    {data['available']} can still be minted",
        f"  gas       {data['largestBatchGas']} of {MAX_TRANSACTION_GAS} for the largest batch",
    ]
    if data["mintedBefore"]:
        numbers = _listed(data["mintedBefore"])
        lines.append(f"  minted    batches {numbers} were minted before and stay as they are")
    lines.append("  checked   each recipient, by simulation now")
    if written is None:
        return "\n".join([*lines, "", "Dry run: nothing was written."])
    follows = f"vouchers airdrop export {written} --from {sender}"
    return "\n".join([*lines, "", f"Written to {written}. Next: {follows}"])


def _check_ids(contract: "VoucherContract", made: Plan) -> None:
    """Our own hashing is held to the contract's, which decides."""
    with progress_bar("Comparing batch ids", len(made.batches)) as done:
        for number, batch in enumerate(made.batches, start=1):
            theirs = contract.batch_id_of(
                made.token_id, batch.recipients, batch.amounts, batch.salt
            )
            if theirs != batch.batch_id:
                raise VoucherError(
                    f"the contract gives batch {number} the id {theirs}, this program"
                    f" {batch.batch_id}; nothing was written"
                )
            done(1)


def _minted(contract: "VoucherContract", made: Plan) -> frozenset[int]:
    """Numbers of the batches that the chain has minted."""
    minted = set()
    with progress_bar("Asking for minted batches", len(made.batches)) as done:
        for number, batch in enumerate(made.batches, start=1):
            if contract.is_batch_minted(batch.batch_id):
                minted.add(number)
            done(1)
    return frozenset(minted)


def _without(made: Plan, minted: frozenset[int]) -> Numbered:
    return [
        (number, batch)
        for number, batch in enumerate(made.batches, start=1)
        if number not in minted
    ]


def _check_state(contract: "VoucherContract", token_id: int, sender: str, todo: Numbered) -> None:
    books, amount = contract.books(token_id), totals([batch for _, batch in todo]).amount
    wrong = []
    if not books.enabled:
        wrong.append(f"voucher type {token_id} is disabled")
    if contract.paused():
        wrong.append("the contract is paused")
    if not contract.has_role(Role.MINTER, sender):
        wrong.append(f"{sender} does not hold {Role.MINTER.value}")
    if amount > books.available:
        wrong.append(
            f"the airdrop comes to {amount} of voucher type {token_id}, {books.available} can"
            " still be minted"
        )
    if wrong:
        raise Refused("; ".join(wrong) + "; nothing was produced")


def _check_recipients(
    contract: "VoucherContract",
    token_id: int,
    sender: str,
    todo: Numbered,
    where: Callable[[int, str], str],
) -> None:
    """Simulate the mint of each recipient; `where` names one by batch number and address."""
    from ops.onchain.node import BATCH_CALLS  # noqa: PLC0415 - web3 is slow to import

    mints = [
        (where(number, address), contract.mint(address, token_id, amount))
        for number, batch in todo
        for address, amount in zip(batch.recipients, batch.amounts, strict=True)
    ]
    refused: list[FieldError] = []
    with progress_bar("Simulating recipients", len(mints)) as done:
        for start in range(0, len(mints), BATCH_CALLS):
            some = mints[start : start + BATCH_CALLS]
            answers = contract.node.try_calls([call for _, call in some], sender=sender)
            for (place, call), refusal in zip(some, answers, strict=True):
                if refusal is not None:
                    message = f"{call.words}: {_reason(refusal)}"
                    refused.append(FieldError(place, "refused", message))
            done(len(some))
    if refused:
        raise InvalidInput(*refused)


def _reason(refusal: Refused) -> str:
    if isinstance(refusal, Reverted) and refusal.error is None:
        return "the account is a contract that refuses ERC-1155 tokens, without a reason"
    return refusal.message


def _check_gas(contract: "VoucherContract", made: Plan, sender: str, todo: Numbered) -> int:
    """The most gas that a batch needs; every one leaves a reserve for what signing adds."""
    most = 0
    with progress_bar("Estimating gas", len(todo)) as done:
        for number, batch in todo:
            used = contract.node.estimate(_call(contract, made, batch), sender=sender)
            if used * GAS_HEADROOM > MAX_TRANSACTION_GAS:
                share = MAX_TRANSACTION_GAS / (used * GAS_HEADROOM)
                raise Refused(
                    f"batch {number} needs {used} gas, with its reserve {int(used * GAS_HEADROOM)};"
                    f" a transaction may have {MAX_TRANSACTION_GAS}. Give a --batch-size of at"
                    f" most {max(1, int(len(batch.recipients) * share))}; nothing was written"
                )
            most = max(most, used)
            done(1)
    return most


def _call(contract: "VoucherContract", made: Plan, batch: Batch) -> Call:
    return contract.airdrop(
        batch.batch_id, made.token_id, batch.recipients, batch.amounts, batch.salt
    )


# --------------------------------------------------------------------------------------- exporting


@airdrop.command()
@click.argument("file", metavar="PLAN", type=PLAN)
@click.option(
    "--batch",
    "wanted",
    type=click.IntRange(min=1),
    multiple=True,
    help="Only this batch of the plan, by number; may be given more than once.  [default: all]",
)
@signing_options
@click.pass_obj
def export(tools: Tools, file: Path, wanted: tuple[int, ...], signing: Signing) -> None:
    """Produce what gets signed for the batches of PLAN that are not minted yet.

    Looks at the chain first, so run it again after an interruption: batches that were minted are
    left out, and one signed twice is refused by the contract and mints nothing more. Recipients are
    simulated again.

    Each batch is one transaction. With --as safe each is a file of its own: --out airdrop.json
    gives airdrop-1.json, airdrop-2.json, numbered as in the plan. With --as cast and --out the file
    is a script for `sh -e`. With --as unsigned the nonces follow each other: send in that order.

    \b
    Examples:
      vouchers airdrop export plan.json --from 0xMinter --out airdrop.sh
      vouchers airdrop export plan.json --from 0xSafe --as safe --out airdrop.json --batch 1
      vouchers airdrop export plan.json --from 0x7099… --local
    """
    if signing.out is not None and signing.out.resolve() == file.resolve():
        raise Refused("--out is the plan itself, the record of what is minted; nothing was written")
    contract = open_contract(tools)
    made = _read(contract, file)
    beyond = sorted(number for number in wanted if number > len(made.batches))
    if beyond:
        raise Refused(f"{file} has {len(made.batches)} batches, none numbered {_listed(beyond)}")
    minted = _minted(contract, made)
    todo = [
        (number, batch)
        for number, batch in _without(made, minted)
        if not wanted or number in wanted
    ]
    about = {"batches": [number for number, _ in todo], "mintedBefore": sorted(minted)}
    if not todo:
        emit(about, "Nothing to do: it is minted already.", as_json=signing.as_json)
        return
    _check_state(contract, made.token_id, signing.sender, todo)
    _check_recipients(
        contract, made.token_id, signing.sender, todo, lambda number, _: f"batch {number}"
    )
    done = _produce(tools, contract, made, todo, signing)
    text = [done.text]
    if minted:
        text.insert(0, f"Minted before and left out: batches {_listed(sorted(minted))}")
    if not signing.dry_run:
        text.append(f"`vouchers airdrop status {file}` tells what the chain has minted.")
    emit(about | done.data, "\n\n".join(text), as_json=signing.as_json)


def _produce(
    tools: Tools, contract: "VoucherContract", made: Plan, todo: Numbered, signing: Signing
) -> HandedOver:
    title = f"Airdrop of {made.token_id}"
    calls = [_call(contract, made, batch) for _, batch in todo]
    if signing.local and not signing.dry_run:
        return _send_each(tools, contract, calls, signing, title)
    if signing.form == "safe" and not signing.dry_run:
        return _safe_files(tools, contract, calls, [number for number, _ in todo], signing, title)
    return prepare(tools, contract.node, calls, signing, title=title)


def _send_each(
    tools: Tools, contract: "VoucherContract", calls: Sequence[Call], signing: Signing, title: str
) -> HandedOver:
    """Send one after another; what was sent stays sent when a later one fails."""
    sent: list[HandedOver] = []
    try:
        with progress_bar("Minting batches", len(calls)) as done:
            for call in calls:
                sent.append(prepare(tools, contract.node, [call], signing, title=title))
                done(1)
    except (VoucherError, KeyboardInterrupt) as error:
        why = error.message if isinstance(error, VoucherError) else "interrupted"
        raise Refused(
            f"{why}; stopped after {len(sent)} of {len(calls)} batches. Run the same command"
            " again: it looks at the chain and goes on with the rest"
        ) from error
    data = _merged(sent, "calls", "sent")
    return HandedOver(data, "\n\n".join(one.text for one in sent))


def _safe_files(
    tools: Tools,
    contract: "VoucherContract",
    calls: Sequence[Call],
    numbers: Sequence[int],
    signing: Signing,
    title: str,
) -> HandedOver:
    """A Safe makes one transaction of a file, so each batch gets one, once all are known good."""
    if signing.out is None and len(calls) > 1:
        raise Refused(
            f"{len(calls)} batches make as many Safe transactions, each loaded from a file of its"
            " own: give --out NAME.json, or one --batch. Nothing was produced"
        )
    if signing.out is None:
        return prepare(tools, contract.node, calls, signing, title=title)
    parts = []
    with progress_bar("Simulating batches", len(calls)) as done:
        for number, call in zip(numbers, calls, strict=True):
            each = replace(signing, out=None)
            parts.append(
                prepare(tools, contract.node, [call], each, title=f"{title}, batch {number}")
            )
            done(1)
    files = [signing.out.with_stem(f"{signing.out.stem}-{number}") for number in numbers]
    for path, part in zip(files, parts, strict=True):
        write_whole(path, json.dumps(part.data["export"], indent=2) + "\n")
    data = _merged(parts, "calls") | {"files": [str(path) for path in files]}
    words = [in_words(call, told["gas"]) for call, told in zip(calls, data["calls"], strict=True)]
    loads = [f"Load into the Safe's Transaction Builder (drag and drop): {path}" for path in files]
    return HandedOver(data, "\n\n".join([*words, "\n".join(loads)]))


def _merged(parts: Sequence[HandedOver], *keys: str) -> dict[str, Any]:
    """What several preparations tell, as one would."""
    first = parts[0].data
    lists = {key: [one for part in parts for one in part.data[key]] for key in keys}
    return {"chainId": first["chainId"], "from": first["from"], **lists}


# ------------------------------------------------------------------------------------------ status


@airdrop.command()
@click.argument("file", metavar="PLAN", type=PLAN)
@click.option(
    "--remaining",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the recipients of the batches that are not minted to this file, as a list.",
)
@json_option
@click.pass_context
def status(ctx: click.Context, file: Path, remaining: Path | None, *, as_json: bool) -> None:
    """Tell which batches of PLAN the chain has minted, and what remains.

    Exit code 0 where all are minted, 1 where any is not or it cannot be told.

    \b
    Examples:
      vouchers airdrop status plan.json
      vouchers airdrop status plan.json --remaining rest.csv
    """
    if remaining is not None and remaining.exists():
        raise Refused(f"{remaining} exists; give --remaining another name. Nothing was written")
    contract = open_contract(ctx.ensure_object(Tools))
    made = _read(contract, file)
    block = contract.node.head()
    minted = _minted(contract, made)
    rest = totals([batch for _, batch in _without(made, minted)])
    data = {
        **made.model_dump(by_alias=True, include={"chain_id", "contract", "token_id", "totals"}),
        "block": block,
        "remaining": rest.model_dump(),
        "batches": [
            {
                "number": number,
                "batchId": batch.batch_id,
                "recipients": len(batch.recipients),
                "amount": batch.amount,
                "minted": number in minted,
            }
            for number, batch in enumerate(made.batches, start=1)
        ],
    }
    text = _told(made, minted, rest, block)
    if remaining is not None and rest.batches:
        write_whole(remaining, _as_list(_without(made, minted)))
        text += f"\nWritten to {remaining}: the recipients that remain."
    emit(data, text, as_json=as_json)
    ctx.exit(1 if rest.batches else 0)


def _told(made: Plan, minted: frozenset[int], rest: Totals, block: int) -> str:
    rows = [
        (
            str(number),
            batch.batch_id,
            str(len(batch.recipients)),
            str(batch.amount),
            "minted" if number in minted else "not minted",
        )
        for number, batch in enumerate(made.batches, start=1)
    ]
    verdict = (
        f"✗ {rest.batches} of {made.totals.batches} batches remain: {rest.amount} of voucher type"
        f" {made.token_id} to {rest.recipients} accounts."
        if rest.batches
        else f"✓ All {made.totals.batches} batches are minted: {made.totals.amount} of voucher type"
        f" {made.token_id} to {made.totals.recipients} accounts."
    )
    header = ("BATCH", "ID", "ACCOUNTS", "VOUCHERS", f"AT BLOCK {block}")
    return f"{table(header, rows)}\n{verdict}"


def _as_list(todo: Numbered) -> str:
    lines = [
        f"{address},{amount}"
        for _, batch in todo
        for address, amount in zip(batch.recipients, batch.amounts, strict=True)
    ]
    return "\n".join([",".join(COLUMNS), *lines]) + "\n"


def _read(contract: "VoucherContract", file: Path) -> Plan:
    """The plan, if it is one of this contract and unchanged."""
    return read_plan(
        file.read_bytes(), chain_id=contract.node.chain_id(), contract=contract.address
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
