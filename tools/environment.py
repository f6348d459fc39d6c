"""Makes a virtual environment from a lock file, once, and again when the lock changes.

    python3 tools/environment.py ENVIRONMENT LOCK [LOCK THAT HOLDS MORE ...]

Installs the first lock unless the environment was made from one of those named. Needs Python's own library alone. Two
at once wait for each other, and one that was interrupted is taken up again.
"""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"


def main(environment: Path, locks: "list[Path]") -> None:
    """Bring ``environment`` up to date."""
    environment.mkdir(parents=True, exist_ok=True)
    with (environment / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        stamp = environment / ".made-from"
        made_from = stamp.read_text() if stamp.exists() else ""
        if made_from in [digest(lock) for lock in locks]:
            return
        stamp.unlink(missing_ok=True)
        make(environment, locks[0])
        stamp.write_text(digest(locks[0]))


def make(environment: Path, lock: Path) -> None:
    """Install what ``lock`` names, then the project itself, then compile what is compiled at first use."""
    python = environment / "bin" / "python"
    say(f"making {environment} from {lock.name}, which happens once")
    if not python.exists():
        run(sys.executable, "-m", "venv", environment)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "-r", lock)
    run(*pip, "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT)
    say("compiling the engine's steps, which happens once")
    run(python, ROOT / "tools" / "warm_up.py")


def digest(lock: Path) -> str:
    """What an environment depends on: the lock, the project's declaration, the interpreter, the place."""
    parts = [lock.read_bytes(), PROJECT.read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def run(*command: "str | Path") -> None:
    """Run ``command``; end with its status when it fails."""
    status = subprocess.run([str(part) for part in command], check=False).returncode
    if status != 0:
        say(f"failed with status {status}: {' '.join(map(str, command))}")
        sys.exit(1)


def say(text: str) -> None:
    """Progress goes to standard error; standard output belongs to the command that follows."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; try make PYTHON=python3.11 ...")
        sys.exit(1)
    if len(sys.argv) < 3:
        say(__doc__)
        sys.exit(2)
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
