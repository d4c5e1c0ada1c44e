"""A wallet that does what a test says (EIP-6963, EIP-1193), signing on the demo's chain for real.

A request of the page comes here through a Playwright binding. It is answered by the outcome that
the test lined up for its method (`wallet.next`), else by the one that always holds
(`wallet.always`), else as a well-behaved wallet does:

    wallet = Wallet(chain, chain.account({1001: 3}))
    wallets = Wallets(context, wallet)
    wallet.next("eth_requestAccounts", reject())        # once, then as usual
    wallet.always("wallet_switchEthereumChain", fail(-32603, "oops"))
    wallet.next("eth_sendTransaction", pending())
    ...
    wallets.release(wallet)                             # the person presses "confirm"
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from playwright.sync_api import BrowserContext

from tests.e2e.chain import Chain, RpcError

SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='8' fill='{colour}'/%3E"
    "%3Cpath d='M8 12h16v10H8z' fill='white'/%3E%3C/svg%3E"
)

REJECTED = 4001
UNAUTHORISED = 4100
UNSUPPORTED = 4200
DISCONNECTED = 4900
UNKNOWN_CHAIN = 4902
INTERNAL = -32603
BUSY = -32002
SERVER = -32000

PASSED_ON = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_estimateGas",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByNumber",
        "eth_getCode",
        "eth_getLogs",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
    }
)
"""Reads that a wallet hands to its node."""

ELSEWHERE: dict[str, Any] = {
    "eth_call": "0x",
    "eth_getCode": "0x",
    "eth_getBalance": "0x0",
    "eth_getLogs": [],
    "eth_getTransactionCount": "0x0",
    "eth_getTransactionReceipt": None,
    "eth_getTransactionByHash": None,
}
"""What another chain says, which knows neither contract nor account."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the page."""

    method: str
    params: list[Any]


Outcome = Callable[["Wallet", Call], Any]
"""Answers a request or raises `RpcError` (or `Wait`: it is answered when the test says so)."""


class Wait(Exception):
    """The request stays open until it is released."""

    def __init__(self, then: Outcome) -> None:
        super().__init__()
        self.then = then


@dataclass(slots=True)
class Wallet:
    """One wallet with one account. `known` are the chains it has; `chain_id` where it is."""

    chain: Chain
    account: LocalAccount
    name: str = "Test Wallet"
    rdns: str = "test.wallet"
    connected: bool = False
    chain_id: int = 0
    known: set[int] = field(default_factory=set)
    colour: str = "%230b7a75"

    calls: list[Call] = field(default_factory=list)
    """Every request, oldest first."""
    sent: list[str] = field(default_factory=list)
    """Hashes of the transactions sent, replacements included."""
    watched: list[dict[str, Any]] = field(default_factory=list)
    """What the page asked to show in the wallet (EIP-747)."""

    _next: defaultdict[str, deque[Outcome]] = field(default_factory=lambda: defaultdict(deque))
    _always: dict[str, Outcome] = field(default_factory=dict)
    _events: list[tuple[str, Any]] = field(default_factory=list)
    _transactions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chain_id = self.chain_id or self.chain.chain_id
        self.known |= {self.chain_id}

    @property
    def address(self) -> str:
        """Checksummed."""
        address: str = self.account.address
        return address

    def next(self, method: str, *outcomes: Outcome) -> None:
        """What becomes of the next requests of that method, one after the other."""
        self._next[method].extend(outcomes)

    def always(self, method: str, outcome: Outcome | None) -> None:
        """What becomes of every request of that method; None: as usual again."""
        if outcome is None:
            self._always.pop(method, None)
        else:
            self._always[method] = outcome

    def asked(self, method: str) -> int:
        """How often the page asked for it."""
        return sum(call.method == method for call in self.calls)

    def perform(self, call: Call) -> Any:
        """The answer to a request. Raises `RpcError` or `Wait`."""
        self.calls.append(call)
        if self._next[call.method]:
            return self._next[call.method].popleft()(self, call)
        if always := self._always.get(call.method):
            return always(self, call)
        return as_usual(self, call)

    def events(self) -> list[tuple[str, Any]]:
        """The events to tell the page, oldest first; told once."""
        told, self._events = self._events, []
        return told

    # ------------------------------------------------------------ what the person does

    def use_chain(self, chain_id: int) -> None:
        """The wallet is on another chain from now on."""
        if chain_id != self.chain_id:
            self.chain_id = chain_id
            self._events.append(("chainChanged", hex(chain_id)))

    def use_account(self, account: LocalAccount) -> None:
        """The person chose another account."""
        self.account = account
        self._events.append(("accountsChanged", [account.address]))

    def leave(self) -> None:
        """The person disconnected the site in the wallet."""
        self.connected = False
        self._events.append(("accountsChanged", []))

    # ------------------------------------------------------------ transactions

    def send(self, wanted: dict[str, Any], *, gas: int | None = None) -> str:
        """Sign and send what the page wants; the hash. Without `gas` it is estimated."""
        self.check_from(wanted.get("from"))
        if gas is None:
            gas = int(self.chain.rpc("eth_estimateGas", wanted), 16) * 12 // 10
        nonce = self.chain.nonce(self.address)
        return self._send(nonce, wanted["to"], wanted.get("data", "0x"), gas=gas, tip=10**9)

    def speed_up(self, tx_hash: str) -> str:
        """The same call with the same nonce and more gas money; the hash of the new transaction."""
        old = self._transactions[tx_hash]
        return self._send(old["nonce"], old["to"], old["data"], gas=old["gas"], tip=old["tip"] * 5)

    def cancel(self, tx_hash: str) -> str:
        """An empty transaction with the same nonce and more gas money; its hash."""
        old = self._transactions[tx_hash]
        return self._send(old["nonce"], self.address, "0x", gas=old["gas"], tip=old["tip"] * 5)

    def send_again(self, tx_hash: str) -> None:
        """The wallet's node is given the same transaction once more."""
        self.chain.broadcast(self._transactions[tx_hash]["raw"])

    def check_from(self, address: str | None) -> None:
        """Refuse to act for an account that is not ours, or before the site is connected."""
        if not self.connected:
            raise RpcError(UNAUTHORISED, "The site is not connected")
        if address and address.lower() != self.address.lower():
            raise RpcError(UNAUTHORISED, "The account is not one of this wallet")
        if self.chain_id != self.chain.chain_id:
            raise RpcError(INTERNAL, f"The wallet is on chain {self.chain_id}")

    def _send(self, nonce: int, to: str, data: str, *, gas: int, tip: int) -> str:
        made: dict[str, Any] = {"to": to, "data": data, "gas": gas, "nonce": nonce, "tip": tip}
        raw = self.chain.signed(self.account, **made)
        sent = self.chain.broadcast(raw)
        self.sent.append(sent)
        self._transactions[sent] = made | {"raw": raw}
        return sent

    def _info(self) -> dict[str, str]:
        icon = ICON.format(colour=self.colour)
        return {"uuid": str(uuid4()), "name": self.name, "icon": icon, "rdns": self.rdns}


