"""Token buckets: so much at once, and so much a second from then on. Pure; the time is passed in."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MOST_KEYS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left in it, and when that was."""

    left: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much fits, and how fast it fills."""

    per_s: float
    burst: float

    def full(self, now_s: float) -> Bucket:
        """One from which nothing was taken."""
        return Bucket(self.burst, now_s)

    def take(self, bucket: Bucket, amount: float, now_s: float) -> tuple[Bucket, float]:
        """The bucket without ``amount`` and 0; or as it is and how many seconds to wait.

        >>> allowance = Allowance(per_s=2, burst=1)
        >>> allowance.take(Bucket(left=1, at_s=10), 1, now_s=10)
        (Bucket(left=0.0, at_s=10), 0.0)
        >>> allowance.take(Bucket(left=0, at_s=10), 1, now_s=10.25)
        (Bucket(left=0.5, at_s=10.25), 0.25)
        """
        now_s = max(now_s, bucket.at_s)
        left = min(self.burst, bucket.left + (now_s - bucket.at_s) * self.per_s)
        wanted = min(amount, self.burst)  # else it would wait for ever
        if left >= wanted:
            return Bucket(float(left - wanted), now_s), 0.0
        return Bucket(left, now_s), (wanted - left) / self.per_s


class Buckets:
    """One bucket for each key. Of so many keys that those longest unused are forgotten: these are full again, or nearly."""

    def __init__(self, allowance: Allowance, now_s: Callable[[], float], most_keys: int = _MOST_KEYS) -> None:
        self._allowance, self._now_s, self._most_keys = allowance, now_s, most_keys
        self._of: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, amount: float = 1.0) -> float:
        """0 if ``amount`` was taken; else after how many seconds it is worth another try."""
        now_s = self._now_s()
        bucket, wait_s = self._allowance.take(self._of.get(key) or self._allowance.full(now_s), amount, now_s)
        self._of[key] = bucket
        self._of.move_to_end(key)
        if len(self._of) > self._most_keys:
            self._of.popitem(last=False)
        return wait_s

    def __len__(self) -> int:
        return len(self._of)
