"""A program of wellsentry that kills itself with -9 at a named point, or stands still there, at its n-th passage.

Nothing in production code knows of it: the functions around the point are wrapped before the program starts.
"""

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

from streams.settings import load_settings


class Countdown:
    """Sends the process ``number`` at the n-th passage."""

    def __init__(self, passages: int, number: signal.Signals) -> None:
        self._left, self._number = passages, number

    def pass_by(self) -> None:
        """One passage."""
        if self.is_last():
            self.strike()

    def is_last(self) -> bool:
        """One passage; whether it is the last, for a point that still has something to do."""
        self._left -= 1
        return self._left == 0

    def strike(self) -> None:
        """At once, nothing is finished or flushed."""
        os.kill(os.getpid(), self._number)


def script(command: str, point: str, passage: int, number: signal.Signals = signal.SIGKILL) -> str:
    """Python that runs ``wellsentry COMMAND`` until its ``passage``-th time at ``point``, where it is sent a signal."""
    return f"from tests.chaos.dying import main; main({command!r}, {point!r}, {passage}, {int(number)})"


def main(command: str, point: str, passage: int, number: int) -> None:
    """Run the program."""
    countdown = Countdown(passage, signal.Signals(number))
    if command == "worker":
        from streams.worker.app import run_worker
        from tests.chaos.worker_points import POINTS

        POINTS[point](countdown)
        run_worker(load_settings())
    elif command == "trainer":
        from streams.trainer.app import run_trainer
        from tests.chaos.trainer_points import POINTS

        POINTS[point](countdown)
        run_trainer(load_settings())
    else:
        from streams.sink import run_sink
        from tests.chaos.sink_points import POINTS

        POINTS[point](countdown)
        run_sink(load_settings())


def around(owner: Any, name: str, wrap: Callable[..., Any]) -> None:
    """Put ``wrap(original, *args)`` in place of ``owner.name``."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def instead(*args: Any, **kwargs: Any) -> Any:
        return wrap(original, *args, **kwargs)

    setattr(owner, name, instead)


def before(owner: Any, name: str, countdown: Countdown) -> None:
    """Die before ``owner.name`` is called."""

    def wrap(original: Any, *args: Any, **kwargs: Any) -> Any:
        countdown.pass_by()
        return original(*args, **kwargs)

    around(owner, name, wrap)


def after(owner: Any, name: str, countdown: Countdown) -> None:
    """Die after ``owner.name`` returned."""

    def wrap(original: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        countdown.pass_by()
        return made

    around(owner, name, wrap)


def after_awaiting(owner: Any, name: str, countdown: Countdown) -> None:
    """Die after the coroutine ``owner.name`` was awaited."""

    async def wrap(original: Any, *args: Any, **kwargs: Any) -> Any:
        made = await original(*args, **kwargs)
        countdown.pass_by()
        return made

    around(owner, name, wrap)
