"""The files of ``docs/contract/``: the contract as others read it, and one that was kept."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from schemas.errors import BadInputFile
from schemas.exports.asyncapi import asyncapi_text
from schemas.exports.compatibility import Contract
from schemas.exports.typescript import typescript_text
from schemas.published import PUBLISHED, file_name, schema_text

ASYNCAPI: Final = "asyncapi.json"
TYPESCRIPT: Final = "wellsentry.d.ts"
_SCHEMA: Final = ".schema.json"


def contract_files() -> dict[str, str]:
    """Text by file name."""
    from streams.dashboard.openapi import FILE, openapi_of_dashboard  # takes a second, and is for this alone

    return {**_messages(), TYPESCRIPT: typescript_text(), FILE: openapi_of_dashboard()}


def _messages() -> dict[str, str]:
    return {**{file_name(model): schema_text(model) for model in PUBLISHED}, ASYNCAPI: asyncapi_text()}


def contract_here() -> Contract:
    """The contract of this version."""
    return _contract(_messages())


def read_contract(directory: Path) -> Contract:
    """One that ``wellsentry schema --to`` wrote. Raises :class:`BadInputFile` if it is none."""
    try:
        return _contract({path.name: path.read_text() for path in sorted(directory.glob("*.json"))})
    except (OSError, ValueError, KeyError) as error:
        raise BadInputFile(
            f"{directory} holds no contract as `wellsentry schema --to` writes it: {type(error).__name__} {error}"
        ) from error


def _contract(files: Mapping[str, str]) -> Contract:
    asyncapi: Mapping[str, Any] = json.loads(files[ASYNCAPI])
    schemas = {name.removesuffix(_SCHEMA): json.loads(text) for name, text in files.items() if name.endswith(_SCHEMA)}
    return Contract(str(asyncapi["info"]["version"]), schemas, asyncapi)
