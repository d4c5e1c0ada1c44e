"""What an operator sets up: staff, sites, catalogue."""

import re
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryStore
from chalicelib.domain.audit import AuditAction
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import InvalidInput, NotFound, Refused, Unavailable
from chalicelib.domain.staff import Role, check_password
from chalicelib.ports import Update
from chalicelib.usecases.manage import (
    Issued,
    add_site,
    add_staff,
    disable_staff,
    load_catalogue,
    reset_staff,
)
from tests.fakes import (
    NOW,
    OPERATOR,
    OTHER_SITE,
    SITE,
    CountingEntropy,
    InterruptedStore,
    QuickPasswords,
    a_catalogue,
    a_shop,
    a_site,
    a_staff,
    a_voucher_type,
    stored,
)

ENTROPY = CountingEntropy("manage")


def _facts(store: object, **changes: Any) -> dict[str, Any]:
    return {
        "store": store,
        "entropy": ENTROPY,
        "actor": OPERATOR,
        "now": NOW,
        "request_id": "req-m",
    } | changes


def _add(store: object, username: str = "linh", **changes: Any) -> Issued:
    facts = {
        "display_name": "Linh",
        "role": Role.RECEPTION,
        "sites": (SITE,),
        "passwords": QuickPasswords(),
    }
    return add_staff(username, **_facts(store, **(facts | changes)))


def _reset(store: object, username: str) -> Issued:
    return reset_staff(username, **_facts(store, passwords=QuickPasswords()))


def _audited(store: MemoryStore) -> list[tuple[AuditAction, str, dict[str, str]]]:
    page = store.audit(day="2026-11-21", limit=99)
    return [(item.action, item.subject, dict(item.detail)) for item in page.items]


def _rules(refused: pytest.ExceptionInfo[InvalidInput]) -> set[tuple[str, str]]:
    return {(error.field, error.rule) for error in refused.value.fields}


def test_a_new_member_gets_a_password_that_is_good_once() -> None:
    store = a_shop()
    issued = _add(store)
    assert store.staff("linh") == issued.staff
    assert issued.staff.must_change_password
    assert issued.staff.token_version == 1
    assert re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){5}", issued.one_time_password)
    assert check_password(issued.one_time_password, username="linh")
    assert QuickPasswords().verify(issued.staff.password_hash, issued.one_time_password)
    assert _audited(store) == [(AuditAction.STAFF_CHANGED, "linh", {"change": "added"})]
    assert issued.one_time_password not in repr(store.audit(day="2026-11-21", limit=9))
    assert _add(store, "minh").one_time_password != issued.one_time_password


def test_an_admin_needs_no_site_and_a_name_defaults_to_the_username() -> None:
    issued = _add(a_shop(), role=Role.ADMIN, sites=(), display_name="")
    assert (issued.staff.sites, issued.staff.display_name) == ((), "linh")


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"username": "No"}, {("username", "pattern")}),
        ({"sites": ()}, {("sites", "required")}),
        ({"sites": (SITE, "NOWHERE")}, {("sites", "known")}),
        ({"role": Role.ADMIN, "sites": ("NOWHERE",)}, {("sites", "known"), ("sites", "none")}),
        ({"role": Role.ADMIN}, {("sites", "none")}),
    ],
)
def test_a_member_that_breaks_a_rule_is_not_added(
    changes: dict[str, Any], broken: set[tuple[str, str]]
) -> None:
    store = a_shop()
    before = store.all_staff()
    with pytest.raises(InvalidInput) as refused:
        _add(store, **changes)
    assert _rules(refused) == broken
    assert store.all_staff() == before
    assert _audited(store) == []


def test_a_username_is_given_once() -> None:
    store = a_shop()
    first = _add(store)
    with pytest.raises(Refused) as refused:
        _add(store, role=Role.ADMIN, sites=())
    assert refused.value.code == "STAFF_EXISTS"
    assert store.staff("linh") == first.staff


