"""Event times in the forms that historians write them."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.times import iso, to_ms


@given(st.integers(1_000_000_000_000, 4_102_444_800_000))
def test_epoch_milliseconds_are_the_same_moment_as_number_text_and_iso(ms: int) -> None:
    assert to_ms(ms) == to_ms(str(ms)) == to_ms(iso(ms)) == ms


def test_digits_that_python_would_take_for_a_date_of_another_century_are_epoch_milliseconds() -> None:
    assert iso(to_ms("1796090400000")) == "2026-12-01T02:00:00.000Z"


def test_eight_digits_are_a_date() -> None:
    assert iso(to_ms("20261124")) == "2026-11-24T00:00:00.000Z"
