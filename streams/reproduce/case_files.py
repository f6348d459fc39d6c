"""A case as a directory: saved with all that a label was made of, and read back anywhere, without Kafka or registry."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from models.engine.snapshots import Snapshot
from schemas.case import Case, CaseModel
from schemas.errors import BadCase
from schemas.labels import Label
from schemas.training import ModelUpdate
from streams.replay.adoptions import Adoption
from streams.reproduce.again import Again
from streams.reproduce.evidence import Evidence, KeptSnapshot
from streams.reproduce.looking_up import anomalous_at
from streams.reproduce.message_lines import from_lines, to_lines

M = TypeVar("M", bound=BaseModel)

CASE: Final = "case.json"
LABEL: Final = "label.json"
LABELS: Final = "labels.jsonl"
AGAIN: Final = "again.jsonl"
READINGS: Final = "readings.jsonl"
STATE: Final = "state.bin"
PICTURE: Final = "picture.png"
PAGE: Final = "page.html"
PLOT: Final = "plot.py"
#: The code that draws, as it stands in a case: it needs nothing of wellsentry.
_DRAWING: Final = Path(__file__).parent / "picture.py"


def save_case(evidence: Evidence, again: Again, directory: Path) -> Case:
    """Write the case, all but picture and page, into ``directory``, which is made; what is in it of that name is replaced."""
    label = evidence.label
    models = list(_models(evidence))
    files = {
        LABEL: label.model_dump_json(indent=2).encode() + b"\n",
        LABELS: _json_lines(evidence.labels),
        AGAIN: _json_lines(again.labels),
        READINGS: to_lines(evidence.readings),
        PLOT: _DRAWING.read_bytes(),
    }
    for one in models:
        files[one.path] = evidence.models[one.machine_id, one.digest].model_dump_json(indent=1).encode() + b"\n"
    kept = evidence.snapshot
    if kept is not None:
        files[STATE] = kept.snapshot.pack()
    case = Case(
        label_id=label.label_id,
        client_id=label.client_id,
        machine_id=label.machine_id,
        stack=label.stack,
        found_in=evidence.found_in,
        label=LABEL,
        labels=LABELS,
        again=AGAIN,
        readings=READINGS,
        models=models,
        snapshot=None if kept is None else STATE,
        snapshot_offset=None if kept is None else kept.snapshot.last_offset,
        snapshot_from=None if kept is None else kept.kept_in,
        picture=PICTURE,
        page=PAGE,
        plot=PLOT,
        fitted_to=evidence.fitted_to,
        anomalous_at=anomalous_at(label),
        message_bytes=evidence.message_bytes,
        missing=list(evidence.missing),
        code_version=label.code_version,
        git_commit=label.git_commit,
        reproduction=again.reproduction,
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    )
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (directory / CASE).write_text(case.model_dump_json(indent=2) + "\n")
    return case


def load_case(directory: Path) -> tuple[Case, Evidence]:
    """A case that was saved. Raises :class:`BadCase` if a file is missing or is not as it was saved."""
    case = _parse(Case, directory / CASE, _read(directory / CASE))
    files = {name: _checked(directory, name, expected) for name, expected in case.files.items()}

    def of(name: str) -> bytes:
        if name not in files:
            raise BadCase(f"{directory / CASE} lists no file {name}; save the case again")
        return files[name]

    kept = None
    if case.snapshot is not None:
        kept = KeptSnapshot(Snapshot.unpack(of(case.snapshot)), case.snapshot_from or "")
    try:
        readings = from_lines(of(case.readings))
    except (ValueError, KeyError) as error:
        raise BadCase(f"{directory / case.readings} cannot be read: {error!r}") from error
    return case, Evidence(
        label=_parse(Label, directory / case.label, of(case.label)),
        found_in=case.found_in,
        snapshot=kept,
        adoptions=[
            Adoption(one.since_offset, case.client_id, one.machine_id, case.stack, one.digest)
            for one in case.models
            if one.since_offset is not None
        ],
        models={
            (one.machine_id, one.digest): _parse(ModelUpdate, directory / one.path, of(one.path)) for one in case.models
        },
        readings=readings,
        labels=[_parse(Label, directory / case.labels, line) for line in of(case.labels).splitlines()],
        message_bytes=case.message_bytes,
        fitted_to=case.fitted_to,
        missing=case.missing,
    )


def _models(evidence: Evidence) -> Iterable[CaseModel]:
    """Those that came into force, and that of the snapshot."""
    named = [(one.machine_id, one.digest, one.since_offset) for one in evidence.adoptions]
    used = {(machine, digest) for machine, digest, _ in named}
    first = [(machine, digest, None) for machine, digest in evidence.models if (machine, digest) not in used]
    for machine, digest, since in (*first, *named):
        update = evidence.models.get((machine, digest))
        if update is not None:
            yield CaseModel(
                path=f"models/{digest}.json", machine_id=machine, digest=digest, since_offset=since, manifest=update.manifest
            )  # fmt: skip


def _json_lines(labels: Iterable[Label]) -> bytes:
    return b"".join(one.model_dump_json().encode() + b"\n" for one in labels)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCase(f"{path} cannot be read ({error.strerror}): is that a case's directory, and whole?") from error


def _checked(directory: Path, name: str, expected: str) -> bytes:
    path = directory / name
    if not path.resolve().is_relative_to(directory.resolve()):
        raise BadCase(f"{directory / CASE} names {name!r}, which is outside of the case's directory")
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != expected:
        raise BadCase(f"{path} is not as it was saved: its SHA-256 is another than case.json says")
    return data


def _parse(schema: type[M], path: Path, data: bytes) -> M:
    try:
        return schema.model_validate_json(data)
    except ValidationError as error:
        raise BadCase(f"{path} is not what it should be: {error.errors()[0]['msg']}") from error
