"""Of labels that late data changed, the ones that hold."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from schemas.labels import Label


def latest(labels: Iterable[Label]) -> Iterator[Label]:
    """Of each reading and stack the label with the highest revision.

    ``labels`` are by event time, source offset and revision, as :meth:`streams.label_store.LabelStore.read` gives them.
    """
    for _, of_a_reading in groupby(labels, key=lambda label: (label.event_time, label.source_offset)):
        yield from {(label.source_partition, label.stack): label for label in of_a_reading}.values()
