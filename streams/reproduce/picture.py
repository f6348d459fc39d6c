"""A case drawn: what was measured, what was expected, how surprising that was, and what the model says.

Copied into every case as ``plot.py``, so it needs matplotlib, the case's files and nothing else:

    python plot.py [CASE_DIRECTORY [PICTURE.png]]
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

#: Labels that are drawn before and after the one that it is about.
BEFORE, AFTER = 150, 60
#: Colours that people who see few of them can tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, RED, GREY, PURPLE = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999", "#cc79a7"
COLOURS = (BLUE, ORANGE, PURPLE, GREEN, RED)
#: How good or bad a label is, as a mark.
VERDICTS = {"normal": (GREEN, "."), "anomalous": (RED, "o"), "unscored": (GREY, "x")}

Label = dict[str, Any]


def read_lines(path: Path) -> list[Label]:
    """A file with one label a line."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def labels_around(case: dict[str, Any], directory: Path) -> tuple[Label, list[Label]]:
    """The label, and those of its machine around it in order of time: made again, or as given where that was not possible."""
    label: Label = json.loads((directory / case["label"]).read_text())
    of_reading: dict[int, Label] = {}
    for name in ("labels", "again"):
        for one in read_lines(directory / case[name]):
            if one["source_offset"] != label["source_offset"]:
                of_reading[one["source_offset"]] = one  # of several revisions the last one holds
    of_reading[label["source_offset"]] = label
    ordered = sorted(of_reading.values(), key=lambda one: (one["event_time"], one["source_offset"]))
    at = ordered.index(label)
    return label, ordered[max(0, at - BEFORE) : at + AFTER + 1]


def model_of(label: Label, case: dict[str, Any], directory: Path) -> dict[str, Any] | None:
    """The model's part for the label's feature; None where there is none."""
    path = next((one["path"] for one in case["models"] if one["digest"] == label["model_digest"]), None)
    if path is None:
        return None
    features = json.loads((directory / path).read_text())["features"]
    return next((one for one in features if one["feature"] == label["feature"]), None)


def draw(directory: Path, target: Path) -> None:
    """Draw the case in ``directory`` into ``target``, a PNG."""
    case = json.loads((directory / "case.json").read_text())
    label, around = labels_around(case, directory)
    figure = Figure(figsize=(11, 13), layout="constrained")
    grid = figure.add_gridspec(4, 2, height_ratios=(3, 3, 3, 2.6))
    first = figure.add_subplot(grid[0, :])
    second, third = (figure.add_subplot(grid[row, :], sharex=first) for row in (1, 2))
    _draw_signals(first, label, around)
    _draw_feature(second, label, around)
    _draw_surprise(third, label, around, case["anomalous_at"])
    for axes in (first, second, third):
        _mark_moment(axes, label)
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    _draw_model(figure.add_subplot(grid[3, 0]), label, model_of(label, case, directory))
    _draw_views(figure.add_subplot(grid[3, 1]), label)
    figure.suptitle(f"{label['label_id']}   {label['machine_id']} of {label['client_id']}   {label['event_time']}")
    figure.savefig(target, dpi=110)


def _draw_signals(axes: Axes, label: Label, around: Sequence[Label]) -> None:
    for colour, name in zip(COLOURS, label["signals"], strict=False):
        axes.plot(*_series(around, lambda one, name=name: one["signals"].get(name)), color=colour, lw=1.2, label=name)
    low, _ = axes.get_ylim()
    bad = [one for one in around if one["reason"] not in (None, "warming_up")]
    for reason in sorted({one["reason"] for one in bad}):
        times = [_time(one) for one in bad if one["reason"] == reason]
        axes.plot(times, [low] * len(times), "x", ms=6, label=f"not believed: {reason}")
    axes.set_ylabel("signals (pressures in psi)")
    axes.legend(loc="upper left", fontsize=8)


def _draw_feature(axes: Axes, label: Label, around: Sequence[Label]) -> None:
    name = label["feature"]
    same = [one for one in around if one["feature"] == name]
    axes.plot(*_series(same, lambda one: one["value"]), color=GREY, lw=0.9, label=name)
    axes.plot(*_series(same, lambda one: one["median"]), color=BLUE, lw=1.6, label="its rolling median")
    usual = [one for one in same if one["expected_low"] is not None]
    if usual:
        times = [_time(one) for one in usual]
        low, high = ([one[end] for one in usual] for end in ("expected_low", "expected_high"))
        axes.fill_between(times, low, high, color=GREEN, alpha=0.18, step="post", label="usual")
    axes.set_ylabel(name)
    axes.legend(loc="upper left", fontsize=8)


