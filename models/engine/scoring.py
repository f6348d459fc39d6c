"""The surprise of each median, looked up in the model in force, and which feature speaks for the reading."""

from typing import Any

import numpy as np

from models.engine.codes import FLEET, SCORABLE, WARMING
from models.engine.compiled import compiled


@compiled
def _interval(edges: Any, start: int, length: int, value: float) -> int:
    """The interval holding ``float32(value)``: the first whose upper end is not below it."""
    x = np.float32(value)
    low, high = start, start + length - 1
    while low < high:
        half = (low + high) // 2
        if edges[half] < x:
            low = half + 1
        else:
            high = half
    return low


@compiled
def look_up(
    slot: Any,  # n
    kind: Any,  # n
    median: Any,  # n x k
    own: Any,  # n x k x 2: the machine's reference and spread
    core: Any,
    model_index: Any,
    edges: Any,
    scores: Any,
    surprises: Any,
    start: Any,
    length: Any,
    low: Any,
    high: Any,
    raw: Any,  # n x k, out: raw score; NaN where no model can score
    surprise: Any,  # n x k, out
    expected: Any,  # n x k x 2, out: what is usual
) -> None:
    """Look up raw score and surprise of each feature's median in the machine's model, if it has one that it can use."""
    features = median.shape[1]
    for i in range(slot.shape[0]):
        s = slot[i]
        m = model_index[s]
        fleet = core[s].rung == FLEET
        for k in range(features):
            raw[i, k] = np.nan
            surprise[i, k] = np.nan
            expected[i, k, 0] = np.nan
            expected[i, k, 1] = np.nan
            x = median[i, k]
            centre, scale = 0.0, 1.0
            if fleet:
                centre, scale = own[i, k, 0], own[i, k, 1]
                x = (x - centre) / scale
            if kind[i] != SCORABLE or m < 0 or x != x:
                continue
            at = _interval(edges, start[m, k], length[m, k], x)
            surprise[i, k] = surprises[at]
            raw[i, k] = scores[at]
            expected[i, k, 0] = low[m, k] * scale + centre
            expected[i, k, 1] = high[m, k] * scale + centre


@compiled
def speak(
    kind: Any,  # n: SCORABLE becomes WARMING where a feature cannot be scored yet
    held: Any,  # n x k: values in the window
    least_valid: int,
    ready: Any,  # n: whether there is enough to go by
    of_feature: Any,  # n x k: surprise; NaN where there is none
    surprise: Any,  # n, out
    driver: Any,  # n, out: index of the feature that speaks
) -> None:
    """Of several features the most surprising one speaks for the reading."""
    for i in range(kind.shape[0]):
        surprise[i] = np.nan
        driver[i] = 0
        if kind[i] != SCORABLE:
            continue
        can = ready[i]
        for k in range(of_feature.shape[1]):
            if held[i, k] < least_valid or of_feature[i, k] != of_feature[i, k]:
                can = False
        if not can:
            kind[i] = WARMING
            continue
        for k in range(of_feature.shape[1]):
            if k == 0 or of_feature[i, k] > surprise[i]:
                surprise[i] = of_feature[i, k]
                driver[i] = k


@compiled
def pick(
    kind: Any,  # n
    driver: Any,  # n
    raw_of: Any,  # n x k
    expected_of: Any,  # n x k x 2
    together: Any,  # n: surprise of all signals together; NaN where there is none
    raw: Any,  # n, out; NaN where nothing was scored
    expected: Any,  # n x 2, out
    surprise: Any,  # n: at least that of all signals together
) -> None:
    """What is told of a reading besides its surprise is told of the feature that speaks."""
    for i in range(kind.shape[0]):
        raw[i] = np.nan
        expected[i, 0] = np.nan
        expected[i, 1] = np.nan
        if kind[i] == SCORABLE:
            raw[i] = raw_of[i, driver[i]]
            expected[i, 0] = expected_of[i, driver[i], 0]
            expected[i, 1] = expected_of[i, driver[i], 1]
            if together[i] > surprise[i]:
                surprise[i] = together[i]
