"""What is wrong with an installation, and what to do. Each check answers by itself and none hangs."""

import email.utils
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Literal

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from schemas.errors import WellsentryError
from streams.access.aws import dynamodb_client, registry_files
from streams.access.broker import addresses
from streams.settings import Settings
from streams.topics_admin import check_topics

Health = Literal["ok", "warn", "fail"]

_TIMEOUT_S = 10
#: Clocks further apart than this make latencies and freshness meaningless.
_SKEW_S = 2.0
_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")
#: Inner names of these are overridden (streams/runs/transport.py); other versions were not tested.
_TESTED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    health: Health
    what: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def examine(settings: Settings) -> Iterator[Finding]:
    """Run all checks, one after the other."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _topics,
        _dynamodb,
        _registry,
        _in_the_clear,
        _versions,
    )
    for check in checks:
        try:
            yield from check(settings)
        except Exception as error:
            yield Finding(check.__name__.strip("_"), "fail", f"{type(error).__name__}: {error}", "see the message")


def _topics(settings: Settings) -> Iterator[Finding]:
    url = settings.broker.url
    try:
        differences = check_topics(settings)
    except WellsentryError as error:
        yield Finding("broker", "fail", str(error), "start Kafka, or name it with --broker")
        return
    yield Finding("broker", "ok", f"Kafka answers at {url}")
    for one in differences:
        health: Health = "fail" if one.forbids_start else "warn"
        yield Finding("topics", health, f"{one.topic}: {one.what} is {one.found}, declared {one.declared}", one.remedy)
    if not differences:
        yield Finding("topics", "ok", f"all {len(list(settings.topics))} are as declared")


def _dynamodb(settings: Settings) -> Iterator[Finding]:
    chosen = settings.dynamodb
    where = chosen.endpoint or f"AWS in {chosen.region}"
    quick = Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"max_attempts": 1})
    client = dynamodb_client(chosen, quick)
    try:
        answer = client.describe_table(TableName=chosen.table)
    except client.exceptions.ResourceNotFoundException as error:
        yield Finding("dynamodb", "warn", f"no table {chosen.table} at {where}", "the sink makes it when it starts")
        yield from _clock(error.response)
        return
    except (BotoCoreError, ClientError) as error:
        yield Finding("dynamodb", "fail", f"{where}: {error}", "check dynamodb.endpoint, region and credentials")
        return
    yield Finding("dynamodb", "ok", f"table {chosen.table} is {answer['Table']['TableStatus'].lower()} at {where}")
    ttl = client.describe_time_to_live(TableName=chosen.table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if ttl not in ("ENABLED", "ENABLING"):
        yield Finding("dynamodb", "warn", f"labels in {chosen.table} never expire", "switch TTL on for `expires_at`")
    yield from _clock(answer)


def _clock(answer: Any) -> Iterator[Finding]:
    """This machine's clock against the Date of a server's answer (whole seconds)."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if date is None:
        return
    skew_s = time.time() - email.utils.parsedate_to_datetime(date).timestamp()
    if abs(skew_s) > _SKEW_S + 1.0:
        yield Finding("clock", "warn", f"{skew_s:+.0f} s against DynamoDB's", "let NTP set this machine's clock")
    else:
        yield Finding("clock", "ok", "agrees with DynamoDB's")


def _registry(settings: Settings) -> Iterator[Finding]:
    url = settings.registry.url
    try:
        system, root = registry_files(settings.registry)
        path = f"{root}/.doctor-{uuid.uuid4().hex}"
        if not url.startswith("s3://"):
            system.makedirs(root, exist_ok=True)
        system.pipe_file(path, b"wellsentry")
        system.rm_file(path)
    except Exception as error:
        yield Finding("registry", "fail", f"{url} cannot be written: {error}", "check registry.url and its rights")
        return
    yield Finding("registry", "ok", f"{url} can be written")


def _in_the_clear(settings: Settings) -> Iterator[Finding]:
    """What travels unencrypted to another machine."""
    broker = settings.broker
    clear = [] if broker.is_encrypted else [("broker.url", address) for address in addresses(broker)]
    for name, url in (
        ("dynamodb.endpoint", settings.dynamodb.endpoint),
        ("registry.s3_endpoint", settings.registry.s3_endpoint),
    ):
        if url is not None and url.startswith("http://"):
            clear.append((name, url.removeprefix("http://")))
    for name, address in clear:
        if address.partition("/")[0].rpartition(":")[0] not in _THIS_MACHINE:
            remedy = "broker.security_protocol ssl or sasl_ssl" if name == "broker.url" else "an https:// address"
            yield Finding("encryption", "warn", f"{name}: anybody on the way to {address} can read along", remedy)


def _versions(_: Settings) -> Iterator[Finding]:
    for name, tested in _TESTED.items():
        found = metadata.version(name)
        if found != tested:
            yield Finding("versions", "warn", f"{name} {found}, tested with {tested}", "install from requirements.lock")
    if all(metadata.version(name) == tested for name, tested in _TESTED.items()):
        yield Finding("versions", "ok", ", ".join(f"{name} {version}" for name, version in _TESTED.items()))
