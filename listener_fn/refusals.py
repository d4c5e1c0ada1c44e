"""What an endpoint means when it refuses to tell logs.

The same words stand for different things, and different words for the same: stale, too much, too
often, gone and switched off are five answers that call for five reactions. Told apart by HTTP
status, JSON-RPC code and message together; the messages are those of BNB Chain's own nodes and of
the known providers.
"""

import re
from enum import StrEnum
from http import HTTPStatus

LIMIT_EXCEEDED = -32005
METHOD_NOT_FOUND = -32601
RANGE_TOO_LARGE = -32614
"""QuickNode's own."""


class Refusal(StrEnum):
    """Why an endpoint refused."""

    RANGE_TOO_WIDE = "range_too_wide"
    """Too many blocks at once: ask for fewer."""

    TOO_MUCH = "too_much"
    """Too many logs, too large an answer, or too long a search: ask for fewer blocks."""

    BEYOND_HEAD = "beyond_head"
    """It does not know the newest block asked for: it lags."""

    RATE_LIMITED = "rate_limited"
    """Asked too often, or a quota is spent: wait, or ask another."""

    PRUNED = "pruned"
    """It no longer has blocks that old: ask another."""

    DISABLED = "disabled"
    """It does not tell logs at all: ask another."""

    OTHER = "other"
    """None of these."""

    @property
    def shrinks(self) -> bool:
        """Whether asking for fewer blocks may help."""
        return self in (Refusal.RANGE_TOO_WIDE, Refusal.TOO_MUCH)


_SAID = (
    (
        Refusal.BEYOND_HEAD,
        (
            r"invalid block range|block range extends beyond|beyond (current )?head"
            r"|after last accepted|unknown block|header not found|block not found"
            r"|cannot query unfinalized"
        ),
    ),
    (
        Refusal.RANGE_TOO_WIDE,
        (
            r"(maximum|max|maximal|max allowed) (allowed )?(block )?range|block range"
            r"|blocks? distance|range (is )?too (large|wide|big)|range limit"
            r"|limited to (a |an )?[\d,]+|up to a [\d,]+ block|ranges? over"
            r"|too many blocks|block span"
        ),
    ),
    (
        Refusal.TOO_MUCH,
        (
            r"more than [\d,]+ (results|logs)|too many (results|logs)|max(imum)? (results|logs)"
            r"|exceeds? max results|result(s)? (set )?(size )?(limit|exceed|too large)"
            r"|response (size|is too|too)|log response size|query time-?out"
            r"|execution (timeout|aborted)|timed? ?out|entity too large|content too large"
        ),
    ),
    (
        Refusal.RATE_LIMITED,
        (
            r"too many requests|rate ?-?limit|requests? (count|rate|limit)|per (second|minute|day)"
            r"|quota|compute units|credits|throttl|capacity (limit )?exceeded|max usage"
        ),
    ),
    (
        Refusal.PRUNED,
        (
            r"missing trie node|pruned|history (is )?(not available|unavailable)|archive"
            r"|required historical|block (is )?too old|before (the )?earliest"
        ),
    ),
    (
        Refusal.DISABLED,
        (
            r"method (is )?(not|disabled|unavailable)|not (supported|allowed|available|enabled)"
            r"|does not exist|disabled|unsupported method"
        ),
    ),
)
_MEANINGS = tuple((refusal, re.compile(said, re.IGNORECASE)) for refusal, said in _SAID)

_RANGE_OFFERED = re.compile(r"\[\s*(0x[0-9a-f]{1,16})\s*,\s*(0x[0-9a-f]{1,16})\s*\]", re.IGNORECASE)
_RANGE_NAMED = re.compile(r"range (\d{1,18})\s*-\s*(\d{1,18})", re.IGNORECASE)
_BLOCKS_NAMED = re.compile(
    r"(?:block range:?|limited to (?:an? )?|up to an? |limit(?: is)?:? |range of |max(?:imum)? of )"
    r"\s*(\d[\d,]{0,11})(k?)",
    re.IGNORECASE,
)


def refusal_of(*, status: int | None, code: int | None, message: str) -> Refusal:
    """What an endpoint meant by an HTTP status, a JSON-RPC code and a message.

    BNB Chain's public endpoints say `-32005 limit exceeded`, and nothing more, to any
    `eth_getLogs`, of a single block too: they have switched it off.
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refusal.RATE_LIMITED
    if code == METHOD_NOT_FOUND:
        return Refusal.DISABLED
    if code == LIMIT_EXCEEDED and message.strip().lower() == "limit exceeded":
        return Refusal.DISABLED
    for refusal, said in _MEANINGS:
        if said.search(message):
            return refusal
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refusal.TOO_MUCH
    return Refusal.RANGE_TOO_WIDE if code == RANGE_TOO_LARGE else Refusal.OTHER


def allowed_blocks(message: str) -> int | None:
    """How many blocks the message says may be asked for; `None` where it does not say."""
    for pattern, base in ((_RANGE_OFFERED, 16), (_RANGE_NAMED, 10)):
        offered = pattern.search(message)
        if offered:
            first, last = (int(bound, base) for bound in offered.groups())
            return last - first + 1 if last >= first else None
    named = _BLOCKS_NAMED.search(message)
    if named is None:
        return None
    return int(named[1].replace(",", "")) * (1000 if named[2] else 1) or None
