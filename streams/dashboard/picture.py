"""The picture: all that the dashboard knows of an installation, of what it reads from topics. Pure, and of one thread.

Who shows it keeps the version up to which it has shown it, and asks for what changed since
(:mod:`streams.dashboard.versions`).
"""

from collections.abc import Iterable

from schemas.feedback import Feedback
from schemas.times import datetime_to_ms
from schemas.training import FLEET
from streams.dashboard.incidents import Incidents
from streams.dashboard.machines import Key, Row
from streams.dashboard.seen import IncidentSeen, LabelSeen, ModelSeen, StatusSeen
from streams.dashboard.versions import Versions


class Picture:
    """Rows of machines and stacks, incidents and feedback, each with the version of its last change."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.rows_changed = Versions[Key]()
        self.incidents = Incidents()
        self.incidents_changed = Versions[str]()
        self.models: dict[Key, ModelSeen] = {}  # a fleet's under machine *
        self.labels = 0  # seen since the start
        self._stacks: set[str] = set()

    def take_labels(self, labels: Iterable[tuple[LabelSeen, int]]) -> None:
        """Labels, each with the moment at which Kafka got it."""
        for label, heard_ms in labels:
            self.labels += 1
            key = (label.client_id, label.machine_id, label.stack)
            if self._row(key).take_label(label, heard_ms):
                self.rows_changed.touch(key)
                self._age(key)

    def take_status(self, status: StatusSeen, heard_ms: int) -> None:
        """A machine's status."""
        for stack, found in status.stacks.items():
            key = (status.client_id, status.machine_id, stack)
            if self._row(key).take_status(found, datetime_to_ms(found.event_time), heard_ms):
                self.rows_changed.touch(key)
                self._age(key)

    def take_incident(self, incident: IncidentSeen) -> None:
        """An incident opened or closed."""
        if self.incidents.take_incident(incident):
            self.incidents_changed.touch(incident.incident_id)

    def take_feedback(self, said: Feedback) -> None:
        """Somebody said something."""
        if self.incidents.take_feedback(said):
            if said.incident_id is not None:
                self.incidents_changed.touch(said.incident_id)
            for key in self.keys_of(said.client_id, said.machine_id, said.stack):
                self.rows_changed.touch(key)

    def take_model(self, model: ModelSeen) -> None:
        """A model was published."""
        self.models[model.client_id, model.machine_id, model.stack] = model
        if model.machine_id != FLEET:
            self._age((model.client_id, model.machine_id, model.stack))
            return
        for key, row in self.rows.items():
            if key[0] == model.client_id and key[2] == model.stack and row.model_digest == model.digest:
                self._age(key)

    def look_at_the_clock(self, now_ms: int, silent_after_ms: int) -> None:
        """Find out who has fallen silent. Takes some milliseconds for 20,000 machines: once in some seconds is enough."""
        for key, row in self.rows.items():
            if row.fall_silent(now_ms, silent_after_ms):
                self.rows_changed.touch(key)

    def _row(self, key: Key) -> Row:
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(*key)
            self._stacks.add(key[2])
        return row

    def has_machine(self, client_id: str, machine_id: str) -> bool:
        """Whether anything of that machine was ever seen."""
        return bool(self.keys_of(client_id, machine_id, None))

    def keys_of(self, client_id: str, machine_id: str, stack: str | None) -> list[Key]:
        """Rows of one machine, by stack; of all its stacks where none is named."""
        stacks = sorted(self._stacks) if stack is None else [stack]
        return [key for one in stacks if (key := (client_id, machine_id, one)) in self.rows]

    def _age(self, key: Key) -> None:
        """How old the model in force is, where that is not known yet."""
        row = self.rows.get(key)
        if row is None or row.fitted_ms is not None or row.model_digest is None:
            return
        for machine in (key[1], FLEET):
            model = self.models.get((key[0], machine, key[2]))
            if model is not None and row.take_model(model, datetime_to_ms(model.fitted_at)):
                self.rows_changed.touch(key)
                return
