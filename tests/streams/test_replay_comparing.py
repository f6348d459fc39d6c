"""Labels of then beside those of now: what is told is what is there, in whatever order they come."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.replay.comparing import LARGEST, WHO_JUDGED, Comparing
from streams.replay.lines import FirstCopies, id_of


def label(offset: int, surprise: float, digest: str = "aa") -> bytes:
    """A label with the fields that matter here."""
    verdict = "anomalous" if surprise >= 3.0 else "normal"
    return msgspec.json.encode(
        {
            "label_id": f"load-0-{offset}-0",
            "client_id": "acme",
            "machine_id": f"well-{offset % 3}",
            "stack": "load",
            "event_time": f"2026-11-24T02:{offset % 60:02d}:00.000Z",
            "surprise": surprise,
            "label": verdict,
            "model_digest": digest,
        }
    )


labels = st.dictionaries(
    st.integers(0, 59), st.tuples(st.sampled_from([0.5, 1.0, 4.0]), st.sampled_from(["aa", "bb"])), max_size=40
)


@given(then=labels, now=labels, order=st.randoms(use_true_random=False))
def test_every_label_is_counted_once_whatever_the_order(
    then: dict[int, tuple[float, str]], now: dict[int, tuple[float, str]], order: object
) -> None:
    told: list[tuple[bytes | None, bytes | None]] = []
    comparing = Comparing(lambda was, is_: told.append((was, is_)), WHO_JUDGED)
    coming = [(comparing.then, label(k, *v)) for k, v in then.items()] + [
        (comparing.now, label(k, *v)) for k, v in now.items()
    ]
    order.shuffle(coming)  # type: ignore[attr-defined]
    for take, line in coming:
        take(line)
    comparing.finish_partition()
    found = comparing.result()
    both = then.keys() & now.keys()
    changed = {k for k in both if then[k][0] != now[k][0]}
    assert found.labels_then == len(then) == found.identical + found.only_ignored + found.changed + found.missing
    assert found.labels_now == len(now) == found.identical + found.only_ignored + found.changed + found.new
    assert found.changed == len(changed)
    assert found.only_ignored == sum(then[k] != now[k] for k in both - changed)
    assert len(told) == found.changed + found.missing + found.new
    assert sum(one.changed + one.missing + one.new for one in found.machines) == len(told)
    assert found.fields.get("model_digest", 0) == sum(then[k][1] != now[k][1] for k in both)
    sizes = [change.size for change in found.largest]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == min(LARGEST, found.changed)


def test_the_largest_changes_are_those_of_the_verdict_and_then_of_the_surprise() -> None:
    comparing = Comparing()
    for offset, (was, is_) in enumerate([(1.0, 1.5), (2.9, 3.0), (6.0, 0.0), (0.0, 2.9), (1.0, 1.0)]):
        comparing.now(label(offset, is_))
        comparing.then(label(offset, was))
    comparing.finish_partition()
    found = comparing.result()
    assert [change.label_id for change in found.largest] == [f"load-0-{n}-0" for n in (2, 1, 3, 0)]
    assert found.largest[0].fields["label"].model_dump() == {"then": "anomalous", "now": "normal"}
    assert found.verdicts == {"normal → normal": 2, "normal → anomalous": 1, "anomalous → normal": 1}
    assert (found.fields, found.is_same) == ({"surprise": 4, "label": 2}, False)


@given(
    late=st.lists(st.integers(0, 3), min_size=1, max_size=30),
    kills=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), max_size=4),
)
def test_labels_that_a_killed_worker_sends_again_are_known(late: list[int], kills: list[tuple[int, int]]) -> None:
    whole, causes = [], []  # what is sent without kills: each label, then the corrections that its reading makes
    revisions: dict[int, int] = {}
    for offset, corrections in enumerate(late):
        whole.append(f"load-0-{offset}-0")
        causes.append(offset)
        for back in range(1, min(corrections, offset) + 1):
            revisions[offset - back] = revisions.get(offset - back, 0) + 1
            whole.append(f"load-0-{offset - back}-{revisions[offset - back]}")
            causes.append(offset)
    sent, done = [], 0
    for cut, back in kills:  # a worker is killed after some label, and begins again with some reading before
        sent += whole[done : max(done, min(cut, len(whole)))]
        done = max(done, min(cut, len(whole)))
        again = max(0, (causes[done - 1] if done else 0) - back)
        done = causes.index(again) if again in causes else done
    sent += whole[done:]
    copies = FirstCopies()
    made = [(one, cause) for one in sent if (cause := copies.cause(one)) is not None]
    assert made == list(zip(whole, causes, strict=True))


def test_an_id_is_found_wherever_it_stands() -> None:
    assert id_of(label(7, 1.0)) == "load-0-7-0"
    assert id_of(b'{"stack": "load", "label_id": "load-0-8-0"}') == "load-0-8-0"
