"""The command line: settings and where they come from, topics, the doctor, labels in a terminal."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from schemas.errors import BadSettings
from streams.access.rights import rights
from streams.cli.main import COMMANDS, app
from streams.config_report import settings_in_order
from streams.doctor import _in_the_clear as in_the_clear
from streams.settings import load_settings
from streams.topics_admin import check_topics, create_topics, require_topics
from tests.conftest import MakeSettings
from tests.processes import variables

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of the program; its exit status and what it printed."""

    def call(*arguments: str, **environment: str) -> tuple[int, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return call


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(run: Run, command: str) -> None:
    status, said = run(command, "--help")
    assert status == 0
    assert "Usage" in said


def test_flags_go_before_variables_before_the_file_before_defaults(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "wellsentry.toml"
    file.write_text('[broker]\nurl = "file:1"\ntopic_prefix = "file"\npartitions = 3\n')
    status, said = run(
        "--config", str(file), "--broker", "flag:1", "config", "--json",
        WELLSENTRY_BROKER__URL="variable:1", WELLSENTRY_BROKER__TOPIC_PREFIX="variable",
    )  # fmt: skip
    assert status == 0
    found = {one["name"]: (one["value"], one["origin"]) for one in msgspec.json.decode(said)}
    assert found["broker.url"] == ("flag:1", "flag")
    assert found["broker.topic_prefix"] == ("variable", "environment")
    assert found["broker.partitions"] == (3, "file")
    assert found["broker.replication"] == (1, "default")


def test_secrets_are_never_shown(run: Run) -> None:
    keys = {"WELLSENTRY_DYNAMODB__ACCESS_KEY_ID": "local", "WELLSENTRY_DYNAMODB__SECRET_ACCESS_KEY": "do-not-tell"}
    _, said = run("config", "--json", **keys)
    assert "do-not-tell" not in said
    assert "(hidden)" in said


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(BadSettings, match=r"broker\.colour"):
        load_settings(broker={"colour": "red"})


def test_every_setting_is_explained_or_speaks_for_itself() -> None:
    shown = settings_in_order(load_settings(), {}, {}, Path("none.toml"))
    assert len(shown) > 25
    assert {one.origin for one in shown} == {"default"}


def test_topics_are_created_once_and_checked(any_broker_url: str, make_settings: MakeSettings, run: Run) -> None:
    settings = make_settings(any_broker_url)
    environment = variables(settings)
    assert run("topics", "check", **environment)[0] == 1
    created = run("topics", "create", "--json", **environment)[1]
    assert len(msgspec.json.decode(created)["created"]) == len(tuple(settings.topics))
    assert create_topics(settings) == []
    assert run("topics", "check", **environment) == (0, "all topics are as declared\n")


def test_a_topic_with_other_partitions_is_told_with_its_remedy(
    any_broker_url: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(any_broker_url)
    create_topics(settings)
    more = make_settings(any_broker_url, broker={"partitions": settings.broker.partitions + 1})
    assert {one.what for one in check_topics(more)} == {"partitions"}
    with pytest.raises(Exception, match="partitions is 4, must be 5"):
        require_topics(more, rights(more)["worker"])


def test_the_doctor_finds_nothing_wrong_where_all_is_well(
    any_broker_url: str, embedded_aws_url: str, make_settings: MakeSettings, run: Run
) -> None:
    settings = make_settings(any_broker_url, embedded_aws_url)
    create_topics(settings)
    status, said = run("doctor", "--json", **variables(settings))
    findings = msgspec.json.decode(said)
    assert status == 0, findings
    assert {one["check"] for one in findings} >= {"broker", "topics", "dynamodb", "registry", "versions"}
    assert {one["health"] for one in findings if one["check"] != "dynamodb"} == {"ok"}


def test_the_doctor_tells_what_travels_in_the_clear_to_another_machine() -> None:
    def told(**sections: dict[str, str]) -> list[str]:
        return [one.what.split(":")[0] for one in in_the_clear(load_settings(**sections))]

    near = {"endpoint": "http://localhost:8000"}
    assert told(broker={"url": "127.0.0.1:9092,localhost:9093"}, dynamodb=near) == []
    assert told(broker={"url": "kafka:9092"}, dynamodb={"endpoint": "http://db:8000"}) == [
        "broker.url",
        "dynamodb.endpoint",
    ]
    assert told(broker={"url": "kafka:9092", "security_protocol": "ssl"}, dynamodb={"endpoint": "https://db"}) == []


def test_the_doctor_says_what_is_broken_and_what_to_do(run: Run, make_settings: MakeSettings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = make_settings("127.0.0.1:9", "http://127.0.0.1:9", registry={"url": str(tmp_path / "file" / "registry")})
    status, said = run("doctor", "--json", **variables(settings))
    failed = {one["check"]: one["remedy"] for one in msgspec.json.decode(said) if one["health"] == "fail"}
    assert status == 1
    assert set(failed) == {"broker", "dynamodb", "registry"}
    assert all(failed.values())


def test_settings_reach_child_processes(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings("kafka:1", worker={"stacks": ("load", "flow"), "training_requests": False})
    for name, value in variables(settings).items():
        monkeypatch.setitem(os.environ, name, value)
    assert load_settings() == settings
