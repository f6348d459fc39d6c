"""Draws one model of the registry: python plot.py [ENTRY'S DIRECTORY] [PICTURE]

This file lies beside each model and needs nothing but the entry's own files, numpy, pyarrow and matplotlib: so the picture
can be made again years later, offline, without wellsentry. For each feature it shows the medians that the model was fitted to
with the band that it takes as usual, and how its score and its surprise rise outside of that.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

INK, BAND, SCORE, SURPRISE = "#1f4e79", "#9ecae1", "#666666", "#c0392b"
#: Most stacks call a reading anomalous from here on: once in ten thousand.
ANOMALOUS_AT = 4.0
#: More points than a picture has columns show nothing more.
MOST_POINTS = 4000


def in_own_spreads(values: Any) -> Any:
    """A machine's medians as its fleet's model sees them: distance from their middle in spreads."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    steps = np.diff(np.unique(values))
    floor = max(steps.min(), 1e-4 * abs(middle)) if len(steps) else 1e-3 * max(1.0, abs(middle))
    return (values - middle) / max((high - low) / 1.349, floor)


def medians_of(table: Any, feature: str, *, is_fleet: bool) -> Any:
    """What one feature was fitted to, machine by machine."""
    names = np.asarray(table.column("machine_id").to_pylist(), dtype=object)
    values = table.column(feature).to_numpy()
    each = [values[names == name] for name in dict.fromkeys(names)]
    return np.concatenate([in_own_spreads(one) for one in each]) if is_fleet else values


def draw_medians(axes: Any, values: Any, model: Any, unit: str) -> None:
    """The medians in their order, and what is usual."""
    step = max(1, len(values) // MOST_POINTS)
    axes.axhspan(model["expected_low"], model["expected_high"], color=BAND, alpha=0.5, label="usual")
    axes.plot(np.arange(len(values))[::step], values[::step], ".", markersize=2, color=INK, label="medians fitted to")
    axes.set_xlabel("median, oldest first")
    axes.set_ylabel(f"{model['feature']} {unit}")
    axes.legend(loc="upper left", fontsize=8)


def draw_curve(axes: Any, values: Any, model: Any, unit: str) -> None:
    """Score and surprise over all values, as they are looked up."""
    edges = np.asarray(model["edges"], dtype=np.float32)
    low = min(values.min(), model["expected_low"])
    high = max(values.max(), model["expected_high"])
    room = max(high - low, 1e-6)
    x = np.linspace(low - room, high + room, 2000)
    at = np.searchsorted(edges, x.astype(np.float32))
    axes.axvspan(model["expected_low"], model["expected_high"], color=BAND, alpha=0.5)
    axes.plot(x, np.asarray(model["surprises"])[at], color=SURPRISE, label="surprise")
    axes.axhline(ANOMALOUS_AT, color=SURPRISE, linewidth=0.8, linestyle=":")
    axes.set_ylabel("surprise", color=SURPRISE)
    axes.set_xlabel(f"{model['feature']} {unit}")
    other = axes.twinx()
    other.plot(x, np.asarray(model["scores"])[at], color=SCORE, linewidth=0.9)
    other.set_ylabel("raw score", color=SCORE)
    other.set_ylim(0.0, 1.0)


def draw(manifest: Any, lookup: Any, table: Any) -> Any:
    """A figure of the model."""
    from matplotlib.figure import Figure

    is_fleet = manifest["rung"] == "fleet"
    unit = "(in a machine's own spreads)" if is_fleet else ""
    models = lookup["features"]
    figure = Figure(figsize=(12, 0.6 + 3.4 * len(models)), layout="constrained")
    figure.suptitle(
        f"{manifest['client_id']} / {manifest['machine_id']} / {manifest['stack']}   model {manifest['digest']}   "
        f"{manifest['fitted_at']}   {manifest['reason']}, {manifest['readings']} medians",
        fontsize=10,
    )
    for row, model in zip(figure.subplots(len(models), 2, squeeze=False), models, strict=True):
        values = medians_of(table, model["feature"], is_fleet=is_fleet)
        draw_medians(row[0], values, model, unit)
        draw_curve(row[1], values, model, unit)
    return figure


def main(directory: str = ".", picture: str = "plot.png") -> None:
    """Read an entry's directory and write the picture."""
    entry = Path(directory)
    manifest, lookup = (json.loads((entry / name).read_bytes()) for name in ("manifest.json", "lookup.json"))
    draw(manifest, lookup, pq.read_table(entry / "training.parquet")).savefig(picture, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
