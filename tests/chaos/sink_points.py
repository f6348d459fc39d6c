"""Where a sink dies: while it writes, between writing and committing, and behind that."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from streams import sink
from streams.label_store import store
from tests.chaos.dying import Countdown, after, after_awaiting, around


def _batch_half_put(countdown: Countdown) -> None:
    def wrap(put_batch: Any, client: Any, table: str, items: Any, retrying: Any) -> Any:
        if len(items) > 1 and countdown.is_last():
            put_batch(client, table, items[: len(items) // 2], retrying)
            countdown.strike()
        return put_batch(client, table, items, retrying)

    around(store, "put_batch", wrap)


def _batch_put(countdown: Countdown) -> None:
    after(store, "put_batch", countdown)


def _all_put(countdown: Countdown) -> None:
    after(store.LabelStore, "write_bundles", countdown)


def _committed(countdown: Countdown) -> None:
    after_awaiting(sink, "commit_offsets", countdown)


POINTS: Final[Mapping[str, Callable[[Countdown], None]]] = {
    "batch half put": _batch_half_put,
    "batch put": _batch_put,
    "all put": _all_put,
    "committed": _committed,
}
