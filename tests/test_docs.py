"""The docs are true: files exist, commands and settings are known, tables are those of the schemas, examples run."""

import re
import tomllib
from pathlib import Path

import pytest

from models.stacks import Stack, check_stack
from schemas.decoding import decode_reading
from schemas.topics import topics
from streams.cli.main import COMMANDS
from streams.settings import BrokerSettings, Settings
from tools import rights_table
from tools.contract_tables import DOCUMENT, written

ROOT = Path(__file__).parent.parent
RULE = re.compile(r"(?ms)^\*\*(\w+)\.\*\*(.*?)(?=^\*\*\w+\.\*\*|\Z)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = set(
        re.findall(r"`((?:schemas|models|streams|tests|tools|bench|docs|examples)/[\w./-]*)`", page.read_text())
    )
    linked = {str(Path(link)) for link in re.findall(r"\]\((docs/[\w.-]+)\)", page.read_text())}
    missing = {name for name in named | linked if not (ROOT / name).exists()}
    assert missing - {"models/stacks/drawdown.py"} == set(), "all but the one the recipe tells to write"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text()):
        assert re.search(rf"(?m)^(async )?def {name}\(", (ROOT / file).read_text()), f"{file} has no {name}"


def test_every_rule_of_the_contract_names_the_tests_that_hold_it() -> None:
    (rules,) = re.findall(r"(?s)\n## Rules\n(.*?)\n## ", DOCUMENT.read_text())
    found = {rule: re.findall(r"(?m)^- `tests/.*::test_\w+`$", text) for rule, text in RULE.findall(rules)}
    assert set(found) == {"Idempotency", "Ordering", "Delivery", "Retention", "Time", "Corrections", "Changes"}
    assert all(found.values())


def test_every_example_is_in_the_contract() -> None:
    examples = [path for path in (ROOT / "examples").rglob("*") if path.suffix in {".py", ".sh", ".ts"}]
    shown = [path for path in examples if not {"node_modules", "build"} & set(path.parts)]
    assert all(f"`{path.relative_to(ROOT)}`" in DOCUMENT.read_text() for path in shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_is_one(page: Path) -> None:
    assert set(
        re.findall(r"wellsentry ([a-z]+)\b", "\n".join(re.findall(r"`wellsentry[^`]*`", page.read_text())))
    ) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_is_named_is_one(page: Path) -> None:
    for section, name in re.findall(
        r"`(broker|worker|trainer|sink|registry|dynamodb|dashboard|metrics|log)\.(\w+)`", page.read_text()
    ):
        assert name in type(getattr(Settings(), section)).model_fields


def test_the_contract_s_tables_are_those_of_the_schemas() -> None:
    assert written(DOCUMENT.read_text()) == DOCUMENT.read_text(), "run python tools/contract_tables.py"


def test_the_table_of_rights_is_that_of_the_programs() -> None:
    text = rights_table.DOCUMENT.read_text()
    assert rights_table.written(text) == text, "run python -m tools.rights_table"


def test_the_settings_shown_for_kafka_are_settings() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    shown = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(shown) == 3
    for example in shown:
        broker = tomllib.loads(example)["broker"]
        assert BrokerSettings(**broker, password="secret" if "user" in broker else None)


def test_every_topic_is_in_the_contract() -> None:
    assert all(f"`{one.name}`" in DOCUMENT.read_text() for one in topics("wellsentry"))


def test_the_contract_s_readings_are_readings() -> None:
    for message in re.findall(r"```json\n(.*?)\n```", DOCUMENT.read_text(), re.DOTALL):
        assert decode_reading(message.encode()).machine_id == "well-7"


def test_the_recipe_s_stack_is_a_stack_of_ten_lines() -> None:
    text = (ROOT / "docs" / "add-a-stack.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    space: dict[str, object] = {}
    lines = [line.removeprefix("   ") for line in code.splitlines()]
    exec("\n".join(lines), space)
    made = [one for one in space.values() if isinstance(one, type) and issubclass(one, Stack) and one is not Stack]
    assert check_stack(made[0]()).name == "drawdown"
    body = lines[next(i for i, line in enumerate(lines) if line.startswith("class")) :]
    assert len([line for line in body if line.strip()]) <= 10
