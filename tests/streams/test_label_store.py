"""The label store on both DynamoDBs, and what it does when DynamoDB does not answer as one would like."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from schemas.errors import StoreError
from schemas.labels import Label
from streams.label_store import LabelStore
from streams.label_store.attributes import Item
from streams.label_store.packing import pack
from streams.label_store.rows import LabelRow, to_label
from streams.label_store.writing import Retrying, put_batch
from streams.settings import DynamoSettings, Settings
from tests.streams.making_labels import MINUTE_MS, START_MS, a_label, a_row, minutes_of_rows

HOUR_MS = 3_600_000


@pytest.fixture
def dynamodb(dynamodb_endpoint: str, make_settings: Callable[..., Settings]) -> DynamoSettings:
    """A table of the test's own, not yet created."""
    return make_settings(None, dynamodb_endpoint).dynamodb


@pytest.fixture
def store(dynamodb: DynamoSettings) -> Iterator[LabelStore]:
    with LabelStore(dynamodb, now_s=lambda: START_MS / 1000) as store:
        store.ensure_table()
        yield store


def client_of(dynamodb: DynamoSettings) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=dynamodb.endpoint,
        region_name=dynamodb.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def items_in(dynamodb: DynamoSettings) -> list[Item]:
    client = client_of(dynamodb)
    items = client.scan(TableName=dynamodb.table)["Items"]
    client.close()
    return sorted(items, key=lambda item: (item["machine"]["S"], item["minute"]["S"]))


def labels_of(rows: list[LabelRow]) -> list[Label]:
    return [to_label(row) for row in rows]


# -- the table


