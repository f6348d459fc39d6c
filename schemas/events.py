"""Events: which machine a handler shall look at, and how far back."""

import logging
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.errors import BadEvent, BadReading
from schemas.readings import Identifier
from schemas.times import Moment
from schemas.training import FLEET

#: Further back no handler looks.
MOST_DAYS: Final = 90
#: Longer no message gets: it may hold what somebody sent.
_LONGEST: Final = 500

_log = logging.getLogger(__name__)


class Event(BaseModel):
    """Which machine. What else an event holds (AWS adds fields of its own) is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_id: Identifier = Field(description="Whose machine it is.")
    machine_id: Identifier = Field(description="Which machine.")

    @field_validator("machine_id")
    @classmethod
    def _is_no_fleet(cls, name: str) -> str:
        if name == FLEET:
            raise ValueError("'*' is a client's whole fleet, and no machine's name")
        return name


class LookBackEvent(Event):
    """Which machine, and how far back."""

    lookback: Annotated[int, Field(gt=0)] = Field(
        description=f"Days to look back, at least 1; more than {MOST_DAYS} are taken as {MOST_DAYS}."
    )
    to_time: Moment | None = Field(
        default=None, description="Up to when; now where it is not given. With it the same event gives the same answer."
    )

    @field_validator("lookback")
    @classmethod
    def _not_too_far(cls, days: int) -> int:
        if days > MOST_DAYS:
            _log.warning("lookback of %d days is more than %d: taken as %d", days, MOST_DAYS, MOST_DAYS)
            return MOST_DAYS
        return days


def read_event(event: Any) -> LookBackEvent:
    """The event in what Lambda or a file gives. Raises :class:`BadEvent`, which names each field that is wrong.

    >>> read_event({"client_id": "acme", "machine_id": "well-7", "lookback": 30}).lookback
    30
    """
    if not isinstance(event, dict):
        raise BadEvent([f"the event is a {type(event).__name__}, where it must be an object with a client_id, ..."])
    try:
        return LookBackEvent.model_validate(event)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
        raise BadEvent([one[:_LONGEST] for one in wrong]) from error
    except BadReading as error:
        raise BadEvent([f"to_time: {error.detail}"[:_LONGEST]]) from error
