"""``wellsentry replay --bisect``: the same readings by one model or commit after another, to see where labels change."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from schemas.bisection import Bisection
from schemas.comparison import Comparison
from schemas.errors import BadSettings, ReplayError
from schemas.labels import Label
from schemas.readings import DEFAULT_CLIENT
from schemas.times import datetime_to_ms, iso
from streams.reading_ranges import Bounds
from streams.registry import Registry
from streams.replay.commits import commits_between, replay_by, subject, worktree
from streams.replay.comparing import WHO_JUDGED, Comparing
from streams.replay.halving import first_other
from streams.replay.lines import id_of
from streams.replay.plan import Asked
from streams.replay.whole import clean_up, plan_only, replay
from streams.settings import Settings

#: Told what is tried.
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Watch:
    """Which labels are looked at, and what of them."""

    label_id: str | None = None  # None: all
    fields: frozenset[str] | None = None  # None: all but who judged

    def compare(self, old: Iterable[bytes], new: Iterable[bytes]) -> Comparison:
        """Labels of two replays of the same readings. Raises :class:`ReplayError` if there are none to look at."""
        comparing = Comparing(
            ignored=WHO_JUDGED if self.fields is None else frozenset(Label.model_fields) - self.fields
        )
        for line in self._chosen(old):
            comparing.then(line)
        for line in self._chosen(new):
            comparing.now(line)
        comparing.finish_partition()
        found = comparing.result()
        if not found.labels_then and not found.labels_now:
            raise ReplayError(
                f"neither gives {'a label' if self.label_id is None else f'the label {self.label_id}'} for these readings; "
                "look at the range and the machine with `wellsentry labels`"
            )
        return found

    def _chosen(self, lines: Iterable[bytes]) -> Iterable[bytes]:
        wanted = self.label_id
        return lines if wanted is None else (line for line in lines if id_of(line) == wanted)


def bisect_models(
    settings: Settings, asked: Asked, bounds: Bounds, ends: tuple[str, str], watch: Watch, directory: Path, tell: Tell
) -> Bisection:
    """The first model in a machine's history, from one digest to the other, by which labels are others.

    Raises :class:`BadSettings` unless one machine is asked for and both models are in its history.
    """
    about = _history(Registry(settings.registry), asked, *ends)
    directory.mkdir(parents=True, exist_ok=True)
    # One stretch for all, though readings and labels go on coming.
    for number, one in asyncio.run(plan_only(settings, asked, bounds)).partitions.items():
        bounds = Bounds(None, None, one.first_offset, one.end_offset, (number,))

    def by(digest: str) -> list[bytes]:
        target = directory / f"{digest}.jsonl"
        if not target.exists():
            one = msgspec.structs.replace(asked, model=digest, output=str(target))
            under = replay(
                settings, one, bounds, directory / digest, with_diff=False, on_progress=lambda _: None
            )  # fmt: skip
            clean_up(asyncio.run(under))
        return target.read_bytes().splitlines()

    return _bisect("models", list(about), by, watch, tell, about)


def bisect_commits(
    settings: Settings, asked: Asked, bounds: Bounds, ends: tuple[str, str], watch: Watch, directory: Path, tell: Tell,
    repository: Path,
) -> Bisection:  # fmt: skip
    """The first commit, from one to the other, by which labels are others, under the models of then.

    Raises :class:`BadSettings` if none leads to the other, :class:`ReplayError` if one of them cannot replay.
    """
    commits = commits_between(repository, *ends)
    plan = asyncio.run(plan_only(settings, asked, bounds))
    directory.mkdir(parents=True, exist_ok=True)
    with worktree(repository, (directory / "worktree").resolve()) as tree:

        def by(commit: str) -> list[bytes]:
            target = (directory / f"{commit}.jsonl").resolve()
            if not target.exists():
                replay_by(tree, commit, settings, plan, target)
            return target.read_bytes().splitlines()

        return _bisect("commits", commits, by, watch, tell, {one: subject(repository, one) for one in commits})


def _bisect(
    between: Literal["models", "commits"],
    candidates: Sequence[str],
    by: Callable[[str], list[bytes]],
    watch: Watch,
    tell: Tell,
    about: Mapping[str, str],
) -> Bisection:
    old = candidates[0]
    tell(f"{len(candidates)} {between}, about {len(candidates).bit_length()} to try")
    lines, tried = by(old), [old]

    def is_other(candidate: str) -> bool:
        tried.append(candidate)
        found = watch.compare(lines, by(candidate))
        said = "the same labels" if found.is_same else f"{found.changed + found.missing + found.new:,} other labels"
        tell(f"{candidate[:16]}  {about[candidate]}: {said}")
        return not found.is_same

    first = first_other(candidates, is_other)
    return Bisection(
        between=between,
        old=old,
        new=candidates[-1],
        candidates=len(candidates),
        tried=tried,
        first=first,
        before=None if first is None else candidates[candidates.index(first) - 1],
        about=None if first is None else about[first],
        comparison=None if first is None else watch.compare(lines, by(first)),
    )


def _history(registry: Registry, asked: Asked, old: str, new: str) -> dict[str, str]:
    """Digests of a machine's models from ``old`` to ``new`` in order of time, and what is known of each in words."""
    if asked.machines is None or len(asked.machines) != 1 or len(asked.stacks) != 1:
        raise BadSettings(
            "models are those of one machine and stack: name one machine, and one --stack if there are several"
        )
    whose = (asked.client or DEFAULT_CLIENT, asked.machines[0], asked.stacks[0])
    manifests = [registry.manifest(path) for path in registry.entries(*whose)]
    digests = [one.digest for one in manifests]
    for digest in (old, new):
        if digest not in digests:
            has = ", ".join(digests) or "none at all: is it another --client's?"
            raise BadSettings(
                f"machine {whose[1]} of client {whose[0]} has no model {digest} for stack {whose[2]} in the registry; "
                f"it has {has}"
            )
    first, last = digests.index(old), len(digests) - 1 - digests[::-1].index(new)
    if first > last:
        raise BadSettings(f"model {old} is newer than {new}; name the older one first")
    return {
        one.digest: f"{one.reason}, fitted {iso(datetime_to_ms(one.fitted_at))} to {one.readings:,} readings"
        for one in manifests[first : last + 1]
    }
