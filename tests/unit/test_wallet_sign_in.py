"""Sign-In with Ethereum: the message, its one use, and the session that follows."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.security import Secp256k1Signatures
from chalicelib.domain.errors import Forbidden, Unauthenticated
from chalicelib.domain.order_hash import checksum_address
from chalicelib.domain.staff import SessionKind, WalletNonce
from chalicelib.ports import Signatures, Store
from chalicelib.usecases.wallet_sign_in import (
    WalletSignedIn,
    authenticate_wallet,
    begin_wallet_sign_in,
    finish_wallet_sign_in,
    sign_in_message,
)
from tests.fakes import (
    CHAIN_ID,
    CUSTOMER,
    CUSTOMER_KEY,
    NOW,
    STRANGER,
    STRANGER_KEY,
    CountingEntropy,
    EthAccountSignatures,
    InterruptedStore,
    a_shop,
    sign_text,
)

ORIGIN = "https://vouchers.example.com"
ENTROPY = CountingEntropy("wallet")

# The ABNF of EIP-4361, rule by rule, with the parts of RFC 3986 and RFC 3339 that it names.
_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMS = r"!$&'()*+,;="
_PCHAR = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|%[0-9A-Fa-f]{{2}})"
_SCHEME = r"[A-Za-z][A-Za-z0-9+\-.]*"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|(?:[{_UNRESERVED}{_SUB_DELIMS}]|%[0-9A-Fa-f]{{2}})*)"
_AUTHORITY = rf"(?:(?:[{_UNRESERVED}{_SUB_DELIMS}:]|%[0-9A-Fa-f]{{2}})*@)?{_HOST}(?::[0-9]*)?"
_URI = (
    rf"{_SCHEME}://{_AUTHORITY}(?:/{_PCHAR}*)*"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
)
_DATE_TIME = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
EIP_4361 = re.compile(
    rf"(?:(?P<scheme>{_SCHEME})://)?(?P<domain>{_AUTHORITY})"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9A-Fa-f]{40})\n"
    r"\n"
    rf"(?:(?P<statement>[{_UNRESERVED}:/?#\[\]@{_SUB_DELIMS} ]+)\n)?"
    r"\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: (?P<version>1)\n"
    r"Chain ID: (?P<chain_id>[0-9]+)\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,})\n"
    rf"Issued At: (?P<issued_at>{_DATE_TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{_DATE_TIME}))?"
    rf"(?:\nNot Before: {_DATE_TIME})?"
    rf"(?:\nRequest ID: {_PCHAR}*)?"
    rf"(?:\nResources:(?:\n- {_URI})*)?"
)


def _begin(store: Store, **changes: Any) -> WalletNonce:
    facts: dict[str, Any] = {
        "origin": ORIGIN,
        "chain_id": CHAIN_ID,
        "store": store,
        "entropy": ENTROPY,
        "now": NOW,
    }
    return begin_wallet_sign_in(CUSTOMER, **(facts | changes))


def _finish(store: Store, message: str, signature: str, **changes: Any) -> WalletSignedIn:
    facts: dict[str, Any] = {
        "store": store,
        "signatures": EthAccountSignatures(),
        "entropy": ENTROPY,
        "now": NOW + 10,
    }
    return finish_wallet_sign_in(message, signature, **(facts | changes))


def _refused(store: Store, message: str, signature: str, **changes: Any) -> None:
    with pytest.raises(Unauthenticated) as refused:
        _finish(store, message, signature, **changes)
    assert refused.value.code == "SIGN_IN_REFUSED"


@given(
    address=st.binary(min_size=20, max_size=20).filter(any),
    origin=st.sampled_from(
        [ORIGIN, "http://127.0.0.1:8080", "http://localhost", "https://[::1]:8443"]
    ),
    chain_id=st.integers(1, 2**64),
    nonce=st.binary(min_size=16, max_size=16),
    issued_at=st.integers(0, 253402300000),
)
def test_the_message_is_one_of_eip_4361(
    address: bytes, origin: str, chain_id: int, nonce: bytes, issued_at: int
) -> None:
    wallet = checksum_address("0x" + address.hex())
    message = sign_in_message(
        address=wallet,
        origin=origin,
        chain_id=chain_id,
        nonce=nonce.hex(),
        issued_at=issued_at,
        expires_at=issued_at + 300,
    )
    parsed = EIP_4361.fullmatch(message)
    assert parsed
    assert f"{parsed['scheme']}://{parsed['domain']}" == origin == parsed["uri"]
    assert parsed["address"] == wallet
    assert parsed["statement"]
    assert int(parsed["chain_id"]) == chain_id
    assert parsed["nonce"] == nonce.hex()
    issued, expires = (
        datetime.fromisoformat(parsed[name]) for name in ("issued_at", "expiration_time")
    )
    assert issued == datetime.fromtimestamp(issued_at, UTC)
    assert (expires - issued).total_seconds() == 300


def test_the_grammar_refuses_what_is_not_eip_4361() -> None:
    message = _begin(a_shop()).message
    assert EIP_4361.fullmatch(message)
    for wrong in (
        message + "\n",
        message.replace("Version: 1", "Version: 2"),
        message.replace("\n\nURI", "\nURI"),
        message.replace(CUSTOMER, CUSTOMER[:-1]),
        message.replace("Chain ID", "Chain Id"),
        message.replace("This costs", "This\ncosts"),
        message.replace("Issued At", "Issued"),
    ):
        assert not EIP_4361.fullmatch(wrong)


@pytest.mark.parametrize(
    "signatures", [EthAccountSignatures(), Secp256k1Signatures()], ids=["eth_keys", "adapter"]
)
def test_who_signs_the_message_is_signed_in_for_an_hour(signatures: Signatures) -> None:
    store = a_shop()
    begun = _begin(store)
    assert begun.expires_at == NOW + 300
    signed_in = _finish(
        store, begun.message, sign_text(CUSTOMER_KEY, begun.message), signatures=signatures
    )
    assert (signed_in.address, signed_in.expires_in) == (CUSTOMER, 3600)
    token = str(signed_in.access_token)
    session = authenticate_wallet(token, address=CUSTOMER, store=store, now=NOW + 10 + 3599)
    assert (session.kind, session.subject) == (SessionKind.WALLET, CUSTOMER)
    assert signed_in.access_token.secret not in repr(session) + repr(signed_in)
    with pytest.raises(Unauthenticated):
        authenticate_wallet(token, address=CUSTOMER, store=store, now=NOW + 10 + 3600)


def test_a_message_signs_in_once() -> None:
    store = a_shop()
    begun = _begin(store)
    signature = sign_text(CUSTOMER_KEY, begun.message)
    _finish(store, begun.message, signature)
    _refused(store, begun.message, signature)


def test_of_two_uses_at_once_one_wins() -> None:
    store = a_shop()
    begun = _begin(store)
    signature = sign_text(CUSTOMER_KEY, begun.message)
    winner: list[WalletSignedIn] = []
    racing = InterruptedStore(
        store, before={1: lambda: winner.append(_finish(store, begun.message, signature))}
    )
    _refused(racing, begun.message, signature)
    assert winner[0].address == CUSTOMER


def test_five_minutes_and_no_longer() -> None:
    store = a_shop()
    begun = _begin(store)
    signature = sign_text(CUSTOMER_KEY, begun.message)
    _refused(store, begun.message, signature, now=NOW + 300)
    assert _finish(store, begun.message, signature, now=NOW + 299).address == CUSTOMER


def test_another_wallets_signature_is_refused_and_spends_nothing() -> None:
    store = a_shop()
    begun = _begin(store)
    for signature in (sign_text(STRANGER_KEY, begun.message), "0x", "0x" + "11" * 65):
        _refused(store, begun.message, signature)
    assert _finish(store, begun.message, sign_text(CUSTOMER_KEY, begun.message))


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message.replace(ORIGIN, "https://evil.example"),
        lambda message: message.replace(CUSTOMER, STRANGER),
        lambda message: message.replace("Chain ID: 31337", "Chain ID: 56"),
        lambda message: message.replace("Nonce: ", "Nonce: 0"),
        lambda message: message + "\n",
        lambda message: message.replace("\n", "\r\n"),
        lambda _message: "",
        lambda _message: "Nonce: " + "0" * 32,
    ],
)
def test_an_altered_message_signs_nobody_in(change: Any) -> None:
    store = a_shop()
    altered = change(_begin(store).message)
    _refused(store, altered, sign_text(CUSTOMER_KEY, altered))
    _refused(store, altered, sign_text(STRANGER_KEY, altered))


def test_every_nonce_is_new() -> None:
    store = a_shop()
    assert len({_begin(store).nonce for _ in range(20)}) == 20


def test_a_session_shows_its_own_wallet_only() -> None:
    store = a_shop()
    begun = _begin(store)
    signed_in = _finish(store, begun.message, sign_text(CUSTOMER_KEY, begun.message))
    with pytest.raises(Forbidden) as refused:
        authenticate_wallet(
            str(signed_in.access_token), address=STRANGER, store=store, now=NOW + 10
        )
    assert refused.value.code == "FORBIDDEN_WALLET"
    forged = str(replace(signed_in.access_token, secret="0" * 64))
    for token in (forged, "", "nonsense", forged.upper(), forged + "\n", "x" * 10_000):
        with pytest.raises(Unauthenticated):
            authenticate_wallet(token, address=CUSTOMER, store=store, now=NOW + 10)
