"""Serving the dashboard until it is told to end."""

import asyncio
import os
import tempfile
from typing import Final

import uvicorn

from streams.access.rights import rights
from streams.log import get_logger, setup_logging
from streams.settings import Settings
from streams.topics_admin import require_topics

log = get_logger(__name__)

#: Who streams would keep the server from ending.
_GRACE_S: Final = 2


def run_dashboard(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises :class:`schemas.errors.BrokerError` where topics are not as they must be."""
    setup_logging(settings, "dashboard")
    require_topics(settings, rights(settings)["dashboard"])
    with tempfile.TemporaryDirectory(prefix="wellsentry-dashboard-") as pages:
        os.environ["NICEGUI_STORAGE_PATH"] = (
            pages  # else it makes a directory where we were started; nothing is kept there
        )
        from streams.dashboard.app import dashboard_app  # reads that variable when it is imported

        errors: list[BaseException] = []

        def failed(error: BaseException) -> None:
            errors.append(error)
            server.should_exit = True

        server = uvicorn.Server(
            uvicorn.Config(
                dashboard_app(settings, failed),
                host=settings.dashboard.host,
                port=settings.dashboard.port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_GRACE_S,
                ws_per_message_deflate=False,  # on the same machine it costs more than it saves; a proxy may compress
            )
        )
        asyncio.run(_serve(server))
    if errors:
        raise errors[0]


async def _serve(server: uvicorn.Server) -> None:
    telling = asyncio.create_task(_tell_where(server))
    try:
        await server.serve()
    finally:
        telling.cancel()


async def _tell_where(server: uvicorn.Server) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    log.info("dashboard ready", action="serving", url=f"http://{host}:{port}/")
