"""A stack over any signals: each is a feature as it is."""

from collections.abc import Sequence

from models.stacks.base import Array, Signals, Stack, Thresholds


class GeneralStack(Stack):
    """Each signal by itself, and all of them together. Nothing is known of them beforehand.

    Signals nobody knows come in any rhythm, so the cool-down is counted in readings, and what opens an alert is one reading
    that is surprising enough: nobody says how long an anomaly of theirs lasts.
    """

    name = "general"
    thresholds = Thresholds(anomalous_at=2.5, open_after=1, close_after=1, cool_down_s=0.0, cool_down_readings=100)

    def feature(self, s: Signals) -> Array | tuple[Array, ...]:
        """The signals as they are."""
        return tuple(getattr(s, name) for name in self.signals)


def general_stack(signals: Sequence[str]) -> Stack:
    """The general stack over ``signals``, at least one.

    >>> general_stack(["pump_current", "flow_rate"]).feature_names
    ('pump_current', 'flow_rate')
    """
    columns = {"signals": tuple(signals), "features": tuple(signals)}
    made: Stack = type("GeneralStack", (GeneralStack,), columns)()
    return made
