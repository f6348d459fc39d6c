"""How much one viewer, and one address, may ask: requests, answers, failed sign-ins, open sockets."""

import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from schemas.errors import RefusedRequest
from streams.dashboard.access.buckets import Allowance, Buckets

#: Several people may come from one address.
_VIEWERS_OF_AN_ADDRESS: Final = 4
#: So many seconds' worth may come at once: a page asks for several things.
_BURST_S: Final = 10.0
_FAILURES: Final = Allowance(per_s=0.1, burst=10)
#: A page is drawn in the server and kept for a minute.
_OF_A_PAGE: Final = 5.0
_TRY_AGAIN_S: Final = 10


class Limits:
    """Counts; whatever would be too much is refused with 429 and when to try again. ``now_s`` need only grow."""

    def __init__(
        self,
        requests_per_s: float,
        answers_per_min: float,
        sockets: int,
        sockets_of_a_viewer: int,
        now_s: Callable[[], float],
    ) -> None:
        by_address = requests_per_s * _VIEWERS_OF_AN_ADDRESS
        self._addresses = Buckets(Allowance(by_address, by_address * _BURST_S), now_s)
        self._viewers = Buckets(Allowance(requests_per_s, requests_per_s * _BURST_S), now_s)
        self._answers = Buckets(Allowance(answers_per_min / 60, max(1.0, answers_per_min / 2)), now_s)
        self._failures = Buckets(_FAILURES, now_s)
        self._most_sockets, self._most_of_a_viewer = sockets, sockets_of_a_viewer
        self._sockets: Counter[str] = Counter()

    def request_from(self, address: str) -> None:
        """Anything but a file of the package, by whomever."""
        _require(self._addresses.take(network_of(address)), f"too many requests from {address}")

    def request_of(self, viewer: str) -> None:
        """Of somebody who was let in."""
        _require(self._viewers.take(viewer), f"{viewer} asks too much: dashboard.requests_per_s says how often")

    def page_of(self, viewer: str) -> None:
        """The same, for a page."""
        _require(
            self._viewers.take(viewer, _OF_A_PAGE),
            f"{viewer} opens too many pages: dashboard.requests_per_s says how many, and a page counts five times",
        )

    def answer_of(self, viewer: str) -> None:
        """Feedback."""
        _require(
            self._answers.take(viewer), f"{viewer} gives too much feedback: dashboard.answers_per_min says how much"
        )

    def failure_from(self, address: str) -> None:
        """A try to sign in that failed."""
        _require(self._failures.take(network_of(address)), f"too many failed tries to sign in from {address}")

    def require_room(self, viewer: str) -> None:
        """For one more websocket."""
        if self._sockets[viewer] >= self._most_of_a_viewer:
            raise _too_many(
                f"{viewer} has {self._sockets[viewer]} websockets open, as many as dashboard.sockets_of_a_viewer lets; "
                "each page has two: close some"
            )
        if self._sockets.total() >= self._most_sockets:
            raise _too_many(f"{self._most_sockets} websockets are open, as many as dashboard.sockets lets")

    @contextmanager
    def socket_of(self, viewer: str) -> Iterator[None]:
        """A websocket is open while the block runs."""
        self._sockets[viewer] += 1
        try:
            yield
        finally:
            self._sockets[viewer] -= 1
            if not self._sockets[viewer]:
                del self._sockets[viewer]


def network_of(address: str) -> str:
    """Whom an address is counted for: of IPv6 one host has 2^64 of them.

    >>> network_of("2001:db8::1:2"), network_of("192.0.2.7"), network_of("")
    ('2001:db8::/64', '192.0.2.7', '')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


def _require(wait_s: float, why: str) -> None:
    if wait_s > 0:
        after_s = math.ceil(wait_s)
        raise RefusedRequest(429, "too-many-requests", f"{why}; try again in {after_s} s", after_s)


def _too_many(why: str) -> RefusedRequest:
    return RefusedRequest(429, "too-many-sockets", why, _TRY_AGAIN_S)
