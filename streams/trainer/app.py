"""The trainer on one page, in the order in which the data flow.

training ─▶ run ─▶ newest request of each machine ─▶ fit ─▶ registry ─▶ models ─▶ offset
                                                      └─▶ fleet's model, when it is due ─▶ registry ─▶ models
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from models.fitting import FitParameters
from schemas.errors import RegistryError
from schemas.training import FLEET, ModelUpdate, TrainingRequest
from streams.access.rights import rights
from streams.build_info import build_info
from streams.log import ThrottledWarnings, get_logger, setup_logging
from streams.metrics.group import observed_app
from streams.registry import Entry, Registry
from streams.runs.app import RunApp, new_app, runs_topic, serve
from streams.runs.committing import commit
from streams.runs.producing import send_run
from streams.runs.run import each_run
from streams.settings import Settings
from streams.topics_admin import require_topics
from streams.trainer.counts import Counts
from streams.trainer.fleets import FleetWatch, fit_fleet_if_due
from streams.trainer.making import handle_request, sha256_of
from streams.trainer.publishing import partitions_of, publish, publish_registry
from streams.trainer.requests import read_requests

log = get_logger(__name__)

T = TypeVar("T")

_FIRST_RETRY_S: Final = 0.5
_LONGEST_RETRY_S: Final = 30.0


def run_trainer(settings: Settings, publish_only: bool = False) -> None:
    """Run until SIGINT or SIGTERM; with ``publish_only`` publish what the registry has, and return."""
    setup_logging(settings, "trainer")
    require_topics(settings, rights(settings)["trainer"])
    registry = Registry(settings.registry)

    async def main() -> None:
        if publish_only:
            await publish_registry(settings, registry)
            return
        app = trainer_app(settings, registry)
        async with observed_app(app, settings, "trainer"):
            await publish_registry(settings, registry)
            await serve(app)

    asyncio.run(main())


def trainer_app(settings: Settings, registry: Registry) -> RunApp:
    """The trainer as a Faust app; :func:`streams.runs.app.serve` runs it."""
    app = new_app(settings, settings.trainer.app_id)
    Trainer(app, settings, registry, lambda: datetime.now(UTC))
    return app


class Trainer:
    """The trainer's agent. Fits and the registry have a thread, so that the broker goes on hearing from us."""

    def __init__(self, app: RunApp, settings: Settings, registry: Registry, clock: Callable[[], datetime]) -> None:
        knobs = settings.trainer
        self._app, self._registry, self._clock = app, registry, clock
        self._topic, self._partitions = settings.topics.models.name, settings.broker.partitions
        self._parameters = FitParameters(knobs.trees, knobs.samples_per_tree, knobs.score_digits)
        self._fleet_after = knobs.fleet_after_machines
        self._fleets = FleetWatch(knobs.fleet_after_machines)
        self._fleets_sent: set[str] = set()
        self._build = build_info()
        self._tell = ThrottledWarnings(log)
        self._counts = Counts(self._tell.counts, time.time)
        app.measures.append(self._counts.measure)
        app.agent(runs_topic(app, settings.topics.training.name), name="wellsentry.training")(self.train)

    async def train(self, fetches: Any) -> None:
        """Answer each run's requests, then commit it. A request is never given up."""
        try:
            async for run in each_run(fetches):
                self._counts.begun(run.records)
                for request in read_requests(run.records, self._tell):
                    if run.tp not in self._app.consumer.assignment():
                        break  # another trainer has it now, and answers what is not committed
                    await self.answer(request)
                else:
                    await commit(self._app, run)
                    self._counts.answered(run.records)
        except Exception as error:
            # Faust would start us again behind this run, and it would be lost.
            log.exception("trainer cannot go on", action="crash")
            await self._app.crash(error)
            raise

    async def answer(self, request: TrainingRequest) -> None:
        """Fit, store and publish the model that ``request`` asks for, and the fleet's if that is due then."""
        started = time.monotonic()
        try:
            entry = await asyncio.to_thread(handle_request, request, self._clock(), self._parameters, self._build)
        except ValueError as error:
            self._tell(
                "no model can be fitted, request left out",
                action="request_refused",
                client_id=request.client_id,
                machine_id=request.machine_id,
                stack=request.stack,
                request_id=request.request_id,
                detail=str(error),
            )
            return
        self._counts.fits.add_one(time.monotonic() - started)
        log.info(
            "model fitted",
            action="model_fitted",
            client_id=request.client_id,
            machine_id=request.machine_id,
            stack=request.stack,
            request_id=request.request_id,
            digest=entry.update.digest,
            reason=request.reason,
            readings=entry.update.readings,
            intervals=sum(len(model.scores) for model in entry.update.features),
            seconds=round(time.monotonic() - started, 4),
        )
        update = await self._patiently("store", lambda: self._store_once(request, entry))
        if await self._patiently("pin", lambda: self._is_free(update)):
            # Not by the partitioner: where its readings are is where the worker is that needs it.
            await publish(update, [request.source.partition], self._send)
            self._counts.published["own"] += 1
        if self._fleets.is_time_to_look(request.client_id, request.machine_id, request.stack):
            await self._refit_fleet(request.client_id, request.stack)

    def _store_once(self, request: TrainingRequest, entry: Entry) -> ModelUpdate:
        """The model as the registry has it: after a crash the same request comes again, and gives the same model."""
        key = (request.client_id, request.machine_id, request.stack)
        stored = self._registry.answer_to(*key, entry.update.digest, sha256_of(request))
        if stored is not None:
            return self._registry.update(stored)
        self._registry.store(entry)
        return entry.update

    async def _refit_fleet(self, client_id: str, stack: str) -> None:
        update = await self._patiently("fleet", lambda: self._fleet_model(client_id, stack))
        if update is None or update.digest in self._fleets_sent:
            return
        if await self._patiently("pin", lambda: self._is_free(update)):
            await publish(update, partitions_of(update, self._partitions), self._send)
            self._fleets_sent.add(update.digest)
            self._counts.published["fleet"] += 1

    def _fleet_model(self, client_id: str, stack: str) -> ModelUpdate | None:
        """The fleet's newest model, None while there are too few machines.

        It may be an old one that this process has not sent yet: a trainer may end between storing and sending.
        """
        entry = fit_fleet_if_due(
            self._registry, client_id, stack, self._fleet_after, self._clock(), self._parameters, self._build
        )
        if entry is not None:
            self._registry.store(entry)
            return entry.update
        chosen = self._registry.chosen(client_id, FLEET, stack)
        return None if chosen is None else chosen[1]

    def _is_free(self, update: ModelUpdate) -> bool:
        """Whether ``update`` may be published: not in place of one that was activated later or is pinned. It is kept all the
        same.
        """
        activation = self._registry.latest_activation(update.client_id, update.machine_id, update.stack)
        if activation is None or activation.digest == update.digest or not activation.outlasts(update.fitted_at):
            return True
        self._counts.held += 1
        log.info(
            "model not published, another was activated",
            action="model_held",
            client_id=update.client_id,
            machine_id=update.machine_id,
            stack=update.stack,
            digest=update.digest,
            activated=activation.digest,
            pinned=activation.pinned,
            by=activation.by,
        )
        return False

    async def _patiently(self, what: str, call: Callable[[], T]) -> T:
        """``call`` in a thread, again and again until the registry does its work: a request must not be lost."""
        wait_s = _FIRST_RETRY_S
        while True:
            started = time.monotonic()
            try:
                made = await asyncio.to_thread(call)
            except RegistryError as error:
                self._counts.registry_failures[what] += 1
                log.error(  # noqa: TRY400 - where in the code does not help who runs it
                    "registry does not take it, trying again",
                    action="registry_failed",
                    what=what,
                    wait_s=wait_s,
                    detail=str(error),
                )
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_RETRY_S)
                continue
            log.info(f"registry: {what}", action=f"registry_{what}", seconds=round(time.monotonic() - started, 4))
            return made

    async def _send(self, partition: int, key: bytes, value: bytes) -> object:
        return await send_run(self._app, self._topic, partition, [(key, value)])
