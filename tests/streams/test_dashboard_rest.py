"""REST without a process: pages, cursors, who may what, and how a refusal looks."""

import asyncio
import functools
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.api import LabelPage, Problem
from schemas.errors import RefusedRequest
from schemas.feedback import Feedback
from schemas.labels import Label
from streams.dashboard.following import Following
from streams.dashboard.health.rejections import Rejections
from streams.dashboard.picture import Picture
from streams.dashboard.rest.cursors import cursor_of, key_of, page_after
from streams.dashboard.rest.known import Known
from streams.dashboard.rest.labels import label_page
from streams.dashboard.rest.orders import Orders
from streams.dashboard.rest.routes import PREFIX, Rest, Tails, nothing_else
from streams.dashboard.rest.stored import Stored
from streams.dashboard.seen import see_incident, see_label
from streams.dashboard.viewer import Viewer
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.dashboard_at_hand import START_MS, incident, label

VIEWERS = {
    "ann": Viewer("ann", "answer", None),
    "bob": Viewer("bob", "answer", frozenset({"other"})),
    "cid": Viewer("cid", "see", frozenset({"acme"})),
}
INCIDENT = "inc-load-0-9-0"


class LetInByName:
    """Whoever names itself is let in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["viewer"] = VIEWERS[dict(scope["headers"])[b"x-name"].decode()]
        await self._app(scope, receive, send)


class ToThePicture:
    """What is sent is shown at once."""

    def __init__(self, picture: Picture) -> None:
        self.sent: list[Feedback] = []
        self._picture = picture

    async def send(self, said: Feedback) -> None:
        self.sent.append(said)
        self._picture.take_feedback(said)


class Asker:
    """Asks an application without a network."""

    def __init__(self, app: FastAPI, name: str) -> None:
        self._transport, self._name = httpx.ASGITransport(app), name

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url=f"http://board{PREFIX}", headers={"x-name": self._name}
            ) as http:
                return await http.request(method, path, **more)

        return asyncio.run(ask())

    get = functools.partialmethod(request, "GET")
    post = functools.partialmethod(request, "POST")


class Board:
    """A dashboard's REST over a picture of four machines of two clients."""

    def __init__(self, settings: Settings) -> None:
        self.picture = Picture()
        for number in range(3):
            self.take(label(f"well-{number}", 1, surprise=float(number)))
        self.take(label("well-9", 1, client_id="other"))
        self.take(label("well-1", 9, surprise=5.2, label="anomalous", alert="open", incident_id=INCIDENT))
        self.picture.take_incident(see_incident(incident("well-1", 9).model_dump_json().encode()))
        self.sender = ToThePicture(self.picture)
        names = (f"id-{number}" for number in itertools.count())
        rest = Rest(
            settings,
            Known(self.picture, {("acme", "well-1"): "north"}, lambda: START_MS),
            Following(settings, self.picture, Rejections()),
            Tails.of(settings),
            self.sender,
            Stored(settings),
            lambda: next(names),
        )
        self.app = FastAPI()
        rest.add_to(self.app)
        self.app.include_router(nothing_else())
        self.app.add_middleware(LetInByName)

    def take(self, made: Label) -> None:
        """A label came."""
        self.picture.take_labels([(see_label(made.model_dump_json().encode()), START_MS)])

    def __call__(self, name: str) -> Asker:
        """A client of that name."""
        return Asker(self.app, name)


@pytest.fixture
def board(make_settings: MakeSettings) -> Board:
    return Board(make_settings())


# -- pages


@given(
    st.sets(st.integers(0, 60)),
    st.lists(st.tuples(st.integers(1, 7), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))),
)
def test_what_is_there_all_the_time_comes_once_over_the_pages_while_others_come_and_go(
    at_first: set[int], pages: list[tuple[int, set[int], set[int]]]
) -> None:
    there, always = set(at_first), set(at_first)
    got: list[int] = []
    after: tuple[int] | None = None
    for limit, come, go in itertools.chain(pages, itertools.repeat((5, set[int](), set[int]()))):
        there = (there | come) - go
        always -= go
        page, last = page_after(sorted((one,) for one in there), after, limit)
        got += [one for (one,) in page]
        if last is None:
            break
        after = key_of(cursor_of(last), (int,))
    assert got == sorted(set(got)), "in order, none twice"
    assert always <= set(got)


