"""Each role against each route and each stream of a dashboard that runs; and what a person with a browser sees of it."""

import asyncio
import base64
import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import websockets
from playwright.sync_api import Page, expect

from schemas.feedback import Feedback
from streams.dashboard.access.tokens import hash_of, token_of
from streams.dashboard.access.users import entry_of
from streams.settings import load_settings
from tests.dashboard_at_hand import dashboard, incident, label, records
from tests.dashboard_routes import EXPECTED, ROLES, Try, nicegui_version, routes
from tests.processes import Process
from tests.topics_at_hand import TopicsAtHand

TOKENS = {name: token_of(name.encode().ljust(32)) for name in ("see", "answer", "all")}
USERS = "".join(
    entry_of(name, "see" if name == "see" else "answer", "all" if name == "all" else ["acme"], hash_of(token))
    for name, token in TOKENS.items()
)
LETS_IN = ROLES[3:]


@dataclass
class Board:
    """A dashboard with users, and machines of two clients."""

    url: str
    process: Process
    topics: TopicsAtHand
    headers: dict[str, dict[str, str]]  # by role
    offsets: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def label(self, client: str, offset: int) -> None:
        """A label of the client's machine comes."""
        self.topics.send(self.topics.topics.labels.name, records([label(f"{client}-well", offset, client_id=client)]))

    def incident(self, client: str, offset: int, **more: Any) -> None:
        """An incident of it."""
        self.topics.send(
            self.topics.topics.incidents.name, records([incident(f"{client}-well", offset, client_id=client, **more)])
        )

    def logged(self, action: str) -> list[dict[str, Any]]:
        """Its log lines with this action."""
        lines = self.process.log.read_text().splitlines()
        return [json.loads(line) for line in lines if f'"action": "{action}"' in line]


