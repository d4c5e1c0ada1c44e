"""`make demo`: the whole system on a chain of its own, seeded, with logins that work."""

import base64
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from eth_account import Account
from eth_account.signers.local import LocalAccount

from chalicelib.settings import AES_256_KEY_BYTES
from ops import anvil, dynoxide
from ops.cli.bootstrap import system_tools
from ops.deploy_local import Deployment, LocalChain
from ops.redeem_once import redeem_once
from ops.seed.files import CATALOGUE_FILE, read_catalogue
from ops.stack.demo_seed import Login, seed
from ops.stack.ports import HOST, Port
from ops.stack.progress import Progress
from ops.stack.services import DIST, Sockets, check_built, start_services, wait_ready
from ops.stack.state import publish
from ops.stack.supervisor import Supervisor

MAX_SUPPLY = 1_000_000
VOUCHERS_EACH = 10
BLOCK_SECONDS = 1
ENGINE_SECONDS = 30.0
TABLE = "vouchers"


@dataclass(frozen=True, slots=True)
class Wallet:
    """One of the well-known development accounts, and its part in the demo."""

    role: str
    key: str

    @property
    def address(self) -> str:
        """Checksummed."""
        account: LocalAccount = Account.from_key(self.key)
        return account.address

    def published(self) -> dict[str, str]:
        """As the state file has it."""
        return {"role": self.role, "address": self.address, "privateKey": self.key}


ROLES = ("admin", "minter", "customer", "customer")
ADMIN, MINTER, *CUSTOMERS = (
    Wallet(role, key) for role, key in zip(ROLES, anvil.KEYS, strict=False)
)


def run_demo(
    *, store: str, once: bool, state_dir: Path, wanted_ports: Mapping[str, int | None]
) -> None:
    """Run the demo until somebody stops it, or with `once` until one redemption is delivered.

    Raises:
        StackFailed: a program did not come up or ended by itself.
        PortTaken: a port that was asked for by name is not to be had.
        RedemptionFailed: with `once`, the redemption did not come out as it must.
        Stopped: somebody stopped it before it was up.
    """
    check_built("portal/demo-wallet.js")
    progress = Progress()
    data = state_dir / "demo"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with ExitStack() as stack:
        sockets = Sockets.open(wanted_ports, progress, stack)
        supervisor = stack.enter_context(Supervisor(state_dir / "logs"))
        rpc_url = _start_chain(supervisor, progress)
        store_env = _start_store(store, supervisor, progress, data)
        with progress.step("contract, voucher types, vouchers for two customers"):
            deployment = _deploy(rpc_url, sockets.api_url)
        env = _environment(store_env, deployment, rpc_url, sockets)
        with progress.step("sites, catalogue, staff"):
            logins = seed(system_tools(env))
        start_services(
            supervisor,
            progress,
            sockets,
            env=env,
            state_dir=data,
            portal_config=_portal_config(sockets, rpc_url),
        )
        wait_ready(supervisor, progress, sockets)
        state = _state(sockets, deployment, rpc_url, store_env, logins, supervisor)
        publish(state_dir, state)
        progress.note(f"up after {progress.elapsed:.1f} s")
        if once:
            click.echo("\nOne redemption:")
            redeem_once(state, click.echo)
            return
        click.echo(_welcome(sockets, logins, state_dir))
        supervisor.watch()


def _start_chain(supervisor: Supervisor, progress: Progress) -> str:
    port = Port("RPC_PORT", 8545).pick(progress)
    rpc_url = f"http://{HOST}:{port}"
    with progress.step(f"chain at {rpc_url}"):
        supervisor.start("anvil", anvil.command(port), env=os.environ, foundation=True)
        supervisor.wait_until(
            lambda: anvil.answers(port), what="an answer of anvil", seconds=ENGINE_SECONDS
        )
    return rpc_url


def _deploy(rpc_url: str, api_url: str) -> Deployment:
    """The contract, the catalogue's voucher types, and some of each for both customers.

    Blocks come with each transaction until all of it is there, then one every second.
    """
    chain = LocalChain(rpc_url)
    token_ids = [kind.token_id for kind in read_catalogue(CATALOGUE_FILE).types]
    deployment = chain.deploy(ADMIN.key, minter=MINTER.address)
    chain.create_types(
        ADMIN.key,
        deployment.address,
        token_ids,
        max_supply=MAX_SUPPLY,
        uri=f"{api_url}/metadata/{{id}}",
    )
    for customer in CUSTOMERS:
        vouchers = dict.fromkeys(token_ids, VOUCHERS_EACH)
        chain.mint(MINTER.key, deployment.address, to=customer.address, vouchers=vouchers)
    chain.request("evm_setIntervalMining", BLOCK_SECONDS)
    return deployment


