"""What the operator's tools find on a real chain, and where the well-known keys are refused."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ops import anvil
from ops.cli.web3_probe import Web3Probe
from ops.deploy_local import Deployment, LocalChain, NotLocal
from ops.onchain.errors import NodeFailed
from ops.redeem_once import redeem_once
from ops.stack.demo import ADMIN, CUSTOMERS, MINTER

NOBODY = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


@pytest.fixture(scope="module")
def deployed(rpc_url: str) -> Deployment:
    chain = LocalChain(rpc_url)
    deployment = chain.deploy(ADMIN.key, minter=MINTER.address)
    chain.create_types(ADMIN.key, deployment.address, [1, 2], max_supply=9, uri="x/{id}")
    chain.send(
        ADMIN.key,
        chain.contract(deployment.address).functions.setVoucherTypeEnabled(2, False),
    )
    chain.mint(MINTER.key, deployment.address, to=CUSTOMERS[0].address, vouchers={1: 3})
    chain.redeem_and_burn(
        CUSTOMERS[0].key, deployment.address, token_id=1, amount=1, order_hash="0x" + "11" * 32
    )
    return deployment


def test_the_probe_tells_what_the_chain_says(rpc_url: str, deployed: Deployment) -> None:
    probe = Web3Probe(rpc_url, contract=deployed.address, timeout=5)
    assert probe.chain_id() == anvil.CHAIN_ID
    assert probe.has_code()
    assert probe.redemption_count() == 1
    assert probe.recent_redemptions() == 1
    assert probe.enabled_types((1, 2, 3)) == {1}
    finalized = probe.finalized()
    assert finalized is not None
    assert finalized <= probe.head()


def test_an_address_without_contract_is_noticed(rpc_url: str) -> None:
    probe = Web3Probe(rpc_url, contract=NOBODY, timeout=5)
    assert not probe.has_code()
    with pytest.raises(NodeFailed, match="answers with an error"):
        probe.redemption_count()


def test_nobody_there_is_told_without_the_url() -> None:
    probe = Web3Probe("http://127.0.0.1:9/secret-key", contract=NOBODY, timeout=1)
    with pytest.raises(NodeFailed, match="cannot be reached") as failed:
        probe.chain_id()
    assert "secret-key" not in str(failed.value)


def test_an_endpoint_that_refuses_is_told_by_its_status() -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(401)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/secret-key"
        with pytest.raises(NodeFailed, match=r"cannot be reached \(HTTP 401\)") as failed:
            Web3Probe(url, contract=NOBODY, timeout=5).chain_id()
        server.shutdown()
    assert "secret-key" not in str(failed.value)


def test_well_known_keys_are_used_on_a_local_chain_only() -> None:
    stack = {
        "contractAddress": NOBODY,
        "apiUrl": "http://127.0.0.1:9/api/v1",
        "wallets": [wallet.published() for wallet in (ADMIN, MINTER, *CUSTOMERS)],
        "staff": [{"role": "RECEPTION"}],
    }
    refused = pytest.raises(NotLocal, match="chain 97 is not a local one")
    with anvil.start(chain_id=97) as testnet, refused:
        redeem_once(stack | {"rpcUrl": testnet.rpc_url}, print)
