"""Which code this is: on every label, in every manifest, in the first line of every log."""

import functools
import os
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

COMMIT_VARIABLE = "WELLSENTRY_GIT_COMMIT"
_SOURCE = Path(__file__).parent.parent
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """``git_commit`` is "unknown" and ``tree_clean`` None where neither git nor the build could tell."""

    version: str
    git_commit: str
    tree_clean: bool | None


@functools.cache
def build_info() -> BuildInfo:
    """The version that is installed and the commit it was made from: by the build's variable, else by git."""
    built = os.environ.get(COMMIT_VARIABLE)
    if built:
        return BuildInfo(_version(), built, None)
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return BuildInfo(_version(), "unknown", None)
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return BuildInfo(_version(), commit, None if changes is None else not changes)


def _version() -> str:
    try:
        return metadata.version("wellsentry")
    except metadata.PackageNotFoundError:
        return "0+source"


def _git(*arguments: str) -> str | None:
    # Only a checkout of our own counts: an installed copy may lie inside somebody else's.
    if not (_SOURCE / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(_SOURCE), *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
