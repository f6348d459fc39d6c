"""What the page on health is given."""

from streams.dashboard.following import Following
from streams.dashboard.health.monitor import Monitor
from streams.dashboard.picture import Picture
from streams.dashboard.seen import see_label
from streams.dashboard.viewer import Viewer
from streams.settings import load_settings
from tests.dashboard_at_hand import START_MS, label

ANN, AL = Viewer("ann", "see", None), Viewer("al", "answer", None)
BOB = Viewer("bob", "see", frozenset({"other"}))


def test_who_sees_the_same_shares_what_was_worked_out_in_this_second_and_who_sees_less_does_not() -> None:
    now_ms = [START_MS]
    settings, picture = load_settings(), Picture()
    monitor = Monitor(settings, picture, lambda: now_ms[0])
    following = Following(settings, picture, monitor.rejections)

    def come(machine: str) -> None:
        picture.take_labels([(see_label(label(machine, 9).model_dump_json().encode()), START_MS)])

    come("well-1")
    first = monitor.shown(ANN, following)
    assert sum(first["machines"].values()) == 1
    assert monitor.shown(BOB, following)["machines"] == {}
    assert monitor.shown(BOB, following)["rejected"] is None
    come("well-2")
    assert monitor.shown(AL, following) is first
    now_ms[0] += 1000
    assert sum(monitor.shown(AL, following)["machines"].values()) == 2
    assert monitor.shown(BOB, following)["machines"] == {}
