"""Where labels go: a file for each partition, put together in the end, or a side topic."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from schemas.errors import BadInputFile
from streams.runs.producing import Record


class Output(Protocol):
    """Takes the labels of pieces, each partition's in order."""

    async def begin(self) -> None:
        """Begin with nothing."""

    async def go_on(self, written: Mapping[int, int]) -> None:
        """Go on behind what is ``written``, by partition; what came after it will come again."""

    async def write(self, partition: int, labels: Sequence[Record]) -> None:
        """Take labels, each with the key of its machine."""

    async def durable(self) -> dict[int, int]:
        """How much is written of each partition, once it is durable."""

    async def close(self) -> None:
        """Let go of what is open."""


class Parts:
    """A file of JSON lines for each partition, in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[int, IO[bytes]] = {}
        self._sizes: dict[int, int] = {}  # of files that an earlier process has written to, and this one not yet

    def path(self, partition: int) -> Path:
        """The file of one partition; it need not be there."""
        return self._directory / f"labels-{partition:05d}.jsonl"

    async def begin(self) -> None:
        """Begin with empty files."""
        await self.go_on({})

    async def go_on(self, written: Mapping[int, int]) -> None:
        """Cut off what is not in ``written``, in bytes."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._sizes = dict(written)
        for file in self._directory.glob("labels-*.jsonl"):
            size = written.get(int(file.stem.removeprefix("labels-")), 0)
            with file.open("r+b") as one:
                one.truncate(size)

    async def write(self, partition: int, labels: Sequence[Record]) -> None:
        """Append ``labels``, one a line."""
        file = self._files.get(partition)
        if file is None:
            file = self._files[partition] = self.path(partition).open("ab")
        file.write(b"".join([(value or b"") + b"\n" for _, value in labels]))

    async def durable(self) -> dict[int, int]:
        """Bytes of each file that was written to."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        return self._sizes | {partition: file.tell() for partition, file in self._files.items()}

    async def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def lines(self, partition: int) -> Iterator[bytes]:
        """What is written of one partition."""
        if self.path(partition).exists():
            with self.path(partition).open("rb") as file:
                for line in file:
                    yield line[:-1]

    def remove(self) -> None:
        """Remove the files."""
        for file in self._directory.glob("labels-*.jsonl"):
            file.unlink()


class Both:
    """Two outputs at once: how much is written is told by the first."""

    def __init__(self, first: Output, second: Parts) -> None:
        self._first, self._second = first, second

    async def begin(self) -> None:
        """Both."""
        await self._first.begin()
        await self._second.begin()

    async def go_on(self, written: Mapping[int, int]) -> None:
        """Numbers of both travel together: the second's partitions count from behind the first's."""
        await self._first.go_on({number: size for number, size in written.items() if number >= 0})
        await self._second.go_on({-1 - number: size for number, size in written.items() if number < 0})

    async def write(self, partition: int, labels: Sequence[Record]) -> None:
        """To both."""
        await self._first.write(partition, labels)
        await self._second.write(partition, labels)

    async def durable(self) -> dict[int, int]:
        """Of both."""
        first = await self._first.durable()
        return first | {-1 - number: size for number, size in (await self._second.durable()).items()}

    async def close(self) -> None:
        """Both."""
        await self._first.close()
        await self._second.close()


def put_together(parts: Parts, partitions: Sequence[int], target: Path) -> None:
    """Write the labels of all ``partitions`` to ``target``, partition by partition: JSON lines, or Parquet by its ending."""
    new = target.with_name(target.name + ".new")
    if target.suffix == ".parquet":
        _write_parquet((line for number in partitions for line in parts.lines(number)), new)
    else:
        with new.open("wb") as file:
            for number in partitions:
                if parts.path(number).exists():
                    with parts.path(number).open("rb") as one:
                        shutil.copyfileobj(one, file, 1 << 20)
    new.replace(target)


_ROWS = 50_000


def _write_parquet(lines: Iterator[bytes], target: Path) -> None:
    """Labels as a table: a column a field, times as times, ``signals`` and ``views`` as JSON text."""
    from itertools import islice

    import msgspec
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = label_schema()
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        while rows := [_row(decode(line)) for line in islice(lines, _ROWS)]:
            writer.write_table(pa.Table.from_pylist(rows, schema))


def label_schema() -> Any:
    """The columns of labels in Parquet."""
    import pyarrow as pa

    from schemas.labels import Label

    kinds = {"float": pa.float64(), "int": pa.int64(), "event_time": pa.timestamp("ms", tz="UTC")}
    columns = []
    for name, field in Label.model_fields.items():
        kind = "event_time" if name == "event_time" else str(field.annotation)
        known = next((kinds[one] for one in ("event_time", "float", "int") if one in kind and "dict" not in kind), None)
        columns.append(pa.field(name, known or pa.string()))
    return pa.schema(columns)


def _row(label: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    import msgspec

    made = dict(label)
    made["event_time"] = datetime.fromisoformat(label["event_time"])
    for name in ("signals", "views"):
        if label[name] is not None:
            made[name] = msgspec.json.encode(label[name]).decode()
    return made


def check_target(target: Path) -> None:
    """Raises :class:`BadInputFile` if ``target`` cannot be what labels are written to."""
    if target.suffix not in (".jsonl", ".parquet"):
        raise BadInputFile(
            f"{target} ends in {target.suffix or 'nothing'}; labels go to .jsonl (as on the topic) or .parquet"
        )
    if target.is_dir() or not target.parent.is_dir():
        raise BadInputFile(f"{target} cannot be written: {target.parent} must be a directory, and {target.name} none")
