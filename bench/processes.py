"""What processes use, as Linux counts it."""

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_MEGABYTE: Final = 1_000_000
_PR_SET_PDEATHSIG: Final = 1


def end_with_parent() -> None:
    """For ``preexec_fn``: a process that a bench started does not outlive it, however the bench ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def memory_mb(pid: int, file: str = "status", name: str = "VmRSS:") -> float:
    """Resident memory now, in millions of bytes; or another count of the same kind."""
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / _MEGABYTE
    raise RuntimeError("this system does not tell a process's memory")


def cpu_s(pid: int) -> float:
    """Processor seconds so far of a process and of those that it started and that still run."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(") ")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(entry.name)] = int(fields[1])
        used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    family = {pid}
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(one, 0.0) for one in family)


def _busy_s() -> float:
    """Seconds in which a core of this machine did something."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / _TICKS_PER_S


class CpuShares:
    """The share of one core that each of some processes took since this was made, and the whole machine with it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._before = {name: cpu_s(pid) for name, pid in pids.items()}
        self._busy_s, self._began_s = _busy_s(), time.monotonic()

    def used_s(self) -> dict[str, float]:
        """Processor seconds by name; ``machine`` is all that ran here, what is not ours too."""
        used = {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}
        return {**used, "machine": _busy_s() - self._busy_s}

    def shares(self) -> dict[str, float]:
        """Cores by name: 0.5 is half of one core."""
        elapsed_s = time.monotonic() - self._began_s
        return {name: round(used / elapsed_s, 3) for name, used in self.used_s().items()}
