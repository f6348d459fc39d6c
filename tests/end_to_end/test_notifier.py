"""`wellsentry notify` as a process, with real receivers, on both brokers."""

import json
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from schemas.incidents import Incident
from streams.access.broker import for_kafka_python
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.incident import an_incident
from tests.processes import running, wait_until
from tests.receiver import OK, SECRET, Answer, Got, Receiver, receiving
from tests.topics_at_hand import AtHand, TopicsAtHand

QUICK = {"session_timeout_s": 6.0, "heartbeat_interval_s": 0.5}  # a killed one is soon missed
WELLS = ("well-1", "well-2", "well-3")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def a_target(url: str, **other: Any) -> dict[str, Any]:
    return {"url": url, "secret": SECRET, "storm_at_most": 0, "timeout_s": 5.0, **other}


def send(at: TopicsAtHand, incidents: Iterable[Incident]) -> None:
    """One by one: the embedded broker tells of a batch only its first record."""
    for one in incidents:
        at.send(at.topics.incidents.name, [(one.machine_id.encode(), one.model_dump_json().encode())])


def committed(settings: Settings, target: str) -> int:
    """How many records the target's group has behind it."""
    group = f"{settings.notifier.app_id}-{target}"
    consumer = KafkaConsumer(**for_kafka_python(settings.broker), group_id=group, enable_auto_commit=False)
    try:
        name = settings.topics.incidents.name
        return sum(consumer.committed(TopicPartition(name, n)) or 0 for n in range(settings.broker.partitions))
    finally:
        consumer.close()


def first_times(receiver: Receiver) -> list[str]:
    return list(dict.fromkeys(receiver.ids))


def of_machine(receiver: Receiver, machine: str) -> list[str]:
    """Ids of a machine's notices, in the order in which each came first."""
    ids = [one.id for one in receiver.got if one.notice["data"].get("machine_id") == machine]
    return list(dict.fromkeys(ids))


def test_a_notifier_that_is_killed_while_it_tells_tells_again_under_the_same_id_and_loses_nothing(
    any_broker_url: str, make_settings: MakeSettings, at: AtHand, receiver: Receiver, tmp_path: Path
) -> None:
    settings = make_settings(
        any_broker_url,
        broker=QUICK,
        notifier={"targets": {"ops": a_target(receiver.url)}},
    )
    topics = at(settings)
    incidents = [an_incident(WELLS[n % 3], n) for n in range(12)]
    released = threading.Event()

    def hold_the_fifth(_: Got) -> Answer:
        if len(receiver.got) == 5:
            released.wait(60)
            return None
        return OK

    receiver.answer = hold_the_fifth
    with running("notify", settings, tmp_path) as notifier:
        wait_until(lambda: notifier.has_said("ready"), what="a notifier", process=notifier)
        send(topics, incidents)
        wait_until(lambda: len(receiver.got) == 5, what="the fifth notice", process=notifier)
        notifier.kill()
    released.set()
    held = receiver.ids[-1]
    with running("notify", settings, tmp_path) as notifier:
        wait_until(lambda: len(first_times(receiver)) == 12, what="all notices", process=notifier)
        assert notifier.end() == 0, notifier.tail()
    assert held in receiver.ids[5:], "what was under way came again, under its id"
    assert set(receiver.ids) == {f"{one.incident_id}-opened" for one in incidents}
    for machine in WELLS:
        assert of_machine(receiver, machine) == [
            f"{one.incident_id}-opened" for one in incidents if one.machine_id == machine
        ]
    assert committed(settings, "ops") == 12