class Wallets:
    """The wallets of a browser context, there before its first page is opened."""

    def __init__(self, context: BrowserContext, *wallets: Wallet) -> None:
        self._context = context
        self._wallets = {wallet.rdns: wallet for wallet in wallets}
        self._waiting: dict[str, list[tuple[str, Call, Outcome]]] = defaultdict(list)
        self._ids = count(1)
        context.expose_binding("scriptedWalletRequest", self._request)
        infos = json.dumps([wallet._info() for wallet in wallets])
        context.add_init_script(script=f"({SCRIPT.strip().rstrip(';')})({infos})")

    def tell(self) -> None:
        """Emit in every page what the person did in the wallets since."""
        for wallet in self._wallets.values():
            for event, value in wallet.events():
                for page in self._context.pages:
                    page.evaluate(
                        "([rdns, event, value]) => scriptedWallets.emit(rdns, event, value)",
                        [wallet.rdns, event, value],
                    )

    def waits(self, wallet: Wallet) -> bool:
        """Whether a request waits at the wallet."""
        return bool(self._waiting[wallet.rdns])

    def release(self, wallet: Wallet, outcome: Outcome | None = None) -> None:
        """Answer what waits at the wallet: by `outcome`, else by what was lined up for it."""
        waiting, self._waiting[wallet.rdns] = self._waiting[wallet.rdns], []
        assert waiting, f"nothing waits at {wallet.name}"
        for identifier, call, then in waiting:
            answer = self._answer(wallet, call, outcome or then)
            self.tell()
            for page in self._context.pages:
                page.evaluate(
                    "([id, answer]) => scriptedWallets.settle(id, answer)", [identifier, answer]
                )

    def _request(self, _source: Any, rdns: str, method: str, params: list[Any]) -> dict[str, Any]:
        wallet = self._wallets[rdns]
        call = Call(method, params)
        answer = self._answer(wallet, call, lambda wallet, call: wallet.perform(call))
        return answer | {"events": wallet.events()}

    def _answer(self, wallet: Wallet, call: Call, outcome: Outcome) -> dict[str, Any]:
        try:
            return {"result": outcome(wallet, call)}
        except RpcError as error:
            told = {"code": error.code, "message": error.message, "data": error.data}
            return {"error": told}
        except Wait as wait:
            identifier = f"{wallet.rdns}#{next(self._ids)}"
            self._waiting[wallet.rdns].append((identifier, call, wait.then))
            return {"waits": identifier}


# ---------------------------------------------------------------- outcomes to line up


