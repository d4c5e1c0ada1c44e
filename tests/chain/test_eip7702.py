"""Customers whose account has code, on a real chain: EIP-7702 delegations and ERC-1271 wallets.

Foundry's tests put code at addresses; here accounts delegate by real set-code transactions, of
type 4, and orders are signed as wallets sign them, by a library that shares no code with this
project.
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.types import TxReceipt

from chalicelib.api.views import call_order
from chalicelib.domain.orders import Order, new_order
from listener_fn.chain import RpcChain
from ops import anvil
from ops.deploy_local import LocalChain, Reverted
from ops.onchain.artefact import abi as voucher_abi

REPOSITORY = Path(__file__).resolve().parents[2]
WALLETS = "test/utils/Receivers.sol"
ADMIN, MINTER, RELAYER, OWNER, STRANGER = anvil.KEYS[:5]
ROOM = 1001
DELEGATION = bytes.fromhex("ef0100")
NO_DELEGATION = "0x" + "00" * 20

ORDER_TYPE = {
    "Order": [
        {"name": "orderId", "type": "string"},
        {"name": "customer", "type": "address"},
        {"name": "tokenId", "type": "uint256"},
        {"name": "amount", "type": "uint256"},
        {"name": "siteId", "type": "string"},
        {"name": "expiresAt", "type": "uint64"},
    ]
}


def compiled_wallets() -> dict[str, Any]:
    """What the Foundry tests' own wallet contracts compile to, by name."""
    spec = importlib.util.spec_from_file_location("build", REPOSITORY / "contracts/build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    selection = {WALLETS: {"*": ["abi", "evm.bytecode.object"]}}
    request = {
        "language": "Solidity",
        "sources": build.read_sources(WALLETS),
        "settings": {**build.compiler_settings(), "outputSelection": selection},
    }
    output = build.compile_standard_json(request)
    contracts: dict[str, Any] = output["contracts"][WALLETS]
    return contracts


@dataclass(frozen=True, slots=True)
class System:
    """A chain with the voucher contract on it, and what wallets are made of."""

    rpc_url: str
    chain: LocalChain
    vouchers: str
    wallets: dict[str, Any]

    @property
    def functions(self) -> Any:
        return self.chain.contract(self.vouchers).functions

    def deploy(self, name: str, *arguments: object) -> ChecksumAddress:
        """One of the wallet contracts."""
        compiled = self.wallets[name]
        factory = self.chain.web3.eth.contract(
            abi=compiled["abi"], bytecode=compiled["evm"]["bytecode"]["object"]
        )
        made = self.chain.send(ADMIN, factory.constructor(*arguments))["contractAddress"]
        assert made is not None
        return made

    def customer(self, name: str) -> LocalAccount:
        """A fresh account with coins for gas."""
        account: LocalAccount = Account.from_key(keccak(text=name))
        self.chain.request("anvil_setBalance", account.address, hex(10**18))
        return account

    def delegate(self, account: LocalAccount, to: str) -> TxReceipt:
        """Have `account` delegate to a contract, by its signature in a relayer's transaction."""
        eth = self.chain.web3.eth
        authorization = account.sign_authorization(
            {
                "chainId": anvil.CHAIN_ID,
                "address": HexBytes(to),
                "nonce": eth.get_transaction_count(account.address),
            }
        )
        relayer: LocalAccount = Account.from_key(RELAYER)
        transaction: dict[str, Any] = {
            "chainId": anvil.CHAIN_ID,
            "nonce": eth.get_transaction_count(relayer.address),
            "to": relayer.address,
            "value": 0,
            "data": "0x",
            "gas": 200_000,
            "maxFeePerGas": 2 * eth.gas_price,
            "maxPriorityFeePerGas": 0,
            "accessList": (),
            "authorizationList": [authorization],
        }
        signed = relayer.sign_transaction(transaction)
        sent = eth.send_raw_transaction(signed.raw_transaction)
        receipt = eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.05)
        assert receipt["status"] == 1
        return receipt

    def code(self, address: ChecksumAddress) -> bytes:
        return bytes(self.chain.web3.eth.get_code(address))

    def mint(self, to: str, amount: int = 1) -> None:
        self.chain.mint(MINTER, self.vouchers, to=to, vouchers={ROOM: amount})

    def balance(self, address: str) -> int:
        return int(self.functions.balanceOf(address, ROOM).call())

    def order(self, customer: str, *, order_id: str = "ORD_20261121_7KQ2M9XVB4TRWZ3H") -> Order:
        """An order of one voucher, as the back end makes it."""
        now = self.chain.web3.eth.get_block("latest")["timestamp"]
        return new_order(
            order_id=order_id,
            customer=customer,
            token_id=ROOM,
            amount=1,
            site_id="HCM_ROX_T09",
            created_at=now,
            expires_at=now + 1800,
            request_id="r",
        )

    def sign(self, order: Order, key: str | bytes, *, contract: str | None = None) -> bytes:
        """The order's EIP-712 signature, as a wallet makes it from the strings it shows."""
        signed = Account.sign_typed_data(
            key,
            {
                "name": "5SOffice Vouchers",
                "version": "1",
                "chainId": anvil.CHAIN_ID,
                "verifyingContract": contract or self.vouchers,
            },
            ORDER_TYPE,
            {
                "orderId": order.order_id,
                "customer": order.customer,
                "tokenId": order.token_id,
                "amount": order.amount,
                "siteId": order.site_id,
                "expiresAt": order.expires_at,
            },
        )
        return bytes(signed.signature)

    def redeem_by_sig(self, order: Order, signature: bytes) -> TxReceipt:
        """Have somebody else submit the order."""
        fields = call_order(order).model_dump(by_alias=True)
        call = self.functions.redeemOrderBySig(fields, order.order_hash, signature)
        return self.chain.send(STRANGER, call)

    def assert_told(self, order: Order, receipt: TxReceipt) -> None:
        """The listener reads exactly this burn of exactly this order in that block."""
        listener = RpcChain(
            self.rpc_url, chain_id=anvil.CHAIN_ID, contract=self.vouchers, timeout=10
        )
        (burn,) = listener.burns(receipt["blockNumber"], receipt["blockNumber"]).burns
        assert burn.tx_hash == receipt["transactionHash"].to_0x_hex()
        assert (burn.user, burn.order_hash) == (order.customer, order.order_hash)
        assert (burn.token_id, burn.amount) == (order.token_id, order.amount)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with anvil.start() as running:
        chain = LocalChain(running.rpc_url)
        deployed = chain.deploy(ADMIN, minter=Account.from_key(MINTER).address)
        chain.create_types(ADMIN, deployed.address, [ROOM], max_supply=1000, uri="x/{id}")
        yield System(running.rpc_url, chain, deployed.address, compiled_wallets())


