"""A model in force as a changelog record."""

import zlib
from dataclasses import dataclass

import msgspec

from models.engine.layout import RECORD_FRONT, check_version
from schemas.errors import StateError
from schemas.training import ModelUpdate


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model, and the first offset it is in force for."""

    since_offset: int
    update: ModelUpdate


class KeptFeature(msgspec.Struct, frozen=True, gc=False):
    """Of a :class:`schemas.training.FeatureModel` what scoring needs."""

    edges: list[float]
    scores: list[float]
    surprises: list[float]
    expected_low: float
    expected_high: float


class KeptModel(msgspec.Struct, frozen=True, gc=False):
    """Of a model what scoring needs, read back without asking again whether it is one: that was found out when it came."""

    digest: str
    features: list[KeptFeature]


def pack_model(update: ModelUpdate, since_offset: int) -> bytes:
    """A model as a changelog record."""
    body = since_offset.to_bytes(8, "little", signed=True) + update.model_dump_json().encode()
    return RECORD_FRONT + zlib.compress(body, 1)


def unpack_model(value: bytes) -> ModelRecord:
    """The reverse of :func:`pack_model`."""
    try:
        body = _body(value)
        return ModelRecord(int.from_bytes(body[:8], "little", signed=True), ModelUpdate.model_validate_json(body[8:]))
    except (zlib.error, ValueError) as error:
        raise _damaged(value, error) from error


def unpack_look_up(value: bytes) -> KeptModel:
    """What scoring needs of the model in a record: a fifth of the time, and a restart unpacks one for each machine."""
    try:
        return msgspec.json.decode(_body(value)[8:], type=KeptModel)
    except (zlib.error, msgspec.DecodeError) as error:
        raise _damaged(value, error) from error


def _body(value: bytes) -> bytes:
    check_version("model record", value)
    return zlib.decompress(value[1:])


def _damaged(value: bytes, error: Exception) -> StateError:
    return StateError(f"model record of {len(value)} bytes is damaged: {error}")
