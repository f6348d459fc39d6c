"""The cookie that a session is kept in: for our own pages alone, out of reach of scripts."""

from typing import Final

from starlette.requests import cookie_parser
from starlette.responses import Response

from streams.dashboard.access.arrival import Arrival

#: With this prefix browsers take it over https alone, from this very host, and send it to no other.
_SECURE: Final = "__Host-wellsentry"
_PLAIN: Final = "wellsentry"


class Cookies:
    """``always_secure``: https is spoken, although nobody tells us."""

    def __init__(self, *, always_secure: bool) -> None:
        self._always_secure = always_secure

    def read(self, arrival: Arrival) -> str | None:
        """What the session's cookie holds."""
        return cookie_parser(arrival.headers.get("cookie", "")).get(self._name(arrival))

    def give(self, response: Response, arrival: Arrival, value: str, lasts_s: float) -> None:
        """Have the browser keep it for so long."""
        response.set_cookie(
            self._name(arrival),
            value,
            max_age=round(lasts_s),
            path="/",
            secure=self._is_secure(arrival),
            httponly=True,
            samesite="strict",
        )

    def take_away(self, response: Response, arrival: Arrival) -> None:
        """Have the browser forget it."""
        response.delete_cookie(
            self._name(arrival), path="/", secure=self._is_secure(arrival), httponly=True, samesite="strict"
        )

    def _name(self, arrival: Arrival) -> str:
        return _SECURE if self._is_secure(arrival) else _PLAIN

    def _is_secure(self, arrival: Arrival) -> bool:
        return self._always_secure or arrival.is_https
