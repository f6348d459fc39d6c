"""docs/debugging.md leads to the cause of three planted incidents: its commands show here what it says they show."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.main import app
from streams.settings import load_settings
from tests.processes import variables
from tests.streams.incidents import plant
from tests.streams.judged import Judged

PAGE = Path(__file__).parent.parent / "docs" / "debugging.md"
WALKS = re.findall(r"^```\n\$ wellsentry (.*?)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def planted(
    embedded_broker_url: str, embedded_aws_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Judged]:
    made = plant(
        load_settings(
            broker={"url": embedded_broker_url, "topic_prefix": "test-debugging", "partitions": 2},
            registry={"url": str(tmp_path_factory.mktemp("registry"))},
            dynamodb={
                "endpoint": embedded_aws_url,
                "table": "test-debugging",
                "access_key_id": "local",
                "secret_access_key": "local",
            },
            worker={"detectors": {"load": "isolation_forest"}},
        )
    )
    yield made
    made.close()


@pytest.mark.parametrize(("command", "shown"), WALKS, ids=[command for command, _ in WALKS])
def test_a_walk_of_the_page_shows_what_the_page_says(
    planted: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, shlex.split(command), env=variables(planted.settings))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    for line in shown.splitlines():
        start = line.removesuffix("…").rstrip()
        assert any(one == line or (line.endswith("…") and one.startswith(start)) for one in lines), result.output


def test_the_page_walks_to_all_three_causes() -> None:
    assert len(WALKS) == 6
    causes = re.findall(r"\*\*Cause:\*\* (.*?)[.:,]", PAGE.read_text())
    assert causes == ["the sender", "the model", "the well"]
