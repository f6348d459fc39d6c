"""The verdict, the alert with its hysteresis and cool-down, and the incident that it makes."""

from typing import Any

from models.engine.labels import make_labels
from models.stacks import LoadStack, Thresholds, Window
from tests.models.engines import STAMP, R, batch_of, model, new_engine


class Quick(LoadStack):
    """A window of three readings, so that the median follows at once."""

    window = Window(3)
    thresholds = Thresholds(anomalous_at=3.0, open_after=2, close_at_share=0.5, close_after=2, cool_down_s=600)


def judge(loads: list[float]) -> tuple[list[Any], list[Any]]:
    """Labels and incidents of loads a minute apart, under a model of 100 ± 5 psi."""
    engine = new_engine([Quick()])
    engine.adopt(model(), 0)
    batch = batch_of(engine, [R(float(m), 200 + load, 200) for m, load in enumerate(loads)])
    made = make_labels(engine.stacks["load"], engine.step(batch)["load"], batch, engine.machines.names, STAMP)
    return list(made.labels), [incident for _, incident in made.incidents]


NORMAL, HIGH, HIGHER = [100.0] * 6, [120.0] * 6, [130.0] * 6


def test_normal_loads_are_normal_and_quiet() -> None:
    labels, incidents = judge(NORMAL)
    assert {label.label for label in labels} == {"normal"}
    assert {label.alert for label in labels} == {"quiet"}
    assert incidents == []


def test_an_alert_opens_after_enough_anomalous_labels_in_a_row_and_closes_when_calm() -> None:
    labels, incidents = judge(NORMAL + HIGH + NORMAL)
    assert [label.alert for label in labels] == (
        ["quiet"] * 8 + ["opened"] + ["open"] * 5 + ["closed"] + ["quiet"] * 3
    ), "the median of three is high from the eighth, a second time in the ninth, and calm from the fourteenth"
    opened, closed = incidents
    assert opened.incident_id == closed.incident_id == "inc-load-0-8-0"
    assert (opened.state, closed.state) == ("opened", "closed")
    assert opened.closed_at is None
    assert closed.closed_at is not None
    assert (opened.direction, opened.actual, opened.peak_surprise) == ("high", 120.0, 4.0)
    assert (opened.expected_low, opened.expected_high) == (90.0, 110.0)


def test_all_labels_of_an_incident_name_it_and_no_others_do() -> None:
    labels, _ = judge(NORMAL + HIGH + NORMAL)
    named = [label.incident_id for label in labels]
    assert named == [None] * 8 + ["inc-load-0-8-0"] * 7 + [None] * 3


def test_the_peak_is_the_highest_surprise_while_it_was_open() -> None:
    _, incidents = judge(NORMAL + HIGH + HIGHER + HIGH + NORMAL)
    assert incidents[0].peak_surprise == 4.0
    assert (incidents[-1].peak_surprise, incidents[-1].actual) == (6.0, 130.0)


def test_a_fall_below_what_is_usual_is_low() -> None:
    _, incidents = judge(NORMAL + [80.0] * 6)
    assert incidents[0].direction == "low"


def test_between_half_the_peak_and_the_threshold_an_alert_stays_open() -> None:
    labels, _ = judge(NORMAL + HIGH + [110.0] * 6)
    assert labels[-1].label == "normal"
    assert labels[-1].alert == "open", "2 is no anomaly, but not below half of 4 either"


def test_no_alert_opens_during_the_cool_down() -> None:
    labels, incidents = judge(NORMAL + HIGH + NORMAL + HIGH + HIGH)
    assert [incident.state for incident in incidents] == ["opened", "closed", "opened"]
    closed = next(i for i, label in enumerate(labels) if label.alert == "closed")
    reopened = max(i for i, label in enumerate(labels) if label.alert == "opened")
    assert reopened == closed + 11, "ten minutes of cool-down, then two labels in a row"


def test_unscored_readings_neither_open_nor_close() -> None:
    engine = new_engine([Quick()])
    engine.adopt(model(), 0)
    readings = [R(float(m), 320, 200) for m in range(6)] + [R(float(m), None, 200) for m in range(6, 12)]
    batch = batch_of(engine, readings)
    made = make_labels(engine.stacks["load"], engine.step(batch)["load"], batch, engine.machines.names, STAMP)
    assert [label.alert for label in made.labels][-6:] == ["open"] * 6
    assert len(made.incidents) == 1
