"""Labels that their topic no longer has, out of DynamoDB."""

from collections.abc import Iterable, Mapping

from schemas.labels import Label
from streams.label_store import LabelStore
from streams.label_store.rows import LabelRow, to_label
from streams.reading_ranges import Range
from streams.replay.plan import Asked
from streams.settings import Settings


def stored_labels(settings: Settings, readings: Mapping[int, Range], asked: Asked) -> dict[int, list[Label]]:
    """Labels of ``readings`` of the machines asked for, by partition, in the order of their readings.

    Of machines of a client named with it, theirs alone are read, else all of the table. Raises :class:`StoreError`.
    """
    topic, found = settings.topics.readings.name, {number: dict[str, LabelRow]() for number in readings}
    with LabelStore(settings.dynamodb, settings.sink) as store:
        for row in _rows(store, asked):
            its = readings.get(row.source_partition)
            if row.source_topic != topic or its is None or not its.first_offset <= row.source_offset < its.end_offset:
                continue
            if asked.client in (None, row.client_id) and (asked.machines is None or row.machine_id in asked.machines):
                found[row.source_partition][row.label_id] = row
    return {number: [to_label(row) for row in sorted(rows.values(), key=_order)] for number, rows in found.items()}


def _rows(store: LabelStore, asked: Asked) -> Iterable[LabelRow]:
    if asked.machines is None or asked.client is None:
        return store.rows()
    return (row for machine in asked.machines for row in store.rows_of(asked.client, machine))


def _order(row: LabelRow) -> tuple[int, int, str]:
    return row.source_offset, row.revision, row.stack