def as_usual(wallet: Wallet, call: Call) -> Any:
    """What a well-behaved wallet does."""
    if own := OWN.get(call.method):
        return own(wallet, call.params)
    if call.method not in PASSED_ON:
        raise RpcError(UNSUPPORTED, f"The method {call.method} is not supported")
    if wallet.chain_id != wallet.chain.chain_id and call.method in ELSEWHERE:
        return ELSEWHERE[call.method]
    return wallet.chain.rpc(call.method, *call.params)


def fail(code: int, message: str, data: Any = None) -> Outcome:
    """The wallet answers with that error."""

    def outcome(_wallet: Wallet, _call: Call) -> Any:
        raise RpcError(code, message, data)

    return outcome


def reject() -> Outcome:
    """The person says no (EIP-1193)."""
    return fail(REJECTED, "User rejected the request.")


def busy() -> Outcome:
    """A request of this site is open in the wallet already, as MetaMask says it."""
    return fail(BUSY, "Request already pending. Please wait.")


def disconnected() -> Outcome:
    """The wallet has lost its node (EIP-1193)."""
    return fail(DISCONNECTED, "The Provider is disconnected from all chains.")


def unknown_chain() -> Outcome:
    """The wallet lacks the chain, said as EIP-3326 says it."""
    return fail(UNKNOWN_CHAIN, "Unrecognized chain ID. Try adding the chain first.")


def unknown_chain_nested() -> Outcome:
    """The same as MetaMask on phones says it: an internal error around the real one."""
    message = "Unrecognized chain ID. Try adding the chain first."
    original = {"code": UNKNOWN_CHAIN, "message": message}
    return fail(INTERNAL, "Internal JSON-RPC error.", {"originalError": original})


def insufficient_funds() -> Outcome:
    """The node would not take the transaction: no coins for gas."""
    message = "insufficient funds for gas * price + value"
    return fail(INTERNAL, "Internal JSON-RPC error.", {"code": SERVER, "message": message})


def pending(then: Outcome = as_usual) -> Outcome:
    """The person takes time: nothing happens until `Wallets.release`."""

    def outcome(_wallet: Wallet, _call: Call) -> Any:
        raise Wait(then)

    return outcome


def answer_lost(outcome: Outcome = as_usual) -> Outcome:
    """It is done, transaction sent and all, but the page is told of an error."""

    def lost(wallet: Wallet, call: Call) -> Any:
        outcome(wallet, call)
        raise RpcError(INTERNAL, "The wallet did not answer in time.")

    return lost


def send_blindly(wallet: Wallet, call: Call) -> Any:
    """Send without asking the node whether it would revert."""
    return wallet.send(call.params[0], gas=300_000)


# ---------------------------------------------------------------- a wallet's own methods


def _accounts(wallet: Wallet, _params: list[Any]) -> list[str]:
    return [wallet.address] if wallet.connected else []


def _request_accounts(wallet: Wallet, params: list[Any]) -> list[str]:
    wallet.connected = True
    return _accounts(wallet, params)


def _switch_chain(wallet: Wallet, params: list[Any]) -> None:
    wanted = int(params[0]["chainId"], 16)
    if wanted not in wallet.known:
        raise RpcError(UNKNOWN_CHAIN, "Unrecognized chain ID. Try adding the chain first.")
    wallet.use_chain(wanted)


def _add_chain(wallet: Wallet, params: list[Any]) -> None:
    described = params[0]
    for name in ("chainId", "chainName", "nativeCurrency", "rpcUrls"):
        if not described.get(name):
            raise RpcError(-32602, f"{name} is missing (EIP-3085)")
    wallet.known.add(int(described["chainId"], 16))


def _send_transaction(wallet: Wallet, params: list[Any]) -> str:
    return wallet.send(params[0])


def _personal_sign(wallet: Wallet, params: list[Any]) -> str:
    message, address = params
    wallet.check_from(address)
    signed = wallet.account.sign_message(encode_defunct(hexstr=message))
    return signed.signature.to_0x_hex()


def _sign_typed_data(wallet: Wallet, params: list[Any]) -> str:
    address, data = params
    wallet.check_from(address)
    signable = encode_typed_data(full_message=json.loads(data))
    return wallet.account.sign_message(signable).signature.to_0x_hex()


def _watch_asset(wallet: Wallet, params: Any) -> bool:
    wallet.watched.append(params)
    return True


def _revoke(wallet: Wallet, _params: list[Any]) -> None:
    wallet.connected = False


OWN: dict[str, Callable[[Wallet, Any], Any]] = {
    "eth_accounts": _accounts,
    "eth_requestAccounts": _request_accounts,
    "eth_chainId": lambda wallet, _: hex(wallet.chain_id),
    "net_version": lambda wallet, _: str(wallet.chain_id),
    "eth_sendTransaction": _send_transaction,
    "personal_sign": _personal_sign,
    "eth_signTypedData_v4": _sign_typed_data,
    "wallet_switchEthereumChain": _switch_chain,
    "wallet_addEthereumChain": _add_chain,
    "wallet_watchAsset": _watch_asset,
    "wallet_revokePermissions": _revoke,
}
