"""Reading items back: the hours of one machine, or the whole table."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from schemas.errors import StoreError
from streams.label_store.attributes import Item
from streams.label_store.packing import (
    HOUR_CHARACTERS,
    ID_ATTRIBUTES,
    PARTITION_KEY,
    SORT_KEY,
    hour_key,
    label_ids,
    machine_key,
    minute_key,
    unpack,
)
from streams.label_store.rows import LabelRow, in_order
from streams.label_store.tracks import TRACK_ATTRIBUTES, Track, track_of
from streams.label_store.writing import Retrying, may_succeed_later


class Reader:
    """Consistent reads of one table, page by page; a page that fails is asked for again."""

    def __init__(self, client: Any, table: str, retrying: Retrying) -> None:
        self._client, self._table, self._retrying = client, table, retrying

    def rows(self, client_id: str, machine_id: str, from_ms: int, to_ms: int, stack: str | None) -> Iterator[LabelRow]:
        """Labels with ``from_ms <= event time < to_ms`` by event time, source offset, revision."""
        if from_ms >= to_ms:
            return
        items = self._between(machine_key(client_id, machine_id), hour_key(from_ms), minute_key(to_ms - 1))
        for _, same_hour in groupby(items, key=_hour_of):
            wanted = (item for item in same_hour if stack is None or item["stack"]["S"] == stack)
            for row in in_order(row for item in wanted for row in unpack(item)):
                if from_ms <= row.time_ms < to_ms:
                    yield row

    def ids(self, client_id: str, machine_id: str, from_ms: int, to_ms: int) -> Iterator[str]:
        """Ids of all labels of a machine with ``from_ms <= event time < to_ms``, and of some beside them."""
        if from_ms >= to_ms:
            return
        for item in self._between(machine_key(client_id, machine_id), hour_key(from_ms), minute_key(to_ms - 1)):
            yield from label_ids(item)

    def tracks(self, client_id: str, machine_id: str, from_ms: int, to_ms: int, stack: str) -> Iterator[Track]:
        """An item's labels at a time, of those with ``from_ms <= event time < to_ms`` and of some beside them."""
        if from_ms >= to_ms:
            return
        machine = machine_key(client_id, machine_id)
        for item in self._between(machine, hour_key(from_ms), minute_key(to_ms - 1), TRACK_ATTRIBUTES):
            if item["stack"]["S"] == stack:
                yield track_of(item)

    def newest(self, client_id: str, machine_id: str) -> LabelRow | None:
        """The newest label of a machine, if it has any."""
        machine = machine_key(client_id, machine_id)
        page = self._ask(
            self._client.query,
            KeyConditionExpression="#m = :machine",
            ExpressionAttributeNames={"#m": PARTITION_KEY},
            ExpressionAttributeValues={":machine": {"S": machine}},
            ScanIndexForward=False,
            Limit=1,
        )
        if not page["Items"]:
            return None
        hour = _hour_of(page["Items"][0])  # items of an hour overlap, so the last one need not hold the newest label
        return in_order(row for item in self._between(machine, hour, hour + ":59") for row in unpack(item))[-1]

    def _between(self, machine: str, first: str, last: str, attributes: Sequence[str] = ()) -> Iterator[Item]:
        """Items whose sort keys begin with ``first``, ``last`` or anything between; whole, or ``attributes`` of them."""
        names = {f"#a{at}": name for at, name in enumerate(attributes)}
        return self._pages(
            self._client.query,
            KeyConditionExpression="#m = :machine AND #t BETWEEN :first AND :last",
            ExpressionAttributeNames={"#m": PARTITION_KEY, "#t": SORT_KEY} | names,
            **({"ProjectionExpression": ",".join(names)} if names else {}),
            ExpressionAttributeValues={
                ":machine": {"S": machine},
                ":first": {"S": first},
                ":last": {"S": last + "$"},  # "$" comes after "#"
            },
        )

    def scan(self) -> Iterator[Item]:
        """All items of the table."""
        return self._pages(self._client.scan)

    def scan_ids(self, segment: int, segments: int) -> Iterator[Item]:
        """What tells the label ids of all items of one of ``segments`` parts of the table."""
        names = {f"#{at}": name for at, name in enumerate(ID_ATTRIBUTES)}
        return self._pages(
            self._client.scan,
            Segment=segment,
            TotalSegments=segments,
            ProjectionExpression=",".join(names),
            ExpressionAttributeNames=names,
        )

    def _pages(self, call: Any, **arguments: Any) -> Iterator[Item]:
        while True:
            page = self._ask(call, **arguments)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _ask(self, call: Any, **arguments: Any) -> Any:
        failures = 0
        while True:
            try:
                return call(TableName=self._table, ConsistentRead=True, **arguments)
            except (ClientError, BotoCoreError) as error:
                failures += 1
                if not may_succeed_later(error) or failures >= self._retrying.attempts:
                    raise StoreError(_why(self._table, error)) from error
                self._retrying.wait(failures)


def _hour_of(item: Item) -> str:
    return str(item[SORT_KEY]["S"][:HOUR_CHARACTERS])


def _why(table: str, error: Exception) -> str:
    if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ResourceNotFoundException":
        return f"table {table} is not there; `wellsentry sink` creates it when it starts"
    return f"table {table} cannot be read: {error}. Check dynamodb.endpoint; `wellsentry doctor` tells more."