@pytest.fixture(scope="module")
def delegate(system: System) -> ChecksumAddress:
    """A contract that accounts may delegate to: takes vouchers, knows no ERC-1271."""
    return system.deploy("Delegate")


def refusal(name: str) -> Any:
    """Expects the contract's error of that name."""
    abi = voucher_abi()
    (entry,) = (item for item in abi if item["type"] == "error" and item["name"] == name)
    signature = f"{name}({','.join(item['type'] for item in entry['inputs'])})"
    return pytest.raises(
        Reverted, match="0x" + function_signature_to_4byte_selector(signature).hex()
    )


def test_set_code_transaction_delegates_the_account(
    system: System, delegate: ChecksumAddress
) -> None:
    customer = system.customer("set code")
    assert system.code(customer.address) == b""
    receipt = system.delegate(customer, delegate)
    assert receipt["type"] == 4
    assert system.code(customer.address) == DELEGATION + bytes.fromhex(delegate[2:])


def test_delegated_account_redeems_by_the_signature_of_its_own_key(
    system: System, delegate: ChecksumAddress
) -> None:
    customer = system.customer("own key")
    system.delegate(customer, delegate)
    system.mint(customer.address)
    order = system.order(customer.address)
    system.assert_told(order, system.redeem_by_sig(order, system.sign(order, customer.key)))
    assert system.balance(customer.address) == 0


