"""Passwords, encryption at rest, signatures, randomness and time, by established libraries.

The libraries are imported on use: most requests need none of them, and a cold start pays for each.
"""

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.order_hash import checksum_address, keccak256

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SECP256K1_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
RECOVERY_IDS = {0: 0, 1: 1, 27: 0, 28: 1}

NONCE_BYTES = 12
TAG_BYTES = 16
MAX_KEY_ID_BYTES = 255

_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")


class SystemClock:
    """The host's clock."""

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time())


class SystemEntropy:
    """The operating system's random source."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes fit for secrets."""
        return os.urandom(count)


class Argon2Passwords:
    """argon2id (RFC 9106; the defaults are its second recommended set: 64 MiB, 3 passes)."""

    def __init__(
        self, *, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4
    ) -> None:
        self._time_cost = time_cost
        self._memory_kib = memory_kib
        self._parallelism = parallelism

    def hash(self, password: str) -> str:
        """A salted hash that carries its own parameters."""
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether they fit. An empty hash fits nothing and takes as long as a real one."""
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - see above

        try:
            self._hasher.verify(password_hash or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return True

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # noqa: PLC0415 - see above

        return PasswordHasher(
            time_cost=self._time_cost,
            memory_cost=self._memory_kib,
            parallelism=self._parallelism,
        )

    @cached_property
    def _nobodys(self) -> str:
        """The hash of a password nobody knows."""
        return self._hasher.hash(os.urandom(16).hex())


class AesGcmSealer:
    """AES-256-GCM with a ring of keys: the first encrypts, all decrypt.

    Sealed bytes are: length of the key id (1 byte), key id, nonce (12), tag (16), ciphertext. The
    order id is associated data, so what was sealed for one order does not open under another.
    """

    def __init__(self, ring: Sequence[tuple[str, bytes]]) -> None:
        """`ring` holds (key id, 32-byte key) pairs.

        Raises:
            ValueError: the ring is empty or a key id too long.
        """
        if not ring or any(len(key_id.encode()) > MAX_KEY_ID_BYTES for key_id, _ in ring):
            raise ValueError(f"needs at least one key, key ids of at most {MAX_KEY_ID_BYTES} bytes")
        self._current = ring[0][0].encode()
        self._keys = {key_id.encode(): key for key_id, key in ring}

    def seal(self, order_id: str, meta: Mapping[str, str]) -> bytes:
        """Ciphertext that only opens under the same order id."""
        from Crypto.Cipher import AES  # noqa: PLC0415 - see above

        nonce = os.urandom(NONCE_BYTES)
        cipher = AES.new(self._keys[self._current], AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
        cipher.update(order_id.encode())
        plain = json.dumps(dict(meta), ensure_ascii=False, separators=(",", ":")).encode()
        ciphertext, tag = cipher.encrypt_and_digest(plain)
        return bytes([len(self._current)]) + self._current + nonce + tag + ciphertext

    def open(self, order_id: str, sealed: bytes) -> dict[str, str]:
        """The plain fields.

        Raises:
            ValueError: key, order or bytes do not fit.
        """
        from Crypto.Cipher import AES  # noqa: PLC0415 - see above

        body = 1 + (sealed[0] if sealed else 0)
        key = self._keys.get(sealed[1:body])
        if key is None or len(sealed) < body + NONCE_BYTES + TAG_BYTES:
            raise ValueError("sealed with a key that is not in the ring, or damaged")
        nonce = sealed[body : body + NONCE_BYTES]
        tag = sealed[body + NONCE_BYTES : body + NONCE_BYTES + TAG_BYTES]
        cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
        cipher.update(order_id.encode())
        plain: dict[str, str] = json.loads(
            cipher.decrypt_and_verify(sealed[body + NONCE_BYTES + TAG_BYTES :], tag)
        )
        return plain


class Secp256k1Signatures:
    """Recovers the signer of a 65-byte signature `r ‖ s ‖ v` (v 27, 28, 0 or 1)."""

    def signer(self, digest: bytes, signature: str) -> str | None:
        """Checksummed address of the signer of the 32-byte `digest`; `None` where it is none.

        A signature with a high `s` is refused (EIP-2): each has one form only.
        """
        if not _SIGNATURE.fullmatch(signature):
            return None
        packed = bytes.fromhex(signature[2:])
        recovery_id = RECOVERY_IDS.get(packed[64])
        if recovery_id is None or int.from_bytes(packed[32:64], "big") > SECP256K1_ORDER // 2:
            return None
        from coincurve import PublicKey  # noqa: PLC0415 - see above

        try:
            key = PublicKey.from_signature_and_message(
                packed[:64] + bytes([recovery_id]), digest, hasher=None
            )
            return checksum_address("0x" + keccak256(key.format(compressed=False)[1:])[-20:].hex())
        except (ValueError, InvalidInput):
            return None
