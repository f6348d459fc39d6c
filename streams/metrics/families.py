"""Numbers as families of metrics, by Prometheus' conventions: base units, ``_total`` for what only rises.

No label may be a machine or a client: there are too many of them, and Prometheus keeps a series of each for ever.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from streams.metrics.buckets import Buckets

#: What one part of a program has counted. Called in the event loop, by each scrape.
Measure = Callable[[], Iterable[Metric]]

#: A number for each combination of the labels' values.
Values = Mapping[Any, float]  # the keys are tuples of str


def counter(name: str, about: str, value: float) -> Metric:
    """What only rises while the program runs; ``name`` ends with ``_total``."""
    return CounterMetricFamily(name, about, value=value)


def counters(name: str, about: str, labels: Sequence[str], values: Values) -> Metric:
    """The same by ``labels``."""
    family = CounterMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def gauge(name: str, about: str, value: float) -> Metric:
    """What rises and falls."""
    return GaugeMetricFamily(name, about, value=value)


def gauges(name: str, about: str, labels: Sequence[str], values: Values) -> Metric:
    """The same by ``labels``."""
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def histograms(name: str, about: str, labels: Sequence[str], found: Mapping[tuple[str, ...], Buckets]) -> Metric:
    """How often values were how high, by ``labels``; none for a histogram alone, whose key is ``()``."""
    family = HistogramMetricFamily(name, about, labels=labels)
    for key, buckets in found.items():
        family.add_metric(key, buckets.cumulative(), buckets.sum)
    return family


__all__ = ["Buckets", "Measure", "Metric", "counter", "counters", "gauge", "gauges", "histograms"]
