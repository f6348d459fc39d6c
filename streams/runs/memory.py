"""Giving memory back: how the C library keeps what a process has freed.

glibc makes an arena of its own for each thread and returns none of it while anything above is in use. A worker's threads hand
fetched records from one to the other, so that much of what they freed stays: of 5,000 machines' worker a sixth.
"""

import ctypes
from pathlib import Path
from typing import Final

# Parameters of mallopt(3), and what they are set to.
_TRIM_THRESHOLD: Final = (-1, 128 * 1024)
_MMAP_THRESHOLD: Final = (-3, 128 * 1024)
_ARENA_MAX: Final = (-8, 1)

_MADV_DONTNEED: Final = 4  # of madvise(2)


def keep_little_memory() -> None:
    """Tell the C library to return what is freed; where it cannot be told, nothing happens."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in (_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD):
        mallopt(parameter, value)


def let_go_of_code(library: str) -> None:
    """Give the pages back that hold the code of a library which is hardly used any more; what is still needed comes back.

    They are the file's own pages, never written to, so the system can read them again at any time. Where it cannot be told,
    nothing happens.
    """
    try:
        madvise = ctypes.CDLL(None).madvise
        maps = Path("/proc/self/maps").read_text()
    except (OSError, AttributeError):
        return
    for line in maps.splitlines():
        span, rights, *_, file = line.split(maxsplit=5)
        if rights == "r-xp" and library in Path(file).name:
            start, stop = (int(one, 16) for one in span.split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _MADV_DONTNEED)
