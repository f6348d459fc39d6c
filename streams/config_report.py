"""Which settings are in force, and where each comes from."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr

from streams.settings import Settings

Origin = Literal["default", "file", "environment", "flag"]


@dataclass(frozen=True, slots=True)
class InForce:
    """One setting; a secret's value is hidden."""

    name: str  # section.setting
    value: Any
    origin: Origin
    about: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def settings_in_order(
    settings: Settings, flags: Mapping[str, Any], environment: Mapping[str, str], file: Path
) -> list[InForce]:
    """All settings. ``flags`` are nested, ``environment`` as the process has it, ``file`` may be missing."""
    in_file = tomllib.loads(file.read_text()) if file.exists() else {}
    variables = {name.upper() for name in environment}
    found = []
    for section in type(settings).model_fields:
        part = getattr(settings, section)
        for name, field in type(part).model_fields.items():
            value = getattr(part, name)
            origin: Origin = "default"
            if name in flags.get(section, {}):
                origin = "flag"
            elif any(one.startswith(f"WELLSENTRY_{section}__{name}".upper()) for one in variables):
                origin = "environment"
            elif name in in_file.get(section, {}):
                origin = "file"
            found.append(InForce(f"{section}.{name}", _shown(value), origin, field.description or ""))
    return found


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, BaseModel):
        return {name: _shown(getattr(value, name)) for name in value.model_dump(exclude_defaults=True)}
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    return value
