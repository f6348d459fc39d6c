"""What the worker tells the trainer when a machine's model is due."""

import zlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from models.engine.batch import ReadingBatch
from models.engine.heeding import settle
from models.engine.labels import Stamp
from models.engine.machines import Machine, Machines
from models.engine.refits import REASONS, alerts_and_marks, first_offset, stretches, training_medians
from models.engine.verdicts import Verdicts
from schemas.feedback import Feedback
from schemas.times import moment
from schemas.training import SourceRange, TrainingReason, TrainingRequest

#: What stands of what people said of a machine and stack, in the order in which they said it.
Said = Callable[[Machine, str], Sequence[Feedback]]

#: So many medians feedback has to leave: to a model of fewer most of what is usual would be strange.
LEAST_LEFT: Final = 50


def nothing_said(machine: Machine, stack: str) -> Sequence[Feedback]:  # noqa: ARG001
    """Where nobody is listened to."""
    return ()


def training_requests(
    machines: Machines, verdicts: dict[str, Verdicts], batch: ReadingBatch, stamp: Stamp, said: Said = nothing_said
) -> list[TrainingRequest]:
    """Requests for the models that this run made due, with the machines' histories as they stand after it."""
    requests = []
    for stack, judged in verdicts.items():
        for at in np.flatnonzero(judged.due).tolist():
            slot = int(batch.slot[at])
            request = _request(machines, stack, slot, REASONS[int(judged.due[at])], "", stamp, said)
            if request is not None:
                requests.append(request)
    return requests


def request_for_feedback(
    machines: Machines, stack: str, slot: int, offset: int, stamp: Stamp, said: Said
) -> TrainingRequest | None:
    """The request that feedback at ``offset`` makes due, of a machine that has been read back; its state does not change.

    None where there is nothing to ask for: no first model was due yet, which will heed it, or too little is left of the
    history.
    """
    one = machines.stacks[stack]
    if not (one.asks_for_refits and int(one.state.core[slot]["next_fit"])):
        return None
    return _request(machines, stack, slot, "feedback", f"-{offset}", stamp, said)


def _request(
    machines: Machines, stack: str, slot: int, reason: TrainingReason, after_id: str, stamp: Stamp, said: Said
) -> TrainingRequest | None:
    one = machines.stacks[stack]
    core = one.state.core[slot]
    whose = machines.names[slot]
    client, machine, partition = whose
    medians, times = training_medians(one.state, slot, one.span_ms)
    left_out, heeded = settle(times, *alerts_and_marks(one.state, slot), said(whose, stack))
    usable = ~left_out & ~np.isnan(medians).any(axis=1)
    if int(usable.sum()) < (LEAST_LEFT if heeded else 1):
        return None
    last_offset = int(core["last_offset"])
    return TrainingRequest(
        request_id=f"{stack}-{partition}-{last_offset}{after_id}",
        client_id=client,
        machine_id=machine,
        stack=stack,
        reason=reason,
        features=list(one.stack.feature_names),
        medians=[column[usable].tolist() for column in medians.T],
        readings=int(core["readings"]),
        source=SourceRange(
            topic=stamp.source_topic,
            partition=partition,
            first_time=moment(int(times[0])),
            last_time=moment(int(times[-1])),
            first_offset=first_offset(one.state, slot),
            last_offset=last_offset,
        ),
        exclusions=[(moment(first), moment(last)) for first, last in stretches(times, left_out)],
        feedback=heeded,
        parent_digest=f"{int(core['model']):016x}" if core["model"] else None,
        # The same machine always gets the same random state: a refit on the same history is the same model.
        seed=zlib.crc32(f"{client}/{machine}/{stack}".encode()),
    )
