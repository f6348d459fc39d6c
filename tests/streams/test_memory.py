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


_BURST = """
import ctypes
from pathlib import Path
from streams.runs import memory

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

memory.keep_little_memory()
before = resident_mb()
stays = []
for n in range(1000):
    burst = [bytes(700) for _ in range(100)]
    stays.append(burst.pop())
    if n == 999:
        much = resident_mb()
    stays.append(burst)
stays = [one for one in stays if isinstance(one, bytes)]
left = resident_mb()
turns = iter((False, True))
memory._give_back(ctypes.CDLL(None).malloc_trim, lambda _: next(turns))
print(before, much, left, resident_mb())
"""


def test_what_a_burst_leaves_between_things_that_stay_is_given_back() -> None:
    made = subprocess.run([sys.executable, "-c", _BURST], capture_output=True, check=True, text=True)
    before, much, left, after = map(float, made.stdout.split())
    assert much - before > 60
    assert left - before > 50, "freed, and not returned by itself"
    assert after - before < 20
