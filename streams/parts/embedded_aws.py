"""DynamoDB and S3 out of a wheel: moto's server.

It needs nothing but pip. Memory only, one process, slower than DynamoDB Local, and it lets pass some requests that AWS
refuses. It takes any credentials.
"""

import http.client
import importlib.util
import sys
from typing import ClassVar

from schemas.errors import MissingPart, StoreError
from streams.parts.part import Part


class EmbeddedAws(Part):
    """DynamoDB and S3 behind one address; ``url`` is http://host:port."""

    name: ClassVar[str] = "The embedded DynamoDB and S3"
    start_within_s: ClassVar[float] = 60.0
    error = StoreError

    def command(self, port: int) -> list[str]:
        """moto's server, by the interpreter that runs us."""
        if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
            raise MissingPart(
                "the embedded DynamoDB is not installed: run `pip install 'moto[server]'`, or name one with --dynamodb"
            )
        return [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]

    def address(self, port: int) -> str:
        """Endpoint for DynamoDB and for S3."""
        return f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether it says what it holds."""
        return http_answers(self.url, "/moto-api/data.json") == http.client.OK


def http_answers(url: str, path: str) -> int | None:
    """The HTTP status that ``url`` + ``path`` gives, None when there is no answer within two seconds."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
