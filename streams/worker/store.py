"""The worker's table store: an engine for each partition, all in the same rows, in memory, made durable by the changelog.

Faust finds it as ``wellsentry://`` by its entry point in ``pyproject.toml``. Faust's recovery drives it: which partitions are
ours, from which offset to read, when all is back. Records reach it in runs (``apply_run``), not one by one.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from faust.stores import memory
from faust.types import TP, EventT

from models.engine.engine import Engine, keep_only
from models.engine.machines import Machines
from schemas.errors import StateError
from streams.log import get_logger

log = get_logger(__name__)

#: Of the record that an owner writes last of all when it claims a partition: what it reads back ends with it.
OWNER_KEY: Final = b"owner"


def restore(engine: Engine, tp: TP, records: Iterable[Any]) -> None:
    """Give ``engine`` changelog records of ``tp``; :class:`StateError` names the one that cannot be read."""
    keep = engine.restore
    offset = -1
    try:
        for record in records:
            value = record.value
            if value and record.key != OWNER_KEY:
                offset = record.offset
                keep(record.key, value)
    except (StateError, ValueError, AttributeError) as error:  # UnicodeDecodeError in a name; no key at all
        raise StateError(
            f"{tp.topic}/{tp.partition}/{offset} is no state record of this version: {error}. If somebody "
            "else wrote to the changelog, stop all workers and delete that record (write its key with no value); if it was "
            "another version of wellsentry, start that one again"
        ) from error


class StateStore(memory.Store):  # type: ignore[misc]
    """Engines by partition. ``options["machines"]`` of the table has room for the machines of all of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.machines: Machines = self.options["machines"]
        self.engines: dict[int, Engine] = {}
        self._live: set[int] = set()  # partitions whose engine was read back and may have judged since
        self._back: set[int] = set()  # partitions of ours whose state is known, be it that there is none
        self._handed_over = False  # all were given up, and what is ours now is not known yet
        self._applied: dict[TP, int] = {}  # changelog offset up to which an engine is as the changelog says
        self._of_claims: dict[TP, int] = {}  # how many offsets at a changelog's end are of our claim to it

    def is_back(self, partition: int) -> bool:
        """Whether a partition's state has been read back since it became ours: nothing may be judged before."""
        return partition in self._back

    def claimed(self, tp: TP, offsets: int) -> None:
        """Remember that our claim to a partition has added so many offsets to its changelog."""
        self._of_claims[tp] = offsets

    def hand_over(self) -> None:
        """Nothing may be judged before the next recovery: an agent may hold a run it took before the rebalance.

        What it judged now would be judged by an engine that is forgotten when the new partitions are known.
        """
        self._back.clear()
        self._handed_over = True

    def engine(self, partition: int) -> Engine:
        """The engine of a partition; an empty one if there was none."""
        engine = self.engines.get(partition)
        if engine is None:
            engine = self.engines[partition] = Engine(self.machines, partition)
        return engine

    def apply_run(self, tp: TP, records: Iterable[Any]) -> None:
        """Read a run of changelog records back, but for those that are part of the engine's state already.

        Recovery begins at the last of these and not behind it. A record read back a second time would be the whole of what
        is known of its machine. Raises :class:`StateError` where somebody else has written behind them.
        """
        known = self._applied.get(tp, -1)
        new = [record for record in records if record.offset > known]
        if not new:
            return
        if tp.partition in self._live:
            raise StateError(
                f"{tp.topic}/{tp.partition} holds records from offset {new[0].offset} on that this worker has not written, "
                "though it kept the partition; it ends, and reads all of them back when it is started again"
            )
        restore(self.engine(tp.partition), tp, new)
        self._applied[tp] = new[-1].offset

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
        self._live.add(tp.partition)

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],  # noqa: ARG002 - Faust's signature
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,  # noqa: ARG002
    ) -> None:
        """Forget partitions that are no longer ours, or that somebody else had meanwhile: the changelog knows better."""
        self._handed_over = False
        kept = [tp for tp in assigned if tp in self._applied]
        ends = await self.app.consumer.highwaters(*kept) if kept else {}
        ends = {tp: (end or 0) - self._of_claims.get(tp, 0) for tp, end in ends.items()}
        moved_on = {tp for tp in kept if ends.get(tp, 0) > self._applied[tp] + 1}
        for tp in moved_on:
            self.app.tables.recovery.revoke(tp)  # or it would begin where we had come to
        for tp in set(kept) - moved_on:
            self._applied[tp] += self._of_claims.get(tp, 0)
        self._of_claims.clear()
        ours = {tp.partition for tp in assigned} - {tp.partition for tp in moved_on}
        self._live &= ours
        self._back &= ours
        for partition in [p for p in self.engines if p not in ours]:
            del self.engines[partition]
        keep_only(self.machines, self.engines.values())
        for tp in [tp for tp in self._applied if tp.partition not in ours]:
            del self._applied[tp]
        log.info("partitions are ours, reading their state", action="assigned", partitions=len(assigned))

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:  # noqa: ARG002
        """Compute what is not stored, for all machines that were read back."""
        if self._handed_over:
            return  # it was completed for partitions that were given up meanwhile; another one follows
        try:
            restored = sum(self.engines[one].finish_restore() for one in self.engines.keys() - self._live)
        except Exception as error:
            await self.app.crash(error)  # nobody looks at what this task ends with
            raise
        self._live |= self.engines.keys()
        self._back |= {tp.partition for tp in active_tps}
        log.info("state is back", action="recovered", machines=restored, partitions=len(active_tps))
