"""Passwords, encryption at rest and signatures, held to independent libraries."""

import base64
import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters
from Crypto.Cipher import AES
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.security import (
    SECP256K1_ORDER,
    AesGcmSealer,
    Argon2Passwords,
    Secp256k1Signatures,
    SystemClock,
    SystemEntropy,
)
from chalicelib.domain.order_hash import personal_digest
from tests.fakes import CUSTOMER, CUSTOMER_KEY, sign_text

ORDER = "ORD_20261121_0000000000000001"
OTHER = "ORD_20261121_0000000000000002"
OLD, NEW = ("2025", bytes(32)), ("2026", bytes(range(32)))
META = {"aiAccount": "khách@example.org", "jobProvider": ""}

signatures = Secp256k1Signatures()


# ------------------------------------------------------------------------------ signatures


@given(text=st.text(max_size=300), secret=st.integers(1, SECP256K1_ORDER - 1))
def test_the_signer_is_who_eth_account_says(text: str, secret: int) -> None:
    account = Account.from_key(secret.to_bytes(32, "big"))
    text = text.encode("utf-8", "ignore").decode()
    signature = sign_text("0x" + account.key.hex(), text)
    digest = personal_digest(text)
    assert signatures.signer(digest, signature) == account.address
    other_digest = personal_digest(text + "!")
    assert signatures.signer(other_digest, signature) != account.address


def test_the_recovery_id_may_be_written_either_way() -> None:
    signature = sign_text(CUSTOMER_KEY, "hello")
    short = signature[:-2] + f"{int(signature[-2:], 16) - 27:02x}"
    for written in (signature, short, signature.upper().replace("0X", "0x")):
        assert signatures.signer(personal_digest("hello"), written) == CUSTOMER


def test_the_other_form_of_a_signature_is_refused() -> None:
    packed = bytes.fromhex(sign_text(CUSTOMER_KEY, "hello")[2:])
    high_s = SECP256K1_ORDER - int.from_bytes(packed[32:64], "big")
    twin = packed[:32] + high_s.to_bytes(32, "big") + bytes([55 - packed[64]])
    assert signatures.signer(personal_digest("hello"), "0x" + twin.hex()) is None


@given(st.binary(min_size=64, max_size=64), st.integers(0, 255))
def test_rubbish_is_nobodys_signature_or_a_strangers(body: bytes, v: int) -> None:
    signer = signatures.signer(personal_digest("x"), "0x" + body.hex() + f"{v:02x}")
    assert signer is None or (v in (0, 1, 27, 28) and signer.startswith("0x"))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "0x",
        "0x" + "00" * 65,
        "0x" + "ff" * 65,
        "0x" + "11" * 64,
        "0x" + "11" * 66,
        "11" * 65,
        "0x" + "zz" * 65,
        "0x" + "11" * 64 + "1d",
        "0x" + "00" * 32 + "11" * 32 + "1b",
    ],
)
def test_what_is_no_signature(signature: str) -> None:
    assert signatures.signer(personal_digest("x"), signature) is None


# ------------------------------------------------------------------------------ encryption


def test_what_is_sealed_opens_under_the_same_order_alone() -> None:
    sealer = AesGcmSealer([NEW])
    sealed = sealer.seal(ORDER, META)
    assert sealer.open(ORDER, sealed) == META
    with pytest.raises(ValueError, match="MAC"):
        sealer.open(OTHER, sealed)


def test_the_format_is_the_documented_one() -> None:
    sealed = AesGcmSealer([NEW]).seal(ORDER, META)
    assert sealed[0] == 4
    assert sealed[1:5] == b"2026"
    cipher = AES.new(NEW[1], AES.MODE_GCM, nonce=sealed[5:17])
    cipher.update(ORDER.encode())
    plain = cipher.decrypt_and_verify(sealed[33:], sealed[17:33])
    assert plain.decode() == '{"aiAccount":"khách@example.org","jobProvider":""}'


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    before = AesGcmSealer([OLD]).seal(ORDER, META)
    rotated = AesGcmSealer([NEW, OLD])
    assert rotated.open(ORDER, before) == META
    assert rotated.seal(ORDER, META)[1:5] == b"2026"
    with pytest.raises(ValueError, match="not in the ring"):
        AesGcmSealer([NEW]).open(ORDER, before)


def test_no_two_seals_are_the_same() -> None:
    sealer = AesGcmSealer([NEW])
    assert len({sealer.seal(ORDER, META) for _ in range(100)}) == 100


@given(st.data())
def test_a_single_changed_bit_is_noticed(data: st.DataObject) -> None:
    sealer = AesGcmSealer([NEW])
    sealed = bytearray(sealer.seal(ORDER, META))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ValueError, match=r"MAC|ring"):
        sealer.open(ORDER, bytes(sealed))


@given(st.binary(max_size=80))
def test_bytes_that_were_never_sealed(rubbish: bytes) -> None:
    with pytest.raises(ValueError, match=r"MAC|ring"):
        AesGcmSealer([NEW]).open(ORDER, rubbish)


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        AesGcmSealer([])


# ------------------------------------------------------------------------------- passwords


def test_passwords_are_argon2id_with_the_recommended_cost() -> None:
    passwords = Argon2Passwords()
    hashed = passwords.hash("correct horse battery")
    parameters = extract_parameters(hashed)
    assert (parameters.type.name, parameters.time_cost) == ("ID", 3)
    assert (parameters.memory_cost, parameters.parallelism) == (65_536, 4)
    assert PasswordHasher().verify(hashed, "correct horse battery")
    assert passwords.verify(hashed, "correct horse battery")
    assert not passwords.verify(hashed, "correct horse batterz")
    assert passwords.hash("correct horse battery") != hashed


def test_nobody_has_the_empty_hash_and_finding_out_takes_as_long() -> None:
    passwords = Argon2Passwords(time_cost=2, memory_kib=8_192, parallelism=1)
    real = passwords.hash("one")
    passwords.verify("", "warm up")

    def fastest(hashed: str) -> float:
        spent = []
        for _ in range(7):
            began = time.thread_time()
            assert not passwords.verify(hashed, "two")
            spent.append(time.thread_time() - began)
        return min(spent)

    assert fastest("") > fastest(real) / 2


@pytest.mark.parametrize("hashed", ["rubbish", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_hash_that_is_none_fits_nothing(hashed: str) -> None:
    assert not Argon2Passwords(time_cost=1, memory_kib=8, parallelism=1).verify(hashed, "x")


# ---------------------------------------------------------------------------- the machine's


def test_entropy_and_clock_are_the_machines() -> None:
    entropy = SystemEntropy()
    drawn = {entropy.random_bytes(16) for _ in range(1000)}
    assert len(drawn) == 1000
    assert {len(one) for one in drawn} == {16}
    assert abs(SystemClock().now() - time.time()) < 2


def test_adapters_may_be_shared_by_threads() -> None:
    sealer, wrong = AesGcmSealer([NEW]), []

    def work(number: int) -> None:
        order, meta = f"ORD_{number}", {"aiAccount": base64.b64encode(bytes([number])).decode()}
        signature = sign_text(CUSTOMER_KEY, order)
        for _ in range(20):
            opened = sealer.open(order, sealer.seal(order, meta))
            signer = signatures.signer(personal_digest(order), signature)
            if (opened, signer) != (meta, CUSTOMER):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
