"""The dashboard's web application, put together: what is followed, what is served, who is let in."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from nicegui import ui
from starlette.staticfiles import StaticFiles

from streams.dashboard.areas import read_areas
from streams.dashboard.following import Following
from streams.dashboard.live import live_router
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.pages.fleet import fleet_page
from streams.dashboard.picture import Picture
from streams.dashboard.sign_in import LetEverybodyIn
from streams.settings import Settings

_STATIC: Final = Path(__file__).parent / "static"
_LOOK_AT_CLOCK_S: Final = 2.0


def dashboard_app(settings: Settings) -> FastAPI:
    """All of it, as one ASGI application that follows the topics while it runs."""
    picture = Picture()
    following = Following(settings, picture)
    app = FastAPI(
        title="wellsentry", lifespan=_while_running(settings, picture, following), docs_url=None, redoc_url=None
    )
    rows = LiveRows(picture, read_areas(settings.dashboard.areas_file), _now_ms)
    app.include_router(
        live_router(rows, following.caught_up, settings.dashboard.tick_s, settings.dashboard.rest_tick_s)
    )
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    fleet_page()
    ui.run_with(app, title="wellsentry", show_welcome_message=False)
    app.add_middleware(LetEverybodyIn)
    return app


def _while_running(
    settings: Settings, picture: Picture, following: Following
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(following.run()), asyncio.create_task(_watch_the_clock(settings, picture))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return lifespan


async def _watch_the_clock(settings: Settings, picture: Picture) -> None:
    while True:
        await asyncio.sleep(_LOOK_AT_CLOCK_S)
        picture.look_at_the_clock(_now_ms(), round(settings.dashboard.silent_after_s * 1000))


def _now_ms() -> int:
    return round(time.time() * 1000)
