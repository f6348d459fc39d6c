"""Logs are JSON lines with an action; libraries' lines go the same way; a flood is counted, not printed."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from streams.build_info import COMMIT_VARIABLE, build_info
from streams.log import Throttle, ThrottledWarnings, calmer, get_logger, setup_logging, timed
from streams.settings import load_settings


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """What a test sets up is gone after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_the_first_line_says_which_code_starts_with_which_settings(capsys: pytest.CaptureFixture[str]) -> None:
    keys = {"access_key_id": "local", "secret_access_key": "do-not-tell"}
    setup_logging(load_settings(dynamodb=keys), "worker")
    (banner,) = lines(capsys)
    assert (banner["action"], banner["component"]) == ("start", "worker")
    assert banner["git_commit"] == build_info().git_commit
    assert "do-not-tell" not in json.dumps(banner)


def test_calls_to_the_outside_are_timed_and_failures_named(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(load_settings(), "worker")
    log = get_logger("test")
    with timed(log, "asked", action="ask", offset=7):
        pass
    with pytest.raises(OSError, match="gone"), timed(log, "asked", action="ask"):
        raise OSError("gone")
    _, good, bad = lines(capsys)
    assert (good["action"], good["ok"], good["offset"]) == ("ask", True, 7)
    assert (bad["ok"], bad["level"]) == (False, "warning")
    assert "gone" in str(bad["error"])


def test_libraries_log_the_same_way_and_only_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(load_settings(), "worker")
    logging.getLogger("aiokafka.consumer").info("about itself")
    logging.getLogger("aiokafka.consumer").warning("it %s", "matters")
    assert [line["event"] for line in lines(capsys)][1:] == ["it matters"]


def test_libraries_that_write_down_what_they_send_are_not_asked_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(load_settings(log={"level": "debug"}), "worker")
    for library in ("aiokafka.conn", "kafka.protocol.parser", "botocore.auth", "aiobotocore.endpoint", "s3fs"):
        logging.getLogger(library).debug("password: do-not-tell")
    get_logger("streams").debug("ours", action="ours")
    assert [line["event"] for line in lines(capsys)][1:] == ["ours"]


def test_a_library_that_says_one_thing_again_and_again_is_heard_once(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(load_settings(), "worker")
    for _ in range(100):
        logging.getLogger("aiokafka.conn").error("cannot connect to %s", "node 1")
    logging.getLogger("aiokafka.conn").error("another matter")
    assert [line["event"] for line in lines(capsys)][1:] == ["cannot connect to node 1", "another matter"]


def test_what_a_library_said_meanwhile_is_counted_and_what_we_say_is_not_held_back() -> None:
    now = [0.0]
    lets_through = calmer(Throttle(lambda: now[0], interval_s=10.0))

    def said(name: str) -> logging.LogRecord:
        return logging.LogRecord(name, logging.ERROR, "file", 7, "no %s", ("node",), None)

    assert [lets_through(said("aiokafka")) for _ in range(3)] == [True, False, False]
    assert [lets_through(said("streams.sink")) for _ in range(3)] == [True, True, True]
    now[0] = 10.0
    again = said("aiokafka")
    assert lets_through(again)
    assert again.getMessage() == "no node (2 more like it before)"


def test_a_flood_of_one_kind_is_let_through_once_a_second_with_its_count() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    assert [throttle("bad"), throttle("bad"), throttle("other")] == [0, None, 0]
    now[0] = 1.0
    assert throttle("bad") == 1


def test_warnings_about_what_others_sent_are_let_through_once_a_second_with_the_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    setup_logging(load_settings(), "worker")
    now = [0.0]
    tell = ThrottledWarnings(get_logger("streams.test"), lambda: now[0])
    for number in range(50):
        tell("refused", action="refused", offset=number)
    now[0] = 1.5
    tell("refused", action="refused", offset=50)
    assert [(line["offset"], line["kept_back"]) for line in lines(capsys)[1:]] == [(0, 0), (50, 49)]


def test_the_build_s_variable_names_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMIT_VARIABLE, "c0ffee")
    build_info.cache_clear()
    try:
        assert build_info().git_commit == "c0ffee"
    finally:
        build_info.cache_clear()
