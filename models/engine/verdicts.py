"""What one stack thinks of a run, in columns: the steps' findings, before labels are made of them."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.engine.codes import HELD, SEEN
from models.engine.compiled import compiled
from models.engine.state import ALARM

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Words of 8 bytes in an alarm.
_ALARM_WORDS: Final = ALARM.itemsize // 8


class Findings(NamedTuple):
    """All columns of ``n`` readings; those SEEN or HELD have no label."""

    kind: Any  # n: see models.engine.codes
    time_ms: Any  # n: event time; of a pair the later one
    sequence: Any  # n: the reading's number in its machine's history, by event time; -1: not put there
    partner: Any  # n: offset of the other half of a pair; -1: none
    driver: Any  # n: index of the feature that drove the verdict
    verdict: Any  # n
    alert: Any  # n
    opened_offset: Any  # n: offset that opened the incident this reading belongs to; -1: none
    model_index: Any  # n: model in force for that reading; -1: none
    model_since: Any  # n
    rung: Any  # n
    due: Any  # n: why a refit is due; 0: it is not
    late: Any  # n: 1 if it was put in its place among readings that had come before it
    happened: Any  # n of ALARM: filled where an alert opened or closed
    believed: Any  # n x s: the signals, NaN where they cannot be what was measured
    signals: Any  # n x s: what the stack looked at
    feature: Any  # n x k
    median: Any  # n x k; NaN where nothing went into the window
    raw: Any  # n: raw score of the detector for the feature that speaks; NaN where there is none
    surprise: Any  # n; NaN where unscored
    expected: Any  # n x 2: low and high
    views: Any  # n x k x v: surprise of each view; v is 0 where the detector has none
    together: Any  # n: surprise of all signals together


#: So many columns of plain integers come first in a block of integers; alarms come behind them.
_PLAIN: Final = Findings._fields.index("happened")


def _cut(ints: Any, floats: Any, n: int, s: int, k: int, v: int) -> Any:
    a = n * s  # where each column of floats ends
    b = a + n * s
    c = b + n * k
    d = c + n * k
    e = d + n
    f = e + n
    g = f + 2 * n
    h = g + n * k * v
    return Findings(
        ints[:n], ints[n : 2 * n], ints[2 * n : 3 * n], ints[3 * n : 4 * n], ints[4 * n : 5 * n], ints[5 * n : 6 * n],
        ints[6 * n : 7 * n], ints[7 * n : 8 * n], ints[8 * n : 9 * n], ints[9 * n : 10 * n], ints[10 * n : 11 * n],
        ints[11 * n : 12 * n], ints[12 * n : 13 * n], ints[13 * n :].view(ALARM),
        floats[:a].reshape((n, s)), floats[a:b].reshape((n, s)), floats[b:c].reshape((n, k)), floats[c:d].reshape((n, k)),
        floats[d:e], floats[e:f], floats[f:g].reshape((n, 2)), floats[g:h].reshape((n, k, v)), floats[h:],
    )  # fmt: skip


#: The columns in a run's two blocks: ``n`` readings of ``s`` signals, with ``k`` features and ``v`` views of each.
cut = compiled(_cut)


@dataclass(frozen=True, slots=True)
class Revised:
    """Earlier readings judged again, ``n`` of them: each has a label already, which this one replaces."""

    after: Ints  # n: offset of the reading with which it is issued again
    slot: Ints  # n
    offset: Ints  # n: the reading's own
    revision: Ints  # n: 1 the first time
    verdicts: "Verdicts"  # of these


class Verdicts:
    """What one stack thinks of a run of ``n`` readings. All is in two blocks, so that room is made once for all columns."""

    __slots__ = ("_columns", "features", "floats", "ints", "n", "revised", "signal_count", "view_count")

    def __init__(self, n: int, signals: int, features: int, views: int) -> None:
        """Room for what will be found, with nothing in it yet."""
        self.n, self.signal_count, self.features, self.view_count = n, signals, features, views
        self.ints: Ints = np.empty(n * (_PLAIN + _ALARM_WORDS), np.int64)
        self.floats: Floats = np.empty(n * (2 * signals + (2 + views) * features + 5))
        self.revised: list[Revised] = []  # in the order of the late readings
        self._columns: Findings | None = None

    @property
    def columns(self) -> Findings:
        """All columns by name."""
        if self._columns is None:
            self._columns = _cut(self.ints, self.floats, self.n, self.signal_count, self.features, self.view_count)
        return self._columns

    def __getattr__(self, name: str) -> Any:
        if name not in Findings._fields:
            raise AttributeError(f"verdicts have no column {name!r}; they have {', '.join(Findings._fields)}")
        return getattr(self.columns, name)

    def put(self, first: int, other: "Verdicts") -> None:
        """Write what another run found over the readings from ``first`` on."""
        for mine, theirs in zip(self.columns, other.columns, strict=True):
            mine[first : first + len(theirs)] = theirs

    def _ints(self, place: int) -> Ints:
        return self.ints[place * self.n : (place + 1) * self.n]

    # Those that everybody asks for, without cutting all the others.

    @property
    def kind(self) -> Ints:
        """Of each reading, see :mod:`models.engine.codes`."""
        return self._ints(0)

    @property
    def verdict(self) -> Ints:
        """Of each reading."""
        return self._ints(5)

    @property
    def alert(self) -> Ints:
        """Where the alert stands after each reading."""
        return self._ints(6)

    @property
    def due(self) -> Ints:
        """Why each reading makes a refit due; 0: it does not."""
        return self._ints(11)

    @property
    def late(self) -> npt.NDArray[np.bool_]:
        """Which were put in their places among readings that had come before them."""
        late: npt.NDArray[np.bool_] = self._ints(12) != 0
        return late

    @property
    def surprise(self) -> Floats:
        """Of each reading; NaN where unscored."""
        first = self.n * (2 * self.signal_count + 2 * self.features + 1)
        return self.floats[first : first + self.n]

    @property
    def believed(self) -> Floats:
        """The signals (n x s), NaN where they cannot be what was measured."""
        return self.floats[: self.n * self.signal_count].reshape(self.n, self.signal_count)

    @property
    def labelled(self) -> Ints:
        """Indices of the readings that get a label."""
        return np.flatnonzero((self.kind != SEEN) & (self.kind != HELD))
