"""Records of the training topic to requests that are worth an answer."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from schemas.training import FLEET, TrainingRequest
from streams.log import get_logger

log = get_logger(__name__)


def read_requests(records: Sequence[Any], tell: Callable[..., None] = log.warning) -> list[TrainingRequest]:
    """The newest request of each machine and stack, in the order in which they came.

    What is no request is told and left out: it can be sent again, and no reading is lost with it.
    """
    newest: dict[tuple[str, str, str], TrainingRequest] = {}
    read = 0
    for record in records:
        request = _read(record, tell)
        if request is None:
            continue
        read += 1
        key = (request.client_id, request.machine_id, request.stack)
        newest.pop(key, None)  # so that it is put last
        newest[key] = request
    if read > len(newest):
        log.info(
            "older requests of the same machines left out", action="requests_collapsed", requests=read - len(newest)
        )
    return list(newest.values())


def _read(record: Any, tell: Callable[..., None]) -> TrainingRequest | None:
    try:
        request = TrainingRequest.model_validate_json(record.value or b"")
        _check(request, record)
    except (ValidationError, ValueError) as error:
        tell(
            "not a training request, left out",
            action="request_refused",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            detail=str(error)[:300],
        )
        return None
    return request


def _check(request: TrainingRequest, record: Any) -> None:
    """What the schema cannot say."""
    if record.key != request.machine_id.encode():
        raise ValueError(f"the key is {record.key!r:.100}, the machine {request.machine_id!r}")
    if request.source.partition != record.partition:
        # The model goes where the readings are. Elsewhere no worker waits for it, and there may be no such partition.
        raise ValueError(f"its readings are of partition {request.source.partition}, it came on {record.partition}")
    if request.machine_id == FLEET:
        raise ValueError("a machine cannot be called '*', that is the fleet")
    if len(set(request.features)) != len(request.features):
        raise ValueError("two features have one name")
    if len(request.medians) != len(request.features) or len({len(column) for column in request.medians}) != 1:
        raise ValueError("each feature needs as many medians as every other")
    if not request.medians[0]:
        raise ValueError("there are no medians to fit a model to")
