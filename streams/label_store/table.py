"""The table: its connection and its declaration."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from schemas.errors import StoreError
from streams.access.aws import dynamodb_client
from streams.label_store.packing import EXPIRES, PARTITION_KEY, SORT_KEY
from streams.settings import DynamoSettings

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 10  # and so long a DynamoDB that is silent keeps a sink from ending


def connect(settings: DynamoSettings, connections: int) -> Any:
    """A boto3 client, to be used by up to ``connections`` threads. It never retries by itself: we do, and say so."""
    return dynamodb_client(
        settings,
        Config(
            retries={"total_max_attempts": 1},
            max_pool_connections=connections,
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            parameter_validation=False,  # half of a request's time, to find what types and tests have found
        ),
    )


def ensure_table(client: Any, table: str) -> bool:
    """Create ``table`` (paid by request, with TTL) if it is missing, and wait until it can be used.

    Returns whether it was created here. Two processes may do this at the same time.
    """
    try:
        created = _create(client, table)
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        _enable_ttl(client, table)
    except (ClientError, BotoCoreError) as error:
        raise StoreError(
            f"table {table} cannot be created or looked at: {error}. Check dynamodb.endpoint, dynamodb.region and the "
            "credentials; `wellsentry doctor` tells more."
        ) from error
    return created


def _create(client: Any, table: str) -> bool:
    try:
        client.describe_table(TableName=table)
        return False
    except client.exceptions.ResourceNotFoundException:
        pass
    try:
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (PARTITION_KEY, SORT_KEY)],
            KeySchema=[
                {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
            ],
        )
        return True
    except client.exceptions.ResourceInUseException:
        return False  # somebody else was quicker


def _enable_ttl(client: Any, table: str) -> None:
    status = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("TimeToLiveStatus")
    if status in ("ENABLED", "ENABLING"):
        return
    try:
        client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES})
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":  # it is being enabled by somebody else
            raise
