"""`vouchers doctor`: what is wrong with this system, and how to mend it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import click

from chalicelib.domain.progress import Cursor
from chalicelib.domain.staff import Role
from chalicelib.ports import StoreUnavailable
from chalicelib.settings import (
    ApiSettings,
    ListenerSettings,
    SettingsError,
    StoreSettings,
    load,
)
from chalicelib.usecases.health import check_ready
from ops.cli.bootstrap import Tools
from ops.cli.output import emit, json_option
from ops.cli.probe import ChainProbe
from ops.onchain.errors import NodeFailed

S = TypeVar("S", bound=StoreSettings)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found and, where it is wrong, how to mend it."""

    check: str
    ok: bool
    found: str
    fix: str = ""


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Look at settings, store, RPC, contract, catalogue and listener; say what to mend.

    Changes nothing. Exit code 0 where all is well, 1 where anything is wrong, missing settings
    included.

    \b
    Examples:
      vouchers doctor
      vouchers doctor --json | jq '.[] | select(.ok | not)'
    """
    findings = list(examine(ctx.ensure_object(Tools)))
    emit([asdict(one) for one in findings], _report(findings), as_json=as_json)
    if not all(one.ok for one in findings):
        ctx.exit(1)


def examine(tools: Tools) -> Iterator[Finding]:
    """Everything that can be looked at with the settings there are, in the order to mend it."""
    api, api_problems = _load(tools, ApiSettings)
    listener, listener_problems = _load(tools, ListenerSettings)
    yield from _settings_findings([*api_problems, *listener_problems])
    stored, _ = _load(tools, StoreSettings)
    usable = False
    if stored is not None:
        finding = _store_finding(tools)
        usable = finding.ok
        yield finding
    if usable:
        yield from _content_findings(tools, sites_needed=api is None or api.SITES_ENFORCED)
    if listener is not None:
        catalogue = tools.store.catalogue() if usable else None
        token_ids = tuple(kind.token_id for kind in catalogue.types) if catalogue else ()
        for url in listener.RPC_URLS:
            yield from _rpc_findings(tools, listener, url, token_ids)
    if usable:
        default: int = ApiSettings.model_fields["READY_MAX_LAG_SECONDS"].default
        yield _listener_finding(tools, listener, api.READY_MAX_LAG_SECONDS if api else default)


def _report(findings: list[Finding]) -> str:
    lines: list[str] = []
    for one in findings:
        mark = click.style("✓", fg="green") if one.ok else click.style("✗", fg="red")
        lines.append(f"{mark} {one.check}: {one.found}")
        if one.fix:
            lines.append(f"    → {one.fix}")
    wrong = sum(not one.ok for one in findings)
    lines.append("All is well." if not wrong else f"{wrong} thing(s) to mend, from the top.")
    return "\n".join(lines)


def _load(tools: Tools, kind: type[S]) -> tuple[S | None, list[str]]:
    try:
        return load(kind, tools.environ), []
    except SettingsError as error:
        return None, error.problems


def _settings_findings(problems: list[str]) -> Iterator[Finding]:
    if not problems:
        yield Finding("settings", ok=True, found="API and listener have all they need")
    for problem in dict.fromkeys(problems):
        name, _, rule = problem.partition(": ")
        yield Finding(
            f"setting {name}",
            ok=False,
            found=rule,
            fix=f"set {name} in the environment or in .env; .env.example explains it",
        )


def _store_finding(tools: Tools) -> Finding:
    try:
        tools.check_store()
    except StoreUnavailable as error:
        return Finding(
            "store",
            ok=False,
            found=str(error),
            fix="see that the store runs and its settings are right; `vouchers store migrate`"
            " makes or updates tables",
        )
    return Finding("store", ok=True, found="answers, and its schema is the one this version needs")


def _content_findings(tools: Tools, *, sites_needed: bool) -> Iterator[Finding]:
    sites = [site for site in tools.store.sites() if site.enabled]
    if sites or sites_needed:
        yield Finding(
            "sites",
            ok=bool(sites),
            found=f"{len(sites)} enabled",
            fix="" if sites else 'vouchers site add SITE_ID --vi "…" --en "…"',
        )
    catalogue = tools.store.catalogue()
    yield Finding(
        "catalogue",
        ok=catalogue is not None,
        found=f"version {catalogue.version}, {len(catalogue.types)} voucher types"
        if catalogue
        else "none is loaded",
        fix="" if catalogue else "vouchers catalog load ops/seed/catalogue.json",
    )
    admins = [one for one in tools.store.all_staff() if one.role is Role.ADMIN and not one.disabled]
    yield Finding(
        "administrator",
        ok=bool(admins),
        found=f"{len(admins)} can sign in",
        fix="" if admins else "vouchers staff add USERNAME --role ADMIN",
    )


def _rpc_findings(
    tools: Tools, settings: ListenerSettings, url: str, token_ids: tuple[int, ...]
) -> Iterator[Finding]:
    """One endpoint; stops at what makes the rest pointless. Names hosts only: URLs hold keys."""
    name = f"rpc {urlsplit(url).netloc.rpartition('@')[2]}"
    probe = tools.open_probe(url, settings.CONTRACT_ADDRESS, settings.RPC_TIMEOUT_SECONDS)
    try:
        yield from _probe_findings(name, probe, settings, token_ids)
    except NodeFailed as error:
        yield Finding(
            name,
            ok=False,
            found=str(error),
            fix="try another endpoint in RPC_URLS; it must allow eth_getLogs and eth_call"
            " (official public BNB endpoints switch eth_getLogs off)",
        )


def _probe_findings(
    name: str, probe: ChainProbe, settings: ListenerSettings, token_ids: tuple[int, ...]
) -> Iterator[Finding]:
    chain_id = probe.chain_id()
    if chain_id != settings.CHAIN_ID:
        yield Finding(
            name,
            ok=False,
            found=f"serves chain {chain_id}, CHAIN_ID is {settings.CHAIN_ID}",
            fix="let RPC_URLS and CHAIN_ID name the same chain",
        )
        return
    if not probe.has_code():
        yield Finding(
            name,
            ok=False,
            found=f"chain {chain_id} has no contract at {settings.CONTRACT_ADDRESS}",
            fix="set CONTRACT_ADDRESS to the deployed voucher contract",
        )
        return
    head = probe.head()
    count = probe.redemption_count()
    probe.recent_redemptions()
    yield Finding(
        name,
        ok=True,
        found=f"chain {chain_id}, block {head}; the contract counts {count}"
        f" redemption(s), and logs can be read",
    )
    if head < settings.DEPLOY_BLOCK:
        yield Finding(
            "setting DEPLOY_BLOCK",
            ok=False,
            found=f"{settings.DEPLOY_BLOCK} is past the newest block {head}",
            fix="set it to the block in which the contract was deployed",
        )
    finalized = probe.finalized()
    yield Finding(
        f"{name} finality",
        ok=True,
        found=f"block {finalized} is finalized"
        if finalized
        else f"no finalized tag: burns wait {settings.FINALITY_FALLBACK_BLOCKS} blocks",
    )
    missing = sorted(set(token_ids) - probe.enabled_types(token_ids))
    if missing:
        yield Finding(
            f"{name} voucher types",
            ok=False,
            found=f"not created or not enabled in the contract: {', '.join(map(str, missing))}",
            fix="`vouchers type create` or `type enable`, or take them out of the catalogue",
        )


def _listener_finding(tools: Tools, settings: ListenerSettings | None, limit: int) -> Finding:
    cursor = tools.store.cursor()
    if cursor and settings and _elsewhere(cursor, settings):
        return Finding(
            "listener",
            ok=False,
            found=f"the store belongs to contract {cursor.contract} on chain {cursor.chain_id}",
            fix="correct CHAIN_ID and CONTRACT_ADDRESS, or use a store of its own per contract",
        )
    readiness = check_ready(store=tools.store, now=tools.clock.now(), max_lag_seconds=limit)
    wrong = readiness.listener or readiness.rpc
    if wrong:
        return Finding(
            "listener",
            ok=False,
            found=wrong,
            fix="see that it runs (`python -m listener_fn.worker`, or its schedule) and what its"
            " log says",
        )
    return Finding(
        "listener",
        ok=True,
        found=f"last succeeded {readiness.lag_seconds} s ago, {readiness.lag_blocks} block(s)"
        " behind the head",
    )


def _elsewhere(cursor: Cursor, settings: ListenerSettings) -> bool:
    return (cursor.chain_id, cursor.contract) != (settings.CHAIN_ID, settings.CONTRACT_ADDRESS)
