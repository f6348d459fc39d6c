"""What every view promises, on signals that broke others: a surprise in its range or silence, never a crash or a flood."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

from models.engine.batch import WIDE, make_batch
from models.engine.codes import ANOMALOUS, MISSING, REASONS, SCORABLE
from models.engine.engine import Engine
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.engine.views.names import VIEWS
from models.engine.views.tally import HIGHEST
from models.stacks.general import general_stack

_N: Final = 1500
_MINUTE_MS: Final = 60_000
_START_MS: Final = 1_767_225_600_000
Floats = Any


def _noise(rng: np.random.Generator) -> Floats:
    return rng.normal(100.0, 3.0, _N)


#: Each makes ``_N`` values of one signal.
SIGNALS: Final[dict[str, Callable[[np.random.Generator], Floats]]] = {
    "flat": lambda _: np.full(_N, 42.0),
    "zero": lambda _: np.zeros(_N),
    "two_valued": lambda rng: rng.choice([0.0, 1.0], _N, p=[0.7, 0.3]),
    "quantised": lambda rng: np.round(_noise(rng)),
    "nan_ridden": lambda rng: np.where(rng.random(_N) < 0.4, np.nan, _noise(rng)),
    "monotone": lambda rng: np.arange(_N) * 0.5 + rng.normal(0, 0.2, _N),
    "huge": lambda rng: 1e12 + 1e9 * rng.normal(size=_N),
    "tiny": lambda rng: 1e-9 * rng.normal(size=_N),
    "noise": _noise,
}


def _judge(values: Floats, times_ms: Floats | None = None) -> Any:
    values = np.atleast_2d(values.T).T
    n, signals = values.shape
    times = _START_MS + _MINUTE_MS * np.arange(n) if times_ms is None else times_ms
    stack = general_stack([f"signal_{j}" for j in range(signals)])
    engine = Engine(Machines([stack], EngineSettings(refits=False)))
    slot = engine.slot("acme", "machine")
    batch = make_batch(
        engine.vocabulary,
        [slot] * n,
        range(n),
        times.tolist(),
        [WIDE] * n,
        values.ravel().tolist(),
        [1.0] * n,
        [False] * n,
    )
    return engine.step(batch)[stack.name]


def _view(verdicts: Any, name: str) -> Floats:
    return verdicts.views[:, :, VIEWS.index(name)]


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("view", [view for view in VIEWS if view != "forest"])
def test_a_view_is_silent_or_within_its_range(view: str, kind: str) -> None:
    said = _view(_judge(SIGNALS[kind](np.random.default_rng(1))), view)
    spoken = said[~np.isnan(said)]
    assert np.all((spoken >= 0.0) & (spoken <= HIGHEST))
    assert np.isnan(said[0]).all(), "of a first reading nothing is known"


@pytest.mark.parametrize("kind", SIGNALS)
def test_no_more_than_a_fiftieth_of_a_steady_signal_is_anomalous(kind: str) -> None:
    verdicts = _judge(SIGNALS[kind](np.random.default_rng(2)))
    assert (verdicts.verdict == ANOMALOUS).mean() <= 0.02


@pytest.mark.parametrize("kind", ["flat", "zero"])
def test_a_flat_signal_surprises_nobody(kind: str) -> None:
    verdicts = _judge(SIGNALS[kind](np.random.default_rng(3)))
    assert np.nanmax(verdicts.surprise) < 2.0


def test_a_flat_signal_that_moves_at_last_is_anomalous() -> None:
    values = np.full(_N, 42.0)
    values[1400:] = 43.0
    verdicts = _judge(values)
    assert ANOMALOUS in verdicts.verdict[1400:1403]


def test_readings_without_a_value_are_unscored_and_taught_to_no_view() -> None:
    values = SIGNALS["nan_ridden"](np.random.default_rng(4))
    verdicts = _judge(values)
    assert set(verdicts.kind[np.isnan(values)].tolist()) == {MISSING}
    assert np.isnan(verdicts.views[np.isnan(values)]).all()


def test_the_first_readings_are_warming_up_and_then_all_are_scored() -> None:
    verdicts = _judge(SIGNALS["noise"](np.random.default_rng(5)), None)
    scored = verdicts.kind == SCORABLE
    first = int(np.argmax(scored))
    assert {REASONS[kind] for kind in verdicts.kind[:first].tolist()} == {"warming_up"}
    assert scored[first:].all()


@pytest.mark.parametrize("hours", [1, 24 * 40, 24 * 365])
def test_a_clock_that_jumps_ahead_surprises_nobody(hours: int) -> None:
    times = _START_MS + _MINUTE_MS * np.arange(_N)
    times[1000:] += hours * 3_600_000
    verdicts = _judge(SIGNALS["noise"](np.random.default_rng(6)), times)
    assert (verdicts.verdict[1000:] == ANOMALOUS).mean() <= 0.02
    assert (verdicts.kind[1000:] == SCORABLE).all()


def test_several_signals_that_part_are_seen_together_although_each_is_usual() -> None:
    rng = np.random.default_rng(7)
    common = rng.normal(100, 10, 3000)
    values = np.column_stack([common, common]) + rng.normal(0, 0.5, (3000, 2))
    values[2500:, 1] = 200.0 - values[2500:, 1]
    verdicts = _judge(values)
    assert np.median(verdicts.together[2520:]) > 2.0 > np.quantile(verdicts.together[2000:2500], 0.9)
