"""Putting items, 25 in a request, until all of them are in the table.

DynamoDB may answer "200 OK" and name items it did not put; it may be too busy, fail, or not answer. All of that is
tried again, waiting twice as long each time, with a random share so that many sinks do not come back at once. An item
it refuses for what it holds is never tried again: it would be refused for ever.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from schemas.errors import StoreError
from streams.label_store.attributes import Item
from streams.label_store.packing import PARTITION_KEY, SORT_KEY

BATCH_ITEMS: Final = 25
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 10.0

#: Answers after which the same request may succeed.
_BUSY: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "Throttling",
        "LimitExceededException",
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "TransactionInProgressException",
    }
)


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often to try, and the outside that waiting needs."""

    attempts: int
    sleep: Callable[[float], None]
    random: Callable[[], float]  # from 0 up to 1

    def wait(self, failures: int) -> None:
        """Wait after the ``failures``-th failure (1, 2, ...)."""
        longest: float = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (failures - 1))
        self.sleep(longest * (0.5 + 0.5 * self.random()))


@dataclass(frozen=True, slots=True)
class Put:
    """What a batch cost."""

    items: int
    write_units: float
    retries: int


def add_up(puts: Iterable[Put]) -> Put:
    """What several cost together."""
    items, write_units, retries = 0, 0.0, 0
    for put in puts:
        items, write_units, retries = items + put.items, write_units + put.write_units, retries + put.retries
    return Put(items, write_units, retries)


def put_batch(client: Any, table: str, items: Sequence[Item], retrying: Retrying) -> Put:
    """Put up to 25 items with different keys.

    Raises :class:`StoreError` once ``retrying`` gives up, and at once where an item is refused.
    """
    waiting: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
    units, failures = 0.0, 0
    while True:
        try:
            answer = client.batch_write_item(RequestItems={table: waiting}, ReturnConsumedCapacity="TOTAL")
        except (ClientError, BotoCoreError) as error:
            if not may_succeed_later(error):
                raise _refused(client, table, waiting, error) from error
            why = str(error)
        else:
            units += sum(used["CapacityUnits"] for used in answer.get("ConsumedCapacity", ()))
            waiting = answer.get("UnprocessedItems", {}).get(table, [])
            if not waiting:
                return Put(len(items), units, failures)
            why = f"{len(waiting)} of {len(items)} items were not processed"
        failures += 1
        if failures >= retrying.attempts:
            raise StoreError(
                f"table {table}: gave up after {failures} attempts to put {_names(waiting)}; the last one: {why}. "
                "Nothing is lost: the offsets are not committed. Check DynamoDB, then start the sink again."
            )
        retrying.wait(failures)


def may_succeed_later(error: ClientError | BotoCoreError) -> bool:
    """Whether the same request may succeed when it is made again."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in _BUSY or status >= 500
    return _is_about_the_network(error)


def _is_about_the_network(error: BotoCoreError) -> bool:
    return any(kind.__name__ in ("HTTPClientError", "ConnectionError") for kind in type(error).__mro__)


def _refused(client: Any, table: str, waiting: Sequence[Any], error: Exception) -> StoreError:
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            return StoreError(f"table {table} is not there; `wellsentry sink` creates it when it starts")
        if code == "ValidationException" and len(waiting) > 1:
            return _refused_alone(client, table, waiting, error)
    return StoreError(f"table {table} refused {_names(waiting)}: {error}")


def _refused_alone(client: Any, table: str, waiting: Sequence[Any], error: Exception) -> StoreError:
    """DynamoDB does not say which item of a batch it dislikes: put each by itself to learn it."""
    for request in waiting:
        try:
            client.put_item(TableName=table, Item=request["PutRequest"]["Item"])
        except ClientError as alone:
            if alone.response["Error"]["Code"] == "ValidationException":
                return StoreError(f"table {table} refused {_names([request])}: {alone}")
        except BotoCoreError:
            break
    return StoreError(f"table {table} refused {_names(waiting)}: {error}")


def _names(waiting: Sequence[Any]) -> str:
    keys = [request["PutRequest"]["Item"] for request in waiting]
    named = [f"{key[PARTITION_KEY]['S']} {key[SORT_KEY]['S']}" for key in keys[:3]]
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(named) + more
