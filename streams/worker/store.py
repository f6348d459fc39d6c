"""The worker's table store: one engine for each partition, in memory, made durable by the changelog.

Faust finds it as ``wellsentry://`` by its entry point in ``pyproject.toml``. Faust's recovery drives it: which partitions are
ours, from which offset to read, when all is back. Records reach it in runs (``apply_run``), not one by one.
"""

from collections.abc import Callable, Iterable
from typing import Any

from faust.stores import memory
from faust.types import TP, EventT

from models.engine.engine import Engine
from streams.log import get_logger

log = get_logger(__name__)

NewEngine = Callable[[], Engine]


class StateStore(memory.Store):  # type: ignore[misc]
    """Engines by partition. ``options["new_engine"]`` of the table makes an empty one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._new_engine: NewEngine = self.options["new_engine"]
        self.engines: dict[int, Engine] = {}
        self._applied: dict[TP, int] = {}  # changelog offset up to which an engine is as the changelog says

    def engine(self, partition: int) -> Engine:
        """The engine of a partition; an empty one if there was none."""
        engine = self.engines.get(partition)
        if engine is None:
            engine = self.engines[partition] = self._new_engine()
        return engine

    def apply_run(self, tp: TP, records: Iterable[Any]) -> None:
        """Read a run of changelog records back."""
        engine = self.engine(tp.partition)
        offset = -1
        for record in records:
            offset = record.offset
            if record.value:
                engine.restore(record.key, record.value)
        self._applied[tp] = offset

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
        for tp in [tp for tp in self._applied if tp.partition not in ours]:
            del self._applied[tp]

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:  # noqa: ARG002
        """Compute what is not stored, for all machines that were read back."""
        restored = sum(engine.finish_restore() for engine in self.engines.values())
        log.info("state is back", action="recovered", machines=restored, partitions=len(active_tps))
