"""`make demo`: the whole system on a chain of its own, seeded, with logins that work."""

import base64
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ops import anvil, dynoxide
from ops.cli.bootstrap import system_tools
from ops.deploy_local import LOCAL_CHAIN_ID, Deployment, deploy_local
from ops.redeem_once import redeem_once
from ops.stack.demo_seed import Login
from ops.stack.ports import HOST, Port
from ops.stack.progress import Progress
from ops.stack.services import Sockets, start_services, wait_ready
from ops.stack.state import publish
from ops.stack.supervisor import Supervisor

ENGINE_SECONDS = 30.0
TABLE = "vouchers"


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
            deployment = deploy_local(rpc_url)
        env = _environment(store_env, deployment, rpc_url, sockets)
        with progress.step("sites, catalogue, staff"):
            logins = _fill_store(system_tools(env))
        start_services(
            supervisor,
            progress,
            sockets,
            env=env,
            state_dir=data,
            portal_config=_portal_config(sockets, deployment, rpc_url),
        )
        wait_ready(supervisor, progress, sockets)
        state = _state(sockets, deployment, rpc_url, logins, supervisor)
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
        supervisor.start("anvil", anvil.command(port, block_time=1), env=os.environ)
        supervisor.wait_until(
            lambda: anvil.answers(rpc_url), what="an answer of anvil", seconds=ENGINE_SECONDS
        )
    return rpc_url


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
        supervisor.start("dynoxide", dynoxide.command(port, data), env=os.environ)
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
        "CHAIN_ID": str(LOCAL_CHAIN_ID),
        "CHAIN_NAME": "Local demo chain",
        "CONTRACT_ADDRESS": deployment.address,
        "DEPLOY_BLOCK": str(deployment.block),
        "RPC_URLS": rpc_url,
        "PUBLIC_RPC_URLS": rpc_url,
        "POLL_SECONDS": "0.5",
        "DATA_KEYS": f"demo:{data_key}",
        "PORTAL_ORIGIN": sockets.portal_url,
        "CORS_ORIGINS": f"{sockets.portal_url},{sockets.reception_url}",
    }


def _portal_config(sockets: Sockets, rpc_url: str) -> dict[str, Any]:
    """With the demo wallet: a newcomer needs no wallet of their own."""
    customers = [one for one in WALLETS if one.role == "customer"]
    return {
        "apiUrl": sockets.api_url,
        "demoWallet": {
            "rpcUrl": rpc_url,
            "accounts": [
                {"label": f"Demo {number}", "privateKey": one.private_key}
                for number, one in enumerate(customers, 1)
            ],
        },
    }


def _state(
    sockets: Sockets,
    deployment: Deployment,
    rpc_url: str,
    logins: tuple[Login, ...],
    supervisor: Supervisor,
) -> dict[str, Any]:
    return sockets.published() | {
        "rpcUrl": rpc_url,
        "chainId": LOCAL_CHAIN_ID,
        "contractAddress": deployment.address,
        "deployBlock": deployment.block,
        "wallets": [
            {"role": one.role, "address": one.address, "privateKey": one.private_key}
            for one in WALLETS
        ],
        "staff": [login.published() for login in logins],
        "pids": supervisor.pids,
    }


def _welcome(sockets: Sockets, logins: tuple[Login, ...], state_dir: Path) -> str:
    table_of_logins = "\n".join(
        f"    {login.username:<20} {login.password}   {', '.join(login.sites) or 'every site'}"
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
