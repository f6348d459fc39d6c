"""Labels around the largest changes of a replay, as they were and as they are."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.comparison import Change
from streams.replay.differences import Differences, Point, read_point
from streams.replay.lines import parse_id
from streams.replay.outputs import Parts

#: So many labels before and behind a change are drawn.
_BESIDE: Final = 150

Whose = tuple[str, str, str]


class Around(NamedTuple):
    """Labels of one stack's machine around a change, in order of time; of each reading the latest revision."""

    change: Change
    then: Sequence[Point]
    now: Sequence[Point]


def around_changes(changes: Iterable[Change], made: Parts, differences: Differences, most: int) -> list[Around]:
    """What is to be drawn: the largest change of each of at most ``most`` machines."""
    chosen: dict[Whose, Change] = {}
    for change in changes:
        if len(chosen) < most:
            chosen.setdefault((change.client_id, change.machine_id, change.stack), change)
    now: dict[Whose, dict[str, Point]] = {whose: {} for whose in chosen}
    by_partition: dict[int, list[Whose]] = {}
    for whose, change in chosen.items():
        by_partition.setdefault(parse_id(change.label_id).partition, []).append(whose)
    for number, some in by_partition.items():
        needles = [b'"machine_id":' + msgspec.json.encode(machine) + b"," for _, machine, _ in some]
        for line in made.lines(number):
            if any(needle in line[:600] for needle in needles):
                point = read_point(line)
                of_whose = now.get((point.client_id, point.machine_id, point.stack))
                if of_whose is not None:
                    of_whose[point.label_id] = point
    then = {whose: dict(points) for whose, points in now.items()}
    for was, is_ in differences:
        one = was or is_
        of_then = None if one is None else then.get((one.client_id, one.machine_id, one.stack))
        if one is None or of_then is None:
            continue
        if was is None:
            of_then.pop(one.label_id, None)
        else:
            of_then[was.label_id] = was
    return [
        Around(change, _beside(then[whose].values(), change), _beside(now[whose].values(), change))
        for whose, change in chosen.items()
    ]


def _beside(points: Iterable[Point], change: Change) -> list[Point]:
    latest: dict[int, Point] = {}
    for point in points:
        offset = parse_id(point.label_id).offset
        if offset not in latest or latest[offset].revision < point.revision:
            latest[offset] = point
    in_time = sorted(latest.values(), key=lambda one: (one.event_time, parse_id(one.label_id).offset))
    offset = parse_id(change.label_id).offset
    at = next((i for i, one in enumerate(in_time) if parse_id(one.label_id).offset == offset), len(in_time) // 2)
    return in_time[max(0, at - _BESIDE) : at + _BESIDE]
