"""An installation that lives a month: wells, simulated and real, are fed; worker, trainer and sink do their work."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
from kafka.admin import KafkaAdminClient

from models.simulator import Fleet
from streams.access.broker import for_kafka_python
from streams.demo.children import Child
from streams.feed import Pace, feed
from streams.files import read_files
from streams.files.merging import merge
from streams.files.reading import find_files
from streams.label_store import LabelStore
from streams.reading_ranges import Bounds, Range, RangeReader
from streams.settings import Settings
from streams.simulate import simulate
from streams.topics_admin import create_topics

pa_csv: Any = pyarrow.csv  # exports its names without saying so, which type checkers do not take

PROGRAMS: Final = ("worker", "trainer", "sink")
_READY_WITHIN_S: Final = 120.0
#: Nothing more is committed for so long: something is wrong.
_STILL_FOR_S: Final = 120.0
_LOOK_EVERY_S: Final = 0.5


def set_up(settings: Settings) -> None:
    """Topics and table."""
    create_topics(settings)
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()


@contextlib.contextmanager
def at_work(settings: Settings, directory: Path) -> Iterator[list[Child]]:
    """Worker, trainer and sink while the block runs; then each is told to end. Raises ``SystemExit`` if one fails."""
    with contextlib.ExitStack() as stack:
        programs = []
        for command in PROGRAMS:
            (where := directory / f"{command}-{time.monotonic_ns()}").mkdir()
            programs.append(Child(command, settings, where))
            stack.callback(programs[-1].stop)
        wait_for(lambda: programs[0].ready, "a worker that is ready", programs)
        yield programs
        for program in programs:
            if program.stop() != 0:
                raise SystemExit(f"the {program.command} ended with {program.status}:\n{program.tail()}")


async def live(
    settings: Settings, fleet: Fleet, until_ms: int, seconds: float, wells: tuple[str, Path] | None
) -> tuple[int, int]:
    """Feed the fleet's readings, and meanwhile those of ``wells`` (whose they are, and where), so fast that either takes
    ``seconds``; how many readings that were."""
    month = simulate(settings, fleet, until_ms, pace=Pace((until_ms - fleet.start_ms) / 1000 / seconds))
    if wells is None:
        return (await month).readings, 0
    client, directory = wells
    first_ms, last_ms = await asyncio.to_thread(_span_ms, directory)
    pace = Pace((last_ms - first_ms) / 1000 / seconds)
    beside = feed(settings, merge(read_files([directory], client)), pace=pace)
    its, theirs = await asyncio.gather(month, beside)
    return its.readings, theirs.readings


def _span_ms(directory: Path) -> tuple[int, int]:
    batches = list(merge(read_files([directory])))
    return int(batches[0].arrival_ms[0]), int(batches[-1].arrival_ms[-1])


def moved(wells: Path, directory: Path, begin_ms: int) -> Path:
    """Copies of the wells' CSV files, their times moved so that each begins at ``begin_ms``.

    They were measured years ago, and a table keeps no label for as long.
    """
    directory.mkdir()
    for path in find_files([wells]):
        table = pa_csv.read_csv(path)
        stamps = table["timestamp"].cast(pa.timestamp("ms"))
        shifted = pa.array(np.asarray(stamps).astype(np.int64) - stamps[0].value + begin_ms, pa.timestamp("ms"))
        pa_csv.write_csv(
            table.set_column(table.column_names.index("timestamp"), "timestamp", shifted), directory / path.name
        )
    return directory


def wait_for(is_so: Callable[[], object], what: str, programs: list[Child], within_s: float = _READY_WITHIN_S) -> None:
    """Wait until something is so. Raises ``SystemExit`` when it does not come, or a program has ended."""
    deadline = time.monotonic() + within_s
    while not is_so():
        for one in programs:
            if one.status is not None or time.monotonic() > deadline:
                raise SystemExit(f"no {what}; the end of the {one.command}'s log:\n{one.tail()}")
        time.sleep(_LOOK_EVERY_S)


def until_all_is_stored(settings: Settings, programs: list[Child]) -> None:
    """Wait until the worker has judged every reading, the trainer answered every request, and the sink stored every label.

    Raises ``SystemExit`` when nothing moves any more.
    """
    topics = settings.topics
    for program, topic in (("worker", topics.readings), ("trainer", topics.training), ("sink", topics.labels)):
        group = str(getattr(settings, program).app_id)
        behind, moved_s = -1, time.monotonic()
        while left := asyncio.run(_behind(settings, group, topic.name)):
            if left != behind:
                behind, moved_s = left, time.monotonic()
            wait_for(lambda: True, program, programs)
            if time.monotonic() - moved_s > _STILL_FOR_S:
                raise SystemExit(f"the {program} has stood {behind} records before the end of {topic.name} for a while")
            time.sleep(_LOOK_EVERY_S)


async def _behind(settings: Settings, group: str, topic: str) -> int:
    """Records of a topic that a group has not committed; a claim's marker is none."""
    admin = KafkaAdminClient(**for_kafka_python(settings.broker))
    committed = {tuple(place): one.offset for place, one in admin.list_group_offsets(group)[group].items()}
    admin.close()
    async with RangeReader(settings.broker) as reader:
        left = {
            tp: Range(max(one.first_offset, committed.get(tp, 0)), one.end_offset)
            for tp, one in (await reader.find(topic, Bounds())).items()
        }
        peeked = await reader.peek({tp: one for tp, one in left.items() if len(one)})
    return sum(len(left[tp]) for tp in peeked)
