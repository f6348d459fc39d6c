"""One try to tell a target: what is sent, what is made of the answer, and that no secret gets out."""

import base64
import io
import logging
import re
import socket
import ssl
import struct
import threading
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from pydantic import ValidationError
from typer.testing import CliRunner

from models.notices.making import incident_notice, storm_notice
from schemas.errors import BadSettings
from schemas.notice import IncidentNotice, StormNotice
from streams.cli.main import app
from streams.notifier.by_apprise import ByApprise
from streams.notifier.outcome import Outcome
from streams.notifier.running import require_targets
from streams.notifier.said import Said
from streams.notifier.signing import signed_headers
from streams.notifier.targets import TargetSettings
from streams.notifier.webhook import Webhook
from streams.notifier.words import text_of, title_of
from streams.partitions import partition_of
from streams.settings import load_settings
from tests.certificates import make_certificates
from tests.incident import an_incident
from tests.receiver import OK, SECRET, Answer, Got, Receiver, receiving

DOCUMENT = Path(__file__).parents[2] / "docs" / "notifications.md"
NOTICE = incident_notice(an_incident("well-7", 1), "https://wells.example.com")
STORM = storm_notice([an_incident(f"well-{n}", n, peak_surprise=float(n)) for n in range(40)], None)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def _afresh(receiver: Receiver) -> None:
    receiver.got.clear()
    receiver.answer = lambda _: OK


def a_target(url: str, **other: Any) -> TargetSettings:
    return TargetSettings.model_validate({"url": url, "secret": SECRET, "timeout_s": 5, **other})


async def told(url: str, **other: Any) -> Outcome:
    async with Webhook("ops", a_target(url, **other)) as webhook:
        return await webhook.tell("inc-load-0-1-0-opened", NOTICE)


