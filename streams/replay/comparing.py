"""Labels given then beside labels made now: what is the same, what changed and by how much, what is missing, what is new."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from typing import Any, Final

import msgspec

from schemas.comparison import Change, Comparison, FieldChange, MachineChange
from streams.replay.lines import id_of

#: Which model and code made a label. They differ where another model is asked for; what it says may still be the same.
WHO_JUDGED: Final = frozenset(
    {"model_digest", "model_rung", "model_since_offset", "detector", "code_version", "git_commit"}
)
#: So many of the largest changes are kept.
LARGEST: Final = 20

#: Told of each label that is not as it was: as it was given and as it is now, None where there is none.
OnDifference = Callable[[bytes | None, bytes | None], None]

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Comparing:
    """Labels of a partition come from both sides in about the same order; those that have no partner yet wait."""

    def __init__(self, on_difference: OnDifference = lambda _then, _now: None, ignored: Iterable[str] = ()) -> None:
        """Differences in ``ignored`` fields alone are counted apart."""
        self._then: dict[str, bytes] = {}
        self._now: dict[str, bytes] = {}
        self._on_difference, self._ignored = on_difference, frozenset(ignored)
        self._counts: Counter[str] = Counter()
        self._fields: Counter[str] = Counter()
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._machines: dict[tuple[str, str, str], Counter[str]] = {}
        self._first: dict[tuple[str, str, str], tuple[str, str]] = {}  # time and id of each machine's first change
        self._largest: list[tuple[float, int, bytes, bytes]] = []
        self._ties = count(0, -1)  # of changes that are as large the first ones are kept

    def then(self, line: bytes) -> None:
        """A label that was given."""
        self._counts["then"] += 1
        self._meet(line, self._then, self._now, lambda other: self._compare(line, other))

    def now(self, line: bytes) -> None:
        """A label that was made now."""
        self._counts["now"] += 1
        self._meet(line, self._now, self._then, lambda other: self._compare(other, line))

    def then_if_made(self, line: bytes) -> None:
        """A correction that was given, it is not known behind which reading: it counts if it was made now as well."""
        if id_of(line) in self._now:
            self.then(line)

    @staticmethod
    def _meet(line: bytes, own: dict[str, bytes], others: dict[str, bytes], compare: Callable[[bytes], None]) -> None:
        label_id = id_of(line)
        other = others.pop(label_id, None)
        if other is None:
            own[label_id] = line
        else:
            compare(other)

    def _compare(self, then: bytes, now: bytes) -> None:
        if then == now:
            self._counts["identical"] += 1
            return
        was, is_ = _decode(then), _decode(now)
        fields = differing(was, is_)
        if not fields:  # written in another way
            self._counts["identical"] += 1
            return
        self._fields.update(fields)
        said = [name for name in fields if name not in self._ignored]
        if not said:
            self._counts["only_ignored"] += 1
            return
        self._counts["changed"] += 1
        self._verdicts[was["label"], is_["label"]] += 1
        self._of_machine(is_, "changed")
        size = how_large(was, is_)
        place = (size, next(self._ties), then, now)
        if len(self._largest) < LARGEST:
            heapq.heappush(self._largest, place)
        else:
            heapq.heappushpop(self._largest, place)
        self._on_difference(then, now)

    def _of_machine(self, label: dict[str, Any], what: str) -> None:
        whose = (label["client_id"], label["machine_id"], label["stack"])
        self._machines.setdefault(whose, Counter())[what] += 1
        first = (label["event_time"], label["label_id"])
        self._first[whose] = min(self._first.get(whose, first), first)

    def finish_partition(self) -> None:
        """No more labels of this partition come: what waits has no partner."""
        for line in self._then.values():
            self._alone("missing", line)
            self._on_difference(line, None)
        for line in self._now.values():
            self._alone("new", line)
            self._on_difference(None, line)
        self._then.clear()
        self._now.clear()

    def _alone(self, what: str, line: bytes) -> None:
        self._counts[what] += 1
        self._of_machine(_decode(line), what)

    def result(self) -> Comparison:
        """What was found, after the last :meth:`finish_partition`."""
        counts = self._counts
        largest = [_change(size, _decode(then), _decode(now)) for size, _, then, now in sorted(self._largest)[::-1]]
        machines = [
            MachineChange(
                client_id=client,
                machine_id=machine,
                stack=stack,
                changed=its["changed"],
                missing=its["missing"],
                new=its["new"],
                first_time=datetime.fromisoformat(self._first[client, machine, stack][0]),
                first_label_id=self._first[client, machine, stack][1],
            )
            for (client, machine, stack), its in sorted(
                self._machines.items(), key=lambda pair: (-pair[1].total(), pair[0])
            )
        ]
        return Comparison(
            labels_then=counts["then"],
            labels_now=counts["now"],
            identical=counts["identical"],
            only_ignored=counts["only_ignored"],
            changed=counts["changed"],
            missing=counts["missing"],
            new=counts["new"],
            ignored=sorted(self._ignored),
            fields=dict(self._fields.most_common()),
            verdicts={f"{was} → {is_}": number for (was, is_), number in self._verdicts.most_common()},
            machines=machines,
            largest=largest,
        )


def differing(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Names of the fields that differ, in the order of the label.

    >>> differing({"label": "normal", "median": 1.0, "score": None}, {"label": "normal", "median": 2.0, "score": None})
    ['median']
    """
    return [name for name in {**then, **now} if name not in then or name not in now or then[name] != now[name]]


def how_large(then: dict[str, Any], now: dict[str, Any]) -> float:
    """The size of a change: by how much the surprise is another; a verdict that is another counts as much as 100 besides.

    >>> normal, anomalous = {"label": "normal", "surprise": 1.0}, {"label": "anomalous", "surprise": 3.5}
    >>> how_large(normal, anomalous), how_large(normal, {"label": "normal", "surprise": 1.25})
    (102.5, 0.25)
    """
    size = abs((then["surprise"] or 0.0) - (now["surprise"] or 0.0))
    return float(size + 100.0 * (then["label"] != now["label"]))


def _change(size: float, then: dict[str, Any], now: dict[str, Any]) -> Change:
    fields = {name: FieldChange(then=then.get(name), now=now.get(name)) for name in differing(then, now)}
    common = {name: now[name] for name in ("label_id", "client_id", "machine_id", "stack", "event_time")}
    return Change(**common, size=round(size, 6), fields=fields)
