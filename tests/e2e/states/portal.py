"""The portal's states."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.e2e.states import state
from tests.e2e.steps import MEETING_ROOM, expect_stage
from tests.e2e.wallet import pending
from tests.e2e.world import World


@state("portal", "no-wallet", core=True)
def no_wallet(world: World) -> Iterator[Page]:
    """No wallet in this browser."""
    page = world.portal()
    expect(page.get_by_test_id("no-wallet")).to_be_visible()
    yield page


@state("portal", "wrong-network", core=True)
def wrong_network(world: World) -> Iterator[Page]:
    """The wallet is on another chain."""
    page = world.connected(world.wallet(chain_id=1))
    expect(page.get_by_test_id("wrong-network")).to_be_visible()
    yield page


@state("portal", "confirming")
def confirming(world: World) -> Iterator[Page]:
    """The burn is on the chain and counts its confirmations."""
    wallet = world.wallet({MEETING_ROOM: 3})
    page = world.connected(wallet)
    wallet.next("eth_sendTransaction", pending())
    page.get_by_test_id(f"voucher-{MEETING_ROOM}").click()
    page.get_by_test_id(f"site-{world.site}").check()
    page.get_by_test_id("redeem").click()
    expect_stage(page, "signing")
    with world.chain.frozen():
        world.release(page, wallet)
        expect_stage(page, "submitted")
        world.chain.mine(2)
        expect(page.get_by_test_id("confirmations")).to_contain_text("2")
        yield page
