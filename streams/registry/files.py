"""Reading and writing whole files, in a directory or in S3; every failure is a RegistryError that names the file."""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from fsspec.implementations.local import LocalFileSystem

from schemas.errors import DamagedEntry, RegistryError
from streams.access.aws import registry_files
from streams.log import get_logger
from streams.settings import RegistrySettings

log = get_logger(__name__)


class Files:
    """Files below the registry's address: a directory, which is made when it is missing, or ``s3://bucket/prefix``."""

    def __init__(self, settings: RegistrySettings) -> None:
        self.url = settings.url.rstrip("/")
        with self._told("open", ""):
            self._fs, self._root = registry_files(settings)

    def read(self, path: str) -> bytes:
        """The bytes of one file; :class:`DamagedEntry` if there is none, for only files of entries are read."""
        with self._told("read", path):
            return bytes(self._fs.cat_file(self._full(path)))

    def write(self, path: str, data: bytes) -> None:
        """Write one file whole: nobody ever sees half of it."""
        with self._told("write", path):
            if isinstance(self._fs, LocalFileSystem):
                _write_local(Path(self._full(path)), data)
            else:
                self._fs.pipe_file(self._full(path), data)  # S3 shows an object once it is complete

    def below(self, path: str) -> list[str]:
        """All files below a directory, sorted; none when there is no such directory."""
        with self._told("list", path):
            found = self._fs.find(self._full(path))
            return sorted(str(name)[len(self._root) + 1 :] for name in found)

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}".rstrip("/")

    @contextlib.contextmanager
    def _told(self, verb: str, path: str) -> Iterator[None]:
        started = time.monotonic()
        where = f"{self.url}/{path}"
        try:
            yield
        except FileNotFoundError as error:
            if verb == "read":
                raise DamagedEntry(f"{where} is missing from the registry; remove the rest of its entry") from error
            raise RegistryError(f"the registry cannot {verb} {where}: there is no such place; create it") from error
        except (OSError, BotoCoreError, ClientError, ValueError, ImportError) as error:
            raise RegistryError(
                f"the registry cannot {verb} {where}: {type(error).__name__}: {error}. "
                "Check registry.url, registry.s3_endpoint and the rights to it (`wellsentry doctor`)."
            ) from error
        log.debug(
            f"registry {verb}", action=f"registry_{verb}", path=where, seconds=round(time.monotonic() - started, 4)
        )


def _write_local(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
