"""Giving memory back: how the C library keeps what a process has freed.

glibc makes an arena of its own for each thread and returns none of it while anything above is in use. A worker's threads hand
fetched records from one to the other, so that much of what they freed stays: of 5,000 machines' worker a sixth.
"""

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

# Parameters of mallopt(3), and what they are set to.
_TRIM_THRESHOLD: Final = (-1, 128 * 1024)
_MMAP_THRESHOLD: Final = (-3, 128 * 1024)
_ARENA_MAX: Final = (-8, 1)

_PR_SET_THP_DISABLE: Final = 41  # of prctl(2): no pages of 2 MB, of which numpy asks for one where a machine needs 4 kB
_MADV_DONTNEED: Final = 4  # of madvise(2)


#: Between two looks for pages in which nothing is left. One takes up to 13 ms after a burst, else a few.
_GIVE_BACK_EVERY_S: Final = 10.0


def keep_little_memory() -> None:
    """Tell the C library to return what is freed; where it cannot be told, nothing happens.

    By itself it returns what lies free at the end of its heap alone. What a burst of readings leaves behind lies between
    things that stay, a sixth of a worker's memory: as long as the process lives, a thread asks for that every ten seconds.
    """
    try:
        library = ctypes.CDLL(None)
        mallopt = library.mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in (_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD):
        mallopt(parameter, value)
    if hasattr(library, "prctl"):
        library.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    if hasattr(library, "malloc_trim"):
        # Others wait for it only where they need memory of the C library, and the interpreter's lock is not held.
        threading.Thread(target=_give_back, args=(library.malloc_trim, threading.Event().wait), daemon=True).start()


def _give_back(trim: Callable[[int], Any], wait: Callable[[float], bool]) -> None:
    while not wait(_GIVE_BACK_EVERY_S):
        trim(0)


def let_go_of_code(library: str) -> None:
    """Give the pages back that hold the code of a library which is hardly used any more; what is still needed comes back.

    They are the file's own pages, of which this process has changed none, so the system can read them again at any time.
    Where it cannot be told, nothing happens.
    """
    try:
        madvise = ctypes.CDLL(None).madvise
        spans = Path("/proc/self/smaps").read_text()
    except (OSError, AttributeError):
        return
    for start, stop in unchanged_code(spans, library):
        madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _MADV_DONTNEED)


def unchanged_code(spans: str, library: str) -> list[tuple[int, int]]:
    """Where ``library`` lies unchanged in memory, by the text of /proc/self/smaps: start and stop of each span.

    >>> span = "7f00-7f80 r-xp 00001000 08:01 42 /usr/lib/libone.so\\nRss: 4 kB\\nAnonymous: {} kB\\n"
    >>> unchanged_code(span.format(0), "libone"), unchanged_code(span.format(4), "libone")
    ([(32512, 32640)], [])
    """
    found: list[tuple[int, int]] = []
    span: tuple[int, int] | None = None
    for line in spans.splitlines():
        name, *rest = line.split(maxsplit=5)
        if not name.endswith(":"):
            ours = len(rest) == 5 and "w" not in rest[0] and library in Path(rest[4]).name
            start, stop = (int(one, 16) for one in name.split("-"))
            span = (start, stop) if ours else None
        elif span is not None and name == "Anonymous:" and rest[0] == "0":
            found.append(span)
    return found
