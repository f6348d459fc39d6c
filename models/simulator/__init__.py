"""Simulated wells after wells.md: plunger lift, gas lift and rod pumps, with labelled events and defects."""

from models.simulator.fleet import Fleet
from models.simulator.kinds import LIFTS, SIGNALS, Lift
from models.simulator.rates import Rates
from models.simulator.truth import Truth

__all__ = ["LIFTS", "SIGNALS", "Fleet", "Lift", "Rates", "Truth"]
