"""The label store: everything the rest of wellsentry asks of DynamoDB."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from schemas.labels import Label
from schemas.times import LATEST_MS
from streams.label_store.attributes import Item
from streams.label_store.offsets import LabelIds
from streams.label_store.packing import label_ids, pack, unpack
from streams.label_store.reading import Reader
from streams.label_store.rows import LabelRow, to_label, to_row
from streams.label_store.table import connect, ensure_table
from streams.label_store.writing import BATCH_ITEMS, Put, Retrying, put_batch
from streams.settings import DynamoSettings, SinkSettings

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Written:
    """What a write cost."""

    labels: int = 0
    items: int = 0
    write_units: float = 0.0
    retries: int = 0


class LabelStore:
    """Labels in DynamoDB. May be used by several threads at once; close it, or use it in a ``with``.

    ``now_s`` (epoch seconds), ``sleep`` and ``uniform`` (from 0 up to 1) serve waiting and expiring.
    """

    def __init__(
        self,
        settings: DynamoSettings,
        sink: SinkSettings | None = None,
        *,
        now_s: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        sink = sink or SinkSettings()  # type: ignore[call-arg]
        self.table = settings.table
        self._ttl_s = settings.ttl_days * _DAY_S
        self._now_s = now_s
        self._writers = sink.writers
        self._client = connect(settings, sink.writers)
        self._retrying = Retrying(sink.max_attempts, sleep, uniform)
        self._reader = Reader(self._client, self.table, self._retrying)
        self._pool = ThreadPoolExecutor(sink.writers, thread_name_prefix="dynamodb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for what is being written and let go of all connections."""
        self._pool.shutdown()
        self._client.close()

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
        """As :meth:`write`, for labels as the sink has them."""
        items = list(pack(rows, self._ttl_s, self._now_s()))
        batches = [items[at : at + BATCH_ITEMS] for at in range(0, len(items), BATCH_ITEMS)]
        puts = list(self._pool.map(self._put, batches))
        return Written(len(rows), len(items), sum(put.write_units for put in puts), sum(put.retries for put in puts))

    def _put(self, items: Sequence[Item]) -> Put:
        return put_batch(self._client, self.table, items, self._retrying)

    # -- reading

    def read(
        self, client_id: str, machine_id: str, from_ms: int, to_ms: int, stack: str | None = None
    ) -> Iterator[Label]:
        """A machine's labels with ``from_ms <= event time < to_ms`` (epoch ms), by event time, offset, revision."""
        return map(to_label, self._reader.rows(client_id, machine_id, from_ms, to_ms, stack))

    def newest(self, client_id: str, machine_id: str) -> Label | None:
        """A label of the machine's newest minute, None if it has no labels."""
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
