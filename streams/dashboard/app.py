"""The dashboard's web application, put together: what is followed, what is served, who is let in."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from nicegui import ui
from starlette.staticfiles import StaticFiles

from streams.dashboard.areas import read_areas
from streams.dashboard.events.readers import Readers
from streams.dashboard.following import Following
from streams.dashboard.live import live_router
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.pages.fleet import fleet_page
from streams.dashboard.picture import Picture
from streams.dashboard.rest.known import Known
from streams.dashboard.rest.routes import API_VERSION, PREFIX, Rest, Tails, nothing_else
from streams.dashboard.rest.stored import Stored
from streams.dashboard.sign_in import LetEverybodyIn
from streams.feedback import FeedbackSender
from streams.settings import Settings

_STATIC: Final = Path(__file__).parent / "static"
_LOOK_AT_CLOCK_S: Final = 2.0


def dashboard_app(settings: Settings) -> FastAPI:
    """All of it, as one ASGI application that follows the topics while it runs."""
    picture, areas, tails = Picture(), read_areas(settings.dashboard.areas_file), Tails.of(settings)
    following = Following(settings, picture, tails=(tails.labels, tails.incidents))
    sender = FeedbackSender(settings)
    rest = Rest(
        settings,
        Known(picture, areas, _now_ms),
        following,
        tails,
        sender,
        lambda: uuid.uuid4().hex,
        Readers(settings.dashboard.streams, settings.dashboard.streams_of_a_viewer),
        Stored(settings),
    )
    app = FastAPI(
        title="wellsentry",
        version=API_VERSION,
        lifespan=_while_running(settings, rest, sender),
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    app.state.ending = rest.ending
    rows = LiveRows(picture, areas, _now_ms)
    app.include_router(
        live_router(rows, following.caught_up, settings.dashboard.tick_s, settings.dashboard.rest_tick_s)
    )
    rest.add_to(app)
    app.include_router(nothing_else())
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    fleet_page()
    ui.run_with(app, title="wellsentry", show_welcome_message=False)
    app.add_middleware(LetEverybodyIn)
    return app


def _while_running(
    settings: Settings, rest: Rest, sender: FeedbackSender
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(rest.following.run()), asyncio.create_task(_watch_the_clock(settings, rest))]
        try:
            async with sender:
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await rest.stored.close()

    return lifespan


async def _watch_the_clock(settings: Settings, rest: Rest) -> None:
    picture = rest.known.picture
    while True:
        rest.rate.look(_now_ms(), picture.labels)
        await asyncio.sleep(_LOOK_AT_CLOCK_S)
        picture.look_at_the_clock(_now_ms(), round(settings.dashboard.silent_after_s * 1000))


def _now_ms() -> int:
    return round(time.time() * 1000)
