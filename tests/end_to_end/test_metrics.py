"""What worker and sink tell about themselves, as processes: equal to what is on the topics and in the table."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.incidents import Incident
from schemas.labels import Label
from schemas.rejected import Rejected
from schemas.training import TrainingRequest
from streams.label_store import LabelStore
from streams.parts.embedded_broker import EmbeddedBroker
from streams.topics_admin import create_topics
from streams.worker.store import OWNER_KEY
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import dashboard
from tests.end_to_end.test_worker import readings
from tests.incident import an_incident
from tests.metrics_at_hand import Scrape, address, asked, names_used, queries, scrape, wait_ready
from tests.models.engines import as_published, model
from tests.processes import running, wait_until
from tests.receiver import SECRET, receiving
from tests.topics_at_hand import AtHand

MACHINES = 5
SERVED = {"port": 0}
#: Labels of metrics whose values are few: no machine, no client.
BOUNDED = {
    "component",
    "git_commit",
    "label",
    "le",
    "partition",
    "reason",
    "rung",
    "stack",
    "state",
    "topic",
    "version",
}


def test_what_is_told_is_what_is_on_the_topics_and_in_the_table(
    any_broker_url: str, embedded_aws_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    settings = make_settings(
        any_broker_url,
        embedded_aws_url,
        worker={"detectors": {"load": "isolation_forest"}},
        sink={"linger_s": 0.5},
        metrics=SERVED,
    )
    at_hand, topics = at(settings), settings.topics
    own = as_published(model("well-000", spread=5.0))
    at_hand.send(topics.models.name, [(b"acme/well-000/load", own.model_dump_json().encode())], machine="well-000")
    good = at_hand.feed(readings(MACHINES, 210))
    good += at_hand.feed({**one, "casing_pressure": 400.0} for one in readings(1, 30, first=210))
    at_hand.send(topics.readings.name, [(b"well-000", b"{"), (b"well-001", None), (b"well-001", b"[]")])
    with running("worker", settings, tmp_path) as worker, running("sink", settings, tmp_path) as sink:
        of_worker, of_sink = address(worker), address(sink)
        wait_ready(of_worker, worker)
        wait_ready(of_sink, sink)
        labels, rejected = at_hand.reader(topics.labels.name), at_hand.reader(topics.rejected.name)
        incidents, training = at_hand.reader(topics.incidents.name), at_hand.reader(topics.training.name)

        wait_until(lambda: len(labels.more()) >= good, what="labels", process=worker)
        wait_until(lambda: len(rejected.more()) >= 3, what="rejections", process=worker)
        wait_until(lambda: len(incidents.more()) >= 1, what="incident", process=worker)
        wait_until(lambda: len(training.more()) >= MACHINES, what="training requests", process=worker)
        settled = wait_until(
            lambda: _if_settled(scrape(of_worker)), what="scrape once all is committed", process=worker
        )
        stored = wait_until(
            lambda: (now := scrape(of_sink)).total("wellsentry_sink_labels_total") >= good and now,
            what="labels stored",
            process=sink,
        )
        assert asked(of_worker, "/health") == (200, {"alive": True})
        state = at_hand.reader(topics.changelog.name)
        records = settled.total("wellsentry_changelog_records_total")
        wait_until(lambda: len(_written(state.more())) >= records, what="state", process=worker)

    made = [Label.model_validate_json(record.value) for record in labels.more()]
    said = Counter(label.label for label in made)
    assert settled.total("wellsentry_readings_total") == good == len(made)
    for verdict in ("normal", "anomalous", "unscored"):
        assert settled.total("wellsentry_labels_total", stack="load", label=verdict) == said[verdict]
    assert said["normal"] > 0 < said["anomalous"]
    reasons = Counter(label.reason for label in made if label.reason)
    for key, count in settled.samples["wellsentry_labels_unscored_total"].items():
        assert count == reasons[dict(key)["reason"]], key
    surprises = [label.surprise for label in made if label.surprise is not None]
    assert settled.total("wellsentry_surprise_count") == len(surprises)
    assert settled.total("wellsentry_surprise_sum") == pytest.approx(sum(surprises), rel=1e-3)
    refused = Counter(Rejected.model_validate_json(record.value).reason for record in rejected.records)
    for key, count in settled.samples["wellsentry_rejected_total"].items():
        assert count == refused[dict(key)["reason"]], key  # type: ignore[index]
    opened = Counter(Incident.model_validate_json(record.value).state for record in incidents.more())
    assert settled.total("wellsentry_incidents_total", state="opened") == opened["opened"]
    assert settled.total("wellsentry_incidents_open") == opened["opened"] - opened["closed"]
    due = Counter(TrainingRequest.model_validate_json(record.value).reason for record in training.records)
    assert settled.total("wellsentry_training_requests_total", reason="first") == due["first"]
    assert settled.total("wellsentry_models_adopted_total", rung="own") == 1
    assert settled.total("wellsentry_label_latency_seconds_count") == good + 3
    assert settled.total("wellsentry_partitions_owned", topic="readings") == settings.broker.partitions
    assert settled.total("wellsentry_unjudged_records") == 0
    assert settled.total("wellsentry_machines") == MACHINES
    assert settled.total("wellsentry_machines_silent") == 0
    assert len(_written(state.more())) == records > MACHINES
    weighs = sum(len(record.key) + len(record.value or b"") for record in _written(state.records))
    assert settled.total("wellsentry_changelog_bytes_total") == weighs
    assert settled.total("wellsentry_ready") == settled.total("wellsentry_build_info", component="worker") == 1

    with LabelStore(settings.dynamodb) as store:
        assert store.count() == stored.total("wellsentry_sink_labels_total") == good
    assert stored.total("wellsentry_sink_items_total") >= MACHINES
    assert stored.total("wellsentry_sink_waiting_labels") == 0
    told = settled.samples | stored.samples
    ours = {name: values for name, values in told.items() if name.startswith("wellsentry_")}
    assert not {label for values in ours.values() for key in values for label in dict(key)} - BOUNDED
    others = {"dashboard", "notices", "trainer"}
    asked_for = {name for part, names in _asked_for().items() if part not in others for name in names}
    assert asked_for <= told.keys(), "rules and boards ask for what real programs serve"


def test_dashboard_and_notifier_tell_as_processes_what_rules_and_boards_ask_for(
    embedded_broker_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    with receiving() as receiver:
        crew = {"url": receiver.url, "secret": SECRET}
        settings = make_settings(embedded_broker_url, metrics=SERVED, notifier={"targets": {"crew": crew}})
        at_hand = at(settings)
        incident = an_incident("well-1", 0)
        at_hand.send(settings.topics.incidents.name, [(b"well-1", incident.model_dump_json().encode())])
        with running("notify", settings, tmp_path) as notifier, dashboard(settings, tmp_path) as (_, board):
            of_notifier, of_board = address(notifier), address(board)
            for url, process in ((of_notifier, notifier), (of_board, board)):
                wait_ready(url, process)
            told = wait_until(
                lambda: (now := scrape(of_notifier)).total("wellsentry_notices_told_total", target="crew") and now,
                what="notice told of",
                process=notifier,
            )
            shown = scrape(of_board)
    assert len(receiver.got) == told.total("wellsentry_notices_told_total") == 1
    assert shown.total("wellsentry_dashboard_labels_behind") == 0
    asked_for = _asked_for()
    assert asked_for["dashboard"] <= shown.samples.keys()
    assert asked_for["notices"] <= told.samples.keys()


def _asked_for() -> dict[str, set[str]]:
    """The metrics that rules and boards ask for, by the part of the system in their name."""
    found: dict[str, set[str]] = {}
    for name in {name for query in queries() for name in names_used(query)}:
        found.setdefault(name.split("_")[1], set()).add(name)
    return found


def _written(changelog: list[Any]) -> list[Any]:
    """What is of machines, and not of who owns the partition."""
    return [record for record in changelog if record.key != OWNER_KEY]


def _if_settled(now: Scrape) -> Scrape | None:
    lags = [
        value for key, value in now.samples.get("wellsentry_lag_records", {}).items() if ("topic", "readings") in key
    ]
    return now if lags and not any(lags) else None


def test_a_worker_whose_broker_is_killed_lives_and_is_not_ready(make_settings: MakeSettings, tmp_path: Path) -> None:
    broker = EmbeddedBroker()
    broker.start()
    try:
        settings = make_settings(broker.url, metrics=SERVED, broker={"heartbeat_interval_s": 0.5})
        create_topics(settings)
        with running("worker", settings, tmp_path) as worker:
            url = address(worker)
            wait_ready(url, worker)
            broker.close()
            lacks = wait_until(lambda: asked(url, "/ready")[1]["lacks"], what="not ready", process=worker)
            assert lacks == ["no broker answers"]
            assert asked(url, "/health") == (200, {"alive": True})
            assert scrape(url).total("wellsentry_ready") == 0
            worker.kill()
    finally:
        broker.close()
