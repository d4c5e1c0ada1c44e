"""What may be ordered, and what a catalogue and a site must be like."""

from typing import Any

import pytest

from chalicelib.domain.catalogue import (
    Catalogue,
    Group,
    Site,
    VoucherType,
    catalogue_errors,
    check_order,
    site_errors,
)
from chalicelib.domain.errors import FieldError, InvalidInput
from tests.fakes import (
    AI_SUITE,
    NOW,
    OTHER_SITE,
    ROOM,
    SITE,
    a_catalogue,
    a_site,
    a_voucher_type,
)

SITES = {SITE: a_site(), OTHER_SITE: a_site(OTHER_SITE), "CLOSED": a_site("CLOSED", enabled=False)}
ASKED: dict[str, Any] = {
    "token_id": ROOM,
    "amount": 1,
    "site_id": SITE,
    "meta": {},
    "sites_enforced": True,
    "at": NOW,
}


def _broken(catalogue: Catalogue, **asked: Any) -> set[tuple[str, str]]:
    """Fields and rules that the order breaks."""
    try:
        check_order(catalogue, SITES, **(ASKED | asked))
    except InvalidInput as refused:
        return {(error.field, error.rule) for error in refused.fields}
    return set()


def _rules(errors: list[FieldError]) -> set[tuple[str, str]]:
    assert all(error.message for error in errors)
    return {(error.field, error.rule) for error in errors}


def test_an_order_that_breaks_no_rule_gets_its_type() -> None:
    assert check_order(a_catalogue(), SITES, **ASKED).token_id == ROOM


@pytest.mark.parametrize("token_id", [0, -1, 1002, 2**53, 2**300])
def test_an_unknown_token_is_refused(token_id: int) -> None:
    assert _broken(a_catalogue(), token_id=token_id) == {("tokenId", "known")}


@pytest.mark.parametrize("amount", [-1, 0, 1, 6, 10**30])
def test_amounts_outside_the_types_bounds_are_refused(amount: int) -> None:
    catalogue = Catalogue((a_voucher_type(min_amount=2, max_amount=5),))
    assert _broken(catalogue, amount=amount) == {("amount", "range")}


@pytest.mark.parametrize("amount", [2, 5])
def test_the_bounds_belong_to_the_range(amount: int) -> None:
    catalogue = Catalogue((a_voucher_type(min_amount=2, max_amount=5),))
    assert _broken(catalogue, amount=amount) == set()


@pytest.mark.parametrize(
    ("at", "broken"), [(NOW - 1, True), (NOW, False), (NOW + 9, False), (NOW + 10, True)]
)
def test_a_voucher_is_redeemed_in_its_window_only(at: int, broken: bool) -> None:
    catalogue = Catalogue((a_voucher_type(available_from=NOW, available_until=NOW + 9),))
    assert _broken(catalogue, at=at) == ({("tokenId", "available")} if broken else set())


@pytest.mark.parametrize(
    ("site_id", "rule"), [("", "required"), ("NOWHERE", "known"), ("CLOSED", "known")]
)
def test_a_site_must_be_named_and_open(site_id: str, rule: str) -> None:
    assert _broken(a_catalogue(), site_id=site_id) == {("siteId", rule)}


def test_a_type_may_be_bound_to_some_sites() -> None:
    catalogue = Catalogue((a_voucher_type(sites=(SITE,)),))
    assert _broken(catalogue, site_id=OTHER_SITE) == {("siteId", "allowed")}
    assert _broken(catalogue, site_id=SITE) == set()


def test_without_enforced_sites_an_order_names_none() -> None:
    assert _broken(a_catalogue(), site_id="", sites_enforced=False) == set()
    assert _broken(a_catalogue(), sites_enforced=False) == {("siteId", "forbidden")}


