"""Answers as CSV: the four columns of the contract, or all that a label carries."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.errors import BadInputFile
from schemas.labels import Label
from schemas.times import datetime_to_ms, iso

COLUMNS: Final = ("timestamp", "score", "label", "alert")
#: The label's own fields of the same name are told under these, so that the contract's columns stay what they are.
_RENAMED: Final = {"label": "verdict", "alert": "alert_state", "score": "raw_score"}


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer to each of ``n`` rows."""

    timestamp: list[Any]  # n: as given
    score: npt.NDArray[np.float64]  # n: surprise, at least 0; NaN where it was not scored
    label: npt.NDArray[np.int8]  # n: 1: anomalous
    alert: npt.NDArray[np.int8]  # n: 1: an alert opens

    def __len__(self) -> int:
        return len(self.score)


def write_answers(path: Path, answers: Answers) -> None:
    """The four columns, a row for each; an empty score where nothing was scored."""
    with _open(path) as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        scores = ["" if x != x else x for x in answers.score.tolist()]
        rows.writerows(
            zip(map(_text, answers.timestamp), scores, answers.label.tolist(), answers.alert.tolist(), strict=True)
        )


@contextmanager
def write_explained(path: Path, times: Sequence[Any]) -> Iterator[Callable[[int, Sequence[Any]], None]]:
    """Yields what takes labels from the ``first``-th row on: the four columns and every field of the label."""
    fields = list(Label.model_fields)
    with _open(path) as file:
        rows = csv.writer(file)
        rows.writerow([*COLUMNS, *(_RENAMED.get(name, name) for name in fields)])

        def write(first: int, labels: Sequence[Any]) -> None:
            for place, label in enumerate(labels, first):
                answer = ("" if label.surprise is None else label.surprise, int(label.label == "anomalous"))
                cells = [_cell(getattr(label, name)) for name in fields]
                rows.writerow([_text(times[place]), *answer, int(label.alert == "opened"), *cells])

        yield write


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise BadInputFile(f"{path} cannot be written: {error.strerror}; choose another --output") from error


def _text(time: Any) -> Any:
    return iso(datetime_to_ms(time)) if isinstance(time, datetime) else time


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict) else value
