"""Runs one command and ends it as soon as standard input closes.

The process that starts a part holds the other end of that pipe. However it goes, by its own will, by an exception or by
``kill -9``, the pipe closes and the part ends with it. Run by its path, with the standard library alone.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

#: How long the command may take to end by itself before it is killed.
STOP_WITHIN_S = 20.0


def main(command: list[str]) -> int:
    """Run ``command`` until it ends or standard input closes; returns its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: child.terminate())
    threading.Thread(target=_end_with_stdin, args=(child,), daemon=True).start()
    return child.wait()


def _end_with_stdin(child: "subprocess.Popen[bytes]") -> None:
    # os.read and not sys.stdin: a thread that sits in a buffered reader keeps the interpreter from ending.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    child.terminate()
    try:
        child.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