def _draw_surprise(axes: Axes, label: Label, around: Sequence[Label], anomalous_at: float | None) -> None:
    if anomalous_at is not None:
        axes.axhline(anomalous_at, color=RED, lw=0.8, ls=":", label=f"anomalous at {anomalous_at:g}")
    axes.plot(*_series(around, lambda one: one["surprise"]), color=GREY, lw=0.8)
    for verdict, (colour, mark) in VERDICTS.items():
        some = [one for one in around if one["label"] == verdict]
        heights = [one["surprise"] or 0.0 for one in some]
        axes.plot([_time(one) for one in some], heights, mark, color=colour, ms=4, ls="none", label=verdict)
    for begin, end in _stretches(around, lambda one: one["alert"] in ("opened", "open")):
        axes.axvspan(begin, end, color=RED, alpha=0.12, label="alert open")
    for one in around:
        if one["alert"] in ("opened", "closed"):
            axes.annotate(one["alert"], (_time(one), one["surprise"] or 0.0), fontsize=8, color=RED)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("surprise\n(3 is once in a thousand)")
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    axes.legend(unique.values(), unique.keys(), loc="upper left", fontsize=8)
    said = label["label"] if label["reason"] is None else f"{label['label']} ({label['reason']})"
    axes.set_title(f"{said}, alert {label['alert']}", fontsize=10, loc="left")


def _draw_model(axes: Axes, label: Label, model: dict[str, Any] | None) -> None:
    if model is None:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no trained model, or it is gone", ha="center", transform=axes.transAxes)
        return
    centre, spread = _own_units(label, model)
    inner = [centre + spread * edge for edge in model["edges"]]
    margin = 0.1 * ((inner[-1] - inner[0]) if len(inner) > 1 else 1.0) or 1.0
    begin, end = (inner[0], inner[-1]) if inner else (centre, centre)
    if label["median"] is not None:
        begin, end = min(begin, label["median"]), max(end, label["median"])
    edges = [begin - margin, *inner, end + margin]
    axes.stairs(model["scores"], edges, color=BLUE, baseline=None, label="score")
    axes.set_xlabel(f"median of {label['feature']}")
    axes.set_ylabel("score", color=BLUE)
    other = axes.twinx()
    other.stairs(model["surprises"], edges, color=ORANGE, baseline=None)
    other.set_ylabel("surprise by the forest alone", color=ORANGE)
    axes.axvspan(
        centre + spread * model["expected_low"], centre + spread * model["expected_high"], color=GREEN, alpha=0.15
    )
    if label["median"] is not None:
        axes.axvline(label["median"], color=RED, lw=1.2)
        if label["score"] is not None:
            axes.plot(label["median"], label["score"], "o", color=RED, ms=7)
    axes.set_title(f"model {label['model_digest'][:8]} ({label['model_rung']})", fontsize=10)


def _draw_views(axes: Axes, label: Label) -> None:
    views = label["views"]
    if not views:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "views are on anomalous labels alone", ha="center", transform=axes.transAxes)
        return
    names = list(views)[::-1]
    axes.barh(names, [views[name] for name in names], color=[RED if name == names[-1] else GREY for name in names])
    axes.set_xlabel("surprise")
    axes.set_title(f"which view drove it: {names[-1]}", fontsize=10)


def _mark_moment(axes: Axes, label: Label) -> None:
    axes.axvline(_time(label), color=RED, lw=1.0, ls="--")
    axes.grid(alpha=0.25)


def _own_units(label: Label, model: dict[str, Any]) -> tuple[float, float]:
    """Middle and spread of the machine: a fleet's model is in units of these, and the label has its usual range in psi."""
    width = model["expected_high"] - model["expected_low"]
    if label["model_rung"] != "fleet" or label["expected_low"] is None or width <= 0:
        return 0.0, 1.0
    spread = (label["expected_high"] - label["expected_low"]) / width
    return label["expected_low"] - spread * model["expected_low"], spread


def _time(label: Label) -> float:
    """In matplotlib's days."""
    return float(date2num(datetime.fromisoformat(label["event_time"])))


def _series(labels: Iterable[Label], what: Any) -> tuple[list[float], list[float]]:
    found = [(_time(one), what(one)) for one in labels]
    return [time for time, _ in found], [float("nan") if value is None else value for _, value in found]


def _stretches(labels: Sequence[Label], what: Any) -> list[tuple[float, float]]:
    """First and last time of each unbroken stretch."""
    found: list[tuple[float, float]] = []
    before = False
    for one in labels:
        now = bool(what(one))
        if now:
            found.append((_time(one), _time(one))) if not before else found.append((found.pop()[0], _time(one)))
        before = now
    return found


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    draw(where, Path(sys.argv[2]) if len(sys.argv) > 2 else where / "picture.png")
