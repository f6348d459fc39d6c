"""The flow rate, for machines that measure it."""

from models.stacks.base import Array, Signals, Stack


class FlowStack(Stack):
    """What the well delivers, in whatever unit it is measured (mostly Mcf/d)."""

    name = "flow"
    signals = ("flow_rate",)

    def feature(self, s: Signals) -> Array:
        """The flow rate as it is."""
        return s.flow_rate
