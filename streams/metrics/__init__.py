"""What a program tells about itself over HTTP: /metrics for Prometheus, /health and /ready.

Whoever does something counts it in plain numbers, once for a run. Only when Prometheus asks, families are made of these
(:data:`Measure`), in the event loop, which takes less than a millisecond; a thread writes them as text. ``observing.py`` is
the page to start with.
"""

from streams.metrics.observing import Observation, observed

__all__ = ["Observation", "observed"]
