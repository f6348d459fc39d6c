"""OAuth tokens for Kafka, from a file that somebody else keeps fresh: Kubernetes, a sidecar, a timer.

The file is read again before each authentication, so a new token needs no restart.
"""

import asyncio
from pathlib import Path

from aiokafka.abc import AbstractTokenProvider as AiokafkaProvider
from kafka.net.sasl.oauth import AbstractTokenProvider as KafkaPythonProvider


def read_token(file: Path) -> str:
    """The token in ``file``. Raises OSError if there is none, which clients take for a connection that failed: they try
    again, and by then the file may have been written."""
    token = file.read_text(errors="replace").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise OSError(f"{file} holds no token (it is empty, or holds more than one printable word)")
    return token


class AiokafkaTokens(AiokafkaProvider):  # type: ignore[misc]
    """For aiokafka, and Faust through it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def token(self) -> str:
        """The token as it stands in the file now."""
        return await asyncio.to_thread(read_token, self._file)


class KafkaPythonTokens(KafkaPythonProvider):  # type: ignore[misc]
    """For kafka-python."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def token(self) -> str:
        """The token as it stands in the file now."""
        return read_token(self._file)