def test_a_reset_gives_a_new_password_and_ends_sessions() -> None:
    store = stored(MemoryStore(), a_staff(failures=7, locked_until=NOW + 900))
    issued = _reset(store, "reception1")
    assert store.staff("reception1") == issued.staff
    assert issued.staff == a_staff(
        password_hash=QuickPasswords().hash(issued.one_time_password),
        must_change_password=True,
        token_version=2,
        version=2,
    )
    assert _audited(store) == [(AuditAction.STAFF_CHANGED, "reception1", {"change": "reset"})]


@pytest.mark.parametrize(("disabled", "what"), [(True, "disabled"), (False, "enabled")])
def test_disabling_and_enabling(disabled: bool, what: str) -> None:
    store = stored(MemoryStore(), a_staff(disabled=not disabled))
    changed = disable_staff("reception1", disabled=disabled, **_facts(store))
    assert store.staff("reception1") == changed
    assert (changed.disabled, changed.token_version) == (disabled, 2)
    assert _audited(store) == [(AuditAction.STAFF_CHANGED, "reception1", {"change": what})]


def test_nobody_can_be_changed_who_is_not_there() -> None:
    store = a_shop()
    for change in (
        lambda: _reset(store, "nobody"),
        lambda: disable_staff("nobody", disabled=True, **_facts(store)),
    ):
        with pytest.raises(NotFound) as missing:
            change()
        assert missing.value.code == "STAFF_NOT_FOUND"
    assert _audited(store) == []


def test_two_changes_at_once_are_told_apart() -> None:
    store = stored(MemoryStore(), a_staff())
    other = a_staff(display_name="Other", version=2)
    racing = InterruptedStore(store, before={1: lambda: store.commit([Update(other)])})
    with pytest.raises(Unavailable):
        _reset(racing, "reception1")
    assert store.staff("reception1") == other


def test_a_site_is_added_once() -> None:
    store = MemoryStore()
    add_site(a_site(), **_facts(store))
    add_site(a_site(OTHER_SITE), **_facts(store))
    assert store.sites() == (a_site(OTHER_SITE), a_site())
    with pytest.raises(Refused) as refused:
        add_site(a_site(enabled=False), **_facts(store))
    assert refused.value.code == "SITE_EXISTS"
    assert store.sites() == (a_site(OTHER_SITE), a_site())
    assert sorted(_audited(store), key=str) == [
        (AuditAction.SITE_CHANGED, OTHER_SITE, {"change": "added"}),
        (AuditAction.SITE_CHANGED, SITE, {"change": "added"}),
    ]


def test_a_malformed_site_is_not_added() -> None:
    store = MemoryStore()
    with pytest.raises(InvalidInput) as refused:
        add_site(a_site("no"), **_facts(store))
    assert _rules(refused) == {("siteId", "pattern")}
    assert store.sites() == ()


def test_a_catalogue_is_replaced_as_a_whole() -> None:
    store = stored(MemoryStore(), a_site())
    first = load_catalogue(a_catalogue().types, **_facts(store))
    assert (first.version, store.catalogue()) == (1, first)
    assert load_catalogue(a_catalogue().types, **_facts(store)) is first
    second = load_catalogue((a_voucher_type(4001, sites=(SITE,)),), **_facts(store))
    assert (second.version, store.catalogue()) == (2, second)
    assert sorted(subject for _, subject, _ in _audited(store)) == ["version 1", "version 2"]


def test_a_catalogue_that_breaks_a_rule_changes_nothing() -> None:
    store = a_shop()
    with pytest.raises(InvalidInput) as refused:
        load_catalogue((a_voucher_type(0), a_voucher_type(sites=("NOWHERE",))), **_facts(store))
    assert _rules(refused) == {("types[0].tokenId", "range"), ("types[1].sites", "known")}
    assert store.catalogue() == a_catalogue()


def test_two_catalogues_at_once_are_told() -> None:
    store = a_shop()
    other = Catalogue((a_voucher_type(4001),), version=2)
    racing = InterruptedStore(store, before={1: lambda: store.commit([Update(other)])})
    with pytest.raises(Unavailable):
        load_catalogue((a_voucher_type(4002),), **_facts(racing))
    assert store.catalogue() == other
