"""A wallet proves who it is: Sign-In with Ethereum (EIP-4361), plain keys.

The server writes the whole message and accepts no other, so nothing has to be parsed: domain, URI,
chain, nonce and times are right because they are ours.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.errors import Forbidden, Unauthenticated
from chalicelib.domain.order_hash import personal_digest
from chalicelib.domain.staff import (
    NONCE_SECONDS,
    WALLET_SESSION_SECONDS,
    Session,
    SessionKind,
    WalletNonce,
    check_access,
    token_hash,
)
from chalicelib.ports import Conflict, Delete, Entropy, Insert, Signatures, Store
from chalicelib.usecases.tokens import Token, new_token, parse_token

NONCE_BYTES = 16
STATEMENT = "Sign in to see your voucher orders. This costs nothing and moves nothing."

_NONCE_LINE = re.compile(r"^Nonce: ([0-9a-f]{32})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WalletSignedIn:
    """A wallet's session and its only token. `expires_in` in seconds."""

    address: str
    access_token: Token
    expires_in: int


def begin_wallet_sign_in(
    address: str, *, origin: str, chain_id: int, store: Store, entropy: Entropy, now: int
) -> WalletNonce:
    """The message a wallet has to sign within five minutes.

    `address` is checksummed; `origin` is the portal's (`https://host`).
    """
    nonce = entropy.random_bytes(NONCE_BYTES).hex()
    expires_at = now + NONCE_SECONDS
    begun = WalletNonce(
        nonce=nonce,
        address=address,
        message=sign_in_message(
            address=address,
            origin=origin,
            chain_id=chain_id,
            nonce=nonce,
            issued_at=now,
            expires_at=expires_at,
        ),
        expires_at=expires_at,
    )
    store.commit([Insert(begun)])
    return begun


def sign_in_message(
    *, address: str, origin: str, chain_id: int, nonce: str, issued_at: int, expires_at: int
) -> str:
    """The text of EIP-4361 for one sign-in. Times in unix seconds."""
    scheme, _, domain = origin.partition("://")
    return (
        f"{scheme}://{domain} wants you to sign in with your Ethereum account:\n"
        f"{address}\n"
        f"\n"
        f"{STATEMENT}\n"
        f"\n"
        f"URI: {origin}\n"
        f"Version: 1\n"
        f"Chain ID: {chain_id}\n"
        f"Nonce: {nonce}\n"
        f"Issued At: {_rfc3339(issued_at)}\n"
        f"Expiration Time: {_rfc3339(expires_at)}"
    )


def finish_wallet_sign_in(
    message: str,
    signature: str,
    *,
    store: Store,
    signatures: Signatures,
    entropy: Entropy,
    now: int,
) -> WalletSignedIn:
    """A session for the wallet that signed the message; the nonce is spent in the same commit.

    Raises:
        Unauthenticated: `SIGN_IN_REFUSED`: unknown, altered, expired or spent message, or a
            signature that is not the wallet's.
    """
    refused = Unauthenticated(
        "That signature does not sign you in. Begin again.", code="SIGN_IN_REFUSED"
    )
    found = _NONCE_LINE.search(message)
    begun = store.wallet_nonce(found.group(1)) if found else None
    if begun is None or begun.message != message or now >= begun.expires_at:
        raise refused
    if signatures.signer(personal_digest(message), signature) != begun.address:
        raise refused
    session_id, token = new_token(entropy)
    session = Session(
        session_id=session_id,
        kind=SessionKind.WALLET,
        subject=begun.address,
        token_version=0,
        access_hash=token_hash(token.secret),
        access_expires_at=now + WALLET_SESSION_SECONDS,
        refresh_hash="",
        started_at=now,
        expires_at=now + WALLET_SESSION_SECONDS,
    )
    try:
        store.commit([Delete(begun), Insert(session)])
    except Conflict:
        raise refused from None
    return WalletSignedIn(begun.address, token, WALLET_SESSION_SECONDS)


def authenticate_wallet(token: str, *, address: str, store: Store, now: int) -> Session:
    """The session behind a wallet's token, if it is that wallet's.

    Raises:
        Unauthenticated: no live wallet session.
        Forbidden: `FORBIDDEN_WALLET`, the session is another wallet's.
    """
    parsed = parse_token(token)
    session = check_access(
        store.session(parsed.session_id), parsed.secret, kind=SessionKind.WALLET, at=now
    )
    if session.subject != address:
        raise Forbidden("These are another wallet's orders.", code="FORBIDDEN_WALLET")
    return session


def _rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
