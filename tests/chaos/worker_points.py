"""Where a worker dies: before, between and in the middle of its durable steps.

readings:  judged ─▶ state taken ─▶ labels ─▶ changelog ─▶ offsets
models:    announced ─▶ adopted ─▶ labels ─▶ changelog ─▶ offset
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from models.engine.layout import HEAD, SEPARATOR
from streams.worker import adopter, changelog, durable
from streams.worker.changelog import Changelog
from streams.worker.durable import Durable
from tests.chaos.dying import Countdown, after, after_awaiting, around, before

Records = list[Any]


def _state_taken(countdown: Countdown) -> None:
    def wrap(take: Any, *args: Any, **kwargs: Any) -> Any:
        taken = take(*args, **kwargs)
        if taken:
            countdown.pass_by()
        return taken

    around(Durable, "_take_state", wrap)


def _labels_half_sent(countdown: Countdown) -> None:
    async def wrap(send_run: Any, app: Any, topic: str, partition: int, records: Records) -> Any:
        if topic.endswith(".labels") and len(records) > 1 and countdown.is_last():
            await send_run(app, topic, partition, records[: len(records) // 2])
            countdown.strike()
        return await send_run(app, topic, partition, records)

    around(durable, "send_run", wrap)


def _labels_of_one_partition_sent(countdown: Countdown) -> None:
    after_awaiting(Durable, "_send_labels", countdown)


def _labels_sent(countdown: Countdown) -> None:
    async def wrap(append: Any, self: Changelog, records: Any) -> None:
        if any(records.values()):
            countdown.pass_by()
        await append(self, records)

    around(Changelog, "append", wrap)


def _writing(countdown: Countdown, chosen: Callable[[Records], bool], part: Callable[[Records], Records]) -> None:
    """Die when a part of such records is in the changelog."""

    async def wrap(send_run: Any, app: Any, topic: str, partition: int, records: Records) -> Any:
        if chosen(records) and countdown.is_last():
            await send_run(app, topic, partition, part(records))
            countdown.strike()
        return await send_run(app, topic, partition, records)

    around(changelog, "send_run", wrap)


def _has_models(records: Records) -> bool:
    return any(key.rpartition(SEPARATOR)[2].startswith(b"m") for key, _ in records)


def _changelog_half_written(countdown: Countdown) -> None:
    _writing(countdown, lambda records: len(records) > 1, lambda records: records[: len(records) // 2])


def _model_written_without_its_heads(countdown: Countdown) -> None:
    _writing(countdown, _has_models, lambda records: [r for r in records if r[0].rpartition(SEPARATOR)[2] != HEAD])


def _model_written_with_half_of_its_heads(countdown: Countdown) -> None:
    # Kafka takes a batch whole or not at all, and that has room for some 1,700 heads: a larger fleet's come in several.
    _writing(
        countdown,
        lambda records: len(records) > 3 and _has_models(records),
        lambda records: records[: 1 + len(records) // 2],
    )


def _changelog_written(countdown: Countdown) -> None:
    before(Changelog, "_commit", countdown)


def _committed(countdown: Countdown) -> None:
    after_awaiting(Changelog, "_commit", countdown)


def _model_adopted(countdown: Countdown) -> None:
    after(adopter, "adopt", countdown)


def _model_written(countdown: Countdown) -> None:
    before(adopter, "commit_offsets", countdown)


def _model_committed(countdown: Countdown) -> None:
    after_awaiting(adopter, "commit_offsets", countdown)


READING_POINTS: Final[Mapping[str, Callable[[Countdown], None]]] = {
    "state taken": _state_taken,
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
    "model written with half of its heads": _model_written_with_half_of_its_heads,
    "model written": _model_written,
    "model committed": _model_committed,
}
POINTS: Final = {**READING_POINTS, **MODEL_POINTS}
