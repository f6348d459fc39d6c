"""One machine's past, its labels and its model: without a browser."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.api_machine import MachineHistory
from schemas.errors import StoreError
from schemas.labels import Label
from schemas.times import iso
from streams.dashboard.commands import activate, replay, reproduce
from streams.dashboard.history import History, thinned
from streams.dashboard.left_alone import LeftAlone
from streams.dashboard.live_machine import LiveMachine
from streams.dashboard.live_rows import LiveRows
from streams.dashboard.machine_socket import machine_socket
from streams.dashboard.machines import Key, Row
from streams.dashboard.model_card import model_card
from streams.dashboard.one_label import OneLabel
from streams.dashboard.picture import Picture
from streams.dashboard.recent import Recent
from streams.dashboard.rest.history import history_router
from streams.dashboard.rest.known import Known
from streams.dashboard.rest.one_machine import one_machine_router
from streams.dashboard.rest.problems import answer_problems
from streams.dashboard.seen import LabelSeen, see_incident, see_label
from streams.dashboard.viewer import Viewer
from streams.label_store import LabelStore
from streams.label_store.packing import pack
from streams.label_store.rows import to_row
from streams.label_store.tracks import Track, join, track_of
from streams.registry import Registry
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import START_MS, incident, label
from tests.streams.trainer_parts import entry, request

KEY: Key = ("acme", "well-1", "load")
T = TypeVar("T")


def seen(made: Label) -> tuple[LabelSeen, int]:
    return see_label(made.model_dump_json().encode()), START_MS


# -- the newest labels, in memory


@given(st.lists(st.lists(st.tuples(st.sampled_from(["well-1", "well-2"]), st.integers(0, 8)), max_size=30), max_size=8))
def test_memory_holds_the_last_labels_and_of_each_reading_the_correction(
    batches: list[list[tuple[str, int]]],
) -> None:
    recent, came, asked = Recent(25), [], 0
    revisions: dict[tuple[str, int], int] = {}
    for batch in batches:
        labels = []
        for machine, offset in batch:
            revision = revisions[machine, offset] = revisions.get((machine, offset), -1) + 1
            labels.append(label(machine, offset, revision=revision, value=float(len(came))))
            came.append(labels[-1])
        recent.take_labels([seen(one) for one in labels])
        new, asked = recent.since(KEY, asked), recent.end
        mine = {one.source_offset: one for one in labels if one.machine_id == "well-1"}
        if new is None:
            assert len(labels) > 25
        elif mine or len(new):
            assert new.offsets.tolist() == sorted(mine)
    held = {one.source_offset: one for one in came[-25:] if one.machine_id == "well-1"}
    track = recent.track(KEY, 0, 2**60)
    assert track.offsets.tolist() == sorted(held)
    assert track.numbers[:, 0].tolist() == [held[offset].value for offset in sorted(held)]


def test_memory_knows_whose_a_label_is_and_what_it_said() -> None:
    recent = Recent(100)
    recent.take_labels(
        [seen(label("well-1", 4)), seen(label("well-2", 5, label="unscored", reason="frozen", median=None))]
    )
    found = recent.find("load", 0, 5, 0)
    assert found is not None
    assert (found.key[1], found.time_ms) == ("well-2", START_MS + 5 * 60_000)
    assert recent.find("load", 0, 5, 1) is None
    track = recent.track(("acme", "well-2", "load"), 0, 2**60)
    assert track.signals == ("casing_pressure", "tubing_pressure")
    assert np.allclose(track.levels, [[412.5, 260.1]])
    assert math.isnan(track.numbers[0, 1])


# -- the past


class Table:
    """DynamoDB as far as the past asks it; ``wrong``: it does not answer."""

    def __init__(self, labels: list[Label], wrong: StoreError | None = None) -> None:
        self.labels, self.wrong, self.asked = labels, wrong, 0

    def track(self, client: str, machine: str, from_ms: int, to_ms: int, stack: str) -> Track:
        rows = [
            to_row(one) for one in self.labels if (one.client_id, one.machine_id, one.stack) == (client, machine, stack)
        ]
        found = join(track_of(item) for item in pack(rows, 0, 0.0))
        return found.at((from_ms <= found.times_ms) & (found.times_ms < to_ms))

    async def ask(self, read: Callable[[LabelStore], T]) -> T:
        self.asked += 1
        if self.wrong is not None:
            raise self.wrong
        return read(self)  # type: ignore[arg-type]


def test_the_past_goes_from_the_table_into_memory_without_a_gap_and_nothing_twice() -> None:
    labels = [label("well-1", offset, value=float(offset)) for offset in range(40)]
    recent = Recent(1_000)
    recent.take_labels([seen(one) for one in labels[25:]])
    history = History(Table(labels[:30]), recent)
    past = asyncio.run(history.of(KEY, START_MS, START_MS + 40 * 60_000, 100))
    assert past.track.offsets.tolist() == list(range(40))
    assert (past.labels, past.note, past.gap_before.any()) == (40, None, np.False_)


def test_without_the_table_the_newest_is_shown_and_it_is_left_alone_for_a_while() -> None:
    now = 0
    table = Table([], StoreError("table wells cannot be read: it is gone"))
    recent = Recent(1_000)
    recent.take_labels([seen(label("well-1", 3))])
    history = History(LeftAlone(table, lambda: now), recent)
    for _ in range(3):
        past = asyncio.run(history.of(KEY, 0, 2**60, 100))
        assert (past.labels, "it is gone" in (past.note or "")) == (1, True)
    assert table.asked == 1
    now, table.wrong = 60_000, None
    assert asyncio.run(history.of(KEY, 0, 2**60, 100)).note is None


def test_a_stretch_without_labels_is_a_gap_and_a_single_peak_stays() -> None:
    there = [n for n in range(2_000) if not 800 <= n < 1_000]
    labels = [label("well-1", n, surprise=5.5 if n == 1_234 else 0.25) for n in there]
    whole = join(track_of(item) for item in pack(map(to_row, labels), 0, 0.0))
    past = thinned(whole, START_MS, START_MS + 2_000 * 60_000, 50, None)
    assert len(past.track) < 500
    assert past.track.offsets[past.gap_before].tolist() == [1_000]
    assert 1_234 in past.track.offsets


# -- REST


class LetInByName:
    """ann sees all, bob another client's machines."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope.get("headers", ())).get(b"x-name", b"ann").decode()
        scope["viewer"] = Viewer(name, "see", None if name == "ann" else frozenset({"other"}))
        await self._app(scope, receive, send)


