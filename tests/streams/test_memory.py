"""Memory that is given back: what is still needed of it comes back by itself."""

import subprocess
import sys

_LOOK = """
import ctypes, sqlite3
from pathlib import Path
from streams.runs.memory import let_go_of_code

def resident_kb():
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and not line.split()[0].endswith(":"):
            inside = "libpython" in line and "r-xp" in line or "/python3" in line and "r-xp" in line
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found

before = resident_kb()
let_go_of_code("python")
after = resident_kb()
assert sorted([3, 1, 2]) == [1, 2, 3]
print(before, after)
"""


def test_code_that_was_let_go_takes_less_memory_and_still_runs() -> None:
    made = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, check=True, text=True)
    before, after = map(int, made.stdout.split())
    assert 0 < after < before


def test_a_library_that_nobody_has_loaded_is_no_error() -> None:
    made = subprocess.run(
        [sys.executable, "-c", "from streams.runs.memory import let_go_of_code; let_go_of_code('no-such-library')"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (made.returncode, made.stderr) == (0, "")


def test_the_steps_are_loaded_without_scipy() -> None:
    code = (
        "import sys; from models.engine.compiled import load_compiler; load_compiler(); "
        "assert 'scipy.linalg' not in sys.modules; "
        "import scipy.linalg.cython_blas"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
