"""Giving memory back: how the C library keeps what a process has freed.

glibc makes an arena of its own for each thread and returns none of it while anything above is in use. A worker's threads hand
fetched records from one to the other, so that much of what they freed stays: of 5,000 machines' worker a sixth.
"""

import ctypes
from typing import Final

# Parameters of mallopt(3), and what they are set to.
_TRIM_THRESHOLD: Final = (-1, 128 * 1024)
_MMAP_THRESHOLD: Final = (-3, 128 * 1024)
_ARENA_MAX: Final = (-8, 1)


def keep_little_memory() -> None:
    """Tell the C library to return what is freed; where it cannot be told, nothing happens."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in (_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD):
        mallopt(parameter, value)
