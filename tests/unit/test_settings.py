"""Settings: validated whole, every problem told at once, never a value."""

import base64
import traceback

import pytest
from pydantic import ValidationError

from chalicelib.settings import (
    ApiSettings,
    CommonSettings,
    ListenerSettings,
    SettingsError,
    StoreSettings,
    load,
)
from tests.fakes import CONTRACT

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
COMMON = {
    "STORE": "sql",
    "DATABASE_URL": "postgresql+psycopg://user:hunter2@db/vouchers",
    "CHAIN_ID": "97",
    "CONTRACT_ADDRESS": CONTRACT.lower(),
}
API = COMMON | {"DATA_KEYS": f"k1:{KEY}", "PORTAL_ORIGIN": "https://vouchers.example.com"}
LISTENER = COMMON | {"RPC_URLS": "https://rpc.example/secret-path", "DEPLOY_BLOCK": "0"}


def _problems(kind: type[StoreSettings], environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(kind, environ)
    return refused.value.problems


def _names(problems: list[str]) -> set[str]:
    return {problem.partition(":")[0] for problem in problems}


def test_the_least_that_is_needed_suffices() -> None:
    api = load(ApiSettings, API)
    assert api.CONTRACT_ADDRESS == CONTRACT
    assert (("k1", bytes(range(32))),) == api.DATA_KEYS
    assert (api.finality.confirmations, api.finality.fallback_blocks) == (3, 240)
    assert api.SITES_ENFORCED is True
    assert load(ListenerSettings, LISTENER).RPC_URLS == ("https://rpc.example/secret-path",)
    assert (
        load(StoreSettings, {"STORE": "dynamodb", "DYNAMODB_TABLE": "tab"}).DYNAMODB_TABLE == "tab"
    )


def test_blanks_do_not_count_and_lists_are_split() -> None:
    api = load(
        ApiSettings,
        API
        | {
            "CORS_ORIGINS": " https://a.example/ , http://127.0.0.1:8080,, ",
            "BRAND_NAME": "  ",
            "EXPLORER_URL": "",
            "DATA_KEYS": f"k2:{OTHER_KEY}, k1:{KEY}",
            "SITES_ENFORCED": "false",
            "NOT_OURS": "x",
        },
    )
    assert api.CORS_ORIGINS == ("https://a.example", "http://127.0.0.1:8080")
    assert api.BRAND_NAME == "5SOffice"
    assert [key_id for key_id, _ in api.DATA_KEYS] == ["k2", "k1"]
    assert api.SITES_ENFORCED is False


@pytest.mark.parametrize(
    ("chain_id", "given", "shown"),
    [
        ("97", "", "https://www.bnbchain.org/en/testnet-faucet"),
        ("97", "https://faucet.example/bnb", "https://faucet.example/bnb"),
        ("56", "", ""),
        ("56", "https://gas.example", "https://gas.example"),
        ("31337", "", ""),
    ],
)
def test_gas_is_to_be_had_at_the_faucet_on_the_testnet_alone(
    chain_id: str, given: str, shown: str
) -> None:
    api = load(ApiSettings, API | {"CHAIN_ID": chain_id, "GAS_HELP_URL": given})
    assert api.gas_help_url == shown


def test_settings_cannot_change() -> None:
    api = load(ApiSettings, API)
    with pytest.raises(ValidationError):
        api.CHAIN_ID = 1


def test_nothing_given_names_everything_that_is_needed() -> None:
    assert sorted(_problems(ApiSettings, {})) == [
        "CHAIN_ID: is required",
        "CONTRACT_ADDRESS: is required",
        "DATA_KEYS: is required",
        "PORTAL_ORIGIN: is required",
        "STORE: is required",
    ]
    assert _names(_problems(ListenerSettings, {})) == {
        "CHAIN_ID",
        "CONTRACT_ADDRESS",
        "DEPLOY_BLOCK",
        "RPC_URLS",
        "STORE",
    }


def test_what_the_store_needs_is_told_together_with_the_rest() -> None:
    assert _problems(CommonSettings, {"STORE": "dynamodb", "CHAIN_ID": "x"}) == [
        "CHAIN_ID: Input should be a valid integer, unable to parse string as an integer",
        "CONTRACT_ADDRESS: is required",
        "DYNAMODB_TABLE: is required with STORE=dynamodb",
    ]
    assert _problems(StoreSettings, {"STORE": "sql"}) == [
        "DATABASE_URL: is required with STORE=sql"
    ]


WRONG = {
    "STORE": "s3cret",
    "DYNAMODB_ENDPOINT": "s3cret",
    "CHAIN_ID": "0",
    "CONTRACT_ADDRESS": "0xs3cret",
    "CONFIRMATIONS": "0",
    "FINALITY_FALLBACK_BLOCKS": "-1",
    "LOG_LEVEL": "s3cret",
    "DATA_KEYS": f"s3cret:{KEY[:-4]}",
    "PORTAL_ORIGIN": "https://s3cret.example/path",
    "CORS_ORIGINS": "https://good.example,s3cret",
    "EXPLORER_URL": "javascript:s3cret",
    "PUBLIC_RPC_URLS": "wss://s3cret",
    "GAS_HELP_URL": "http://s3cret.example/faucet",
    "SITES_ENFORCED": "s3cret",
    "ORDER_TTL_SECONDS": "604800",
    "ORDERS_PER_MINUTE_WALLET": "0",
    "ORDERS_PER_MINUTE_IP": "1.5",
    "LOGINS_PER_MINUTE_IP": "s3cret",
    "TRUSTED_PROXY_HOPS": "6",
    "READY_MAX_LAG_SECONDS": "0",
}
WRONG_FOR_LISTENER = {
    "RPC_URLS": "ftp://s3cret",
    "DEPLOY_BLOCK": "-1",
    "POLL_SECONDS": "nan",
    "MAX_BLOCK_RANGE": "0",
    "RPC_TIMEOUT_SECONDS": "inf",
    "RPC_QUORUM": "0",
    "RECONCILE_SECONDS": "-1",
}


def test_every_wrong_value_is_told_at_once_and_none_is_shown() -> None:
    for kind, wrong in (
        (ApiSettings, WRONG),
        (ListenerSettings, WRONG_FOR_LISTENER | {"STORE": "s3cret"}),
    ):
        with pytest.raises(SettingsError) as refused:
            load(kind, API | LISTENER | wrong)
        assert _names(refused.value.problems) == set(wrong)
        assert len(refused.value.problems) == len(wrong)
        told = "".join(traceback.format_exception(refused.value))
        for secret in ("s3cret", KEY[:-4], "hunter2", "secret-path"):
            assert secret not in told


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"RPC_URLS": ""}, "RPC_URLS: is required"),
        ({"RPC_URLS": " , "}, "RPC_URLS: Tuple should have at least 1 item"),
        ({"RPC_URLS": "https://a.example,https://a.example/"}, "RPC_URLS: must name each endpoint"),
        ({"CONFIRMATIONS": "-1"}, "CONFIRMATIONS: Input should be greater than or equal to 1"),
        ({"DEPLOY_BLOCK": "-1"}, "DEPLOY_BLOCK: Input should be greater than or equal to 0"),
        (
            {"LEASE_SECONDS": "10"},
            "LEASE_SECONDS: must be more than RPC_TIMEOUT_SECONDS, which is 10",
        ),
        (
            {"RPC_TIMEOUT_SECONDS": "30"},
            "LEASE_SECONDS: must be more than RPC_TIMEOUT_SECONDS, which is 30",
        ),
        ({"RPC_QUORUM": "0"}, "RPC_QUORUM: Input should be greater than or equal to 1"),
        (
            {"RPC_QUORUM": "2"},
            "RPC_QUORUM: must be at most 1, the number of RPC_URLS; lower it or name more",
        ),
    ],
    ids=lambda one: "-".join(one) + "=" + ",".join(one.values()) if isinstance(one, dict) else "",
)
def test_a_listener_does_not_start_on_bad_configuration(
    given: dict[str, str], problem: str
) -> None:
    (told,) = _problems(ListenerSettings, LISTENER | given)
    assert told.startswith(problem)


