"""Why the talk's centred window cannot run live, each claim of docs/add-a-stack.md by itself."""

from models.windows import RollingMedian


def centred(i: int, n: int, winsize: int = 40) -> tuple[int, int]:
    """The slice that the talk's loop takes the median of at point ``i`` of ``n``."""
    first = max(0, i - winsize // 2)
    last = max(i + winsize // 2 + 1, winsize - first + 1)
    if last >= n:
        first -= last - n
        last = n - 1
    return first, last


def test_a_centred_window_needs_twenty_readings_of_the_future() -> None:
    assert centred(500, 1000) == (480, 521)


def test_the_first_points_share_one_window_that_looks_forty_readings_ahead() -> None:
    assert {centred(i, 1000) for i in range(21)} == {(0, 41)}


def test_the_newest_reading_is_in_none_of_the_last_windows() -> None:
    assert all(999 not in range(*centred(i, 1000)) for i in range(979, 1000))


def test_for_a_short_series_the_window_begins_at_a_negative_index() -> None:
    first, _ = centred(10, 30)
    assert first < 0


def test_ours_depends_on_nothing_that_comes_later() -> None:
    values = [float((7 * i) % 31) for i in range(100)]
    whole, half = RollingMedian(count=40), RollingMedian(count=40)
    of_whole = [whole.push(60_000 * i, value) for i, value in enumerate(values)]
    of_half = [half.push(60_000 * i, value) for i, value in enumerate(values[:50])]
    assert of_whole[:50] == of_half
