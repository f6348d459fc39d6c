"""What the worker tells the trainer when a machine's model is due."""

import zlib

import numpy as np

from models.engine.batch import ReadingBatch
from models.engine.labels import Stamp
from models.engine.machines import Machines
from models.engine.refits import REASONS, first_offset, stretches, training_medians
from models.engine.verdicts import Verdicts
from schemas.times import moment
from schemas.training import SourceRange, TrainingRequest


def training_requests(
    machines: Machines, verdicts: dict[str, Verdicts], batch: ReadingBatch, stamp: Stamp
) -> list[TrainingRequest]:
    """Requests for the models that this run made due, with the machines' histories as they stand after it."""
    requests = []
    for stack, judged in verdicts.items():
        for at in np.flatnonzero(judged.due).tolist():
            request = _request(machines, stack, int(batch.slot[at]), int(judged.due[at]), stamp)
            if request is not None:
                requests.append(request)
    return requests


def _request(machines: Machines, stack: str, slot: int, reason: int, stamp: Stamp) -> TrainingRequest | None:
    one = machines.stacks[stack]
    core = one.state.core[slot]
    client, machine, partition = machines.names[slot]
    medians, times, left_out = training_medians(one.state, slot, one.span_ms)
    usable = ~left_out & ~np.isnan(medians).any(axis=1)
    if not usable.any():
        return None
    last_offset = int(core["last_offset"])
    return TrainingRequest(
        request_id=f"{stack}-{partition}-{last_offset}",
        client_id=client,
        machine_id=machine,
        stack=stack,
        reason=REASONS[reason],
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
        parent_digest=f"{int(core['model']):016x}" if core["model"] else None,
        # The same machine always gets the same random state: a refit on the same history is the same model.
        seed=zlib.crc32(f"{client}/{machine}/{stack}".encode()),
    )
