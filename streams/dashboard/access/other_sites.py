"""What other sites make a browser do in the name of whoever is signed in: refused. Pure.

A browser says from where a request comes: ``Origin`` with everything that changes something and with each websocket, and
``Sec-Fetch-Site`` where the connection is safe. Programs with a token of their own are no browsers and exempt.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from schemas.errors import RefusedRequest
from streams.dashboard.access.arrival import Arrival

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def require_known_host(arrival: Arrival, hosts: Collection[str]) -> None:
    """Raise :class:`RefusedRequest` unless it asks under an address, as localhost, or under one of ``hosts``.

    A foreign name that was made to point here (DNS rebinding) would let a foreign page read us as its own.
    """
    name = _host_name(arrival.host)
    if name is None or not (_is_address(name) or name == "localhost" or name in {_host_name(one) for one in hosts}):
        raise RefusedRequest(
            421,
            "unknown-host",
            f"this dashboard is not known as {arrival.host[:200]!r}: if it should be, add that name to dashboard.hosts",
        )


def require_own_site(arrival: Arrival, hosts: Collection[str], *, by_credentials_of_the_browser: bool) -> None:
    """Raise :class:`RefusedRequest` where another site is behind a request.

    With ``by_credentials_of_the_browser`` (a cookie, or a proxy's word) who does not say from where it comes is refused too.
    """
    changes = arrival.kind == "websocket" or arrival.method not in _SAFE
    origin = arrival.headers.get("origin")
    site = arrival.headers.get("sec-fetch-site")
    if origin is not None:
        # The scheme is not compared: behind a proxy that does not tell it we would be wrong about ours.
        if _netloc(origin) not in {arrival.host, *hosts}:
            raise _another_site(origin[:200])
    elif site in ("cross-site", "same-site"):
        if changes or not _is_followed_link(arrival):
            raise _another_site(site)
    elif site is None and changes and by_credentials_of_the_browser:
        raise RefusedRequest(
            403,
            "no-origin",
            "this request changes something and has no Origin header: a browser sends one; programs use "
            "Authorization: Bearer with a token",
        )


def _is_followed_link(arrival: Arrival) -> bool:
    """Somebody goes to a page, rather than a page of theirs taking something from here."""
    return (
        arrival.headers.get("sec-fetch-mode") == "navigate"
        and arrival.headers.get("sec-fetch-dest", "document") == "document"
    )


def _another_site(origin: str) -> RefusedRequest:
    return RefusedRequest(
        403,
        "another-site",
        f"this comes from another site ({origin}). If a proxy gives this dashboard another name, add that to dashboard.hosts",
    )


def _netloc(origin: str) -> str | None:
    """None for ``null``, as sandboxed pages and files have it."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
