"""A chain with many redemptions on it, and the orders they were made for.

The logs are the real contract's, of transactions of many wallets. Building takes minutes, so the
chain is kept in `.local/bench` and served again from there.
"""

import gzip
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import requests
from eth_abi.abi import encode
from eth_account import Account

from chalicelib.domain.order_hash import checksum_address, keccak256
from chalicelib.domain.orders import Order, make_order_id, new_order
from chalicelib.ports import Insert, Store
from ops import anvil
from ops.deploy_local import LocalChain
from ops.onchain.artefact import artefact

CACHE = Path(__file__).resolve().parent.parent / ".local" / "bench"
ADMIN_KEY, MINTER_KEY = anvil.KEYS[:2]
TOKEN_ID = 1001
SITE = "HCM_ROX_T09"
BURNS_PER_WALLET = 10
WALLETS_PER_AIRDROP = 200
AGE_SECONDS = 86_400
"""The chain begins a day before it is built, so that it never runs ahead of the clock."""

ORDER_TO_BURN_SECONDS = 60
ORDER_TTL_SECONDS = 1800
TRAILING_BLOCKS = 3
"""Empty blocks at the end, so that the last burn is final."""

GAS = 200_000
AIRDROP_GAS = 16_000_000
SEED_CHANGES = 50
RPC_SECONDS = 120.0
REDEEM = keccak256(b"redeemAndBurn(uint256,uint256,bytes32)")[:4]


class RpcRefused(Exception):
    """The node answered with an error."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a chain holds: `burns` spread evenly over `blocks`, the first of them at height
    `first_block`; a block each second, `begun_at` (unix seconds) being the time of that first one.
    """

    burns: int
    blocks: int
    contract: str
    deploy_block: int
    first_block: int
    begun_at: int

    @property
    def head(self) -> int:
        """The newest block."""
        return self.first_block + self.blocks - 1 + TRAILING_BLOCKS

    def block_of(self, index: int) -> int:
        """How many blocks after the first the burn with that index (from 0) lies."""
        return index * self.blocks // self.burns

    def order(self, index: int) -> Order:
        """The order that the burn with that index was made for, a minute before."""
        created_at = self.begun_at + self.block_of(index) - ORDER_TO_BURN_SECONDS
        return new_order(
            order_id=make_order_id(created_at=created_at, entropy=_digest("order", index)[:10]),
            customer=wallet(index * 7919 % wallets_of(self.burns)),
            token_id=TOKEN_ID,
            amount=1,
            site_id=SITE,
            created_at=created_at,
            expires_at=created_at + ORDER_TTL_SECONDS,
            request_id="bench",
        )


@dataclass(frozen=True, slots=True)
class BurnChain:
    """A running chain and what is on it."""

    rpc_url: str
    plan: Plan

    def environ(self, rpc_urls: Sequence[str] = ()) -> dict[str, str]:
        """The listener's settings for it, those of the store left out."""
        return {
            "CHAIN_ID": str(anvil.CHAIN_ID),
            "CONTRACT_ADDRESS": self.plan.contract,
            "DEPLOY_BLOCK": str(self.plan.deploy_block),
            "RPC_URLS": ",".join(rpc_urls or [self.rpc_url]),
        }


class Rpc:
    """JSON-RPC in batches."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def __call__(self, *calls: tuple[str, Sequence[Any]]) -> list[Any]:
        """The results of the calls, in their order.

        Raises:
            RpcRefused: one was answered with an error.
        """
        body = [
            {"jsonrpc": "2.0", "id": at, "method": method, "params": list(params)}
            for at, (method, params) in enumerate(calls)
        ]
        answer = self._session.post(
            self._url,
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
            timeout=RPC_SECONDS,
        )
        told = sorted(orjson.loads(answer.content), key=lambda one: int(one["id"]))
        for one in told:
            if "error" in one:
                raise RpcRefused(one["error"])
        return [one["result"] for one in told]

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()


@contextmanager
def burn_chain(burns: int, blocks: int) -> Iterator[BurnChain]:
    """Serve a chain with so many burns from when it answers until the context is left.

    It is built where there is none of that size yet for the contract as it is.
    """
    if not 0 < blocks <= burns:
        raise ValueError("blocks must be at least 1 and at most as many as burns")
    folder = CACHE / f"{burns}-burns-{blocks}-blocks-{_version()}"
    if not (folder / "plan.json").exists():
        _build(folder, burns, blocks)
    plan = Plan(**json.loads((folder / "plan.json").read_text("utf-8")))
    with tempfile.TemporaryDirectory(prefix="vouchers-bench-") as name:
        state = Path(name) / "state.json"
        with gzip.open(folder / "state.json.gz") as packed, state.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        with anvil.start(more=("--load-state", str(state))) as running:
            state.unlink()
            yield BurnChain(running.rpc_url, plan)


def seed(store: Store, plan: Plan) -> None:
    """Place the order of every burn."""
    for start in range(0, plan.burns, SEED_CHANGES):
        indexes = range(start, min(start + SEED_CHANGES, plan.burns))
        store.commit([Insert(plan.order(index)) for index in indexes])


def wallets_of(burns: int) -> int:
    """How many wallets burn."""
    return max(1, burns // BURNS_PER_WALLET)


def wallet(index: int) -> str:
    """The checksummed address of a wallet whose key nobody has."""
    return checksum_address("0x" + _digest("wallet", index)[:20].hex())


def _digest(kind: str, index: int) -> bytes:
    return hashlib.sha256(f"{kind} {index}".encode()).digest()


def _version() -> str:
    """Changes with the contract and with how the chain is built."""
    bytecode = str(artefact()["bytecode"]).encode()
    return hashlib.sha256(bytecode + Path(__file__).read_bytes()).hexdigest()[:12]


def _build(folder: Path, burns: int, blocks: int) -> None:
    began = time.monotonic()
    genesis = int(time.time()) - AGE_SECONDS
    free_gas = ("--timestamp", str(genesis), "--base-fee", "0", "--gas-price", "0")
    with anvil.start(kept_states=128, more=free_gas) as running:
        rpc = Rpc(running.rpc_url)
        plan = _deploy(running.rpc_url, rpc, burns, blocks)
        _burn(rpc, plan)
        (state,) = rpc(("anvil_dumpState", []))
        rpc.close()
    _keep(folder, bytes.fromhex(state[2:]), plan)
    sys.stderr.write(f"{burns} burns on {blocks} blocks in {time.monotonic() - began:.0f} s\n")


def _keep(folder: Path, state: bytes, plan: Plan) -> None:
    """State and plan together or neither: another process may be building the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        fresh = Path(name) / "chain"
        fresh.mkdir()
        (fresh / "state.json.gz").write_bytes(state)
        (fresh / "plan.json").write_text(json.dumps(asdict(plan)), "utf-8")
        # Refused where the other one was faster: then theirs is as good.
        with suppress(OSError):
            fresh.rename(folder)


