"""What a desk may look for, and what it finds by it."""

import pytest

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.order_filter import ANY_ORDER, LATEST_TIME, OrderFilter, order_filter
from tests.fakes import CUSTOMER, NOW, STRANGER, an_order

ORDER = an_order()
DIGITS = ORDER.order_hash[2:]


def _search(text: str) -> OrderFilter:
    return order_filter(created_from=0, created_to=LATEST_TIME, search=text)


def test_nothing_asked_is_any_order() -> None:
    assert _search("") == ANY_ORDER
    assert ANY_ORDER.fits_order(ORDER)


@pytest.mark.parametrize("text", [CUSTOMER, CUSTOMER.lower(), CUSTOMER[2:], f" {CUSTOMER} "])
def test_a_whole_wallet_is_that_wallet_alone(text: str) -> None:
    among = _search(text)
    assert among.whole_wallet == CUSTOMER.lower()
    assert (among.hash_start, among.whole_hash) == ("", "")
    assert among.fits_order(ORDER)
    assert not among.fits_order(an_order(customer=STRANGER))


@pytest.mark.parametrize("text", [ORDER.order_hash, DIGITS, DIGITS.upper(), "0X" + DIGITS])
def test_a_whole_hash_is_that_order_alone(text: str) -> None:
    among = _search(text)
    assert (among.whole_hash, among.whole_wallet) == (ORDER.order_hash, "")
    assert among.fits_order(ORDER)
    assert not among.fits_order(an_order(2))


@pytest.mark.parametrize("count", [8, 9, 15, 16, 17, 39, 41, 63])
def test_the_beginning_of_a_hash(count: int) -> None:
    among = _search("0x" + DIGITS[:count])
    assert (among.hash_start, among.wallet_end) == ("0x" + DIGITS[:count], "")
    assert (among.whole_hash, among.whole_wallet) == ("", "")
    assert among.fits_order(ORDER)
    assert not among.fits_order(an_order(2))


@pytest.mark.parametrize("count", [4, 7, 8, 15, 17, 39])
def test_the_end_of_a_wallet(count: int) -> None:
    among = _search(CUSTOMER[-count:])
    assert among.wallet_end == CUSTOMER[-count:].lower()
    assert among.fits_order(ORDER)
    assert not among.fits_order(an_order(customer=STRANGER))


def test_digits_that_may_be_either_find_both() -> None:
    assert _search(DIGITS[:8]).fits_order(ORDER)
    assert _search(CUSTOMER[-8:]).fits_order(ORDER)
    assert _search(DIGITS[:7]).hash_start == ""


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "0xabcdef1",
        "0x",
        "a" * 65,
        "0x" + "a" * 65,
        "g" * 8,
        "12 34",
        "%",
        "_" * 8,
        ORDER.order_id,
        ORDER.order_id[-16:],
        "0123456789ABCDEF",
        "0123-4567-89AB-CDEF",
        "5SOV://order/" + ORDER.order_id,
        "\N{ARABIC-INDIC DIGIT ONE}" * 8,
    ],
)
def test_anything_else_is_refused_and_an_order_id_above_all(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _search(text)
    assert [(e.field, e.rule) for e in refused.value.fields] == [("search", "pattern")]
    assert ORDER.order_id[-16:] not in str(refused.value)


def test_creation_is_bounded_at_both_ends() -> None:
    among = order_filter(created_from=NOW, created_to=NOW, search="")
    assert among.fits_order(ORDER)
    assert not among.fits_order(an_order(created_at=NOW - 1))
    assert not among.fits_order(an_order(created_at=NOW + 1))
    assert among.latest_expiry == NOW + 7 * 86_400


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        order_filter(created_from=NOW, created_to=NOW - 1, search="")
    assert [(e.field, e.rule) for e in refused.value.fields] == [("to", "order")]
