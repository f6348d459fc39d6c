"""Where feedback belongs: in the partition of its machine's readings, under its machine's key."""

import re
from typing import Final

from schemas.feedback import Feedback
from streams.partitions import partition_of

_INCIDENT: Final = re.compile(r"inc-.+-(\d{1,10})-\d{1,19}-\d{1,10}", re.ASCII)


def partition_in(incident_id: str, partitions: int) -> int | None:
    """The partition that an incident's id names; None where it names none that there is.

    >>> partition_in("inc-load-3-812-0", 8), partition_in("inc-load-9-812-0", 8), partition_in("last night", 8)
    (3, None, None)
    """
    found = _INCIDENT.fullmatch(incident_id)
    number = int(found[1]) if found else partitions
    return number if number < partitions else None


def home_of(said: Feedback, partitions: int) -> int:
    """The partition that ``said`` is sent to: that of the incident, where the machine's readings are, or else of the key.

    The two differ only where readings are sent by another partitioner than Kafka's default.
    """
    named = None if said.incident_id is None else partition_in(said.incident_id, partitions)
    return partition_of(said.machine_id, partitions) if named is None else named
