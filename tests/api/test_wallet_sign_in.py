"""Sign-In with Ethereum over HTTP, read by an independent library's view of EIP-4361."""

import re

import httpx
import pytest

from tests.api.harness import PORTAL, Api
from tests.fakes import CHAIN_ID, CUSTOMER, CUSTOMER_KEY, STRANGER_KEY, sign_text


def begin(api: Api, address: str = CUSTOMER) -> str:
    message: str = api.call("POST", "/auth/wallet/nonce", json_body={"address": address}).json()[
        "message"
    ]
    return message


def verify(api: Api, message: str, signature: str) -> httpx.Response:
    return api.call(
        "POST", "/auth/wallet/verify", json_body={"message": message, "signature": signature}
    )


def is_refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (401, "SIGN_IN_REFUSED")


def test_the_message_is_that_of_the_standard(api: Api) -> None:
    message = begin(api)
    # The grammar of EIP-4361, with the parts that this system uses.
    parsed = re.fullmatch(
        r"(?P<scheme>https?)://(?P<domain>[^/?#\s]+) wants you to sign in with your Ethereum"
        r" account:\n(?P<address>0x[0-9a-fA-F]{40})\n\n(?P<statement>[^\n]+)\n\n"
        r"URI: (?P<uri>[^\n]+)\nVersion: 1\nChain ID: (?P<chain>[0-9]+)\n"
        r"Nonce: (?P<nonce>[a-zA-Z0-9]{8,})\n"
        r"Issued At: (?P<issued>[0-9T:-]+Z)\nExpiration Time: (?P<expires>[0-9T:-]+Z)",
        message,
    )
    assert parsed is not None, message
    assert f"{parsed['scheme']}://{parsed['domain']}" == PORTAL == parsed["uri"]
    assert (parsed["address"], int(parsed["chain"])) == (CUSTOMER, CHAIN_ID)
    assert parsed["issued"] == "2026-11-21T10:00:00Z"
    assert parsed["expires"] == "2026-11-21T10:05:00Z"


def test_a_signed_message_is_good_once(api: Api) -> None:
    message = begin(api)
    signature = sign_text(CUSTOMER_KEY, message)
    assert verify(api, message, signature).status_code == 200
    assert is_refused(verify(api, message, signature))


def test_a_message_runs_out_after_five_minutes(api: Api) -> None:
    in_time, too_late = begin(api), begin(api)
    api.clock.advance(299)
    assert verify(api, in_time, sign_text(CUSTOMER_KEY, in_time)).status_code == 200
    api.clock.advance(1)
    assert is_refused(verify(api, too_late, sign_text(CUSTOMER_KEY, too_late)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PORTAL, "https://portal.evil"),
        (f"Chain ID: {CHAIN_ID}", "Chain ID: 56"),
        ("10:05:00Z", "11:05:00Z"),
        ("costs nothing", "costs everything"),
        ("Nonce: ", "Nonce: 0"),
    ],
)
def test_only_the_servers_own_words_are_accepted(api: Api, old: str, new: str) -> None:
    message = begin(api)
    altered = message.replace(old, new)
    assert altered != message
    assert is_refused(verify(api, altered, sign_text(CUSTOMER_KEY, altered)))
    # The refusal spent nothing.
    assert verify(api, message, sign_text(CUSTOMER_KEY, message)).status_code == 200


def test_nobody_signs_for_another_wallet(api: Api) -> None:
    message = begin(api)
    assert is_refused(verify(api, message, sign_text(STRANGER_KEY, message)))
    assert is_refused(verify(api, message, "0x" + "00" * 65))
    assert is_refused(verify(api, message, "0x" + "ff" * 65))


def test_a_message_the_server_never_wrote(api: Api) -> None:
    assert is_refused(verify(api, "hello", sign_text(CUSTOMER_KEY, "hello")))
