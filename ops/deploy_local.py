"""The voucher contract on a local chain: deploy, create types, mint, redeem.

For the demo and the tests. It signs with well-known development keys, and refuses any chain but a
local one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexAddress, HexStr
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError
from web3.types import TxParams, TxReceipt

from chalicelib.domain.orders import Order
from ops.anvil import CHAIN_ID
from ops.onchain.artefact import abi, artefact

ADMIN_DELAY_SECONDS = 0
RECEIPT_SECONDS = 60.0
RECEIPT_POLL_SECONDS = 0.05


class NotLocal(Exception):
    """The chain is not a local one; nothing was sent."""


class Reverted(Exception):
    """The contract refused a transaction."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed contract: its checksummed address and the block it was deployed in."""

    address: str
    block: int


class LocalChain:
    """Transactions on a local chain, each waited for until it is mined."""

    def __init__(self, rpc_url: str) -> None:
        """Connect.

        Raises:
            NotLocal: the chain is another than a local one.
        """
        self.web3 = Web3(HTTPProvider(rpc_url))
        chain_id = self.web3.eth.chain_id
        if chain_id != CHAIN_ID:
            raise NotLocal(f"chain {chain_id} is not a local one ({CHAIN_ID})")

    def deploy(self, admin_key: str, *, minter: str) -> Deployment:
        """Deploy the contract; the key's account is admin, the address `minter` may mint."""
        admin: LocalAccount = Account.from_key(admin_key)
        factory = self.web3.eth.contract(abi=abi(), bytecode=artefact()["bytecode"])
        receipt = self.send(admin_key, factory.constructor(admin.address, ADMIN_DELAY_SECONDS))
        deployed = Deployment(str(receipt["contractAddress"]), receipt["blockNumber"])
        contract = self.contract(deployed.address)
        role = contract.functions.MINTER_ROLE().call()
        self.send(admin_key, contract.functions.grantRole(role, minter))
        return deployed

    def contract(self, address: str) -> Any:
        """web3's contract object at `address`."""
        checksummed = ChecksumAddress(HexAddress(HexStr(address)))
        return self.web3.eth.contract(address=checksummed, abi=abi())

    def create_types(
        self, admin_key: str, address: str, token_ids: Iterable[int], *, max_supply: int, uri: str
    ) -> None:
        """Create voucher types; `uri` has `{id}` for the token id."""
        contract = self.contract(address)
        for token_id in token_ids:
            token_uri = uri.replace("{id}", str(token_id))
            self.send(
                admin_key, contract.functions.createVoucherType(token_id, max_supply, token_uri)
            )

    def mint(self, minter_key: str, address: str, *, to: str, vouchers: dict[int, int]) -> None:
        """Mint to one wallet: amounts by token id."""
        functions = self.contract(address).functions
        self.send(minter_key, functions.mintBatch(to, list(vouchers), list(vouchers.values())))

    def redeem_order(self, customer_key: str, address: str, order: Order) -> TxReceipt:
        """Burn for an order through `redeemOrder`, as the portal does."""
        fields = {
            "orderRef": order.order_ref,
            "customer": order.customer,
            "tokenId": order.token_id,
            "amount": order.amount,
            "siteRef": order.site_ref,
            "expiresAt": order.expires_at,
        }
        functions = self.contract(address).functions
        return self.send(customer_key, functions.redeemOrder(fields, order.order_hash))

    def redeem_and_burn(
        self, customer_key: str, address: str, *, token_id: int, amount: int, order_hash: str
    ) -> TxReceipt:
        """Burn for any order hash through `redeemAndBurn`."""
        functions = self.contract(address).functions
        return self.send(customer_key, functions.redeemAndBurn(token_id, amount, order_hash))

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks at once."""
        self.request("anvil_mine", hex(blocks))

    def request(self, method: str, *params: Any) -> Any:
        """A call of anvil's own, such as `anvil_reorg`.

        Raises:
            Reverted: anvil refused it.
        """
        answer = self.web3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        if "error" in answer:
            raise Reverted(f"{method}: {answer['error']}")
        return answer.get("result")

    def send(self, key: str, call: Any) -> TxReceipt:
        """Sign a contract call, send it, and wait until it is mined.

        Raises:
            Reverted: the contract refused it.
        """
        sender: LocalAccount = Account.from_key(key)
        fields: TxParams = {
            "from": sender.address,
            "nonce": self.web3.eth.get_transaction_count(sender.address, "pending"),
            "chainId": CHAIN_ID,
        }
        try:
            signed = sender.sign_transaction(call.build_transaction(fields))
        except ContractLogicError as error:
            raise Reverted(f"the contract refuses: {error.data}") from error
        sent = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        receipt = self.web3.eth.wait_for_transaction_receipt(
            sent, timeout=RECEIPT_SECONDS, poll_latency=RECEIPT_POLL_SECONDS
        )
        if receipt["status"] != 1:
            raise Reverted(f"transaction {sent.to_0x_hex()} reverted")
        return receipt
