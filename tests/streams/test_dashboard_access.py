"""What decides who comes in, without a process: users, sessions, proxies, other sites, limits, and the gate itself."""

import asyncio
import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from schemas.errors import BadSettings, RefusedRequest
from streams.dashboard.access.arrival import Arrival, Proxies, SaidByProxy, arrival_of, without_proxy_headers
from streams.dashboard.access.buckets import Allowance, Bucket, Buckets
from streams.dashboard.access.cutting import SIGNED_OUT, CutSocket
from streams.dashboard.access.gate import Gate
from streams.dashboard.access.limits import Limits
from streams.dashboard.access.other_sites import require_known_host, require_own_site
from streams.dashboard.access.rules import require_sign_in_beyond_this_machine, rules_of
from streams.dashboard.access.sessions import Sessions
from streams.dashboard.access.sign_in_page import safe_next
from streams.dashboard.access.tokens import hash_of, is_token, token_of
from streams.dashboard.access.users import entry_of, users_of
from streams.dashboard.access.users_file import UsersFile
from streams.dashboard.viewer import Viewer, viewer_of
from streams.settings import load_settings

ANN, BOB = token_of(b"a" * 32), token_of(b"b" * 32)
FILE = entry_of("ann", "answer", ["acme"], hash_of(ANN)) + entry_of("bob", "see", "all", hash_of(BOB))
GROUPS = """
groups = [{name = "first", role = "see", clients = ["acme"]}, {name = "second", role = "answer", clients = "all"}]
"""


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


# -- users and tokens


def test_a_token_is_its_user_s_and_no_other_text_is_anybody_s() -> None:
    users = users_of(FILE, "users.toml")
    found = users.by_token(ANN)
    assert found is not None
    assert found[0].viewer == Viewer("ann", "answer", frozenset({"acme"}))
    assert users.by_key("ann", found[1]) == found[0]
    for text in ("", "ann", hash_of(ANN), ANN[:-1], ANN + "A", token_of(b"c" * 32), "wellsentry_" + "é" * 43):
        assert users.by_token(text) is None
    assert users.by_key("bob", found[1]) is None, "a key is of its own user"


@given(st.binary(min_size=32, max_size=32))
def test_what_is_kept_of_a_token_is_not_the_token(random_bytes: bytes) -> None:
    token = token_of(random_bytes)
    assert is_token(token)
    assert not is_token(hash_of(token))
    assert token not in entry_of("ann", "see", "all", hash_of(token))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names nobody"),
        ("[[users]", "no TOML"),
        (FILE + entry_of("ann", "see", "all", hash_of(token_of(b"c" * 32))), "user ann is there twice"),
        (FILE + entry_of("eve", "see", "all", hash_of(ANN)), "token hash"),
        (FILE.replace('role = "see"\n', ""), "users.1.role: Field required"),
        (FILE.replace('clients = "all"\n', ""), "users.1.clients: Field required"),
        (FILE.replace('"all"', '"everything"'), "users.1.clients"),
        (FILE.replace('"all"', "[]"), "users.1.clients"),
        (FILE.replace(hash_of(ANN), ANN), "users.0.tokens.0"),
        (FILE + 'admin = "yes"\n', "users.1.admin"),
    ],
)
def test_a_users_file_that_could_be_misread_is_refused_and_nothing_secret_is_shown(text: str, why: str) -> None:
    with pytest.raises(BadSettings, match=why) as error:
        users_of(text, "users.toml")
    assert "users.toml" in str(error.value)
    assert ANN not in str(error.value)


def test_a_proxy_s_user_counts_by_name_and_else_by_the_first_group_in_the_file() -> None:
    users = users_of(GROUPS + FILE, "users.toml")
    assert users.by_proxy("ann", ["second"]) == Viewer("ann", "answer", frozenset({"acme"}))
    assert users.by_proxy("eve", ["second", "first"]) == Viewer("eve", "see", frozenset({"acme"}))
    assert users.by_proxy("eve", ["third"]) is None


def test_a_users_file_is_read_again_when_it_changes_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "users.toml", Clock()
    with pytest.raises(BadSettings, match=r"cannot be read.*dashboard\.users_file"):
        UsersFile(path, clock)
    path.write_text(FILE)
    file = UsersFile(path, clock)
    path.write_text("[[users]")
    clock.now_s += 1
    assert file.users.by_token(ANN)
    path.write_text(entry_of("bob", "see", "all", hash_of(BOB)))
    assert file.users.by_token(ANN), "looked at once a second"
    clock.now_s += 1
    assert not file.users.by_token(ANN)
    path.unlink()
    clock.now_s += 1
    assert file.users.by_token(BOB)