@pytest.fixture
def ask(make_settings: MakeSettings) -> Callable[..., httpx.Response]:
    settings = make_settings()
    picture, recent = Picture(), Recent(1_000)
    for made in (label("well-1", 3), label("well-1", 4), label("pad 4/well-2", 5)):
        picture.take_labels([seen(made)])
        recent.take_labels([seen(made)])
    table, known = Table([label("well-1", 2)]), Known(picture, {}, lambda: START_MS)
    app = FastAPI()
    app.include_router(history_router(known, History(table, recent)))
    app.include_router(one_machine_router(known, OneLabel(settings, recent, table), settings))
    answer_problems(app)
    app.add_middleware(LetInByName)

    def get(path: str, name: str = "ann") -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://board") as http:
                return await http.get(path, headers={"x-name": name})

        return asyncio.run(send())

    return get


def test_the_past_is_a_day_before_the_newest_label_unless_it_is_asked_otherwise(ask: Callable[..., Any]) -> None:
    past = MachineHistory.model_validate(ask("/machines/acme/well-1/history").json())
    assert (past.columns.offset, past.labels) == ([2, 3, 4], 3)
    assert past.columns.signals == {"casing_pressure": [412.5] * 3, "tubing_pressure": [260.1] * 3}
    from_ms = START_MS + 3 * 60_000
    past = MachineHistory.model_validate(
        ask(f"/machines/acme/well-1/history?from={iso(from_ms)}&to={iso(from_ms + 1)}").json()
    )
    assert (past.columns.offset, past.columns.state, past.anomalous_at) == ([3], ["normal"], 4.0)
    assert ask("/machines/acme/pad 4%2Fwell-2/history").json()["columns"]["offset"] == [5]
    assert ask("/machines/acme/well-1/history?points=2").status_code == 422


@pytest.mark.parametrize("what", ["history", "model"])
def test_a_machine_of_another_client_is_not_there(ask: Callable[..., Any], what: str) -> None:
    assert ask(f"/machines/acme/well-1/{what}").status_code == 200
    refused, unknown = ask(f"/machines/acme/well-1/{what}", "bob"), ask(f"/machines/acme/nobody/{what}")
    assert (refused.status_code, unknown.status_code) == (404, 404)


@pytest.mark.parametrize("name", ["x", "load-99-1-0", "load-0-99999999999999999999-0"])
def test_what_is_no_label_is_refused_at_once(ask: Callable[..., Any], name: str) -> None:
    assert ask(f"/labels/{name}").json()["type"] == "urn:wellsentry:problem:unknown-label"


# -- the socket's messages


