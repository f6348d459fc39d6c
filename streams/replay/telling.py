"""How a replay is shown: a bar on a terminal, else a line in the log every few seconds; and what it came to, as text."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from schemas.bisection import Bisection
from schemas.comparison import Change, Comparison
from schemas.times import datetime_to_ms, iso
from streams.log import get_logger
from streams.replay.comparing import WHO_JUDGED
from streams.replay.plan import Plan
from streams.replay.running import OnProgress
from streams.replay.running import Progress as Come

log = get_logger(__name__)

_LOG_EVERY_S: Final = 5.0
_SHOWN: Final = 10


@contextmanager
def watched(clock: Callable[[], float] = time.monotonic) -> Iterator[OnProgress]:
    """Yields what takes the progress of a replay, and shows it on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _logged(clock)
        return
    columns = (
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, rate="", at="")

        def show(come: Come) -> None:
            at = "" if come.newest_ms is None else iso(come.newest_ms)
            bar.update(task, total=come.of, completed=come.readings, rate=f"{come.readings_per_s:,.0f}/s", at=at)

        yield show


def _logged(clock: Callable[[], float]) -> OnProgress:
    next_s = clock() + _LOG_EVERY_S

    def tell(come: Come) -> None:
        nonlocal next_s
        if clock() < next_s:
            return
        next_s = clock() + _LOG_EVERY_S
        log.info(
            "replaying",
            action="replay_progress",
            readings=come.readings,
            of=come.of,
            labels=come.labels,
            readings_per_s=round(come.readings_per_s),
            at=None if come.newest_ms is None else iso(come.newest_ms),
        )

    return tell


def sentences(plan: Plan, come: Come) -> Iterator[str]:
    """What was done, and from where on it is what it was then.

    >>> next(sentences(Plan(asked=None, topic="r", code_version="", git_commit="", partitions={}, labels={}),
    ...                Come(7, 7, 6, 0.5, 14.0, None)))
    '6 labels, 7 offsets of readings read in 0 partition(s), 0.5 s (14 readings/s)'
    """
    rate = f"{come.readings_per_s:,.0f} readings/s"
    yield (
        f"{come.labels:,} labels, {come.of:,} offsets of readings read in {len(plan.partitions)} partition(s), "
        f"{come.seconds:.1f} s ({rate})"
    )
    warm = {n: one for n, one in sorted(plan.partitions.items()) if one.start_offset < one.first_offset}
    if warm:
        where = ", ".join(f"{n} from {one.start_offset} on" for n, one in warm.items())
        yield f"read before that, so that all machines are warm: partition {where}"
    for number, one in sorted(plan.partitions.items()):
        if one.cold:
            yield (
                f"partition {number}: of {_named(one.cold)} no state is kept from before, and older readings are gone from "
                f"the topic; their labels begin cold at offset {one.start_offset} and can be compared once 1,024 readings "
                "of a machine have passed, some views' later still"
            )
    for number, (first, end) in sorted(plan.stored.items()):
        where = f"DynamoDB cannot be asked for them: {plan.untold}" if plan.untold else "they are taken from DynamoDB"
        yield f"partition {number}: labels of readings {first} to {end - 1} are past their topic's retention; {where}"
    for machine, why in sorted(plan.left_out.items()):
        yield f"machine {machine} is left out: {why}"


def _named(machines: list[str]) -> str:
    more = f" and {len(machines) - _SHOWN} more" if len(machines) > _SHOWN else ""
    return ", ".join(machines[:_SHOWN]) + more


def tell_comparison(found: Comparison, console: Console, sides: tuple[str, str] = ("given then", "made now")) -> None:
    """Show on a terminal what differs between two ``sides``."""
    console.print(
        f"{found.labels_then:,} labels {sides[0]}, {found.labels_now:,} {sides[1]}: "
        f"{found.identical:,} identical to the letter"
        + (f", {found.only_ignored:,} but for who judged" if found.ignored else "")
        + f", [bold]{found.changed:,} changed[/], {found.missing:,} missing, {found.new:,} new"
    )
    if found.is_same:
        console.print("no label says anything else", style="green")
        return
    if found.fields:
        console.print("fields that differ: " + ", ".join(f"{name} {count:,}" for name, count in found.fields.items()))
    if found.verdicts:
        console.print("verdicts: " + ", ".join(f"{what} {count:,}" for what, count in found.verdicts.items()))
    if found.machines:
        table = Table(
            "machine", "stack", "changed", "missing", "new", "first at", "label", box=SIMPLE, padding=(0, 1, 0, 0)
        )
        for column in table.columns:
            column.no_wrap = True
        for column in table.columns[2:5]:
            column.justify = "right"
        for one in found.machines[:_SHOWN]:
            numbers = (f"{number:,}" for number in (one.changed, one.missing, one.new))
            at = f"{iso(datetime_to_ms(one.first_time))[:19]}Z"
            table.add_row(escape(f"{one.client_id}/{one.machine_id}"), one.stack, *numbers, at, one.first_label_id)
        if len(found.machines) > _SHOWN:
            table.caption = f"and {len(found.machines) - _SHOWN} more machines"
        console.print(table)
    for change in found.largest[:_SHOWN]:
        console.print(change_line(change), markup=False, soft_wrap=True)


def tell_bisection(found: Bisection, console: Console) -> None:
    """Show on a terminal where labels begin to be others."""
    one = found.between.removesuffix("s")
    if found.first is None or found.comparison is None:
        console.print(
            f"{found.new} gives the same labels as {found.old}: no {one} between them changed any", style="green"
        )
        return
    console.print(
        f"the first {one} with other labels is [bold]{found.first}[/] ({escape(found.about or '')}); "
        f"up to {found.before} they are those of {found.old}. {len(found.tried)} of {found.candidates} were tried.",
        soft_wrap=True,
    )
    tell_comparison(found.comparison, console, ("the older", "the newer"))


def change_line(change: Change) -> str:
    """A changed label in a line.

    >>> from schemas.comparison import FieldChange
    >>> change_line(Change(label_id="load-0-7-0", client_id="acme", machine_id="well-7", stack="load", size=102.5,
    ...                    event_time="2026-11-24T02:44:10Z", fields={"label": FieldChange(then="normal", now="anomalous")}))
    '2026-11-24T02:44:10.000Z  well-7  load-0-7-0  label normal → anomalous'
    """
    at = iso(datetime_to_ms(change.event_time))
    shown = [
        f"{name} {_short(change.fields[name].then)} → {_short(change.fields[name].now)}"
        for name in telling_fields(change)
    ]
    return f"{at}  {change.machine_id}  {change.label_id}  {', '.join(shown)}"


#: What says most of a change comes first.
_FIRST: Final = ("label", "reason", "alert", "surprise", "median", "value")
_FIELDS: Final = 5


def telling_fields(change: Change) -> list[str]:
    """The fields of a change that say most, a few of them; who judged only if nothing else differs."""
    said = [name for name in change.fields if name not in WHO_JUDGED] or list(change.fields)
    return sorted(said, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))[:_FIELDS]


def _short(value: Any) -> str:
    text = "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
