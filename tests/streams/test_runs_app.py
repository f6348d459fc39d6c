"""Serving an app: it ends when it is told to, even before it has begun."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.conftest import MakeSettings
from tests.processes import variables

WITHIN_S = 60.0
PROGRAM = """
import asyncio
from streams.runs.app import new_app, serve
from streams.settings import load_settings

async def main():
    await serve(new_app(load_settings(), "nobody"))

asyncio.run(main())
"""


@pytest.fixture
def silent_broker() -> Iterator[socket.socket]:
    """Something that listens, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WITHIN_S)
        yield server


def test_an_app_whose_broker_does_not_answer_ends_when_it_is_told_to(
    silent_broker: socket.socket, make_settings: MakeSettings
) -> None:
    settings = make_settings(f"127.0.0.1:{silent_broker.getsockname()[1]}")
    environment = os.environ | variables(settings)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        connection, _ = silent_broker.accept()
        assert connection.recv(1)  # it has asked
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(WITHIN_S)
        finally:
            process.kill()
            connection.close()
        assert time.monotonic() - began < 10.0
        assert process.returncode == 0, process.stdout.read().decode()
