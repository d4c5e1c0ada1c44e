"""Who calls: the client's address as limits count it, and the id that follows the request."""

import ipaddress
import re
import uuid
from typing import cast

from chalice.app import Request

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IPV6_PREFIX = 64


def request_id_of(request: Request) -> str:
    """The caller's `X-Request-Id` if it is a UUID, else the gateway's, else a new one.

    Only a UUID, because the id is logged: anything freer could carry an order id into the log.
    """
    for candidate in (
        request.headers.get("x-request-id", ""),
        request.context.get("requestId") or "",
    ):
        if _UUID.fullmatch(candidate.lower()):
            return cast("str", candidate.lower())
    return str(uuid.uuid4())


def client_of(request: Request, trusted_hops: int) -> str:
    """The client's address: an IPv4 address, or the /64 network of an IPv6 one.

    Each of the `trusted_hops` proxies in front of us appended the address it saw to
    `X-Forwarded-For`, so the client's is that many entries from the right; whatever lies further
    left was written by the client.
    """
    peer: str = request.context.get("identity", {}).get("sourceIp") or ""
    if trusted_hops:
        forwarded = [one.strip() for one in request.headers.get("x-forwarded-for", "").split(",")]
        if len(forwarded) >= trusted_hops:
            return _network(forwarded[-trusted_hops]) or _network(peer)
    return _network(peer)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), IPV6_PREFIX), strict=False))
