"""A model in force as a changelog record."""

import zlib
from dataclasses import dataclass

from models.engine.layout import VERSION, check_version
from schemas.errors import StateError
from schemas.training import ModelUpdate


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model, and the first offset it is in force for."""

    since_offset: int
    update: ModelUpdate


def pack_model(update: ModelUpdate, since_offset: int) -> bytes:
    """A model as a changelog record."""
    body = since_offset.to_bytes(8, "little", signed=True) + update.model_dump_json().encode()
    return bytes((VERSION,)) + zlib.compress(body, 1)


def unpack_model(value: bytes) -> ModelRecord:
    """The reverse of :func:`pack_model`."""
    check_version("model record", value)
    try:
        body = zlib.decompress(value[1:])
        return ModelRecord(int.from_bytes(body[:8], "little", signed=True), ModelUpdate.model_validate_json(body[8:]))
    except (zlib.error, ValueError) as error:
        raise StateError(f"model record of {len(value)} bytes is damaged: {error}") from error
