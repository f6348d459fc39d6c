"""Writes the tables of docs/contract.md from the schemas: python tools/contract_tables.py"""

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.events import LookBackEvent
from schemas.feedback import Feedback
from schemas.incidents import Incident
from schemas.labels import Label
from schemas.manifest import Manifest
from schemas.notice import IncidentNotice, Storm, StormedMachine, StormNotice
from schemas.outputs import LoadADOutput, RefusedEvent
from schemas.readings import TagReading, WideReading
from schemas.rejected import Rejected
from schemas.status import StackStatus, Status
from schemas.topics import DAY_MS, topics
from schemas.training import Activation, FeatureModel, ModelUpdate, SourceRange, TrainingRequest

DOCUMENT = Path(__file__).parent.parent / "docs" / "contract.md"
MODELS: tuple[type[BaseModel], ...] = (
    WideReading, TagReading, Label, Incident, Feedback, IncidentNotice, StormNotice, Storm, StormedMachine, Status,
    StackStatus, Rejected, TrainingRequest, SourceRange,
    ModelUpdate, FeatureModel, Activation, Manifest, LookBackEvent, LoadADOutput, RefusedEvent,
)  # fmt: skip


def written(text: str) -> str:
    """``text`` with every table between markers made anew."""
    for name, table in {"topics": _topics(), **{model.__name__: _fields(model) for model in MODELS}}.items():
        start, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        if start not in text:
            raise SystemExit(f"{DOCUMENT} has no marker {start.strip()}")
        head, rest = text.split(start)
        text = head + start + table + end + rest.split(end, 1)[1]
    return text


def _topics() -> str:
    lines = ["| topic | key | messages | kept | what |", "|---|---|---|---|---|"]
    for one in topics("wellsentry"):
        kept = "the latest of each key" if one.retention_ms is None else f"{one.retention_ms // DAY_MS} days"
        messages = ", ".join(schema.__name__ for schema in one.schemas) or "wellsentry's own"
        lines.append(f"| `{one.name}` | {one.key} | {messages} | {kept} | {one.about} |")
    return "\n".join(lines) + "\n"


def _fields(model: type[BaseModel]) -> str:
    properties = model.model_json_schema()["properties"]
    lines = ["| field | type | meaning |", "|---|---|---|"]
    for name, found in properties.items():
        lines.append(f"| `{name}` | {_type(found)} | {found.get('description', '')} |")
    return "\n".join(lines) + "\n"


def _type(found: dict[str, Any]) -> str:
    if "anyOf" in found:
        return " or ".join(_type(one) for one in found["anyOf"])
    if "enum" in found:
        return " or ".join(f"`{one}`" for one in found["enum"])
    if "const" in found:
        return f"`{found['const']}`"
    if "$ref" in found:
        return str(found["$ref"].rsplit("/", 1)[1])
    if found.get("format") == "date-time":
        return "time"
    kind = str(found.get("type", "any"))
    if kind == "array":
        return f"list of {_type(found.get('items', {}))}"
    if kind == "object":
        for values in (found.get("additionalProperties"), *found.get("patternProperties", {}).values()):
            if isinstance(values, dict):
                return f"map to {_type(values)}"
    return kind


if __name__ == "__main__":
    made = written(DOCUMENT.read_text())
    if "--check" in sys.argv:
        sys.exit(made != DOCUMENT.read_text())
    DOCUMENT.write_text(made)
