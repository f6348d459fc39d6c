"""A label's bytes are those its pydantic model dumps, whatever wrote them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.labels import LabelTwin, make_labels, status_of
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.status import Status
from schemas.times import iso
from schemas.twins import write_twin
from tests.models.engines import STAMP, R, batch_of, model, new_engine, run

#: What a label can carry: features beyond 1e15 are no measurements, and all is rounded.
FLOATS = st.one_of(st.none(), st.floats(-1e15, 1e15).map(lambda x: round(x, 6) + 0.0), st.integers(-5, 5).map(float))
TEXT = st.text(min_size=1, max_size=20)
NAME = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), min_size=1, max_size=20
)


@settings(deadline=None)
@given(
    name=NAME,
    signals=st.dictionaries(st.sampled_from(["casing_pressure", "tubing_pressure", "x_1"]), FLOATS),
    numbers=st.tuples(*[FLOATS] * 6),
    ms=st.integers(0, 4_102_444_800_000),
    offset=st.integers(0, 2**62),
    text=TEXT,
)
def test_a_label_written_fast_is_what_pydantic_dumps(
    name: str, signals: dict[str, float | None], numbers: tuple[float | None, ...], ms: int, offset: int, text: str
) -> None:
    twin = LabelTwin(
        f"load-0-{offset}-0", name, name, "load", iso(ms), signals, "load", *numbers[:4], *numbers[4:],
        {"level": 1.5}, text, "unscored",
        "warming_up", "quiet", None, text, None, None, None, text, text, text, 0, offset, None, 0, None,
    )  # fmt: skip
    written = write_twin(twin)
    assert Label.model_validate_json(written).model_dump_json().encode() == written


def test_labels_of_the_engine_are_what_pydantic_dumps() -> None:
    engine = new_engine()
    engine.adopt(model(), 0)
    readings = [R(float(m), 300 + 3.3 * m, 200 + 0.1) for m in range(40)] + [R(3, 300, 200), R(99, None, 200)]
    for label in run(engine, readings):
        written = write_twin(label)
        assert Label.model_validate_json(written).model_dump_json().encode() == written


def test_status_and_incidents_keep_their_contract() -> None:
    engine = new_engine()
    engine.adopt(model(), 0)
    batch = batch_of(engine, [R(float(m), 400, 200) for m in range(40)])
    made = make_labels(engine.stacks["load"], engine.step(batch)["load"], batch, engine.machines.names, STAMP)
    status = status_of(40, [made.labels[-1]])
    assert Status.model_validate_json(status).model_dump_json().encode() == status
    assert made.incidents
    for _, incident in made.incidents:
        assert Incident.model_validate_json(incident.model_dump_json()) == incident


@pytest.mark.parametrize("ms", [0, 999, 1_795_488_250_000, 4_102_444_799_999])
def test_moments_are_written_with_milliseconds_and_z(ms: int) -> None:
    assert iso(ms).endswith("Z")
    assert len(iso(ms)) == 24


def test_no_number_of_a_label_is_ever_nan() -> None:
    engine = new_engine()
    for label in run(engine, [R(1, None, None), R(2, 9999, 5)]):
        assert not any(isinstance(value, float) and math.isnan(value) for value in label.signals.values())
