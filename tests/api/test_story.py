"""One redemption's story, read from the logs of API and listener by its order hash alone."""

import io
import json
from contextlib import redirect_stdout
from typing import Any

from chalicelib.adapters.telemetry import PowertoolsTelemetry
from tests.api.harness import Api
from tests.fakes import (
    FixedClock,
    RecordingTelemetry,
    a_catalogue,
    a_site,
    a_staff,
    stored,
)
from tests.unit.fake_chain import GENESIS_TIME
from tests.unit.test_scan import CrashingStore, FakeTelemetry, World

PREFIX = "/api/v1"


class ApiLog(RecordingTelemetry):
    """Kept, and written as production does."""

    def __init__(self) -> None:
        super().__init__()
        self._log = PowertoolsTelemetry("api-story")

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """Keep and write."""
        super().event(name, **fields)
        self._log.event(name, **fields)


class ListenerLog(FakeTelemetry):
    """Kept, and written as production does."""

    def __init__(self) -> None:
        super().__init__()
        self._log = PowertoolsTelemetry("listener-story")

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        super().event(name, **fields)
        self._log.event(name, **fields)


def chapter(line: dict[str, Any]) -> tuple[object, ...]:
    """What a line of the log says happened."""
    if line["message"] == "request":
        return line["method"], line["route"].removeprefix(PREFIX), line["status"]
    return line["message"], line["serial"], line["block"], line["outcome"]


def test_one_order_hash_tells_the_story_from_order_to_delivery() -> None:
    printed = io.StringIO()
    store = CrashingStore()
    stored(store, a_catalogue(), a_site(), a_staff())
    with redirect_stdout(printed):
        world = World(store=store, telemetry=ListenerLog())
        world.chain.mine_empty(3)
        with Api(store=store, clock=FixedClock(GENESIS_TIME + 4), telemetry=ApiLog()) as api:
            made = api.place().json()
            # Another order's story runs beside it.
            api.place(key="another-key-of-22-characters")
            order = store.order(made["orderId"])
            assert order is not None
            redeem = world.chain.redeem(order)
            api.call(
                "POST",
                f"/orders/{order.order_id}/transaction",
                json_body={"txHash": redeem.tx_hash},
            )
            block = world.chain.mine(redeem).number
            world.scan()
            world.chain.mine_empty(3)
            world.scan()
            token = api.log_in()
            path = f"/orders/{order.order_id}/deliver"
            assert api.call("POST", path, token=token, json_body={}).status_code == 200

    lines = [json.loads(line) for line in printed.getvalue().splitlines()]
    story = [line for line in lines if line.get("orderHash") == order.order_hash]
    assert [chapter(line) for line in story] == [
        ("POST", "/orders", 201),
        ("POST", "/orders/{orderId}/transaction", 202),
        ("burn_seen", 1, block, "MATCHED"),
        ("burn_final", 1, block, "MATCHED"),
        ("POST", "/orders/{orderId}/deliver", 200),
    ]
    assert [line["timestamp"] for line in story] == sorted(line["timestamp"] for line in story)
    assert all(line["requestId"] for line in story)
    assert order.order_id not in printed.getvalue()
