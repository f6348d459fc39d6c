"""What every story is given: parts, a seed, how often to disturb; and the summary at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.build_info import COMMIT_VARIABLE, build_info
from tests.chaos.disturbed import Disturbed, elsewhere
from tests.chaos.made_again import make_again_at_random
from tests.chaos.proof import prove
from tests.chaos.story import COMMIT, Story, new_story
from tests.chaos.undisturbed import Build
from tests.conftest import MakeSettings

_HERE = Path(__file__).parent
_ALL_KILLS = 20
_FEW_KILLS = 1
_LONG_S = 7200
_SHOWN = 40  # of what is wrong
#: Under this name a test's properties hold its lines for the summary: they come from whichever process ran it.
_SAID = "chaos"

MakeStory = Callable[..., Story]
MakeDisturbed = Callable[..., Disturbed]
Prove = Callable[[Story], None]
MadeAgain = Callable[[Story, int], None]
Note = Callable[[str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of `make chaos`."""
    group = parser.getgroup("chaos", "the chaos suite")
    group.addoption("--seed", dest="chaos_seed", type=int, default=1, help="another seed, other readings and moments")
    group.addoption(
        "--kills", dest="chaos_kills", type=int, help=f"how often at each point (default {_FEW_KILLS}, or --all-kills)"
    )
    group.addoption("--all-kills", dest="chaos_all", action="store_true", help=f"{_ALL_KILLS} at each point")


def _option(config: pytest.Config, name: str, default: Any) -> Any:
    """An option; these are known only where pytest was started with this directory."""
    value = config.getoption(name, default)
    return default if value is None else value


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the stories; a whole suite takes its time, and a test run has only that for the most telling ones."""
    if not _option(config, "chaos_all", False) and _option(config, "chaos_kills", None) is None:
        left_out = [item for item in items if item.get_closest_marker("make_chaos")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker("chaos")
            if _option(config, "chaos_all", False) or _option(config, "chaos_kills", 0) > _FEW_KILLS:
                item.add_marker(pytest.mark.timeout(_LONG_S))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What each story came to."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, line in report.user_properties:
                if name == _SAID:
                    terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def whole_suite(pytestconfig: pytest.Config) -> bool:
    """Whether everything is run, as `make chaos` does, and not the short part that every test run holds."""
    return bool(_option(pytestconfig, "chaos_all", False))


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config, whole_suite: bool) -> int:
    """How often to kill at each point."""
    return int(_option(pytestconfig, "chaos_kills", _ALL_KILLS if whole_suite else _FEW_KILLS))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """What readings, models, moments and points follow from."""
    return int(_option(pytestconfig, "chaos_seed", 1))


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """What the labels of a story say of the code; nothing of it is left for other tests, which remember their own."""
    monkeypatch.setenv(COMMIT_VARIABLE, COMMIT)
    build_info.cache_clear()
    yield Build(build_info().version, build_info().git_commit)
    build_info.cache_clear()


@pytest.fixture
def make_story(
    kafka_url: str,
    dynamodb_local_endpoint: str,
    make_settings: MakeSettings,
    seed: int,
    tmp_path: Path,
    build: Build,
    request: pytest.FixtureRequest,
) -> MakeStory:
    """Makes the story of a test, its topics and its table."""

    def make(**more: dict[str, Any]) -> Story:
        settings = new_story(make_settings, kafka_url, dynamodb_local_endpoint, **more)
        return Story(request.node.name, settings, tmp_path, seed, build)

    return make


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Puts a line into the summary."""

    def do(line: str) -> None:
        print(line)
        request.node.user_properties.append((_SAID, line))

    return do


@pytest.fixture
def assert_proof(note: Note) -> Prove:
    """Proves a story, notes what it came to, and fails if anything is wrong."""

    def do(story: Story) -> None:
        proof = prove(story)
        line = f"{story.told()}; {proof}"
        note(line)
        assert not proof.wrong, "\n".join([line, *proof.wrong[:_SHOWN]])

    return do


@pytest.fixture
def assert_made_again(note: Note) -> MadeAgain:
    """Makes so many labels of a story again, notes what it came to, and fails if any is not what it was, to the letter."""

    def do(story: Story, count: int) -> None:
        found = make_again_at_random(story, count)
        note(f"{story.name}, seed {story.seed}: {found}")
        assert not found.wrong, "\n".join([str(found), *found.wrong[:_SHOWN]])

    return do


@pytest.fixture
def make_disturbed(
    dynamodb_local_endpoint: str,
    make_settings: MakeSettings,
    seed: int,
    tmp_path: Path,
    build: Build,
    request: pytest.FixtureRequest,
) -> MakeDisturbed:
    """Makes a story on ``broker`` whose programs reach broker and table by ways of their own."""

    def make(broker: str, by: dict[str, Any], **more: dict[str, Any]) -> Disturbed:
        settings = new_story(make_settings, broker, dynamodb_local_endpoint, **more)
        return Disturbed(request.node.name, settings, tmp_path, seed, build, elsewhere(settings, **by))

    return make
