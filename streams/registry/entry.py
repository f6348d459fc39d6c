"""What one entry holds, and its files as bytes."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import skops.io
from pydantic import BaseModel
from sklearn.ensemble import IsolationForest

from schemas.manifest import Manifest
from schemas.training import ModelUpdate

Column = npt.NDArray[np.float64]

#: skops refuses types that can do harm in a forged file. A tree's node numbers are not checked when it is used, so a
#: forest is only as trustworthy as the registry: keep others from writing to it.
_TRUSTED: Final = ["sklearn.tree._tree.Tree"]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a model was fitted to: by machine, for each feature its medians, all of one machine equally long."""

    features: tuple[str, ...]
    machines: Mapping[str, Sequence[Column]]

    def to_parquet(self) -> bytes:
        """One row a median: ``machine_id`` and one column a feature, oldest first."""
        names = [name for name, columns in self.machines.items() for _ in range(len(columns[0]))]
        table = pa.table(
            {"machine_id": pa.array(names, pa.string()).dictionary_encode()}
            | {
                feature: pa.array(np.concatenate([columns[k] for columns in self.machines.values()]), pa.float64())
                for k, feature in enumerate(self.features)
            }
        )
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        return file.getvalue()

    @classmethod
    def from_parquet(cls, data: bytes) -> "TrainingData":
        """The other way round."""
        table = pq.read_table(io.BytesIO(data))
        features = tuple(name for name in table.column_names if name != "machine_id")
        names = np.asarray(table.column("machine_id").to_pylist(), dtype=object)
        columns = [table.column(feature).to_numpy() for feature in features]
        return cls(features, {name: [column[names == name] for column in columns] for name in dict.fromkeys(names)})


@dataclass(frozen=True, slots=True)
class Entry:
    """One model with everything about it. ``manifest.files`` is filled in when it is stored."""

    manifest: Manifest
    update: ModelUpdate
    training: TrainingData
    forests: tuple[IsolationForest, ...]  # one for each of the update's features
    state: bytes | None = None  # the machine's state when the model was asked for, up to ``manifest.state_offset``


def forest_to_bytes(forest: IsolationForest) -> bytes:
    """By skops, which holds no code, unlike a pickle."""
    return bytes(skops.io.dumps(forest, compression=zipfile.ZIP_DEFLATED, compresslevel=1))


def forest_from_bytes(data: bytes) -> IsolationForest:
    """The other way round."""
    forest: IsolationForest = skops.io.loads(data, trusted=_TRUSTED)
    return forest


def to_json(model: BaseModel, indent: int | None = None) -> bytes:
    """JSON with sorted keys, so that two manifests can be compared by eye and by diff."""
    return (json.dumps(model.model_dump(mode="json"), sort_keys=True, indent=indent) + "\n").encode()