def test_the_users_files_and_settings_that_the_docs_show_can_be_used() -> None:
    text = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text()
    shown = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(shown) == 3
    for example in shown:
        if "[dashboard]" in example:
            load_settings(**tomllib.loads(example))
        else:
            users_of(example.replace("18e7…", "0" * 64), "docs/dashboard.md")


# -- sessions


def test_a_session_lasts_until_its_end_or_its_sign_out_and_is_nobody_else_s_to_make() -> None:
    clock, ids = Clock(), iter("123456")
    sessions = Sessions("s" * 32, 60, clock, ids.__next__)
    cookie, other = sessions.open("ann", "key"), sessions.open("ann", "key")
    session = sessions.read(cookie)
    assert session is not None
    assert (session.name, session.key) == ("ann", "key")
    sessions.end(session)
    assert sessions.read(cookie) is None
    assert sessions.read(other) is not None
    assert Sessions("t" * 32, 60, clock, ids.__next__).read(other) is None, "another secret"
    for forged in ("", "x", other[:-1], other + "x", other.replace(other[5], "A" if other[5] != "A" else "B", 1)):
        assert sessions.read(forged) is None
    clock.now_s += 60
    assert sessions.read(other) is None


# -- where somebody comes from


def scope_of(peer: str, *headers: tuple[str, str], path: str = "/", method: str = "GET", kind: str = "http") -> Scope:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return {
        "type": kind, "method": method, "path": path, "query_string": b"", "scheme": "http", "client": (peer, 1),
        "headers": raw,
    }  # fmt: skip


PROXIES = Proxies([ip_network("10.0.0.0/8"), ip_network("::1/128")], "X-User", "X-Groups")


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_an_address_is_the_last_that_no_proxy_of_ours_vouches_for(peer: str, told: str, address: str) -> None:
    arrival = arrival_of(scope_of(peer, ("X-Forwarded-For", told), ("X-Forwarded-Proto", "https")), PROXIES)
    assert arrival.address == address
    assert arrival.is_https == (peer != "192.0.2.1")


def test_a_proxy_s_headers_are_believed_from_proxies_alone_and_go_no_further() -> None:
    headers = (("X-User", "ann"), ("X-Groups", "a, b"), ("X-Forwarded-Prefix", "/x"), ("Accept", "*/*"))
    assert arrival_of(scope_of("10.1.2.3", *headers), PROXIES).said == SaidByProxy("ann", ("a", "b"))
    assert arrival_of(scope_of("192.0.2.1", *headers), PROXIES).said is None
    assert arrival_of(scope_of("10.1.2.3", ("X-User", "ann"), ("X-User", "bob")), PROXIES).said is None
    assert without_proxy_headers(scope_of("10.1.2.3", *headers)["headers"], PROXIES) == [(b"accept", b"*/*")]


# -- other sites


def arrival(kind: str = "http", method: str = "GET", **headers: str) -> Arrival:
    named = {name.replace("_", "-"): value for name, value in {"host": "127.0.0.1:8080", **headers}.items()}
    return Arrival(kind, method, "/", "", "127.0.0.1", is_https=False, headers=Headers(named), said=None)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "[::1]:80", "localhost:1", "10.1.1.1", "wells.example:9", "WELLS.example"]
)
def test_it_is_known_under_addresses_and_the_names_it_was_given(host: str) -> None:
    require_known_host(arrival(host=host), {"wells.example"})


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example:8080", "[", "localhost.evil.example", "@"]
)
def test_a_name_that_was_made_to_point_here_is_refused(host: str) -> None:
    with pytest.raises(RefusedRequest, match=r"dashboard\.hosts") as refused:
        require_known_host(arrival(host=host), {"wells.example"})
    assert refused.value.status == 421


def passes(one: Arrival, *, browser: bool = True) -> bool:
    try:
        require_own_site(one, {"wells.example"}, by_credentials_of_the_browser=browser)
    except RefusedRequest:
        return False
    return True


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_our_own_pages_make_a_browser_change_something_or_open_a_socket(kind: str) -> None:
    method = "POST" if kind == "http" else "GET"
    for ours in ("http://127.0.0.1:8080", "https://wells.example"):
        assert passes(arrival(kind, method, origin=ours))
    for theirs in ("http://evil.example", "null", "http://127.0.0.1:8081", "http://localhost:8080", "http://[", ""):
        assert not passes(arrival(kind, method, origin=theirs))
        assert not passes(arrival(kind, method, origin=theirs), browser=False), (
            "open to this machine is not open to sites"
        )
    assert not passes(arrival(kind, method)), "a browser says from where"
    assert passes(arrival(kind, method), browser=False), "a program does not"
    assert passes(arrival(kind, method, sec_fetch_site="same-origin"))
    for site in ("cross-site", "same-site"):
        assert not passes(arrival(kind, method, sec_fetch_site=site, sec_fetch_mode="navigate"), browser=False)


