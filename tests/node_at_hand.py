"""Node and the packages that tests run; without them a test is skipped, in CI it fails."""

import shutil
import subprocess
from pathlib import Path

from tests.parts import do_without
from tools.node_packages import NoNodePackages, install

ROOT = Path(__file__).resolve().parent.parent


def node_packages(directory: Path) -> Path:
    """The ``node_modules`` of a directory, installed unless they are there."""
    program("node", "nodejs")
    try:
        return install(directory)
    except NoNodePackages as error:
        do_without(str(error))


def program(name: str, package: str) -> str:
    """The path of a program out of a Debian package."""
    if (path := shutil.which(name)) is None:
        do_without(f"there is no {name} here (Debian's package `{package}`)")
    return path


def node(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """What Node says to a script."""
    return subprocess.run(
        ["node", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