def test_customer_meta_is_what_the_type_asks_for_no_more_and_no_less() -> None:
    suite = {"token_id": AI_SUITE}
    assert _broken(a_catalogue(), **suite, meta={"aiAccount": "a@b.vn"}) == set()
    missing = {("customerMeta.aiAccount", "required")}
    assert _broken(a_catalogue(), **suite) == missing
    assert _broken(a_catalogue(), **suite, meta={"aiAccount": "  "}) == missing
    assert _broken(a_catalogue(), meta={"aiAccount": "a@b.vn"}) == {
        ("customerMeta.aiAccount", "unexpected")
    }


def test_every_broken_rule_is_told_at_once() -> None:
    asked = {"token_id": AI_SUITE, "amount": 0, "site_id": "NOWHERE", "meta": {"jobProvider": "x"}}
    assert _broken(a_catalogue(), **asked) == {
        ("amount", "range"),
        ("siteId", "known"),
        ("customerMeta.aiAccount", "required"),
        ("customerMeta.jobProvider", "unexpected"),
    }


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"token_id": 0}, "tokenId", "range"),
        ({"token_id": 2**53}, "tokenId", "range"),
        ({"name": {"vi": "Phòng"}}, "name.en", "required"),
        ({"unit": {"vi": " ", "en": "hour"}}, "unit.vi", "required"),
        ({"min_amount": 0}, "minAmount", "range"),
        ({"min_amount": 3, "max_amount": 2}, "minAmount", "range"),
        ({"max_amount": 10_001}, "minAmount", "range"),
        ({"sites": ("NOWHERE",)}, "sites", "known"),
        ({"requires": ("shoeSize",)}, "requires", "known"),
        ({"available_from": NOW, "available_until": NOW - 1}, "availableUntil", "range"),
        ({"entitlement_days": 30}, "entitlementDays", "group"),
        ({"group": Group.C}, "entitlementDays", "group"),
        ({"group": Group.C, "entitlement_days": 0}, "entitlementDays", "range"),
        ({"group": Group.C, "entitlement_days": -30}, "entitlementDays", "range"),
        ({"group": Group.C, "entitlement_days": 10**9}, "entitlementDays", "range"),
    ],
)
def test_each_mistake_in_a_type_is_named(changes: dict[str, Any], field: str, rule: str) -> None:
    kinds = (a_voucher_type(4001), a_voucher_type(**changes))
    errors = catalogue_errors(Catalogue(kinds), frozenset({SITE}))
    assert _rules(errors) == {(f"types[1].{field}", rule)}


def test_a_sound_catalogue_has_no_errors() -> None:
    assert catalogue_errors(a_catalogue(), frozenset()) == []
    bound = Catalogue((a_voucher_type(sites=(SITE,), available_from=NOW, available_until=NOW),))
    assert catalogue_errors(bound, frozenset({SITE})) == []


def test_a_catalogue_needs_types_and_each_once() -> None:
    assert _rules(catalogue_errors(Catalogue(()), frozenset())) == {("types", "nonempty")}
    twice = Catalogue((a_voucher_type(), a_voucher_type()))
    assert _rules(catalogue_errors(twice, frozenset())) == {("types[1].tokenId", "unique")}


def test_a_type_is_found_by_its_token() -> None:
    assert a_catalogue().find(AI_SUITE) is not None
    assert a_catalogue().find(9) is None
    assert isinstance(a_catalogue().find(ROOM), VoucherType)


@pytest.mark.parametrize("site_id", ["", "A", "a_b", "_AB", "A-B", "A" * 33, "AB\n", "ĐA"])
def test_a_malformed_site_id_is_named(site_id: str) -> None:
    assert _rules(site_errors(a_site(site_id))) == {("siteId", "pattern")}


def test_a_site_needs_both_names() -> None:
    assert site_errors(a_site()) == []
    assert _rules(site_errors(Site(SITE, {"vi": " "}))) == {
        ("name.vi", "required"),
        ("name.en", "required"),
    }
