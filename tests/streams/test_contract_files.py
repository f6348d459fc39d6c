"""docs/contract/ is what the code says, validators and compilers take it, real messages fit it, and no break goes unsaid."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from schemas.feedback import Feedback
from schemas.published import CONTRACT_VERSION, PUBLISHED, READ, WRITTEN, file_name
from schemas.topics import topics
from streams.cli.main import app
from streams.contract_files import ASYNCAPI, TYPESCRIPT, contract_files
from tests.node_at_hand import ROOT, node, node_packages
from tests.streams.trainer_parts import activation, entry
from tools.sample_release import readings, samples

CONTRACT: Final = ROOT / "docs" / "contract"
RELEASED: Final = CONTRACT / "released"
LAST: Final = max(RELEASED.iterdir(), key=lambda one: [int(part) for part in one.name.split(".")])
TYPESCRIPT_EXAMPLE: Final = ROOT / "examples" / "typescript"

Messages = dict[str, list[dict[str, Any]]]


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def real_messages() -> Messages:
    """Messages by the name of their model: what the engine and the trainer write, and readings as the docs show them."""
    made = samples("0.1.0")
    by_name = {"Label": "labels", "Incident": "incidents", "Status": "status", "Rejected": "rejected",
               "TrainingRequest": "training", "ModelUpdate": "models", "Manifest": "manifest"}  # fmt: skip
    found: Messages = {name: [json.loads(line) for line in made[file]] for name, file in by_name.items()}
    page = (ROOT / "docs" / "contract.md").read_text()
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)]
    for one in [*shown, *map(dict, readings(0, 2))]:
        found.setdefault("TagReading" if "tag" in one else "WideReading", []).append(one)
    found["WideReading"].append({"machine_id": "well-7", "time": 1795488250, "signals": {"casing_pressure": None}})
    found["Activation"] = [activation(entry()).model_dump(mode="json")]
    said = {
        "client_id": "acme",
        "machine_id": "well-7",
        "stack": None,
        "incident_id": None,
        "by": "ann",
        "at": 1795488250,
    }
    found["Feedback"] = [
        Feedback.model_validate({"feedback_id": "f1", "kind": "comment", "text": "pump off", **said}).model_dump(
            mode="json"
        )
    ]
    return found


# -- the files


def test_the_files_are_those_of_the_code() -> None:
    written = {path.name: path.read_text() for path in CONTRACT.iterdir() if path.is_file()}
    assert written == contract_files(), "run wellsentry schema --to docs/contract"


def test_every_message_of_every_topic_is_published_and_has_a_writer() -> None:
    assert {schema for topic in topics("wellsentry") for schema in topic.schemas} <= set(PUBLISHED)
    assert set(PUBLISHED) == READ | WRITTEN


def test_a_schema_is_shown_and_all_are_named_and_written(tmp_path: Path) -> None:
    assert json.loads(run("schema", "Label").stdout)["title"] == "Label"
    assert [line.split()[0] for line in run("schema").stdout.splitlines()] == [model.__name__ for model in PUBLISHED]
    assert run("schema", "Lable").exit_code == 2
    run("schema", "--to", str(tmp_path / "new"))
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(contract_files())


# -- JSON Schema


def test_json_schemas_are_json_schemas_and_real_messages_fit_them(real_messages: Messages) -> None:
    for model in PUBLISHED:
        schema = json.loads((CONTRACT / file_name(model)).read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        for message in real_messages.get(model.__name__, []):
            jsonschema.validate(message, schema)
    assert real_messages.keys() >= {schema.__name__ for topic in topics("") for schema in topic.schemas}


# -- AsyncAPI


def test_asyncapi_s_own_parser_takes_the_document_and_finds_every_topic() -> None:
    node_packages(ROOT / "tests" / "node")
    done = node(ROOT / "tests" / "node" / "asyncapi.mjs", CONTRACT / ASYNCAPI)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(" ") for line in done.stdout.splitlines()] == [
        [topic.name, ",".join(schema.__name__ for schema in topic.schemas)] for topic in topics("{prefix}")
    ]


def test_asyncapi_s_own_parser_refuses_a_channel_that_is_none(tmp_path: Path) -> None:
    node_packages(ROOT / "tests" / "node")
    wrong = json.loads((CONTRACT / ASYNCAPI).read_text())
    wrong["operations"]["send-labels"]["channel"]["$ref"] = "#/channels/lables"
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    done = node(ROOT / "tests" / "node" / "asyncapi.mjs", tmp_path / "wrong.json")
    assert done.returncode == 1, done.stdout
    assert "lables" in done.stdout


def test_asyncapi_says_how_long_and_by_which_key_each_message_is_kept() -> None:
    document = json.loads((CONTRACT / ASYNCAPI).read_text())
    assert document["info"]["version"] == CONTRACT_VERSION
    for topic in topics("{prefix}"):
        channel = document["channels"][topic.name.removeprefix("{prefix}.")]
        kept = channel["bindings"]["kafka"]["topicConfiguration"]
        assert {
            "cleanup.policy": ",".join(kept["cleanup.policy"]),
            "retention.ms": str(kept["retention.ms"]),
        }.items() <= (topic.config().items())
        for schema in topic.schemas:
            binding = document["components"]["messages"][schema.__name__]["bindings"]["kafka"]
            assert binding["key"]["description"] == topic.key
    assert {name for name in document["operations"] if name.startswith("receive-")} == {
        "receive-readings",
        "receive-feedback",
    }


# -- TypeScript

#: Each line must not compile.
_WRONG: Final = (
    'const no_field: Incident = {{ ...incident, peak_at: undefined }};',
    'const a_null: Label = {{ ...label, label_id: null }};',
    'const no_verdict: Label = {{ ...label, label: "strange" }};',
    'const unchecked: number = label.surprise;',
    'const no_topic: Topics["lables"] = label;',
)  # fmt: skip


def test_real_messages_are_of_their_typescript_types_and_wrong_ones_are_not(
    real_messages: Messages, tmp_path: Path
) -> None:
    lines = [f'import type {{ {", ".join([*real_messages, "Topics"])} }} from "./wellsentry";']
    for name, messages in real_messages.items():
        lines.append(f"export const {name.lower()}s: {name}[] = {json.dumps(messages)};")
    lines += ["declare const label: Label;", "declare const incident: Incident;"]
    lines += [line for wrong in _WRONG for line in ("// @ts-expect-error", wrong.replace("{{", "{").replace("}}", "}"))]
    (tmp_path / "messages.ts").write_text("\n".join(lines))
    (tmp_path / TYPESCRIPT).write_text((CONTRACT / TYPESCRIPT).read_text())
    compiler = node_packages(TYPESCRIPT_EXAMPLE) / ".bin" / "tsc"
    done = subprocess.run(
        [compiler, "--strict", "--noEmit", "--target", "es2022", "--types", "", "messages.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- what was promised


def test_nothing_breaks_a_consumer_of_the_last_release_unless_the_version_says_so() -> None:
    result = run("schema", "--check", str(LAST))
    assert result.exit_code == 0, result.output


def test_a_contract_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    from schemas.errors import BadInputFile

    with pytest.raises(BadInputFile, match="holds no contract"):
        run("schema", "--check", str(tmp_path))


def test_a_release_that_promised_a_field_more_is_broken_and_that_is_told(tmp_path: Path) -> None:
    for name, text in contract_files().items():
        (tmp_path / name).write_text(text)
    label = tmp_path / "Label.schema.json"
    promised = json.loads(label.read_text())
    promised["properties"]["confidence"] = {"type": "number"}
    label.write_text(json.dumps(promised))
    result = run("schema", "--check", str(tmp_path))
    assert result.exit_code == 1
    assert "breaks    Label.confidence is gone" in result.output
    assert "1 changes, 1 of which break" in result.output


@pytest.mark.parametrize("lock", [ROOT / "tests" / "node", TYPESCRIPT_EXAMPLE], ids=lambda path: path.name)
def test_a_lock_of_node_packages_names_versions_and_hashes_and_no_place(lock: Path) -> None:
    locked = json.loads((lock / "package-lock.json").read_text())["packages"]
    packages = [one for name, one in locked.items() if name]
    assert packages
    assert all(one["integrity"].startswith("sha512-") and "resolved" not in one for one in packages)
