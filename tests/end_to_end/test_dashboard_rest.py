"""REST and events of a dashboard that runs, as programs without Kafka use them."""

import json
from pathlib import Path
from typing import Any

import httpx

from schemas.api import AnsweredIncident, Health, IncidentPage, Machine, MachinePage, Problem
from schemas.feedback import Feedback
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard, incident, label, records
from tests.events_at_hand import reading
from tests.topics_at_hand import AtHand

INCIDENT = "inc-load-0-9-0"


def test_a_program_without_kafka_finds_an_incident_answers_it_and_takes_that_back(
    any_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(any_broker_url)
    topics = at(settings)
    alarmed = label("well-1", 9, value=231.0, surprise=5.2, label="anomalous", alert="opened", incident_id=INCIDENT)
    topics.send(settings.topics.labels.name, records([label("well-2", 1), alarmed]))
    topics.send(settings.topics.incidents.name, records([incident("well-1", 9)]))
    with dashboard(settings, tmp_path) as (url, _), httpx.Client(base_url=f"{url}/api/v1") as http:
        page = MachinePage.model_validate(http.get("/machines", params={"state": "incident"}).json())
        assert [row.machine_id for row in page.machines] == ["well-1"]
        assert page.machines[0].why == "load 231.0 where 140.0 to 165.0 is usual"
        machine = Machine.model_validate(http.get("/machines/acme/well-1").json())
        assert [one.incident_id for one in machine.open_incidents] == [INCIDENT]

        wrong = {"client_id": "acme", "machine_id": "well-1", "kind": "false_alarm", "incident_id": INCIDENT}
        with reading(f"{url}/api/v1/events/incidents") as events:
            tries = [http.post("/feedback", json=wrong, headers={"Idempotency-Key": "once"}) for _ in range(2)]
            (event,) = events.take(1)
        assert [one.status_code for one in tries] == [201, 201]
        assert tries[0].json() == tries[1].json() == event.data
        said = Feedback.model_validate(event.data)
        assert (said.feedback_id, said.by, said.stack, event.kind) == ("once", "somebody", "load", "feedback")
        found = AnsweredIncident.model_validate(http.get(f"/incidents/{INCIDENT}").json())
        assert (found.answer.verdict, found.feedback) == ("false_alarm", [said])

        again = http.post("/feedback", json={**wrong, "kind": "confirm"}, headers={"Idempotency-Key": "once"})
        assert (again.status_code, Problem.model_validate(again.json()).type) == (
            409,
            "urn:wellsentry:problem:key-used",
        )
        assert http.post("/feedback", json={**wrong, "kind": "undo", "undoes": "once"}).status_code == 201
        incidents = IncidentPage.model_validate(http.get("/incidents", params={"state": "open"}).json()).incidents
        assert [one.answer.verdict for one in incidents] == [None]
        on_topic = [json.loads(record.value)["feedback_id"] for record in _until(topics, settings, 2)]
        assert on_topic.count("once") == 1
        assert Health.model_validate(http.get("/health").json()).caught_up

    with dashboard(settings, tmp_path) as (url, _), httpx.Client(base_url=f"{url}/api/v1") as http:
        late = http.post("/feedback", json=wrong, headers={"Idempotency-Key": "once"})
        assert late.json() == tries[0].json(), "a dashboard that was restarted knows what was said"
    assert len(_until(topics, settings, 2)) == 2


def _until(topics: Any, settings: Any, count: int) -> list[Any]:
    reader = topics.reader(settings.topics.feedback.name)
    while len(reader.more()) < count:
        pass
    return list(reader.more())
