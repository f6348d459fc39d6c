"""Events of a dashboard that runs: nothing lost, nothing twice, nobody held back."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.labels import Label
from streams.access.broker import for_kafka_python
from streams.access.producer import started_producer
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard, incident, label, records
from tests.events_at_hand import reading
from tests.processes import wait_until
from tests.topics_at_hand import AtHand, TopicsAtHand

LABELS = "/api/v1/events/labels"
#: Of labels with this the tail holds sixty.
LONG = "the band is left, " * 900


def fleet(begin: int, end: int) -> list[Label]:
    """Labels of seven machines by turns."""
    return [label(f"well-{offset % 7}", offset) for offset in range(begin, end)]


@contextmanager
def sending(topics: TopicsAtHand, batches: list[list[Label]]) -> Iterator[None]:
    """Send batch after batch while the block runs, and all of them before it ends."""
    name = topics.topics.labels.name
    thread = threading.Thread(target=lambda: [topics.send(name, records(batch)) for batch in batches])
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_who_comes_back_with_its_last_id_gets_each_label_once_even_over_a_dashboard_that_was_killed(
    any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url)
    topics = at(settings)
    topics.send(settings.topics.labels.name, records(fleet(0, 50)))
    batches = [fleet(begin, begin + 20) for begin in range(50, 450, 20)]
    got: list[tuple[str, int]] = []
    last: str | None = None
    with sending(topics, batches):
        for takes in ((3, 40, 1), (25, 7), (450 - 76,)):  # a dashboard each
            with dashboard(settings, tmp_path) as (url, process):
                for count in takes:
                    with reading(url + LABELS, last, **{"from": "earliest"}) as events:
                        taken = events.take(count)
                    got += [(event.data["machine_id"], event.data["source_offset"]) for event in taken]
                    last = taken[-1].id
                process.kill()
    expected = [(one.machine_id, one.source_offset) for one in fleet(0, 450)]
    for machine in {name for name, _ in expected}:
        assert [one for one in got if one[0] == machine] == [one for one in expected if one[0] == machine]
    assert len(got) == len(expected)


async def send_quickly(settings: Settings, labels: list[Label]) -> None:
    """For many megabytes."""
    producer = await started_producer(settings.broker)
    try:
        for key, value in records(labels):
            await producer.send(settings.topics.labels.name, value, key)
        await producer.flush()
    finally:
        await producer.stop()


def resident_mb(pid: int) -> float:
    """Memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_a_reader_that_takes_nothing_holds_nobody_back_and_misses_nothing_once_it_reads(
    any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url, dashboard={"events_mb": 1})
    at(settings)
    many = [
        label(f"well-{offset % 7}", offset, because=LONG) for offset in range(10, 1_310)
    ]  # 21 MB, more than the system holds for a socket
    with dashboard(settings, tmp_path) as (url, process), reading(url + LABELS) as slow, reading(url + LABELS) as quick:
        before_mb = resident_mb(process.pid)
        asyncio.run(send_quickly(settings, many))
        assert len({event.data["source_offset"] for event in quick.take(len(many))}) == len(many)
        assert resident_mb(process.pid) - before_mb < 16, "less than was sent, whoever has not taken it"
        offsets = [event.data["source_offset"] for event in slow.take(len(many))]
        assert sorted(offsets) == list(range(10, 1_310))
        began_s = time.monotonic()
        ended = threading.Thread(target=process.end)
        ended.start()
        assert list(slow) == []
        assert list(quick) == []
        ended.join()
        assert time.monotonic() - began_s < 4


def test_who_was_away_for_longer_than_a_topic_keeps_is_told_what_is_missing_and_gets_the_rest(
    kafka_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(kafka_url, broker={"partitions": 1})
    topics = at(settings)
    name = settings.topics.labels.name
    topics.send(name, records(fleet(0, 9)))
    with dashboard(settings, tmp_path) as (url, _):
        with reading(url + LABELS, **{"from": "earliest"}) as events:
            (first,) = events.take(1)
        admin = KafkaAdminClient(**for_kafka_python(settings.broker))
        admin.delete_records({TopicPartition(name, 0): 6})
        admin.close()
    with dashboard(settings, tmp_path) as (url, _):
        with reading(url + LABELS, first.id) as events:
            reset, *rest = events.take(4)
        assert reset.kind == "reset"
        assert reset.data["lost"] == [{"topic": name, "partition": 0, "from_offset": 1, "to_offset": 6}]
        assert [event.data["source_offset"] for event in rest] == [6, 7, 8]
        with reading(url + LABELS, "labels:ffff") as events:
            reset, *rest = events.take(2)
        assert (reset.kind, rest[0].data["source_offset"]) == ("reset", 6)


def test_a_stream_is_of_what_was_chosen_and_many_streams_of_one_viewer_are_refused(
    embedded_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(embedded_broker_url, dashboard={"streams_of_a_viewer": 2})
    topics = at(settings)
    with dashboard(settings, tmp_path) as (url, _):
        with reading(url + LABELS, machine="well-3") as events, reading(f"{url}/api/v1/events/incidents") as incidents:
            topics.send(settings.topics.labels.name, records(fleet(0, 20)))
            topics.send(settings.topics.incidents.name, records([incident("well-3", 10)]))
            assert [event.data["source_offset"] for event in events.take(3)] == [3, 10, 17]
            assert [event.kind for event in incidents.take(1)] == ["incident"]
            refused = httpx.get(url + LABELS)
            assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
            assert refused.headers["retry-after"]
        wait_until(lambda: httpx.get(f"{url}/api/v1/health").json()["streams"]["open"] == 0, what="streams that ended")
        wrong = httpx.get(url + LABELS, headers={"Last-Event-ID": "labels:1.2"})
        assert (wrong.status_code, wrong.json()["type"]) == (400, "urn:wellsentry:problem:bad-event-id")
