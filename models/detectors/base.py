"""What a detector is."""

from typing import Protocol


class Detector(Protocol):
    """Judges the values of one feature, one after the other. ``score`` is asked before ``learn``.

    ``tests/models/test_detectors_contract.py`` holds every detector to this, and to what it promises beyond it.
    """

    @property
    def name(self) -> str:
        """As it stands in the settings and on a label."""
        ...

    def score(self, x: float) -> float | None:
        """How anomalous ``x`` is; None while warming up and for NaN. Finite, higher is more anomalous.

        Changes nothing: asked twice, it says the same twice.
        """
        ...

    def surprise(self, x: float, score: float) -> float:
        """-log10 of how often a healthy machine gives a value this far out, 0 to 6. ``score``: what it said."""
        ...

    def learn(self, x: float) -> None:
        """Take in ``x`` as something that happens. NaN is left out."""
        ...
