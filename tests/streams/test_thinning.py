"""Thinning hides no peak, no anomalous stretch and no gap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.dashboard.thinning import gap_ms, gaps, thin

_VALUES = st.none() | st.floats(-1e6, 1e6)
_LABELS = st.lists(st.tuples(st.integers(1, 5_000), _VALUES, _VALUES, st.integers(0, 3)), min_size=1, max_size=200)


@given(_LABELS, st.integers(1, 40))
def test_of_each_bucket_the_least_the_largest_and_every_state_remain(
    labels: list[tuple[int, float | None, float | None, int]], buckets: int
) -> None:
    times = np.cumsum([step for step, *_ in labels])
    series = np.array([values for _, *values, _ in labels], dtype=np.float64)
    states = np.array([state for *_, state in labels])
    begin, end = 0, int(times[-1]) + 1
    kept = thin(times, series, states, begin, end, buckets)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert (kept[0], kept[-1]) == (0, len(times) - 1)
    assert len(kept) <= buckets * (2 + 2 * series.shape[1] + 4)
    bucket = times * buckets // end
    for one in np.unique(bucket):
        there = np.flatnonzero(bucket == one)
        left = kept[bucket[kept] == one]
        assert set(states[there]) == set(states[left])
        for values in series.T:
            finite = values[there][~np.isnan(values[there])]
            if len(finite):
                assert np.nanmin(values[left]) == finite.min()
                assert np.nanmax(values[left]) == finite.max()


def test_what_fits_is_left_as_it_is() -> None:
    times = np.arange(0, 600_000, 60_000)
    values = np.zeros((10, 1))
    assert thin(times, values, np.zeros(10), 0, 600_000, 10).tolist() == list(range(10))
    assert thin(times[:0], values[:0], np.zeros(0), 0, 1, 10).tolist() == []


def test_a_gap_is_what_is_far_longer_than_usual() -> None:
    times = np.array([0, 60, 120, 180, 4_000, 4_060]) * 1000
    assert gap_ms(times) == 360_000
    assert gaps(times, gap_ms(times)).tolist() == [False, False, False, False, True, False]
    assert gap_ms(times[:2]) == 0
