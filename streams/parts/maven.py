"""Jars through Maven, fetched once and kept.

What is wanted stands in ``java/<part>/pom.xml`` beside this file. The jars go to ``$WELLSENTRY_PARTS_DIR``, or to
``~/.cache/wellsentry/parts``, in a directory named after the pom's content: another version, another directory.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from schemas.errors import MissingPart

_POMS = Path(__file__).parent / "java"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_WITHIN_S = 600.0
_LOG_LINES_SHOWN = 15


def java() -> str:
    """The ``java`` to use. Raises MissingPart when there is none."""
    program = shutil.which("java")
    if program is None:
        raise MissingPart("java is not installed; Apache Kafka and DynamoDB Local need Java 17 or newer")
    return program


def jars(part: str) -> Path:
    """The directory that holds the jars of ``part`` ("kafka" or "dynamodb"), fetched now unless they are there.

    Two that fetch at once do not disturb each other. Raises MissingPart when Maven is missing or cannot fetch.
    """
    pom = _POMS / part / "pom.xml"
    directory = _cache() / f"{part}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{part}-", dir=directory.parent) as scratch:
            fetched = Path(scratch) / "jars"
            _fetch(part, pom, fetched)
            try:
                fetched.rename(directory)
            except OSError:
                if not directory.is_dir():  # else somebody else was faster, and theirs are the same
                    raise
    return directory


def class_path(directory: Path) -> str:
    """All jars of ``directory`` for ``java -cp``."""
    return str(directory / "*")


def _cache() -> Path:
    chosen = os.environ.get("WELLSENTRY_PARTS_DIR")
    return Path(chosen).resolve() if chosen else Path.home() / ".cache" / "wellsentry" / "parts"


def _fetch(part: str, pom: Path, directory: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingPart(f"mvn is not installed; it fetches the jars of {part}. Install Maven (3.6 or newer)")
    command = [maven, "-B", "-q", "-f", str(pom), _PLUGIN, f"-DoutputDirectory={directory}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FETCH_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MissingPart(f"mvn did not fetch the jars of {part} within {_FETCH_WITHIN_S:.0f} s") from error
    if done.returncode != 0 or not directory.is_dir():
        said = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_LINES_SHOWN:])
        raise MissingPart(f"mvn could not fetch the jars of {part}; the end of what it said:\n{said}")
