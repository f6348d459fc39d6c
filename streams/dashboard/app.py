"""The dashboard's web application, put together: what is followed, what is served, who is let in."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui
from starlette.staticfiles import StaticFiles

from streams.dashboard.access.gate import Gate
from streams.dashboard.access.protection import MarkedScripts
from streams.dashboard.access.rules import rules_of
from streams.dashboard.areas import read_areas
from streams.dashboard.following import Following
from streams.dashboard.health.monitor import Monitor
from streams.dashboard.history import History
from streams.dashboard.left_alone import LeftAlone
from streams.dashboard.live import live_router
from streams.dashboard.live_incidents import LiveIncidents
from streams.dashboard.live_machine import LiveMachine
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.machine_socket import machine_socket
from streams.dashboard.measures import observation
from streams.dashboard.one_label import OneLabel
from streams.dashboard.openapi import describe
from streams.dashboard.pages.fleet import fleet_page
from streams.dashboard.pages.health import health_page
from streams.dashboard.pages.incidents import incidents_page
from streams.dashboard.pages.machine import machine_page
from streams.dashboard.picture import Picture
from streams.dashboard.recent import Recent
from streams.dashboard.rest.history import history_router
from streams.dashboard.rest.known import Known
from streams.dashboard.rest.one_machine import one_machine_router
from streams.dashboard.rest.routes import API_VERSION, PREFIX, Rest, Tails, nothing_else
from streams.dashboard.rest.stored import Stored
from streams.feedback import FeedbackSender
from streams.metrics.observing import Observation, observed
from streams.settings import Settings

_STATIC: Final = Path(__file__).parent / "static"
_LOOK_AT_CLOCK_S: Final = 2.0

#: What runs beside the server, for ever.
Running = Callable[[], Coroutine[Any, Any, None]]


def dashboard_app(settings: Settings, failed: Callable[[BaseException], None]) -> FastAPI:
    """All of it, as one ASGI application that follows the topics while it runs.

    ``failed`` is told why following came to an end: what is shown from then on would be old.
    Raises :class:`schemas.errors.BadSettings` where it cannot be told who may look.
    """
    picture, areas, tails = Picture(), read_areas(settings.dashboard.areas_file), Tails.of(settings)
    monitor = Monitor(settings, picture, _now_ms)
    recent = Recent(settings.dashboard.recent_labels)
    listeners = [monitor.take_labels, recent.take_labels]
    following = Following(settings, picture, monitor.rejections, listeners, (tails.labels, tails.incidents))
    sender, stored = FeedbackSender(settings), Stored(settings)
    table = LeftAlone(stored, _now_ms)
    known, rows = Known(picture, areas, _now_ms), LiveRows(picture, areas, _now_ms)
    rest = Rest(settings, known, following, tails, sender, stored, lambda: uuid.uuid4().hex)
    running: list[Running] = [
        following.run,
        monitor.ask,
        partial(monitor.latency.sample, settings),
        partial(_watch_the_clock, settings, picture),
        partial(rest.rate.look_on, picture, _now_ms),
    ]
    app = FastAPI(
        title="wellsentry",
        version=API_VERSION,
        lifespan=_while_running(settings, observation(picture, following), running, failed, sender, stored),
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    app.state.ending = rest.ending
    app.include_router(
        live_router(
            rows,
            LiveIncidents(picture),
            lambda viewer: monitor.shown(viewer, following),
            following.caught_up,
            settings.dashboard.tick_s,
            settings.dashboard.rest_tick_s,
        )
    )
    app.include_router(
        machine_socket(LiveMachine(picture, rows, recent), following.caught_up, settings.dashboard.tick_s)
    )
    app.include_router(history_router(known, History(table, recent)), prefix=PREFIX)
    app.include_router(one_machine_router(known, OneLabel(settings, recent, table), settings), prefix=PREFIX)
    rest.add_to(app)  # with the route of a machine, whose name may have a slash: what is below a machine comes first
    app.include_router(nothing_else())
    describe(app)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    fleet_page()
    machine_page(picture, following.caught_up)
    incidents_page()
    health_page()
    pages.add_middleware(MarkedScripts)  # inside of what packs pages, which run_with adds
    # Pages have styles of their own: Tailwind would be compiled in each browser before anything is shown.
    ui.run_with(app, title="wellsentry", show_welcome_message=False, tailwind=False, binding_refresh_interval=None)
    app.add_middleware(Gate, rules=rules_of(settings.dashboard))  # the last is outermost
    return app


def _while_running(
    settings: Settings,
    seen: Observation,
    running: list[Running],
    failed: Callable[[BaseException], None],
    sender: FeedbackSender,
    stored: Stored,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(one()) for one in running]
        for task in tasks:
            task.add_done_callback(tell)
        try:
            async with observed(settings.metrics, seen), sender:
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await stored.close()

    def tell(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            failed(error)

    return lifespan


async def _watch_the_clock(settings: Settings, picture: Picture) -> None:
    while True:
        await asyncio.sleep(_LOOK_AT_CLOCK_S)
        picture.look_at_the_clock(_now_ms(), round(settings.dashboard.silent_after_s * 1000))


def _now_ms() -> int:
    return round(time.time() * 1000)
