"""One exploration from its source to the two files."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.explore.fleet import Made, explore
from schemas.errors import BadInputFile
from schemas.exploration import Exploration
from schemas.readings import DEFAULT_CLIENT
from streams.build_info import build_info
from streams.explore.from_files import gather_files
from streams.explore.from_topic import gather_topic
from streams.explore.gathering import Gathering, Wanted
from streams.explore.page import page
from streams.settings import Settings

#: Told what is being done and how much of it is: readings, then machines.
OnProgress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the readings come from."""

    paths: Sequence[Path] = ()  # empty: the readings topic
    unit: str = "psi"  # of pressures in files


def run_explore(
    settings: Settings, source: Source, wanted: Wanted, output: Path, now_ms: int, on_progress: OnProgress
) -> Exploration:
    """Write ``output`` and the JSON beside it. Raises :class:`WellsentryError` if nothing can be read or nothing is there."""
    gathering = Gathering(wanted)

    def reading(count: int) -> None:
        on_progress("reading", count)

    if source.paths:
        gather_files(gathering, source.paths, wanted.client_id or DEFAULT_CLIENT, source.unit, reading)
        what = ", ".join(str(path) for path in source.paths)
    else:
        refused = asyncio.run(gather_topic(gathering, settings, wanted, now_ms, reading))
        what = f"topic {settings.topics.readings.name}"
        what += f", {refused:,} of its messages are no readings" if refused else ""
    fleet = list(gathering.series())
    if not fleet:
        raise BadInputFile(f"no reading in {what} is of the machines and the time that were asked for")
    build = build_info()
    exploration, alike = explore(
        fleet, Made(build.version, build.git_commit, what), lambda count: on_progress("measuring", count)
    )
    on_progress("drawing", len(fleet))
    write(output, page(exploration, fleet, alike), exploration)
    return exploration


def write(output: Path, html: str, exploration: Exploration) -> None:
    """The page, and beside it the JSON."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(html, encoding="utf-8")
        json_beside(output).write_text(exploration.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise BadInputFile(f"{output} cannot be written: {error.strerror}; choose another --output") from error


def json_beside(output: Path) -> Path:
    """The same name with another ending.

    >>> json_beside(Path("wells.html")).name
    'wells.json'
    """
    return output.with_suffix(".json")
