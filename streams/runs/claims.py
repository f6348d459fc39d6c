"""Who may write into a partition: whoever claimed it last, and the broker holds to that.

A program that stood still for longer than its session lasts (a stopped process, a paused virtual machine) does not know that
another has taken its partitions over, and goes on writing what it had begun. To ask before each write does not help: it may
stand still right behind the answer. So each partition has a transactional id, and its newest owner asks the broker for that
id's next epoch. One empty transaction carries the epoch into every topic that the owner writes; from then on the partition's
leader refuses whatever is sent with an older one.

Records are sent outside of transactions, in batches that bear the claim's producer id and epoch instead of the producer's:
a claim costs some requests at a rebalance and nothing for a record, and readers need not know of it. The markers of the
empty transaction take an offset each.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.errors import BrokerError
from streams.access.broker import for_aiokafka
from streams.settings import BrokerSettings

#: Between two tries over a network that breaks.
_TRY_AGAIN_S: Final = 0.2
#: So many partitions are claimed at once; each takes a connection or two.
_AT_ONCE: Final = 16
_SEQUENCES: Final = 2**31  # Kafka counts a producer's records in a partition from 0 up to this, and on from 0


class Claim:
    """The right to write into one partition, for as long as nobody else has claimed it."""

    def __init__(self, producer_id: int, epoch: int) -> None:
        self.producer_id, self.epoch = producer_id, epoch
        self.lost = False  # the broker says that another has claimed it
        self.ended = False  # the partition was given up, or claimed anew
        self._sent: dict[str, int] = defaultdict(int)  # by topic

    @property
    def holds(self) -> bool:
        """Whether anything may be written by it, as far as one knows here. The broker knows better."""
        return not (self.lost or self.ended)

    def batch(self, producer: AIOKafkaProducer, topic: str) -> "BatchBuilder":
        """An empty batch for ``topic``, as ``producer`` would make it but for whose it is."""
        made = producer._message_accumulator
        return _ClaimedBatch(self, topic, made._batch_size, made._compression_type)

    def take_sequence(self, topic: str, records: int) -> int:
        """The number of the first of so many records.

        >>> claim = Claim(producer_id=7, epoch=3)
        >>> claim.take_sequence("labels", 10), claim.take_sequence("labels", 5), claim.take_sequence("status", 1)
        (0, 10, 0)
        """
        first = self._sent[topic]
        self._sent[topic] = (first + records) % _SEQUENCES
        return first


class _ClaimedBatch(BatchBuilder):  # type: ignore[misc]
    """A batch that bears a claim's producer id and epoch. aiokafka tells it its own when the batch's turn has come."""

    def __init__(self, claim: Claim, topic: str, batch_size: int, compression_type: int) -> None:
        super().__init__(batch_size, compression_type, is_transactional=0)
        self._claim, self._topic = claim, topic

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:  # noqa: ARG002
        first = self._claim.take_sequence(self._topic, self.record_count())
        super()._set_producer_state(self._claim.producer_id, self._claim.epoch, first)


class Claims:
    """Takes and renews the claims of one program, which it keeps in ``held``: by partition, the same in all ``topics``."""

    def __init__(
        self, broker: BrokerSettings, name: str, topics: Collection[str], held: dict[int, Claim], renewed_in: str
    ) -> None:
        self._broker, self._name, self._topics, self._held = broker, name, topics, held
        self._renewed_in = renewed_in  # the topic that takes a marker each time the claims are renewed
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def take(self, begun: Mapping[int, bool]) -> None:
        """Claim these partitions and end all claims before. ``begun``: whether anybody may have owned it before.

        Raises :class:`BrokerError` where that cannot be done.
        """
        for claim in self._held.values():
            claim.ended = True  # but kept: what is late must not be sent without a claim
        claims = await asyncio.gather(*(self._claim(number, before) for number, before in begun.items()))
        self._held.update(zip(begun, claims, strict=True))

    async def renew(self) -> None:
        """Remind the broker of all claims: it forgets an id that no transaction was made with for a week."""
        for number, claim in [(number, claim) for number, claim in self._held.items() if claim.holds]:
            try:
                await self._transaction(number, claim, (self._renewed_in,))
            except ProducerFenced:
                claim.lost = True

    async def _claim(self, number: int, begun: bool) -> Claim:
        async with self._few:
            if begun:
                await self._told(number, self._topics)
            # Only once the markers are in all topics the broker gives the next epoch.
            return await self._told(number, ())

    async def _transaction(self, number: int, claim: Claim | None, topics: Collection[str]) -> Claim:
        """An empty transaction over ``topics``, with the partition's next epoch or that of ``claim``."""
        producer = AIOKafkaProducer(**for_aiokafka(self._broker), transactional_id=self.transactional_id(number))
        manager: Any = producer._txn_manager
        if claim is not None:
            manager.set_pid_and_epoch(claim.producer_id, claim.epoch)
        try:
            await producer.start()
            if topics:
                await producer.begin_transaction()
                for topic in topics:
                    manager.maybe_add_partition_to_txn(TopicPartition(topic, number))
                await producer.commit_transaction()
            return Claim(manager.producer_id, manager.producer_epoch)
        finally:
            await producer.stop()

    def transactional_id(self, number: int) -> str:
        """The name under which the broker knows who owns a partition."""
        return f"{self._name}-{number}"

    async def _told(self, number: int, topics: Collection[str]) -> Claim:
        try:
            return await asyncio.wait_for(self._tried(number, topics), self._broker.session_timeout_s)
        except (KafkaError, OSError) as error:
            raise BrokerError(
                f"partition {number} cannot be claimed on {self._broker.url}: {type(error).__name__}: {error}. A worker "
                f"needs Write on transactional ids that begin with {self._name}-: docs/security.md lists its rights."
            ) from error

    async def _tried(self, number: int, topics: Collection[str]) -> Claim:
        """A transaction, begun again where the network broke it: the next one ends what is left of it."""
        while True:
            try:
                return await self._transaction(number, None, topics)
            except KafkaError as error:
                # aiokafka hides a broken connection behind an error that it calls final.
                if not (error.retriable or getattr(error.__cause__, "retriable", False)):
                    raise
            await asyncio.sleep(_TRY_AGAIN_S)
