"""The example settings: complete, current, and fit to start from."""

import base64
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from chalicelib.settings import ApiSettings, ListenerSettings, SettingsError, load

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
TESTNET = ROOT / ".env.testnet.example"
RUNNER_SETTINGS = {"API_PORT", "PORTAL_PORT", "RECEPTION_PORT"}
SETTINGS = set(ApiSettings.model_fields) | set(ListenerSettings.model_fields)
FILLED_IN = {
    "CONTRACT_ADDRESS": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "DATA_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
    "RPC_URLS": "https://rpc.example.com",
    "DEPLOY_BLOCK": "1",
}


def read(path: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(path).items()}


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(read(EXAMPLE)) == SETTINGS | RUNNER_SETTINGS


def test_the_testnet_example_sets_only_what_exists() -> None:
    assert set(read(TESTNET)) <= SETTINGS | RUNNER_SETTINGS


def test_every_documented_default_is_the_real_one() -> None:
    fields = ApiSettings.model_fields | ListenerSettings.model_fields
    shown = (
        load(ApiSettings, read(EXAMPLE) | FILLED_IN).model_dump()
        | load(ListenerSettings, read(EXAMPLE) | FILLED_IN).model_dump()
    )
    examples = {"EXPLORER_URL", "PUBLIC_RPC_URLS", "DATABASE_URL"}
    wrong = {
        name: (shown[name], field.default)
        for name, field in fields.items()
        if not field.is_required() and name not in examples and shown[name] != field.default
    }
    assert wrong == {}


@pytest.mark.parametrize("path", [EXAMPLE, TESTNET], ids=lambda path: path.name)
def test_what_is_left_empty_is_all_that_has_to_be_filled_in(path: Path) -> None:
    given = read(path)
    for kind in (ApiSettings, ListenerSettings):
        load(kind, given | FILLED_IN)
    with pytest.raises(SettingsError) as refused:
        load(ListenerSettings, given)
    named = {problem.partition(":")[0] for problem in refused.value.problems}
    assert named == {"CONTRACT_ADDRESS", "RPC_URLS", "DEPLOY_BLOCK"}


def test_every_documented_setting_is_explained() -> None:
    for block in re.split(r"\n\s*\n", EXAMPLE.read_text("utf-8")):
        names = re.findall(r"^[A-Z_]+=", block, re.MULTILINE)
        assert not names or re.search(r"^# \w", block, re.MULTILINE), block


def test_the_testnet_example_says_it_was_not_run() -> None:
    assert "Not run here" in TESTNET.read_text("utf-8").splitlines()[0]
    assert read(TESTNET)["CHAIN_ID"] == "97"
