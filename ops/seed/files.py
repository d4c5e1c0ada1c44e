"""Reading catalogue and site files: every problem is told at once, each with its place."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from chalicelib.domain.catalogue import Group, Site, VoucherType
from chalicelib.domain.errors import FieldError, InvalidInput, invalid

CATALOGUE_FILE = Path(__file__).parent / "catalogue.json"
SITES_FILE = Path(__file__).parent / "sites.json"

Text = Annotated[str, Field(min_length=1, max_length=500)]
Texts = dict[Literal["vi", "en"], Text]


class _Entry(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True
    )


class _TypeEntry(_Entry):
    token_id: int
    name: Texts
    unit: Texts
    description: Texts
    group: Literal["A", "B", "C"]
    sites: list[str] | None = None
    requires: list[str] = []
    min_amount: int = 1
    max_amount: int = 100
    available_from: int | None = None
    available_until: int | None = None
    entitlement_days: int | None = Field(default=None, ge=1)

    def voucher_type(self) -> VoucherType:
        return VoucherType(
            token_id=self.token_id,
            name=_by_language(self.name),
            unit=_by_language(self.unit),
            group=Group(self.group),
            description=_by_language(self.description),
            sites=None if self.sites is None else tuple(self.sites),
            requires=tuple(self.requires),
            min_amount=self.min_amount,
            max_amount=self.max_amount,
            available_from=self.available_from,
            available_until=self.available_until,
            entitlement_days=self.entitlement_days,
        )


class _SiteEntry(_Entry):
    site_id: str
    name: Texts

    def site(self) -> Site:
        return Site(site_id=self.site_id, name=_by_language(self.name))


E = TypeVar("E", bound=_Entry)


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """What a catalogue file holds: the entries that can be read, and what is wrong with the rest.

    `places[i]` is where in the file `types[i]` stands.
    """

    types: tuple[VoucherType, ...]
    places: tuple[int, ...]
    problems: tuple[FieldError, ...]

    def placed(self, errors: Sequence[FieldError]) -> list[FieldError]:
        """Errors about `types[i]`, told with the entry's place in the file."""

        def place(match: re.Match[str]) -> str:
            return f"types[{self.places[int(match.group(1))]}]"

        return [
            replace(error, field=re.sub(r"^types\[(\d+)\]", place, error.field)) for error in errors
        ]


def read_catalogue(path: Path) -> CatalogueFile:
    """The voucher types of a catalogue file.

    Raises:
        InvalidInput: the file is not `{"types": […]}` at all.
    """
    types: list[VoucherType] = []
    places: list[int] = []
    problems: list[FieldError] = []
    for index, raw in enumerate(_entries(path, "types")):
        entry = _parse(_TypeEntry, raw, f"types[{index}]", problems)
        if entry is not None:
            types.append(entry.voucher_type())
            places.append(index)
    return CatalogueFile(tuple(types), tuple(places), tuple(problems))


def read_sites(path: Path) -> tuple[Site, ...]:
    """The sites of a file `{"sites": […]}`.

    Raises:
        InvalidInput: naming every problem with its place.
    """
    problems: list[FieldError] = []
    entries = [
        _parse(_SiteEntry, raw, f"sites[{index}]", problems)
        for index, raw in enumerate(_entries(path, "sites"))
    ]
    if problems:
        raise InvalidInput(*problems)
    return tuple(entry.site() for entry in entries if entry is not None)


def _entries(path: Path, key: str) -> list[Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise invalid(str(path), "utf-8", "is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno} column {error.colno}"
        raise invalid(place, "json", error.msg) from error
    entries = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or len(document) != 1:
        raise invalid(str(path), "shape", f'must be {{"{key}": [ … ]}} and nothing else')
    return entries


def _parse(kind: type[E], raw: object, place: str, problems: list[FieldError]) -> E | None:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        problems += [
            FieldError(_path(place, one["loc"]), one["type"], one["msg"]) for one in error.errors()
        ]
        return None


def _path(place: str, loc: Sequence[str | int]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc]
    return place + "".join(step for step in steps if step != ".[key]")


def _by_language(texts: Texts) -> dict[str, str]:
    return {str(language): text for language, text in texts.items()}
