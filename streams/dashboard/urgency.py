"""Who needs somebody first in the morning, and why, in one sentence. Pure."""

import math
from typing import Final

from schemas.times import datetime_to_ms
from streams.dashboard.incidents import Answer
from streams.dashboard.machines import Row
from streams.dashboard.seen import IncidentSeen

_HOUR_MS: Final = 3_600_000
#: Whoever is shelved, or was a false alarm, needs nobody.
_NOBODY: Final = 0.0
#: An incident that somebody looks after counts so much of one that nobody knows of.
_LOOKED_AFTER: Final = 0.3
_SILENT: Final = 2.0


def urgency(row: Row, incident: IncidentSeen | None, answer: Answer | None, now_ms: int) -> float:
    """How soon somebody should look: 0 for never, and the more the sooner.

    An open incident counts by its highest surprise, and by how long it has been open: twice as much after an hour than at
    its start, three times after a day. Without one a silent machine counts 2, an anomalous one a tenth of its surprise.
    """
    if incident is not None and row.incident_id == incident.incident_id:
        if answer is not None and (answer.verdict == "false_alarm" or answer.is_shelved(now_ms)):
            return _NOBODY
        open_h = max(0.0, (row.time_ms - datetime_to_ms(incident.opened_at)) / _HOUR_MS)
        grown = incident.peak_surprise * (1.0 + min(2.0, math.log(1.0 + open_h) / math.log(25.0) + min(open_h, 1.0)))
        return round(grown * (_LOOKED_AFTER if answer is not None and answer.acknowledged_by else 1.0), 3)
    if row.silent:
        return _SILENT
    return round((row.surprise or 0.0) / 10, 3) if row.state == "anomalous" else _NOBODY


def why(row: Row, incident: IncidentSeen | None, answer: Answer | None) -> str:
    """What is the matter, in words; empty where nothing is."""
    if incident is not None and row.incident_id == incident.incident_id:
        sentence = f"{incident.feature} {_number(incident.actual)}"
        if incident.expected_low is not None and incident.expected_high is not None:
            sentence += f" where {_number(incident.expected_low)} to {_number(incident.expected_high)} is usual"
        if answer is not None and answer.verdict is not None:
            return f"{sentence}; {'a false alarm' if answer.verdict == 'false_alarm' else 'confirmed'}"
        if answer is not None and answer.acknowledged_by is not None:
            return f"{sentence}; {answer.acknowledged_by} looks after it"
        return sentence
    if row.silent:
        return "nothing comes any more"
    return f"surprise {_number(row.surprise)}, no alert yet" if row.state == "anomalous" else ""


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.1f}"
