"""The demo, as somebody runs it who has just come: files in, a report out; Ctrl-C; nothing left behind."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.processes import wait_until


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two wells of 260 readings each, with holes, a sentinel and a repeated time."""
    directory = tmp_path / "wells"
    directory.mkdir()
    rng = random.Random(3)
    for name in ("WELL-1", "WELL-2"):
        lines = ["timestamp,casing_pressure,tubing_pressure,class"]
        for i in range(260):
            casing = "" if i == 50 else "9999" if i == 60 else f"{300 + rng.gauss(0, 2):.1f}"
            minute = i - 1 if i == 100 else i
            lines.append(f"2026-01-01 {minute // 60:02d}:{minute % 60:02d}:00,{casing},200.5,0")
        (directory / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return directory


def demo(*arguments: str, directory: Path) -> "subprocess.Popen[str]":
    """The demo as a process; its temporary files are in ``directory``."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli.main", "demo", *arguments],
        env={**os.environ, "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_files_are_streamed_once_and_nothing_is_missing_even_twice_at_once(files: Path, tmp_path: Path) -> None:
    reports = [tmp_path / "one.json", tmp_path / "two.json"]
    with tempfile.TemporaryDirectory() as scratch:
        running = [demo("--once", "--input", str(files), "--report", str(r), directory=Path(scratch)) for r in reports]
        for process in running:
            said, _ = process.communicate(timeout=200)
            assert process.returncode == 0, said
        assert list(Path(scratch).glob("wellsentry-*")) == [], "nothing is left behind"
    for path in reports:
        report = json.loads(path.read_text())
        assert report["readings"] == 520
        assert report["labels"] + report["rejected"] == 520
        assert report["stored"] == report["labels"]
        assert sum(report["labels_by_kind"].values()) == report["labels"]
        assert report["models"] >= 2
        assert report["latency_p50_ms"] <= report["latency_p99_ms"]
        assert report["seconds"] > 0


def test_ctrl_c_ends_the_live_demo_cleanly() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        process = demo("--plain", "--wells", "5", directory=Path(scratch))
        try:
            assert process.stdout is not None
            lines: list[str] = []
            wait_until(lambda: lines.append(process.stdout.readline()) or "normal" in lines[-1], 90, "scored labels")
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=90)
        finally:
            process.kill()
        assert process.returncode == 0, "".join(lines) + said
        assert "Traceback" not in said
        assert list(Path(scratch).glob("wellsentry-*")) == []


def test_input_without_once_is_refused() -> None:
    process = demo("--input", ".", directory=Path(tempfile.gettempdir()))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--once" in said
