"""The scripted wallet, the API's faults and devices do what tests rely on them for."""

import json
import secrets
import time
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import Browser, Page, expect

from tests.e2e.faults import (
    Held,
    altered,
    answer_dropped,
    gateway_error,
    problem,
    request_dropped,
    slow,
    unauthorised,
)
from tests.e2e.states import show
from tests.e2e.steps import MEETING_ROOM
from tests.e2e.wallet import pending, reject, unknown_chain_nested
from tests.e2e.world import DESKTOP, PHONE, World

pytestmark = pytest.mark.timeout(120)

ASK = """
([method, params]) => new Promise((resolve) => {
  window.addEventListener("eip6963:announceProvider", ({ detail }) => {
    globalThis.heard ??= [];
    detail.provider.on("chainChanged", (chain) => heard.push(chain));
    detail.provider.request({ method, params }).then(
      (result) => resolve({ result }),
      ({ code, message, data }) => resolve({ code, message, data }),
    );
  }, { once: true });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
})
"""
FETCH = """
([url, options]) => fetch(url, options).then(
  async (answer) => ({ status: answer.status, text: await answer.text() }),
  () => ({ status: 0, text: "" }),
)
"""
TYPED = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}],
        "Cancel": [{"name": "orderId", "type": "string"}],
    },
    "primaryType": "Cancel",
    "domain": {"name": "5SOffice Vouchers"},
    "message": {"orderId": "ORD_1"},
}


def ask(page: Page, method: str, *params: Any) -> Any:
    return page.evaluate(ASK, [method, list(params)])


def test_the_wallet_signs_for_real(world: World) -> None:
    wallet = world.wallet()
    page = world.connected(wallet)
    message = encode_defunct(text="Sign in")
    signed = ask(page, "personal_sign", "0x" + b"Sign in".hex(), wallet.address)["result"]
    assert Account.recover_message(message, signature=signed) == wallet.address
    typed = ask(page, "eth_signTypedData_v4", wallet.address, json.dumps(TYPED))["result"]
    signable = encode_typed_data(full_message=TYPED)
    assert Account.recover_message(signable, signature=typed) == wallet.address
    assert ask(page, "personal_sign", "0x00", world.chain.account().address)["code"] == 4100


def test_the_wallet_does_as_it_is_told(world: World) -> None:
    wallet = world.wallet(known={1})
    page = world.portal(wallet)
    wallet.next("eth_requestAccounts", reject(), pending())
    assert ask(page, "eth_requestAccounts")["code"] == 4001
    page.evaluate(f"call => {{ window.waits = ({ASK})(call) }}", ["eth_requestAccounts", []])
    world.release(page, wallet)
    assert page.evaluate("window.waits") == {"result": [wallet.address]}
    wallet.next("wallet_switchEthereumChain", unknown_chain_nested())
    nested = ask(page, "wallet_switchEthereumChain", {"chainId": "0x1"})
    assert (nested["code"], nested["data"]["originalError"]["code"]) == (-32603, 4902)
    assert ask(page, "wallet_switchEthereumChain", {"chainId": "0x38"})["code"] == 4902
    page.evaluate("globalThis.heard = []")
    assert ask(page, "wallet_switchEthereumChain", {"chainId": "0x1"}) == {"result": None}
    assert page.evaluate("heard.at(-1)") == "0x1"
    assert ask(page, "eth_call", {"to": world.chain.contract_address}, "latest")["result"] == "0x"
    assert ask(page, "eth_sign", wallet.address, "0x00")["code"] == 4200


def test_transactions_are_replaced_and_dropped(world: World) -> None:
    wallet = world.wallet()
    page = world.connected(wallet)
    call = {"from": wallet.address, "to": wallet.address, "data": "0x"}
    with world.chain.frozen():
        first = ask(page, "eth_sendTransaction", call)["result"]
        faster = wallet.speed_up(first)
        world.chain.mine()
        receipts = [world.chain.rpc("eth_getTransactionReceipt", one) for one in (first, faster)]
        assert [bool(receipt) for receipt in receipts] == [False, True]
        second = ask(page, "eth_sendTransaction", call)["result"]
        world.chain.drop(second)
        world.chain.mine()
        assert world.chain.rpc("eth_getTransactionReceipt", second) is None
        wallet.send_again(second)
        world.chain.mine()
        assert world.chain.rpc("eth_getTransactionReceipt", second)["status"] == "0x1"


@pytest.fixture
def page(world: World) -> Page:
    """The portal, after its own requests at the start."""
    page = world.portal()
    expect(page.get_by_test_id("no-wallet")).to_be_visible()
    return page


def fetch(page: Page, world: World, path: str, **options: Any) -> tuple[int, str]:
    answer = page.evaluate(FETCH, [world.stack["apiUrl"] + path, options])
    return answer["status"], answer["text"]


def test_a_dropped_answer_was_processed_and_a_dropped_request_was_not(
    world: World, page: Page
) -> None:
    account = world.chain.account()
    body = {"customerAddress": account.address, "tokenId": MEETING_ROOM, "amount": 1}
    order = {
        "method": "POST",
        "headers": {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)},
        "body": json.dumps(body | {"siteId": world.site}),
    }
    faults = world.faults(page)
    faults.on("POST", "/orders", request_dropped, times=1)
    assert fetch(page, world, "/orders", **order)[0] == 0
    faults.on("POST", "/orders", answer_dropped, times=1)
    assert fetch(page, world, "/orders", **order)[0] == 0
    assert fetch(page, world, "/orders", **order)[0] == 200, "it was made by the lost request"
    assert faults.met() == 2


def test_answers_are_replaced_altered_and_held(world: World, page: Page) -> None:
    faults = world.faults(page)
    faults.on("GET", "/config", gateway_error(), times=1)
    assert fetch(page, world, "/config")[0] == 502
    faults.on("GET", "/con*", problem(503, "UNAVAILABLE", retry_after=3), times=1)
    status, text = fetch(page, world, "/config")
    assert (status, json.loads(text)["code"]) == (503, "UNAVAILABLE")
    faults.on("*", "/**", unauthorised)
    assert [fetch(page, world, "/config")[0] for _ in range(2)] == [401, 401]
    faults.on("GET", "/config", altered(lambda config: config.update(chainId=56)))
    assert json.loads(fetch(page, world, "/config")[1])["chainId"] == 56
    held = Held()
    faults.on("GET", "/config", held)
    call = [f"{world.stack['apiUrl']}/config", {}]
    page.evaluate(f"call => {{ window.held = ({FETCH})(call) }}", call)
    world.until(lambda: len(held) == 1, "the request is held")
    held.let_go()
    assert page.evaluate("window.held")["status"] == 200
    faults.offline()
    faults.lift()
    assert fetch(page, world, "/config")[0] == 200


@pytest.mark.slow
def test_a_slow_answer_takes_ten_seconds(world: World, page: Page) -> None:
    world.faults(page).on("GET", "/health", slow, times=1)
    began = time.monotonic()
    assert fetch(page, world, "/health")[0] == 200
    assert time.monotonic() - began > 9.5


def test_a_page_is_shown_as_the_device_shows_it(browser: Browser) -> None:
    page = browser.new_page(has_touch=True)
    page.set_content("<p>A page</p>")
    for device in (PHONE, DESKTOP, PHONE, DESKTOP):
        show(page, device, "light")
        assert page.evaluate("innerWidth") == device.width
        for query in ("(hover: hover)", "(pointer: fine)"):
            fits = page.evaluate("(query) => matchMedia(query).matches", query)
            assert fits is not device.touch, (device.name, query)
    page.close()
