"""All of ``wellsentry replay``: planned, run, compared, put where it was asked for."""

import asyncio
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.engine.rehearsal import rehearse
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.comparison import Comparison
from schemas.errors import BadSettings
from streams.build_info import build_info
from streams.log import choose_logging
from streams.reading_ranges import Bounds
from streams.registry import Registry
from streams.replay.bookmark import Work
from streams.replay.differences import Differences
from streams.replay.diffing import compare
from streams.replay.models import Models, models_on_topic
from streams.replay.outputs import Both, Output, Parts, check_target, put_together
from streams.replay.plan import Asked, Plan
from streams.replay.planning import check_model, make_plan
from streams.replay.running import OnProgress, Progress, run_replay
from streams.replay.side_topic import SideTopic, check_side_topic
from streams.runs.collecting import collect_seldom
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Done:
    """What a replay came to."""

    directory: Path  # what it worked with
    plan: Plan
    progress: Progress
    comparison: Comparison | None
    differences: Differences | None
    parts: Parts


def work_directory(asked: Asked, where: Path) -> Path:
    """Where a replay keeps what it has: beside its output, else under a name that says what is asked."""
    if asked.output is not None:
        return Path(f"{asked.output}.replay")
    return where / f"replay-{hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:12]}"


async def replay(
    settings: Settings, asked: Asked, bounds: Bounds, directory: Path, *, with_diff: bool, on_progress: OnProgress
) -> Done:
    """Replay what is ``asked``, from where an earlier call was killed. What it worked with stays until :func:`clean_up`.

    Raises :class:`BadSettings`, :class:`BrokerError`, :class:`RegistryError`, :class:`BadInputFile`.
    """
    target = None if asked.output is None else Path(asked.output)
    if target is not None:
        check_target(target)
    if asked.side_topic is not None:
        check_side_topic(settings, asked.side_topic)
    in_files = asked.side_topic is None or with_diff or target is not None
    work, asked = Work(directory), msgspec.structs.replace(asked, in_files=in_files)
    # The steps are loaded while it is found out what to do.
    known = EngineSettings(refits=False, detectors=dict(asked.detectors))
    loading = asyncio.create_task(asyncio.to_thread(rehearse, choose_stacks(asked.stacks), known))
    try:
        with work.held():
            return await _replay(
                settings, asked, bounds, work, target, loading, with_diff=with_diff, on_progress=on_progress
            )
    finally:
        loading.cancel()


async def _replay(
    settings: Settings, asked: Asked, bounds: Bounds, work: Work, target: Path | None,
    loading: Awaitable[None], *, with_diff: bool, on_progress: OnProgress,
) -> Done:  # fmt: skip
    parts, registry, build = Parts(work.directory), Registry(settings.registry), build_info()
    models = Models(registry, await models_on_topic(settings.broker, settings.topics.models.name))
    plan = work.plan(asked, build.version, build.git_commit)
    if plan is None:
        plan = await make_plan(settings, registry, models, asked, bounds)
        check_model(plan)
        work.keep_plan(plan)
    output = _output(settings, asked, parts)
    try:
        await loading
        progress = await run_replay(settings, plan, models, output, work, on_progress)
    except BadSettings:
        if work.bookmark() is None:  # refused before anything began: there is nothing to go on with
            work.remove()
        raise
    finally:
        await output.close()
    if target is not None:
        await asyncio.to_thread(put_together, parts, sorted(plan.partitions), target)
    if not with_diff:
        return Done(work.directory, plan, progress, None, None, parts)
    with Differences(work.directory) as differences:
        comparison = await compare(settings, plan, parts, differences.add)
    return Done(work.directory, plan, progress, comparison, differences, parts)


def prepare(settings: Settings) -> None:
    """Once in a process that does nothing but replay: where it logs, and how memory is looked after."""
    choose_logging(settings, "replay")
    collect_seldom()


async def plan_only(settings: Settings, asked: Asked, bounds: Bounds) -> Plan:
    """What a replay would read. Raises as :func:`replay`."""
    registry = Registry(settings.registry)
    models = Models(registry, await models_on_topic(settings.broker, settings.topics.models.name))
    return await make_plan(settings, registry, models, asked, bounds)


def _output(settings: Settings, asked: Asked, parts: Parts) -> Output:
    if asked.side_topic is None:
        return parts
    topic = SideTopic(settings, asked.side_topic)
    return Both(topic, parts) if asked.in_files else topic


def clean_up(done: Done) -> None:
    """Remove what a finished replay worked with."""
    if done.differences is not None:
        done.differences.remove()
    done.parts.remove()
    Work(done.directory).remove()
