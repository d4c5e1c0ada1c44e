"""Idempotency keys and what is kept of them."""

import pytest

from chalicelib.domain.errors import InvalidInput, Refused
from chalicelib.domain.idempotency import Reservation, check_key, key_hash, renewed, same_request
from tests.fakes import CUSTOMER, NOW, STRANGER

KEY = "abcdefghijklmnopqrstuv"
RESERVATION = Reservation("hash", "ORD_1", "digest", NOW, version=3)


@pytest.mark.parametrize("key", [KEY, "-_" * 11, "A" * 128])
def test_a_key_long_enough_for_128_bits_is_taken(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", KEY[:-1], "A" * 129, KEY + "=", KEY + "\n", KEY + "é"])
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_key(key)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("Idempotency-Key", "pattern")]


def test_a_key_is_kept_hashed_and_belongs_to_one_wallet() -> None:
    hashed = key_hash(owner=CUSTOMER, key=KEY)
    assert len(hashed) == 64
    assert KEY not in hashed
    assert hashed != key_hash(owner=STRANGER, key=KEY)
    assert hashed != key_hash(owner=CUSTOMER, key=KEY + "w")


def test_only_the_same_request_may_repeat_a_key() -> None:
    same_request(RESERVATION, "digest")
    with pytest.raises(Refused) as refused:
        same_request(RESERVATION, "other")
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"


def test_a_fresh_reservation_takes_over_the_place_of_an_old_one() -> None:
    fresh = Reservation("hash", "ORD_2", "digest 2", NOW + 99)
    assert renewed(RESERVATION, fresh) == Reservation(
        "hash", "ORD_2", "digest 2", NOW + 99, version=4
    )
