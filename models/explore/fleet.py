"""All machines together: each measured, compared with the others, and put into sentences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from models.explore.findings import findings
from models.explore.machine import explore_machine
from models.explore.names import names
from models.explore.resemblance import Resemblance, resemblance
from models.explore.series import Series
from models.explore.units import among_machines, from_a_moment_on
from schemas.exploration import Exploration, MachineExploration, UnitSuspicion

_Named = TypeVar("_Named", MachineExploration, UnitSuspicion)


@dataclass(frozen=True, slots=True)
class Made:
    """Who made it, of what."""

    code_version: str
    git_commit: str
    source: str


def explore(
    fleet: Iterable[Series], made: Made, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[Exploration, Resemblance | None]:
    """Everything that is found in ``fleet`` (at least one machine); ``on_progress`` is told of each machine done."""
    series = list(fleet)
    machines: list[MachineExploration] = []
    for count, one in enumerate(series, 1):
        machines.append(explore_machine(one))
        on_progress(count)
    called = names((one.client_id, one.machine_id) for one in machines)
    alike = resemblance(_renamed(machines, called))
    if alike is not None:
        machines = [
            machine.model_copy(update={"family": int(alike.family[index]), "nearest": alike.nearest[index]})
            for index, machine in enumerate(machines)
        ]
    units = among_machines(series)
    for one, machine in zip(series, machines, strict=True):
        units += from_a_moment_on(one, machine.cycles.median_min * 60_000 if machine.cycles else None)
    families = alike.families if alike is not None else []
    told = findings(_renamed(machines, called), _renamed(units, called), families)
    exploration = Exploration(
        code_version=made.code_version,
        git_commit=made.git_commit,
        source=made.source,
        machines=machines,
        units=units,
        families=families,
        findings=told,
    )
    return exploration, alike


def _renamed(ones: Sequence[_Named], called: Mapping[tuple[str, str], str]) -> list[_Named]:
    """The same under the names that sentences have."""
    return [one.model_copy(update={"machine_id": called[one.client_id, one.machine_id]}) for one in ones]