@pytest.fixture(scope="module")
def board(embedded_broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    directory = tmp_path_factory.mktemp("access")
    (directory / "users.toml").write_text(USERS)
    settings = load_settings(
        broker={"url": embedded_broker_url, "topic_prefix": directory.name, "partitions": 1},
        dynamodb={"endpoint": "http://127.0.0.1:9", "access_key_id": "local", "secret_access_key": "local"},
        dashboard={"users_file": str(directory / "users.toml"), "requests_per_s": 500, "rest_tick_s": 0.25},
    )
    topics = TopicsAtHand(settings)
    with dashboard(settings, directory) as (url, process):
        board = Board(url, process, topics, _headers(url))
        for client, offset in (("rival", 8), ("acme", 9)):
            board.label(client, offset)
            board.incident(client, offset)
        with httpx.Client(base_url=url, headers=board.headers["all"]) as http:
            while len(http.get("/api/v1/incidents").json()["incidents"]) < 2:
                pass
        yield board
    topics.close()


def _headers(url: str) -> dict[str, dict[str, str]]:
    origin = {"Origin": url}
    signed = httpx.post(f"{url}/sign-in", data={"token": TOKENS["see"]}, headers=origin)
    forged = base64.urlsafe_b64encode(json.dumps(["id", "all", "0" * 16, 2**40]).encode()).decode()
    return {
        "nobody": {},
        "bad token": {"Authorization": f"Bearer {token_of(b'x' * 32)}"},
        "forged cookie": {"Cookie": f"wellsentry={forged}.{'A' * 27}", **origin},
        "see by cookie": {"Cookie": signed.headers["set-cookie"].split(";")[0], **origin},
        **{name: {"Authorization": f"Bearer {token}"} for name, token in TOKENS.items()},
    }


# -- routes


def test_every_route_is_in_the_table_of_what_each_role_gets() -> None:
    assert routes() == set(EXPECTED), "say in tests/dashboard_routes.py who gets what of a new route"


@pytest.mark.parametrize("name", EXPECTED)
def test_each_role_gets_of_a_route_what_it_may(board: Board, name: str) -> None:
    method = {"WS": "WS", "MOUNT": "GET"}.get(name.split(" ")[0], name.split(" ")[0])
    for one in EXPECTED[name]:
        got = {role: _ask(board, role, method, one) for role in ROLES}
        # Beyond ten failed tries from one address a wrong token is answered 429.
        allowed = {
            role: {status, 429} if role == "bad token" else {status}
            for role, status in zip(ROLES, one.statuses, strict=True)
        }
        wrong = {role: (status, text[:300]) for role, (status, text) in got.items() if status not in allowed[role]}
        assert not wrong, f"{name} as {one.path}"
        for role in set(ROLES) - {"all"}:
            assert "rival-well" not in got[role][1].replace(one.path, "").replace("'rival-well'", ""), (name, role)


def _ask(board: Board, role: str, method: str, one: Try) -> tuple[int, str]:
    path = one.path.replace("VERSION", nicegui_version())
    if method == "WS":
        return asyncio.run(_open(board, role, path))
    with httpx.stream(
        method, board.url + path, headers=board.headers[role], json=one.body or None, timeout=10
    ) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return response.status_code, ""  # what comes on streams, others look at
        return response.status_code, response.read().decode()


async def _open(board: Board, role: str, path: str) -> tuple[int, str]:
    try:
        async with _socket(board, role, path) as socket:
            return 101, str(await socket.recv())
    except websockets.InvalidStatus as refused:
        return refused.response.status_code, refused.response.body.decode()
    except websockets.ConnectionClosed as closed:
        return (closed.rcvd.code if closed.rcvd else 0) - 4_000, ""  # 4404: there is no such machine


def _socket(board: Board, role: str, path: str) -> websockets.connect:
    return websockets.connect(
        board.url.replace("http", "ws") + path, additional_headers=board.headers[role], max_size=None
    )


# -- streams


@pytest.mark.parametrize("path", ["/live/fleet", "/live/incidents"])
def test_a_socket_tells_nobody_of_another_client_s_machines(board: Board, path: str) -> None:
    asyncio.run(_nobody_is_told(board, path, _messages))


@pytest.mark.parametrize("path", ["/api/v1/events/labels?from=earliest", "/api/v1/events/incidents?from=earliest"])
def test_a_stream_of_events_tells_nobody_of_another_client_s_machines(board: Board, path: str) -> None:
    asyncio.run(_nobody_is_told(board, path, _events))


async def _nobody_is_told(board: Board, path: str, listen: Any) -> None:
    """What comes to all roles while machines of both clients change: the other's first, so that it would have come."""
    heard: dict[str, str] = dict.fromkeys(LETS_IN, "")
    news = asyncio.Event()
    listening = [asyncio.create_task(listen(board, role, path, heard, news)) for role in LETS_IN]
    await _until(lambda: all("acme-well" in text for text in heard.values()), news)
    offset = next(board.offsets)
    before = {role: len(text) for role, text in heard.items()}
    for client in ("rival", "acme"):
        await asyncio.to_thread(board.label, client, offset)
        await asyncio.to_thread(board.incident, client, offset, incident_id=f"inc-load-0-{offset}-{client}")
        told = LETS_IN if client == "acme" else ("all",)
        await _until(lambda: all(f"{client}-well" in heard[role][before[role] :] for role in told), news)  # noqa: B023
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    assert [role for role in LETS_IN if "rival" in heard[role]] == ["all"]


async def _until(condition: Any, news: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        while not condition():
            news.clear()
            await news.wait()


async def _messages(board: Board, role: str, path: str, heard: dict[str, str], news: asyncio.Event) -> None:
    async with _socket(board, role, path) as socket:
        async for message in socket:
            heard[role] += str(message)
            news.set()


async def _events(board: Board, role: str, path: str, heard: dict[str, str], news: asyncio.Event) -> None:
    async with (
        httpx.AsyncClient(base_url=board.url, headers=board.headers[role], timeout=30) as http,
        http.stream("GET", path) as response,
    ):
        async for text in response.aiter_text():
            heard[role] += text
            news.set()


def test_health_is_without_what_others_sent(board: Board) -> None:
    async def first(role: str) -> dict[str, Any]:
        async with _socket(board, role, "/live/health") as socket:
            found: dict[str, Any] = json.loads(await socket.recv())
            return found

    theirs, everything = asyncio.run(first("answer")), asyncio.run(first("all"))
    assert (theirs["rejected"], theirs["rejected_samples"]) == (None, None)
    assert sum(theirs["machines"].values()) == 1
    assert sum(everything["machines"].values()) == 2


# -- answers


def test_an_answer_has_the_name_of_who_signed_in_and_stands_in_the_log(board: Board) -> None:
    said = {"client_id": "acme", "machine_id": "acme-well", "kind": "false_alarm", "incident_id": "inc-load-0-9-0"}

    def post(role: str, **more: str) -> httpx.Response:
        return httpx.post(f"{board.url}/api/v1/feedback", json={**said, **more}, headers=board.headers[role])

    answered = Feedback.model_validate(post("answer").json())
    assert answered.by == "answer"
    assert post("answer", by="mallory").json().get("by") in ("answer", None), "the name cannot be chosen"
    (line,) = [one for one in board.logged("answer") if one["feedback_id"] == answered.feedback_id]
    assert (line["viewer"], line["address"], line["kind"]) == ("answer", "127.0.0.1", "false_alarm")
    assert line["incident_id"] == "inc-load-0-9-0"
    post("see")
    refused = board.logged("answer_refused")[-1]
    assert (refused["viewer"], refused["code"], refused["machine_id"]) == ("see", "may-not-answer", "acme-well")
    reader = board.topics.reader(board.topics.topics.feedback.name)
    while answered.feedback_id not in (found := {json.loads(one.value)["feedback_id"]: one for one in reader.more()}):
        pass
    assert json.loads(found[answered.feedback_id].value)["by"] == "answer"
    assert not any(token in board.process.log.read_text() for token in TOKENS.values())


# -- browsers


def test_a_person_signs_in_follows_a_link_from_elsewhere_and_signs_out_everywhere(board: Board, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{board.url}/incidents?state=open")
    page.get_by_label("Token").fill(TOKENS["see"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#incidents-shown")).to_contain_text("shown")
    assert page.url.startswith(f"{board.url}/incidents?state=open")
    page.locator('[row-id="inc-load-0-9-0"] [col-id="state"]').click()
    expect(page.locator("#incident")).to_contain_text("140.0 to 165.0")
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    for path, shown in (
        ("/machine/acme/acme-well", "#machine-chart canvas"),
        ("/", ".ag-row"),
        ("/health", "#health table"),
    ):
        page.goto(board.url + path)
        expect(page.locator(shown).first).to_be_visible()
    assert [text for text in said if "Content Security Policy" in text] == [], (
        "no page asks for what the policy forbids"
    )
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/static/none onerror=\"window.ran = 1\">')")
    other = page.context.new_page()
    with _another_site() as address:
        other.goto(address)
        assert other.evaluate(_ATTACK.replace("BOARD", board.url)) == ["refused", "refused", "closed"]
        other.evaluate(f"location.href = '{board.url}/incidents'")
        expect(other.locator("#incidents-shown")).to_contain_text("shown")
    assert "another-site" in {line["code"] for line in board.logged("kept_out")}, "refused here, not by the browser"
    assert page.evaluate("window.ran") is None
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_label("Token")).to_be_visible()
    expect(page.get_by_label("Token")).to_be_visible()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"another site")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextlib.contextmanager
def _another_site() -> Iterator[str]:
    """The address of a page on what a browser takes for another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


#: What a foreign page tries with the cookie of whoever looks at it.
_ATTACK = """async () => {
  const tried = path => fetch("BOARD" + path, { credentials: "include" }).then(() => "read", () => "refused");
  const socket = new Promise(done => {
    const live = new WebSocket("BOARD/live/fleet".replace("http", "ws"));
    live.onmessage = () => done("read");
    live.onclose = () => done("closed");
    setTimeout(() => done("nothing"), 5000);
  });
  return [await tried("/api/v1/machines"), await tried("/_nicegui_ws/socket.io/?EIO=4&transport=polling"), await socket];
}"""
