"""Labels of a story, chosen at random and made again from topics, registry and table: each to the letter."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.labels import Label
from streams.build_info import BuildInfo
from streams.registry import Registry
from streams.reproduce.again import make_again
from streams.reproduce.case_files import save_case
from streams.reproduce.gathering import Gathering
from streams.reproduce.label_ids import parse_label_id
from tests.chaos.story import Story
from tests.chaos.whole_topics import whole
from tests.streams.read_places import ReadOnce


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """What came of it."""

    labels: int
    revised: int
    under_models: int
    from_snapshots: int
    wrong: list[str]

    def __str__(self) -> str:
        return (
            f"{self.labels - len(self.wrong):,} of {self.labels:,} labels made again to the letter, {self.revised} of them "
            f"revised, {self.under_models} under a model, {self.from_snapshots} from a snapshot"
        )


def make_again_at_random(story: Story, count: int) -> MadeAgain:
    """Make ``count`` labels of a story again that its seed chooses; the first few that differ are kept as cases."""
    settings, topics = story.settings, story.settings.topics
    read = [whole(settings, one.name) for one in (topics.readings, topics.labels, topics.models)]
    gathering = Gathering(
        ReadOnce(*read), Registry(settings.registry), lambda *_: [], settings.worker.max_message_bytes
    )
    sent = sorted({_id_of(record) for some in read[1].values() for record in some})
    build = BuildInfo(story.build.version, story.build.git_commit, None)
    found: Counter[str] = Counter()
    wrong: list[str] = []
    for label_id in story.random.sample(sent, min(count, len(sent))):
        label, found_in = gathering.find_label(parse_label_id(label_id), None, None)
        evidence = gathering.gather(label, found_in)
        again = make_again(evidence, build)
        if again.reproduction.outcome != "identical":
            wrong.append(str(again.reproduction))
            if len(wrong) <= 3:
                save_case(evidence, again, Path(story.directory) / f"case-{label_id}")
        found.update(_kinds(label), snapshots=evidence.snapshot is not None)
    return MadeAgain(min(count, len(sent)), found["revised"], found["models"], found["snapshots"], wrong)


def _id_of(record: Any) -> str:
    return str(record.value.split(b'"', 4)[3].decode())


def _kinds(label: Label) -> dict[str, int]:
    return {"revised": label.revision > 0, "models": label.model_digest is not None}