def test_a_link_from_elsewhere_may_be_followed_and_nothing_else_be_taken() -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert passes(arrival(**link))
    assert not passes(arrival(**{**link, "sec_fetch_dest": "iframe"}))
    assert not passes(arrival(**{**link, "sec_fetch_mode": "no-cors", "sec_fetch_dest": "script"}))
    assert not passes(arrival(origin="http://evil.example"))


@given(st.text(max_size=30))
def test_signing_in_leads_to_no_other_site(text: str) -> None:
    for then in (text, "/" + text, "//" + text, "/\\" + text):
        path = safe_next(then)
        assert path.startswith("/")
        assert not path.startswith(("//", "/\\"))
        assert path.isprintable()


# -- limits


@given(
    st.floats(0.1, 100),
    st.floats(1, 100),
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 5)), min_size=1, max_size=40),
)
def test_no_more_comes_through_than_fits_and_flows_in(
    per_s: float, burst: float, tries: list[tuple[float, float]]
) -> None:
    allowance = Allowance(per_s, burst)
    bucket, now_s, taken = Bucket(burst, 0.0), 0.0, 0.0
    for later_s, amount in tries:
        now_s += later_s
        bucket, wait_s = allowance.take(bucket, amount, now_s)
        taken += min(amount, burst) if wait_s == 0 else 0
        assert taken <= burst + per_s * now_s + 1e-6
        if wait_s:
            assert allowance.take(bucket, amount, now_s + wait_s + 1e-9)[1] < 1e-6, "it is told how long to wait"


def test_buckets_are_of_one_key_each_and_bounded() -> None:
    clock = Clock()
    buckets = Buckets(Allowance(1, 1), clock, most_keys=100)
    assert [buckets.take("a"), buckets.take("b")] == [0, 0]
    assert buckets.take("a") == 1.0
    for number in range(1_000):
        buckets.take(str(number))
    assert len(buckets) == 100


def test_too_much_is_refused_with_when_to_try_again_and_others_go_on() -> None:
    limits = Limits(2, 6, sockets=3, sockets_of_a_viewer=2, now_s=Clock())
    for _ in range(20):
        limits.request_of("ann")
    with pytest.raises(RefusedRequest, match=r"ann .*dashboard\.requests_per_s") as refused:
        limits.request_of("ann")
    assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
    limits.page_of("bob")
    for _ in range(3):
        limits.answer_of("ann")
    with pytest.raises(RefusedRequest, match=r"dashboard\.answers_per_min"):
        limits.answer_of("ann")
    with limits.socket_of("ann"), limits.socket_of("ann"):
        with pytest.raises(RefusedRequest, match=r"dashboard\.sockets_of_a_viewer"):
            limits.require_room("ann")
        with limits.socket_of("bob"), pytest.raises(RefusedRequest, match=r"dashboard\.sockets lets"):
            limits.require_room("cid")
    limits.require_room("ann")


# -- settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "wells.example"])
def test_nobody_is_let_in_unasked_beyond_this_machine(host: str) -> None:
    with pytest.raises(BadSettings, match=r"dashboard\.users_file .*wellsentry token"):
        require_sign_in_beyond_this_machine(load_settings(dashboard={"host": host}).dashboard)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_needs_no_sign_in(host: str) -> None:
    require_sign_in_beyond_this_machine(load_settings(dashboard={"host": host}).dashboard)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"proxy_user_header": "X-User"}, "trusted_proxies"),
        ({"proxy_user_header": "X-User", "trusted_proxies": ["10.0.0.0/8"]}, "users_file"),
        ({"proxy_groups_header": "X-Groups"}, "proxy_user_header"),
        ({"trusted_proxies": ["10.0.0.1/8"]}, "host bits"),
        ({"hosts": ["https://wells.example"]}, "no host name"),
        ({"session_secret": "short"}, "32"),
        ({"key_file": "key.pem"}, "certificate_file"),
    ],
)
def test_settings_that_would_let_in_whom_they_should_not_are_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(BadSettings, match=why):
        load_settings(dashboard=given)


# -- the gate


async def who(request: Request) -> JSONResponse:
    viewer, client = viewer_of(request), request.client
    body = len(await request.body())
    return JSONResponse([viewer.name, client.host if client else None, body, sorted(request.headers)])


