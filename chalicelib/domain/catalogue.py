"""Voucher types, sites, and the rules an order must meet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.errors import FieldError, InvalidInput

LANGUAGES = ("vi", "en")
META_FIELDS = ("aiAccount", "jobProvider")
MAX_META_LENGTH = 200
LARGEST_AMOUNT = 10_000
LARGEST_TOKEN_ID = 2**53 - 1
LONGEST_ENTITLEMENT_DAYS = 3660
SITE_ID = re.compile(r"[A-Z0-9][A-Z0-9_]{1,31}")


class Group(StrEnum):
    """A: plain; B: conditions checked when the order is made; C: grants a dated entitlement."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True)
class VoucherType:
    """One service that a voucher stands for.

    `sites` is `None` where every site serves it. `requires` names the `customerMeta` fields an
    order must carry. `available_from`/`available_until` (unix seconds, inclusive) and the amounts
    are conditions on the order. `entitlement_days` is what delivery grants in group C.
    """

    token_id: int
    name: Mapping[str, str]
    unit: Mapping[str, str]
    group: Group
    description: Mapping[str, str]
    sites: tuple[str, ...] | None = None
    requires: tuple[str, ...] = ()
    min_amount: int = 1
    max_amount: int = 100
    available_from: int | None = None
    available_until: int | None = None
    entitlement_days: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All voucher types, as one versioned document."""

    types: tuple[VoucherType, ...]
    version: int = 1

    def find(self, token_id: int) -> VoucherType | None:
        """The type with that token id."""
        return next((kind for kind in self.types if kind.token_id == token_id), None)


@dataclass(frozen=True, slots=True)
class Site:
    """A place with a reception desk. A disabled site takes no new orders."""

    site_id: str
    name: Mapping[str, str]
    enabled: bool = True
    version: int = 1


def check_order(
    catalogue: Catalogue,
    sites: Mapping[str, Site],
    *,
    token_id: int,
    amount: int,
    site_id: str,
    meta: Mapping[str, str],
    sites_enforced: bool,
    at: int,
) -> VoucherType:
    """The type an order asks for, once every rule of the catalogue holds.

    `site_id` is `""` for an order without site, which only a system that does not enforce sites
    takes.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    kind = catalogue.find(token_id)
    if kind is None:
        raise InvalidInput(
            FieldError("tokenId", "known", f"there is no voucher type {token_id} in the catalogue")
        )
    broken = [
        *_amount_errors(kind, amount),
        *_time_errors(kind, at),
        *_site_errors(kind, sites, site_id, sites_enforced=sites_enforced),
        *_meta_errors(kind, meta),
    ]
    if broken:
        raise InvalidInput(*broken)
    return kind


def _amount_errors(kind: VoucherType, amount: int) -> list[FieldError]:
    if kind.min_amount <= amount <= kind.max_amount:
        return []
    return [
        FieldError("amount", "range", f"must be between {kind.min_amount} and {kind.max_amount}")
    ]


def _time_errors(kind: VoucherType, at: int) -> list[FieldError]:
    early = kind.available_from is not None and at < kind.available_from
    late = kind.available_until is not None and at > kind.available_until
    if early or late:
        return [FieldError("tokenId", "available", "this voucher cannot be redeemed at this time")]
    return []


def _site_errors(
    kind: VoucherType, sites: Mapping[str, Site], site_id: str, *, sites_enforced: bool
) -> list[FieldError]:
    if not sites_enforced:
        if site_id:
            return [FieldError("siteId", "forbidden", "this system takes orders without site")]
        return []
    if not site_id:
        return [FieldError("siteId", "required", "choose the site where you will use it")]
    site = sites.get(site_id)
    if site is None or not site.enabled:
        return [FieldError("siteId", "known", "there is no such site")]
    if kind.sites is not None and site_id not in kind.sites:
        return [FieldError("siteId", "allowed", "this voucher cannot be used at that site")]
    return []


def _meta_errors(kind: VoucherType, meta: Mapping[str, str]) -> list[FieldError]:
    errors = [
        FieldError(f"customerMeta.{name}", "required", "is needed for this voucher")
        for name in kind.requires
        if not meta.get(name, "").strip()
    ]
    errors += [
        FieldError(f"customerMeta.{name}", "unexpected", "is not used by this voucher")
        for name in meta
        if name not in kind.requires
    ]
    return errors


def site_errors(site: Site) -> list[FieldError]:
    """Everything wrong with a site before it is stored; an empty list means it may be."""
    errors: list[FieldError] = []
    if not SITE_ID.fullmatch(site.site_id):
        errors.append(
            FieldError(
                "siteId", "pattern", "takes 2 to 32 of A-Z 0-9 _ and begins with a letter or digit"
            )
        )
    errors += [
        FieldError(f"name.{language}", "required", "is missing")
        for language in LANGUAGES
        if not site.name.get(language, "").strip()
    ]
    return errors


def catalogue_errors(catalogue: Catalogue, site_ids: frozenset[str]) -> list[FieldError]:
    """Everything wrong with a catalogue before it is loaded; an empty list means it may be."""
    errors: list[FieldError] = []
    seen: set[int] = set()
    for index, kind in enumerate(catalogue.types):
        where = f"types[{index}]"
        if kind.token_id in seen:
            errors.append(FieldError(f"{where}.tokenId", "unique", f"{kind.token_id} is repeated"))
        seen.add(kind.token_id)
        errors += _type_errors(kind, where, site_ids)
    if not catalogue.types:
        errors.append(FieldError("types", "nonempty", "the catalogue holds no voucher type"))
    return errors


def _type_errors(kind: VoucherType, where: str, site_ids: frozenset[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    if not 0 < kind.token_id <= LARGEST_TOKEN_ID:
        errors.append(FieldError(f"{where}.tokenId", "range", "must be positive and below 2^53"))
    errors += [
        FieldError(f"{where}.{field}.{language}", "required", "is missing")
        for field, texts in (("name", kind.name), ("unit", kind.unit))
        for language in LANGUAGES
        if not texts.get(language, "").strip()
    ]
    if not 1 <= kind.min_amount <= kind.max_amount <= LARGEST_AMOUNT:
        errors.append(
            FieldError(
                f"{where}.minAmount",
                "range",
                f"needs 1 <= minAmount <= maxAmount <= {LARGEST_AMOUNT}",
            )
        )
    errors += [
        FieldError(f"{where}.sites", "known", f"there is no site {site}")
        for site in kind.sites or ()
        if site not in site_ids
    ]
    errors += [
        FieldError(f"{where}.requires", "known", f"{name} is none of {', '.join(META_FIELDS)}")
        for name in kind.requires
        if name not in META_FIELDS
    ]
    if (
        kind.available_from is not None
        and kind.available_until is not None
        and kind.available_from > kind.available_until
    ):
        errors.append(
            FieldError(f"{where}.availableUntil", "range", "must not be before availableFrom")
        )
    if (kind.entitlement_days is not None) != (kind.group is Group.C):
        errors.append(
            FieldError(
                f"{where}.entitlementDays", "group", "goes with group C, and group C needs it"
            )
        )
    elif (
        kind.entitlement_days is not None
        and not 1 <= kind.entitlement_days <= LONGEST_ENTITLEMENT_DAYS
    ):
        errors.append(
            FieldError(
                f"{where}.entitlementDays",
                "range",
                f"must be between 1 and {LONGEST_ENTITLEMENT_DAYS}",
            )
        )
    return errors