def test_the_table_is_made_once_and_expires_its_items(dynamodb: DynamoSettings) -> None:
    with LabelStore(dynamodb) as store:
        assert store.ensure_table()
        assert not store.ensure_table()
    client = client_of(dynamodb)
    table = client.describe_table(TableName=dynamodb.table)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    ttl = client.describe_time_to_live(TableName=dynamodb.table)["TimeToLiveDescription"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("expires_at", "ENABLED")
    client.close()


def test_a_missing_table_is_named(dynamodb: DynamoSettings) -> None:
    with LabelStore(dynamodb) as store:
        with pytest.raises(StoreError, match=f"{dynamodb.table} is not there"):
            store.write([a_label()])
        with pytest.raises(StoreError, match=f"{dynamodb.table} is not there"):
            store.count()


# -- writing and reading


def test_labels_are_read_back_in_the_order_of_their_times(store: LabelStore) -> None:
    rows = minutes_of_rows(machines=3, seconds=300, step_s=20)
    written = store.write(reversed(labels_of(rows)))
    assert (written.labels, written.items) == (45, 3)
    mine = labels_of([row for row in rows if row.machine_id == "well-0001"])
    assert list(store.read("acme", "well-0001", START_MS, START_MS + HOUR_MS)) == mine
    assert list(store.read("other", "well-0001", START_MS, START_MS + HOUR_MS)) == []
    assert store.count() == 45


def test_a_range_holds_its_beginning_and_not_its_end(store: LabelStore) -> None:
    store.write([a_label(n, START_MS + n * 30_000) for n in range(8)])

    def offsets(from_ms: int, to_ms: int) -> list[int]:
        return [label.source_offset for label in store.read("acme", "well-7", from_ms, to_ms)]

    assert offsets(START_MS + 30_000, START_MS + 4 * 30_000) == [1, 2, 3]
    assert offsets(START_MS + 30_001, START_MS + 4 * 30_000 + 1) == [2, 3, 4]
    assert offsets(START_MS, START_MS) == []
    assert offsets(0, 4_000_000_000_000) == list(range(8))


def test_one_stack_can_be_read_alone(store: LabelStore) -> None:
    store.write([a_label(), a_label(stack="flow")])
    assert [label.stack for label in store.read("acme", "well-7", 0, 2 * START_MS)] == ["flow", "load"]
    assert [label.stack for label in store.read("acme", "well-7", 0, 2 * START_MS, "flow")] == ["flow"]


def test_the_newest_label_is_known(store: LabelStore) -> None:
    assert store.newest("acme", "well-7") is None
    store.write([a_label(1), a_label(2, START_MS + MINUTE_MS), a_label(3, START_MS - MINUTE_MS)])
    newest = store.newest("acme", "well-7")
    assert newest is not None
    assert newest.source_offset == 2


def test_the_newest_label_need_not_be_in_the_last_item(store: LabelStore) -> None:
    store.write([a_label(1), a_label(2, START_MS + 10 * MINUTE_MS)])
    store.write([a_label(3, START_MS + 5 * MINUTE_MS)])
    newest = store.newest("acme", "well-7")
    assert newest is not None
    assert newest.source_offset == 2


def test_writing_again_changes_nothing(store: LabelStore, dynamodb: DynamoSettings) -> None:
    rows = minutes_of_rows(machines=2, seconds=120, step_s=20)
    store.write_rows(rows)
    before = items_in(dynamodb)
    store.write_rows(rows[::-1])
    store.write_rows(rows + rows[:5])
    assert items_in(dynamodb) == before


def test_labels_that_were_cut_in_another_place_count_once(store: LabelStore) -> None:
    rows = minutes_of_rows(machines=2, seconds=180, step_s=10)
    for cut in (7, 20, 36):
        store.write_rows(rows[:cut])
        store.write_rows(rows[cut - 5 :])
    assert store.count() == len(rows)
    for machine in ("well-0000", "well-0001"):
        expected = labels_of([row for row in rows if row.machine_id == machine])
        assert list(store.read("acme", machine, 0, 2 * START_MS)) == expected


def test_a_late_label_joins_the_others_of_its_minute(store: LabelStore) -> None:
    store.write([a_label(1), a_label(2, START_MS + 20_000)])
    store.write([a_label(9, START_MS + 10_000)])
    read = store.read("acme", "well-7", START_MS, START_MS + MINUTE_MS)
    assert [label.source_offset for label in read] == [1, 9, 2]


def test_more_than_a_page_is_read(store: LabelStore) -> None:
    blob = {f"signal_{n}": n * 1.1e-9 for n in range(60)}
    rows = [a_row(n, START_MS + n * MINUTE_MS // 10, signals=blob | {"signal_0": n * 1.1e-9}) for n in range(2100)]
    store.write_rows(rows)
    read = store.read("acme", "well-7", 0, 2 * START_MS)
    assert [label.source_offset for label in read] == list(range(2100))
    assert store.count() == 2100


def test_a_write_unit_holds_sixty_labels(dynamodb_local_endpoint: str, make_settings: Callable[..., Settings]) -> None:
    with LabelStore(make_settings(None, dynamodb_local_endpoint).dynamodb) as store:
        store.ensure_table()
        each_second = store.write_rows(minutes_of_rows(machines=10, seconds=120, step_s=1))
        each_ten = store.write_rows(minutes_of_rows(machines=10, seconds=120, step_s=10, seed=2))
    assert each_second.labels / each_second.write_units >= 60
    assert each_ten.labels / each_ten.write_units == 12


# -- when DynamoDB does not answer as one would like


class Client:
    """Stands in for boto3's: answers as it is told, keeps what it was given."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.table: dict[str, Item] = {}

    def batch_write_item(self, RequestItems: dict[str, list[Any]], **_: Any) -> Any:  # noqa: N803
        requests = RequestItems["t"]
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        done = len(requests) - answer
        for request in requests[:done]:
            item = request["PutRequest"]["Item"]
            self.table[item["minute"]["S"]] = item
        left = {"t": requests[done:]} if answer else {}
        return {"UnprocessedItems": left, "ConsumedCapacity": [{"CapacityUnits": float(done)}]}

    def put_item(self, Item: Item, **_: Any) -> None:  # noqa: N803
        if "bad" in Item["minute"]["S"]:
            raise refusal("ValidationException", 400)


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "BatchWriteItem")


def some_items(*stacks: str) -> list[Item]:
    return list(pack([a_row(stack=stack) for stack in stacks], 1, 0.0))


def retrying(attempts: int = 8) -> tuple[Retrying, list[float]]:
    waits: list[float] = []
    return Retrying(attempts, waits.append, lambda: 0.5), waits


def test_items_that_were_not_processed_are_put_again() -> None:
    client = Client(3, 2, 0)
    patience, waits = retrying()
    items = some_items("a", "b", "c", "d")
    put = put_batch(client, "t", items, patience)
    assert sorted(client.table) == sorted(item["minute"]["S"] for item in items)
    assert (put.items, put.write_units, put.retries) == (4, 4.0, 2)
    assert waits == pytest.approx([0.075, 0.15])


@pytest.mark.parametrize(
    "trouble",
    [
        refusal("ProvisionedThroughputExceededException", 400),
        refusal("ThrottlingException", 400),
        refusal("InternalServerError", 500),
        refusal("Whatever", 503),
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_what_may_pass_is_tried_again(trouble: Exception) -> None:
    client = Client(trouble, trouble)
    patience, waits = retrying()
    assert put_batch(client, "t", some_items("a"), patience).retries == 2
    assert len(client.table) == 1
    assert len(waits) == 2


def test_waiting_doubles_up_to_a_limit() -> None:
    patience, waits = retrying(12)
    put_batch(Client(*[refusal("ThrottlingException", 400)] * 11), "t", some_items("a"), patience)
    assert waits[:3] == pytest.approx([0.075, 0.15, 0.3])
    assert waits[-1] == pytest.approx(7.5)


def test_patience_ends_and_says_what_was_not_written() -> None:
    patience, waits = retrying(3)
    with pytest.raises(
        StoreError, match=r"gave up after 3 attempts to put acme/well-7 2026.*offsets are not committed"
    ):
        put_batch(Client(1, 1, 1), "t", some_items("a"), patience)
    assert len(waits) == 2


def test_a_refused_item_is_named_and_not_tried_again() -> None:
    patience, waits = retrying()
    with pytest.raises(StoreError, match="refused acme/well-7 2026-11-24T02:44#bad#7") as raised:
        put_batch(Client(refusal("ValidationException", 400)), "t", some_items("a", "bad", "c"), patience)
    assert "#a#" not in str(raised.value)
    assert waits == []


def test_reading_is_tried_again_too(make_settings: Callable[..., Settings]) -> None:
    waits: list[float] = []
    nobody = make_settings(None, "http://127.0.0.1:9").dynamodb
    with LabelStore(nobody, sleep=waits.append) as store, pytest.raises(StoreError, match="cannot be read"):
        list(store.read("acme", "well-7", 0, 1))
    assert len(waits) == 7
