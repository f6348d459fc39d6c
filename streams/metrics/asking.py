"""Asking an event loop from another thread: what it answers is of one moment, and that it answers shows that it turns."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class LoopStandsStill(Exception):
    """The event loop did not answer in time, or is closed."""


def ask(loop: asyncio.AbstractEventLoop, question: Callable[[], T], within_s: float) -> T:
    """What ``question`` gives when ``loop`` calls it; what it raises is raised here.

    Raises :class:`LoopStandsStill` where that takes longer than ``within_s``. Not to be called in the loop itself.
    """
    answer: Future[T] = Future()

    def call() -> None:
        if not answer.set_running_or_notify_cancel():
            return  # nobody waits any more
        try:
            answer.set_result(question())
        except Exception as error:
            answer.set_exception(error)

    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError as closed:
        raise LoopStandsStill("the event loop is closed") from closed
    try:
        return answer.result(within_s)
    except TimeoutError:
        if answer.cancel():
            raise LoopStandsStill(f"the event loop has not turned for {within_s} s") from None
        raise  # the question itself ran out of time
