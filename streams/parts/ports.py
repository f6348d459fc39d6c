"""Free ports."""

import random
import socket
from collections.abc import Callable, Collection, Sequence

#: Below the range from which Linux and macOS take ports for outgoing connections, so that none of those takes a port
#: between our looking and the part's listening, or while a part is being restarted.
_PORTS = range(15_000, 32_000)

_chance = random.SystemRandom()


def free_port(besides: Collection[int] = (), *, choose: Callable[[Sequence[int]], int] = _chance.choice) -> int:
    """A port of 127.0.0.1 on which nothing listens just now. Raises OSError when there seems to be none.

    ``besides``: ports that are spoken for already, though nothing listens there yet. ``choose`` draws the next candidate.
    """
    for _ in range(100):
        port = choose(_PORTS)
        if port in besides:
            continue
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port of 127.0.0.1 found in {_PORTS.start}-{_PORTS.stop - 1}")


def is_listening(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as attempt:
        attempt.settimeout(1.0)
        return attempt.connect_ex(("127.0.0.1", port)) == 0