@pytest.mark.parametrize(
    ("urls", "given", "quorum"),
    [
        ("https://a.example", "", 1),
        ("https://a.example,https://b.example", "", 2),
        ("https://a.example,https://b.example,https://c.example", "", 2),
        ("https://a.example,https://b.example", "1", 1),
        ("https://a.example,https://b.example,https://c.example", "3", 3),
    ],
)
def test_two_endpoints_must_agree_where_there_are_two(urls: str, given: str, quorum: int) -> None:
    settings = load(ListenerSettings, LISTENER | {"RPC_URLS": urls, "RPC_QUORUM": given})
    assert settings.quorum == quorum


def test_settings_do_not_show_what_is_secret() -> None:
    api = load(ApiSettings, API)
    listener = load(ListenerSettings, LISTENER)
    for shown in (repr(api), str(api), repr(listener), str(listener)):
        assert "hunter2" not in shown
        assert "secret-path" not in shown
        assert repr(bytes(range(32))) not in shown
        assert "CHAIN_ID=97" in shown


@pytest.mark.parametrize("name", ["ab", "a" * 256, "a/b", "a b", "bảng"])
def test_a_table_has_a_name_that_dynamodb_takes(name: str) -> None:
    told = _problems(StoreSettings, {"STORE": "dynamodb", "DYNAMODB_TABLE": name})
    assert told == ["DYNAMODB_TABLE: must be 3 to 255 of a-z A-Z 0-9 _ . -"]


