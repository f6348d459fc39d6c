"""A semi-live well for tests: its readings, its event, and a world that answers about it."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from schemas.times import iso
from streams.handler import CleanDataStack, DataSource
from streams.handler.by_settings import job_named
from streams.handler.job import Outside
from streams.handler.judging import LabelTwin
from streams.handler.models_in_force import FindModel
from streams.handler.sources import Query
from tests.streams.trainer_parts import BUILD

START_MS: Final = 1_795_478_400_000  # 2026-11-24
MINUTE_MS: Final = 60_000
LOAD: Final = job_named("load")


def well(minutes: int, jump_at: int | None = None) -> list[tuple[int, float, float]]:
    """Time, casing and tubing pressure (psi) of each minute; the load is some 250 psi, and rises by 150 at ``jump_at``."""
    noise = np.random.default_rng(5).normal(0, 2, (minutes, 2)).round(2).tolist()
    return [
        (
            START_MS + MINUTE_MS * i,
            round(500 + 8 * math.sin(i / 40) + noise[i][0] + (150 if jump_at is not None and i >= jump_at else 0), 2),
            round(250 + noise[i][1], 2),
        )
        for i in range(minutes)
    ]


def columns(rows: Sequence[tuple[int, float | None, float | None]]) -> dict[str, list[Any]]:
    """The readings as the talk's ``query_clean_data`` gives them."""
    times, casing, tubing = zip(*rows, strict=True) if rows else ((), (), ())
    return {"time": [iso(one) for one in times], "Casing Pressure": [*casing], "Tubing Pressure": [*tubing]}


def event(minutes: int, lookback: int = 1, **fields: Any) -> dict[str, Any]:
    """An event that sees the first ``minutes`` readings, as far as it looks back."""
    to_time = iso(START_MS + MINUTE_MS * (minutes - 1))
    return {"client_id": "acme", "machine_id": "well-7", "lookback": lookback, "to_time": to_time} | fields


class LoadByTag(CleanDataStack):
    """The talk's job: the load, by the names of its queries."""

    stack = LOAD.stack
    description = ("Casing Pressure", "Tubing Pressure")
    output = LOAD.output


class Kept:
    """Remembers the labels of a call."""

    def __init__(self) -> None:
        self.labels: list[LabelTwin] = []

    def __call__(self, query: Query, labels: Sequence[LabelTwin]) -> int:  # noqa: ARG002 - as all that keep
        self.labels = list(labels)
        return len(labels)


def nobody(*_: Any) -> None:
    """There is no model."""


def world(source: DataSource, keep: Any = None, find_model: FindModel = nobody, now_ms: int = START_MS) -> Outside:
    """Where it is always ``now_ms``."""
    return Outside(source, find_model, keep, lambda: now_ms, BUILD)
