"""One target, from the incidents topic to its ears: a consumer group and a loop of its own.

    incidents ─▶ wanted? quiet? ─▶ outbox ─▶ a try ─▶ told, or tried again, or given up ─▶ offset

A target that is down so keeps its own place in the topic and nobody else's. What is committed is told, given up or passed
over; whatever ends the program, the rest is read again, and told again under the same id.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from models.notices.making import incident_notice, notice_id, storm_notice
from models.notices.outbox import Event, Outbox, Parcel
from models.notices.storm import StormGuard
from schemas.errors import BrokerError
from schemas.incidents import Incident
from schemas.notice import Notice
from streams.access.broker import for_aiokafka
from streams.access.why import start
from streams.log import ThrottledWarnings, get_logger
from streams.notifier.counts import Counts
from streams.notifier.outcome import Outcome
from streams.notifier.said import Said
from streams.notifier.targets import TargetSettings
from streams.settings import Settings

log = get_logger(__name__)

#: Events in memory of one target; the rest stays on the topic.
_MOST_WAITING: Final = 10_000
_RECORDS_AT_ONCE: Final = 500
#: How long it takes at most to see that it is to end, or that feedback quiets what waits.
_LOOK_EVERY_S: Final = 1.0
#: A try may take minutes to be repeated; nobody shall lose partitions for that. Days.
_NEVER_MS: Final = 2_000_000_000


class Sender(Protocol):
    """What reaches a target."""

    place: str

    async def tell(self, notice_id: str, notice: Notice) -> Outcome:
        """One try, which takes no longer than the target's `timeout_s`."""


