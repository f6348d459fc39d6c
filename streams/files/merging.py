"""Several streams of readings as one, by arrival."""

from collections.abc import Iterable, Iterator

import numpy as np

from models.batches import WideBatch, join


def merge(streams: Iterable[Iterable[WideBatch]]) -> Iterator[WideBatch]:
    """All readings of ``streams`` in order of arrival, each stream's own order kept.

    Only one block of each stream is in memory.
    """
    sources = [iter(stream) for stream in streams]
    if len(sources) == 1:
        yield from sources[0]
        return
    waiting: dict[int, WideBatch] = {}
    for index, source in enumerate(sources):
        _refill(waiting, index, source)
    while waiting:
        # Up to here every stream has shown all it has: what follows in any of them arrives at this moment or later.
        horizon = min(int(batch.arrival_ms[-1]) for batch in waiting.values())
        due = []
        for index in sorted(waiting):
            batch = waiting[index]
            count = int(np.searchsorted(batch.arrival_ms, horizon, side="right"))
            due.append(batch.part(0, count))
            waiting[index] = batch.part(count, len(batch))
        yield join([batch for batch in due if len(batch)])
        for index in [index for index, batch in waiting.items() if not len(batch)]:
            del waiting[index]
            _refill(waiting, index, sources[index])


def _refill(waiting: dict[int, WideBatch], index: int, source: Iterator[WideBatch]) -> None:
    batch = next((batch for batch in source if len(batch)), None)
    if batch is not None:
        waiting[index] = batch
