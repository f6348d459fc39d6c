"""Sessions of browsers: a signed cookie that says who signed in with which token, and until when.

Nothing is kept here but who signed out before their session's end. With the same secret several dashboards know the same
sessions; with a random one everybody signs in again after a start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

_SALT: Final = "wellsentry-dashboard-session"
_MOST_SIGNED_OUT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Session:
    """Of one browser."""

    session_id: str
    name: str
    key: str  # of the token it was opened with
    ends_s: float  # epoch seconds


class Sessions:
    """Makes cookies and reads them. ``now_s`` is the time, epoch seconds; ``new_id`` gives names that were never given."""

    def __init__(self, secret: str, lasts_s: float, now_s: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._signer = URLSafeSerializer(secret, salt=_SALT, signer_kwargs={"key_derivation": "hmac"})
        self.lasts_s, self._now_s, self._new_id = lasts_s, now_s, new_id
        self._signed_out: dict[str, float] = {}  # ids, and when their sessions would have ended

    def open(self, name: str, key: str) -> str:
        """The cookie of a new one."""
        return str(self._signer.dumps([self._new_id(), name, key, round(self._now_s() + self.lasts_s)]))

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None if it is none of ours, or over."""
        try:
            session = Session(*self._signer.loads(cookie))
        except (BadData, TypeError):
            return None
        return session if self.goes_on(session) else None

    def goes_on(self, session: Session) -> bool:
        """Whether it is neither over nor signed out."""
        return session.ends_s > self._now_s() and session.session_id not in self._signed_out

    def end(self, session: Session) -> None:
        """Its cookie is good for nothing from now on."""
        if len(self._signed_out) >= _MOST_SIGNED_OUT:
            now_s = self._now_s()
            self._signed_out = {one: ends_s for one, ends_s in self._signed_out.items() if ends_s > now_s}
        self._signed_out[session.session_id] = session.ends_s
