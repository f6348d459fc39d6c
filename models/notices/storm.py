"""The storm guard: incidents one by one as long as they are few, many of them in one notice.

It decides for one target, with the clock passed in. At most ``at_most`` single notices are told in any ``window_s``. Where
more wait, they are gathered for ``gather_s`` and told in one; after that nothing is told until ``window_s`` is over, and what
came in the meantime is looked at in the same way.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do now with what waits."""

    what: Literal["one_by_one", "sum_up", "wait"]
    until_s: float = 0.0  # wait: nothing changes before


ONE_BY_ONE: Final = Verdict("one_by_one")


@dataclass(slots=True)
class StormGuard:
    """Of one target. Times are seconds of a clock that never goes back."""

    at_most: int  # 0: no bound, one by one for ever
    window_s: float
    gather_s: float
    _told_s: deque[float] = field(default_factory=deque)  # when single notices were told, in the last window
    _summed_s: float | None = None  # when a summary was told last
    _more_since_s: float | None = None  # since when more wait than may be told one by one

    def decide(self, waiting: int, now_s: float) -> Verdict:
        """What to do where ``waiting`` incidents, one at least, wait to be told."""
        if self.at_most == 0:
            return ONE_BY_ONE
        while self._told_s and self._told_s[0] <= now_s - self.window_s:
            self._told_s.popleft()
        if self._summed_s is not None and now_s < self._summed_s + self.window_s:
            return Verdict("wait", self._summed_s + self.window_s)
        if waiting <= self.at_most - len(self._told_s):
            self._more_since_s = None
            return ONE_BY_ONE
        if self._more_since_s is None:
            self._more_since_s = now_s
        if now_s < self._more_since_s + self.gather_s:
            return Verdict("wait", self._more_since_s + self.gather_s)
        return Verdict("sum_up")

    def told_one(self, now_s: float) -> None:
        """A single notice went out."""
        if self.at_most:
            self._told_s.append(now_s)

    def summed_up(self, now_s: float) -> None:
        """What waited was made one notice."""
        self._summed_s, self._more_since_s = now_s, None
