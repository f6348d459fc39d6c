"""Where a trainer dies: a model is fitted, stored file by file, published, and its request committed."""

from collections.abc import Callable, Mapping
from typing import Final

from streams.registry.files import Files
from streams.registry.registry import Registry
from streams.trainer import app
from tests.chaos.dying import Countdown, after, after_awaiting, before


def _fitted(countdown: Countdown) -> None:
    after(app, "handle_request", countdown)


def _half_stored(countdown: Countdown) -> None:
    after(Files, "write", countdown)


def _stored(countdown: Countdown) -> None:
    after(Registry, "store", countdown)


def _published(countdown: Countdown) -> None:
    after_awaiting(app, "publish", countdown)


def _about_to_commit(countdown: Countdown) -> None:
    before(app, "commit", countdown)


def _committed(countdown: Countdown) -> None:
    after_awaiting(app, "commit", countdown)


POINTS: Final[Mapping[str, Callable[[Countdown], None]]] = {
    "fitted": _fitted,
    "half stored": _half_stored,
    "stored": _stored,
    "published": _published,
    "about to commit": _about_to_commit,
    "committed": _committed,
}
