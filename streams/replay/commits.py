"""Labels as another commit makes them: its own program, in a worktree of its own, asked for the same replay."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import BadSettings, ReplayError
from streams.demo.children import settings_variables
from streams.replay.plan import Plan
from streams.settings import Settings

_SAID = 1_500
#: Of variables that are settings, or name the commit: neither is to be inherited.
_OURS = "WELLSENTRY_"


def commits_between(repository: Path, old: str, new: str) -> list[str]:
    """``old``, and what leads from there to ``new``, by first parents. Raises :class:`BadSettings` if nothing does."""
    first, last = (
        _git(repository, "rev-parse", "--verify", "--end-of-options", f"{one}^{{commit}}") for one in (old, new)
    )
    listed = _git(repository, "rev-list", "--reverse", "--first-parent", "--ancestry-path", f"{first}..{last}")
    commits = listed.split()
    if not commits or commits[-1] != last:
        raise BadSettings(
            f"no line of commits leads from {old} to {new} in {repository}; is the older one named first?"
        )
    return [first, *commits]


def subject(repository: Path, commit: str) -> str:
    """A commit's date and first line."""
    return _git(repository, "show", "--no-patch", "--format=%cs %s", commit)


@contextmanager
def worktree(repository: Path, directory: Path) -> Iterator[Path]:
    """A worktree of ``repository`` in ``directory`` while the block runs; which commit it shows is up to the caller."""
    _git(repository, "worktree", "add", "--detach", "--force", str(directory), "HEAD")
    try:
        yield directory
    finally:
        _git(repository, "worktree", "remove", "--force", str(directory))


def check_out(tree: Path, commit: str) -> None:
    """Let a worktree show ``commit``. Raises :class:`BadSettings` if its repository has none of that name."""
    _git(tree, "checkout", "--detach", "--force", commit)


def replay_by(tree: Path, commit: str, settings: Settings, plan: Plan, output: Path) -> None:
    """Let ``commit`` replay what ``plan`` says, one partition after the other; its labels are in ``output``.

    Raises :class:`ReplayError` with what it said if it does not.
    """
    check_out(tree, commit)
    with output.open("wb") as together:
        for number, one in sorted(plan.partitions.items()):
            part = output.with_name(f"{output.stem}-{number}.jsonl")
            _run(tree, commit, settings, _arguments(plan, number, one.first_offset, one.end_offset, part))
            together.write(part.read_bytes())
            part.unlink()


def _arguments(plan: Plan, number: int, first: int, end: int, output: Path) -> Sequence[str]:
    asked = plan.asked
    client = [] if asked.client is None else ["--client", asked.client]
    stacks = [word for name in asked.stacks for word in ("--stack", name)]
    detectors = [word for name, its in asked.detectors.items() for word in ("--detector", f"{name}={its}")]
    places = ["--partition", str(number), "--from-offset", str(first), "--to-offset", str(end)]
    return [*client, *stacks, *detectors, *places, "--output", str(output), "--", *(asked.machines or ())]


def _run(tree: Path, commit: str, settings: Settings, arguments: Sequence[str]) -> None:
    variables = {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith(_OURS)
    }
    # Another commit may not know every setting there is now: it is told those alone that are not as they come.
    told = settings_variables(settings, defaults=False)
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "replay", *arguments],
        cwd=tree,
        env={**variables, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ReplayError(
            f"commit {commit[:12]} does not replay this: {done.stderr.strip()[-_SAID:]}. Commits from before "
            "`wellsentry replay` cannot; name a later one"
        )


def _git(where: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(where), *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise BadSettings("git is not installed here, and commits can only be compared with it") from error
    except subprocess.CalledProcessError as error:
        raise BadSettings(f"git {arguments[0]} in {where}: {error.stderr.strip()}") from error
    return done.stdout.strip()
