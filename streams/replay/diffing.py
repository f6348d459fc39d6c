"""The diff of a replay: labels that were given, off their topic, beside those that it made."""

import asyncio
from collections.abc import Iterator
from itertools import islice

import msgspec
from aiokafka import TopicPartition

from schemas.comparison import Comparison
from streams.reading_ranges import Range, RangeReader
from streams.replay.comparing import WHO_JUDGED, Comparing, OnDifference
from streams.replay.given import given_labels
from streams.replay.lines import id_of, parse_id
from streams.replay.outputs import Parts
from streams.replay.plan import Plan, keys_of
from streams.replay.stored import stored_labels
from streams.settings import Settings

#: So many labels are taken from one side, and then as many from the other.
_TURN = 1_000


async def compare(settings: Settings, plan: Plan, made: Parts, on_difference: OnDifference) -> Comparison:
    """Compare what a replay ``made`` with what was given then. Raises :class:`BrokerError`.

    With the models of then nothing is ignored; with others, who judged is: every label names another then.
    """
    asked = plan.asked
    comparing = Comparing(on_difference, WHO_JUDGED if asked.model or asked.changed else ())
    client = None if asked.client is None else b'"client_id":' + msgspec.json.encode(asked.client) + b","
    left_out = frozenset(name.encode() for name in plan.left_out)
    stored = await asyncio.to_thread(_stored, settings, plan)
    async with RangeReader(settings.broker) as reader:
        for number, one in sorted(plan.partitions.items()):
            labels = {TopicPartition(settings.topics.labels.name, number): Range(*plan.labels[number])}
            readings = {number: Range(one.first_offset, one.end_offset)}
            lines = made.lines(number)
            waiting = 0
            async for given in given_labels(reader, labels, readings, keys_of(plan)):
                if given.key in left_out or (client is not None and client not in given.line[:400]):
                    continue
                if parse_id(id_of(given.line)).stack not in asked.stacks:
                    continue
                comparing.then(given.line)
                waiting += 1
                if waiting == _TURN:
                    waiting = 0
                    _take(comparing, islice(lines, _TURN))
            _take(comparing, lines)
            for line, is_first in stored.get(number, ()):
                comparing.then(line) if is_first else comparing.then_if_made(line)
            comparing.finish_partition()
    return comparing.result()


def _stored(settings: Settings, plan: Plan) -> dict[int, list[tuple[bytes, bool]]]:
    """Labels that their topic has no longer, by partition, and whether each is its reading's first."""
    if not plan.stored or plan.untold:
        return {}
    readings = {number: Range(*its) for number, its in plan.stored.items()}
    return {
        number: [
            (label.model_dump_json().encode(), label.revision == 0)
            for label in labels
            if label.machine_id not in plan.left_out and label.stack in plan.asked.stacks
        ]
        for number, labels in stored_labels(settings, readings, plan.asked).items()
    }


def _take(comparing: Comparing, lines: Iterator[bytes]) -> None:
    for line in lines:
        comparing.now(line)
