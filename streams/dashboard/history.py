"""A machine's past for a chart: labels out of DynamoDB, the newest out of memory, thinned so that no peak is lost."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.errors import StoreError
from streams.dashboard.left_alone import AsksStore
from streams.dashboard.machines import Key
from streams.dashboard.recent import MOST_SIGNALS, Recent
from streams.dashboard.thinning import gap_ms, gaps, thin
from streams.label_store.tracks import DRAWN, STATES, Track, join, nothing

#: Digits that are shown of the largest number in a column, and of the others as many decimals.
_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a stretch, thinned. ``gap_before``: over which steps no line is to be drawn."""

    labels: int  # in the stretch, before thinning
    track: Track
    gap_before: npt.NDArray[np.bool_]  # of each label of the track
    gap_ms: int
    note: str | None  # what is missing, for people


class History:
    """Answers for any machine."""

    def __init__(self, stored: AsksStore, recent: Recent) -> None:
        self._stored, self._recent = stored, recent

    async def of(self, key: Key, from_ms: int, to_ms: int, buckets: int) -> Past:
        """Labels of a machine and stack with ``from_ms <= event time < to_ms``. Without DynamoDB those in memory."""
        stored, note = await self._out_of_store(key, from_ms, to_ms)
        parts = [stored, self._recent.track(key, from_ms, to_ms)]
        return await asyncio.to_thread(lambda: thinned(join(parts), from_ms, to_ms, buckets, note))

    async def _out_of_store(self, key: Key, from_ms: int, to_ms: int) -> tuple[Track, str | None]:
        client, machine, stack = key
        try:
            return await self._stored.ask(lambda store: store.track(client, machine, from_ms, to_ms, stack)), None
        except StoreError as error:
            return nothing(), f"Only the newest labels, out of memory: {error}"


def thinned(whole: Track, from_ms: int, to_ms: int, buckets: int, note: str | None) -> Past:
    """``whole``, labels between ``from_ms`` and ``to_ms``, as far as a chart of so many ``buckets`` can show it."""
    series = np.concatenate([whole.numbers, whole.levels[:, :MOST_SIGNALS]], axis=1)
    kept = thin(whole.times_ms, series, whole.states, from_ms, to_ms, buckets)
    longest_ms = gap_ms(whole.times_ms)
    # Gaps shorter than a bucket nobody could see; and each breaks the line, so that more of them would hide it.
    drawn_ms = max(longest_ms, (to_ms - from_ms) // max(1, buckets))
    there = gaps(whole.times_ms, drawn_ms) if longest_ms else np.zeros(len(whole), np.bool_)
    return Past(len(whole), whole.at(kept), there[kept], longest_ms, note)


def columns(track: Track) -> dict[str, Any]:
    """Columns as they are sent: numbers with as many digits as a chart shows, null where there is none."""
    return {
        "time_ms": track.times_ms.tolist(),
        "partition": track.partitions.tolist(),
        "offset": track.offsets.tolist(),
        "revision": track.revisions.tolist(),
        "state": [STATES[code] for code in track.states.tolist()],
        **{name: _shown(column) for name, column in zip(DRAWN, track.numbers.T, strict=True)},
        "signals": {
            name: _shown(column)
            for name, column in zip(track.signals[:MOST_SIGNALS], track.levels.T, strict=False)
        },
    }  # fmt: skip


def _shown(column: npt.NDArray[np.float64]) -> list[float | None]:
    """Numbers with :data:`_DIGITS` digits at most.

    >>> _shown(np.array([412.5000001, np.nan, 0.123456789]))
    [412.5, None, 0.1235]
    """
    there = np.isfinite(column)
    largest = float(np.abs(column[there]).max(initial=0.0))
    decimals = _DIGITS - (len(str(int(largest))) if largest < 1e15 else 16)
    return [
        number if is_there else None
        for number, is_there in zip(np.round(column, decimals).tolist(), there.tolist(), strict=True)
    ]
