"""Every topic, declared once: its name, key, schema, retention and compaction.

All have the same number of partitions and are partitioned by ``machine_id``, so that one machine's readings, models and
state meet in one worker.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from pydantic import BaseModel

from schemas.feedback import Feedback
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.readings import TagReading, WideReading
from schemas.rejected import Rejected
from schemas.status import Status
from schemas.training import ModelUpdate, TrainingRequest

DAY_MS = 86_400_000

#: Who starts reads a compacted topic whole, and what is not compacted yet comes on top: by default up to a gigabyte of each
#: partition. A changelog whose machines' state takes 20 MB is kept within 50 MB by these.
_SOON_COMPACTED = {"segment.bytes": str(16 * 1024 * 1024), "min.cleanable.dirty.ratio": "0.2"}


@dataclass(frozen=True, slots=True)
class TopicDeclaration:
    """One topic as it must be on the broker."""

    name: str
    key: str
    schemas: tuple[type[BaseModel], ...]  # empty: wellsentry's own bytes, no contract
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None  # None: kept for ever (compacted)
    about: str

    def config(self) -> dict[str, str]:
        """The broker's settings for this topic."""
        retention = "-1" if self.retention_ms is None else str(self.retention_ms)
        made = {"cleanup.policy": self.cleanup, "retention.ms": retention}
        return made | _SOON_COMPACTED if self.cleanup == "compact" else made


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics of one installation; two installations on one broker differ in their prefix."""

    readings: TopicDeclaration
    labels: TopicDeclaration
    incidents: TopicDeclaration
    status: TopicDeclaration
    rejected: TopicDeclaration
    training: TopicDeclaration
    models: TopicDeclaration
    feedback: TopicDeclaration
    changelog: TopicDeclaration

    def __iter__(self) -> Iterator[TopicDeclaration]:
        return (getattr(self, field.name) for field in fields(self))


def topics(prefix: str) -> Topics:
    """The declarations under ``prefix``.

    >>> topics("wellsentry").labels.name
    'wellsentry.labels'
    """

    def declare(
        name: str,
        key: str,
        schema: tuple[type[BaseModel], ...],
        cleanup: Literal["delete", "compact"],
        retention_ms: int | None,
        about: str,
    ) -> TopicDeclaration:
        return TopicDeclaration(f"{prefix}.{name}", key, schema, cleanup, retention_ms, about)

    return Topics(
        readings=declare(
            "readings", "machine_id", (WideReading, TagReading), "delete", 30 * DAY_MS, "What the sensors said."
        ),
        labels=declare(
            "labels", "machine_id", (Label,), "delete", 30 * DAY_MS, "What each stack thinks of each reading."
        ),
        incidents=declare("incidents", "machine_id", (Incident,), "delete", 365 * DAY_MS, "Alerts opened and closed."),
        status=declare("status", "client_id/machine_id", (Status,), "compact", None, "The latest of each machine."),
        rejected=declare(
            "rejected", "as it came", (Rejected,), "delete", 30 * DAY_MS, "What could not be read, whole."
        ),
        training=declare("training", "machine_id", (TrainingRequest,), "delete", 7 * DAY_MS, "Models that are due."),
        models=declare(
            "models",
            "client_id/machine_id/stack",
            (ModelUpdate,),
            "compact",
            None,
            "Models to be in force, the latest of each.",
        ),
        feedback=declare(
            "feedback", "machine_id", (Feedback,), "delete", 365 * DAY_MS, "What people say about incidents."
        ),
        changelog=declare(
            "worker-state-changelog", "client/machine/stack/part", (), "compact", None, "The worker's table."
        ),
    )
