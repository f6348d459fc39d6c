"""What changed since: every change gets the next version, and whoever was shown one version asks for what came later.

So nothing has to wait in a queue for a slow browser. It is told the latest of whatever changed meanwhile, once: never more
than there are things, however long it was away, and it holds nobody back.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Versions(Generic[K]):
    """Keys in the order of their latest change.

    >>> versions = Versions[str]()
    >>> versions.touch("a"), versions.touch("b"), versions.touch("a")
    (1, 2, 3)
    >>> versions.since(0), versions.since(2), versions.since(3)
    (['a', 'b'], ['a'], [])
    """

    def __init__(self) -> None:
        self.latest = 0
        self._by_key: OrderedDict[K, int] = OrderedDict()

    def touch(self, key: K) -> int:
        """``key`` changed; the version in which it did."""
        self.latest += 1
        self._by_key[key] = self.latest
        self._by_key.move_to_end(key)
        return self.latest

    def of(self, key: K) -> int:
        """The version in which ``key`` changed last; 0 if it never did."""
        return self._by_key.get(key, 0)

    def since(self, version: int) -> list[K]:
        """What changed after ``version``, the latest first. Takes time for these alone."""
        return list(self._newest_first(version))

    def _newest_first(self, version: int) -> Iterator[K]:
        for key, changed in reversed(self._by_key.items()):
            if changed <= version:
                return
            yield key
