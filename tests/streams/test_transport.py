"""A rebalance while a fetch is under way: what it brought is not delivered, and is fetched again."""

from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord
from faust.types import TP

from streams.runs.run import Run
from streams.runs.transport import RunConsumer

LABELS = TP("labels", 0)


class Consumer(RunConsumer):
    """A consumer whose fetches are given, without Faust around it."""

    def __init__(self) -> None:
        self._held, self._behind, self._begun = set(), False, set()
        self.flow_active = True
        self.position, self.committed = 0, 0
        self.delivered: list[int] = []
        self.during_fetch: Any = lambda: None
        self.app = SimpleNamespace(
            consumer_generation_id=1, hold_back=self._nothing, begin_gently=frozenset(), plainly=frozenset()
        )

    async def _nothing(self, _: set[TP]) -> set[TP]:
        return set()

    async def wait(self, _: Any) -> None:  # type: ignore[override]
        self.flow_active = True

    def _get_active_partitions(self) -> set[TP]:
        return {LABELS}

    async def _getmany(self, **_: Any) -> dict[TP, list[ConsumerRecord]]:  # type: ignore[override]
        self.during_fetch()
        offset, self.position = self.position, self.position + 1
        return {LABELS: [ConsumerRecord("labels", 0, offset, 0, 0, None, b"", -1, 0, 0, ())]}

    def _is_changelog_tp(self, tp: TP) -> bool:  # noqa: ARG002
        return False

    async def _deliver(self, runs: list[Run]) -> None:
        self.delivered += [record.offset for run in runs for record in run.records]

    async def perform_seek(self) -> None:
        self.position = self.committed

    can_resume_flow = None


async def test_a_fetch_that_outlasts_a_whole_rebalance_loses_nothing() -> None:
    consumer = Consumer()

    def rebalance() -> None:
        # Positions were set back to what is committed before this fetch took its records; the flow is not resumed yet.
        consumer.flow_active = False
        consumer.app.consumer_generation_id += 1
        consumer.during_fetch = lambda: None

    consumer.during_fetch = rebalance
    for _ in range(4):
        await consumer._deliver_next_fetch()
    assert consumer.delivered == [0, 1]


async def test_what_a_fetch_of_an_older_generation_brought_is_fetched_again() -> None:
    consumer = Consumer()

    def rebalance() -> None:
        consumer.app.consumer_generation_id += 1
        consumer.during_fetch = lambda: None

    consumer.during_fetch = rebalance
    for _ in range(3):
        await consumer._deliver_next_fetch()
    assert consumer.delivered == [0, 1]
