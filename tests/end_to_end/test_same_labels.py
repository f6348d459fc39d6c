"""The engine, ``wellsentry score`` and a live worker on Apache Kafka give the same labels for the same readings."""

import csv
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.engine.batch import WIDE, make_batch
from models.engine.engine import Engine
from models.engine.labels import make_labels
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.simulator import SIGNALS, Fleet, Rates
from models.stacks import choose_stacks
from schemas.labels import Label
from schemas.times import iso
from schemas.twins import write_twin
from streams.scoring import score_file
from streams.scoring.tables import Options
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.models.engines import STAMP
from tests.processes import running, wait_until
from tests.topics_at_hand import AtHand, TopicsAtHand

_START_MS: Final = 1_767_225_600_000
_HOURS: Final = 110
_WELL: Final = "well-7"
#: What the three may differ in: where a reading came from.
_PLACE: Final = {
    "label_id", "client_id", "incident_id", "source_topic", "source_partition", "source_offset", "supersedes",
}  # fmt: skip


def _a_wells_readings() -> list[dict[str, Any]]:
    """A simulated well as its readings arrive, with defects, a shift that must alert, and steps back in time."""
    fleet = Fleet(1, 1, _START_MS, rates=Rates(events=0.0))
    columns = [SIGNALS.index("casing_pressure"), SIGNALS.index("tubing_pressure")]
    made: list[dict[str, Any]] = []
    for hour in fleet.readings(_START_MS + _HOURS * 3_600_000):
        for time_ms, (casing, tubing) in zip(hour.time_ms.tolist(), hour.values[:, columns].tolist(), strict=True):
            shift = 150.0 if len(made) > 6000 else 0.0
            made.append({"time_ms": time_ms, "casing_pressure": casing + shift, "tubing_pressure": tubing})
    for place, newer in ((500, 1), (700, 3), (1500, 40), (3000, 100), (6050, 20)):  # a hundred newer: too late
        made.insert(place + newer, made.pop(place))
    return made


def _by_engine(readings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    engine = Engine(Machines(choose_stacks(["load"]), EngineSettings(refits=False)))
    slot, n = engine.slot("acme", _WELL), len(readings)
    values = [reading[name] for reading in readings for name in engine.vocabulary]
    times = [reading["time_ms"] for reading in readings]
    batch = make_batch(engine.vocabulary, [slot] * n, range(n), times, [WIDE] * n, values, [1.0] * n, [False] * n)
    made = make_labels(engine.stacks["load"], engine.step(batch)["load"], batch, engine.machines.names, STAMP)
    return _sorted([json.loads(write_twin(label)) for label in made.in_order()])


def _by_score(readings: list[dict[str, Any]], where: Path) -> list[dict[str, Any]]:
    source, target = where / "well.csv", where / "answers.csv"
    with source.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "casing_pressure", "tubing_pressure"])
        for one in readings:
            pressures = [one["casing_pressure"], one["tubing_pressure"]]
            rows.writerow([iso(one["time_ms"]), *("" if np.isnan(x) else x for x in pressures)])
    score_file(source, target, Options(refits=False, machine_id=_WELL), explain=True)
    with target.open(newline="") as file:
        return list(csv.DictReader(file))


def _by_worker(
    readings: list[dict[str, Any]], settings: Settings, topics: TopicsAtHand, where: Path
) -> list[dict[str, Any]]:
    topics.feed(
        {
            "client_id": "acme",
            "machine_id": _WELL,
            "time": iso(one["time_ms"]),
            **{name: None if np.isnan(one[name]) else one[name] for name in ("casing_pressure", "tubing_pressure")},
        }
        for one in readings
    )
    with running("worker", settings, where) as worker:
        labels = topics.reader(settings.topics.labels.name)
        wait_until(lambda: len(labels.more()) >= len(readings), what="labels", process=worker)
        assert worker.end() == 0, worker.tail()
    return _sorted([json.loads(record.value) for record in labels.more()])


def _sorted(labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(labels, key=lambda label: (label["source_offset"], label["revision"]))


def _without_place(label: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in label.items() if name not in _PLACE}


def test_engine_score_and_a_worker_on_kafka_give_the_same_labels(
    kafka_url: str, make_settings: MakeSettings, at: AtHand, tmp_path: Path
) -> None:
    readings = _a_wells_readings()
    settings = make_settings(kafka_url, worker={"training_requests": False})
    engine = _by_engine(readings)
    scored = _by_score(readings, tmp_path)
    live = _by_worker(readings, settings, at(settings), tmp_path)

    build = {"code_version", "git_commit"}  # the test's engine says another
    first = [label for label in live if label["revision"] == 0]
    assert len(scored) == len(first) == len(readings)
    assert len(engine) == len(live) > len(first), "late readings changed labels"
    said = {label["label"] for label in engine} | {label["alert"] for label in engine}
    assert said >= {"normal", "anomalous", "unscored", "opened"}, "the readings show what has to agree"
    for one, other in zip(live, engine, strict=True):
        this, that = _without_place(one), _without_place(other)
        assert {k: v for k, v in this.items() if k not in build} == {k: v for k, v in that.items() if k not in build}
    renamed = {"verdict": "label", "alert_state": "alert", "raw_score": "score"}
    for cells, label in zip(scored, first, strict=True):
        told = {
            renamed.get(name, name): text for name, text in cells.items() if name not in ("label", "alert", "score")
        }
        for name in set(Label.model_fields) - _PLACE:
            assert told[name] == _as_cell(label[name]), f"{name} of the reading at {label['event_time']}"


def _as_cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict) else str(value)
