"""Feedback on its way to the topic: what it says, where it goes, that it is there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.errors import BrokerError
from schemas.feedback import Feedback
from schemas.incidents import Incident
from streams.feedback import FeedbackSender
from streams.feedback.making import about_incident, undoing
from streams.feedback.places import home_of
from streams.partitions import partition_of
from tests.conftest import MakeSettings
from tests.topics_at_hand import TopicsAtHand

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


def incident(number: int = 0, **other: Any) -> Incident:
    """One of well-7 that closed."""
    fields: dict[str, Any] = {
        "incident_id": f"inc-load-1-{300 + number}-0", "state": "closed", "client_id": "acme", "machine_id": "well-7",
        "stack": "load", "opened_at": "2026-11-24T02:44:10Z", "closed_at": "2026-11-24T03:14:10Z",
        "label_id": "load-1-330-0", "feature": "load", "direction": "high", "actual": 160.0, "expected_low": 90.0,
        "expected_high": 110.0, "peak_surprise": 6.0, "peak_at": "2026-11-24T02:54:10Z", "readings": 30,
        "model_digest": "0" * 16, "model_rung": "own", "code_version": "0.1.0", "git_commit": "c" * 40,
    }  # fmt: skip
    return Incident.model_validate(fields | other)


@pytest.fixture
def topics(any_broker_url: str, make_settings: MakeSettings) -> Iterator[TopicsAtHand]:
    made = TopicsAtHand(make_settings(any_broker_url))
    yield made
    made.close()


async def test_feedback_is_durable_under_its_machine_s_key_where_the_incident_is(topics: TopicsAtHand) -> None:
    false_alarm = about_incident(incident(), "false_alarm", by="ann", at=NOW, feedback_id="f1")
    undo = undoing(false_alarm, by="bob", at=NOW, feedback_id="f2")
    elsewhere = undo.model_copy(update={"incident_id": None, "feedback_id": "f3"})
    async with FeedbackSender(topics.settings) as sender:
        for said in (false_alarm, undo, elsewhere):
            await sender.send(said)
    reader = topics.reader(topics.topics.feedback.name)
    while len(reader.more()) < 3:
        pass
    found = {Feedback.model_validate_json(one.value).feedback_id: one for one in reader.records}
    assert [(one, found[one].key, found[one].partition) for one in ("f1", "f2", "f3")] == [
        ("f1", b"well-7", 1), ("f2", b"well-7", 1), ("f3", b"well-7", partition_of("well-7", 4)),
    ]  # fmt: skip
    assert Feedback.model_validate_json(found["f1"].value) == false_alarm


async def test_without_the_topic_it_is_said_what_to_do(embedded_broker_url: str, make_settings: MakeSettings) -> None:
    with pytest.raises(BrokerError, match="wellsentry topics create"):
        async with FeedbackSender(make_settings(embedded_broker_url)):
            pass


def test_an_incident_s_stretch_goes_with_what_is_said_of_it_and_is_open_while_it_is() -> None:
    closed = about_incident(incident(), "confirm", by="ann", at=NOW, feedback_id="f1")
    assert (closed.from_time, closed.to_time) == (incident().opened_at, incident().closed_at)
    still_open = incident(state="opened", closed_at=None)
    assert about_incident(still_open, "confirm", by="ann", at=NOW, feedback_id="f1").to_time is None


def test_an_incident_that_names_no_partition_leaves_it_to_the_key() -> None:
    said = about_incident(incident(incident_id="inc-load-7-300-0"), "acknowledge", by="ann", at=NOW, feedback_id="f1")
    assert home_of(said, 8) == 7
    assert home_of(said, 4) == partition_of("well-7", 4)
