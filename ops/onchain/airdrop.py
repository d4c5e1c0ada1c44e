"""Airdrops: a list of recipients, split into batches that the contract mints once each.

Pure: the list's text in, a plan out. A batch's id is the hash of its contents, and the contract
mints an id once. So a plan that was carried out half way can be carried out again, and the same
list under the same salt, split alike, is the same batches and cannot be minted twice.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from eth_abi.abi import encode
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from chalicelib.domain.errors import FieldError, InvalidInput, invalid
from chalicelib.domain.order_hash import checksum_address, hash32, keccak256

NO_SALT = "0x" + "00" * 32
"""The salt of a list that is minted once and never again."""

COLUMNS = ("address", "amount")

_LINE_END = re.compile(r"\r\n|\n|\r")
_DIGITS = re.compile(r"[0-9]+")
_LONGEST_AMOUNT = 78
"""Decimal digits of the largest 256-bit number."""


def batch_id(token_id: int, recipients: Sequence[str], amounts: Sequence[int], salt: str) -> str:
    """What the contract knows a batch by: keccak256 of the ABI encoding of these."""
    types = ["uint256", "address[]", "uint256[]", "bytes32"]
    values = [token_id, list(recipients), list(amounts), bytes.fromhex(salt[2:])]
    return "0x" + keccak256(encode(types, values)).hex()


def salt_of(text: str) -> str:
    """32 bytes in hexadecimal as they are; any other text by its Keccak-256; nothing is zero.

    Raises:
        InvalidInput: it starts like hexadecimal and is not 32 bytes.
    """
    if text.startswith("0x"):
        return hash32(text, field="--salt")
    return "0x" + keccak256(text.encode(errors="surrogateescape")).hex() if text else NO_SALT


# ---------------------------------------------------------------------------------------- the list


@dataclass(frozen=True, slots=True)
class Entry:
    """One recipient: the line of the file it stands in, from 1, its address, its vouchers."""

    line: int
    address: str
    amount: int


def read_list(
    content: bytes, *, contract: str, max_supply: int, accept_lowercase: bool
) -> tuple[Entry, ...]:
    """The recipients of a CSV file with the columns `address` and `amount`, in the file's order.

    A byte order mark, either line end, blank lines and blanks around values do not matter.
    `contract` is the voucher contract, which cannot receive; no amount may pass `max_supply`.

    Raises:
        InvalidInput: naming every bad line, each in one sentence.
    """
    lines = [
        (number, line)
        for number, line in enumerate(_LINE_END.split(_text(content)), start=1)
        if line.strip()
    ]
    if not lines:
        raise invalid("the list", "empty", "is empty; its first line must be address,amount")
    columns = _columns(*lines[0])
    rules = _Rules(contract, max_supply, accept_lowercase)
    entries: list[Entry] = []
    problems: list[FieldError] = []
    seen: dict[str, int] = {}
    for number, line in lines[1:]:
        try:
            value = dict(zip(columns, _values(line), strict=True))
        except (csv.Error, ValueError):
            message = f"must be {len(columns)} values with a comma between them"
            problems.append(FieldError(f"line {number}", "columns", message))
            continue
        broken = [*rules.address(value["address"]), *rules.amount(value["amount"])]
        first = seen.setdefault(value["address"].lower(), number)
        if first != number:
            broken.append(f"address {value['address']} stands in line {first} already")
        if broken:
            problems.append(FieldError(f"line {number}", "line", "; ".join(broken)))
        else:
            address, amount = checksum_address(value["address"]), int(value["amount"])
            entries.append(Entry(number, address, amount))
    if problems:
        raise InvalidInput(*problems)
    if not entries:
        raise invalid("the list", "empty", "has a header and no recipients")
    return tuple(entries)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("the list", "utf-8", "is not UTF-8 text; save it as CSV in UTF-8") from error


def _values(line: str) -> list[str]:
    return [value.strip() for value in next(csv.reader([line], strict=True))]


def _columns(number: int, line: str) -> list[str]:
    try:
        columns = [value.lower() for value in _values(line)]
    except csv.Error:
        columns = []
    if sorted(columns) != sorted(COLUMNS):
        message = (
            "must be the header address,amount (in either order, no other columns);"
            f" it is {line.strip()}"
        )
        raise invalid(f"line {number}", "header", message)
    return columns


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is wrong with a value of the list, in words."""

    contract: str
    max_supply: int
    accept_lowercase: bool

    def address(self, value: str) -> Iterator[str]:
        try:
            address = checksum_address(value)
        except InvalidInput as error:
            yield f"address {value} {error.fields[0].message}"
            return
        if value != address and not self.accept_lowercase:
            yield (
                f"address {value} is in letters of one case, without the EIP-55 checksum that"
                " would show a typing error; copy it again, or give --accept-lowercase if you are"
                " sure of the list"
            )
        if address == self.contract:
            yield f"address {value} is the voucher contract itself"

    def amount(self, value: str) -> Iterator[str]:
        if not _DIGITS.fullmatch(value):
            yield f"amount {value} must be a whole number in digits alone, such as 5"
        elif len(value) > _LONGEST_AMOUNT or int(value) > self.max_supply:
            yield f"amount {value} is above the type's max supply of {self.max_supply}"
        elif int(value) == 0:
            yield f"amount {value} must be at least 1"


