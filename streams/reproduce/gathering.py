"""From a label to all that it was made of: the reading on its topic, the machine's state before it, the models in force."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from models.engine.snapshots import Snapshot
from models.engine.state import LATENESS
from schemas.decoding import Decoded, decode_reading
from schemas.errors import BadReading, DamagedEntry, LabelNotFound, RegistryError
from schemas.labels import Label
from schemas.times import datetime_to_ms
from schemas.training import FLEET, ModelUpdate
from streams.registry import Registry
from streams.replay.adoptions import Adoption, adoptions_in, still_to_come
from streams.replay.starts import snapshot_at
from streams.reproduce.evidence import Evidence, FoundIn, KeptSnapshot
from streams.reproduce.label_ids import LabelId
from streams.reproduce.places import Message, Places

#: A machine's messages newer than the label's own reading that are looked at: until so many have come a late one can still
#: change the label, be they by tag, and they are enough for a picture of what came next. Late ones do not count: after a gap
#: there may be hundreds of them.
AFTER: Final = 2 * LATENESS + 32

#: They are looked for among so many readings of the partition: the machine may have stopped sending.
_FAR: Final = 1_000_000
#: Labels of it before the snapshot that are kept for the picture.
BEFORE: Final = 150

#: Labels of a machine out of DynamoDB: machine, its client, stack.
ReadTable = Callable[[str, str, str], Iterable[Label]]


class Gathering:
    """Finds evidence; what it has read of registry and models topic it remembers for the next label."""

    def __init__(self, places: Places, registry: Registry, read_table: ReadTable, message_bytes: int) -> None:
        self._places, self._registry, self._read_table = places, registry, read_table
        self._message_bytes = message_bytes
        self._snapshots: dict[str, Snapshot | None] = {}  # by manifest
        self._models: dict[tuple[str, str, str, str], ModelUpdate | None] = {}  # by client, machine, stack, digest

    def find_label(self, wanted: LabelId, client_id: str | None, machine_id: str | None) -> tuple[Label, FoundIn]:
        """The label of that id, from its topic or from the table. Raises :class:`LabelNotFound`."""
        reading = self._places.reading(wanted.partition, wanted.offset)
        client, machine = _whose(reading)
        client, machine = client_id or client, machine_id or machine
        key = None if machine is None else machine.encode()
        found = self._on_topic(wanted, key)
        if found is not None:
            return found, "topic"
        if client is None or machine is None:
            raise LabelNotFound(
                f"label {wanted} is not on the labels topic, and its reading not on the readings topic, so it is unknown "
                "whose it is: give --client and --machine, and it is looked for in DynamoDB"
            )
        for label in self._read_table(client, machine, wanted.stack):
            if label.label_id == str(wanted):
                return label, "table"
        raise LabelNotFound(
            f"there is no label {wanted} of machine {machine!r} of client {client!r}, neither on the labels topic nor in "
            "DynamoDB. A reading by tag that waited for its partner has none; a label with this revision may never have "
            "been given"
        )

    def _on_topic(self, wanted: LabelId, key: bytes | None) -> Label | None:
        own: dict[str, Any] = {}  # the first label of that reading
        newer = 0

        def enough(message: Message) -> bool:
            nonlocal newer, own
            label = msgspec.json.decode(message.value or b"null") or {}
            if label.get("label_id") == str(wanted):
                return True
            if key is not None and label.get("stack") == wanted.stack and label.get("revision") == 0:
                own = label if label["source_offset"] == wanted.offset else own
                newer += bool(own) and _is_newer(label, own)
            return newer > AFTER  # by then it can no longer change

        for message in reversed(
            self._places.labels(wanted.partition, key, wanted.offset, wanted.offset + _FAR, enough)[-1:]
        ):
            label = Label.model_validate_json(message.value or b"")
            if label.label_id == str(wanted):
                return label
        return None

    def gather(self, label: Label, found_in: FoundIn) -> Evidence:
        """Everything about ``label``, which need not be on a topic."""
        missing: list[str] = []
        partition = label.source_partition
        kept = self._newest_snapshot(label)
        since = -1 if kept is None else kept.snapshot.last_offset
        readings = self._readings(label, since)
        first_there = self._places.first_reading(partition)
        if first_there > since + 1:
            missing.append(
                f"readings of partition {partition} before offset {first_there} are past the topic's retention, and "
                + (
                    "there is no snapshot of the machine's state"
                    if kept is None
                    else f"its snapshot is of offset {since}"
                )
            )
        labels = self._labels(label, since, found_in)
        named = [_named(one) for one in (*labels, label) if one.source_offset > since]
        adoptions = still_to_come(adoptions_in(named), [kept.snapshot] if kept else [])
        models: dict[tuple[str, str], ModelUpdate] = {}
        for adoption in adoptions:
            self._take_model(adoption, label, models, missing)
        if kept is not None and kept.snapshot.model_digest is not None:
            whose = FLEET if kept.snapshot.model_rung == "fleet" else label.machine_id
            model = self._model(label.client_id, whose, label.stack, kept.snapshot.model_digest, partition)
            if model is not None:  # a snapshot whose model is gone is not taken
                models[whose, model.digest] = model
        own = models.get((label.machine_id, label.model_digest or ""))
        fitted_to = None if own is None else self._fitted_to(own, label)
        return Evidence(
            label, found_in, kept, adoptions, models, readings, labels, self._message_bytes, fitted_to, tuple(missing)
        )  # fmt: skip

    def _readings(self, label: Label, since: int) -> list[Message]:
        time_ms, offset, newer = datetime_to_ms(label.event_time), label.source_offset, 0

        def enough(message: Message) -> bool:
            nonlocal newer
            if message.offset > offset:
                found = _decoded(message)
                newer += found is not None and found.client_id == label.client_id and found.time_ms > time_ms
            return newer >= AFTER

        key = label.machine_id.encode()
        return self._places.readings(label.source_partition, key, since + 1, offset + _FAR, enough)

    def _labels(self, label: Label, since: int, found_in: FoundIn) -> list[Label]:
        """Those given then, each once, of the readings from the snapshot on, and of some before and after these."""
        newer, own = 0, label.model_dump(mode="json", include={"client_id", "machine_id", "event_time"})

        def enough(message: Message) -> bool:
            nonlocal newer
            found = msgspec.json.decode(message.value or b"null") or {}
            if _of(found, label) and found["revision"] == 0 and found["source_offset"] > label.source_offset:
                newer += _is_newer(found, own)
            return newer > AFTER

        come = self._places.labels(
            label.source_partition, label.machine_id.encode(), since, label.source_offset + _FAR, enough
        )
        rows = [(msgspec.json.decode(one.value or b"null") or {}, one) for one in come]
        found = {row["label_id"]: one for row, one in rows if _of(row, label)}
        if not found and found_in == "table":
            return [
                one
                for one in self._read_table(label.client_id, label.machine_id, label.stack)
                if (one.source_topic, one.source_partition) == (label.source_topic, label.source_partition)
            ]
        before = sum(msgspec.json.decode(one.value or b"")["source_offset"] <= since for one in found.values())
        return [Label.model_validate_json(one.value or b"") for one in list(found.values())[max(0, before - BEFORE) :]]

    # -- the registry

    def _newest_snapshot(self, label: Label) -> KeptSnapshot | None:
        """The newest one of before the label's reading, whose model is still there."""
        for path in reversed(self._registry.entries(label.client_id, label.machine_id, label.stack)):
            snapshot = self._snapshot(path, label)
            if snapshot is None or snapshot.last_offset >= _first_offset(label):
                continue
            if snapshot.detector != label.detector:
                continue
            whose = FLEET if snapshot.model_rung == "fleet" else label.machine_id
            digest, partition = snapshot.model_digest, label.source_partition
            if digest is None or self._model(label.client_id, whose, label.stack, digest, partition) is not None:
                return KeptSnapshot(snapshot, path)
        return None

    def _snapshot(self, path: str, label: Label) -> Snapshot | None:
        if path not in self._snapshots:
            self._snapshots[path] = snapshot_at(self._registry, path, label.source_topic, label.source_partition)
        return self._snapshots[path]

    def _take_model(
        self, adoption: Adoption, label: Label, models: dict[tuple[str, str], ModelUpdate], missing: list[str]
    ) -> None:
        whose, digest = adoption.machine_id, adoption.digest
        found = self._model(adoption.client_id, whose, adoption.stack, digest, label.source_partition)
        if found is not None:
            models[whose, digest] = found
        elif (whose, digest) not in models:
            missing.append(
                f"model {digest}, in force since offset {adoption.since_offset}, is neither in the registry at "
                f"{self._registry.url} nor on the models topic"
            )

    def _fitted_to(self, update: ModelUpdate, label: Label) -> tuple[float, float] | None:
        try:
            data = self._registry.training(update.manifest)
            medians = data.machines[label.machine_id][data.features.index(label.feature)]
        except (RegistryError, KeyError, ValueError):  # gone, or of no such machine or feature
            return None
        return float(medians.min()), float(medians.max())

    def _model(self, client: str, machine: str, stack: str, digest: str, partition: int) -> ModelUpdate | None:
        whose = (client, machine, stack, digest)
        if whose not in self._models:
            self._models[whose] = self._in_registry(*whose) or next(self._on_models_topic(whose, partition), None)
        return self._models[whose]

    def _in_registry(self, client: str, machine: str, stack: str, digest: str) -> ModelUpdate | None:
        for path in self._registry.with_digest(client, machine, stack, digest):
            with contextlib.suppress(DamagedEntry):
                return self._registry.update(path)
        return None

    def _on_models_topic(self, whose: tuple[str, str, str, str], partition: int) -> Iterator[ModelUpdate]:
        *key, digest = whose
        for message in self._places.models(partition):
            if message.key == "/".join(key).encode() and message.value and digest.encode() in message.value:
                update = ModelUpdate.model_validate_json(message.value)
                if update.digest == digest:
                    yield update