@pytest.mark.parametrize(
    "ring",
    [
        KEY,
        f":{KEY}",
        "k1:",
        "k1",
        f"k1:{KEY},",
        "k1:" + base64.b64encode(bytes(31)).decode(),
        "k1:" + base64.b64encode(bytes(33)).decode(),
        f"k1:{KEY[:10]} {KEY[10:]}",
        "k1:khóa" + KEY,
        f"k1:{KEY},k2:short",
    ],
)
def test_a_malformed_key_is_told_with_the_form_it_takes(ring: str) -> None:
    (problem,) = _problems(ApiSettings, API | {"DATA_KEYS": ring})
    assert problem.startswith("DATA_KEYS: each key is written id:base64 of 32 bytes")


def test_two_keys_need_two_names() -> None:
    ring = f"k1:{KEY},k1:{OTHER_KEY}"
    assert _problems(ApiSettings, API | {"DATA_KEYS": ring}) == ["DATA_KEYS: key ids must differ"]


@pytest.mark.parametrize(
    "origin",
    [
        "vouchers.example.com",
        "https://",
        "https://vouchers.example.com/portal",
        "https://vouchers.example.com?x",
        "https://Vouchers.example.com",
        "https://user@vouchers.example.com",
        "https://vouchers.example.com:port",
        "https://a.example https://b.example",
        "https://a.example\nURI: https://evil.example",
        "*",
    ],
)
def test_an_origin_is_scheme_host_and_port_alone(origin: str) -> None:
    (problem,) = _problems(ApiSettings, API | {"PORTAL_ORIGIN": origin})
    assert problem.startswith("PORTAL_ORIGIN: must be http:// or https:// followed by host")


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8080", "https://[::1]:8443", "https://a-b.vn"]
)
def test_origins_with_ports_and_literal_addresses_are_taken(origin: str) -> None:
    assert origin == load(ApiSettings, API | {"PORTAL_ORIGIN": origin + "/"}).PORTAL_ORIGIN


@pytest.mark.parametrize("url", ["http://", "https:// x", "//host", "rpc.example", "file:///etc"])
def test_a_url_needs_scheme_and_host(url: str) -> None:
    (problem,) = _problems(ListenerSettings, LISTENER | {"RPC_URLS": url})
    assert problem.startswith("RPC_URLS: must be http:// or https://")


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://::1]:8545",
        "https://[host]/s3cret",
        "http://:8545",
        "https://user@/path",
        "http://host:port",
        "http://host:65536/s3cret",
    ],
)
def test_a_urls_host_and_port_are_well_formed(url: str) -> None:
    (problem,) = _problems(ListenerSettings, LISTENER | {"RPC_URLS": f"https://good.example,{url}"})
    assert problem == "RPC_URLS: must name a host, and a port from 1 to 65535 where it names one"


@pytest.mark.parametrize("url", ["http://[::1]:8545", "https://u:p@rpc.example:443/v2/key?a=b"])
def test_urls_with_literal_addresses_ports_and_keys_are_taken(url: str) -> None:
    assert (url,) == load(ListenerSettings, LISTENER | {"RPC_URLS": url}).RPC_URLS


def test_a_wrong_checksum_is_told_in_words() -> None:
    wrong = CONTRACT[:-1] + CONTRACT[-1].swapcase() if CONTRACT[-1].isalpha() else None
    wrong = wrong or CONTRACT.replace("F", "f", 1)
    assert _problems(CommonSettings, COMMON | {"CONTRACT_ADDRESS": wrong}) == [
        "CONTRACT_ADDRESS: has a wrong EIP-55 checksum; copy it again"
    ]