@pytest.mark.parametrize("cursor", ["", "é", "AAAA", "bnVsbA", "WzFd", "WyJhIl0"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(RefusedRequest, match="no cursor"):
        key_of(cursor, (str, int))


def test_rows_sorted_by_what_changes_come_once_each_though_they_change(board: Board) -> None:
    http = board("ann")
    first = http.get("/machines", params={"sort": "surprise", "limit": 2}).json()
    assert [row["machine_id"] for row in first["machines"]] == ["well-1", "well-2"]
    board.take(label("well-0", 30, surprise=9.0))  # would be the first now
    board.take(label("well-2", 30, surprise=0.1))  # and this the last
    second = http.get("/machines", params={"sort": "surprise", "limit": 2, "cursor": first["next"]}).json()
    assert [(row["machine_id"], row["surprise"]) for row in second["machines"]] == [("well-9", 0.3), ("well-0", 9.0)]
    assert second["next"] is None
    other = board("bob").get("/machines", params={"sort": "surprise", "cursor": first["next"]}).json()
    assert [row["client_id"] for row in other["machines"]] == ["other"], "a cursor shows nobody more than they may see"


def test_orders_take_bounded_memory_and_an_old_cursor_is_told_to_be_one() -> None:
    names = iter("abc")
    orders = Orders(lambda: next(names), most_keys=4)
    keys = [("acme", f"well-{number}", "load") for number in range(2)]
    kept = [orders.keep(keys) for _ in range(2)]
    assert orders.of(kept[0]) == keys
    orders.keep(keys)
    with pytest.raises(RefusedRequest, match="begin again"):
        orders.of(kept[1])


def made_labels(draws: list[tuple[int, int]]) -> list[Label]:
    """Labels by event time, offset: of each reading one or two stacks'."""
    return [
        label("well-1", offset, stack=stack, label_id=f"{stack}-{offset}", event_time=START_MS + minute * 60_000)
        for offset, (minute, stacks) in enumerate(sorted(draws))
        for stack in ("flow", "load")[:stacks]
    ]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 2)), max_size=20), st.integers(1, 7))
def test_pages_of_labels_put_together_are_all_labels(draws: list[tuple[int, int]], limit: int) -> None:
    labels = made_labels(draws)
    got: list[Label] = []
    after = (-1, -1)
    while True:
        page: LabelPage = label_page(labels, after, limit)
        got += page.labels
        assert len(page.labels) <= limit + 1
        if page.next is None:
            break
        found = key_of(page.next, (int, int))
        after = (found[0], found[1])
    assert got == labels


# -- filters


def test_rows_and_incidents_are_those_that_were_asked_for(board: Board) -> None:
    def machines(**params: str) -> list[str]:
        return [row["machine_id"] for row in board("ann").get("/machines", params=params).json()["machines"]]

    assert machines() == ["well-0", "well-1", "well-2", "well-9"]
    assert machines(client="other") == ["well-9"]
    assert machines(state="incident") == ["well-1"]
    assert machines(find="L-2") == ["well-2"]
    assert machines(machine="well-2", stack="flow") == []
    assert machines(sort="urgency", limit="1") == ["well-1"]

    def incidents(**params: str) -> list[str]:
        return [one["incident_id"] for one in board("ann").get("/incidents", params=params).json()["incidents"]]

    closed = incident("well-2", 20, state="closed", closed_at="2026-11-24T02:30:00Z")
    board.picture.take_incident(see_incident(closed.model_dump_json().encode()))
    assert incidents() == [closed.incident_id, INCIDENT], "the latest first"
    assert incidents(state="open") == [INCIDENT]
    assert incidents(machine="well-2") == incidents(state="closed") == [closed.incident_id]
    assert incidents(since="2026-11-24T02:31:00Z") == [INCIDENT]
    page = board("ann").get("/incidents", params={"limit": 1}).json()
    rest = board("ann").get("/incidents", params={"limit": 1, "cursor": page["next"]}).json()
    assert [one["incident_id"] for one in rest["incidents"]] == [INCIDENT]
    assert rest["next"] is None


# -- who may what

#: Of every route: how somebody asks for what is acme's.
ASKED: dict[str, Callable[[Asker], int]] = {
    "GET /machines/{client}/{machine}": lambda http: http.get("/machines/acme/well-1").status_code,
    "GET /machines/{client}/{machine}/labels": lambda http: http.get("/machines/acme/well-1/labels").status_code,
    "GET /incidents/{incident_id}": lambda http: http.get(f"/incidents/{INCIDENT}").status_code,
    "POST /feedback": lambda http: (
        http.post(
            "/feedback", json={"client_id": "acme", "machine_id": "well-1", "kind": "comment", "text": "seen"}
        ).status_code
    ),
}
#: Of these everybody gets an answer, of what they may see.
ANSWERED = {"GET /machines", "GET /incidents", "GET /health", "GET /events/labels", "GET /events/incidents"}


def test_every_route_is_looked_at_here(board: Board) -> None:
    paths = board.app.openapi()["paths"]
    routes = {f"{method.upper()} {path.removeprefix(PREFIX)}" for path, methods in paths.items() for method in methods}
    assert routes == ANSWERED | set(ASKED)


@pytest.mark.parametrize("route", ASKED)
def test_another_client_s_machine_is_not_there(board: Board, route: str) -> None:
    assert ASKED[route](board("bob")) == 404
    assert board.sender.sent == []


def test_a_machine_whose_name_has_a_slash_is_found(board: Board) -> None:
    board.take(label("pad-7/well-1", 1))
    board.take(label("well-0/labels", 1))
    found = board("ann").get("/machines/acme/pad-7/well-1")
    assert (found.status_code, found.json()["rows"][0]["machine_id"]) == (200, "pad-7/well-1")
    assert board("ann").get("/machines/acme/pad-7%2Fwell-1").json() == found.json()
    assert "pad-8/well-1" in board("ann").get("/machines/acme/pad-8/well-1/labels").json()["detail"]
    assert board("ann").get("/machines/acme/pad-7/well-1/labels").status_code == 503, (
        "it is known, the table is not here"
    )


