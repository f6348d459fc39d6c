"""Labels of an installation: how many each client has, and some of them, chosen at random."""

import random
from dataclasses import dataclass, field

import msgspec

from streams.reading_ranges import Bounds, RangeReader
from streams.settings import Settings


class _Label(msgspec.Struct):
    label_id: str
    client_id: str
    machine_id: str
    event_time: str
    model_digest: str | None
    incident_id: str | None


_decoder = msgspec.json.Decoder(_Label)


@dataclass(slots=True)
class Labels:
    """Of one client."""

    count: int = 0
    chosen: list[_Label] = field(default_factory=list)
    incidents: set[str] = field(default_factory=set)


async def known_labels(settings: Settings, chosen: int, rng: random.Random) -> dict[str, Labels]:
    """Labels on their topic by client, each counted once; ``chosen`` of them, each as likely as another."""
    found: dict[str, Labels] = {}
    ids: set[str] = set()
    async with RangeReader(settings.broker) as reader:
        async for run in reader.read(await reader.find(settings.topics.labels.name, Bounds())):
            for record in run.records:
                label = _decoder.decode(record.value)
                if label.label_id in ids:
                    continue
                ids.add(label.label_id)
                its = found.setdefault(label.client_id, Labels())
                its.count += 1
                if label.incident_id is not None:
                    its.incidents.add(label.incident_id)
                place = len(its.chosen) if len(its.chosen) < chosen else rng.randrange(its.count)
                if place < chosen:
                    its.chosen[place : place + 1] = [label]
    return found
