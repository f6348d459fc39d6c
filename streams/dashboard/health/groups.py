"""Who is at work, and how far behind: asked of the broker, in a thread, for its answers may take seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.access.broker import for_kafka_python
from streams.settings import Settings

_TIMEOUT_MS: Final = 8_000


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a group."""

    client: str
    host: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group on its topic."""

    program: str
    group: str
    topic: str
    lag: int  # records that it has not committed yet
    ends: Mapping[int, int] = field(default_factory=dict)  # offsets by partition
    members: tuple[Member, ...] | None = None  # None: this broker does not tell

    @property
    def total(self) -> int:
        """All records that were ever written to its topic."""
        return sum(self.ends.values())


class Groups:
    """Keeps a connection for all that is asked, each call of which blocks. Raises kafka's errors where no broker answers."""

    def __init__(self, settings: Settings) -> None:
        topics, access = settings.topics, for_kafka_python(settings.broker)
        self._partitions = settings.broker.partitions
        self._asked = (
            ("worker", settings.worker.app_id, topics.readings.name),
            ("trainer", settings.trainer.app_id, topics.training.name),
            ("sink", settings.sink.app_id, topics.labels.name),
        )
        self._admin = KafkaAdminClient(**access, request_timeout_ms=_TIMEOUT_MS, bootstrap_timeout_ms=_TIMEOUT_MS)
        try:
            self._consumer = KafkaConsumer(**access, enable_auto_commit=False)
        except BaseException:
            self._admin.close()
            raise

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
        self._admin.close()

    def now(self) -> list[Group]:
        """All of them, as they are now."""
        return [self._group(*one) for one in self._asked]

    def _group(self, program: str, group: str, topic: str) -> Group:
        tps = [TopicPartition(topic, number) for number in range(self._partitions)]
        ends = self._consumer.end_offsets(tps)
        firsts = self._consumer.beginning_offsets(tps)
        committed = self._committed(group)
        lag = sum(max(0, ends[tp] - max(committed.get(tp, 0), firsts[tp])) for tp in tps)
        return Group(program, group, topic, lag, {tp.partition: ends[tp] for tp in tps}, self._members(group))

    def _committed(self, group: str) -> dict[TopicPartition, int]:
        try:
            found = self._admin.list_group_offsets([group])[group]
        except KafkaError:
            return {}  # no such group yet, or the broker has only just started
        return {tp: one.offset for tp, one in found.items()}

    def _members(self, group: str) -> tuple[Member, ...] | None:
        try:
            members = self._admin.describe_groups([group])[group]["members"]
        except (KafkaError, ValueError, NotImplementedError):
            return None
        return tuple(
            Member(str(one["client_id"]), str(one["client_host"]).lstrip("/"), _assigned(one)) for one in members
        )


def _assigned(member: Mapping[str, Any]) -> int:
    """How many partitions of its most wanted topic a member has."""
    assignment = member.get("member_assignment")
    if not isinstance(assignment, Mapping):
        return 0
    return max((len(one["partitions"]) for one in assignment.get("assigned_partitions", ())), default=0)
