"""Where a worker dies: before, between and in the middle of its durable steps.

readings:  judged ─▶ snapshot ─▶ labels ─▶ changelog ─▶ offsets
models:    drained ─▶ adopted ─▶ changelog ─▶ offset
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from streams.worker import durable, pipeline
from streams.worker.durable import Durable
from tests.chaos.dying import Countdown, after, after_awaiting, around, before


def _snapshot_taken(countdown: Countdown) -> None:
    after(Durable, "_take_snapshot", countdown)


def _labels_half_sent(countdown: Countdown) -> None:
    async def wrap(send_run: Any, app: Any, topic: str, partition: int, records: Any) -> Any:
        if topic.endswith(".labels") and len(records) > 1 and countdown.is_last():
            await send_run(app, topic, partition, records[: len(records) // 2])
            countdown.strike()
        return await send_run(app, topic, partition, records)

    around(durable, "send_run", wrap)


def _labels_of_one_partition_sent(countdown: Countdown) -> None:
    after_awaiting(Durable, "_send_labels", countdown)


class _Adopting:
    """Whether what is written now is a model's adoption: between adopting and committing it nothing else is."""

    def __init__(self) -> None:
        self.now = False
        around(pipeline, "adopt", self._begin)
        around(pipeline, "commit_offsets", self._end)

    def _begin(self, adopt: Any, *args: Any) -> Any:
        self.now = True
        return adopt(*args)

    def _end(self, commit_offsets: Any, *args: Any) -> Any:
        self.now = False
        return commit_offsets(*args)


def _in_write(countdown: Countdown, *, adopting: bool) -> None:
    state = _Adopting()

    async def wrap(write: Any, self: Durable, records: Any) -> None:
        if state.now == adopting:
            countdown.pass_by()
        await write(self, records)

    around(Durable, "write", wrap)


def _labels_sent(countdown: Countdown) -> None:
    _in_write(countdown, adopting=False)


def _model_adopted(countdown: Countdown) -> None:
    _in_write(countdown, adopting=True)


def _in_append(countdown: Countdown, *, adopting: bool, part: Callable[[list[Any]], list[Any]]) -> None:
    state = _Adopting()

    async def wrap(append: Any, self: Durable, partition: int, records: list[Any]) -> None:
        if state.now == adopting and len(records) > 1 and countdown.is_last():
            await append(self, partition, part(records))
            countdown.strike()
        await append(self, partition, records)

    around(Durable, "_append", wrap)


def _changelog_half_written(countdown: Countdown) -> None:
    _in_append(countdown, adopting=False, part=lambda records: records[: len(records) // 2])


def _model_written_without_its_heads(countdown: Countdown) -> None:
    _in_append(countdown, adopting=True, part=lambda records: [r for r in records if not r[0].endswith(b"\x1fh")])


def _changelog_written(countdown: Countdown) -> None:
    before(Durable, "_commit", countdown)


def _committed(countdown: Countdown) -> None:
    after_awaiting(Durable, "_commit", countdown)


def _model_written(countdown: Countdown) -> None:
    before(pipeline, "commit_offsets", countdown)


def _model_committed(countdown: Countdown) -> None:
    after_awaiting(pipeline, "commit_offsets", countdown)


READING_POINTS: Final[Mapping[str, Callable[[Countdown], None]]] = {
    "snapshot taken": _snapshot_taken,
    "labels half sent": _labels_half_sent,
    "labels of one partition sent": _labels_of_one_partition_sent,
    "labels sent": _labels_sent,
    "changelog half written": _changelog_half_written,
    "changelog written": _changelog_written,
    "committed": _committed,
}
MODEL_POINTS: Final[Mapping[str, Callable[[Countdown], None]]] = {
    "model adopted": _model_adopted,
    "model written without its heads": _model_written_without_its_heads,
    "model written": _model_written,
    "model committed": _model_committed,
}
POINTS: Final = {**READING_POINTS, **MODEL_POINTS}
