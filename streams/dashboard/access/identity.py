"""Who is behind a connection: by a token, by a proxy's word, by a cookie, or because nobody is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from schemas.errors import RefusedRequest
from streams.dashboard.access.arrival import Arrival
from streams.dashboard.access.cookies import Cookies
from streams.dashboard.access.sessions import Session, Sessions
from streams.dashboard.access.tokens import is_token
from streams.dashboard.access.users import Users
from streams.dashboard.viewer import Viewer

#: Without sign-in the dashboard listens on this machine alone, and whoever is on it may do everything.
SOMEBODY: Final = Viewer("somebody", "answer", None)
_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who was let in."""

    viewer: Viewer
    goes_on: Callable[[], bool]  # whether they would still be let in, as the same
    by: Literal["nothing", "token", "proxy", "cookie"]
    session: Session | None = None

    @property
    def by_browser(self) -> bool:
        """Whether whatever this browser sends is vouched for, whoever made it do so."""
        return self.by in ("proxy", "cookie")


class Knows(Protocol):
    """Tells who is behind a connection."""

    def of(self, arrival: Arrival) -> Identity | None:
        """None for nobody. Raises :class:`BadToken`."""
        ...


class BadToken(RefusedRequest):
    """A token was given that is nobody's."""

    def __init__(self) -> None:
        super().__init__(401, "bad-token", "this token is nobody's: ask whoever runs wellsentry for another one")


class KnowsNobody:
    """Lets everybody in who is on this machine."""

    def of(self, arrival: Arrival) -> Identity | None:  # noqa: ARG002
        """Always the same."""
        return Identity(SOMEBODY, lambda: True, "nothing")


class KnowsUsers:
    """Lets those in who are in the users file."""

    def __init__(self, users: Callable[[], Users], sessions: Sessions, cookies: Cookies) -> None:
        self._users, self._sessions, self._cookies = users, sessions, cookies

    def of(self, arrival: Arrival) -> Identity | None:
        """A token of ours counts first, then a proxy's word, then a cookie."""
        given = arrival.headers.get("authorization", "")
        token = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else None
        if token is not None and (is_token(token) or arrival.said is None):  # proxies hand on what is for themselves
            return self._by_token(token)
        if arrival.said is not None:
            return self._by_proxy(arrival.said.name, arrival.said.groups)
        cookie = self._cookies.read(arrival)
        session = self._sessions.read(cookie) if cookie else None
        return self._by_session(session) if session else None

    def _by_token(self, token: str) -> Identity:
        found = self._users().by_token(token)
        if found is None:
            raise BadToken
        user, key = found
        return Identity(user.viewer, lambda: self._is(user.name, key, user.viewer), "token")

    def _by_proxy(self, name: str, groups: tuple[str, ...]) -> Identity:
        viewer = self._users().by_proxy(name, groups)
        if viewer is None:
            raise RefusedRequest(
                403,
                "unknown-user",
                f"the proxy let {name[:100]!r} in, who is not in the users file, nor one of their groups: "
                "ask whoever runs wellsentry",
            )
        return Identity(viewer, lambda: self._users().by_proxy(name, groups) == viewer, "proxy")

    def _by_session(self, session: Session) -> Identity | None:
        user = self._users().by_key(session.name, session.key)
        if user is None:
            return None
        return Identity(
            user.viewer,
            lambda: self._sessions.goes_on(session) and self._is(session.name, session.key, user.viewer),
            "cookie",
            session,
        )

    def _is(self, name: str, key: str, viewer: Viewer) -> bool:
        user = self._users().by_key(name, key)
        return user is not None and user.viewer == viewer
