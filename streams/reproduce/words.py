"""A reproduction in words, for a terminal and for the page."""

from collections.abc import Iterator

from schemas.case import Reproduction
from schemas.labels import Label
from schemas.times import datetime_to_ms, iso
from streams.reproduce.evidence import Evidence
from streams.reproduce.what_changed import what_changed

_OUTCOMES = {
    "identical": "identical: made again to the letter",
    "differs": "it differs",
    "looked_up": "not made again, but its model says the same of the median that the label carries",
    "not_judged": "it could not be made again",
}


def outcome_in_words(found: Reproduction) -> str:
    """What came of it, in a sentence."""
    return _OUTCOMES[found.outcome]


def tell(evidence: Evidence, found: Reproduction) -> Iterator[tuple[str, str]]:
    """What there is to say, as pairs of what and that; what stands for several lines is there once."""
    label = evidence.label
    yield "label", f"{label.label_id}, found in the {_PLACES[evidence.found_in]}"
    yield "machine", f"{label.machine_id} of {label.client_id}, {iso(datetime_to_ms(label.event_time))}"
    yield "signals", ", ".join(f"{name} {_number(value)}" for name, value in label.signals.items())
    yield "verdict", verdict_in_words(label)
    if label.because:
        yield "because", label.because
    for sentence in what_changed(label, evidence.labels):
        yield "changed", sentence
    yield "alert", label.alert + (f", {label.incident_id}" if label.incident_id else "")
    yield "model", model_in_words(evidence)
    yield "made from", _made_from(evidence, found)
    yield "made by", f"{label.detector}, version {label.code_version}, commit {label.git_commit}"
    yield "again", outcome_in_words(found)
    for one in found.differences:
        yield "differs", f"{one.field} was {one.then}, is now {one.now}"
    for sentence in found.why:
        yield "why", sentence
    if found.outcome != "identical" and found.looked_up is not None:
        yield "look-up", looked_up_in_words(label, found)


_PLACES = {"topic": "labels topic", "table": "table", "file": "file that was given"}


def verdict_in_words(label: Label) -> str:
    """What it says, in a line."""
    said = label.label if label.reason is None else f"{label.label} ({label.reason})"
    usual = (
        "" if label.expected_low is None else f", usual {_number(label.expected_low)} … {_number(label.expected_high)}"
    )
    return (
        f"{said}: {label.feature} {_number(label.value)}, median {_number(label.median)}{usual}, "
        f"surprise {_number(label.surprise, 2)}"
    )


def model_in_words(evidence: Evidence) -> str:
    """Which model it was, since when, and where all about it is."""
    label, model = evidence.label, evidence.model
    if label.model_digest is None:
        return "none was in force" if label.model_rung is None else f"learned {label.model_rung}"
    said = f"{label.model_digest} ({label.model_rung}), in force since offset {label.model_since_offset}"
    if model is None:
        return f"{said}; it is gone"
    fitted = iso(datetime_to_ms(model.fitted_at))
    between = "" if evidence.fitted_to is None else " from {:.1f} to {:.1f}".format(*evidence.fitted_to)
    return f"{said}, fitted {fitted} to {model.readings} medians{between} ({model.reason}), {model.manifest}"


def looked_up_in_words(label: Label, found: Reproduction) -> str:
    """What the model alone says."""
    said = found.looked_up
    if said is None:
        return "the model is gone"
    agrees = f"but not {', '.join(said.disagrees)}" if said.disagrees else "as the label says"
    return (
        f"of the median {_number(label.median)} the model gives score {said.score:g} (surprise by it alone "
        f"{said.forest_surprise:g}), usual {_number(said.expected_low)} … {_number(said.expected_high)}, and the "
        f"surprise makes it {said.label}: {agrees}"
    )


def _made_from(evidence: Evidence, found: Reproduction) -> str:
    label, kept = evidence.label, evidence.snapshot
    begin = "the oldest reading on the topic" if kept is None else f"the state after offset {found.from_offset}"
    where = "" if kept is None else f" ({kept.kept_in})"
    return (
        f"{begin}{where}, then {found.readings} messages of {label.source_topic}/{label.source_partition} up to offset "
        f"{label.source_offset}"
    )


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
