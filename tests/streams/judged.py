"""An installation whose topics, registry and table hold what its programs would have put there, made in this process.

What a worker, a trainer and a sink do at their own pace happens here at fixed places, so the same readings give the same
labels every time, and no process has to be waited for.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from models.engine.engine import Engine
from models.engine.labels import Stamp
from models.engine.machines import Machines
from schemas.labels import Label
from schemas.training import ModelUpdate, TrainingRequest
from streams.build_info import BuildInfo
from streams.partitions import partition_of
from streams.registry import Registry
from streams.settings import Settings
from streams.trainer.making import handle_request
from streams.worker.alone import Alone
from streams.worker.limits import Limits
from streams.worker.pipeline import engine_parts
from tests.streams.trainer_parts import QUICK
from tests.topics_at_hand import TopicsAtHand

BUILD = BuildInfo(version="0.1.0", git_commit="5eed", tree_clean=True)
_RUN: Final = 200
_FIRST_FIT: Final = datetime(2026, 11, 24, tzinfo=UTC)


class Judged:
    """Feeds, judges, trains: one partition after the other."""

    def __init__(self, settings: Settings, build: BuildInfo = BUILD) -> None:
        self.settings, self.build = settings, build
        self.at = TopicsAtHand(settings)
        self.registry = Registry(settings.registry)
        self.labels: list[bytes] = []  # as they were sent
        self.updates: list[ModelUpdate] = []
        self._fits = 0
        self.sent = dict.fromkeys(range(settings.broker.partitions), 0)  # messages by partition

    def feed(self, messages: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Send messages to the readings topic, each to the partition of its key."""
        there = [(key or b"", value) for key, value in messages]
        self.at.send(self.settings.topics.readings.name, there)
        for key, _ in there:
            self.sent[partition_of(key.decode(errors="replace"), self.settings.broker.partitions)] += 1

    def judge(self, fit_to: Callable[[TrainingRequest], TrainingRequest] = lambda request: request) -> None:
        """Judge all that is on the readings topic, from the first; labels, models and their states where they belong.

        A model is in force from the run after the one that asked for it. ``fit_to``: what is fitted in its place.
        """
        records = self._all_readings()
        for number, some in records.items():
            alone = Alone(self._engine(number), self._stamp(), Limits(65_536, 10_000))
            for first in range(0, len(some), _RUN):
                alone.judge(some[first : first + _RUN])
                output = alone.take_output()
                self.labels += [value or b"" for _, value in output.labels]
                self.at.send(self.settings.topics.labels.name, output.labels)
                for _, value in output.training:
                    self._train(alone, fit_to(TrainingRequest.model_validate_json(value or b"")))

    def of(self, machine: str) -> list[Label]:
        """The labels of a machine, in the order in which they were given."""
        found = [Label.model_validate_json(one) for one in self.labels]
        return [one for one in found if one.machine_id == machine]

    def _train(self, alone: Alone, request: TrainingRequest) -> None:
        self._fits += 1
        entry = handle_request(request, _FIRST_FIT + timedelta(minutes=self._fits), QUICK, self.build)
        self.registry.store(entry)
        self.updates.append(entry.update)
        alone.engine.adopt(entry.update, alone.next_offset)

    def _engine(self, number: int) -> Engine:
        return Engine(Machines(*engine_parts(self.settings.worker)), number)

    def _stamp(self) -> Stamp:
        return Stamp(self.settings.topics.readings.name, self.build.version, self.build.git_commit)

    def _all_readings(self) -> dict[int, list[Any]]:
        topic, numbers = self.settings.topics.readings.name, range(self.settings.broker.partitions)
        reader = self.at.reader(topic)
        found: dict[int, list[Any]] = {number: [] for number in numbers}
        while any(len(records) < self.sent[number] for number, records in found.items()):
            found = {number: [one for one in reader.more() if one.partition == number] for number in numbers}
        return found

    def close(self) -> None:
        """Let go of the broker."""
        self.at.close()
