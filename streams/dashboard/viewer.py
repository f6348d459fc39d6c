"""Who looks at the dashboard, and what they may."""

from dataclasses import dataclass
from typing import Final, Literal

from starlette.requests import HTTPConnection

Role = Literal["see", "answer"]

#: Whether a connection belongs to a session that can be ended, in its scope.
MAY_SIGN_OUT: Final = "wellsentry.may_sign_out"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person or a program that was let in."""

    name: str
    role: Role
    clients: frozenset[str] | None  # None: all

    def sees(self, client_id: str) -> bool:
        """Whether machines of that client are any of their business.

        >>> Viewer("ann", "see", frozenset({"acme"})).sees("other")
        False
        """
        return self.clients is None or client_id in self.clients

    @property
    def answers(self) -> bool:
        """Whether they may give feedback."""
        return self.role == "answer"


def viewer_of(connection: HTTPConnection) -> Viewer:
    """Who was let in on this connection, page, REST or websocket: the sign-in has put them there."""
    viewer = connection.scope["viewer"]
    assert isinstance(viewer, Viewer), "the sign-in is outermost: nothing is served without it"
    return viewer


def may_sign_out(connection: HTTPConnection) -> bool:
    """Whether they signed in here, and neither through a proxy nor not at all."""
    return bool(connection.scope.get(MAY_SIGN_OUT))
