"""What the steps are told of a stack: what is the same for every reading of every machine."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.batch import OTHER_TAG
from models.engine.bundle import Bundle
from models.engine.settings import EngineSettings
from models.stacks.base import Stack
from schemas.signals import PRESSURES

RULES: Final = np.dtype(
    [
        ("pair_tolerance_ms", "<i8"),
        ("pair_stale_ms", "<i8"),
        ("lateness", "<i8"),  # a late reading has its place if fewer readings than this are newer; 0: never
        ("span_ms", "<i8"),  # of the window; 0: only its readings are counted
        ("least_valid", "<i8"),  # values the window must hold before a median is scored
        ("warm_up", "<i8"),  # readings, known to be normal, before anything is scored
        ("gather_ms", "<i8"),  # between two rows of a reference; 0: every reading
        ("memory_ms", "<i8"),  # of the slow means; 0: short means
        ("decades", "<f8"),  # of surprise for a tenfold of a reference's limit
        (
            "share",
            "<f8",
        ),  # log10 of the number of features: with k of them a chance of p for each is one of k p for any
        ("anomalous_at", "<f8"),
        ("open_after", "<i8"),
        ("close_at_share", "<f8"),
        ("close_after", "<i8"),
        ("cool_down_ms", "<i8"),
        ("cool_down_readings", "<i8"),
        ("first_fit", "<i8"),  # readings before the first refit is due; 0: none ever is
    ]
)


def fixed(
    stack: Stack,
    vocabulary: tuple[str, ...],
    settings: EngineSettings,
    weights: npt.NDArray[np.float64],
    further: Mapping[str, Any],
) -> Bundle:
    """A stack's rules (``further``: those that depend on its scorer), its signals in the vocabulary, the views' weights."""
    thresholds = stack.thresholds
    told = {
        "pair_tolerance_ms": settings.pair_tolerance_ms,
        "pair_stale_ms": settings.pair_stale_ms,
        "span_ms": round((stack.window.span_s or 0.0) * 1000),
        "anomalous_at": thresholds.anomalous_at,
        "open_after": thresholds.open_after,
        "close_at_share": thresholds.close_at_share,
        "close_after": thresholds.close_after,
        "cool_down_ms": round(thresholds.cool_down_s * 1000),
        "cool_down_readings": thresholds.cool_down_readings,
        **further,
    }
    rules = np.zeros(1, RULES)
    for name, number in told.items():
        rules[name] = number
    places = np.array([vocabulary.index(name) for name in stack.signals], np.int64)
    own_tag = np.full(len(vocabulary), OTHER_TAG, np.int64)
    own_tag[places] = np.arange(len(places))
    pressure = np.array([name in PRESSURES for name in stack.signals])
    named = {"rules": rules, "places": places, "own_tag": own_tag, "pressure": pressure, "weights": weights}
    return Bundle(named.items())
