"""A small web server in a thread of its own, so that it answers while the event loop does not."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from schemas.errors import BadSettings
from streams.metrics.asking import LoopStandsStill

#: Who asks and does not read the answer is let go.
_SECONDS: Final = 15.0
#: Connections at a time; each takes a thread.
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked for. ``alive`` and ``missing`` raise :class:`LoopStandsStill` where nothing turns any more."""

    registry: CollectorRegistry
    alive: Callable[[], None]
    missing: Callable[[], list[str]]


@contextlib.contextmanager
def serving(host: str, port: int, answers: Answers) -> Iterator[str]:
    """Serve ``answers`` while the block runs: the address. Port 0 is any free one."""
    try:
        server = make_server(host, port, _application(answers), _Server6 if ":" in host else _Server, _Quiet)
    except OSError as error:
        raise BadSettings(
            f"nobody can listen at {host}:{port}: {error.strerror or error}. Each program needs a metrics.port of its own; "
            "give it one by WELLSENTRY_METRICS__PORT, or 0 for any free one"
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _application(answers: Answers) -> WSGIApplication:
    metrics = make_wsgi_app(answers.registry)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/metrics":
            return metrics(environ, start_response)  # type: ignore[no-any-return]
        status, said = _said(path, answers)
        body = json.dumps(said).encode() + b"\n"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _said(path: str, answers: Answers) -> tuple[str, dict[str, Any]]:
    if path not in ("/health", "/ready"):
        return "404 Not Found", {"error": "there are /metrics, /health and /ready"}
    try:
        if path == "/health":
            answers.alive()
            return "200 OK", {"alive": True}
        missing = answers.missing()
    except LoopStandsStill as error:
        return "503 Service Unavailable", {path[1:].replace("health", "alive"): False, "lacks": [str(error)]}
    return "503 Service Unavailable" if missing else "200 OK", {"ready": not missing, "lacks": missing}


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection, not too many of them. None keeps the program from ending."""

    daemon_threads = True
    request_queue_size = 4 * _AT_ONCE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(*args, **kwargs)

    def server_bind(self) -> None:
        """Listen, without asking the network for our own name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; who comes while all are taken is sent away."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever asked has gone."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    timeout = _SECONDS

    def address_string(self) -> str:
        """As a number: to look its name up takes time."""
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing of each question."""
