"""A table that did not answer is left alone for a while: nobody who looks at a machine should wait for it each time."""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from schemas.errors import StoreError
from streams.label_store import LabelStore
from streams.log import get_logger

log = get_logger(__name__)

T = TypeVar("T")

_LEFT_ALONE_MS: Final = 15_000


class AsksStore(Protocol):
    """What is asked of DynamoDB; :class:`streams.dashboard.rest.stored.Stored` is one."""

    async def ask(self, read: Callable[[LabelStore], T]) -> T:
        """What ``read``, in a thread, makes of the store. Raises :class:`StoreError` as it does."""
        ...


class LeftAlone:
    """Asks ``stored``, and after a failure says the same again for :data:`_LEFT_ALONE_MS` without asking."""

    def __init__(self, stored: AsksStore, now_ms: Callable[[], int]) -> None:
        self._stored, self._now_ms = stored, now_ms
        self._until_ms, self._why = 0, ""

    async def ask(self, read: Callable[[LabelStore], T]) -> T:
        """As :meth:`AsksStore.ask`."""
        if self._now_ms() < self._until_ms:
            raise StoreError(self._why)
        try:
            return await self._stored.ask(read)
        except StoreError as error:
            self._until_ms, self._why = self._now_ms() + _LEFT_ALONE_MS, str(error)
            log.warning("DynamoDB does not answer", action="left_alone", why=self._why)
            raise