def _whose(reading: Message | None) -> tuple[str | None, str | None]:
    """Client and machine of a reading."""
    found = None if reading is None else _decoded(reading)
    return (None, None) if found is None else (found.client_id, found.machine_id)


def _decoded(message: Message) -> Decoded | None:
    """A message of the readings topic; None if it is no reading."""
    if message.value is None:
        return None
    try:
        return decode_reading(message.value)
    except BadReading:
        return None


def _is_newer(label: dict[str, Any], than: dict[str, Any]) -> bool:
    """Whether a label is of a newer moment than another of the same machine. All have their times written alike."""
    whose = ("client_id", "machine_id")
    return all(label[name] == than[name] for name in whose) and label["event_time"] > than["event_time"]


def _first_offset(label: Label) -> int:
    """Of the messages that a label is of, the first one's."""
    return label.source_offset if label.partner_offset is None else min(label.source_offset, label.partner_offset)


def _of(found: dict[str, Any], label: Label) -> bool:
    """Whether a label is of the same machine and stack."""
    return (found.get("client_id"), found.get("machine_id"), found.get("stack")) == (
        label.client_id, label.machine_id, label.stack,
    )  # fmt: skip


def _named(label: Label) -> dict[str, Any]:
    """As :func:`streams.replay.adoptions.named_by` reads it."""
    return label.model_dump(
        include={"client_id", "machine_id", "stack", "model_digest", "model_rung", "model_since_offset"}
    )
