"""Installs the Node packages of a directory from its package-lock.json, once, and again when the lock changes.

    python3 tools/node_packages.py [DIRECTORY ...]

Without a directory: all that the tests need. No script of a package is run. Two at once wait for each other.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIRECTORIES = (ROOT / "examples" / "typescript", ROOT / "tests" / "node")
_NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_WITHIN_S = 300.0


class NoNodePackages(Exception):
    """They are not there and cannot be installed; the message says why."""


def install(directory: Path) -> Path:
    """The ``node_modules`` of ``directory``, installed now unless they are there. Raises :class:`NoNodePackages`."""
    found = directory / "node_modules"
    with (directory / ".node_modules.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        stamp = found / ".made-from"
        digest = hashlib.sha256((directory / "package-lock.json").read_bytes()).hexdigest()
        if not (stamp.exists() and stamp.read_text() == digest):
            _npm_ci(directory)
            stamp.write_text(digest)
    return found


def _npm_ci(directory: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoNodePackages("there is no Node with npm here (Debian's packages `nodejs` and `npm`)")
    try:
        done = subprocess.run(
            [npm, *_NPM_CI], cwd=directory, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NoNodePackages(
            f"npm did not install the packages of {directory.name} within {_WITHIN_S:.0f} s"
        ) from error
    if done.returncode != 0:
        raise NoNodePackages(f"npm could not install the packages of {directory.name}: {done.stderr.strip()[-500:]}")


def main(directories: Sequence[Path]) -> int:
    """The program's exit status."""
    for directory in directories:
        try:
            install(directory)
        except NoNodePackages as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]] or DIRECTORIES))
