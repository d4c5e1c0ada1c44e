"""What an `Idempotency-Key` stands for: one order of a wallet, one delivery of a receptionist."""

import hashlib
import re
from dataclasses import dataclass, replace

from chalicelib.domain.errors import Refused, invalid

IDEMPOTENCY_SECONDS = 24 * 3600
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{22,128}")


@dataclass(frozen=True, slots=True)
class Reservation:
    """The order id that a wallet's key stands for, until `expires_at` (unix seconds).

    Reserved before the order is made: whoever repeats the request, also after a crash between the
    two, makes or finds the same order. `request_digest` tells a repeat from another request.
    """

    key_hash: str
    order_id: str
    request_digest: str
    expires_at: int
    version: int = 1


def check_key(key: str) -> str:
    """The key itself if it is well formed: 22 base64url characters hold 128 random bits.

    Raises:
        InvalidInput: naming the header.
    """
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise invalid(
            "Idempotency-Key", "pattern", "takes 22 to 128 of A-Z a-z 0-9 _ - (128 random bits)"
        )
    return key


def key_hash(*, owner: str, key: str) -> str:
    """What is stored of a key: hashed, and scoped to its owner (a wallet address, a username)."""
    return hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()


def same_request(reservation: Reservation, request_digest: str) -> None:
    """A key repeats its request word for word.

    Raises:
        Refused: `IDEMPOTENCY_KEY_REUSED`.
    """
    if reservation.request_digest != request_digest:
        raise Refused(
            "This Idempotency-Key was used for another request.", code="IDEMPOTENCY_KEY_REUSED"
        )


def renewed(reservation: Reservation, fresh: Reservation) -> Reservation:
    """A reservation whose time has run out gives way to a fresh one under the same key."""
    return replace(fresh, version=reservation.version + 1)
