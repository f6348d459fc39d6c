"""A row for each machine and stack: what it is like now. Pure."""

from collections import deque
from typing import Final

import msgspec

from streams.dashboard.seen import LabelSeen, ModelSeen, StackSeen

#: Client, machine, stack.
Key = tuple[str, str, str]

#: Surprises in a sparkline.
SPARK: Final = 32


class Row(msgspec.Struct):
    """One stack's view of one machine."""

    client_id: str
    machine_id: str
    stack: str
    time_ms: int = 0  # event time of the newest label
    heard_ms: int = 0  # when Kafka got that label, to find out who has fallen silent
    signals: dict[str, float | None] = {}
    value: float | None = None
    median: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    surprise: float | None = None
    label: str = "unscored"
    reason: str | None = None
    alert: str = "quiet"
    incident_id: str | None = None
    since_ms: int = 0  # event time at which the state became what it is
    model_digest: str | None = None
    model_rung: str | None = None
    fitted_ms: int | None = None
    silent: bool = False  # nothing came for too long
    label_id: str = ""
    surprises: deque[float | None] = msgspec.field(default_factory=lambda: deque(maxlen=SPARK))

    @property
    def state(self) -> str:
        """``silent``, else ``incident`` while an alert is open, else the verdict, or why there is none."""
        if self.silent:
            return "silent"
        if self.alert in ("opened", "open"):
            return "incident"
        return self.reason or self.label if self.label == "unscored" else self.label

    def take_label(self, label: LabelSeen, heard_ms: int) -> bool:
        """A label came; whether it is the newest."""
        time_ms = label.time_ms
        if time_ms < self.time_ms:
            return False  # a late reading's, or one sent again
        if label.label_id != self.label_id:
            self.surprises.append(label.surprise)
        self.expected_low, self.expected_high = label.expected_low, label.expected_high
        self._take(label, time_ms, heard_ms)
        return True

    def take_status(self, status: StackSeen, time_ms: int, heard_ms: int) -> bool:
        """A status came, which is what a board has of machines that were silent since before it started."""
        if time_ms <= self.time_ms:
            return False
        self._take(status, time_ms, heard_ms)
        return True

    def _take(self, found: LabelSeen | StackSeen, time_ms: int, heard_ms: int) -> None:
        before = self.state if self.time_ms else None
        self.time_ms, self.heard_ms, self.silent = time_ms, max(heard_ms, self.heard_ms), False
        self.signals, self.value, self.median = found.signals, found.value, found.median
        self.surprise, self.label, self.reason = found.surprise, found.label, found.reason
        self.alert, self.incident_id, self.label_id = found.alert, found.incident_id, found.label_id
        if found.model_digest != self.model_digest:
            self.fitted_ms = None
        self.model_digest, self.model_rung = found.model_digest, found.model_rung
        if self.state != before:
            self.since_ms = time_ms

    def fall_silent(self, now_ms: int, after_ms: int) -> bool:
        """Look at the clock; whether the machine has fallen silent since the last look."""
        if self.silent or now_ms - self.heard_ms < after_ms:
            return False
        self.silent = True
        self.since_ms = self.time_ms
        return True

    def take_model(self, model: ModelSeen, fitted_ms: int) -> bool:
        """A model was published; whether it is the one in force."""
        if model.digest != self.model_digest:
            return False
        self.fitted_ms = fitted_ms
        return True
