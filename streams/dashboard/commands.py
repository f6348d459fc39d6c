"""What to type to go on where the page ends. Pure."""

import shlex
from typing import Final

from schemas.labels import Label

#: Readings of the machine on either side of a label that a replay judges again.
_READINGS: Final = 60
#: Where labels come from that were made of no topic.
_NO_TOPIC: Final = ("file", "query")


def reproduce(label: Label, found_in: str) -> str:
    """Makes ``label`` again. Where the topics no longer say whose it is, the command does."""
    whose = () if found_in == "topic" else ("--client", label.client_id, "--machine", label.machine_id)
    return shlex.join(("wellsentry", "reproduce", label.label_id, *whose))


def replay(label: Label, machines_in_partition: int) -> str | None:
    """Judges the readings around ``label`` again and compares; None where they came from no topic.

    Of each machine of a partition about every so many-th reading is its own.
    """
    if label.source_topic in _NO_TOPIC:
        return None
    reach = _READINGS * max(1, machines_in_partition)
    return shlex.join(
        (
            "wellsentry", "replay", label.machine_id, "--client", label.client_id,
            "--partition", str(label.source_partition),
            "--from-offset", str(max(0, label.source_offset - reach)), "--to-offset", str(label.source_offset + reach),
            "--diff",
        )
    )  # fmt: skip


def activate(digest: str, client_id: str, machine_id: str, stack: str, by: str) -> str:
    """Puts a model in force again; why, whoever does it says."""
    return shlex.join(
        (
            "wellsentry", "models", "activate", digest, "--client", client_id, "--machine", machine_id,
            "--stack", stack, "--by", by, "--why", "say why",
        )
    )  # fmt: skip
