"""What a connection brings along: from where it comes, under which name it asks, and what a proxy says of it. Pure.

Headers that only a proxy may set are believed from proxies in the settings, and taken off every request: what comes behind
the gate cannot believe them by mistake.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
_SPOOFED: Final = (b"x-forwarded-", b"forwarded", b"x-real-ip")


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which are believed, and in which headers they name users."""

    networks: Sequence[IpNetwork] = ()
    user_header: str | None = None
    groups_header: str | None = None

    def believes(self, address: str) -> bool:
        """Whether ``address`` is one of theirs."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class SaidByProxy:
    """Whom a proxy let in."""

    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request or websocket, before anybody is let in."""

    kind: str  # http or websocket
    method: str  # of a websocket GET
    path: str
    query: str
    address: str  # of whoever asks, behind all proxies
    is_https: bool
    headers: Headers
    said: SaidByProxy | None

    @property
    def host(self) -> str:
        """Under which name it asks, with the port where there is one."""
        return self.headers.get("host", "").lower()


def arrival_of(scope: Scope, proxies: Proxies) -> Arrival:
    """The connection of ``scope``, which is left as it is."""
    headers = Headers(raw=scope["headers"])
    peer = str(scope["client"][0]) if scope.get("client") else ""
    by_proxy = proxies.believes(peer)
    scheme = str(scope["scheme"])
    if by_proxy and (told := headers.get("x-forwarded-proto")):
        scheme = told.rsplit(",", 1)[-1].strip()
    return Arrival(
        kind=scope["type"],
        method=scope.get("method", "GET"),
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        address=_behind(headers, peer, proxies) if by_proxy else peer,
        is_https=scheme in ("https", "wss"),
        headers=headers,
        said=_said(headers, proxies) if by_proxy else None,
    )


def without_proxy_headers(raw: Sequence[tuple[bytes, bytes]], proxies: Proxies) -> list[tuple[bytes, bytes]]:
    """Headers as they go on."""
    named = {name.lower().encode() for name in (proxies.user_header, proxies.groups_header) if name}
    return [(name, value) for name, value in raw if not name.startswith(_SPOOFED) and name not in named]


def _behind(headers: Headers, peer: str, proxies: Proxies) -> str:
    """The last address that no proxy of ours vouches for: what is further left anybody may have written."""
    found = peer
    for told in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
        address = told.strip()
        try:
            ipaddress.ip_address(address)
        except ValueError:
            break
        found = address
        if not proxies.believes(address):
            break
    return found


def _said(headers: Headers, proxies: Proxies) -> SaidByProxy | None:
    if proxies.user_header is None:
        return None
    names = headers.getlist(proxies.user_header)
    if len(names) != 1 or not names[0].strip():  # two: one of them may be the asker's own
        return None
    groups = ",".join(headers.getlist(proxies.groups_header)) if proxies.groups_header else ""
    return SaidByProxy(names[0].strip(), tuple(one.strip() for one in groups.split(",") if one.strip()))
