"""`wellsentry models`, as somebody at a terminal has it: what is listed, shown, compared, checked and put in force."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from models.fitting import FitParameters
from schemas.errors import UnknownModel
from schemas.manifest import Manifest
from schemas.training import ModelUpdate
from streams.build_info import BuildInfo
from streams.cli.main import app
from streams.registry import Entry, Registry
from streams.settings import Settings
from streams.topics_admin import create_topics
from streams.trainer.fleets import fit_fleet_if_due
from streams.trainer.making import handle_request
from tests.conftest import MakeSettings
from tests.processes import variables
from tests.streams.test_trainer import on_topic
from tests.streams.trainer_parts import BUILD, NOW, QUICK, activation, entry, request

Run = Callable[..., Result]


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings.registry)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `wellsentry models …` as if in a process whose environment holds the settings."""

    def invoke(settings: Settings, *arguments: str) -> Result:
        for name, value in variables(settings).items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(app, ["models", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def two_models(registry: Registry) -> tuple[Entry, Entry]:
    """An older and a newer model of well-7, and one of well-8."""
    made = entry(request(offset=199)), entry(request(offset=399), minutes=30)
    for one in (*made, entry(request("well-8"))):
        registry.store(one)
    return made


def test_of_each_machine_the_model_that_should_be_in_force_is_listed(
    settings: Settings, registry: Registry, run: Run
) -> None:
    old, new = two_models(registry)
    [*_, seven, eight] = run(settings, "list").stdout.splitlines()
    assert new.update.digest in seven
    assert seven.rstrip().endswith("newest, 1 others")
    assert "well-8" in eight
    registry.activate("acme", "well-7", "load", activation(old, pinned=True))
    rows = json.loads(run(settings, "list", "--json").stdout)
    assert (rows[0]["digest"], rows[0]["in_force"]) == (old.update.digest, "pinned by ada")


def test_of_many_machines_those_are_listed_of_which_a_model_was_fitted_last(
    settings: Settings, registry: Registry, run: Run
) -> None:
    for number in range(7):
        registry.store(entry(request(f"well-{number}"), minutes=(number * 3) % 7))
    few = run(settings, "list", "--most", "3", "--json")
    assert [row["manifest"]["machine_id"] for row in json.loads(few.stdout)] == ["well-2", "well-4", "well-6"]
    assert few.stderr == "4 more machines with models: --all shows them, --most 100 some of them\n"
    everything = run(settings, "list", "--all")
    assert (len(everything.stdout.splitlines()), everything.stderr) == (8, "")


def test_all_models_of_a_machine_are_listed_newest_first_and_damaged_ones_too(
    settings: Settings, registry: Registry, run: Run
) -> None:
    old, new = two_models(registry)
    newest = entry(request(offset=799), minutes=60)
    (Path(registry.url) / registry.store(newest)).write_text("{}")
    rows = json.loads(run(settings, "list", "well-7", "--json").stdout)
    assert [row["digest"] for row in rows] == [one.update.digest for one in (newest, new, old)]
    assert [row["in_force"] for row in rows] == ["", "newest", ""]
    assert Manifest.model_validate(rows[1]["manifest"]).source == request(offset=399).source
    assert "damaged" in run(settings, "list", "well-7").stdout.splitlines()[1]
    assert len(run(settings, "list", "well-7", "--most", "2").stdout.splitlines()) == 3


def test_where_there_are_no_models_it_is_said_what_to_do(settings: Settings, run: Run) -> None:
    result = run(settings, "list", "well-9", "--client", "acme")
    assert result.stdout == ""
    assert "no models of client 'acme' of machine 'well-9'" in result.stderr


def test_a_model_is_shown_with_all_there_is_to_know_and_drawn(
    settings: Settings, registry: Registry, run: Run, tmp_path: Path
) -> None:
    old, _ = two_models(registry)
    registry.activate("acme", "well-7", "load", activation(old))
    shown = run(settings, "show", old.update.digest[:6], "--plot", str(tmp_path / "model.svg")).stdout
    for part in (
        f"{old.update.digest} of acme/well-7/load, own", "yes, since 2026-11-24T03:44:10.000Z", "readings/0 offsets 3 to 199",
        "2026-11-24T02:35:10.000Z to 2026-11-24T02:36:10.000Z", "trees 10", f"commit {BUILD.git_commit}, all of it",
        "by ada: the newer one cries wolf", "forest-load.skops", "surprise 4 ",
    ):  # fmt: skip
        assert part in shown
    assert "</svg>" in (tmp_path / "model.svg").read_text()
    told = run(settings, "show", old.update.digest, "--json").stdout
    assert Manifest.model_validate_json(told) == registry.manifest(old.update.manifest)


def test_a_digest_s_beginning_that_is_no_model_or_several_is_refused_with_what_to_give(
    settings: Settings, registry: Registry, run: Run
) -> None:
    old, _ = two_models(registry)
    registry.store(entry(request(offset=199, client_id="other")))  # the same medians make the same model
    with pytest.raises(UnknownModel, match=r"2 models begin with .*--client"):
        run(settings, "show", old.update.digest)
    assert run(settings, "show", old.update.digest, "--client", "other").exit_code == 0
    with pytest.raises(UnknownModel, match="wellsentry models list"):
        run(settings, "show", "ffffffff")
    with pytest.raises(UnknownModel, match="at least 4"):
        run(settings, "show", old.update.digest[:3])


def test_two_models_are_compared_in_data_parameters_code_packages_band_and_curve(
    settings: Settings, registry: Registry, run: Run
) -> None:
    asked = request(offset=399)
    moved = asked.model_copy(update={"medians": [[value + 40.0 for value in asked.medians[0]]]})
    old = entry(request())
    new = handle_request(moved, NOW, FitParameters(20, 32), BuildInfo("0.2.0", "f" * 40, False))
    packages = new.manifest.packages | {"numpy": "9.9"}
    for one in (
        old,
        Entry(new.manifest.model_copy(update={"packages": packages}), new.update, new.training, new.forests),
    ):
        registry.store(one)
    digests = old.update.digest, new.update.digest
    told = json.loads(run(settings, "diff", *digests, "--json").stdout)
    found = {(one["about"], one["what"]): (one["before"], one["after"]) for one in told["differences"]}
    assert found["parameters", "trees"] == ("10", "20")
    assert found["code", "code version"] == ("0.1.0", "0.2.0")
    assert found["code", "tree clean"] == ("yes", "no")
    assert found["packages", "numpy"][1] == "9.9"
    assert "offsets 3 to 399" in found["data", "readings"][1]
    (curve,) = told["curves"]
    assert curve["usual_after"][0] - curve["usual_before"][0] == pytest.approx(40.0, abs=8.0)
    assert curve["anomalous_before"] > 0.9 > curve["anomalous_after"]
    shown = run(settings, "diff", *digests).stdout
    assert "surprise differs most at" in shown
    assert "- 10\n    + 20" in shown
    assert "the very same look-up" in run(settings, "diff", digests[0], digests[0]).stdout


def test_models_that_are_whole_are_verified_by_fitting_them_again(
    settings: Settings, registry: Registry, run: Run
) -> None:
    for machine in "abc":
        registry.store(entry(request(machine, features=2)))
    fleet = fit_fleet_if_due(registry, "acme", "load", 3, NOW, QUICK, BUILD)
    assert fleet is not None
    registry.store(fleet)
    result = run(settings, "verify")
    assert result.exit_code == 0, result.output
    assert result.stdout == "4 models, 40 checks, 0 failed\n"
    checks = json.loads(run(settings, "verify", fleet.update.digest, "--json").stdout)
    assert {"check": "refit", "what": f"fitted again it is {fleet.update.digest}"}.items() <= checks[-1].items()


@pytest.mark.parametrize("name", ["manifest.json", "lookup.json", "training.parquet", "forest-load.skops", "plot.py"])
def test_a_damaged_file_is_named(settings: Settings, registry: Registry, run: Run, name: str) -> None:
    path = Path(registry.url) / registry.store(entry())
    file = path.with_name(name)
    file.write_bytes(file.read_bytes()[:-9])
    result = run(settings, "verify")
    assert result.exit_code == 1
    assert f"/{name} is damaged" in result.stdout


def test_data_that_do_not_make_the_model_are_told_with_what_was_different(
    settings: Settings, registry: Registry, run: Run
) -> None:
    one, other = entry(), entry(request(offset=299))
    manifest = one.manifest.model_copy(update={"packages": one.manifest.packages | {"scikit-learn": "0.1"}})
    registry.store(Entry(manifest, one.update, other.training, one.forests))
    result = run(settings, "verify")
    assert result.exit_code == 1
    assert f"fitted again it is {other.update.digest}; it was made with scikit-learn 0.1, here" in result.stdout
    assert run(settings, "verify", "--no-refit").exit_code == 0


def test_an_activation_is_published_and_recorded_with_who_and_why_out_of_s3_too(
    embedded_broker_url: str, s3_endpoint: str, make_settings: MakeSettings, run: Run
) -> None:
    bucket = f"models-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
    settings = make_settings(embedded_broker_url, registry={"url": f"s3://{bucket}/wells", "s3_endpoint": s3_endpoint})
    create_topics(settings)
    registry = Registry(settings.registry)
    old, new = (entry(request(offset=n, partition=2, topic=settings.topics.readings.name), n) for n in (100, 200))
    for one in (old, new):
        registry.store(one)
    arguments = (old.update.digest, "--by", "ada", "--why", "cries wolf", "--pin")
    said = run(settings, "activate", *arguments).stdout
    assert f"in place of {new.update.digest}" in said
    assert "Pinned" in said
    ((partition, published),) = on_topic(settings)
    assert partition == 2, "where its readings are"
    assert published.activation is not None
    assert (published.activation.by, published.activation.why, published.activation.pinned) == (
        "ada",
        "cries wolf",
        True,
    )
    assert ModelUpdate.model_validate(published.model_dump() | {"activation": None}) == old.update
    assert registry.activations("acme", "well-7", "load") == [published.activation]
