"""Write a sample of what this release writes: ``python tools/sample_release.py``, once for each release, just before it.

One file for each schema in ``tests/samples/<version>/``, a JSON message a line, and ``state.jsonl``: the changelog records of
a partition, base64, with the labels that the engine makes after reading them back. ``tests/chaos/test_samples.py`` reads the
samples of all releases.
"""

import base64
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from models.engine.engine import Engine  # noqa: E402
from models.engine.labels import Stamp  # noqa: E402
from models.engine.layout import VERSION  # noqa: E402
from models.engine.machines import Machines  # noqa: E402
from models.engine.settings import EngineSettings  # noqa: E402
from models.fitting import FitParameters  # noqa: E402
from models.stacks import choose_stacks  # noqa: E402
from schemas.training import TrainingRequest  # noqa: E402
from streams.build_info import BuildInfo, build_info  # noqa: E402
from streams.trainer.making import handle_request  # noqa: E402
from streams.worker.alone import Alone  # noqa: E402
from streams.worker.limits import Limits  # noqa: E402

COMMIT = "0" * 40
START = datetime(2026, 1, 1, tzinfo=UTC)


class Record:
    """A record of the readings topic."""

    topic, partition, timestamp = "wellsentry.readings", 0, 1_767_225_600_000

    def __init__(self, offset: int, body: Mapping[str, Any] | bytes) -> None:
        self.offset = offset
        self.key = b"well-1" if isinstance(body, bytes) else str(body["machine_id"]).encode()
        self.value = body if isinstance(body, bytes) else json.dumps(body).encode()


def main() -> None:
    """Write the sample, unless there is one of this version already."""
    version = build_info().version
    target = ROOT / "tests" / "samples" / version
    if target.exists():
        sys.exit(f"{target.relative_to(ROOT)} is there already: a release's sample is never written again")
    target.mkdir(parents=True)
    for name, lines in samples(version).items():
        (target / f"{name}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    print(f"{target.relative_to(ROOT)}: state layout {VERSION}")


def samples(version: str) -> dict[str, list[bytes]]:
    """Lines by file."""
    partition = new_partition(version)
    partition.judge([Record(offset, body) for offset, body in enumerate(readings(0, 230))])
    first = partition.take_output()
    requests = [value for _, value in first.training if value]
    model = handle_request(
        TrainingRequest.model_validate_json(requests[0]),
        START,
        FitParameters(trees=10, samples_per_tree=64),
        BuildInfo(version=version, git_commit=COMMIT, tree_clean=True),
    )
    adopted = partition.engine.adopt(model.update, partition.next_offset)
    partition.judge([Record(partition.next_offset + n, body) for n, body in enumerate(readings(230, 60, event=True))])
    middle = partition.take_output()
    status = [value for _, value in partition.take_status(range(3)) if value]
    partition.judge([Record(partition.next_offset + n, body) for n, body in enumerate([b"{", b"[]"])])
    rejected = partition.take_output().rejected
    changelog = partition.engine.records([*adopted, *[("load", slot) for slot in range(3)]], [model.update])
    start = partition.next_offset
    partition.judge([Record(start + n, body) for n, body in enumerate(readings(290, 5))])
    after = partition.take_output()
    return {
        "labels": _some([value for _, value in [*first.labels, *middle.labels] if value]),
        "incidents": [value for _, value in middle.incidents if value],
        "status": status,
        "rejected": [value for _, value in rejected if value],
        "training": requests[:1],
        "models": [model.update.model_dump_json().encode()],
        "manifest": [model.manifest.model_dump_json().encode()],
        "state": [_state(changelog, start, [value for _, value in after.labels if value])],
    }


def new_partition(version: str) -> Alone:
    """A partition as the worker makes it, with the plain forest: its labels follow from few readings."""
    engine = Engine(Machines(choose_stacks(["load"]), EngineSettings(detectors={"load": "isolation_forest"})))
    return Alone(engine, Stamp("wellsentry.readings", version, COMMIT), Limits(65_536, 100))


def readings(first: int, count: int, event: bool = False) -> Iterable[Mapping[str, Any]]:
    """Three machines, a reading a minute; the first by tag, an event at the end if asked."""
    rng = np.random.default_rng(first)
    for minute in range(first, first + count):
        time = (START + timedelta(minutes=minute)).isoformat()
        for number in range(1, 4):
            far = 150.0 if event and minute > first + count // 2 else 0.0
            casing = round(float(rng.normal(300.0 + far, 3.0)), 2)
            common = {"client_id": "acme", "machine_id": f"well-{number}", "time": time}
            if number == 1:
                yield {**common, "tag": "Casing Pressure", "value": casing}
                yield {**common, "tag": "Tubing Pressure", "value": 200.0}
            else:
                yield {**common, "casing_pressure": casing, "tubing_pressure": 200.0}


def _some(labels: list[bytes]) -> list[bytes]:
    """The first, and one of each verdict, reason and state of the alert."""
    kept: dict[tuple[Any, ...], bytes] = {}
    for value in labels:
        label = json.loads(value)
        kept.setdefault((label["label"], label["reason"], label["alert"], label["machine_id"]), value)
    return list(kept.values())


def _state(changelog: Iterable[tuple[bytes, bytes]], start: int, labels: list[bytes]) -> bytes:
    records = [[base64.b64encode(key).decode(), base64.b64encode(value).decode()] for key, value in changelog]
    return json.dumps(
        {"layout": VERSION, "records": records, "next_offset": start, "labels": [one.decode() for one in labels]}
    ).encode()


if __name__ == "__main__":
    main()
