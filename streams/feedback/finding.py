"""What can be spoken of, and what was said: incidents, machines and feedback, found on their topics."""

from collections.abc import AsyncGenerator, Collection
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.feedback import standing
from schemas.errors import UnknownSubject
from schemas.feedback import Feedback
from schemas.incidents import Incident
from streams.feedback.places import partition_in
from streams.feedback.reading import read_feedback
from streams.reading_ranges import Bounds, RangeReader
from streams.runs.run import Run
from streams.settings import Settings

M = TypeVar("M", bound=BaseModel)

#: Shorter beginnings of an id say too little.
_SHORTEST = 4


async def find_incident(settings: Settings, incident_id: str) -> Incident:
    """The incident as it stands by now. Raises :class:`UnknownSubject` if its topic has none of that id."""
    partition = partition_in(incident_id, settings.broker.partitions)
    if partition is None:
        raise UnknownSubject(
            f"{incident_id!r:.100} is no incident's id: one looks like inc-load-3-812-0. `wellsentry tail --json` "
            "shows them as incident_id, and the dashboard has them"
        )
    found = None
    named = incident_id.encode()
    async for run in _runs(settings, settings.topics.incidents.name, [partition]):
        for record in run.records:
            if named in (record.value or b""):
                incident = _parsed(Incident, record)
                found = incident if incident is not None and incident.incident_id == incident_id else found
    if found is None:
        raise UnknownSubject(
            f"there is no incident {incident_id} on {settings.topics.incidents.name}: is it of another installation "
            "(broker.topic_prefix), or longer ago than the topic keeps?"
        )
    return found


async def find_machine(settings: Settings, machine_id: str, client_id: str | None) -> str:
    """The client of a machine that was judged. Raises :class:`UnknownSubject` if there is none of that name, or there are
    several and ``client_id`` does not say whose is meant."""
    clients = set()
    async for run in _runs(settings, settings.topics.status.name, None):
        for record in run.records:
            client, _, machine = (record.key or b"").decode(errors="replace").partition("/")
            if machine == machine_id and client_id in (None, client):
                clients.add(client)
    if len(clients) == 1:
        return clients.pop()
    if clients:
        raise UnknownSubject(f"{len(clients)} clients have a machine {machine_id!r}: say whose with --client")
    whose = "" if client_id is None else f" of client {client_id!r}"
    raise UnknownSubject(f"no machine {machine_id!r}{whose} was ever judged here; `wellsentry tail` shows which were")


async def find_feedback(settings: Settings, feedback_id: str) -> Feedback:
    """What was said under the id that begins so. Raises :class:`UnknownSubject` if there is none, or more than one."""
    if len(feedback_id) < _SHORTEST:
        raise UnknownSubject(f"{feedback_id!r} is too short for feedback's id: give at least {_SHORTEST} characters")
    found = {one.feedback_id: one for one in await _said(settings) if one.feedback_id.startswith(feedback_id)}
    if len(found) != 1 and feedback_id not in found:
        how_many = "several begin" if found else "none begins"
        raise UnknownSubject(
            f"{how_many} with {feedback_id!r} on {settings.topics.feedback.name}; `wellsentry feedback list` shows the ids"
        )
    return found[feedback_id] if feedback_id in found else next(iter(found.values()))


async def what_stands(settings: Settings, about: str | None, client_id: str | None) -> list[Feedback]:
    """What was said and not undone, in order of the time at which it was said. ``about``: an incident's id or a machine's
    name; None: anything."""
    by_machine: dict[tuple[str, str], list[Feedback]] = {}
    for one in await _said(settings):
        by_machine.setdefault((one.client_id, one.machine_id), []).append(one)
    found = [one for said in by_machine.values() for one in standing(said)]
    wanted = [
        one for one in found if about in (None, one.machine_id, one.incident_id) and client_id in (None, one.client_id)
    ]
    return sorted(wanted, key=lambda one: (one.at, one.feedback_id))


async def _said(settings: Settings) -> list[Feedback]:
    return [
        said
        async for run in _runs(settings, settings.topics.feedback.name, None)
        for _, said in read_feedback(run.tp, run.records, settings.broker.partitions, _say_nothing)
    ]


async def _runs(settings: Settings, topic: str, partitions: Collection[int] | None) -> AsyncGenerator[Run, None]:
    async with RangeReader(settings.broker) as reader:
        async for run in reader.read(await reader.find(topic, Bounds(partitions=partitions))):
            yield run


def _say_nothing(message: str, **values: object) -> None:
    """The worker tells of what it leaves out; who asks what stands is not helped by it."""


def _parsed(kind: type[M], record: Any) -> M | None:
    try:
        return kind.model_validate_json(record.value)
    except ValidationError:
        return None
