"""A story: topics and settings of its own, a fleet that feeds them, programs that come and go."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from schemas.topics import DAY_MS
from streams.label_store import LabelStore
from streams.settings import Settings
from streams.topics_admin import create_topics
from tests.chaos.dying import script
from tests.chaos.feeding import Feeding
from tests.chaos.fleet import Fleet
from tests.chaos.topic_settings import alter
from tests.chaos.undisturbed import Build
from tests.chaos.whole_topics import bury, committed, is_read, members
from tests.conftest import MakeSettings
from tests.processes import Process, running, wait_until

#: What the labels of a story say of the code: a commit made meanwhile must not get into them.
COMMIT: Final = "c4a05"
_DIES_WITHIN_S: Final = 120.0
_SETTLES_WITHIN_S: Final = 120.0

#: Settings that make a story short: sessions end soon, state is written often, event times are long ago.
QUICK: Final[dict[str, dict[str, Any]]] = {
    "broker": {"session_timeout_s": 6.0, "heartbeat_interval_s": 0.5},
    "worker": {"changelog_interval_s": 0.1, "status_interval_s": 0.2},
    "trainer": {"trees": 10, "samples_per_tree": 32},
    "sink": {"linger_s": 0.3},
    "dynamodb": {"ttl_days": 3650},
    "log": {"format": "json"},
}


class Story:
    """One installation, its seed, and what happened so far."""

    def __init__(self, name: str, settings: Settings, directory: Path, seed: int, build: Build) -> None:
        self.name, self.settings, self.directory, self.seed, self.build = name, settings, directory, seed, build
        self.random = random.Random(f"{seed}/{name}")
        self.fleet = Fleet(seed)
        self.bursts = 0
        self.kills: dict[str, int] = {}  # by program and place
        self.stalls: dict[str, int] = {}  # by place: workers that stood still there
        self.drained = 0  # programs that were told to end
        create_topics(settings)
        # The proof asks when each adoption was written, and in a long story a later head would replace it.
        alter(settings, "changelog", "min.compaction.lag.ms", str(DAY_MS))
        with LabelStore(settings.dynamodb) as store:
            store.ensure_table()

    # -- what goes in

    @contextlib.contextmanager
    def fed(self, every_s: float = 0.2, model_every: int = 0) -> Iterator[Feeding]:
        """The fleet sends while the block runs: a burst every so often, a model with every so many bursts."""
        with Feeding(self.settings, self.fleet, every_s, model_every) as feeding:
            yield feeding
        self.bursts = feeding.bursts

    # -- programs

    def running(self, command: str, **options: Any) -> contextlib.AbstractContextManager[Process]:
        """A program while the block runs; it ends with SIGTERM."""
        return running(command, self.settings, self.directory, **options)

    def group(self, command: str) -> str:
        """A program's consumer group."""
        return str(getattr(self.settings, command).app_id)

    def dies(self, command: str, point: str, most_passages: int = 4) -> None:
        """Run a program until it kills itself at ``point``, at a passage that the seed chooses."""
        before = set(members(self.settings, self.group(command)))
        passage = self.random.randint(1, most_passages)
        with self.running(command, script=script(command, point, passage)) as process:
            self._wait_for_death(process, point)
        self._note(f"{command}: {point}")
        self.bury(command, before)

    @contextlib.contextmanager
    def standing_still(self, point: str | None, most_passages: int = 4) -> Iterator[Process]:
        """A worker, beside one that runs, which stands still for longer than its session: at ``point``, or at any moment.

        The block begins when the broker has taken its partitions away; then it wakes up and goes on, and is told to end.
        """
        before = set(members(self.settings, self.group("worker")))
        stop = script("worker", point, self.random.randint(1, most_passages), signal.SIGSTOP) if point else None
        with self.running("worker", script=stop) as process:
            try:
                if point is None:
                    wait_until(lambda: process.has_said("ready"), what="a worker that is ready", process=process)
                    time.sleep(self.random.uniform(0.0, 2.0))  # the moment is the story's, not a guess
                    os.kill(process.pid, signal.SIGSTOP)
                wait_until(lambda: process.stands_still, _DIES_WITHIN_S, f"standing still at {point!r}", process)
                self._stood_still(point)
                self.bury("worker", before)
                yield process
            finally:
                os.kill(process.pid, signal.SIGCONT)
            readies = process.has_said("ready")
            wait_until(lambda: process.has_said("ready") > readies, what="being back", process=process)
            assert process.end() == 0, process.tail()
        self.drained += 1

    def _stood_still(self, point: str | None) -> None:
        where = f"worker: stood still, {point or 'at a random moment'}"
        self.stalls[where] = self.stalls.get(where, 0) + 1

    def _wait_for_death(self, process: Process, point: str) -> None:
        try:
            wait_until(lambda: not process.running, _DIES_WITHIN_S, f"death at {point!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{process.tail()}") from None
        if process.status != -signal.SIGKILL:
            raise AssertionError(f"ended with {process.status} instead of dying at {point!r}:\n{process.tail()}")

    def killed(self, command: str, process: Process, before: set[str]) -> None:
        """Kill a program from outside."""
        process.kill()
        self._note(f"{command}: at a random moment")
        self.bury(command, before)

    def _note(self, what: str) -> None:
        self.kills[what] = self.kills.get(what, 0) + 1

    def bury(self, command: str, living: set[str]) -> None:
        """Spare us waiting for a dead member's session to end: all members but the living are removed."""
        group = self.group(command)
        bury(self.settings, group, [one for one in members(self.settings, group) if one not in living])

    def told(self) -> str:
        """What was done to it."""
        done = ", ".join(f"{count} x {what}" for what, count in (self.kills | self.stalls).items()) or "none"
        return (
            f"{self.name}, seed {self.seed}: {sum(self.kills.values())} kills, {sum(self.stalls.values())} stalls ({done}), "
            f"{self.drained} drained"
        )

    # -- until all is done

    def settle(self, worker: Any = None, sink: Any = None) -> None:
        """Wait until everything sent is judged, adopted and stored, and all that is committed."""
        topics = self.settings.topics
        self._wait_committed("worker", topics.readings.name, worker)
        self._wait_committed("worker", topics.models.name, worker)
        self._wait_committed("sink", topics.labels.name, sink)

    def _wait_committed(self, command: str, topic: str, process: Any) -> None:
        wait_until(
            lambda: is_read(self.settings, topic, committed(self.settings, self.group(command), topic)),
            _SETTLES_WITHIN_S,
            f"{command} at the end of {topic}",
            process,
        )

    def finish(self) -> None:
        """Let undisturbed programs do what is left to do."""
        with self.running("worker") as worker, self.running("sink") as sink:
            self.settle(worker, sink)
            for one in (worker, sink):  # there may have been nothing to do: one that only begins knows of no order yet
                wait_until(lambda one=one: one.has_said("joining"), what="a program that may be ended", process=one)
                assert one.end() == 0, one.tail()


def new_story(make_settings: MakeSettings, broker: str, dynamodb: str, **more: Any) -> Settings:
    """Settings of a story: quick ones, changed by ``more``."""
    sections = {section: {**QUICK.get(section, {}), **more.get(section, {})} for section in QUICK.keys() | more.keys()}
    return make_settings(broker, dynamodb, **sections)
