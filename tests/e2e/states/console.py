"""The console's states."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.e2e.faults import answer_dropped
from tests.e2e.states import state
from tests.e2e.steps import MEETING_ROOM, check_code, expect_answer
from tests.e2e.world import World


@state("console", "sign-in", core=True)
def sign_in(world: World) -> Iterator[Page]:
    """Nobody is signed in."""
    page = world.console()
    expect(page.get_by_test_id("username")).to_be_visible()
    yield page


@state("console", "deliverable", core=True)
def deliverable(world: World) -> Iterator[Page]:
    """The burn is final: hand over the service."""
    placed = world.ready(MEETING_ROOM)
    page = world.desk()
    check_code(page, placed.code)
    expect_answer(page, "deliverable")
    yield page


@state("console", "unsure")
def unsure(world: World) -> Iterator[Page]:
    """The delivery was sent, its answer lost, and nobody can be asked."""
    placed = world.ready(MEETING_ROOM)
    page = world.desk()
    check_code(page, placed.code)
    expect_answer(page, "deliverable")
    faults = world.faults(page)
    faults.on("*", "/**", answer_dropped)
    page.get_by_test_id("deliver").click()
    expect_answer(page, "unsure")
    yield page
