"""Whether people asked not to be told of an incident."""

from collections.abc import Iterable
from datetime import datetime

from schemas.feedback import Feedback
from schemas.incidents import Incident

#: What of feedback is needed for that.
KINDS = frozenset({"acknowledge", "shelve", "undo"})


def who_quiets(incident: Incident, standing: Iterable[Feedback], now: datetime) -> Feedback | None:
    """What was said because of which ``incident`` is not told at ``now``; None where nothing was.

    ``standing`` is what counts of its machine's feedback (:func:`models.feedback.standing`). Shelved is an incident, or a
    stack of a machine, or all of it, until the time that was given. Acknowledged is an incident for good, or, where a machine
    was, all of its incidents that had opened by then.
    """
    for said in standing:
        if not _is_about(said, incident):
            continue
        if said.kind == "shelve" and said.until is not None and now < said.until:
            return said
        if said.kind == "acknowledge" and (said.incident_id is not None or incident.opened_at <= said.at):
            return said
    return None


def _is_about(said: Feedback, incident: Incident) -> bool:
    return (
        (said.client_id, said.machine_id) == (incident.client_id, incident.machine_id)
        and said.stack in (None, incident.stack)
        and said.incident_id in (None, incident.incident_id)
    )
