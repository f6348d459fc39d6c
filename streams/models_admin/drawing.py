"""A model as a picture, drawn by the code that also lies beside it. What lies in the registry is never run."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq

from schemas.errors import BadInputFile
from streams.registry import Registry
from streams.registry.paths import LOOKUP, TRAINING
from streams.registry.plot import draw


def draw_entry(registry: Registry, path: str, picture: Path) -> None:
    """Draw the model with the manifest at ``path`` into ``picture``; its ending says as what.

    Raises :class:`BadInputFile` if that cannot be written.
    """
    manifest = registry.manifest(path).model_dump(mode="json")
    table = pq.read_table(io.BytesIO(registry.file(path, TRAINING)))
    figure = draw(manifest, json.loads(registry.file(path, LOOKUP)), table)
    try:
        figure.savefig(picture, dpi=120)
    except (OSError, ValueError) as error:
        raise BadInputFile(f"the model cannot be drawn into {picture}: {error}") from error
