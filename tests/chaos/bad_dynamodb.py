"""A DynamoDB that misbehaves: an HTTP proxy in front of DynamoDB Local that answers some requests itself, by a seed."""

import http.client
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_PREFIX: Final = "com.amazonaws.dynamodb.v20120810#"
_TARGET_TIMEOUT_S: Final = 30.0

#: What it may do to a request, by name. Those that end in "after" let DynamoDB do what it is asked, and lose its answer.
THROTTLED: Final = "throttled"
UNPROCESSED: Final = "unprocessed"
FAILED: Final = "failed"
UNAVAILABLE: Final = "unavailable"
RESET: Final = "reset"
RESET_AFTER: Final = "reset after"
CUT_SHORT_AFTER: Final = "cut short after"
SILENT: Final = "silent"
REFUSED: Final = "refused"
#: All after which the same request may succeed.
PASSING: Final = (THROTTLED, UNPROCESSED, FAILED, UNAVAILABLE, RESET, RESET_AFTER, CUT_SHORT_AFTER)


class BadDynamo:
    """Passes on to ``target`` while a ``with`` lasts, but a share of ``trouble`` of the writes, of the ``kinds`` given."""

    def __init__(self, target: str, seed: int) -> None:
        self.target = urlsplit(target)
        self.random = random.Random(seed)
        self.trouble = 0.0
        self.kinds: tuple[str, ...] = PASSING
        self.happened: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.silence_over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="bad-dynamodb")

    @property
    def url(self) -> str:
        """Endpoint."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "BadDynamo":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.silence_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def choose(self, action: str) -> str:
        """What becomes of a request, empty if nothing: only what writes is troubled."""
        with self._lock:
            if action not in ("BatchWriteItem", "PutItem") or self.random.random() >= self.trouble:
                return ""
            chosen = self.random.choice(self.kinds)
            if action == "PutItem" and chosen == UNPROCESSED:
                chosen = THROTTLED
            self.happened[chosen] += 1
            return chosen

    def share(self) -> float:
        """A number from 0 up to 1."""
        with self._lock:
            return self.random.random()

    def _handler(self) -> Callable[..., BaseHTTPRequestHandler]:
        dynamo = self

        class Handler(_Handler):
            bad = dynamo

        return Handler


class _Handler(BaseHTTPRequestHandler):
    bad: BadDynamo
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        action = self.headers["X-Amz-Target"].rsplit(".", 1)[-1]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        chosen = self.bad.choose(action)
        match chosen:
            case "":
                self._answer(*self._asked(body))
            case "throttled":
                self._refuse(400, "ProvisionedThroughputExceededException", "The configured throughput was exceeded")
            case "refused":
                self._refuse(400, "com.amazon.coral.validate#ValidationException", "A parameter value was invalid")
            case "failed":
                self._refuse(500, "InternalServerError", "The request could not be processed")
            case "unavailable":
                self._answer(503, b"<html>Service Unavailable</html>")
            case "unprocessed":
                self._some_unprocessed(body)
            case "silent":
                self.bad.silence_over.wait()
                self._reset()
            case "reset":
                self._reset()
            case "reset after":
                self._asked(body)
                self._reset()
            case _:
                status, answer = self._asked(body)
                self._answer(status, answer, cut_to=int(len(answer) * self.bad.share()))
                self._reset()

    def _some_unprocessed(self, body: bytes) -> None:
        """Put some of the items and name the others, as DynamoDB does when it is busy."""
        request = json.loads(body)
        ((table, puts),) = request["RequestItems"].items()
        taken = int(len(puts) * self.bad.share())
        if taken:
            status, answer = self._asked(json.dumps({**request, "RequestItems": {table: puts[:taken]}}).encode())
            if status != 200:
                self._answer(status, answer)
                return
        self._answer(200, json.dumps({"UnprocessedItems": {table: puts[taken:]}, "ConsumedCapacity": []}).encode())

    def _asked(self, body: bytes) -> tuple[int, bytes]:
        """What DynamoDB Local answers."""
        target = self.bad.target
        connection = http.client.HTTPConnection(str(target.hostname), target.port, timeout=_TARGET_TIMEOUT_S)
        try:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")
            }
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        name = code if "#" in code else _PREFIX + code
        self._answer(status, json.dumps({"__type": name, "message": message}).encode())

    def _answer(self, status: int, body: bytes, cut_to: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut_to])
        self.wfile.flush()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
