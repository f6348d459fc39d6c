"""Committing offsets, by the application's own decision."""

from collections.abc import Mapping

from aiokafka import TopicPartition
from faust.types import TP

from streams.runs.app import RunApp
from streams.runs.run import Run


async def commit(app: RunApp, *runs: Run) -> bool:
    """Commit that everything up to the last record of each run is done.

    Returns whether the broker took it: it does not after a rebalance, and then the runs come again to whoever owns them.
    """
    return await commit_offsets(app, {run.tp: run.last_offset + 1 for run in runs})


async def commit_offsets(app: RunApp, offsets: Mapping[TopicPartition, int]) -> bool:
    """Commit the next offset to read of each partition that is still ours."""
    ours = app.consumer.assignment()
    lost = {number for number, claim in app.claims.items() if not claim.holds}  # what was to be durable before is not
    wanted = {tp: offset for tp, offset in offsets.items() if tp in ours and tp.partition not in lost}
    if not wanted or not await app.consumer._commit(wanted):
        return False
    app.committed.update({TP(*tp): offset for tp, offset in wanted.items()})
    return True