def _deploy(rpc_url: str, rpc: Rpc, burns: int, blocks: int) -> Plan:
    """The contract, and vouchers for every wallet."""
    chain = LocalChain(rpc_url)
    minter = Account.from_key(MINTER_KEY).address
    deployed = chain.deploy(ADMIN_KEY, minter=minter)
    uri = "https://vouchers.example.com/api/v1/metadata/{id}"
    chain.create_types(
        ADMIN_KEY, deployed.address, [TOKEN_ID], max_supply=2 * burns + BURNS_PER_WALLET, uri=uri
    )
    rpc(("anvil_autoImpersonateAccount", [True]), ("evm_setAutomine", [False]))
    contract = chain.contract(deployed.address)
    count = wallets_of(burns)
    # Indexes step through the wallets evenly, so one may hold one burn more than the others.
    each = -(-burns // count)
    for start in range(0, count, WALLETS_PER_AIRDROP):
        some = [wallet(index) for index in range(start, min(start + WALLETS_PER_AIRDROP, count))]
        batch = (TOKEN_ID, some, [each] * len(some), start.to_bytes(32, "big"))
        batch_id = contract.functions.batchIdOf(*batch).call()
        data = contract.encode_abi("airdrop", [batch_id, *batch])
        call = {"from": minter, "to": deployed.address, "data": data, "gas": hex(AIRDROP_GAS)}
        rpc(("eth_sendTransaction", [call]), ("evm_mine", []))
    head = chain.web3.eth.get_block("latest")
    return Plan(
        burns=burns,
        blocks=blocks,
        contract=deployed.address,
        deploy_block=deployed.block,
        first_block=head["number"] + 1,
        begun_at=head["timestamp"] + 1,
    )


def _burn(rpc: Rpc, plan: Plan) -> None:
    """All the burns, a block each second."""
    nonces: Counter[str] = Counter()
    for block, indexes in groupby(range(plan.burns), key=plan.block_of):
        calls: list[tuple[str, Sequence[Any]]] = []
        for index in indexes:
            order = plan.order(index)
            arguments = encode(
                ["uint256", "uint256", "bytes32"],
                [order.token_id, order.amount, bytes.fromhex(order.order_hash[2:])],
            )
            sent = {
                "from": order.customer,
                "to": plan.contract,
                "data": "0x" + (REDEEM + arguments).hex(),
                "gas": hex(GAS),
                "gasPrice": "0x0",
                "nonce": hex(nonces[order.customer]),
            }
            nonces[order.customer] += 1
            calls.append(("eth_sendTransaction", [sent]))
        calls += [("evm_setNextBlockTimestamp", [plan.begun_at + block]), ("evm_mine", [])]
        rpc(*calls)
    for block in range(plan.blocks, plan.blocks + TRAILING_BLOCKS):
        rpc(("evm_setNextBlockTimestamp", [plan.begun_at + block]), ("evm_mine", []))
    count = keccak256(b"redemptionCount()")[:4].hex()
    (told,) = rpc(("eth_call", [{"to": plan.contract, "data": f"0x{count}"}, "latest"]))
    if int(told, 16) != plan.burns:
        raise RpcRefused(f"{int(told, 16)} of {plan.burns} burns went through")
