"""What a program tells about itself, without a broker."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from models.engine.engine import Engine, keep_only
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from schemas.errors import BadSettings
from streams.metrics import Observation, observed
from streams.metrics.asking import LoopStandsStill, ask
from streams.metrics.families import counter
from streams.settings import MetricsSettings
from streams.worker.alone import Alone
from streams.worker.latency import Latency, came_ms
from streams.worker.limits import Limits
from streams.worker.silence import Silence
from tests.metrics_at_hand import asked, scrape
from tests.models.engines import STAMP
from tests.streams.test_judge import Record

SOMEWHERE = MetricsSettings(port=0)  # type: ignore[call-arg]


async def test_nothing_listens_where_no_port_is_set() -> None:
    async with observed(MetricsSettings(), Observation("test", [], [])) as url:  # type: ignore[call-arg]
        assert url is None


async def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSettings, match=rf"127.0.0.1:{port}.*metrics.port"):
            async with observed(MetricsSettings(port=port), Observation("test", [], [])):  # type: ignore[call-arg]
                pass


@pytest.fixture
async def told() -> AsyncIterator[str]:
    """The address of a program that counts one thing and lacks nothing."""
    observation = Observation("test", [lambda: [counter("wellsentry_things_total", "Things.", 7)]], [])
    async with observed(SOMEWHERE, observation) as url:
        assert url is not None
        yield url


async def test_measures_of_any_program_are_served(told: str) -> None:
    found = await asyncio.to_thread(scrape, told)
    assert found.total("wellsentry_things_total") == 7
    assert await asyncio.to_thread(asked, told, "/ready") == (200, {"ready": True, "lacks": []})


async def test_many_who_connect_and_say_nothing_keep_nobody_from_being_answered_for_long(told: str) -> None:
    where = httpx.URL(told)
    held = [socket.create_connection((where.host, where.port)) for _ in range(40)]
    try:
        with pytest.raises(httpx.HTTPError):
            await asyncio.to_thread(httpx.get, f"{told}/health", timeout=5.0)
    finally:
        for one in held:
            one.close()

    def answered() -> int:
        while True:  # the threads see that nobody is there any more
            try:
                return httpx.get(f"{told}/health", timeout=5.0).status_code
            except httpx.HTTPError:
                continue

    assert await asyncio.to_thread(answered) == 200


def test_a_loop_that_stands_still_is_found_out() -> None:
    loop, go_on = asyncio.new_event_loop(), threading.Event()
    loop.call_soon(go_on.wait)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with pytest.raises(LoopStandsStill):
            ask(loop, lambda: 1, within_s=0.05)
        go_on.set()
        assert ask(loop, lambda: 1, within_s=10.0) == 1
        with pytest.raises(ZeroDivisionError):
            ask(loop, lambda: 1 // 0, within_s=10.0)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    with pytest.raises(LoopStandsStill):
        ask(loop, lambda: 1, within_s=0.05)


def test_latency_is_that_of_every_reading_of_a_run() -> None:
    records = [Record(b"k", b"v", offset, 0, timestamp=1_000 * offset) for offset in range(3)]
    latency = Latency(lambda: 3.0)
    latency.durable([came_ms(records)])
    assert latency.seconds.cumulative()[-1] == ("+Inf", 3.0)
    assert latency.seconds.sum == 3.0 + 2.0 + 1.0


def _silence(now: list[float]) -> tuple[Machines, dict[int, Alone], Silence]:
    machines = Machines(choose_stacks(["load"]), EngineSettings())
    parts = {n: Alone(Engine(machines, n), STAMP, Limits(65_536, 100)) for n in range(2)}
    return machines, parts, Silence(machines, lambda: now[0], silent_after_s=60.0)


def _come(part: Alone, machine: str, offset: int) -> None:
    body = b'{"machine_id": "%s", "time": %d, "casing_pressure": 1, "tubing_pressure": 1}'
    key = machine.encode()
    part.judge([Record(key, body % (key, 1_700_000_000 + offset), offset, part.engine.partition)])


def test_a_machine_is_silent_once_nothing_came_of_it_for_long_enough() -> None:
    now = [0.0]
    _, parts, silence = _silence(now)
    assert silence.silent() == 0
    for machine in ("well-1", "well-2"):
        _come(parts[0], machine, len(machine))
    assert silence.silent() == 0
    now[0] = 50.0
    _come(parts[0], "well-1", 10)
    assert silence.silent() == 0
    now[0] = 61.0
    assert silence.silent() == 1
    _come(parts[0], "well-2", 11)
    assert silence.silent() == 0


def test_machines_that_stay_when_others_go_keep_their_silence() -> None:
    now = [0.0]
    machines, parts, silence = _silence(now)
    _come(parts[0], "well-1", 1)
    _come(parts[1], "well-2", 1)
    _come(parts[1], "well-3", 2)
    silence.silent()
    now[0] = 50.0
    _come(parts[1], "well-3", 3)
    silence.silent()
    keep_only(machines, [parts[1].engine])
    now[0] = 70.0
    assert silence.silent() == 1
    _come(parts[1], "well-2", 4)
    assert silence.silent() == 0