def test_delegated_accounts_signature_is_not_replayed(
    system: System, delegate: ChecksumAddress
) -> None:
    customer = system.customer("replay")
    system.delegate(customer, delegate)
    system.mint(customer.address, 2)
    order = system.order(customer.address)
    signature = system.sign(order, customer.key)
    system.redeem_by_sig(order, signature)
    with refusal("AlreadyRedeemed"):
        system.redeem_by_sig(order, signature)
    assert system.balance(customer.address) == 1


def test_delegated_account_does_not_redeem_by_the_signature_of_another_key(
    system: System, delegate: ChecksumAddress
) -> None:
    customer = system.customer("another key")
    system.delegate(customer, delegate)
    system.mint(customer.address)
    order = system.order(customer.address)
    with refusal("InvalidSignature"):
        system.redeem_by_sig(order, system.sign(order, STRANGER))
    changed = replace(order, amount=2)
    with refusal("InvalidSignature"):
        system.redeem_by_sig(order, system.sign(changed, customer.key))
    assert system.balance(customer.address) == 1


def test_delegated_account_redeems_by_its_own_transaction(
    system: System, delegate: ChecksumAddress
) -> None:
    customer = system.customer("own transaction")
    system.delegate(customer, delegate)
    system.mint(customer.address)
    order = system.order(customer.address)
    receipt = system.chain.redeem_order("0x" + customer.key.hex(), system.vouchers, order)
    system.assert_told(order, receipt)
    assert system.balance(customer.address) == 0


def test_account_delegated_to_code_without_hooks_takes_none_but_keeps_and_redeems_its_own(
    system: System,
) -> None:
    customer, other = system.customer("deaf"), system.customer("beside the deaf")
    system.mint(customer.address, 2)
    system.delegate(customer, system.deploy("Deaf"))
    with refusal("ERC1155InvalidReceiver"):
        system.mint(customer.address)
    recipients, amounts, salt = [other.address, customer.address], [1, 1], bytes(32)
    batch_id = system.functions.batchIdOf(ROOM, recipients, amounts, salt).call()
    with refusal("ERC1155InvalidReceiver"):
        system.chain.send(
            MINTER, system.functions.airdrop(batch_id, ROOM, recipients, amounts, salt)
        )
    assert system.balance(other.address) == 0
    assert system.functions.isBatchMinted(batch_id).call() is False

    order = system.order(customer.address)
    system.redeem_by_sig(order, system.sign(order, customer.key))
    assert system.balance(customer.address) == 1


def test_account_that_ends_its_delegation_takes_vouchers_again(system: System) -> None:
    customer = system.customer("ended")
    system.delegate(customer, system.deploy("Deaf"))
    system.delegate(customer, NO_DELEGATION)
    assert system.code(customer.address) == b""
    system.mint(customer.address)
    assert system.balance(customer.address) == 1


def test_code_that_an_account_delegates_to_may_accept_signatures_for_it(system: System) -> None:
    customer, owner = system.customer("session key"), Account.from_key(OWNER)
    system.delegate(customer, system.deploy("ContractWallet", owner.address))
    system.mint(customer.address, 2)
    order = system.order(customer.address)
    with refusal("InvalidSignature"):
        system.redeem_by_sig(order, system.sign(order, STRANGER))
    system.redeem_by_sig(order, system.sign(order, OWNER))
    own = system.order(customer.address, order_id="ORD_20261121_SECONDSECONDSECO")
    system.redeem_by_sig(own, system.sign(own, customer.key))
    assert system.balance(customer.address) == 0


def test_contract_wallet_redeems_by_its_owners_signature_once_and_here_only(
    system: System,
) -> None:
    wallet = system.deploy("ContractWallet", Account.from_key(OWNER).address)
    system.mint(wallet, 2)
    order = system.order(wallet)
    with refusal("InvalidSignature"):
        system.redeem_by_sig(order, system.sign(order, STRANGER))
    with refusal("InvalidSignature"):
        system.redeem_by_sig(order, system.sign(order, OWNER, contract=wallet))
    assert system.balance(wallet) == 2

    signature = system.sign(order, OWNER)
    system.assert_told(order, system.redeem_by_sig(order, signature))
    with refusal("AlreadyRedeemed"):
        system.redeem_by_sig(order, signature)
    assert system.balance(wallet) == 1
