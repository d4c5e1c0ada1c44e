"""What anyone may read: health, configuration, catalogue, token metadata."""

import hashlib
import re

from chalicelib.api.routing import Answer, Call, Nothing, Routes, to_json
from chalicelib.api.schemas import (
    Brand,
    Catalog,
    CatalogSite,
    CatalogType,
    Config,
    DependencyHealth,
    Eip712Domain,
    Health,
    Metadata,
    MetadataProperties,
    NativeCurrency,
    Readiness,
)
from chalicelib.api.views import bilingual
from chalicelib.domain.catalogue import Catalogue
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.order_hash import EIP712_NAME, EIP712_VERSION
from chalicelib.settings import BNB_TESTNET
from chalicelib.usecases.health import check_ready

GAS_DECIMALS = 18
_DECIMAL_ID = re.compile(r"[1-9][0-9]{0,15}")
_HEX_ID = re.compile(r"[0-9a-fA-F]{64}")

routes = Routes("public")


@routes.route("GET", "/health", takes=Nothing, answers={200: Health})
def get_health(_call: Call, _given: Nothing) -> Answer:
    """Whether the process answers; asks nothing else."""
    return Answer(Health(status="ok"))


@routes.route("GET", "/health/ready", takes=Nothing, answers={200: Readiness, 503: Readiness})
def get_readiness(call: Call, _given: Nothing) -> Answer:
    """Whether store, listener and RPC are well, each named; 503 when one is not."""
    services = call.services
    found = check_ready(
        store=services.store,
        now=call.now,
        max_lag_seconds=services.settings.READY_MAX_LAG_SECONDS,
    )
    # Anyone may ask, and what a provider said can name accounts and keys: the log has it.
    rpc = "the listener's last pass failed; its log says why" if found.rpc else ""
    checks = {"store": found.store, "listener": found.listener, "rpc": rpc}
    return Answer(
        Readiness(
            ready=found.ready,
            checks={
                name: DependencyHealth(ok=not detail, detail=detail)
                for name, detail in checks.items()
            },
            lag_seconds=found.lag_seconds,
            lag_blocks=found.lag_blocks,
            head=found.head,
            proven=found.proven,
        ),
        status=200 if found.ready else 503,
    )


@routes.route("GET", "/config", takes=Nothing, answers={200: Config})
def get_config(call: Call, _given: Nothing) -> Answer:
    """Chain, contract, confirmations, brand: what the frontends need to know."""
    settings = call.services.settings
    gas = "tBNB" if settings.CHAIN_ID == BNB_TESTNET else "BNB"
    return Answer(
        Config(
            chain_id=settings.CHAIN_ID,
            chain_name=settings.CHAIN_NAME,
            contract_address=settings.CONTRACT_ADDRESS,
            confirmations=settings.CONFIRMATIONS,
            finality_fallback_blocks=settings.FINALITY_FALLBACK_BLOCKS,
            explorer_url=settings.EXPLORER_URL or None,
            rpc_urls=list(settings.PUBLIC_RPC_URLS),
            native_currency=NativeCurrency(name=gas, symbol=gas, decimals=GAS_DECIMALS),
            gas_help_url=settings.gas_help_url or None,
            order_ttl_seconds=settings.ORDER_TTL_SECONDS,
            brand=Brand(name=settings.BRAND_NAME),
            eip712=Eip712Domain(name=EIP712_NAME, version=EIP712_VERSION),
        ),
        headers={"Cache-Control": "no-cache"},
    )


@routes.route(
    "GET",
    "/catalog",
    takes=Nothing,
    answers={200: Catalog, 304: None},
    refusals={503: ("CATALOGUE_MISSING",)},
    request_headers={"If-None-Match": "the ETag of an earlier answer"},
    answer_headers={"ETag": "changes with the content"},
)
def get_catalog(call: Call, _given: Nothing) -> Answer:
    """Voucher types and sites; 304 while nothing changed."""
    catalogue = _catalogue(call)
    body = to_json(
        Catalog(
            version=catalogue.version,
            types=[
                CatalogType(
                    token_id=kind.token_id,
                    name=bilingual(kind.name),
                    unit=bilingual(kind.unit),
                    group=kind.group.value,
                    sites=list(kind.sites) if kind.sites is not None else None,
                    requires=list(kind.requires),
                    min_amount=kind.min_amount,
                    max_amount=kind.max_amount,
                )
                for kind in catalogue.types
            ],
            sites=[
                CatalogSite(site_id=site.site_id, name=bilingual(site.name))
                for site in call.services.store.sites()
                if site.enabled
            ],
        )
    )
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if _matches(call.headers.get("if-none-match", ""), etag):
        return Answer(status=304, headers=headers)
    return Answer(body, headers=headers)


@routes.route(
    "GET",
    "/metadata/{tokenId}",
    takes=Nothing,
    answers={200: Metadata},
    refusals={404: ("NOT_FOUND",), 503: ("CATALOGUE_MISSING",)},
)
def get_metadata(call: Call, _given: Nothing) -> Answer:
    """ERC-1155 metadata JSON; takes the id in decimal or as the standard's 64 hex digits."""
    kind = _catalogue(call).find(_token_id(call.path["tokenId"]))
    if kind is None:
        raise NotFound("There is no such voucher type.")
    return Answer(
        Metadata(
            name=kind.name["en"],
            description=kind.description["en"],
            decimals=0,
            properties=MetadataProperties(
                token_id=kind.token_id,
                unit=bilingual(kind.unit),
                group=kind.group.value,
                name=bilingual(kind.name),
            ),
        ),
        headers={"Cache-Control": "public, max-age=300"},
    )


def _catalogue(call: Call) -> Catalogue:
    catalogue = call.services.store.catalogue()
    if catalogue is None:
        raise Unavailable("No catalogue is loaded yet.", code="CATALOGUE_MISSING")
    return catalogue


def _token_id(text: str) -> int:
    if _HEX_ID.fullmatch(text):
        return int(text, 16)
    if _DECIMAL_ID.fullmatch(text):
        return int(text)
    raise NotFound("There is no such voucher type.")


def _matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison with any of a list, or `*`."""
    given = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in given or "*" in given
