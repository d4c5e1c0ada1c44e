"""Which of a site's orders are looked for, by what never changes about them."""

import re
from dataclasses import dataclass

from chalicelib.domain.errors import invalid
from chalicelib.domain.orders import Order

LATEST_TIME = 99_999_999_999
"""Unix seconds, beyond any order."""
LONGEST_LIFE_SECONDS = 7 * 86_400
"""No order is made for longer: the contract refuses it (spec: The contract)."""

_ORDER_CODE_DIGITS = 16
_SHORTEST_HASH_START = 8
_ADDRESS_DIGITS = 40
_HASH_DIGITS = 64
_SEARCH = re.compile(r"(0x)?([0-9a-f]{4,64})")


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What an order has to be like; whatever is left at its default, any order is.

    `created_from` and `created_to` are unix seconds, both included. `hash_start` is the beginning
    of an order hash, `0x` included, `wallet_end` the end of a wallet address, both in lower case;
    where both are given, one of them is enough.
    """

    created_from: int = 0
    created_to: int = LATEST_TIME
    hash_start: str = ""
    wallet_end: str = ""

    @property
    def latest_expiry(self) -> int:
        """After which no order that fits expires; before `created_from`, none does either."""
        return self.created_to + LONGEST_LIFE_SECONDS

    @property
    def whole_hash(self) -> str:
        """The one order hash that fits, if no other does."""
        return self.hash_start if len(self.hash_start) == len("0x") + _HASH_DIGITS else ""

    @property
    def whole_wallet(self) -> str:
        """The one wallet whose orders fit, if no other's do; in lower case."""
        return "0x" + self.wallet_end if len(self.wallet_end) == _ADDRESS_DIGITS else ""

    def fits(self, *, order_hash: str, customer: str, created_at: int) -> bool:
        """Whether the order of that hash, wallet and creation is looked for."""
        if not self.created_from <= created_at <= self.created_to:
            return False
        if not (self.hash_start or self.wallet_end):
            return True
        by_hash = bool(self.hash_start) and order_hash.startswith(self.hash_start)
        return by_hash or (bool(self.wallet_end) and customer.lower().endswith(self.wallet_end))

    def fits_order(self, order: Order) -> bool:
        """Whether that order is looked for."""
        return self.fits(
            order_hash=order.order_hash, customer=order.customer, created_at=order.created_at
        )


ANY_ORDER = OrderFilter()


def order_filter(*, created_from: int, created_to: int, search: str) -> OrderFilter:
    """What a desk asked for. `search` may be empty, or it takes an order hash or its first 8 or
    more hexadecimal digits, or a wallet address or its last 4 or more, `0x` or not.

    It stands in a query, where proxies and browsers keep it, so it takes neither an order's id nor
    its 16 characters, even where those happen to be hexadecimal: they are bearer secrets.

    Raises:
        InvalidInput: naming `search`, or `to` where it is before `from`.
    """
    if created_to < created_from:
        raise invalid("to", "order", "must not be before `from`")
    hash_start, wallet_end = _parse_search(search) if search else ("", "")
    return OrderFilter(created_from, created_to, hash_start, wallet_end)


def _parse_search(search: str) -> tuple[str, str]:
    """The beginning of a hash and the end of an address that the text may be."""
    parsed = _SEARCH.fullmatch(search.strip().lower())
    prefix, digits = parsed.groups() if parsed else ("", "")
    count = len(digits)
    whole_wallet = count == _ADDRESS_DIGITS and bool(digits.strip("0"))
    is_code = not prefix and count == _ORDER_CODE_DIGITS
    may_be_hash = count >= _SHORTEST_HASH_START and not whole_wallet and not is_code
    may_be_wallet = whole_wallet or (not prefix and 0 < count < _ADDRESS_DIGITS and not is_code)
    if not (may_be_hash or may_be_wallet):
        raise invalid(
            "search",
            "pattern",
            "takes an order hash or its first 8 or more hexadecimal digits, or a wallet address or"
            " its last 4 or more; never an order's id or code: ask for that order itself",
        )
    return ("0x" + digits if may_be_hash else "", digits if may_be_wallet else "")
