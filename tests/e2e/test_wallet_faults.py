"""What wallets refuse and chains do: each ends with the right words and the right count of burns.

The wallet is scripted, the chain is anvil, the rest is the demo as it runs. A reference to
`data-notice` is one to the text of that key in both catalogues.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.states.portal import (
    COLOUR_PRINT,
    ELSEWHERE,
    SEND,
    SWITCH,
    expect_notice,
    expect_screen,
    redeem,
    sent,
)
from tests.e2e.steps import MEETING_ROOM, expect_stage, order_id
from tests.e2e.wallet import (
    Outcome,
    Wallet,
    answer_lost,
    busy,
    disconnected,
    fail,
    insufficient_funds,
    pending,
    reject,
    unknown_chain,
    unknown_chain_nested,
)
from tests.e2e.world import World

pytestmark = pytest.mark.timeout(180)

HELD = 3


def expect_burned(world: World, wallet: Wallet, burns: int, token_id: int = MEETING_ROOM) -> None:
    """So many vouchers were used, and no more."""
    assert world.chain.burns(wallet.address) == burns
    assert world.chain.held(wallet.address, token_id) == HELD - burns


def signs_and_is_ready(page: Page, world: World, wallet: Wallet) -> None:
    """One tap on the order as it stands leads to the code, for one burn in all."""
    before = order_id_kept(page)
    page.get_by_test_id("sign").click()
    expect_stage(page, "ready")
    assert order_id(page) == before
    expect_burned(world, wallet, 1)


def order_id_kept(page: Page) -> str:
    """The one order that this device keeps."""
    (kept,) = page.evaluate("JSON.parse(localStorage.getItem('5sov.orders'))")
    return str(kept["orderId"])


@pytest.fixture
def wallet(world: World) -> Wallet:
    return world.wallet({MEETING_ROOM: HELD})


# ---------------------------------------------------------------- connecting


@pytest.mark.parametrize(
    ("outcome", "key"),
    [
        (reject(), "connect.rejected"),
        pytest.param(busy(), "connect.pending", marks=pytest.mark.slow),
        pytest.param(disconnected(), "problem.wallet", marks=pytest.mark.slow),
    ],
    ids=["rejected", "busy", "disconnected"],
)
def test_connecting_fails_and_is_tried_again(
    world: World, wallet: Wallet, outcome: Outcome, key: str
) -> None:
    page = world.portal(wallet)
    wallet.next("eth_requestAccounts", outcome)
    page.get_by_test_id("connect").click()
    expect_notice(page, key)
    page.get_by_test_id("connect").click()
    expect_screen(page, "vouchers")


@pytest.mark.slow
def test_a_wallet_that_never_answers_is_waited_for(world: World, wallet: Wallet) -> None:
    page = world.portal(wallet)
    wallet.next("eth_requestAccounts", pending())
    page.get_by_test_id("connect").click()
    expect_screen(page, "connecting")
    world.release(page, wallet)
    expect_screen(page, "vouchers")


# ---------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("known", "outcomes"),
    [
        pytest.param({ELSEWHERE, 31337}, [], marks=pytest.mark.slow),
        pytest.param({ELSEWHERE}, [unknown_chain()], marks=pytest.mark.slow),
        ({ELSEWHERE}, [unknown_chain_nested()]),
    ],
    ids=["switched", "added", "added-nested-4902"],
)
def test_the_wrong_network_is_left_with_one_tap(
    world: World, known: set[int], outcomes: list[Outcome]
) -> None:
    wallet = world.wallet({MEETING_ROOM: HELD}, chain_id=ELSEWHERE, known=known)
    page = world.connected(wallet)
    expect_screen(page, "wrong-network")
    wallet.next(SWITCH, *outcomes)
    page.get_by_test_id("switch-network").click()
    expect_screen(page, "vouchers")
    assert wallet.asked("wallet_addEthereumChain") == len(outcomes)
    assert wallet.chain_id == world.chain.chain_id


@pytest.mark.slow
def test_a_refused_switch_is_told_and_can_be_repeated(world: World) -> None:
    wallet = world.wallet({MEETING_ROOM: HELD}, chain_id=ELSEWHERE, known={ELSEWHERE, 31337})
    page = world.connected(wallet)
    wallet.next(SWITCH, reject())
    page.get_by_test_id("switch-network").click()
    expect_notice(page, "network.rejected")
    expect_screen(page, "wrong-network")
    page.get_by_test_id("switch-network").click()
    expect_screen(page, "vouchers")


@pytest.mark.slow
def test_the_network_and_account_changed_in_the_wallet_are_followed(
    world: World, wallet: Wallet
) -> None:
    page = world.connected(wallet)
    expect_screen(page, "vouchers")
    wallet.use_chain(ELSEWHERE)
    world.tell(page)
    expect_screen(page, "wrong-network")
    wallet.use_chain(world.chain.chain_id)
    world.tell(page)
    expect_screen(page, "vouchers")
    wallet.use_account(world.chain.account())
    world.tell(page)
    expect_screen(page, "no-vouchers")
    wallet.leave()
    world.tell(page)
    expect_screen(page, "welcome")


# ---------------------------------------------------------------- signing


@pytest.mark.parametrize(
    ("outcome", "key"),
    [
        (reject(), "problem.rejected"),
        pytest.param(busy(), "problem.pending", marks=pytest.mark.slow),
        pytest.param(insufficient_funds(), "problem.gasUnknown", marks=pytest.mark.slow),
    ],
    ids=["rejected", "busy", "insufficient-funds"],
)
def test_a_refused_signature_keeps_the_order(
    world: World, wallet: Wallet, outcome: Outcome, key: str
) -> None:
    page = world.connected(wallet)
    wallet.next(SEND, outcome)
    redeem(page, world)
    expect_notice(page, key)
    expect_stage(page, "unsigned")
    expect_burned(world, wallet, 0)
    signs_and_is_ready(page, world, wallet)


@pytest.mark.slow
def test_no_coins_for_gas_are_told_before_signing(world: World) -> None:
    wallet = world.wallet({MEETING_ROOM: HELD}, wei=0)
    page = world.connected(wallet)
    redeem(page, world)
    expect_notice(page, "problem.gas")
    expect(page.locator('[data-notice="problem.gas"]')).to_contain_text("0.0")
    assert wallet.asked(SEND) == 0
    world.chain.set_balance(wallet.address, 10**18)
    signs_and_is_ready(page, world, wallet)


# ---------------------------------------------------------------- the contract refuses


@pytest.mark.slow
def test_a_paused_contract_is_told_before_signing(world: World, wallet: Wallet) -> None:
    page = world.connected(wallet)
    world.chain.pause(paused=True)
    try:
        redeem(page, world)
        expect_notice(page, "revert.EnforcedPause")
    finally:
        world.chain.pause(paused=False)
    assert wallet.asked(SEND) == 0
    signs_and_is_ready(page, world, wallet)


@pytest.mark.slow
def test_a_disabled_type_is_told_before_signing(world: World) -> None:
    wallet = world.wallet({COLOUR_PRINT: HELD})
    page = world.connected(wallet)
    world.chain.enable_type(COLOUR_PRINT, enabled=False)
    try:
        redeem(page, world, COLOUR_PRINT)
        expect_notice(page, "revert.VoucherTypeDisabled")
    finally:
        world.chain.enable_type(COLOUR_PRINT, enabled=True)
    assert wallet.asked(SEND) == 0
    expect_burned(world, wallet, 0, COLOUR_PRINT)


@pytest.mark.slow
def test_an_order_burned_elsewhere_is_not_burned_again(world: World, wallet: Wallet) -> None:
    page = world.connected(wallet)
    wallet.next(SEND, reject())
    redeem(page, world)
    expect_notice(page, "problem.rejected")
    view = world.api("GET", f"/orders/{order_id_kept(page)}")
    call = world.chain.redemption(view["order"], view["orderHash"])
    with world.chain.frozen():
        world.chain.send_raw(wallet.account, call["to"], call["data"])
        world.chain.mine()
        page.get_by_test_id("sign").click()
        expect(page.get_by_test_id("sign")).to_be_hidden()
    expect_stage(page, "ready")
    assert wallet.asked(SEND) == 1
    expect_burned(world, wallet, 1)


# ---------------------------------------------------------------- after it was sent


def test_a_transaction_sped_up_in_the_wallet_is_followed(world: World, wallet: Wallet) -> None:
    with sent(world, wallet) as (page, _):
        wallet.speed_up(wallet.sent[0])
        world.chain.mine()
        expect_notice(page, "tx.spedUp")
    expect_stage(page, "ready")
    assert wallet.asked(SEND) == 1
    expect_burned(world, wallet, 1)


@pytest.mark.slow
def test_a_transaction_cancelled_in_the_wallet_can_be_signed_again(
    world: World, wallet: Wallet
) -> None:
    with sent(world, wallet) as (page, _):
        wallet.cancel(wallet.sent[0])
        world.chain.mine()
        expect_notice(page, "tx.cancelled")
        expect_stage(page, "unsigned")
        expect_burned(world, wallet, 0)
    signs_and_is_ready(page, world, wallet)


@pytest.mark.slow
def test_a_dropped_transaction_can_be_signed_again(world: World, wallet: Wallet) -> None:
    with sent(world, wallet) as (page, _):
        world.chain.drop(wallet.sent[0])
        expect_notice(page, "tx.dropped")
        expect_stage(page, "unsigned")
        expect_burned(world, wallet, 0)
    signs_and_is_ready(page, world, wallet)


@pytest.mark.slow
def test_a_dropped_transaction_that_comes_back_burns_once(world: World, wallet: Wallet) -> None:
    with sent(world, wallet) as (page, _):
        world.chain.drop(wallet.sent[0])
        expect_stage(page, "unsigned")
        wallet.send_again(wallet.sent[0])
    expect_stage(page, "ready")
    expect_burned(world, wallet, 1)


@pytest.mark.slow
def test_a_transaction_that_reverts_on_the_chain_used_nothing(world: World) -> None:
    wallet = world.wallet({COLOUR_PRINT: HELD})
    page = world.connected(wallet)
    with world.chain.frozen():
        redeem(page, world, COLOUR_PRINT)
        expect_stage(page, "submitted")
        world.chain.enable_type(COLOUR_PRINT, enabled=False)
        try:
            expect_notice(page, "tx.reverted")
        finally:
            world.chain.enable_type(COLOUR_PRINT, enabled=True)
        expect_stage(page, "unsigned")
        expect_burned(world, wallet, 0, COLOUR_PRINT)
    page.get_by_test_id("sign").click()
    expect_stage(page, "ready")
    expect_burned(world, wallet, 1, COLOUR_PRINT)


@pytest.mark.slow
def test_a_burn_that_the_chain_takes_back_comes_again(world: World, wallet: Wallet) -> None:
    with sent(world, wallet) as (page, _):
        world.chain.mine()
        expect_stage(page, "confirming")
        world.chain.reorg(1)
        expect_burned(world, wallet, 0)
        world.chain.mine()
        expect_stage(page, "reorged")
        wallet.send_again(wallet.sent[0])
        world.chain.mine()
        expect_stage(page, "confirming")
    expect_stage(page, "ready")
    assert wallet.asked(SEND) == 1
    expect_burned(world, wallet, 1)


@pytest.mark.parametrize(
    "outcome",
    [
        answer_lost(),
        pytest.param(fail(-32603, "The wallet did not answer."), marks=pytest.mark.slow),
    ],
    ids=["sent", "not-sent"],
)
def test_a_lost_answer_is_looked_up_on_the_chain(
    world: World, wallet: Wallet, outcome: Outcome
) -> None:
    page = world.connected(wallet)
    with world.chain.frozen():
        wallet.next(SEND, outcome)
        redeem(page, world)
        expect_stage(page, "looking")
        expect(page.get_by_test_id("sign")).to_be_hidden()
        expect_burned(world, wallet, 0)
    if wallet.sent:
        expect_stage(page, "ready")
        expect_burned(world, wallet, 1)
    else:
        expect_stage(page, "unsigned")
        signs_and_is_ready(page, world, wallet)
    assert len(wallet.sent) == 1
