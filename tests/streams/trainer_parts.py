"""Requests, entries and builds for the tests of trainer and registry."""

from datetime import UTC, datetime, timedelta

import numpy as np

from models.fitting import FitParameters
from schemas.training import Activation, TrainingRequest
from streams.build_info import BuildInfo
from streams.registry import Entry
from streams.trainer.making import handle_request

NOW = datetime(2026, 11, 24, 2, 44, 10, tzinfo=UTC)
BUILD = BuildInfo(version="0.1.0", git_commit="0123456789abcdef0123456789abcdef01234567", tree_clean=True)
QUICK = FitParameters(trees=10, samples_per_tree=32)


def request(
    machine_id: str = "well-7",
    *,
    client_id: str = "acme",
    offset: int = 199,
    features: int = 1,
    partition: int = 0,
    topic: str = "readings",
) -> TrainingRequest:
    """A request with a history of its own for each machine and offset."""
    random = np.random.default_rng([offset, *machine_id.encode()])
    return TrainingRequest(
        request_id=f"load-{partition}-{offset}",
        client_id=client_id,
        machine_id=machine_id,
        stack="load",
        reason="first",
        features=["load", "swing"][:features],
        medians=random.normal(250.0, 5.0, (features, 60)).tolist(),
        readings=offset + 1,
        source={  # type: ignore[arg-type]
            "topic": topic,
            "partition": partition,
            "first_time": NOW - timedelta(hours=1),
            "last_time": NOW,
            "first_offset": 3,
            "last_offset": offset,
        },
        exclusions=[(NOW - timedelta(minutes=9), NOW - timedelta(minutes=8))],
        parent_digest=None,
        seed=7,
    )


def entry(made_for: TrainingRequest | None = None, minutes: int = 0) -> Entry:
    """A fitted entry, made so many minutes after :data:`NOW`."""
    return handle_request(made_for or request(), NOW + timedelta(minutes=minutes), QUICK, BUILD)


def activation(of: Entry, *, minutes: int = 60, pinned: bool = False, replaces: str | None = None) -> Activation:
    """Somebody puts ``of`` in force, so many minutes after :data:`NOW`."""
    return Activation(
        digest=of.update.digest,
        manifest=of.update.manifest,
        by="ada",
        why="the newer one cries wolf",
        at=NOW + timedelta(minutes=minutes),
        pinned=pinned,
        replaces=replaces,
    )