def test_lists_and_counts_are_of_what_one_may_see(board: Board) -> None:
    assert [row["client_id"] for row in board("bob").get("/machines").json()["machines"]] == ["other"]
    assert board("bob").get("/incidents").json()["incidents"] == []
    health = board("bob").get("/health").json()
    assert (health["machines"], health["open_incidents"], health["states"]) == (1, 0, {"normal": 1})
    assert board("ann").get("/health").json()["states"] == {"normal": 3, "incident": 1}


def test_who_may_see_alone_is_told_that_it_may_not_answer(board: Board) -> None:
    assert ASKED["POST /feedback"](board("cid")) == 403
    assert ASKED["POST /feedback"](board("ann")) == 201
    assert [said.by for said in board.sender.sent] == ["ann"]


# -- feedback


def given_of(kind: str, **more: object) -> dict[str, object]:
    return {"client_id": "acme", "machine_id": "well-1", "kind": kind, **more}


def test_feedback_gets_from_its_incident_what_was_not_said(board: Board) -> None:
    said = Feedback.model_validate(
        board("ann").post("/feedback", json=given_of("confirm", incident_id=INCIDENT)).json()
    )
    found = incident("well-1", 9)
    assert (said.stack, said.from_time, said.to_time, said.by) == ("load", found.opened_at, None, "ann")
    assert board("ann").get("/machines/acme/well-1").json()["rows"][0]["answer"]["verdict"] == "confirm"
    undone = board("ann").post("/feedback", json=given_of("undo", undoes=said.feedback_id)).json()
    assert (undone["incident_id"], undone["stack"]) == (INCIDENT, "load")
    assert board("ann").get(f"/incidents/{INCIDENT}").json()["answer"]["verdict"] is None


def test_the_same_key_is_the_same_feedback_once_and_other_feedback_is_refused(board: Board) -> None:
    key = {"Idempotency-Key": "k"}
    until = (board.picture.incidents.cases[INCIDENT].incident.opened_at + timedelta(hours=1)).isoformat()
    tries = [
        board("ann").post("/feedback", json=given_of("shelve", incident_id=INCIDENT, until=until), headers=key)
        for _ in range(2)
    ]
    assert [one.status_code for one in tries] == [201, 201]
    assert tries[0].json() == tries[1].json()
    assert board("ann").post("/feedback", json=given_of("acknowledge"), headers=key).status_code == 409
    assert len(board.sender.sent) == 1


@pytest.mark.parametrize(
    ("given_", "status", "says"),
    [
        (given_of("confirm", incident_id="inc-load-0-1-0"), 404, "no incident"),
        ({**given_of("confirm", incident_id=INCIDENT), "machine_id": "well-2"}, 422, "is of machine well-1"),
        (given_of("confirm", incident_id=INCIDENT, stack="flow"), 422, "is of stack load"),
        ({**given_of("comment", text="here"), "client_id": "other"}, 404, "no machine"),
        ({**given_of("confirm", incident_id=INCIDENT), "client_id": "other", "machine_id": "well-9"}, 404, "no incident"),
        (given_of("undo", undoes="never"), 404, "no feedback"),
        (given_of("confirm"), 422, "needs stack and from_time"),
        (given_of("shelve"), 422, "needs until"),
        (given_of("comment", by="somebody else", text="x"), 422, "by: Extra inputs"),
        (given_of("praise"), 422, "kind"),
    ],
)  # fmt: skip
def test_feedback_that_fits_nothing_is_refused_with_what_is_wrong(
    board: Board, given_: dict[str, object], status: int, says: str
) -> None:
    answer = board("ann").post("/feedback", json=given_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in Problem.model_validate(answer.json()).detail
    assert board.sender.sent == []


# -- refusals


def test_labels_of_a_table_that_does_not_answer_are_refused_for_now(make_settings: MakeSettings) -> None:
    answer = Board(make_settings(dynamodb_url="http://127.0.0.1:9"))("ann").get("/machines/acme/well-1/labels")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:wellsentry:problem:no-dynamodb")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/machines?limit=0", 422),
        ("GET", "/machines?colour=red", 422),
        ("GET", "/machines?cursor=x", 400),
        ("GET", "/incidents?since=soon", 422),
        ("GET", "/machines/acme/well-1/labels?from=never", 422),
        ("GET", "/events/labels?label=odd", 422),
        ("GET", "/wells", 404),
        ("DELETE", "/machines", 404),
        ("POST", "/feedback", 422),
    ],
)  # fmt: skip
def test_a_refusal_is_a_problem_that_says_what_to_do(board: Board, method: str, path: str, status: int) -> None:
    answer = board("ann").request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = Problem.model_validate(answer.json())
    assert problem.status == status
    assert problem.type.startswith("urn:wellsentry:problem:")
    assert problem.detail
