"""A job as ``handler(event, context)``: events in, answers out, one line of log for each."""

import time
from collections.abc import Callable
from typing import Any

from schemas.errors import BadEvent, WellsentryError
from schemas.events import read_event
from schemas.outputs import RefusedEvent
from streams.build_info import build_info
from streams.handler.job import CleanDataStack, Outside, check_job
from streams.handler.keeping import Keep, keep_in
from streams.handler.models_in_force import registry_models
from streams.handler.sources import DataSource
from streams.label_store.store import LabelStore
from streams.log import get_logger, setup_logging
from streams.settings import Settings, load_settings

log = get_logger(__name__)

Handler = Callable[[Any, Any], dict[str, Any]]


def handler_for(job: type[CleanDataStack], source: DataSource, settings: Settings | None = None) -> Handler:
    """A handler for AWS Lambda, to be made once for each process: labels go to DynamoDB, models come from the registry.

    ``settings`` come from ``WELLSENTRY_…`` variables where none are given. Raises :class:`schemas.errors.BadSettings` if
    they or the job cannot be used.
    """
    check_job(job)
    settings = settings or load_settings()
    setup_logging(settings, "handler")
    outside = outside_of(source, settings, keep_in(LabelStore(settings.dynamodb, settings.sink)))

    def handler(event: Any, context: Any) -> dict[str, Any]:
        return answer(job, outside, event, getattr(context, "aws_request_id", None))

    return handler


def outside_of(source: DataSource, settings: Settings, keep: Keep | None) -> Outside:
    """The world as the settings have it."""
    return Outside(source, registry_models(settings.registry), keep, _now_ms, build_info())


def answer(job: type[CleanDataStack], outside: Outside, event: Any, request_id: str | None = None) -> dict[str, Any]:
    """One event answered, as JSON has it. One that cannot be used is answered with what is wrong.

    Raises another :class:`WellsentryError` where source, registry or DynamoDB fail: then the same event may succeed later.
    """
    began_s = time.perf_counter()
    try:
        output = job(read_event(event), outside).run()
    except BadEvent as error:  # said in a sentence: a stack trace would tell nobody anything
        log.error("event refused", action="event_refused", request_id=request_id, wrong=error.wrong)  # noqa: TRY400
        return RefusedEvent(error=str(error), wrong=error.wrong).model_dump(mode="json")
    except WellsentryError as error:
        log.error(str(error), action="handler_failed", request_id=request_id, error=type(error).__name__)  # noqa: TRY400
        raise
    log.info(
        "handled",
        action="handled",
        request_id=request_id,
        client_id=output.client_id,
        machine_id=output.machine_id,
        status=output.status,
        labels=len(output.labels),
        alerts=output.alerts,
        written=output.written,
        model=output.model_digest,
        took_s=round(time.perf_counter() - began_s, 3),
    )
    return output.model_dump(mode="json")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