def _start_store(
    store: str, supervisor: Supervisor, progress: Progress, data: Path
) -> dict[str, str]:
    """An empty store, migrated; the settings that name it."""
    if store == "sql":
        env = {"STORE": "sql", "DATABASE_URL": f"sqlite:///{data / 'vouchers.db'}"}
    else:
        env = _start_dynoxide(supervisor, progress, data)
    with progress.step(f"store: {store}"):
        system_tools(env).migrate_store()
    return env


def _start_dynoxide(supervisor: Supervisor, progress: Progress, data: Path) -> dict[str, str]:
    dynoxide.use_local_credentials()
    port = Port("DYNAMODB_PORT", 8100).pick(progress)
    with progress.step(f"DynamoDB engine at http://{HOST}:{port}"):
        supervisor.start("dynoxide", dynoxide.command(port, data), env=os.environ, foundation=True)
        supervisor.wait_until(
            lambda: dynoxide.answers(port), what="an answer of dynoxide", seconds=ENGINE_SECONDS
        )
    return {
        "STORE": "dynamodb",
        "DYNAMODB_TABLE": TABLE,
        "DYNAMODB_ENDPOINT": f"http://{HOST}:{port}",
    }


def _environment(
    store_env: Mapping[str, str], deployment: Deployment, rpc_url: str, sockets: Sockets
) -> dict[str, str]:
    """The services' whole environment: settings of this machine's own system stay out of it."""
    kept = ("PATH", "HOME", "LANG", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    data_key = base64.b64encode(secrets.token_bytes(AES_256_KEY_BYTES)).decode()
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **store_env,
        "CHAIN_ID": str(anvil.CHAIN_ID),
        "CHAIN_NAME": "Local demo chain",
        "CONTRACT_ADDRESS": deployment.address,
        "DEPLOY_BLOCK": str(deployment.block),
        "RPC_URLS": rpc_url,
        "PUBLIC_RPC_URLS": rpc_url,
        "POLL_SECONDS": "0.5",
        # On this machine everybody has the same address.
        "ORDERS_PER_MINUTE_IP": "1000",
        "LOGINS_PER_MINUTE_IP": "1000",
        "DATA_KEYS": f"demo:{data_key}",
        "PORTAL_ORIGIN": sockets.portal_url,
        "CORS_ORIGINS": f"{sockets.portal_url},{sockets.reception_url}",
    }


def _portal_config(sockets: Sockets, rpc_url: str) -> dict[str, Any]:
    """With the demo wallet: a newcomer needs no wallet of their own."""
    return {
        "apiUrl": sockets.api_url,
        "demoWallet": {
            "rpcUrl": rpc_url,
            "accounts": [
                {"label": f"Demo {number}", "privateKey": customer.key}
                for number, customer in enumerate(CUSTOMERS, 1)
            ],
        },
    }


def _state(
    sockets: Sockets,
    deployment: Deployment,
    rpc_url: str,
    store_env: Mapping[str, str],
    logins: tuple[Login, ...],
    supervisor: Supervisor,
) -> dict[str, Any]:
    return sockets.published() | {
        "rpcUrl": rpc_url,
        "chainId": anvil.CHAIN_ID,
        "contractAddress": deployment.address,
        "deployBlock": deployment.block,
        "store": dict(store_env),
        "dist": str(DIST),
        "wallets": [wallet.published() for wallet in (ADMIN, MINTER, *CUSTOMERS)],
        "staff": [login.published() for login in logins],
        "pids": supervisor.pids,
    }


def _welcome(sockets: Sockets, logins: tuple[Login, ...], state_dir: Path) -> str:
    table_of_logins = "\n".join(
        f"    {login.username:<20} {login.password}   {', '.join(login.sites) or 'no site'}"
        for login in logins
    )
    return (
        f"\n  Portal     {sockets.portal_url}   (choose the demo wallet: it holds vouchers)"
        f"\n  Reception  {sockets.reception_url}"
        f"\n{table_of_logins}"
        f"\n  API        {sockets.api_url}"
        f"\n  Logs       {state_dir / 'logs'}"
        f"\n  For tools  {state_dir / 'stack.json'}"
        "\n\n  Ctrl-C stops everything.\n"
    )
