"""The worker's table store: one engine for each partition, in memory, made durable by the changelog.

A partition that stays ours over a rebalance keeps its engine, as long as the changelog holds nothing that the engine does not
know. Where it does (another worker had the partition meanwhile, or a write was durable and we never heard of it) the engine
is behind, and the changelog is read whole again.

Faust finds it as ``wellsentry://`` by its entry point in ``pyproject.toml``. Faust's recovery drives it: which partitions are
ours, from which offset to read, when all is back. Records reach it in runs (``apply_run``), not one by one.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from faust.stores import memory
from faust.types import TP, EventT

from models.engine.engine import Engine
from streams.log import get_logger

log = get_logger(__name__)

NewEngine = Callable[[], Engine]
#: Runs of all records of a changelog partition.
ReadWhole = Callable[[TP], AsyncIterator[Iterable[Any]]]


class StateStore(memory.Store):  # type: ignore[misc]
    """Engines by partition. Of the table's options ``new_engine`` makes an empty one, ``read_whole`` reads a changelog."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._new_engine: NewEngine = self.options["new_engine"]
        self._read_whole: ReadWhole = self.options["read_whole"]
        self.engines: dict[int, Engine] = {}
        self._live: set[int] = set()  # partitions whose engines are back and may have judged since
        self._behind: set[TP] = set()  # changelogs in which something is that a live engine does not know
        self._applied: dict[TP, int] = {}  # changelog offset up to which an engine is as the changelog says

    def engine(self, partition: int) -> Engine:
        """The engine of a partition; an empty one if there was none."""
        engine = self.engines.get(partition)
        if engine is None:
            engine = self.engines[partition] = self._new_engine()
        return engine

    def apply_run(self, tp: TP, records: Sequence[Any]) -> None:
        """Read a run of changelog records back."""
        self._applied[tp] = records[-1].offset
        if tp.partition in self._live:
            self._behind.add(tp)
        else:
            self._restore(tp, records)

    def _restore(self, tp: TP, records: Iterable[Any]) -> None:
        engine = self.engine(tp.partition)
        for record in records:
            if record.value:
                engine.restore(record.key, record.value)

    def apply_changelog_batch(
        self, batch: Iterable[EventT], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Nothing: the runs were applied when they came; Faust shows only their last offsets here."""

    def persisted_offset(self, tp: TP) -> int | None:
        """Last changelog offset whose record is part of the engine's state."""
        return self._applied.get(tp) if tp.partition in self.engines else None

    def written(self, tp: TP, offset: int) -> None:
        """Remember that the changelog, up to ``offset``, holds nothing the engine does not have."""
        self._applied[tp] = offset

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],  # noqa: ARG002 - Faust's signature
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,  # noqa: ARG002
    ) -> None:
        """Forget partitions that are no longer ours; whoever owns them reads the changelog."""
        ours = {tp.partition for tp in assigned}
        for partition in [p for p in self.engines if p not in ours]:
            del self.engines[partition]
        self._live &= self.engines.keys()
        for tp in [tp for tp in self._applied if tp.partition not in ours]:
            del self._applied[tp]

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:  # noqa: ARG002
        """Bring engines up to date that are behind, and make all that were read back ready to judge."""
        for tp in self._behind & active_tps:
            log.warning("state is behind, reading it whole again", action="behind", partition=tp.partition)
            self.engines.pop(tp.partition, None)
            self._live.discard(tp.partition)
            async for records in self._read_whole(tp):
                self._restore(tp, records)
        self._behind.clear()
        back = self.engines.keys() - self._live
        restored = sum(self.engines[partition].finish_restore() for partition in back)
        self._live |= back
        log.info("state is back", action="recovered", machines=restored, partitions=len(active_tps))
