"""Three planted incidents, as docs/debugging.md tells of them: a unit that flips, a model of bad data, a real leak."""

import json
import random
from collections.abc import Iterator
from typing import Final

from schemas.labels import Label
from schemas.training import TrainingRequest
from schemas.units import psi_per
from streams.label_store import LabelStore
from streams.settings import Settings
from tests.streams.judged import Judged

START_S: Final = 1_780_000_000
READINGS: Final = 500
FLIPS_AT: Final = 450
LEAKS_AT: Final = 420
#: The trainer's data of one well came from a gauge that showed so much more, psi.
OFF_PSI: Final = 15.0


def plant(settings: Settings) -> Judged:
    """An installation with the three, all labels stored; the worker asks the forest alone."""
    made = Judged(settings)
    made.feed(_readings(random.Random(1)))
    made.judge(_fitted_to_bad_data)
    with LabelStore(settings.dynamodb) as store:
        store.ensure_table()
        store.write([Label.model_validate_json(one) for one in made.labels])
    return made


def _readings(rng: random.Random) -> Iterator[tuple[bytes, bytes]]:
    """A reading a minute of each well, in psi, but for the one whose pressures come in bar from a moment on."""
    for minute in range(READINGS):
        casing, tubing = ([mean + rng.gauss(0, spread) for _ in range(3)] for mean, spread in ((300, 3), (200, 1)))
        factor = psi_per("bar") if minute >= FLIPS_AT else 1.0
        leaked = 0.5 * max(0, minute - LEAKS_AT)
        yield _reading("well-flip", minute, casing[0] / factor, tubing[0] / factor)
        yield _reading("well-model", minute, casing[1], tubing[1])
        yield _reading("well-leak", minute, casing[2] - 0.7 * leaked, tubing[2] + 0.3 * leaked)


def _reading(machine: str, minute: int, casing: float, tubing: float) -> tuple[bytes, bytes]:
    body = {
        "client_id": "acme",
        "machine_id": machine,
        "time": START_S + 60 * minute,
        "casing_pressure": round(casing, 2),
        "tubing_pressure": round(tubing, 2),
    }
    return machine.encode(), json.dumps(body).encode()


def _fitted_to_bad_data(request: TrainingRequest) -> TrainingRequest:
    if request.machine_id != "well-model" or request.reason != "more_history":
        return request
    medians = [[median + OFF_PSI for median in column] for column in request.medians]
    return request.model_copy(update={"medians": medians})
