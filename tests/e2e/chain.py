"""The demo's chain in the hands of a test: JSON-RPC, coins and vouchers, mining, forks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount

from listener_fn.decoding import REDEEMED_TOPIC
from ops.deploy_local import LocalChain
from ops.stack.demo import BLOCK_SECONDS

RPC_SECONDS = 30.0
ONE_COIN = 10**18
SENT_GAS = 500_000


class RpcError(Exception):
    """A JSON-RPC error, as EIP-1193 hands it to pages."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Chain:
    """What a test does to the demo's chain. Blocks come every second unless mining is frozen."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self._http = httpx.Client(base_url=stack["rpcUrl"], timeout=RPC_SECONDS, trust_env=False)
        self._keys = {one["role"]: one["privateKey"] for one in reversed(stack["wallets"])}
        self.contract_address: str = stack["contractAddress"]
        self.chain_id: int = stack["chainId"]
        self._contract = LocalChain(stack["rpcUrl"]).contract(self.contract_address)
        self._functions = self._contract.functions

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def rpc(self, method: str, *params: Any) -> Any:
        """One call. Raises `RpcError` with what the node says."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._http.post("/", json=body).json()
        if error := answer.get("error"):
            raise RpcError(error["code"], error["message"], error.get("data"))
        return answer.get("result")

    def account(
        self, vouchers: Mapping[int, int] | None = None, *, wei: int = ONE_COIN
    ) -> LocalAccount:
        """A new account with so many wei and, by token id, so many vouchers."""
        account: LocalAccount = Account.create()
        self.set_balance(account.address, wei)
        if vouchers:
            call = self._functions.mintBatch(
                account.address, list(vouchers), list(vouchers.values())
            )
            self.send(self._keys["minter"], call)
        return account

    def set_balance(self, address: str, wei: int) -> None:
        """Give the account exactly so many wei."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def send(self, key: str, call: Any) -> None:
        """A contract call of that key's account, mined at once before all that waits."""
        sender: LocalAccount = Account.from_key(key)
        call = call.build_transaction({"from": sender.address, "gas": SENT_GAS, "nonce": 0})
        sent = self.send_raw(sender, call["to"], call["data"], tip=100 * 10**9)
        self.mine()
        receipt = self.rpc("eth_getTransactionReceipt", sent)
        assert receipt, f"{sent} was not mined"
        assert receipt["status"] == "0x1", f"{sent} reverted"

    def send_raw(self, sender: LocalAccount, to: str, data: str, *, tip: int = 10**9) -> str:
        """Sign and send; the hash. It is mined when a block comes. `tip` is in wei per gas."""
        nonce = self.nonce(sender.address)
        return self.broadcast(self.signed(sender, to=to, data=data, nonce=nonce, tip=tip))

    def signed(
        self,
        sender: LocalAccount,
        *,
        to: str,
        data: str,
        nonce: int,
        tip: int,
        gas: int = SENT_GAS,
    ) -> str:
        """A raw transaction (EIP-1559) of no value, as 0x and hexadecimal digits."""
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "to": to,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": 2 * int(self.rpc("eth_gasPrice"), 16) + tip,
        }
        raw: str = sender.sign_transaction(fields).raw_transaction.to_0x_hex()
        return raw

    def broadcast(self, raw: str) -> str:
        """Give the node a raw transaction; its hash. Raises `RpcError`."""
        sent: str = self.rpc("eth_sendRawTransaction", raw)
        return sent

    def nonce(self, address: str) -> int:
        """Of the account's next transaction, those that wait to be mined included."""
        return int(self.rpc("eth_getTransactionCount", address, "pending"), 16)

    def redemption(self, terms: Mapping[str, Any], order_hash: str) -> dict[str, str]:
        """The call that redeems an order, as `to` and `data`."""
        data = self._contract.encode_abi("redeemOrder", [dict(terms), order_hash])
        return {"to": self.contract_address, "data": data}

    def raw_redemption(self, token_id: int, amount: int, order_hash: str) -> dict[str, str]:
        """The call of the raw path, which burns whatever the order says, as `to` and `data`."""
        data = self._contract.encode_abi("redeemAndBurn", [token_id, amount, order_hash])
        return {"to": self.contract_address, "data": data}

    def pause(self, *, paused: bool) -> None:
        """The administrator pauses or resumes the contract."""
        call = self._functions.pause() if paused else self._functions.unpause()
        self.send(self._keys["admin"], call)

    def enable_type(self, token_id: int, *, enabled: bool) -> None:
        """The administrator enables or disables a voucher type."""
        call = self._functions.setVoucherTypeEnabled(token_id, enabled)
        self.send(self._keys["admin"], call)

    def held(self, address: str, token_id: int) -> int:
        """How many vouchers of a type the account holds."""
        count: int = self._functions.balanceOf(address, token_id).call()
        return count

    def burns(self, address: str) -> int:
        """How many redemptions of that account are on the chain."""
        user = "0x" + address[2:].lower().rjust(64, "0")
        asked = {
            "address": self.contract_address,
            "fromBlock": "0x0",
            "topics": [REDEEMED_TOPIC, user],
        }
        return len(self.rpc("eth_getLogs", asked))

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return int(self.rpc("eth_blockNumber"), 16)

    def mine(self, blocks: int = 1) -> None:
        """Mine at once, also while mining is frozen."""
        for _ in range(blocks):
            self.rpc("evm_mine")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """No block comes by itself until the context is left."""
        self.rpc("evm_setIntervalMining", 0)
        try:
            yield
        finally:
            self.rpc("evm_setIntervalMining", BLOCK_SECONDS)

    def drop(self, tx_hash: str) -> None:
        """The node forgets a transaction that waits to be mined."""
        self.rpc("anvil_dropTransaction", tx_hash)

    def reorg(self, depth: int) -> None:
        """Replace the newest `depth` blocks by empty ones."""
        self.rpc("anvil_reorg", depth, [])
