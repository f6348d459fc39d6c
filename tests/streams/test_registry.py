"""The registry keeps models as they were, in a directory and in S3, and knows when one is damaged."""

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forest import compile_forest
from schemas.errors import DamagedEntry, RegistryError
from streams.registry import Entry, Registry, TrainingData
from streams.registry.files import Files
from streams.registry.paths import beside, models_path, safe
from streams.settings import RegistrySettings
from tests.streams.trainer_parts import NOW, QUICK, activation, entry, request

#: Runs a script that may neither use wellsentry nor reach anybody.
ALONE = """
import runpy, socket, sys
def refuse(*_): raise OSError("no network here")
socket.socket.connect = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {"schemas", "models", "streams"} & set(sys.modules)
"""


@pytest.fixture(params=["directory", "s3"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "directory":
        return Registry(RegistrySettings(url=str(tmp_path / "models")))
    endpoint = request.getfixturevalue("s3_endpoint")
    bucket = f"models-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
    return Registry(RegistrySettings(url=f"s3://{bucket}/wells", s3_endpoint=endpoint))


@pytest.fixture
def directory(tmp_path: Path) -> tuple[Registry, Path]:
    return Registry(RegistrySettings(url=str(tmp_path))), tmp_path


def test_what_is_stored_comes_back_as_it_was(registry: Registry) -> None:
    stored = entry(request(features=2))
    path = registry.store(stored)
    assert path == f"acme/well-7/load/20261124T024410.000Z-{stored.update.digest}/manifest.json"
    assert registry.update(path) == stored.update
    assert registry.update(path).manifest == path
    manifest = registry.manifest(path)
    assert manifest.model_copy(update={"files": {}}) == stored.manifest
    assert set(manifest.files) == {
        "training.parquet", "lookup.json", "forest-load.skops", "forest-swing.skops", "plot.py",
    }  # fmt: skip
    assert registry.state(path) is None
    training = registry.training(path)
    assert training.features == ("load", "swing")
    np.testing.assert_array_equal(training.machines["well-7"], request(features=2).medians)


def test_the_state_a_request_brings_is_kept_with_its_offset(registry: Registry) -> None:
    with_state = registry.store(entry(request().model_copy(update={"state": b"all of it"})))
    assert registry.state(with_state) == b"all of it"
    assert registry.manifest(with_state).state_offset == 199
    without = registry.store(entry(request(offset=250), minutes=1))
    assert registry.state(without) is None
    assert registry.manifest(without).state_offset is None


def test_the_stored_forest_still_makes_the_stored_look_up(registry: Registry) -> None:
    path = registry.store(entry())
    lookup = compile_forest(registry.forest(path, "load")).rounded(QUICK.score_digits)
    model = registry.update(path).features[0]
    x = np.linspace(200.0, 300.0, 500)
    stored = np.array(model.scores)[np.searchsorted(np.array(model.edges, np.float32), x.astype(np.float32))]
    np.testing.assert_array_equal(lookup.score_all(x), stored)


def test_a_manifest_says_who_when_why_from_what_and_by_which_code(registry: Registry) -> None:
    manifest = registry.manifest(registry.store(entry()))
    assert manifest.fitted_at == NOW
    assert manifest.reason == "first"
    assert manifest.request_id == "load-0-199"
    assert manifest.source == request().source
    assert manifest.exclusions == request().exclusions
    assert manifest.parameters == {"trees": 10, "samples_per_tree": 32, "score_digits": 2}
    assert manifest.seed == 7
    assert manifest.git_commit.startswith("0123")
    assert manifest.tree_clean is True
    assert {"python", "scikit-learn", "numpy"} <= set(manifest.packages)


def test_the_latest_is_the_one_fitted_last_whatever_the_order_of_storing(registry: Registry) -> None:
    late, early = entry(request(offset=300), minutes=5), entry(request(offset=200))
    other = entry(request("well-8"))
    for one in (late, early, other):
        registry.store(one)
    assert registry.entries("acme", "well-7", "load") == [early.update.manifest, late.update.manifest]
    assert registry.latest_whole("acme", "well-7", "load") == (registry.manifest(late.update.manifest), late.update)
    assert list(registry.all_chosen()) == [late.update, other.update]
    assert registry.in_force_of_machines("acme", "load") == [late.update.manifest, other.update.manifest]


def test_clients_whose_names_begin_alike_are_kept_apart(registry: Registry) -> None:
    for client in ("acme", "acme2"):
        registry.store(entry(request(client_id=client)))
    assert len(registry.in_force_of_machines("acme", "load")) == 1
    assert len(list(registry.all_chosen())) == 2


def test_what_was_activated_is_chosen_until_a_newer_model_comes_or_for_good_if_pinned(registry: Registry) -> None:
    old, new, newest = (entry(request(offset=offset), minutes=offset) for offset in (0, 10, 90))
    registry.store(old)
    registry.store(new)
    key = ("acme", "well-7", "load")

    def chosen() -> tuple[str, bool]:
        found = registry.chosen(*key)
        assert found is not None
        assert [found[1]] == list(registry.all_chosen())
        return found[0].digest, found[1].activation is not None

    assert chosen() == (new.update.digest, False)
    registry.activate(*key, activation(old))
    assert chosen() == (old.update.digest, True)
    registry.store(newest)
    assert chosen() == (newest.update.digest, False)
    registry.activate(*key, activation(old, minutes=91, pinned=True))
    registry.store(entry(request(offset=300), minutes=300))
    assert chosen() == (old.update.digest, True)
    assert [one.at for one in registry.activations(*key)] == [
        activation(old).at, activation(old, minutes=91).at,
    ]  # fmt: skip
    assert len(registry.entries(*key)) == 4, "a record of an activation is no entry"


def test_a_plot_is_drawn_from_the_entry_s_own_files_by_the_code_beside_them(
    directory: tuple[Registry, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    registry, root = directory
    alone = tmp_path_factory.mktemp("alone")
    shutil.copytree((root / registry.store(entry(request(features=2)))).parent, alone, dirs_exist_ok=True)
    shell = {"PATH": "", "MPLCONFIGDIR": str(alone), "MPLBACKEND": "agg"}
    program = [sys.executable, "-I", "-W", "error", "-c", ALONE, "plot.py"]
    done = subprocess.run(program, cwd=alone, env=shell, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (alone / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_registry_has_nothing_and_says_so_without_an_error(registry: Registry) -> None:
    assert registry.entries("acme", "well-7", "load") == []
    assert registry.latest_whole("acme", "well-7", "load") is None
    assert registry.in_force_of_machines("acme", "load") == []
    assert list(registry.all_chosen()) == []


def test_an_entry_without_its_manifest_is_not_there(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Files.write

    def fails_at_the_manifest(self: Files, path: str, data: bytes) -> None:
        if path.endswith("manifest.json"):
            raise RegistryError("out of space")
        write(self, path, data)

    monkeypatch.setattr(Files, "write", fails_at_the_manifest)
    with pytest.raises(RegistryError, match="out of space"):
        registry.store(entry())
    assert list(registry.all_chosen()) == []
    monkeypatch.undo()
    registry.store(entry())  # trying again completes it
    assert len(list(registry.all_chosen())) == 1


def test_the_answer_to_a_request_is_found_by_what_it_asked(registry: Registry) -> None:
    one = entry()
    registry.store(one)
    key = ("acme", "well-7", "load", one.update.digest)
    assert one.manifest.request_sha256 is not None
    assert registry.answer_to(*key, one.manifest.request_sha256) == one.update.manifest
    assert registry.answer_to(*key, "0" * 64) is None
    assert registry.answer_to("acme", "well-7", "load", "0" * 16, one.manifest.request_sha256) is None


@pytest.mark.parametrize("name", ["manifest.json", "lookup.json", "training.parquet", "forest-load.skops"])
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
def test_a_damaged_entry_is_refused_and_named(directory: tuple[Registry, Path], name: str, how: str) -> None:
    registry, root = directory
    path = registry.store(entry())
    file = root / beside(path, name)
    data = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(data[: len(data) // 2] if how == "cut" else b"{}" + data[2:])
    read = {
        "manifest.json": registry.manifest,
        "lookup.json": registry.update,
        "training.parquet": registry.training,
        "forest-load.skops": lambda path: registry.forest(path, "load"),
    }
    with pytest.raises(DamagedEntry, match=name):
        read[name](path)


def test_one_damaged_entry_does_not_hide_the_others(directory: tuple[Registry, Path]) -> None:
    registry, root = directory
    good, bad = entry(request("well-1")), entry(request("well-2"))
    older = entry(request("well-2", offset=100), minutes=-5)
    for one in (good, bad, older):
        registry.store(one)
    (root / beside(bad.update.manifest, "lookup.json")).write_text("{}")
    told: list[DamagedEntry] = []
    assert list(registry.all_chosen(told.append)) == [good.update]
    assert bad.update.manifest.rsplit("/", 1)[0] in str(told[0])
    latest = registry.latest_whole("acme", "well-2", "load")
    assert latest is not None
    assert latest[1] == older.update


def test_a_model_that_was_exchanged_together_with_its_sums_still_fails_its_digest(
    directory: tuple[Registry, Path],
) -> None:
    registry, _ = directory
    one = entry()
    forged = one.update.model_copy(update={"digest": "0" * 16})
    path = registry.store(Entry(one.manifest, forged, one.training, one.forests))
    with pytest.raises(DamagedEntry, match="digest 0000000000000000"):
        registry.update(path)


def test_no_temporary_files_are_left_and_a_manifest_can_be_read_by_people(directory: tuple[Registry, Path]) -> None:
    registry, root = directory
    path = registry.store(entry())
    names = {file.name for file in (root / path).parent.iterdir()}
    assert names == {"manifest.json", "training.parquet", "lookup.json", "forest-load.skops", "plot.py"}
    text = (root / path).read_text()
    assert text.count("\n") > 20
    assert json.loads(text)["machine_id"] == "well-7"


def test_a_registry_that_cannot_be_written_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    registry = Registry(RegistrySettings(url=str(tmp_path / "file")))
    with pytest.raises(RegistryError, match=r"cannot write .*file/acme.*registry\.url"):
        registry.store(entry())


def test_a_bucket_that_is_missing_is_an_error_and_not_a_new_bucket(s3_endpoint: str) -> None:
    registry = Registry(RegistrySettings(url="s3://no-such-bucket-here/wells", s3_endpoint=s3_endpoint))
    with pytest.raises(RegistryError, match="no-such-bucket-here"):
        registry.store(entry())


def test_training_data_of_several_machines_survives_parquet() -> None:
    data = TrainingData(("a", "b"), {"w2": [np.arange(3.0), np.ones(3)], "w1": [np.zeros(2), np.array([5.0, 7.0])]})
    read = TrainingData.from_parquet(data.to_parquet())
    assert read.features == data.features
    assert list(read.machines) == ["w2", "w1"]
    for name, columns in data.machines.items():
        np.testing.assert_array_equal(read.machines[name], columns)


names = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1, max_size=128)


@given(names, names)
def test_a_name_is_one_safe_segment_and_no_two_names_share_one(one: str, other: str) -> None:
    segment = safe(one)
    assert segment.isascii()
    assert len(segment) < 200
    assert not set(segment) & set('/\\:*?"<>|.')
    assert (safe(other) == segment) == (other == one)


def test_no_name_leads_out_of_the_registry() -> None:
    assert models_path("..", "../../etc", "load") == "%2E%2E/%2E%2E%2F%2E%2E%2Fetc/load"
