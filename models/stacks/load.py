"""The load: what liquid stands in the well."""

from models.stacks.base import Array, Signals, Stack


class LoadStack(Stack):
    """Liquid standing in the tubing, psi. About 118 psi per barrel in 2-3/8 inch tubing."""

    name = "load"
    signals = ("casing_pressure", "tubing_pressure")

    def feature(self, s: Signals) -> Array:
        """Casing minus tubing pressure, psi."""
        return s.casing_pressure - s.tubing_pressure