def gated(tmp_path: Path, **dashboard: Any) -> Gate:
    (tmp_path / "users.toml").write_text(GROUPS + FILE)
    settings = load_settings(dashboard={"users_file": str(tmp_path / "users.toml"), **dashboard}).dashboard
    methods = ["GET", "POST"]
    app = Starlette(routes=[Route("/{path:path}", who, methods=methods)])
    return Gate(app, rules_of(settings))


def ask(gate: Gate, *requests: tuple[str, str, dict[str, Any]], peer: str = "192.0.2.1") -> list[httpx.Response]:
    async def go() -> list[httpx.Response]:
        transport = httpx.ASGITransport(gate, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
            return [await http.request(method, path, **more) for method, path, more in requests]

    return asyncio.run(go())


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def test_a_browser_signs_in_with_its_token_comes_back_to_where_it_was_and_signs_out(tmp_path: Path) -> None:
    ours = {"Origin": "http://127.0.0.1:8080"}
    kept = {"headers": ours}
    form = {"data": {"token": ANN, "next": "/incidents?state=open"}, "headers": ours}
    first, wrong, signed, page, posted, out, after = ask(
        gated(tmp_path),
        ("GET", "/incidents?state=open", {}),
        ("POST", "/sign-in", {"data": {"token": "guess", "next": "/"}, "headers": ours}),
        ("POST", "/sign-in", form),
        ("GET", "/", {}),
        ("POST", "/anything", kept),
        ("POST", "/sign-out", kept),
        ("GET", "/", {}),
    )
    assert (first.status_code, first.headers["location"]) == (303, "/sign-in?next=/incidents%3Fstate%3Dopen")
    assert (wrong.status_code, "nobody" in wrong.text, "set-cookie" in wrong.headers) == (401, True, False)
    assert (signed.status_code, signed.headers["location"]) == (303, "/incidents?state=open")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(signed.headers["set-cookie"].split("; "))
    assert ANN not in signed.headers["set-cookie"]
    assert (page.json()[:2], posted.json()[0]) == (["ann", "192.0.2.1"], "ann")
    assert page.headers["cache-control"] == "no-store"
    assert [out.headers["location"], after.headers["location"]] == ["/sign-in", "/sign-in"]


def test_over_https_the_cookie_is_for_this_host_and_https_alone(tmp_path: Path) -> None:
    gate = gated(tmp_path, trusted_proxies=["10.0.0.0/8"])
    headers = {"X-Forwarded-Proto": "https", "Origin": "https://127.0.0.1:8080"}
    (signed,) = ask(gate, ("POST", "/sign-in", {"data": {"token": ANN}, "headers": headers}), peer="10.0.0.1")
    assert signed.headers["set-cookie"].startswith("__Host-wellsentry=")
    assert "Secure" in signed.headers["set-cookie"].split("; ")


def test_a_signed_out_cookie_is_no_good_to_whoever_kept_it(tmp_path: Path) -> None:
    gate, ours = gated(tmp_path), {"Origin": "http://127.0.0.1:8080"}
    (signed,) = ask(gate, ("POST", "/sign-in", {"data": {"token": ANN}, "headers": ours}))
    cookie = {"Cookie": signed.headers["set-cookie"].split(";")[0]}
    before, _, after = ask(
        gate,
        ("GET", "/api/x", {"headers": cookie}),
        ("POST", "/sign-out", {"headers": {**cookie, **ours}}),
        ("GET", "/api/x", {"headers": cookie}),
    )
    assert (before.status_code, after.status_code) == (200, 401)


def test_a_proxy_signs_people_in_and_nobody_else_can_pretend_to_be_one(tmp_path: Path) -> None:
    gate = gated(tmp_path, trusted_proxies=["10.0.0.0/8"], proxy_user_header="X-User", proxy_groups_header="X-Groups")
    said = {"X-User": "eve", "X-Groups": "second", "X-Forwarded-For": "203.0.113.9"}
    unknown = {"headers": {"X-User": "mal"}}
    (by_proxy, stranger), (pretended,) = (
        ask(gate, ("GET", "/api/x", {"headers": said}), ("GET", "/api/x", unknown), peer="10.0.0.1"),
        ask(gate, ("GET", "/api/x", {"headers": said})),
    )
    assert by_proxy.json()[:2] == ["eve", "203.0.113.9"]
    assert not {"x-user", "x-groups", "x-forwarded-for"} & set(by_proxy.json()[3])
    assert (stranger.status_code, stranger.json()["type"]) == (403, "urn:wellsentry:problem:unknown-user")
    assert pretended.status_code == 401
    jwt = {"headers": {**said, "Authorization": "Bearer eyJhbGciOi.x.y"}}
    token = {"headers": {**said, "Authorization": f"Bearer {BOB}"}}
    assert [one.json()[0] for one in ask(gate, ("GET", "/api/x", jwt), ("GET", "/api/x", token), peer="10.0.0.1")] == [
        "eve",
        "bob",
    ]


def test_a_body_is_bounded_whether_or_not_its_size_is_told(tmp_path: Path) -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 10_000

    gate = gated(tmp_path)
    told, untold, fits = ask(
        gate,
        ("POST", "/api/x", {**bearer(ANN), "content": b"x" * 65_537}),
        ("POST", "/api/x", {**bearer(ANN), "content": endless()}),
        ("POST", "/api/x", {**bearer(ANN), "content": b"x" * 65_536}),
    )
    assert (told.status_code, untold.status_code) == (413, 413)
    assert fits.json()[:3] == ["ann", "192.0.2.1", 65_536]


def test_failed_tries_are_bounded_by_address_and_lock_nobody_out(tmp_path: Path) -> None:
    gate = gated(tmp_path)
    guess = ("GET", "/api/x", bearer(token_of(b"z" * 32)))
    tries = [one.status_code for one in ask(gate, *[guess] * 12)]
    assert tries == [401] * 10 + [429] * 2
    assert [one.status_code for one in ask(gate, ("GET", "/api/x", bearer(ANN)))] == [200], "a right token is no try"
    assert [one.status_code for one in ask(gate, guess, peer="192.0.2.2")] == [401]
    (refused,) = ask(gate, guess)
    assert int(refused.headers["retry-after"]) >= 1


def test_who_asks_too_much_gets_429_and_others_go_on(tmp_path: Path) -> None:
    gate = gated(tmp_path, requests_per_s=1, answers_per_min=4)
    feedback = ("POST", "/api/v1/feedback", bearer(ANN))
    assert [one.status_code for one in ask(gate, *[feedback] * 3)] == [200, 200, 429]
    asked = ask(gate, *[("GET", "/api/x", bearer(ANN))] * 12)
    assert [one.status_code for one in asked] == [200] * 10 + [429] * 2
    assert {"retry-after", "content-security-policy"} <= set(asked[-1].headers)
    assert ask(gate, ("GET", "/api/x", bearer(BOB)))[0].status_code == 200


def test_every_answer_has_the_headers_that_protect_browsers(tmp_path: Path) -> None:
    gate = gated(tmp_path)
    answers = ask(
        gate, ("GET", "/", {}), ("GET", "/sign-in", {}), ("GET", "/api/x", bearer(ANN)), ("GET", "/x", bearer("x"))
    )
    for answer in answers:
        policy = dict(one.split(" ", 1) for one in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert "unsafe-inline" not in policy["script-src"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
    nonces = {answer.headers["content-security-policy"].split("'nonce-")[1][:22] for answer in answers}
    assert len(nonces) == len(answers), "each its own"


def test_a_stream_ends_once_its_viewer_is_taken_out_of_the_users_file(tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text(FILE)
    gate = Gate(Starlette(), rules_of(load_settings(dashboard={"users_file": str(file)}).dashboard))
    sent: list[Message] = []

    async def chunks() -> Any:
        for number in range(100):
            if number == 3:
                file.write_text(entry_of("bob", "see", "all", hash_of(BOB)))
            if number >= 3:
                await asyncio.sleep(0.02)
            yield b"x"

    async def stream(scope: Scope, receive: Any, send: Any) -> None:
        await StreamingResponse(chunks())(scope, receive, send)

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    gate._app = stream
    scope = scope_of("192.0.2.1", ("host", "127.0.0.1"), ("authorization", f"Bearer {ANN}"))
    asyncio.run(gate({**scope, "asgi": {"spec_version": "2.4"}}, receive, send))
    assert 3 <= b"".join(one.get("body", b"") for one in sent).count(b"x") < 100
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def test_a_quiet_socket_is_closed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.dashboard.access.cutting._LOOK_EVERY_S", 0.01)
    over, sent = False, list[Message]()

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> Message:
        nonlocal over
        socket = CutSocket(lambda: over, receive, send)
        await socket.send({"type": "websocket.accept"})
        await socket.send({"type": "websocket.send", "text": "seen"})
        waiting = asyncio.create_task(socket.receive())
        await asyncio.sleep(0)
        over = True
        message = await waiting
        await socket.send({"type": "websocket.send", "text": "not seen"})
        await socket.let_go()
        return message

    assert asyncio.run(run()) == {"type": "websocket.disconnect", "code": SIGNED_OUT}
    assert [one["type"] for one in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