# ---------------------------------------------------------------------------------------- the plan


def _changed(message: str) -> PydanticCustomError:
    return PydanticCustomError("changed", "{message}", {"message": message})


def _checksummed(value: str) -> str:
    try:
        checked = checksum_address(value)
    except InvalidInput as error:
        raise _changed(error.fields[0].message) from None
    if value != checked:
        raise _changed("must carry its EIP-55 checksum")
    return value


Address = Annotated[str, AfterValidator(_checksummed)]
Hash32 = Annotated[str, StringConstraints(pattern=r"\A0x[0-9a-f]{64}\z")]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


class Batch(_Part):
    """What one transaction mints: `amounts[i]` vouchers to `recipients[i]`."""

    batch_id: Hash32
    salt: Hash32
    recipients: tuple[Address, ...] = Field(min_length=1)
    amounts: tuple[Annotated[int, Field(ge=1, lt=2**64)], ...]

    @property
    def amount(self) -> int:
        """Vouchers of the batch in total."""
        return sum(self.amounts)


class Source(_Part):
    """The list that a plan was made of."""

    file: str
    sha256: Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")]


class Totals(_Part):
    """What a plan comes to."""

    batches: int
    recipients: int
    amount: int


class Plan(_Part):
    """An airdrop of one voucher type, as it is kept in a file between planning and minting.

    Consistent in itself, always: ids and totals follow from the contents, nobody is listed twice.
    """

    format: Literal["vouchers-airdrop-plan"] = "vouchers-airdrop-plan"
    version: Literal[1] = 1
    chain_id: int = Field(gt=0)
    contract: Address
    token_id: int = Field(ge=0)
    source: Source
    totals: Totals
    batches: tuple[Batch, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for number, batch in enumerate(self.batches, start=1):
            if len(batch.recipients) != len(batch.amounts):
                raise _changed(
                    f"batch {number} has {len(batch.recipients)} recipients and"
                    f" {len(batch.amounts)} amounts"
                )
            if batch.batch_id != self._id_of(batch):
                raise _changed(
                    f"batch {number} hashes to {self._id_of(batch)}, not to its batchId: it was"
                    " changed after planning"
                )
        if self.totals != totals(self.batches):
            raise _changed("the totals are not those of the batches: it was changed")
        everyone = [one for batch in self.batches for one in batch.recipients]
        if len(set(everyone)) != len(everyone):
            raise _changed("an address stands in it twice")
        return self

    def _id_of(self, batch: Batch) -> str:
        return batch_id(self.token_id, batch.recipients, batch.amounts, batch.salt)

    def as_text(self) -> str:
        """The plan as its file holds it."""
        return json.dumps(self.model_dump(by_alias=True), indent=2) + "\n"


def totals(batches: Sequence[Batch]) -> Totals:
    return Totals(
        batches=len(batches),
        recipients=sum(len(batch.recipients) for batch in batches),
        amount=sum(batch.amount for batch in batches),
    )


def make_plan(
    entries: Sequence[Entry],
    *,
    batch_size: int,
    salt: str,
    chain_id: int,
    contract: str,
    token_id: int,
    source: Source,
) -> Plan:
    """The entries in their order, in batches of `batch_size` of which the last may be smaller."""
    batches = tuple(
        _batch(entries[start : start + batch_size], token_id, salt)
        for start in range(0, len(entries), batch_size)
    )
    return Plan(
        chain_id=chain_id,
        contract=contract,
        token_id=token_id,
        source=source,
        totals=totals(batches),
        batches=batches,
    )


def _batch(entries: Sequence[Entry], token_id: int, salt: str) -> Batch:
    recipients = tuple(entry.address for entry in entries)
    amounts = tuple(entry.amount for entry in entries)
    return Batch(
        batch_id=batch_id(token_id, recipients, amounts, salt),
        salt=salt,
        recipients=recipients,
        amounts=amounts,
    )


def read_plan(content: bytes, *, chain_id: int, contract: str) -> Plan:
    """A plan from its file, if it is for this contract and is what planning wrote.

    Raises:
        InvalidInput: naming every problem, with its place in the file.
    """
    try:
        plan = Plan.model_validate_json(content)
    except ValidationError as error:
        raise InvalidInput(
            *(FieldError(_place(one["loc"]), one["type"], one["msg"]) for one in error.errors())
        ) from error
    wrong = [
        FieldError(field, "setting", f"is {planned}; {name} is {ours}")
        for field, planned, name, ours in (
            ("chainId", plan.chain_id, "CHAIN_ID", chain_id),
            ("contract", plan.contract, "CONTRACT_ADDRESS", contract),
        )
        if planned != ours
    ]
    if wrong:
        raise InvalidInput(*wrong)
    return plan


def _place(loc: Sequence[str | int]) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return steps.removeprefix(".") or "the plan"
