"""Which incidents are told when: backoff, storms, order, and who asked for quiet."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.notices.backoff import LONGEST_ASKED_S, LONGEST_S, backoff_s
from models.notices.making import incident_notice, notice_id, storm_notice
from models.notices.outbox import Event, Outbox, Parcel
from models.notices.quiet import who_quiets
from models.notices.storm import StormGuard
from schemas.feedback import Feedback
from schemas.incidents import Incident
from tests.incident import an_incident

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
AT_MOST, WINDOW_S, GATHER_S = 3, 60.0, 5.0
jitters = st.floats(0, 1)


def event(offset: int, machine: str = "well-1", *, partition: int = 0, give_up_s: float = 1e9) -> Event:
    return Event(partition, offset, an_incident(machine, offset), give_up_s)


def an_outbox(at_most: int = 0) -> Outbox:
    return Outbox(StormGuard(at_most, WINDOW_S, GATHER_S))


def due(outbox: Outbox, now_s: float = 0.0) -> Parcel:
    found = outbox.next(now_s)
    assert isinstance(found, Parcel)
    return found


# -- backoff


@given(st.integers(1, 10_000), jitters)
def test_a_wait_is_between_half_and_all_of_what_doubles_up_to_five_minutes(failures: int, jitter: float) -> None:
    full_s = backoff_s(failures, 0.0)
    assert full_s / 2 <= backoff_s(failures, jitter) <= full_s <= LONGEST_S
    assert backoff_s(failures + 1, 0.0) == min(2 * full_s, LONGEST_S)


@given(st.integers(1, 10_000), jitters, st.floats(0, 1e9))
def test_who_asks_for_patience_gets_it_for_an_hour_at_most(failures: int, jitter: float, asked_s: float) -> None:
    assert min(asked_s, LONGEST_ASKED_S) <= backoff_s(failures, jitter, asked_s) <= max(LONGEST_S, LONGEST_ASKED_S)


# -- storms, with a clock that is only a number


def told_of(arrivals_s: list[float], machines: list[str]) -> list[tuple[float, Parcel]]:
    """When what is told of incidents that come at these times, by a target that takes everything."""
    outbox, now_s, told = an_outbox(AT_MOST), 0.0, []
    coming = list(enumerate(sorted(arrivals_s)))
    while True:
        while coming and coming[0][1] <= now_s:
            offset, _ = coming.pop(0)
            outbox.put(event(offset, machines[offset % len(machines)]))
        found = outbox.next(now_s)
        if isinstance(found, Parcel):
            outbox.told(found, now_s)
            told.append((now_s, found))
        elif (now_s := min([found, *(at_s for _, at_s in coming[:1])])) == float("inf"):
            return told


arrivals = st.lists(st.floats(0, 600).map(lambda s: round(s, 1)), min_size=1, max_size=60)
machines = st.lists(st.sampled_from(["well-1", "well-2", "well-3"]), min_size=1, max_size=7)


@given(arrivals, machines)
def test_of_any_storm_each_incident_is_told_once_in_order_and_in_time(arrivals_s: list[float], on: list[str]) -> None:
    told = told_of(arrivals_s, on)
    assert [one.offset for _, parcel in told for one in parcel.events] == list(range(len(arrivals_s)))
    came_s = sorted(arrivals_s)
    for at_s, parcel in told:
        assert all(came_s[one.offset] <= at_s <= came_s[one.offset] + WINDOW_S + GATHER_S for one in parcel.events)


@given(arrivals, machines)
def test_of_any_storm_a_window_sees_few_single_notices_and_one_that_sums_up(
    arrivals_s: list[float], on: list[str]
) -> None:
    told = told_of(arrivals_s, on)
    singles = [at_s for at_s, parcel in told if not parcel.summed]
    assert all(sum(at_s <= one < at_s + WINDOW_S for one in singles) <= AT_MOST for at_s in singles)
    summed = [at_s for at_s, parcel in told if parcel.summed]
    assert all(later - earlier >= WINDOW_S for earlier, later in pairwise(summed))


@given(st.lists(st.floats(WINDOW_S / AT_MOST + 0.1, 300), min_size=1, max_size=30))
def test_where_incidents_are_few_each_is_told_at_once_and_alone(gaps_s: list[float]) -> None:
    times_s = [sum(gaps_s[: n + 1]) for n in range(len(gaps_s))]
    assert [(at_s, parcel.summed) for at_s, parcel in told_of(times_s, ["well-1"])] == [(at, False) for at in times_s]


def test_half_of_a_fleet_at_once_is_one_notice() -> None:
    ((at_s, parcel),) = told_of([0.0] * 2_500, [f"well-{n}" for n in range(2_500)])
    notice = storm_notice(parcel.incidents, "https://wells.example.com/")
    assert (at_s, notice.data.opened, notice.data.machines) == (GATHER_S, 2_500, 2_500)
    assert len(notice.data.incident_ids) == 2_500
    assert len(notice.data.worst) == 20
    assert notice.link == "https://wells.example.com/incidents"


# -- order, and who holds whom back


def test_a_machine_s_next_notice_waits_while_an_earlier_one_fails_and_other_machines_go_on() -> None:
    outbox = an_outbox()
    for offset, machine in enumerate(["well-1", "well-1", "well-2"]):
        outbox.put(event(offset, machine))
    outbox.failed(due(outbox), 0.0, jitter=0.0)
    assert due(outbox).events[0].offset == 2
    outbox.told(due(outbox), 0.0)
    assert outbox.next(0.5) == 1.0
    assert outbox.committable() == {0: 0}
    outbox.told(due(outbox, 1.0), 1.0)
    assert due(outbox, 1.0).events[0].offset == 1
    assert outbox.committable() == {0: 1}


def test_a_target_that_fails_whatever_it_is_told_is_left_alone_longer_each_time() -> None:
    outbox, now_s, tries_s = an_outbox(), 0.0, []
    for offset in range(200):
        outbox.put(event(offset, f"well-{offset}"))
    while now_s < 3600:
        found = outbox.next(now_s)
        if isinstance(found, Parcel):
            tries_s.append(now_s)
            outbox.failed(found, now_s, jitter=0.0)
        else:
            now_s = found
    assert len(tries_s) < 30
    found = due(outbox, now_s)
    outbox.told(found, now_s)
    assert isinstance(outbox.next(now_s), Parcel), "once it answers, all others follow"


def test_a_target_that_asks_for_patience_gets_it_for_all_machines() -> None:
    outbox = an_outbox()
    outbox.put(event(0, "well-1"))
    outbox.put(event(1, "well-2"))
    outbox.failed(due(outbox), 0.0, jitter=1.0, asked_s=30.0)
    assert outbox.next(29.9) == 30.0


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["ok", "fails", "dropped"]), jitters), max_size=80))
def test_whatever_fails_order_holds_and_no_offset_is_committed_past_what_waits(
    steps: list[tuple[int, str, float]],
) -> None:
    outbox, now_s, offsets = an_outbox(AT_MOST), 0.0, [0, 0, 0]
    waiting: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    last: dict[int, int] = {}
    for partition, what, jitter in steps:
        outbox.put(event(offsets[partition], f"well-{partition}", partition=partition))
        waiting[partition].add(offsets[partition])
        offsets[partition] += 1
        found = outbox.next(now_s)
        if not isinstance(found, Parcel):
            now_s = found
            continue
        if what == "fails":
            outbox.failed(found, now_s, jitter)
        else:
            (outbox.drop(found) if what == "dropped" else outbox.told(found, now_s))
            for one in found.events:
                assert one.offset > last.get(one.partition, -1)
                last[one.partition] = one.offset
                waiting[one.partition].discard(one.offset)
        for number, at in outbox.committable().items():
            assert at == min(waiting[number], default=offsets[number])


# -- ids


def test_an_id_is_the_same_on_every_try_and_another_for_every_state() -> None:
    opened = an_incident("well-1", 7)
    closed = opened.model_copy(update={"state": "closed", "closed_at": NOON})
    assert notice_id([opened]) == "inc-load-0-7-0-opened"
    assert (
        len({notice_id([opened]), notice_id([closed]), notice_id([opened, closed]), notice_id([closed, opened])}) == 4
    )
    assert notice_id([opened, closed]) == notice_id([opened, closed])


@given(st.text(max_size=300))
def test_an_id_can_stand_in_a_header_whatever_the_incident_is_called(name: str) -> None:
    named = notice_id([an_incident("well-1", 1).model_copy(update={"incident_id": name})])
    assert named.isascii()
    assert named.isprintable()
    assert " " not in named
    assert "." not in named
    assert incident_notice(an_incident("well-1", 1), None).link is None


# -- quiet


def said(kind: str, **more: object) -> Feedback:
    about = {"stack": None, "incident_id": None, **more}
    return Feedback.model_validate(
        {
            "feedback_id": "f",
            "client_id": "acme",
            "machine_id": "well-1",
            "kind": kind,
            "by": "ann",
            "at": NOON,
            **about,
        }
    )


def is_quiet(incident: Incident, what: Feedback, now: datetime = NOON) -> bool:
    return who_quiets(incident, [what], now) is not None


def test_what_is_shelved_is_quiet_until_its_time() -> None:
    incident, until = an_incident("well-1", 1), NOON + timedelta(hours=1)
    for about in ({}, {"stack": "load"}, {"incident_id": incident.incident_id}):
        shelved = said("shelve", until=until, **about)
        assert is_quiet(incident, shelved)
        assert not is_quiet(incident, shelved, until)
    assert not is_quiet(incident, said("shelve", until=until, stack="flow"))
    assert not is_quiet(incident, said("shelve", until=until, incident_id="inc-other"))
    assert not is_quiet(incident, said("shelve", until=until, machine_id="well-2"))
    assert not is_quiet(incident, said("shelve", until=until, client_id="other"))


def test_what_somebody_looks_after_is_not_told_again() -> None:
    incident = an_incident("well-1", 1)
    assert is_quiet(incident, said("acknowledge", incident_id=incident.incident_id), NOON + timedelta(days=9))
    assert is_quiet(incident, said("acknowledge"))
    opened_later = incident.model_copy(update={"opened_at": NOON + timedelta(seconds=1)})
    assert not is_quiet(opened_later, said("acknowledge"))
    assert not is_quiet(incident, said("comment", text="seen it"))
