"""The load: what liquid stands in the well."""

from models.stacks.base import Array, Reference, Signals, Stack


class LoadStack(Stack):
    """Liquid standing in the tubing, psi. About 118 psi per barrel in 2-3/8 inch tubing."""

    name = "load"
    signals = ("casing_pressure", "tubing_pressure")
    # Three days: the rhythm of even the slowest well and of its line. Slow means over some cycles see what a cycle hides.
    reference = Reference(count=150, span_s=3 * 86_400.0, memory_s=7_200.0, decades=5.0)

    def feature(self, s: Signals) -> Array:
        """Casing minus tubing pressure, psi."""
        return s.casing_pressure - s.tubing_pressure
