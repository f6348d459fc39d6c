"""What the columns of a file are: time, names, signals, and what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.errors import BadInputFile
from schemas.signals import MAX_SIGNALS, is_name, standard_name

#: Labels that somebody gave the rows: never a signal.
IGNORED: Final = frozenset({"class", "label"})
_TIMES: Final = frozenset({"time", "timestamp"})
_MACHINES: Final = frozenset({"machine_id", "machine"})
_CLIENTS: Final = frozenset({"client_id", "client"})


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of one file, by the names they have in it."""

    time: str
    machine: str | None
    client: str | None
    signals: dict[str, str]  # standard name by the file's own

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return [name for name in (self.time, self.machine, self.client, *self.signals) if name is not None]


def read_header(path: Path, columns: Sequence[str]) -> Header:
    """The meaning of ``columns``: the one called time or timestamp is the time, else the first; the rest are signals.

    Raises :class:`BadInputFile` if there is no signal, or two columns mean the same one.
    """
    if len(set(columns)) != len(columns):
        raise BadInputFile(f"{path}, row 1: two columns have the same name; rename one of {', '.join(columns)}")
    lowered = {name: name.strip().lower() for name in columns}
    time = next((name for name in columns if lowered[name] in _TIMES), columns[0] if columns else None)
    if time is None:
        raise BadInputFile(f"{path} is empty; its first row must name the columns, the time among them")
    machine = next((name for name in columns if lowered[name] in _MACHINES), None)
    client = next((name for name in columns if lowered[name] in _CLIENTS), None)
    signals: dict[str, str] = {}
    for name in columns:
        if name in (time, machine, client) or lowered[name] in IGNORED or name.startswith("__index"):
            continue
        standard = standard_name(name)
        if not is_name(standard):
            raise BadInputFile(f"{path}, row 1: {name!r} cannot name a signal; start it with a letter")
        if standard in signals.values():
            raise BadInputFile(f"{path}, row 1: two columns are the signal {standard!r}; keep one of them")
        signals[name] = standard
    if not signals:
        raise BadInputFile(f"{path}, row 1: no column holds a signal beside {', '.join(columns)}")
    if len(signals) > MAX_SIGNALS:
        raise BadInputFile(f"{path}, row 1: {len(signals)} signals, and a reading carries at most {MAX_SIGNALS}")
    return Header(time, machine, client, signals)
