"""What is seen of a running installation, as plain figures. Pure: records come in, numbers go out."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import WellsentryError

_SPARK = 24


@dataclass(slots=True)
class Machine:
    """The latest label of a machine, and the last surprises."""

    label: Any
    surprises: list[float] = field(default_factory=list)


class Latencies:
    """From a reading's Kafka timestamp to its label's, in whole milliseconds."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._read: dict[tuple[int, int], int] = {}
        self._labelled: dict[tuple[int, int], int] = {}

    def reading(self, place: tuple[int, int], at_ms: int) -> None:
        """A reading was seen at (partition, offset)."""
        labelled = self._labelled.pop(place, None)
        if labelled is None:
            self._read[place] = at_ms
        else:
            self._counts[max(0, labelled - at_ms)] += 1

    def label(self, place: tuple[int, int], at_ms: int) -> None:
        """The first label of that reading was seen."""
        read = self._read.pop(place, None)
        if read is None:
            self._labelled[place] = at_ms
        else:
            self._counts[max(0, at_ms - read)] += 1

    def percentile(self, share: float) -> float | None:
        """The latency that ``share`` of all labels keep, ms.

        >>> latencies = Latencies()
        >>> for offset in range(100):
        ...     latencies.reading((0, offset), 1000)
        ...     latencies.label((0, offset), 1000 + offset)
        >>> latencies.percentile(0.5), latencies.percentile(0.99)
        (49.0, 98.0)
        """
        total = sum(self._counts.values())
        if not total:
            return None
        seen = 0
        for ms in sorted(self._counts):
            seen += self._counts[ms]
            if seen >= share * total:
                return float(ms)
        return float(max(self._counts))


class Figures:
    """Everything the board and the report show."""

    def __init__(self) -> None:
        self.readings = 0
        self.rejected = 0
        self.asked: dict[tuple[str, str, str], str] = {}  # latest training request of each machine and stack
        self.answered: dict[tuple[str, str, str], str] = {}  # and the one its latest model answers
        self.models: set[str] = set()
        self.kinds: Counter[str] = Counter()
        self.label_ids: dict[str, int] = {}  # and the hash of its bytes
        self.differing: list[str] = []  # labels sent twice that were not the same
        self.machines: dict[tuple[str, str, str], Machine] = {}  # by client, machine and stack
        self.incidents: dict[str, str] = {}  # open or closed, by id
        self.latencies = Latencies()
        self.stored: int | None = None
        self.dashboard: str | None = None  # its address, once it serves

    @property
    def labels(self) -> int:
        """Distinct labels."""
        return len(self.label_ids)

    @property
    def unanswered(self) -> int:
        """Machines whose latest training request has no model yet."""
        return sum(self.answered.get(key) != request for key, request in list(self.asked.items()))

    @property
    def open_incidents(self) -> int:
        """Incidents that are open now."""
        return sum(state == "opened" for state in self.incidents.values())

    def add_label(self, raw: bytes, label: Any, at_ms: int) -> None:
        """A label record came."""
        known = self.label_ids.get(label.label_id)
        if known is not None:
            if known != hash(raw):
                self.differing.append(label.label_id)
            return
        self.label_ids[label.label_id] = hash(raw)
        self.kinds[label.label] += 1
        self.latencies.label((label.source_partition, label.source_offset), at_ms)
        key = (label.client_id, label.machine_id, label.stack)
        machine = self.machines.get(key)
        if machine is None:
            machine = self.machines[key] = Machine(label)
        machine.label = label
        if label.surprise is not None:
            machine.surprises = [*machine.surprises[-_SPARK + 1 :], label.surprise]


def what_is_missing(figures: Figures, sent: int, stacks: int, stored: int) -> list[str]:
    """Sentences that say which promise was not kept; none when all were.

    ``sent`` wide readings must have given one label of each of ``stacks`` stacks each, or a rejection, and DynamoDB must
    hold as many labels as there are.
    """
    expected = (sent - figures.rejected) * stacks
    found = []
    if figures.labels != expected:
        found.append(
            f"{sent} readings were sent and {figures.rejected} rejected: {expected} labels of {stacks} stack(s) "
            f"are due, and {figures.labels} came"
        )
    if stored != figures.labels:
        found.append(f"{figures.labels} labels came and {stored} are in DynamoDB")
    if figures.differing:
        found.append(f"{len(figures.differing)} labels were sent twice and differ, {figures.differing[0]} for one")
    return found


class DemoFailed(WellsentryError):
    """A part of the demo died, stood still or lost something; the message says which."""
