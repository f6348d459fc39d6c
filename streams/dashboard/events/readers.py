"""Who reads events just now: so many at once, and no more of one viewer."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from schemas.errors import RefusedRequest

_TRY_AGAIN_S: Final = 10


class Readers:
    """Open streams of events, counted."""

    def __init__(self, most: int, most_of_a_viewer: int) -> None:
        self.most, self._most_of_a_viewer = most, most_of_a_viewer
        self._of: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._of.total()

    def require_room(self, viewer: str) -> None:
        """Raise :class:`RefusedRequest` where one more would be too many."""
        if self._of[viewer] >= self._most_of_a_viewer:
            raise _too_many(
                f"{viewer} reads {self._of[viewer]} streams of events already, as many as dashboard.streams_of_a_viewer "
                "lets; end one of them, or take several machines out of one stream"
            )
        if self.count >= self.most:
            raise _too_many(
                f"{self.count} streams of events are read already, as many as dashboard.streams lets; try again later"
            )

    @contextmanager
    def one_more(self, viewer: str) -> Iterator[None]:
        """A stream of ``viewer`` is read while the block runs."""
        self._of[viewer] += 1
        try:
            yield
        finally:
            self._of[viewer] -= 1
            if not self._of[viewer]:
                del self._of[viewer]


def _too_many(why: str) -> RefusedRequest:
    return RefusedRequest(429, "too-many-streams", why, _TRY_AGAIN_S)
