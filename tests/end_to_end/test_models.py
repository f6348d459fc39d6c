"""A model that somebody activates is in force within seconds, for machines with models of their own and for those of a fleet,
and stays so for a worker that starts later."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.labels import Label
from streams.cli.main import app
from streams.registry import Entry, Registry
from streams.settings import Settings
from streams.trainer.making import Member, make_fleet
from streams.trainer.publishing import publish_registry
from tests.conftest import MakeSettings
from tests.processes import running, variables, wait_until
from tests.streams.trainer_parts import BUILD, NOW, QUICK, entry
from tests.streams.trainer_parts import request as asked
from tests.topics_at_hand import AtHand, Reader, TopicsAtHand

OWN, OF_FLEET = "well-000", "well-001"
#: From the command to the first label; it takes a second or so.
_WITHIN_S = 10.0


def a_fleet(registry: Registry, of: Entry, minutes: int) -> Entry:
    member = Member(of.update.digest, of.manifest.source, of.training)
    made = make_fleet("acme", "load", {"well-900": member}, 1, None, NOW + timedelta(minutes=minutes), QUICK, BUILD)
    registry.store(made)
    return made


def in_registry(registry: Registry) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """An older model of each kind, and a newer one; by machine."""
    models = []
    for minutes in (0, 30):
        own = entry(asked(OWN, offset=200 + minutes), minutes)
        registry.store(own)
        fleet = a_fleet(registry, entry(asked("well-900", offset=200 + minutes)), minutes)
        models.append({OWN: own, OF_FLEET: fleet})
    return models[0], models[1]


class Feeding:
    """Readings of both machines, and the labels they get."""

    def __init__(self, at_hand: TopicsAtHand) -> None:
        self._at_hand, self._minute = at_hand, 0
        self._labels: Reader = at_hand.reader(at_hand.topics.labels.name)

    def judged_by(self, count: int, worker: Any) -> dict[str, str | None]:
        """Send ``count`` readings of each machine; which model judged the last one of each."""
        before = len(self._labels.more())
        self._at_hand.feed(
            {
                "client_id": "acme", "machine_id": machine, "time": 1_700_000_000 + 60 * minute,
                "casing_pressure": 450.0 + minute % 7, "tubing_pressure": 200.0,
            }
            for minute in range(self._minute, self._minute + count)
            for machine in (OWN, OF_FLEET)
        )  # fmt: skip
        self._minute += count
        wait_until(lambda: len(self._labels.more()) >= before + 2 * count, what="labels", process=worker)
        made = [Label.model_validate_json(record.value) for record in self._labels.records]
        return {label.machine_id: label.model_digest for label in sorted(made, key=lambda one: one.event_time)}


def activate(settings: Settings, monkeypatch: pytest.MonkeyPatch, model: Entry) -> None:
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(
        app, ["models", "activate", model.update.digest, "--by", "ada", "--why", "the newer one cries wolf"]
    )
    assert done.exit_code == 0, done.output or done.exception


@pytest.mark.parametrize("broker", ["embedded", "kafka"])
def test_an_activated_model_is_in_force_within_seconds_and_after_a_restart(
    broker: str,
    request: pytest.FixtureRequest,
    make_settings: MakeSettings,
    at: AtHand,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = request.getfixturevalue("kafka_url" if broker == "kafka" else "embedded_broker_url")
    settings = make_settings(url, worker={"training_requests": False})
    registry, feeding = Registry(settings.registry), Feeding(at(settings))
    old, new = in_registry(registry)
    asyncio.run(publish_registry(settings, registry))
    with running("worker", settings, tmp_path) as worker:
        assert feeding.judged_by(30, worker) == {name: model.update.digest for name, model in new.items()}
        started_s = time.monotonic()
        for model in old.values():
            activate(settings, monkeypatch, model)
        expected = {name: model.update.digest for name, model in old.items()}
        wait_until(lambda: feeding.judged_by(1, worker) == expected, _WITHIN_S, "labels by the old models", worker)
        assert time.monotonic() - started_s < _WITHIN_S
        assert worker.end() == 0, worker.tail()
    if broker == "kafka":  # the embedded one takes twenty seconds to see that a worker has gone
        with running("worker", settings, tmp_path) as worker:
            assert feeding.judged_by(1, worker) == expected
