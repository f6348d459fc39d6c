"""Prometheus' own tool, which knows whether rules are right."""

import shutil
import subprocess
from pathlib import Path

from tests.parts import do_without


def promtool(*arguments: str, cwd: Path) -> str:
    """What it says; fails where it finds something wrong."""
    program = shutil.which("promtool")
    if program is None:
        do_without("promtool is not here: it comes with Debian's package prometheus")
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
