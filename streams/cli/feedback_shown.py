"""How ``wellsentry feedback`` shows what was said."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import typer

from schemas.errors import BadReading
from schemas.times import datetime_to_ms, iso, moment, to_ms

if TYPE_CHECKING:
    from schemas.feedback import Feedback

_WIDE = 220


def shelved_until(now: datetime, hours: float | None, until: str | None) -> datetime:
    """The moment up to which something is shelved, by one of the two. Raises ``typer.BadParameter``."""
    if (hours is None) == (until is None):
        raise typer.BadParameter("say for how long: give one of --hours and --until")
    try:
        found = now + timedelta(hours=hours) if hours is not None else moment(to_ms(until or ""))
    except BadReading as error:
        raise typer.BadParameter(f"{until!r} is no time: give one such as 2026-11-24T06:00 (UTC)") from error
    if found <= now:
        raise typer.BadParameter(f"{iso(datetime_to_ms(found))} is past")
    return found


def sent_line(said: "Feedback") -> str:
    """What is said once it is on the topic."""
    line = f"{said.kind} of {_about(said)} by {said.by} is on the topic as {said.feedback_id}"
    if said.kind in ("confirm", "false_alarm", "undo"):
        line += "; where it changes what the model is fitted to, a new one comes within seconds"
    return f"{line}.\nTo take it back: wellsentry feedback undo {said.feedback_id} --by NAME"


def echo_feedback(said: "Sequence[Feedback]") -> None:
    """A line each."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("id", "what", "by", "said", "about", "stretch", "words"):
        table.add_column(name, no_wrap=name != "words")
    for one in said:
        cells = (one.feedback_id, one.kind, one.by, _at(one.at), _about(one), _stretch(one), one.text or "")
        table.add_row(*(Text(cell) for cell in cells))
    console = Console()
    if not console.is_terminal:  # into a file or a pipe nothing is cut off
        console = Console(width=_WIDE)
    console.print(table)


def _about(said: "Feedback") -> str:
    whose = "/".join(name for name in (said.client_id, said.machine_id, said.stack) if name)
    return f"{whose} {said.incident_id}" if said.incident_id else whose


def _stretch(said: "Feedback") -> str:
    if said.until is not None:
        return f"until {_at(said.until)}"
    if said.from_time is None:
        return ""
    return f"{_at(said.from_time)} to {_at(said.to_time) if said.to_time else 'its end'}"


def _at(time: datetime) -> str:
    return iso(datetime_to_ms(time))[:19] + "Z"
