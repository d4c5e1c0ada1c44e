"""Drives one redemption through a running stack: mint, order, burn, VALID, delivered, once.

Everything goes over HTTP and the chain, as portal, wallet and console would do it.
`python -m ops.redeem_once [STATE_FILE]` does it on the stack that `make demo` runs.
"""

import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click
import httpx

from ops.deploy_local import LocalChain, NotLocal, Reverted

TOKEN_ID = 1001
AMOUNT = 1
POLL_SECONDS = 0.2
VALID_SECONDS = 60.0


class RedemptionFailed(Exception):
    """A step did not come out as it must."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `POST /orders` answered: the secret id, and what `redeemOrder` takes."""

    order_id: str
    order_hash: str
    terms: Mapping[str, Any]


class Wallets:
    """The stack's own keys at work on its chain, which has to be a local one."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self._chain = LocalChain(stack["rpcUrl"])
        self._contract = stack["contractAddress"]
        self._wallets = {one["role"]: one for one in reversed(stack["wallets"])}

    @property
    def customer(self) -> str:
        """The first customer's address."""
        return str(self._wallets["customer"]["address"])

    def mint(self) -> None:
        """One voucher for the customer."""
        key = self._wallets["minter"]["privateKey"]
        self._chain.mint(key, self._contract, to=self.customer, vouchers={TOKEN_ID: AMOUNT})

    def burn(self, order: Order) -> str:
        """The customer redeems with exactly what the API answered; the transaction's hash."""
        functions = self._chain.contract(self._contract).functions
        call = functions.redeemOrder(order.terms, order.order_hash)
        receipt = self._chain.send(self._wallets["customer"]["privateKey"], call)
        return receipt["transactionHash"].to_0x_hex()


class Desk:
    """Customer and reception at the API."""

    def __init__(self, api_url: str) -> None:
        self._http = httpx.Client(base_url=api_url, timeout=10.0, trust_env=False)
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def place_order(self, customer: str, site_id: str) -> Order:
        """A fresh order of one voucher."""
        answer = self._call(
            "POST",
            "/orders",
            expect=201,
            headers={"Idempotency-Key": secrets.token_urlsafe(24)},
            json={
                "customerAddress": customer,
                "tokenId": TOKEN_ID,
                "amount": AMOUNT,
                "siteId": site_id,
            },
        )
        return Order(answer["orderId"], answer["orderHash"], answer["order"])

    def hint(self, order: Order, tx_hash: str) -> None:
        """Tell the API where the burn is."""
        path = f"/orders/{order.order_id}/transaction"
        self._call("POST", path, expect=202, json={"txHash": tx_hash})

    def order(self, order: Order) -> dict[str, Any]:
        """The order as its holder sees it."""
        return self._call("GET", f"/orders/{order.order_id}")

    def log_in(self, staff: Mapping[str, Any]) -> None:
        """A receptionist signs in."""
        body = {"username": staff["username"], "password": staff["password"]}
        self._token = self._call("POST", "/auth/login", json=body)["accessToken"]

    def scan(self, order: Order) -> dict[str, Any]:
        """The order as reception sees it."""
        return self._call("GET", f"/reception/orders/{order.order_id}", headers=self._bearer())

    def deliver(self, order: Order) -> dict[str, Any]:
        """Hand over the service."""
        path = f"/orders/{order.order_id}/deliver"
        return self._call("POST", path, headers=self._bearer(), json={"note": "redeem_once"})

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _call(self, method: str, path: str, *, expect: int = 200, **options: Any) -> dict[str, Any]:
        response = self._http.request(method, path, **options)
        if response.status_code != expect:
            raise RedemptionFailed(
                f"{method} {path.split('/')[1]} answered {response.status_code}: {response.text}"
            )
        answer: dict[str, Any] = response.json()
        return answer


def redeem_once(stack: Mapping[str, Any], tell: Callable[[str], None]) -> None:
    """One redemption, until DELIVERED, on the stack that `stack` (a stack.json) describes.

    `tell` is given each step with its time in seconds since the first.

    Raises:
        RedemptionFailed: a step did not come out as it must.
        NotLocal: the stack's chain is not a local one; nothing was done.
        Reverted: the contract refused a transaction.
    """
    began = time.monotonic()

    def step(text: str) -> None:
        tell(f"{time.monotonic() - began:6.2f} s  {text}")

    receptionist = next(one for one in stack["staff"] if one["role"] == "RECEPTION")
    wallets = Wallets(stack)
    with Desk(stack["apiUrl"]) as desk:
        wallets.mint()
        step(f"minted {AMOUNT} of type {TOKEN_ID} to {wallets.customer}")
        order = desk.place_order(wallets.customer, receptionist["sites"][0])
        step(f"ordered at {receptionist['sites'][0]}: CREATED, hash {order.order_hash}")
        burned = wallets.burn(order)
        desk.hint(order, burned)
        step(f"burned in {burned}")
        _wait_valid(desk, order, step)
        desk.log_in(receptionist)
        _deliver_twice(desk, order, step)
        status = str(desk.order(order)["status"])
    _must(status == "DELIVERED", f"the order must end DELIVERED, not {status}")


def _deliver_twice(desk: Desk, order: Order, step: Callable[[str], None]) -> None:
    seen = desk.scan(order)
    _must(seen["deliverable"] is True, f"reception must deliver it, but: {seen['reason']}")
    step("reception sees: deliverable")
    first = desk.deliver(order)
    _must(first["alreadyDelivered"] is False, "the first delivery must be the first")
    step(f"delivered at {first['deliveredAt']} by {first['deliveredBy']}: {first['status']}")
    second = desk.deliver(order)
    _must(second["alreadyDelivered"] is True, "a second delivery must be refused as a repeat")
    _must(second["deliveredAt"] == first["deliveredAt"], "the first delivery must stand")
    step("a second delivery is told: already delivered")


def _wait_valid(desk: Desk, order: Order, step: Callable[[str], None]) -> None:
    deadline = time.monotonic() + VALID_SECONDS
    told = ""
    while time.monotonic() < deadline:
        view = desk.order(order)
        chain = view.get("chain") or {}
        now = str(view["status"])
        if chain and now == "PENDING_CHAIN":
            now += f", {chain['confirmations']} of {chain['required']} confirmations"
        if now != told:
            step(now)
            told = now
        if view["status"] == "VALID":
            return
        time.sleep(POLL_SECONDS)
    raise RedemptionFailed(f"the order is still {told} after {VALID_SECONDS:.0f} s")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RedemptionFailed(otherwise)


@click.command()
@click.argument(
    "state_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path(".local/stack.json"),
)
def main(state_file: Path) -> None:
    """Drive one redemption through the running stack of STATE_FILE (default .local/stack.json)."""
    try:
        redeem_once(json.loads(state_file.read_text("utf-8")), click.echo)
    except (NotLocal, RedemptionFailed, Reverted) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
