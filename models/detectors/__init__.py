"""Detectors of one feature behind one protocol: score before learn, None while cold, higher is more anomalous."""

from models.detectors.base import Detector
from models.detectors.forest import ForestDetector
from models.detectors.online import OnlineDetector
from models.detectors.rivers import ONLINE, RiverModel

__all__ = ["ONLINE", "Detector", "ForestDetector", "OnlineDetector", "RiverModel"]