def test_a_browser_is_told_what_changed_of_that_machine_and_nothing_else() -> None:
    picture, recent = Picture(), Recent(1_000)
    live = LiveMachine(picture, LiveRows(picture, {}, lambda: START_MS), recent)

    def take(*labels: Label) -> None:
        found = [seen(one) for one in labels]
        picture.take_labels(found)
        recent.take_labels(found)

    def told() -> dict[str, Any]:
        message = live.since(KEY, shown)
        return {} if message is None else msgspec.json.decode(message)

    take(label("well-1", 1))
    assert (live.knows(KEY), live.knows(("acme", "well-2", "load"))) == (True, False)
    shown = live.begin()
    first = told()
    assert (first["row"]["machine"], first["incidents"], "labels" in first) == ("well-1", [], False)
    assert told() == {}
    take(label("well-2", 2))
    picture.take_incident(see_incident(incident("well-2", 2).model_dump_json().encode()))
    assert told() == {}
    take(label("well-1", 3), label("well-1", 4))
    picture.take_incident(see_incident(incident("well-1", 4).model_dump_json().encode()))
    then = told()
    assert (then["labels"]["offset"], then["row"]["label_id"]) == ([3, 4], "load-0-4-0")
    assert [one["id"] for one in then["incidents"]] == ["inc-load-0-4-0"]
    take(*(label("well-1", 5 + n) for n in range(1_500)))
    assert told()["reload"] is True


def test_a_socket_of_another_client_s_machine_is_closed_and_says_nothing() -> None:
    picture, recent, caught_up = Picture(), Recent(1_000), asyncio.Event()
    picture.take_labels([seen(label("well-1", 1))])
    caught_up.set()
    app = FastAPI()
    app.include_router(machine_socket(LiveMachine(picture, LiveRows(picture, {}, lambda: 0), recent), caught_up, 0.05))
    app.add_middleware(LetInByName)

    def said(machine: str, name: str, query: bytes = b"") -> Message:
        """The first thing that a browser hears once it was let in; then it goes away."""

        async def listen() -> Message:
            come: asyncio.Queue[Message] = asyncio.Queue()
            heard: asyncio.Queue[Message] = asyncio.Queue()
            scope = {
                "type": "websocket", "path": f"/live/machine/acme/{machine}", "query_string": query,
                "headers": [(b"x-name", name.encode())], "subprotocols": [],
            }  # fmt: skip
            come.put_nowait({"type": "websocket.connect"})
            serving = asyncio.create_task(app(scope, come.get, heard.put))
            assert (await heard.get())["type"] == "websocket.accept"
            first = await heard.get()
            come.put_nowait({"type": "websocket.disconnect", "code": 1000})
            await serving
            return first

        return asyncio.run(asyncio.wait_for(listen(), 10))

    assert "well-1" in said("well-1", "ann")["text"]
    for hidden in (said("well-1", "bob"), said("well-1", "ann", b"stack=flow"), said("nobody", "ann")):
        assert (hidden["type"], hidden["code"]) == ("websocket.close", 4404)


# -- commands and models


def test_commands_can_be_typed_as_they_are() -> None:
    odd = label("well 7; rm", 500)
    assert reproduce(odd, "table") == "wellsentry reproduce load-0-500-0 --client acme --machine 'well 7; rm'"
    assert replay(odd, 2) == (
        "wellsentry replay 'well 7; rm' --client acme --partition 0 --from-offset 380 --to-offset 620 --diff"
    )
    assert replay(label("well-1", 5, source_topic="file"), 2) is None
    assert "--machine '*'" in activate("0123456789abcdef", "acme", "*", "load", "ann")


def test_a_card_has_the_model_in_force_and_the_others(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(registry={"url": str(tmp_path / "models")}).registry
    registry = Registry(settings)
    older, newer = entry(request()), entry(request(offset=400), minutes=5)
    for one in (older, newer):
        registry.store(one)
    row = Row("acme", "well-7", "load", model_digest=newer.update.digest, model_rung="own")
    card = model_card(settings, row, "ann")
    assert card.manifest is not None
    assert card.manifest.reason == "first"
    assert [one.digest for one in card.earlier] == [older.update.digest]
    assert f"activate {older.update.digest} --client acme --machine well-7" in card.earlier[0].command
    (curve,) = card.curves
    middle = curve.surprises[len(curve.surprises) // 2]
    assert curve.values[0] < curve.expected_low < curve.expected_high < curve.values[-1]
    assert middle < min(curve.surprises[0], curve.surprises[-1])
    gone = model_card(settings, Row("acme", "well-7", "load", model_digest="0" * 16, model_rung="own"), "ann")
    assert "has no model 0000000000000000" in (gone.note or "")
    none = model_card(settings, Row("acme", "well-8", "load"), "ann")
    assert (none.digest, "200 readings" in (none.note or "")) == (None, True)
