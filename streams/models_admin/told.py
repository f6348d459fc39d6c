"""Parts of a manifest as people read them."""

from collections.abc import Sequence
from datetime import datetime

from models.comparing import believed_between
from schemas.manifest import Manifest
from schemas.times import datetime_to_ms, iso
from schemas.training import Activation, FeatureModel, HeededFeedback, ModelUpdate, SourceRange

_MOST_STRETCHES = 3


def moment_told(moment: datetime) -> str:
    """ISO 8601 in UTC."""
    return iso(datetime_to_ms(moment))


def source_told(source: SourceRange | None) -> str:
    """Topic, partition, offsets and times."""
    if source is None:
        return "those of its machines"
    first = "?" if source.first_offset is None else source.first_offset
    times = f"{moment_told(source.first_time)} to {moment_told(source.last_time)}"
    return f"{source.topic}/{source.partition} offsets {first} to {source.last_offset}, {times}"


def exclusions_told(exclusions: Sequence[tuple[datetime, datetime]]) -> str:
    """How many stretches, and the first few."""
    if not exclusions:
        return "nothing"
    shown = [f"{moment_told(first)} to {moment_told(last)}" for first, last in exclusions[:_MOST_STRETCHES]]
    more = len(exclusions) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def feedback_told(heeded: Sequence[HeededFeedback]) -> str:
    """What people said that was heeded."""
    if not heeded:
        return "nothing"
    return "; ".join(
        f"{one.kind} by {one.by} ({one.feedback_id}), {one.readings} readings from {moment_told(one.from_time)} to "
        f"{moment_told(one.to_time)}"
        for one in heeded
    )


def activation_told(activation: Activation) -> str:
    """Who, when, why."""
    what = "pinned" if activation.pinned else "activated"
    return f"{activation.digest} {what} {moment_told(activation.at)} by {activation.by}: {activation.why}"


def manifest_told(
    manifest: Manifest, update: ModelUpdate, in_force: str, activations: Sequence[Activation], anomalous_at: float
) -> list[tuple[str, str]]:
    """All there is to know about a model, as lines of a name and what is said."""
    clean = {
        True: "all of it committed",
        False: "with changes that are not committed",
        None: "clean or not is not known",
    }
    lines = [
        ("model", f"{manifest.digest} of {manifest.client_id}/{manifest.machine_id}/{manifest.stack}, {manifest.rung}"),
        ("in force", in_force),
        ("fitted", f"{moment_told(manifest.fitted_at)} to {manifest.readings:,} medians by {manifest.detector}"),
        ("because", f"{manifest.reason} ({manifest.request_id or 'the fleet has grown'})"),
        ("readings", source_told(manifest.source)),
        ("left out", exclusions_told(manifest.exclusions)),
        ("parent", manifest.parent_digest or "none"),
        ("parameters", ", ".join(f"{name} {value}" for name, value in manifest.parameters.items())),
        ("seed", str(manifest.seed)),
        ("code", f"{manifest.code_version}, commit {manifest.git_commit}, {clean[manifest.tree_clean]}"),
        ("packages", ", ".join(f"{name} {version}" for name, version in manifest.packages.items())),
        ("state", "not kept" if manifest.state_offset is None else f"kept, up to offset {manifest.state_offset}"),
    ]
    if manifest.feedback:
        lines.insert(6, ("heeded", feedback_told(manifest.feedback)))
    if manifest.members:
        lines.insert(6, ("machines", _members_told(manifest)))
    lines += [(f"feature {model.feature}", _feature_told(model, anomalous_at)) for model in update.features]
    lines += [("activation", activation_told(one)) for one in activations]
    lines += [("file", f"{name}  sha256 {digest[:16]}") for name, digest in sorted(manifest.files.items())]
    return lines


def _members_told(manifest: Manifest) -> str:
    each = [f"{name} {digest}" for name, digest in sorted(manifest.members.items())]
    return ", ".join(each[:8]) + (f" and {len(each) - 8} more" if len(each) > 8 else "")


def _feature_told(model: FeatureModel, anomalous_at: float) -> str:
    low, high = believed_between(model, anomalous_at)
    ends = [
        *([] if low is None else [f"below {low:.2f}"]),
        *([] if high is None else [f"above {high:.2f}"]),
    ]
    surprising = f"surprise {anomalous_at:g} {' and '.join(ends)}" if ends else f"surprise never {anomalous_at:g}"
    return f"usual {model.expected_low:.2f} to {model.expected_high:.2f}, {surprising}; {len(model.scores)} intervals"
