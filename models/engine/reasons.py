"""Why a label is anomalous, in words: which views drove it."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from models.engine.views.names import TOGETHER, VIEWS, WORDS

_DECIMALS: Final = 2
#: A view below this did not drive anything: a tenth of all readings get there.
_LEAST: Final = 1.0
_MOST_NAMED: Final = 3


def views_of(views: Any, together: float) -> dict[str, float]:
    """Surprise of each view of a feature (``views``: VIEWS, NaN where silent) and of all signals together, highest first."""
    found = {name: round(float(x), _DECIMALS) + 0.0 for name, x in zip(VIEWS, views, strict=True) if not np.isnan(x)}
    if not np.isnan(together):
        found[TOGETHER] = round(float(together), _DECIMALS)
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def because(views: Mapping[str, float], feature: str) -> str:
    """The views that drove a verdict, in words, the strongest first.

    >>> because({"residual": 3.1, "level": 1.4, "spread": 0.2}, "load")
    'load is far from its own median (3.1); the level of load has shifted (1.4)'
    >>> because({"level": 0.9, "spread": 0.8}, "load")
    'several views of load are a little surprised at once'
    """
    driving = [(name, x) for name, x in views.items() if x >= _LEAST][:_MOST_NAMED]
    if not driving:
        return f"several views of {feature} are a little surprised at once"
    return "; ".join(f"{WORDS[name].format(feature=feature)} ({x:g})" for name, x in driving)