class Teller(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells one target. ``jitter`` gives numbers from 0 to 1."""

    def __init__(
        self,
        name: str,
        target: TargetSettings,
        sender: Sender,
        said: Said,
        jitter: Callable[[], float],
        settings: Settings,
    ) -> None:
        self.name, self.counts = name, Counts()
        self._target, self._sender, self._said, self._jitter, self._settings = target, sender, said, jitter, settings
        self._topic = settings.topics.incidents.name
        self._outbox = Outbox(StormGuard(target.storm_at_most, target.storm_window_s, target.storm_gather_s))
        self._try: asyncio.Task[Outcome] | None = None
        self._committed: dict[int, int] = {}
        self._log = log.bind(target=name)
        self._tell = ThrottledWarnings(self._log)

    async def run(self, stopping: asyncio.Event, ready: Callable[[], None]) -> None:
        """Tell until ``stopping``; a try that is under way then is finished.

        Raises :class:`BrokerError` if Kafka cannot be reached or does not let us read.
        """
        consumer = AIOKafkaConsumer(
            **for_aiokafka(self._settings.broker),
            group_id=f"{self._settings.notifier.app_id}-{self.name}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # what is too old is given up, and said
            session_timeout_ms=int(self._settings.broker.session_timeout_s * 1000),
            heartbeat_interval_ms=int(self._settings.broker.heartbeat_interval_s * 1000),
            max_poll_interval_ms=_NEVER_MS,
            fetch_max_wait_ms=200,
        )
        try:
            await start(consumer, self._settings.broker)
            consumer.subscribe([self._topic], listener=self)
            while not stopping.is_set():
                await self._turn(consumer)
                if consumer.assignment():
                    ready()
        except KafkaError as error:
            raise BrokerError(
                f"{self._topic} on {self._settings.broker.url} cannot be read for target {self.name}: {error}"
            ) from error
        finally:
            await consumer.stop()

    async def _turn(self, consumer: Any) -> None:
        """Read what came, tell what is due, commit what is done."""
        found = self._outbox.next(time.monotonic())
        wait_s = 0.0 if isinstance(found, Parcel) else min(max(0.0, found - time.monotonic()), _LOOK_EVERY_S)
        if room := max(0, _MOST_WAITING - self._outbox.waiting):
            fetched = await consumer.getmany(timeout_ms=int(wait_s * 1000), max_records=min(room, _RECORDS_AT_ONCE))
            for tp, records in fetched.items():
                self._take(tp.partition, records)
        else:
            await asyncio.sleep(wait_s)
        found = self._outbox.next(time.monotonic())
        if isinstance(found, Parcel):
            await self._attempt(found)
        self.counts.waiting = self._outbox.waiting
        await self._commit(consumer)

    def _take(self, partition: int, records: list[Any]) -> None:
        too_old: list[Incident] = []
        for record in records:
            incident = self._incident_in(partition, record)
            age_s = time.time() - record.timestamp / 1000
            if incident is None or not self._is_to_be_told(incident):
                self._outbox.pass_over(partition, record.offset)
            elif age_s > self._target.max_age_s:
                too_old.append(incident)
                self._outbox.pass_over(partition, record.offset)
            else:
                give_up_s = time.monotonic() + self._target.max_age_s - age_s
                self._outbox.put(Event(partition, record.offset, incident, give_up_s))
        if too_old:
            self._give_up(too_old, f"already older than max_age_s ({self._target.max_age_s:g} s) when it was read")

    def _incident_in(self, partition: int, record: Any) -> Incident | None:
        try:
            return Incident.model_validate_json(record.value or b"")
        except ValidationError as error:
            self.counts.unreadable += 1
            self._tell(
                "a record holds no incident",
                action="skip",
                topic=self._topic,
                partition=partition,
                offset=record.offset,
                detail=error.errors()[0]["msg"],
            )
            return None

    def _is_to_be_told(self, incident: Incident) -> bool:
        if not self._target.wants(incident):
            self.counts.not_wanted += 1
            return False
        return not self._is_quiet(incident)

    def _is_quiet(self, incident: Incident) -> bool:
        because = self._said.who_quiets(incident) if self._target.heeds_feedback else None
        if because is None:
            return False
        self.counts.quieted += 1
        self._log.info(
            "not told, since it is shelved or acknowledged",
            action="quieted",
            client_id=incident.client_id,
            machine_id=incident.machine_id,
            incident_id=incident.incident_id,
            feedback_id=because.feedback_id,
        )
        return True

    async def _attempt(self, parcel: Parcel) -> None:
        incidents = parcel.incidents
        if len(incidents) == 1 and self._is_quiet(incidents[0]):  # said since it was read
            self._outbox.drop(parcel)
            return
        url = self._settings.notifier.dashboard_url
        notice = incident_notice(incidents[0], url) if len(incidents) == 1 else storm_notice(incidents, url)
        outcome = await self._outcome_of(self._sender.tell(notice_id(incidents), notice))
        if outcome is not None:
            self._settle(parcel, outcome)

    async def _outcome_of(self, telling: Awaitable[Outcome]) -> Outcome | None:
        """None where partitions went in the meantime: whoever has them now tells it, under the same id.

        One target's trouble, whatever it is, must not end the others; and what an exception says may be secret.
        """
        self._try = asyncio.ensure_future(telling)
        try:
            await asyncio.wait({self._try})
            if self._try.cancelled():
                return None
            error = self._try.exception()
            return self._try.result() if error is None else Outcome("try_again", f"failed ({type(error).__name__})")
        finally:
            self._try.cancel()  # where we are cancelled ourselves
            self._try = None

    def _settle(self, parcel: Parcel, outcome: Outcome) -> None:
        now_s, incidents = time.monotonic(), parcel.incidents
        named = {
            "notice_id": notice_id(incidents),
            "client_id": incidents[0].client_id,
            "machine_id": incidents[0].machine_id,
            "incidents": len(incidents),
            "said": outcome.said,
        }
        if outcome.what == "told":
            self._outbox.told(parcel, now_s)
            self.counts.told += 1
            self.counts.storms += len(incidents) > 1
            self.counts.failures_in_a_row = 0
            self._log.info("told", action="told", place=self._sender.place, after_failures=parcel.failures, **named)
            return
        self.counts.failed_tries += 1
        self.counts.failures_in_a_row += 1
        if outcome.what == "refused":
            self._outbox.drop(parcel)
            self._give_up(incidents, f"{self._sender.place} {outcome.said}: it will not take it")
        elif now_s >= parcel.give_up_s:
            self._outbox.drop(parcel)
            self._give_up(
                incidents, f"{self._sender.place} {outcome.said}, {parcel.failures + 1} times, up to max_age_s"
            )
        else:
            self._outbox.failed(parcel, now_s, self._jitter(), outcome.asked_s)
            again_s = round(parcel.not_before_s - now_s, 1)
            self._tell("not told yet", action="told_not_yet", place=self._sender.place, again_in_s=again_s, **named)

    def _give_up(self, incidents: list[Incident], why: str) -> None:
        self.counts.given_up += len(incidents)
        self._log.error(
            "given up: this target is never told of these",
            action="given_up",
            why=why,
            count=len(incidents),
            incidents=[
                f"{one.client_id}/{one.machine_id} {one.incident_id} {one.state} surprise {one.peak_surprise:g}"
                for one in incidents
            ],
        )

    async def _commit(self, consumer: Any) -> None:
        moved = {number: at for number, at in self._outbox.committable().items() if self._committed.get(number) != at}
        if not moved:
            return
        try:
            await consumer.commit({TopicPartition(self._topic, number): at for number, at in moved.items()})
        except KafkaError as error:  # tried again in the next turn; after a crash what is not committed is told again
            self._tell("offsets cannot be committed yet", action="commit_failed", error=type(error).__name__)
        else:
            self._committed.update(moved)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:  # noqa: ARG002 - aiokafka's signature
        """Forget all: who has the partitions next begins where was committed, so nothing may be under way any more."""
        self._outbox.forget()
        self._committed.clear()
        if self._try is not None:
            self._try.cancel()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Partitions came."""
        self._log.info("partitions assigned", action="assigned", partitions=sorted(tp.partition for tp in assigned))
