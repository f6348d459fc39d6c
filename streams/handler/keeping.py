"""Labels into the table that the sink writes, each once: what is there of a reading stays as it was first said.

Each call looks back over readings that earlier calls have judged. A later look back begins later, so it may think otherwise
of the same reading; but what was shown is not taken back. A call that was cut off is made good by the next one.
"""

from collections.abc import Callable, Sequence

from schemas.twins import write_twin
from streams.handler.judging import LabelTwin
from streams.handler.sources import Query
from streams.label_store.rows import decode_label
from streams.label_store.store import LabelStore
from streams.log import get_logger, timed

log = get_logger(__name__)

#: Keeps labels of a query; how many were new.
Keep = Callable[[Query, Sequence[LabelTwin]], int]


def keep_in(store: LabelStore) -> Keep:
    """Labels into ``store``. What it gives raises :class:`schemas.errors.StoreError` when DynamoDB refuses."""

    def keep(query: Query, labels: Sequence[LabelTwin]) -> int:
        there = store.ids_of(query.client_id, query.machine_id, query.from_ms, query.to_ms + 1)
        new = [decode_label(write_twin(label)) for label in labels if label.label_id not in there]
        if not new:
            return 0
        with timed(log, f"{len(new)} labels to {store.table}", action="labels_stored", machine_id=query.machine_id):
            return store.write_rows(new).labels

    return keep
