"""Serving the dashboard until it is told to end."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from typing import Final

import uvicorn

from schemas.errors import BadSettings
from streams.access.rights import rights
from streams.dashboard.access.rules import require_sign_in_beyond_this_machine
from streams.log import get_logger, setup_logging
from streams.runs.memory import keep_little_memory
from streams.settings import Settings
from streams.topics_admin import require_topics

log = get_logger(__name__)

#: Who streams would keep the server from ending.
_GRACE_S: Final = 2
#: That a browser may send over a websocket, in bytes.
_LARGEST_MESSAGE: Final = 1_000_000


def run_dashboard(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises :class:`schemas.errors.BrokerError` where topics are not as they must be, and
    :class:`schemas.errors.BadSettings` where strangers could come in.
    """
    require_sign_in_beyond_this_machine(settings.dashboard)
    setup_logging(settings, "dashboard")
    keep_little_memory()  # pages and messages are large texts that live shortly, made in more threads than one
    require_topics(settings, rights(settings)["dashboard"])
    logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)
    with tempfile.TemporaryDirectory(prefix="wellsentry-dashboard-") as pages:
        # Else it makes a directory where we were started; nothing is kept there.
        os.environ["NICEGUI_STORAGE_PATH"] = pages
        from streams.dashboard.app import dashboard_app  # reads that variable when it is imported

        errors: list[BaseException] = []

        def failed(error: BaseException) -> None:
            errors.append(error)
            server.should_exit = True

        app = dashboard_app(settings, failed)
        server = _Server(
            uvicorn.Config(
                app,
                host=settings.dashboard.host,
                port=settings.dashboard.port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_GRACE_S,
                server_header=False,
                proxy_headers=False,  # the gate believes those of dashboard.trusted_proxies alone
                ws_max_size=_LARGEST_MESSAGE,
                ssl_certfile=settings.dashboard.certificate_file,
                ssl_keyfile=settings.dashboard.key_file,
                ws_per_message_deflate=False,  # on the same machine it costs more than it saves; a proxy may compress
            ),
            app.state.ending,
        )
        _read_certificate(server.config)
        asyncio.run(_serve(server))
    if errors:
        raise errors[0]


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """uvicorn takes a websocket that was refused with a status for one that was forgotten; the gate logs refusals."""
    return record.getMessage() != "ASGI callable returned without completing handshake."


def _read_certificate(config: uvicorn.Config) -> None:
    try:
        config.load()
    except OSError as error:
        raise BadSettings(
            f"dashboard.certificate_file {config.ssl_certfile} or dashboard.key_file {config.ssl_keyfile} cannot be used: "
            f"{error}. Both are PEM, and the key has no password"
        ) from error


class _Server(uvicorn.Server):
    """Tells streams of events that it ends, so that they end as well; told to end, it ends in order, with status 0."""

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal again once it has ended, and nothing after it would be put away."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it."""
        self._ending.set()
        await super().shutdown(sockets)


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
    scheme = "https" if server.config.is_ssl else "http"
    shown = f"[{host}]" if ":" in host else host
    log.info("dashboard ready", action="serving", url=f"{scheme}://{shown}:{port}/")
