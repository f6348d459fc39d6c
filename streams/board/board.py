"""One look at a running installation. Pure: the same figures give the same board."""

from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.demo.figures import Figures, Machine

_BARS: Final = "▁▂▃▄▅▆▇█"
_TOP_SURPRISE: Final = 6.0
_VERDICT_STYLE: Final = {"normal": "green", "anomalous": "bold red", "unscored": "dim"}
_FRAME_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class Rates:
    """What changed since the last look, a second."""

    readings: float
    labels: float


def board(figures: Figures, rates: Rates, elapsed_s: float, width: int, height: int) -> RenderableType:
    """The board for a terminal of that size; machines that need a look come first."""
    return Group(_summary(figures, rates, elapsed_s), _machines(figures, width, max(3, height - _FRAME_ROWS)))


def _summary(figures: Figures, rates: Rates, elapsed_s: float) -> RenderableType:
    p50, p99 = figures.latencies.percentile(0.5), figures.latencies.percentile(0.99)
    line = Text()
    line.append(f"{rates.readings:,.0f}", "bold").append(" readings/s  ")
    line.append(f"{rates.labels:,.0f}", "bold").append(" labels/s  ")
    line.append("latency ").append(_ms(p50), "bold").append(" p50 ").append(_ms(p99), "bold").append(" p99  ")
    line.append(f"{elapsed_s:,.0f} s", "dim")
    counts = Text()
    for kind, style in _VERDICT_STYLE.items():
        counts.append(f"{figures.kinds[kind]:,}", style).append(f" {kind}  ")
    counts.append(f"{figures.rejected:,} rejected  {len(figures.models)} models  ")
    stored = "-" if figures.stored is None else f"{figures.stored:,}"
    counts.append(f"{stored} stored  ")
    counts.append(f"{figures.open_incidents} open incidents", "bold red" if figures.open_incidents else "")
    lines = [line, counts]
    if figures.dashboard is not None:
        lines.append(Text.assemble("in a browser: ", (figures.dashboard, "bold")))
    return Panel(Group(*lines), title="wellsentry", title_align="left", padding=(0, 1))


def _machines(figures: Figures, width: int, rows: int) -> RenderableType:
    wide = width >= 110
    table = Table(box=None, padding=(0, 1), expand=True, header_style="dim")
    table.add_column("machine", no_wrap=True)
    if wide:
        table.add_column("casing psi", justify="right")
        table.add_column("tubing psi", justify="right")
    table.add_column("load", justify="right")
    table.add_column("median", justify="right")
    if wide:
        table.add_column("expected", justify="right", no_wrap=True)
    table.add_column("surprise", justify="right")
    table.add_column("", no_wrap=True, width=24 if wide else 10)
    table.add_column("label", no_wrap=True)
    table.add_column("model", no_wrap=True)
    shown = sorted(figures.machines.items(), key=lambda item: (_urgency(item[1].label), item[0]))
    for (_, name, _stack), machine in shown[:rows]:
        table.add_row(*_row(name, machine, wide))
    if len(shown) > rows:
        table.add_row(Text(f"… and {len(shown) - rows} more", "dim"))
    return table


def _urgency(label: Any) -> int:
    """Open alerts first, then anomalies, then the rest."""
    if label.alert in ("opened", "open"):
        return 0
    return 1 if label.label == "anomalous" else 2


def _row(name: str, machine: Machine, wide: bool) -> list[RenderableType]:
    label = machine.label
    verdict = Text(label.reason or label.label, _VERDICT_STYLE[label.label])
    if label.alert in ("opened", "open"):
        verdict = Text(f"● {label.label}", "bold red")
    model = f"{label.model_rung or '-'} {(label.model_digest or '')[:6]}".strip()
    cells: list[RenderableType] = [name]
    if wide:
        cells += [_number(label.signals.get("casing_pressure")), _number(label.signals.get("tubing_pressure"))]
    cells += [_number(label.value), _number(label.median)]
    if wide:
        known = label.expected_low is not None
        cells.append(Text(f"{label.expected_low:.0f} … {label.expected_high:.0f}" if known else "-", "dim"))
    cells += [
        _number(label.surprise, 2),
        sparkline(machine.surprises[-(24 if wide else 10) :]),
        verdict,
        Text(model, "dim"),
    ]
    return cells


def sparkline(surprises: list[float]) -> Text:
    """Surprises from 0 to 6 as small bars.

    >>> sparkline([0.0, 3.0, 6.0]).plain
    '▁▄█'
    """
    text = Text()
    for surprise in surprises:
        share = min(max(surprise / _TOP_SURPRISE, 0.0), 1.0)
        text.append(_BARS[int(share * (len(_BARS) - 1))], "red" if surprise >= _TOP_SURPRISE / 2 else "cyan")
    return text


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"
