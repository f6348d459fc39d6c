"""A Faust application whose agents receive runs."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import faust
from faust.types import TP, AppT, EventT, Message
from mode import CrashingSupervisor
from yarl import URL

from schemas.errors import BrokerError
from streams.access.broker import addresses, for_faust
from streams.log import get_logger
from streams.runs.claims import Claim
from streams.runs.run import MAX_RUN
from streams.runs.tables import ReadyTables
from streams.runs.transport import HoldBack, RebalanceHook, RunTransport
from streams.settings import Settings

log = get_logger(__name__)

#: Fetches that wait in an agent's queue before its partitions are no longer fetched.
_QUEUED_FETCHES = 2
#: Of one partition; whatever has been fetched and not judged yet takes memory.
_FETCH_BYTES = 1_000_000
_FINISH_WITHIN_S = 20.0
#: Stopping in order waits for the broker, which may be gone.
_STOP_WITHIN_S = 20.0
_GIVE_UP_WITHIN_S = 2.0
#: An answer that does not come in this time is given up, and its connection with it: a network may swallow one in silence.
#: As long as Kafka's own clients wait; Faust's 90 s would be as long a silence.
_REQUEST_TIMEOUT_S = 30.0
#: Partitions that are added to a topic while we run are known at the latest after so long.
_METADATA_MAX_AGE_S = 30.0
_LOOK_EVERY_S = 1.0
#: So many sessions after a claim was lost its partition has been taken from us, or somebody claimed what is not his.
_SESSIONS_WITHOUT_CLAIM = 3


class RunApp(faust.App):  # type: ignore[misc]
    """A Faust app that asks ``revoke_hooks`` to finish before it gives up partitions, ``assign_hooks`` to take over those it
    is given, and ``hold_back`` what to fetch. What it sends to a partition of ``claims`` bears that claim.

    Holding back is not done in an agent: one that waits fills its queue, and a full queue stops every other agent.
    """

    revoke_hooks: list[RebalanceHook]
    assign_hooks: list[RebalanceHook]
    hold_back: HoldBack
    #: Topics whose partitions begin with small runs: of these each record takes long at first, and others wait for the first.
    begin_gently: frozenset[str]
    #: Topics whose records come as they lie in a fetch (:mod:`streams.runs.batches`).
    plainly: frozenset[str]
    #: Topics of which records that were fetched may lie: others are fetched meanwhile.
    unhurried: frozenset[str]
    claims: dict[int, Claim]
    claims_lost: int
    partitions: int  # of each topic
    #: What the application has counted, and what it lacks to be ready (:mod:`streams.metrics`).
    measures: list[Callable[[], Iterable[Any]]]
    lacks: list[Callable[[], Iterable[str]]]
    ends: Mapping[TP, int]  # where partitions of ours end, as far as somebody looked
    committed: dict[TP, int]  # what we have committed ourselves

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.revoke_hooks = []
        self.assign_hooks = []
        self.claims = {}
        self.claims_lost = 0
        self.measures = []
        self.lacks = []
        self.ends = {}
        self.committed = {}
        self.hold_back = _hold_nothing_back
        self.begin_gently = frozenset()
        self.plainly = frozenset()
        self.unhurried = frozenset()
        super().__init__(*args, **kwargs)

    def lose(self, partition: int, claim: Claim) -> None:
        """Another has claimed ``partition``: we stood still, and shall hear of it from the group. If not, we end."""
        if not claim.holds:
            return
        claim.lost = True
        self.claims_lost += 1
        log.warning(
            "a partition is another's by now, what was begun for it is left to that one",
            action="claim_lost",
            partition=partition,
        )
        wait_s = _SESSIONS_WITHOUT_CLAIM * self.conf.broker_session_timeout
        asyncio.get_running_loop().call_later(wait_s, self._end_without, partition, claim)

    def _end_without(self, partition: int, claim: Claim) -> None:
        if not (claim.ended or self.should_stop):
            error = BrokerError(
                f"partition {partition} is ours by the group and another's by its claim; does a second installation use "
                f"{self.conf.id} as its group on this broker? Start this program again to claim it"
            )
            self._ending = asyncio.ensure_future(self.crash(error))

    def _create_directories(self) -> None:
        """Create none: nothing is kept in files."""


async def _hold_nothing_back(_: set[TP]) -> set[TP]:
    return set()


class RunSchema(faust.Schema):  # type: ignore[misc]
    """Leaves runs alone: nothing is decoded on the way to the agent."""

    async def decode(self, app: AppT, message: Message, *, propagate: bool = False) -> EventT:  # noqa: ARG002
        """An event whose value is the runs of a fetch."""
        return app.create_event(None, message.value, None, message)


def new_app(settings: Settings, app_id: str, **options: Any) -> RunApp:
    """A Faust app in the consumer group ``app_id``. ``options`` go to :class:`faust.App`."""
    broker = settings.broker
    urls = [URL(f"kafka://{address}") for address in addresses(broker)]
    app = RunApp(
        app_id,
        broker=urls,
        broker_credentials=for_faust(broker),
        topic_partitions=broker.partitions,
        topic_replication_factor=broker.replication,
        topic_disable_leader=True,
        table_standby_replicas=0,
        reply_create_topic=False,
        web_enabled=False,
        store=URL("memory://"),
        stream_wait_empty=False,
        stream_buffer_maxsize=_QUEUED_FETCHES,
        stream_recovery_delay=0.0,
        broker_request_timeout=max(_REQUEST_TIMEOUT_S, broker.session_timeout_s),
        producer_request_timeout=_REQUEST_TIMEOUT_S,
        broker_session_timeout=broker.session_timeout_s,
        broker_heartbeat_interval=broker.heartbeat_interval_s,
        broker_max_poll_records=MAX_RUN,
        broker_commit_livelock_soft_timeout=3600.0,  # we commit ourselves; Faust's watchdog cannot see it
        consumer_max_fetch_size=_FETCH_BYTES,
        consumer_metadata_max_age_ms=int(_METADATA_MAX_AGE_S * 1000),
        consumer_auto_offset_reset="earliest",
        producer_max_batch_size=broker.producer_batch_bytes,
        producer_max_request_size=broker.producer_batch_bytes * 4,
        producer_linger=0.0,
        TableManager=ReadyTables,
        agent_supervisor=CrashingSupervisor,  # a run that failed must not be skipped: end, and let it come again
        worker_redirect_stdouts=False,
        **options,
    )
    app.partitions = broker.partitions
    app.transport = RunTransport(urls, app)
    app.producer_transport = RunTransport(urls, app)
    return app


def runs_topic(app: RunApp, name: str) -> Any:
    """The topic ``name`` as a stream of runs."""
    return app.topic(name, schema=RunSchema(), key_serializer="raw", value_serializer="raw", acks=False)


async def serve(app: RunApp) -> None:
    """Run ``app`` until SIGINT or SIGTERM, then stop it in order. A crash inside is raised here.

    Raises :class:`BrokerError`, in order too, once a topic that is read has other partitions.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app.finalize()
    reason = None
    try:
        if await _before(stop, app.start()):
            changed = await _while_running(app, stop)
            if app.crash_reason is None:
                await _finish(app)
            # What Faust's services call a crash from here on is that they are stopped, as in the middle of a rebalance.
            reason = app.crash_reason or changed
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(app.stop(), _STOP_WITHIN_S)
    if reason is not None:
        raise reason


