"""`make run`: the same stack from the settings there are, on any chain, seeding nothing."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from chalicelib.settings import ApiSettings, ListenerSettings, SettingsError, load
from ops.cli.bootstrap import system_tools
from ops.stack.progress import Progress
from ops.stack.services import Sockets, check_built, start_services
from ops.stack.state import publish
from ops.stack.supervisor import Supervisor


def run_stack(
    *, environ: Mapping[str, str], state_dir: Path, wanted_ports: Mapping[str, int | None]
) -> None:
    """Run API, listener and both sites until somebody stops them.

    Where PORTAL_ORIGIN and CORS_ORIGINS are not set, they name the sites on this machine.

    Raises:
        SettingsError: naming every missing or wrong setting at once.
        StoreUnavailable: the store does not answer or needs `vouchers store migrate`.
        StackFailed: a program did not come up or ended by itself.
        PortTaken: a port that was asked for by name is not to be had.
        Stopped: somebody asked for it.
    """
    check_built()
    progress = Progress()
    with ExitStack() as stack:
        sockets = Sockets.open(wanted_ports, progress, stack)
        env = _with_local_origins(environ, sockets)
        api, listener = _settings(env)
        with progress.step("store and its schema"):
            system_tools(env).check_store()
        supervisor = stack.enter_context(Supervisor(state_dir / "logs"))
        start_services(
            supervisor,
            progress,
            sockets,
            env=env,
            state_dir=state_dir,
            portal_config={"apiUrl": sockets.api_url},
        )
        publish(
            state_dir,
            sockets.published()
            | {
                "rpcUrl": listener.RPC_URLS[0],
                "chainId": api.CHAIN_ID,
                "contractAddress": api.CONTRACT_ADDRESS,
                "deployBlock": listener.DEPLOY_BLOCK,
                "wallets": [],
                "staff": [],
                "pids": supervisor.pids,
            },
        )
        if sockets.portal_url != api.PORTAL_ORIGIN:
            progress.note(
                f"PORTAL_ORIGIN is {api.PORTAL_ORIGIN}: wallet sign-in works there, not at"
                f" {sockets.portal_url}"
            )
        click.echo(
            f"\n  Portal     {sockets.portal_url}\n  Reception  {sockets.reception_url}"
            f"\n  API        {sockets.api_url}\n  Logs       {state_dir / 'logs'}"
            f"\n\n  {sockets.api_url}/health/ready tells when the listener has caught up."
            "\n  Ctrl-C stops everything.\n"
        )
        supervisor.watch()


def _with_local_origins(environ: Mapping[str, str], sockets: Sockets) -> dict[str, str]:
    portal = environ.get("PORTAL_ORIGIN", "").strip() or sockets.portal_url
    origins = f"{sockets.portal_url},{sockets.reception_url}"
    cors = environ.get("CORS_ORIGINS", "").strip() or origins
    return dict(environ) | {"PORTAL_ORIGIN": portal, "CORS_ORIGINS": cors}


def _settings(env: Mapping[str, str]) -> tuple[ApiSettings, ListenerSettings]:
    problems: list[str] = []
    api: ApiSettings | None = None
    listener: ListenerSettings | None = None
    try:
        api = load(ApiSettings, env)
    except SettingsError as error:
        problems += error.problems
    try:
        listener = load(ListenerSettings, env)
    except SettingsError as error:
        problems += error.problems
    if api is None or listener is None:
        raise SettingsError(list(dict.fromkeys(problems)))
    return api, listener
