"""When a client's fleet is due for a model, and from whom it is made.

What there is, the registry knows: several trainers share the machines, and each sees only its own requests.
"""

from datetime import datetime
from typing import Final

from models.fitting import FitParameters
from schemas.errors import DamagedEntry
from schemas.training import FLEET
from streams.build_info import BuildInfo
from streams.log import get_logger
from streams.registry import Entry, Registry
from streams.trainer.making import Member, make_fleet

log = get_logger(__name__)

#: More machines do not make a better fleet model, only a slower one.
MOST_MEMBERS: Final = 200
#: Looking into the registry costs a listing: with many machines, only once so many times as many are known.
_LOOK_AGAIN_AT: Final = 1.25


class FleetWatch:
    """Remembers which machines of each client and stack this trainer has fitted since it started."""

    def __init__(self, after_machines: int) -> None:
        self._after = after_machines
        self._machines: dict[tuple[str, str], set[str]] = {}
        self._look_at: dict[tuple[str, str], int] = {}

    def is_time_to_look(self, client_id: str, machine_id: str, stack: str) -> bool:
        """Whether, now that this machine has a model, the registry is worth a look: is the fleet due?"""
        key = (client_id, stack)
        known = self._machines.setdefault(key, set())
        known.add(machine_id)
        if len(known) < self._look_at.get(key, 1):
            return False
        self._look_at[key] = max(len(known) + 1, int(len(known) * _LOOK_AGAIN_AT) if len(known) > self._after else 0)
        return True


def fit_fleet_if_due(
    registry: Registry,
    client_id: str,
    stack: str,
    after_machines: int,
    now: datetime,
    parameters: FitParameters,
    build: BuildInfo,
) -> Entry | None:
    """A fleet's model: once ``after_machines`` machines have their own, and each time their number has doubled.

    It is made of what is in force of each machine.
    """
    paths = registry.in_force_of_machines(client_id, stack)
    before = registry.latest_whole(client_id, FLEET, stack)
    previous = None if before is None else before[0]
    due_at = after_machines if previous is None else max(after_machines, 2 * previous.parameters.get("machines", 0))
    if len(paths) < due_at:
        return None
    members = _members_of(registry, paths)
    if len(members) < min(after_machines, MOST_MEMBERS):
        return None
    parent = None if previous is None else previous.digest
    return make_fleet(client_id, stack, members, len(paths), parent, now, parameters, build)


def _members_of(registry: Registry, paths: list[str]) -> dict[str, Member]:
    """Training data of at most :data:`MOST_MEMBERS` machines, spread evenly; whose features differ is left out."""
    step = max(1, -(-len(paths) // MOST_MEMBERS))
    found: dict[str, Member] = {}
    for path in paths[::step]:
        try:
            manifest = registry.manifest(path)
            data = registry.training(path)
        except DamagedEntry as error:
            log.warning("left out of its fleet", action="entry_damaged", manifest=path, detail=str(error))
            continue
        found[manifest.machine_id] = Member(manifest.digest, manifest.source, data)
    if not found:
        return {}
    kinds = [member.training.features for member in found.values()]
    usual = max(sorted(set(kinds)), key=kinds.count)
    return {name: member for name, member in found.items() if member.training.features == usual}
