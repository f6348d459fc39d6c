"""What can be said of a label without its readings: its model, asked again about the median that it carries."""

import math

from models.detectors import ForestDetector
from models.engine.numbers import SURPRISE_DECIMALS, VALUE_DECIMALS
from schemas.case import LookedUp
from schemas.errors import BadSettings
from schemas.labels import Label
from schemas.training import FeatureModel
from streams.reproduce.evidence import Evidence, stack_of


def look_up(evidence: Evidence) -> LookedUp | None:
    """Score, usual range and verdict by model and label; None where no trained model had a say, or where it is gone."""
    label, update = evidence.label, evidence.model
    if update is None or label.median is None or label.score is None or label.surprise is None:
        return None
    model = next((one for one in update.features if one.feature == label.feature), None)
    if model is None:
        return None
    centre, spread = own_units(model, label.expected_low, label.expected_high, update.rung)
    detector = ForestDetector(model)
    x = (label.median - centre) / spread
    score = detector.score(x) or 0.0
    surprise = round(detector.surprise(x, score), SURPRISE_DECIMALS)
    threshold = anomalous_at(label)
    if threshold is None:
        return None
    found = LookedUp(
        score=round(score, VALUE_DECIMALS),
        forest_surprise=surprise,
        expected_low=round(centre + spread * model.expected_low, VALUE_DECIMALS),
        expected_high=round(centre + spread * model.expected_high, VALUE_DECIMALS),
        label="anomalous" if label.surprise >= threshold else "normal",
        disagrees=[],
    )
    disagrees = [name for name in ("score", "expected_low", "expected_high") if _apart(found, label, name)]
    if label.label != found.label:
        disagrees.append("label")
    if label.detector == ForestDetector.name and label.surprise != surprise:
        disagrees.append("surprise")
    return found.model_copy(update={"disagrees": disagrees})


def anomalous_at(label: Label) -> float | None:
    """The surprise from which on the label's stack says anomalous; None if this version has no such stack."""
    try:
        return stack_of(label).thresholds.anomalous_at
    except BadSettings:
        return None


def own_units(model: FeatureModel, low: float | None, high: float | None, rung: str) -> tuple[float, float]:
    """Middle and spread of a machine, by which a fleet's model sees it: its usual range in psi tells; 0 and 1 for its own.

    >>> usual = FeatureModel(feature="load", edges=[], scores=[0.5], surprises=[1.0], expected_low=-2, expected_high=2)
    >>> own_units(usual, 90.0, 110.0, "fleet"), own_units(usual, -2.0, 2.0, "own")
    ((100.0, 5.0), (0.0, 1.0))
    """
    width = model.expected_high - model.expected_low
    if rung != "fleet" or low is None or high is None or width <= 0.0 or high <= low:
        return 0.0, 1.0
    spread = (high - low) / width
    return low - spread * model.expected_low, spread


def _apart(found: LookedUp, label: object, name: str) -> bool:
    """Whether they differ by more than the last decimal: the label's own numbers are rounded."""
    then = getattr(label, name)
    return then is None or not math.isclose(getattr(found, name), then, rel_tol=0.0, abs_tol=2 * 10.0**-VALUE_DECIMALS)