def documented(what: str) -> Any:
    """A function that docs/notifications.md shows to receivers."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)
    return space[what]


# -- what is sent


def test_signatures_are_those_of_the_specification_s_test_vector() -> None:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    headers = signed_headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_can_verify_a_notice_as_the_docs_say_with_the_new_secret_and_the_old(
    receiver: Receiver,
) -> None:
    old = "whsec_" + base64.b64encode(b"o" * 32).decode()
    assert await told(receiver.url + "/hook", old_secret=old) == Outcome("told", "answered 204")
    (got,) = receiver.got
    is_genuine = documented("is_genuine")
    assert is_genuine(SECRET, got.headers, got.body)
    assert is_genuine(old, got.headers, got.body)
    assert not is_genuine("whsec_" + base64.b64encode(b"x" * 32).decode(), got.headers, got.body)
    assert not is_genuine(SECRET, got.headers, got.body + b" ")
    assert not is_genuine(SECRET, {**got.headers, "webhook-id": "another"}, got.body)
    assert not is_genuine(SECRET, {**got.headers, "webhook-timestamp": "1614265330"}, got.body)


async def test_a_body_is_the_incident_as_on_the_topic_with_a_link(receiver: Receiver) -> None:
    await told(receiver.url + "/hook?of=us")
    (got,) = receiver.got
    assert got.path == "/hook?of=us"
    assert got.headers["content-type"] == "application/json"
    assert got.notice["link"] == "https://wells.example.com/incidents?incident=inc-load-0-1-0"
    assert got.notice["data"] == msgspec.json.decode(an_incident("well-7", 1).model_dump_json())
    assert IncidentNotice.model_validate_json(got.body) == NOTICE


# -- what is made of answers


@pytest.mark.parametrize(
    ("status", "what"),
    [(200, "told"), (204, "told"), (302, "try_again"), (400, "refused"), (401, "refused"), (404, "refused"),
     (408, "try_again"), (410, "refused"), (425, "try_again"), (429, "try_again"), (500, "try_again"), (503, "try_again")],
)  # fmt: skip
async def test_each_answer_means_told_or_try_again_or_refused(receiver: Receiver, status: int, what: str) -> None:
    receiver.answer = lambda _: (status, {"location": receiver.url + "/elsewhere"}, b"")
    assert (await told(receiver.url)).what == what
    assert [one.path for one in receiver.got] == ["/"], "redirects are not followed"


@pytest.mark.parametrize(("given", "asked_s"), [("7", 7.0), ("999999", 3600.0), ("soon", 0.0), ("-1", 0.0), ("²", 0.0)])
async def test_a_receiver_s_wish_for_patience_is_heard(receiver: Receiver, given: str, asked_s: float) -> None:
    receiver.answer = lambda _: (429, {"retry-after": given.encode().decode("latin-1")}, b"")
    assert (await told(receiver.url)).asked_s == asked_s


async def test_a_receiver_that_says_nothing_is_given_up_for_this_try(receiver: Receiver) -> None:
    released = threading.Event()

    def wait(_: Got) -> Answer:
        released.wait(20)
        return OK

    receiver.answer = wait
    assert await told(receiver.url, timeout_s=0.2) == Outcome("try_again", "no answer within 0.2 s")
    released.set()


async def test_connections_that_break_or_are_refused_are_tried_again(receiver: Receiver) -> None:
    receiver.answer = lambda _: None
    assert (await told(receiver.url)).what == "try_again"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert await told(f"http://127.0.0.1:{port}") == Outcome("try_again", "cannot be reached (ConnectError)")
        listener.listen()

        def reset() -> None:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        thread = threading.Thread(target=reset)
        thread.start()
        assert (await told(f"http://127.0.0.1:{port}")).what == "try_again"
        thread.join()


async def test_of_an_endless_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {"content-encoding": "gzip"}, b"x" * 20_000_000)
    assert await told(receiver.url) == Outcome("try_again", "answered 500", answer="x" * 500)


async def test_certificates_are_checked(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.broker)
    with receiving(tls=context) as receiver:
        right = f"https://localhost:{receiver.port}"
        assert (await told(right, ca_file=str(certificates.ca))).what == "told"
        for url, ca_file in ((right, None), (right, certificates.other_ca), (receiver.url, certificates.ca)):
            outcome = await told(url, ca_file=None if ca_file is None else str(ca_file))
            assert outcome.what == "try_again"
            assert "certificate is not to be trusted" in outcome.said
        assert len(receiver.got) == 1
    with pytest.raises(BadSettings, match="ca_file"):
        Webhook("ops", a_target(right, ca_file=str(tmp_path / "none.pem")))


# -- by apprise


async def test_apprise_tells_in_words(receiver: Receiver) -> None:
    target = TargetSettings.model_validate({"apprise": f"json://ann:hidden@127.0.0.1:{receiver.port}/x"})
    async with ByApprise("crew", target) as sender:
        assert (await sender.tell("id", NOTICE)).what == "told"
        receiver.answer = lambda _: (302, {"location": receiver.url + "/elsewhere"}, b"")
        assert (await sender.tell("id", STORM)).what == "try_again"
    one, storm = (got.notice for got in receiver.got)
    assert one["title"] == "well-7: load is high, surprise 3.2"
    assert "usual 90.0 to 105.0" in one["message"]
    assert storm["title"] == "40 incidents of 40 machines at once"
    assert "well-39 (39.0)" in storm["message"]


@pytest.mark.parametrize(
    "url", ["nothing://like/it", "jsons://host?verify=no", "jsons://host?redirect=yes", "not a url"]
)
def test_an_apprise_address_that_is_unknown_or_checks_no_certificates_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match=r"notifier\.targets\.crew\.apprise"):
        ByApprise("crew", TargetSettings.model_validate({"apprise": url}))


def test_words_say_what_is_up() -> None:
    closed = an_incident("well-7", 1, state="closed", closed_at=datetime(2026, 11, 24, 3, tzinfo=UTC))
    assert title_of(incident_notice(closed, None)) == "well-7: load is back to usual"
    assert text_of(incident_notice(closed, None)).endswith("until 2026-11-24T03:00:00.000Z")
    assert isinstance(STORM, StormNotice)


# -- settings and secrets


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "url and secret, or apprise"),
        ({"url": "https://a", "secret": SECRET, "apprise": "json://a"}, "url and secret, or apprise"),
        ({"url": "https://a"}, "needs a secret"),
        ({"url": "https://a", "secret": "hush-hush"}, "whsec_"),
        ({"url": "https://a", "secret": "whsec_aHVzaA=="}, "24 to 64"),
        ({"url": "ftp://a/hush-hush", "secret": SECRET}, "http:// or https://"),
        ({"url": "file:///hush-hush", "secret": SECRET}, "http:// or https://"),
        ({"url": "https://a:99999/hush-hush", "secret": SECRET}, "no address"),
        ({"url": "https://a/hush hush", "secret": SECRET}, "may hold"),
        ({"apprise": "json://hush-hush", "secret": SECRET}, "belong to url"),
    ],
)
def test_a_target_that_cannot_be_is_refused_without_its_secrets(given: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as caught:
        TargetSettings.model_validate(given)
    assert "hush" not in str(caught.value)
    assert SECRET not in str(caught.value)
    with pytest.raises(BadSettings, match="targets") as bad:
        load_settings(notifier={"targets": {"ops": given}})
    assert "hush" not in str(bad.value)


def test_the_settings_that_the_docs_show_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "shown.toml").write_text(shown)
    monkeypatch.setenv("WELLSENTRY_CONFIG", str(tmp_path / "shown.toml"))
    monkeypatch.setenv("WELLSENTRY_NOTIFIER__TARGETS__TICKETS__SECRET", SECRET)
    monkeypatch.setenv("WELLSENTRY_NOTIFIER__TARGETS__CREW__APPRISE", "json://host")
    targets = load_settings().notifier.targets
    assert set(targets) == set(tomllib.loads(shown)["notifier"]["targets"])
    assert targets["tickets"].secret is not None
    named = set(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOCUMENT.read_text(), re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", " ".join(named))) == set(TargetSettings.model_fields)


def test_nobody_to_tell_is_said() -> None:
    with pytest.raises(BadSettings, match="nobody is to be told"):
        require_targets(load_settings())


@pytest.fixture
def two_targets(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "wellsentry.toml"
    file.write_text(
        f'[notifier.targets.ops]\nurl = "{receiver.url}/hush-hush"\nsecret = "{SECRET}"\n'
        f'[notifier.targets.crew]\napprise = "json://ann:hush-hush@127.0.0.1:{receiver.port}/hush-hush"\n'
    )
    monkeypatch.setenv("WELLSENTRY_CONFIG", str(file))


@pytest.mark.usefixtures("two_targets")
@pytest.mark.parametrize("status", [204, 500, 404])
def test_trying_targets_sends_each_an_example_and_no_secret_is_shown_at_any_log_level(
    receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = lambda _: (status, {}, b"")
    before = logging.getLogger().handlers[:]
    err = io.StringIO()
    monkeypatch.setattr("sys.stderr", err)
    result = CliRunner().invoke(app, ["--log-level", "debug", "notify", "--try"])
    logging.getLogger().handlers[:] = before
    assert result.exit_code == (0 if status == 204 else 1), result.output
    assert [one.notice.get("type") for one in receiver.got] == ["incident.example", "info"]
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"ops  {receiver.url}  {'told' if status == 204 else 'not told'}, answered {status}")
    assert lines[1].startswith("crew  JSON (apprise)  ")
    everything = result.output + err.getvalue() + caplog.text
    assert "hush" not in everything
    assert SECRET.removeprefix("whsec_") not in everything


@pytest.mark.usefixtures("two_targets")
@pytest.mark.parametrize("arguments", [["config"], ["config", "--json"]])
def test_targets_are_shown_without_their_secrets(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})
    assert result.exit_code == 0, result.output
    assert "crew" in result.output
    assert "hush" not in result.output
    assert SECRET not in result.output


# -- what people said


def test_feedback_that_cannot_be_read_is_passed_over_and_what_is_undone_quiets_nobody() -> None:
    said = Said(lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))
    about = {"client_id": "acme", "machine_id": "well-7", "stack": None, "by": "ann", "at": "2026-11-24T11:00:00Z"}
    shelve = {**about, "incident_id": None, "feedback_id": "a", "kind": "shelve", "until": "2026-11-25T00:00:00Z"}
    undo = {**about, "incident_id": None, "feedback_id": "b", "kind": "undo", "undoes": "a"}
    incident = an_incident("well-7", 1)
    home = TopicPartition("feedback", partition_of("well-7", 8))

    def take(*values: bytes | None, key: bytes = b"well-7", tp: TopicPartition = home) -> None:
        said.take(tp, [SimpleNamespace(offset=n, key=key, value=value) for n, value in enumerate(values)], 8)

    take(b"nonsense", None)
    take(msgspec.json.encode(shelve), key=b"well-8")
    take(msgspec.json.encode(shelve), tp=TopicPartition("feedback", (home.partition + 1) % 8))
    assert said.who_quiets(incident) is None, "the engine would not take any of them either"
    take(msgspec.json.encode(shelve))
    assert said.who_quiets(incident) is not None
    assert said.who_quiets(an_incident("well-8", 1)) is None
    take(msgspec.json.encode(undo))
    assert said.who_quiets(incident) is None
