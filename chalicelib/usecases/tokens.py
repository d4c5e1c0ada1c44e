"""Opaque bearer tokens: `<session id>.<secret>`, 128 and 256 random bits in hexadecimal."""

import re
from dataclasses import dataclass

from chalicelib.domain.errors import Unauthenticated
from chalicelib.ports import Entropy

_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Token:
    """A token in its two halves; only the hash of `secret` is ever stored."""

    session_id: str
    secret: str

    def __str__(self) -> str:
        return f"{self.session_id}.{self.secret}"

    def __repr__(self) -> str:
        return f"Token({self.session_id}.…)"


def new_token(entropy: Entropy) -> tuple[str, Token]:
    """A new session's id and its first token."""
    session_id = entropy.random_bytes(16).hex()
    return session_id, renew_token(session_id, entropy)


def renew_token(session_id: str, entropy: Entropy) -> Token:
    """Another token of the same session."""
    return Token(session_id, entropy.random_bytes(32).hex())


def parse_token(text: str) -> Token:
    """A token's halves.

    Raises:
        Unauthenticated: it is none of ours.
    """
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise Unauthenticated("Sign in, please.")
    return Token(match.group(1), match.group(2))
