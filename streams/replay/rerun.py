"""Readings of one partition judged once more, each under the model that was in force for it.

The engine is the worker's own, so with the models of then the labels are those of then, to the letter.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from models.engine.engine import Engine
from models.engine.labels import Stamp
from schemas.training import ModelUpdate
from streams.replay.adoptions import Adoption
from streams.worker.alone import Alone
from streams.worker.limits import Limits
from streams.worker.partition import Output

#: Gives the model that an adoption names.
FindModel = Callable[[Adoption], ModelUpdate]

#: Whoever was let in then is let in now.
_NO_LIMIT = 2**62


class Rerun:
    """One partition, from where its engine stands on: nothing at all, or what snapshots of its machines say."""

    def __init__(
        self,
        engine: Engine,
        stamp: Stamp,
        adoptions: Iterable[Adoption],
        find_model: FindModel,
        message_bytes: int,
    ) -> None:
        """``adoptions``: those that readings still to come are judged under. ``message_bytes``: how long a message could be
        then to be taken for a reading.
        """
        self.engine = engine
        self._alone = Alone(engine, stamp, Limits(message_bytes, _NO_LIMIT, _NO_LIMIT))
        self._waiting = sorted(adoptions)
        self._find_model = find_model

    def judge(self, records: Sequence[Any]) -> Output:
        """Judge the next records of the partition; what comes of them.

        However they are cut into runs makes no difference. Raises whatever ``find_model`` raises.
        """
        at = 0
        while self._waiting and records and self._waiting[0].since_offset <= records[-1].offset:
            adoption = self._waiting.pop(0)
            first = at
            while records[at].offset < adoption.since_offset:
                at += 1
            self._judge(records[first:at])
            self.engine.adopt(self._find_model(adoption), adoption.since_offset)
        self._judge(records[at:])
        return self._alone.take_output()

    def _judge(self, records: Sequence[Any]) -> None:
        if records:
            self._alone.judge(records)
