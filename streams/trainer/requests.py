"""Records of the training topic to requests that are worth an answer."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from schemas.training import TrainingRequest
from streams.log import get_logger

log = get_logger(__name__)

#: The name under which a client's fleet goes; a machine cannot have it.
FLEET = "*"


def read_requests(records: Sequence[Any]) -> list[TrainingRequest]:
    """The newest request of each machine and stack, in the order in which they came.

    What is no request is left out, with one line in the log: it can be sent again, and no reading is lost with it.
    """
    newest: dict[tuple[str, str, str], TrainingRequest] = {}
    read = refused = 0
    last = ""
    for record in records:
        try:
            request = TrainingRequest.model_validate_json(record.value or b"")
            _check(request)
        except (ValidationError, ValueError) as error:
            refused, last = refused + 1, f"{record.topic}/{record.partition}/{record.offset}: {error}"[:300]
            continue
        read += 1
        key = (request.client_id, request.machine_id, request.stack)
        newest.pop(key, None)  # so that it is put last
        newest[key] = request
    if read > len(newest):
        log.info(
            "older requests of the same machines left out", action="requests_collapsed", requests=read - len(newest)
        )
    if refused:
        log.warning("no training requests, left out", action="request_refused", records=refused, last=last)
    return list(newest.values())


def _check(request: TrainingRequest) -> None:
    """What the schema cannot say."""
    if request.machine_id == FLEET:
        raise ValueError("a machine cannot be called '*', that is the fleet")
    if len(request.medians) != len(request.features) or len({len(column) for column in request.medians}) != 1:
        raise ValueError("each feature needs as many medians as every other")
    if not request.medians[0]:
        raise ValueError("there are no medians to fit a model to")
