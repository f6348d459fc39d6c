"""Which offsets a machine's training data come from: what a request says of it holds, whatever came late or was restarted."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine.engine import Engine
from models.engine.refits import first_offset
from models.engine.state import LATENESS
from tests.models.engines import R, batch_of, engine_of, new_engine

HISTORY = 128
#: Between readings of this machine others come.
STEP = 3


def said_of(engine: Engine) -> int:
    return first_offset(engine.stacks["load"].state, 0)


@settings(max_examples=12, deadline=None)
@given(
    late=st.lists(st.tuples(st.integers(0, 420), st.integers(1, 60)), max_size=20),
    restarts=st.sets(st.integers(1, 449), max_size=3),
    commits=st.sampled_from([1, 7, 90, 500]),
)
def test_no_reading_of_the_history_is_before_the_first_offset_and_few_others_are_behind_it(
    late: list[tuple[int, int]], restarts: set[int], commits: int
) -> None:
    minutes = list(range(450))
    for place, newer in late:
        minutes.insert(place + newer, minutes.pop(place))
    engine, kept = new_engine(history=HISTORY, refits=False), dict[bytes, bytes]()
    whole = new_engine(history=HISTORY, refits=False)
    for number, minute in enumerate(minutes):
        for one in (engine, whole):
            one.step(batch_of(one, [R(minute, 200.0, 100.0)], 5 + STEP * number))
        if number % commits == 0 or number in restarts:
            kept |= engine.records([("load", 0)], ())
        if number in restarts:
            engine = engine_of(kept.items(), history=HISTORY, refits=False)
            engine.read_back([0])
        if number % 10 == 0:
            arrived = {minute: 5 + STEP * at for at, minute in enumerate(minutes[: number + 1])}
            history = [arrived[minute] for minute in sorted(arrived)[-HISTORY:]]
            assert said_of(whole) <= min(history)
            assert min(history) - said_of(whole) <= STEP * (HISTORY + 2 * LATENESS)
            assert said_of(engine) == said_of(whole), "a restart changes nothing"


def test_the_first_offset_of_a_short_history_is_that_of_the_machine_s_first_reading() -> None:
    engine = new_engine(history=HISTORY)
    engine.step(batch_of(engine, [R(minute, 200.0, 100.0) for minute in range(HISTORY)], 17))
    assert said_of(engine) == 17
