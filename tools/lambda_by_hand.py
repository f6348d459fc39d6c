"""Does by hand what Dockerfile.lambda does, where there is no Docker: its steps in a fresh environment, then a call.

    python -m tools.lambda_by_hand [--python python3.12]

COPY, ENV and RUN are done as they stand there, below a directory of their own that takes the place of the image. Then the
image's start script runs, with one event in the place of AWS's entry point. Needs the network for pip, and some minutes.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from streams.label_store import LabelStore
from streams.parts.embedded_aws import EmbeddedAws
from streams.settings import DynamoSettings

ROOT: Final = Path(__file__).resolve().parent.parent
_PLACE: Final = "/opt/wellsentry"
_KEYS: Final = {f"WELLSENTRY_DYNAMODB__{name}": "local" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
_ENTRY: Final = "/lambda-entrypoint.sh"
#: In the place of AWS's entry point, which imports what CMD names and hands it events.
_CALL: Final = """
import importlib, json, sys, time
began_s = time.perf_counter()
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
for _ in range(2):
    said = handler({"client_id": "acme", "machine_id": "well-7", "lookback": 1, "to_time": "2026-01-02T00:00:00Z"}, None)
    print(f"{time.perf_counter() - began_s:.1f} s: {said['status']}, {len(said['labels'])} labels", file=sys.stderr)
print(json.dumps([said["status"], len(said["labels"])]))
"""


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Instructions and what they say, in their order.

    >>> list(steps("# why\\nENV A=1 \\\\\\n    B=2\\nRUN make\\n"))
    [('ENV', 'A=1 B=2'), ('RUN', 'make')]
    """
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", dockerfile)).splitlines():
        if line.strip():
            instruction, _, said = line.partition(" ")
            yield instruction, said


class ByHand:
    """A directory in the place of an image."""

    def __init__(self, directory: Path, python: str) -> None:
        self.place, self.scratch = directory / "wellsentry", directory / "tmp"
        self.place.mkdir()
        self.scratch.mkdir()
        subprocess.run([python, "-m", "venv", directory / "venv"], check=True)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("WELLSENTRY_", "NUMBA_", "PYTHON"))
        }
        self.environment = {**kept, "PATH": f"{directory / 'venv' / 'bin'}:{os.environ['PATH']}"}

    def there(self, text: str) -> str:
        """Paths of the image as they are here."""
        return text.replace("/tmp/", f"{self.scratch}/").replace(_PLACE, str(self.place))

    def do(self, instruction: str, said: str) -> None:
        """One step. FROM, WORKDIR, ARG and what starts the image have nothing to do here."""
        if instruction == "ENV":
            pairs = (pair.split("=", 1) for pair in self.there(said).split())
            self.environment |= {name: "" if value.startswith("$") else value for name, value in pairs}
        elif instruction == "COPY":
            *names, target = said.split()
            for name in names:
                is_directory = (ROOT / name).is_dir()
                _copy(ROOT / name, self.place / target / ("" if is_directory else Path(name).name))
        elif instruction == "RUN":
            subprocess.run(["sh", "-c", self.there(said)], cwd=self.place, env=self.environment, check=True)

    def call(self, handler: str, source: Path, dynamodb: str) -> list[object]:
        """The start script with an event in the place of AWS's entry point; status and number of labels."""
        (caller := self.scratch / "call.py").write_text(_CALL)
        script = self.there((self.place / "tools" / "lambda_start.sh").read_text())
        script = script.replace(f"exec {_ENTRY}", f"exec python3 {caller}")
        settings = {
            "WELLSENTRY_REGISTRY__URL": str(self.scratch / "registry"),
            "WELLSENTRY_HANDLER__SOURCE": str(source),
            "WELLSENTRY_DYNAMODB__ENDPOINT": dynamodb,
            **_KEYS,
        }
        done = subprocess.run(
            ["sh", "-c", script, "start", handler], cwd=self.scratch, env={**self.environment, **settings},
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found: list[object] = json.loads(done.stdout)
        return found


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _well(path: Path) -> None:
    rows = [
        f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z,{300 + minute * 7 % 13},{200 + minute * 5 % 7}"
        for minute in range(1_440)
    ]
    path.write_text("\n".join(["time,Casing Pressure,Tubing Pressure", *rows]))


def main() -> None:
    """All steps, each with the time it took. Ends with status 1 if the handler does not answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="python3.12", help="as the image's")
    options = parser.parse_args()
    dockerfile = (ROOT / "Dockerfile.lambda").read_text()
    with tempfile.TemporaryDirectory() as scratch:
        by_hand, began_s = ByHand(Path(scratch), options.python), time.monotonic()
        for instruction, said in steps(dockerfile):
            by_hand.do(instruction, said)
            print(f"{time.monotonic() - began_s:6.1f} s  {instruction} {said[:90]}", flush=True)
        _well(by_hand.scratch / "well-7.csv")
        (handler,) = json.loads(dict(steps(dockerfile))["CMD"])
        with EmbeddedAws() as aws:
            keys: Any = {"access_key_id": SecretStr("local"), "secret_access_key": SecretStr("local")}
            with LabelStore(DynamoSettings(endpoint=aws.url, **keys)) as store:
                store.ensure_table()
            answer = by_hand.call(handler, by_hand.scratch, aws.url)
    print(f"{time.monotonic() - began_s:6.1f} s  {handler} answers {answer}")
    raise SystemExit(0 if answer == ["ok", 1_440] else 1)


if __name__ == "__main__":
    main()
