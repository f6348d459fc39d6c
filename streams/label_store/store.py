"""The label store: everything the rest of wellsentry asks of DynamoDB."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from schemas.errors import StoreError
from schemas.labels import Label
from schemas.times import LATEST_MS
from streams.label_store.attributes import Item
from streams.label_store.bundle import Bundle
from streams.label_store.offsets import LabelIds
from streams.label_store.packing import label_ids, pack, pack_labels, unpack
from streams.label_store.reading import Reader
from streams.label_store.rows import LabelRow, to_label, to_row
from streams.label_store.table import connect, ensure_table
from streams.label_store.tracks import Track, join
from streams.label_store.writing import BATCH_ITEMS, Put, Retrying, add_up, put_batch
from streams.settings import DynamoSettings, SinkSettings

_DAY_S = 86_400
_Some = TypeVar("_Some")


@dataclass(frozen=True, slots=True)
class Written:
    """What a write cost."""

    labels: int = 0
    items: int = 0
    write_units: float = 0.0
    retries: int = 0


class LabelStore:
    """Labels in DynamoDB. May be used by several threads at once; close it, or use it in a ``with``.

    ``now_s`` (epoch seconds), ``sleep`` and ``uniform`` (from 0 up to 1) serve waiting and expiring. Left to itself it
    waits no longer once it is closed.
    """

    def __init__(
        self,
        settings: DynamoSettings,
        sink: SinkSettings | None = None,
        *,
        now_s: Callable[[], float] = time.time,
        sleep: Callable[[float], None] | None = None,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        sink = sink or SinkSettings()  # type: ignore[call-arg]
        self.table = settings.table
        self._ttl_s = settings.ttl_days * _DAY_S
        self._now_s = now_s
        self._writers = sink.writers
        self._client = connect(settings, sink.writers)
        self._closed = threading.Event()
        self._retrying = Retrying(sink.max_attempts, sleep or self._wait, uniform)
        self._reader = Reader(self._client, self.table, self._retrying)
        self._pool = ThreadPoolExecutor(sink.writers, thread_name_prefix="dynamodb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for requests under way, begin no others, and let go of all connections."""
        self._closed.set()
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _wait(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise StoreError(f"table {self.table}: closed before all items were put; nothing of them is committed")

    def ensure_table(self) -> bool:
        """Create the table if it is missing and wait until it can be used; whether it was created here."""
        return ensure_table(self._client, self.table)

    # -- writing

    def write(self, labels: Iterable[Label]) -> Written:
        """Put ``labels`` into the table; when this returns they are there. The same labels again change nothing.

        Raises :class:`schemas.errors.StoreError` when DynamoDB refuses, or keeps failing.
        """
        return self.write_rows([to_row(label) for label in labels])

    def write_rows(self, rows: Sequence[LabelRow]) -> Written:
        """As :meth:`write`, for labels as the command line has them."""
        items = list(pack(rows, self._ttl_s, self._now_s()))
        return _sum(len(rows), self._pool.map(self._put, _cut(items)))

    def write_bundles(self, bundles: Sequence[Bundle[Any]]) -> Written:
        """As :meth:`write`, for labels as the sink gathers them."""
        return _sum(sum(bundle.labels for bundle in bundles), self._pool.map(self._pack_and_put, _cut(bundles)))

    def _pack_and_put(self, bundles: Sequence[Bundle[Any]]) -> Put:
        now_s = self._now_s()
        items = [item for bundle in bundles for item in pack_labels(bundle.as_labels(), self._ttl_s, now_s)]
        return add_up(map(self._put, _cut(items)))

    def _put(self, items: Sequence[Item]) -> Put:
        return put_batch(self._client, self.table, items, self._retrying)

    # -- reading

    def read(
        self, client_id: str, machine_id: str, from_ms: int, to_ms: int, stack: str | None = None
    ) -> Iterator[Label]:
        """A machine's labels with ``from_ms <= event time < to_ms`` (epoch ms), by event time, offset, revision."""
        return map(to_label, self._reader.rows(client_id, machine_id, from_ms, to_ms, stack))

    def track(self, client_id: str, machine_id: str, from_ms: int, to_ms: int, stack: str) -> Track:
        """The same labels of one stack in columns, as far as a chart draws them: each reading once, by the one that holds."""
        found = join(self._reader.tracks(client_id, machine_id, from_ms, to_ms, stack))
        return found.at((from_ms <= found.times_ms) & (found.times_ms < to_ms))

    def ids_of(self, client_id: str, machine_id: str, from_ms: int, to_ms: int) -> set[str]:
        """The ids of a machine's labels with ``from_ms <= event time < to_ms`` (epoch ms), and of some beside them."""
        return set(self._reader.ids(client_id, machine_id, from_ms, to_ms))

    def newest(self, client_id: str, machine_id: str) -> Label | None:
        """The machine's newest label, None if it has no labels."""
        row = self._reader.newest(client_id, machine_id)
        return None if row is None else to_label(row)

    def rows_of(self, client_id: str, machine_id: str) -> Iterator[LabelRow]:
        """All labels of a machine, each once."""
        return self._reader.rows(client_id, machine_id, 0, LATEST_MS + 1, None)

    def rows(self) -> Iterator[LabelRow]:
        """All labels of the table in no order. One that two writes put into different items comes twice."""
        for item in self._reader.scan():
            yield from unpack(item)

    def count(self) -> int:
        """How many different labels (by ``label_id``) the table holds. Reads all of it, several parts at a time."""
        seen = LabelIds()
        for ids in self._pool.map(self._ids_of_part, range(self._writers)):
            seen.update(ids)
        return len(seen)

    def _ids_of_part(self, part: int) -> LabelIds:
        ids = LabelIds()
        for item in self._reader.scan_ids(part, self._writers):
            for label_id in label_ids(item):
                ids.add(label_id)
        return ids


def _cut(things: Sequence[_Some]) -> Iterator[Sequence[_Some]]:
    """So many at a time as go into a request."""
    return (things[at : at + BATCH_ITEMS] for at in range(0, len(things), BATCH_ITEMS))


def _sum(labels: int, puts: Iterable[Put]) -> Written:
    put = add_up(puts)
    return Written(labels, put.items, put.write_units, put.retries)
