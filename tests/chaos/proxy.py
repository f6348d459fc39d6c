"""A bad network: a TCP proxy between programs and broker that delays, cuts, breaks, falls silent and loses answers, by seed.

It knows of Kafka's protocol that a message is its length and then its bytes, that a request begins with its kind, and that
an answer bears the number of its request.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streams.parts.kafka_jars import KafkaJars
from streams.parts.ports import free_port

#: Kinds of request.
PRODUCE: Final = 0
FETCH: Final = 1
OFFSET_COMMIT: Final = 8

_LISTENS_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to what passes. Nothing, unless said."""

    delay_s: float = 0.0  # each message waits up to so long
    breaks_after: int = 0  # a connection breaks once about so many bytes have passed, mostly inside a message
    silent: bool = False  # nothing passes and nobody is told
    lost: frozenset[int] = frozenset()  # kinds of request whose answers get lost
    refusing: bool = False  # connections break at once, new ones too


FINE: Final = Weather()


@dataclass(slots=True)
class Happened:
    """What the weather did so far."""

    connections: int = 0
    broken: int = 0
    lost: dict[int, int] = field(default_factory=dict)  # answers by the kind of their request


class Proxy:
    """Passes connections of 127.0.0.1 ``port`` on to ``target``, in a thread of its own, while a ``with`` lasts."""

    def __init__(self, port: int, target: int, seed: int) -> None:
        self.port, self._target = port, target
        self._random = random.Random(seed)
        self.weather = FINE  # may be changed at any time
        self.happened = Happened()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), name="proxy")

    def __enter__(self) -> "Proxy":
        self._thread.start()
        if not self._listens.wait(_LISTENS_WITHIN_S):
            raise OSError(f"the proxy does not listen on port {self.port}")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    @contextlib.contextmanager
    def during(self, weather: Weather) -> Iterator[None]:
        """``weather`` while the block runs."""
        self.weather = weather
        try:
            yield
        finally:
            self.weather = FINE

    async def _serve(self) -> None:
        passing: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connection(reader, writer))
            passing.add(task)
            task.add_done_callback(passing.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", self.port)
        self._listens.set()
        await self._stop.wait()
        server.close()
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.happened.connections += 1
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        kinds: dict[bytes, int] = {}  # kind of each request that waits for its answer, by its number
        room = self._bytes_until_it_breaks()
        ways = [
            asyncio.ensure_future(self._way(reader, up_writer, room, kinds, asked=True)),
            asyncio.ensure_future(self._way(up_reader, writer, room, kinds, asked=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for one in (writer, up_writer):
                _reset(one)

    def _bytes_until_it_breaks(self) -> list[int]:
        return [int(self._random.expovariate(1.0) * self.weather.breaks_after)]

    async def _way(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        room: list[int],
        kinds: dict[bytes, int],
        *,
        asked: bool,
    ) -> None:
        """Pass one direction's messages on until the connection ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(4)
                body = await reader.readexactly(struct.unpack(">i", head)[0])
                while self.weather.silent:
                    await asyncio.sleep(_LOOK_EVERY_S)
                weather = self.weather
                if weather.delay_s:
                    await asyncio.sleep(self._random.random() * weather.delay_s)
                message = head + body
                if asked:
                    kinds[body[4:8]] = struct.unpack(">h", body[:2])[0]
                elif (kind := kinds.pop(body[:4], -1)) in weather.lost:
                    self.happened.lost[kind] = self.happened.lost.get(kind, 0) + 1
                    continue
                if weather.breaks_after:
                    room[0] -= len(message)
                if weather.refusing or (weather.breaks_after and room[0] < 0):
                    self.happened.broken += 1
                    writer.write(message[: self._random.randrange(len(message))])
                    await writer.drain()
                    return
                writer.write(message)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a broken network does: with a reset, not with a farewell."""
    end = writer.get_extra_info("socket")
    if end is not None:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class ProxiedKafka(KafkaJars):
    """An Apache Kafka with a second listener, which it gives out as ``proxy_port``: whoever comes that way stays on it."""

    def __init__(self) -> None:
        super().__init__()
        self.proxy_port = free_port()
        self.target_port = free_port({self.proxy_port})

    def command(self, port: int) -> list[str]:
        """The broker's command, its settings changed before."""
        made = super().command(port)
        properties = Path(made[-1])
        text = properties.read_text()
        if "PROXIED" not in text:
            own = f"PLAINTEXT://127.0.0.1:{port}"
            text = text.replace(f",{own}\n", f",PROXIED://127.0.0.1:{self.target_port},{own}\n")
            text = text.replace(
                f"advertised.listeners={own}\n", f"advertised.listeners=PROXIED://127.0.0.1:{self.proxy_port},{own}\n"
            )
            text = text.replace("PLAINTEXT:PLAINTEXT\n", "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n")
            properties.write_text(text + "inter.broker.listener.name=PLAINTEXT\n")
        return made

    @property
    def proxied(self) -> str:
        """Bootstrap servers for those who come by the proxy."""
        return f"127.0.0.1:{self.proxy_port}"
