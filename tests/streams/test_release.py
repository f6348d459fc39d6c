"""Release manifests: what runs is what was released."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import BadInputFile
from schemas.published import PUBLISHED
from schemas.release import Release
from streams.cli.main import app
from tests.streams.trainer_parts import NOW

ROOT = Path(__file__).parent.parent.parent
CONTRACT = ROOT / "docs" / "contract"


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


# -- releases

IMAGE = f"registry.example.com/wellsentry@sha256:{'a' * 64}"


@pytest.fixture
def released(tmp_path: Path) -> tuple[Path, Path]:
    """A release manifest, and the lock that it was made from."""
    wheel, lock, manifest = (
        tmp_path / "wellsentry-0.1.0-py3-none-any.whl",
        tmp_path / "requirements.lock",
        tmp_path / "r",
    )
    wheel.write_bytes(b"wheel")
    lock.write_text("numpy==2.4.6\n")
    arguments = ("--wheel", str(wheel), "--image", IMAGE, "--lock", str(lock), "--to", str(manifest))
    assert run("release", *arguments).exit_code == 0
    return manifest, lock


def changed(manifest: Path, **fields: object) -> str:
    """The same manifest with some fields otherwise; this environment is not clean while somebody works on it."""
    other = manifest.with_name("other")
    other.write_text(json.dumps(json.loads(manifest.read_text()) | fields))
    return str(other)


def differing(*arguments: str) -> dict[str, tuple[str, str]]:
    found = json.loads(run("release", "--json", *arguments).stdout)
    return {one["what"]: (one["released"], one["here"]) for one in found if one["what"] != "tree"}


def test_a_release_names_commit_artifacts_schemas_packages_and_locks(released: tuple[Path, Path]) -> None:
    release = Release.model_validate_json(released[0].read_bytes())
    assert [(one.kind, one.name) for one in release.artifacts] == [
        ("wheel", "wellsentry-0.1.0-py3-none-any.whl"),
        ("image", "registry.example.com/wellsentry"),
    ]
    assert release.artifacts[1].sha256 == "a" * 64
    assert set(release.schemas) == {model.__name__ for model in PUBLISHED}
    assert {"numpy", "scikit-learn", "faust-streaming"} <= set(release.packages)
    assert set(release.locks) == {"requirements.lock"}
    assert release.made_at > NOW


def test_the_environment_that_was_released_is_found_to_be_it(released: tuple[Path, Path]) -> None:
    manifest, lock = released
    assert differing("--check", str(manifest), "--lock", str(lock), "--image", IMAGE) == {}


def test_what_differs_from_the_release_is_told_and_fails(released: tuple[Path, Path]) -> None:
    manifest, lock = released
    release = json.loads(manifest.read_text())
    lock.write_text("numpy==2.4.5\n")
    other = changed(
        manifest,
        git_commit="f" * 40,
        state_layout=1,
        packages=release["packages"] | {"numpy": "1.0"},
        schemas=release["schemas"] | {"Label": "0" * 64},
    )
    found = differing("--check", other, "--lock", str(lock), "--image", IMAGE.replace("aa", "bb"))
    assert set(found) == {
        "git_commit", "state_layout", "packages: numpy", "schemas: Label", "locks: requirements.lock",
        "image registry.example.com/wellsentry",
    }  # fmt: skip
    assert found["packages: numpy"][0] == "1.0"
    result = run("release", "--check", other)
    assert result.exit_code == 1
    assert "packages: numpy: released 1.0, here" in result.stdout


def test_what_is_no_release_manifest_or_names_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    for arguments, said in (
        (("--check", str(tmp_path / "file")), "is no release manifest"),
        (("--check", str(tmp_path / "none")), "cannot be read"),
        (("--image", "wellsentry:latest"), "names no digest"),
        (("--lock", str(tmp_path / "none")), "cannot be read"),
    ):
        with pytest.raises(BadInputFile, match=said):
            run("release", *arguments)
