"""Runs one part's command and ends it as soon as standard input closes.

The process that starts a part holds the other end of that pipe. However it goes, by its own will, by an exception or by
``kill -9``, the pipe closes and the part ends with it. A starter that ends it on purpose writes :data:`KEEP` first;
one that just went leaves nobody who would need the part's directory, so that is deleted.

Run by its path, with the standard library alone: ``python guard.py DIRECTORY COMMAND ...``.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading

#: Written before the pipe is closed: the directory is still wanted.
KEEP = b"k"
#: How long the command may take to end by itself before it is killed.
STOP_WITHIN_S = 20.0


def main(directory: str, command: list[str]) -> int:
    """Run ``command`` until it ends or standard input closes; returns its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: child.terminate())
    abandoned = threading.Event()
    threading.Thread(target=_end_with_stdin, args=(child, abandoned), daemon=True).start()
    status = child.wait()
    if abandoned.is_set():
        shutil.rmtree(directory, ignore_errors=True)
    return status


def _end_with_stdin(child: "subprocess.Popen[bytes]", abandoned: threading.Event) -> None:
    said = b""
    # os.read and not sys.stdin: a thread that sits in a buffered reader keeps the interpreter from ending.
    while part := os.read(0, 1024):
        said += part
    if KEEP not in said:
        abandoned.set()
    child.terminate()
    try:
        child.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