def test_a_target_that_is_dead_holds_nobody_back_and_is_told_all_once_it_is_back(
    kafka_url: str, make_settings: MakeSettings, at: AtHand, receiver: Receiver, tmp_path: Path
) -> None:
    with receiving() as gone:
        port = gone.port
    targets = {
        "alive": a_target(receiver.url, min_surprise=3.0),
        "dead": a_target(f"http://127.0.0.1:{port}", states=["closed"], clients=["acme"]),
        "crew": {"apprise": receiver.url.replace("http", "json") + "/crew", "storm_at_most": 1, "storm_gather_s": 0.5},
    }
    settings = make_settings(kafka_url, notifier={"targets": targets})
    topics = at(settings)
    closed = [
        an_incident(well, n, state="closed", closed_at=datetime(2026, 11, 24, 4, tzinfo=UTC))
        for n, well in enumerate(WELLS)
    ]
    shelved = {
        "feedback_id": "f1", "client_id": "acme", "machine_id": "well-9", "stack": None, "incident_id": None,
        "kind": "shelve", "by": "ann", "at": "2026-11-24T02:00:00Z",
        "until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    topics.send(topics.topics.feedback.name, [(b"well-9", json.dumps(shelved).encode())])
    failures = iter([(500, {}, b""), None])
    fails = f"{closed[0].incident_id}-closed"

    def fail_twice(got: Got) -> Answer:
        return next(failures, OK) if got.headers.get("webhook-id") == fails else OK

    receiver.answer = fail_twice
    with running("notify", settings, tmp_path) as notifier:
        wait_until(lambda: notifier.has_said("ready"), what="a notifier", process=notifier)
        send(topics, [an_incident("well-9", 99), an_incident("well-8", 98, peak_surprise=2.0), *closed])
        topics.send(topics.topics.incidents.name, [(b"well-1", b"nonsense")])
        wait_until(
            lambda: len({*ids(receiver)}) == 3 and ids(receiver).count(fails) == 3, what="notices", process=notifier
        )
        wait_until(lambda: "at once" in str(told_in_words(receiver)), what="a storm", process=notifier)
        wait_until(lambda: notifier.has_said("told_not_yet"), process=notifier)
        assert committed(settings, "dead") <= 2, "but for those that it is not to be told"
        with receiving(port) as back:
            wait_until(lambda: len(first_times(back)) == 3, what="what the dead target missed", process=notifier)
            assert sorted(first_times(back)) == sorted(f"{one.incident_id}-closed" for one in closed)
        assert notifier.end() == 0, notifier.tail()
    *single, storm = told_in_words(receiver)
    assert len(single) <= 1, "the first may have come before the others"
    assert storm == f"{4 - len(single)} incidents of {4 - len(single)} machines at once", "well-9 is shelved"
    assert not [one for one in receiver.got if b"well-9" in one.body]
    assert [committed(settings, name) for name in targets] == [6, 6, 6]


def ids(receiver: Receiver) -> list[str]:
    return [one.headers["webhook-id"] for one in receiver.got if "webhook-id" in one.headers]


def told_in_words(receiver: Receiver) -> list[str]:
    return [one.notice["title"] for one in receiver.got if one.path.startswith("/crew")]


def test_what_a_target_refuses_or_is_too_old_is_given_up_loudly(
    embedded_broker_url: str, make_settings: MakeSettings, at: AtHand, receiver: Receiver, tmp_path: Path
) -> None:
    targets = {"strict": a_target(receiver.url), "late": a_target(receiver.url + "/late", max_age_s=0.001)}
    settings = make_settings(embedded_broker_url, notifier={"targets": targets})
    topics = at(settings)
    send(topics, [an_incident("well-1", 1), an_incident("well-1", 2)])
    receiver.answer = lambda got: (404, {}, b"") if got.id.endswith("-1-0-opened") else OK
    with running("notify", settings, tmp_path) as notifier:
        wait_until(lambda: ids(receiver) == ["inc-load-0-1-0-opened", "inc-load-0-2-0-opened"], process=notifier)
        lines = wait_until(lambda: given_up(notifier.log, 2), what="what was given up", process=notifier)
        assert notifier.end() == 0, notifier.tail()
    assert {line["target"] for line in lines} == {"strict", "late"}
    assert all("acme/well-1 inc-load-0-1-0 opened" in str(line["incidents"]) for line in lines)
    assert [line["level"] for line in lines] == ["error"] * len(lines)
    assert [committed(settings, name) for name in targets] == [2, 2]


def given_up(log: Path, at_least: int) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"given_up"' in line]
    return lines if len(lines) >= at_least else []
