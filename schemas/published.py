"""Every schema that crosses a boundary, in one place. ``wellsentry schema`` writes them to ``docs/contract/``."""

import json
from typing import Final

from pydantic import BaseModel

from schemas.bisection import Bisection
from schemas.case import Case
from schemas.comparison import Comparison
from schemas.events import LookBackEvent
from schemas.exploration import Exploration
from schemas.feedback import Feedback
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.manifest import Manifest
from schemas.notice import IncidentNotice, StormNotice
from schemas.outputs import LoadADOutput
from schemas.readings import TagReading, WideReading
from schemas.rejected import Rejected
from schemas.release import Release
from schemas.status import Status
from schemas.training import Activation, ModelUpdate, TrainingRequest

#: A line each; what others are made of comes with them.
PUBLISHED: Final[tuple[type[BaseModel], ...]] = (
    WideReading,
    TagReading,
    Label,
    Incident,
    Feedback,
    IncidentNotice,
    StormNotice,
    Status,
    Rejected,
    TrainingRequest,
    ModelUpdate,
    Activation,
    Manifest,
    Release,
    LookBackEvent,
    LoadADOutput,
    Exploration,
    Case,
    Comparison,
    Bisection,
)

#: Of all that is published, and shown in the AsyncAPI document: major.minor.patch. What breaks a consumer or a sender needs a
#: higher major, against the last release kept in ``docs/contract/released/``; ``wellsentry schema --check`` tells.
CONTRACT_VERSION: Final = "1.0.0"

#: What others write and wellsentry reads ...
READ: Final[frozenset[type[BaseModel]]] = frozenset({WideReading, TagReading, Feedback, LookBackEvent})
#: ... and what wellsentry writes and others read. People's feedback is both.
WRITTEN: Final[frozenset[type[BaseModel]]] = frozenset(PUBLISHED) - READ | {Feedback}


def file_name(model: type[BaseModel]) -> str:
    """Where a schema is written.

    >>> file_name(Label)
    'Label.schema.json'
    """
    return f"{model.__name__}.schema.json"


def schema_text(model: type[BaseModel]) -> str:
    """The JSON Schema of what this version reads, as it is written to a file."""
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
