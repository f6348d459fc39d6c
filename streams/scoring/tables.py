"""The calls: a file or a table in, ``timestamp, score, label, alert`` out."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.engine.codes import ANOMALOUS, OPENED
from models.self_trained import OnProgress, Part
from models.stacks import Stack, choose_stacks
from schemas.errors import BadInputFile, BadSettings
from streams.files.columns import numbers, times_ms
from streams.scoring.reading import Table, read_table, signal_names
from streams.scoring.running import TableRun, stack_for
from streams.scoring.writing import Answers, write_answers, write_explained


@dataclass(frozen=True, slots=True)
class Options:
    """How a table is scored."""

    warm_up: int | None = None  # readings at the start that are not scored; they are taken as normal
    stack: str | None = None  # by name; None: what fits the columns
    machine_id: str = "machine"
    refits: bool = True  # whether forests are fitted as the readings go by
    detector: str | None = None  # in place of the stack's own
    unit: str = "psi"  # of pressures


DEFAULT: Final = Options()


def score_file(
    source: Path,
    target: Path,
    options: Options = DEFAULT,
    *,
    explain: bool = False,
    on_progress: OnProgress | None = None,
) -> Answers:
    """Score the CSV or Parquet file ``source`` and write the answers to the CSV file ``target``.

    With ``explain``, everything a label carries stands beside them. Raises :class:`BadInputFile`.
    """
    table = read_table(source)
    run = _run(table, options)
    writer = write_explained(target, table.times) if explain else None
    with writer or nullcontext(None) as write:
        answers = _score(
            table, run, on_progress, None if write is None else lambda part: write(part.first, run.labels(part))
        )
    if not explain:
        write_answers(target, answers)
    return answers


def score_table(table: Mapping[str, npt.ArrayLike], options: Options = DEFAULT) -> dict[str, Any]:
    """Score columns, a pandas DataFrame for instance: the first is the time, every other one a signal.

    >>> answers = score_table({"time": range(60), "pressure": [100.0] * 59 + [300.0]})
    >>> list(answers), answers["label"][-1]
    (['timestamp', 'score', 'label', 'alert'], np.int8(1))
    """
    import pyarrow as pa

    names = [str(name) for name in table]
    here = Path("the table")
    columns = [pa.array(np.asarray(table[name])) for name in table]
    if len(columns) < 2:
        raise BadInputFile("a table needs the time first and then one signal or more")
    values = np.column_stack([numbers(here, name, column) for name, column in zip(names[1:], columns[1:], strict=True)])
    read = Table(
        columns[0].to_pylist(),
        times_ms(here, columns[0], lambda i: i),
        signal_names(names[1:]),
        np.ascontiguousarray(values),
    )
    answers = _score(read, _run(read, options), None)
    return {
        "timestamp": answers.timestamp, "score": answers.score, "label": answers.label, "alert": answers.alert
    }  # fmt: skip


def _run(table: Table, options: Options) -> TableRun:
    return TableRun(
        table, _stack(table, options), options.machine_id, options.warm_up,
        refits=options.refits, detector=options.detector, unit=options.unit,
    )  # fmt: skip


def _stack(table: Table, options: Options) -> Stack:
    if options.stack is None:
        return stack_for(table)
    stack = choose_stacks([options.stack])[0]
    missing = [name for name in stack.signals if name not in table.signals]
    if missing:
        raise BadSettings(f"stack {stack.name!r} needs {missing[0]!r}; the file has {', '.join(table.signals)}")
    return stack


def _score(
    table: Table, run: TableRun, on_progress: OnProgress | None, on_part: Callable[[Part], None] | None = None
) -> Answers:
    n = len(table)
    score, label, alert = np.full(n, np.nan), np.zeros(n, np.int8), np.zeros(n, np.int8)
    for part in run.parts(on_progress):
        at = slice(part.first, part.first + len(part.batch))
        score[at] = part.verdicts.surprise
        label[at] = part.verdicts.verdict == ANOMALOUS
        alert[at] = part.verdicts.alert == OPENED
        if on_part is not None:
            on_part(part)
    return Answers(list(table.times), score, label, alert)
