"""What is shipped, who imports whom, and what no file may name."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from streams.settings import Settings, load_settings
from tests.parts import do_without

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "models", "streams")


def committed_files() -> list[Path]:
    """What a clone holds, and what is about to be committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        do_without("this is not a git clone, so it cannot be told which files belong to it")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


@pytest.fixture(scope="session")
def wheel_contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built here, without the network."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_three_rooms_and_nothing_else(wheel_contents: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)
    assert len(tops) == len(ROOMS) + 1


def test_the_wheel_holds_every_file_of_the_rooms(wheel_contents: set[str]) -> None:
    sources = {str(path.relative_to(ROOT)) for path in committed_files() if path.relative_to(ROOT).parts[0] in ROOMS}
    assert sources == {name for name in wheel_contents if name.split("/")[0] in ROOMS}


def test_imports_go_one_way_and_thinking_touches_nothing_outside() -> None:
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_every_directory_of_modules_is_a_package() -> None:
    directories = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert [str(path) for path in sorted(directories) if not (path / "__init__.py").exists()] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-lambda.lock"])
def test_a_lock_names_versions_and_hashes_and_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"(?m)^\s*(-i|-f|-e|--(?!hash=sha256:))", text)
    requirements = re.split(r"(?m)^(?=[a-z0-9])", re.sub(r"(?m)^#.*\n", "", text))
    assert [r.splitlines()[0] for r in requirements if r.strip() and ("==" not in r or "--hash=" not in r)] == []


def test_all_locks_hold_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"(?m)^[a-z0-9][^\\\n]*==[^\\\n]*", (ROOT / name).read_text()))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
    assert pins("requirements-lambda.lock") <= pins("requirements.lock")


def test_the_lock_holds_what_the_project_declares() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = declared["dependency-groups"]
    locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements-dev.lock").read_text()))
    wanted = {
        re.split(r"[^A-Za-z0-9_.-]", line)[0].lower()
        for line in declared["project"]["dependencies"] + groups["build"] + groups["dev"]
    }
    assert wanted <= locked, "run `make lock`"


def test_no_file_names_a_registry_or_a_place_of_some_machine() -> None:
    places = [
        re.escape(str(ROOT)) + r"\b",
        r"/(home|Users)/[a-z]",
        r"/root/",
        r"(?i:\b(extra-)?index-url\s*[= ]\s*http)",
        r"(?i:<(mirror|repository)>)",
    ]
    this = Path(__file__).resolve()
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in committed_files()
        if path.resolve() != this
        for match in re.finditer("|".join(places), path.read_text(errors="replace"))
    ]
    assert found == []


def test_the_example_of_settings_shows_every_setting_with_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = (ROOT / "wellsentry.toml.example").read_text()
    uncommented = re.sub(r"(?m)^# (?=\w+ = )", "", example)
    file = tmp_path / "wellsentry.toml"
    file.write_text(uncommented)
    monkeypatch.setenv("WELLSENTRY_CONFIG", str(file))
    assert load_settings() == Settings.model_validate({})
    shown = tomllib.loads(uncommented.replace("## ", ""))
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    declared = {name: set(section.model_fields) for name, section in sections.items() if section is not None}
    assert {name: set(section) for name, section in shown.items()} == declared