async def _while_running(app: RunApp, stop: asyncio.Event) -> BrokerError | None:
    """Returns when ``app`` is to end: why, if it is not that it was told to or crashed."""
    repartitioned = asyncio.ensure_future(_repartitioned(app))
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(app.wait_until_stopped()), repartitioned]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    changed = repartitioned.result() if repartitioned.done() else None
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    return changed


async def _repartitioned(app: RunApp) -> BrokerError:
    """Returns once a topic that we read has other partitions than it must have.

    A machine's readings would then be sent where its state is not, and models to another worker than readings.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        for topic, count in app.consumer.partitions_read().items():
            if count not in (0, app.partitions):
                return BrokerError(
                    f"topic {topic} has {count} partitions by now and must have {app.partitions}, as when this program "
                    "started: machines would move away from their state. What was begun is finished. What to do: "
                    "`wellsentry topics check` names every topic; make the installation anew with that many partitions "
                    "(broker.partitions), under another broker.topic_prefix, and feed it what this one was fed"
                )


async def _before(stop: asyncio.Event, doing: Coroutine[Any, Any, Any]) -> bool:
    """Whether ``doing`` came to its end before ``stop``; else it is given up. What it raises is raised here."""
    work, stopped = asyncio.ensure_future(doing), asyncio.ensure_future(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        await work
        return True
    work.cancel()
    await asyncio.wait((work,), timeout=_GIVE_UP_WITHIN_S)
    return False


async def _finish(app: RunApp) -> None:
    """Take no more, and let the application finish what it has begun."""
    app.consumer.stop_flow()
    for hook in app.revoke_hooks:
        await asyncio.wait_for(hook(set(app.consumer.assignment())), _FINISH_WITHIN_S)
