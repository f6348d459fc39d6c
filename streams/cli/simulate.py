"""``wellsentry simulate``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.cli.feed import Form, chosen_factor

_HOUR_MS = 3_600_000


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @app.command()
    def simulate(
        wells: Annotated[int, typer.Option(help="How many.")] = 50,
        seed: Annotated[int, typer.Option(help="The same seed and start give the same readings.")] = 0,
        hours: Annotated[float | None, typer.Option(help="How long [24].")] = None,
        days: Annotated[float | None, typer.Option(help="How long, in days.")] = None,
        start: Annotated[
            str | None, typer.Option(help="First moment, ISO 8601 [so long ago that it ends now].")
        ] = None,
        client: Annotated[str, typer.Option(help="Whose wells they are.")] = "acme",
        factor: Annotated[float | None, typer.Option(help="So many times as fast as life [60].")] = None,
        flat_out: Annotated[bool, typer.Option("--flat-out", help="As fast as Kafka takes them.")] = False,
        form: Annotated[Form, typer.Option(help="One message for a reading, or for each of its signals.")] = Form.WIDE,
        kinds: Annotated[str, typer.Option(help="Kinds of wells, by commas.")] = "plunger,gas,rod",
        events: Annotated[float, typer.Option(help="Factor on how often events happen; 0: never.")] = 1.0,
        defects: Annotated[float, typer.Option(help="Factor on how often data are spoilt; 0: never.")] = 1.0,
        rate: Annotated[
            list[str] | None, typer.Option(help="Further factor of one kind, as in tubing_leak=10; repeatable.")
        ] = None,
        truth: Annotated[Path | None, typer.Option(help="File for what really happened, JSON lines.")] = None,
        output: Annotated[Path | None, typer.Option(help="Write CSV files here and feed nothing.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Tell the result as JSON.")] = False,
    ) -> None:
        """Simulate wells with plunger lift, gas lift and rod pumps, and feed their readings.

        Events happen to the wells and defects to their data; --truth tells which and when.
        """
        import asyncio
        import time

        from models.simulator import Fleet, Rates
        from streams.cli.context import settings_in_force
        from streams.feed import Pace
        from streams.feed_progress import feed_bar, tell_report
        from streams.simulate import simulate as run
        from streams.simulate import simulate_to_files, write_truth

        length_ms = round(_length_h(hours, days) * _HOUR_MS)
        start_ms = _start_ms(start, length_ms, time.time())
        rates = Rates(events=events, defects=defects, by_kind=_factors(rate or []))
        fleet = Fleet(seed, wells, start_ms, client, rates, _kinds(kinds))
        until_ms = start_ms + length_ms
        pace = Pace(chosen_factor(factor, flat_out, 60.0))
        more: dict[str, Any] = {}
        if truth is not None:
            more["truths"] = write_truth(fleet, until_ms, truth)
        with feed_bar("simulating", fleet.readings_a_day() * length_ms / (24 * _HOUR_MS)) as show:
            if output is not None:
                report = simulate_to_files(fleet, until_ms, output, show)
            else:
                settings = settings_in_force()
                report = asyncio.run(run(settings, fleet, until_ms, pace=pace, on_progress=show, form=form.value))
        tell_report(report, as_json=as_json, **more)


def _length_h(hours: float | None, days: float | None) -> float:
    if hours is not None and days is not None:
        raise typer.BadParameter("give --hours or --days, not both")
    length_h = 24.0 if hours is None and days is None else (hours or 0.0) + 24 * (days or 0.0)
    if not 0 < length_h <= 24 * 366 * 20:
        raise typer.BadParameter(f"cannot simulate {length_h} hours; give more than 0 and at most 20 years")
    return length_h


def _start_ms(start: str | None, length_ms: int, now_s: float) -> int:
    from schemas.errors import BadReading
    from schemas.times import to_ms

    if start is None:
        return (int(now_s * 1000) - length_ms) // _HOUR_MS * _HOUR_MS
    try:
        return to_ms(start)
    except BadReading as error:
        raise typer.BadParameter(f"--start: {error.detail}") from error


def _kinds(text: str) -> tuple[Any, ...]:
    return tuple(kind.strip() for kind in text.split(",") if kind.strip())


def _factors(texts: list[str]) -> dict[str, float]:
    factors = {}
    for text in texts:
        kind, _, number = text.partition("=")
        try:
            factors[kind.strip()] = float(number)
        except ValueError as error:
            raise typer.BadParameter(f"--rate {text}: write it as kind=factor") from error
    return factors
