"""A case made again by the very commit that made its label, in a worktree of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from schemas.case import Case, Reproduction
from schemas.errors import BadSettings
from streams.build_info import COMMIT_VARIABLE
from streams.replay.commits import check_out, worktree

#: The checkout that this code is run from, if it is one.
_SOURCE: Final = Path(__file__).resolve().parent.parent.parent
#: Of what the other commit says when it fails.
_SAID: Final = 1_500


def by_its_code(case: Case, directory: Path, repository: Path | None) -> Reproduction:
    """What the label's own commit makes of the case in ``directory``. ``repository``: a clone; None: that of this code.

    The packages are those that are installed here. Raises :class:`BadSettings` if the commit is not in the repository, or is
    from before ``wellsentry reproduce``.
    """
    with (
        tempfile.TemporaryDirectory(prefix="wellsentry-") as scratch,
        worktree(_repository(repository), Path(scratch) / "worktree") as tree,
    ):
        check_out(tree, case.git_commit)
        return _run(tree, case, directory.resolve())


def _repository(given: Path | None) -> Path:
    if given is not None:
        return given
    if not (_SOURCE / ".git").exists():
        raise BadSettings("this wellsentry is not run from a git clone: name one with --repository")
    return _SOURCE


def _run(tree: Path, case: Case, directory: Path) -> Reproduction:
    # Its own build information, and its own modules, which it finds where it is started.
    variables = {name: value for name, value in os.environ.items() if name not in (COMMIT_VARIABLE, "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "reproduce", str(directory), "--json"],
        cwd=tree,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return Reproduction.model_validate_json(done.stdout)
    except ValidationError as error:
        raise BadSettings(
            f"commit {case.git_commit} makes nothing of this case: {done.stderr.strip()[-_SAID:] or done.stdout[-_SAID:]}. "
            "Commits from before `wellsentry reproduce` cannot"
        ) from error
