"""Owning partitions: before a worker reads the state of those it was given, nobody else may write to them any more.

Else one that stood still for longer than its session might write state behind what is read here, and labels that say other
than ours.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from faust.types import TP

from schemas.topics import Topics
from streams.runs.app import RunApp
from streams.runs.claims import Claims
from streams.runs.producing import send_run
from streams.settings import Settings
from streams.worker.store import OWNER_KEY, StateStore

#: Kafka forgets an id that no transaction was made with for seven days (``transactional.id.expiration.ms``).
_RENEW_EVERY_S: Final = 24 * 3600.0


def written_topics(topics: Topics) -> tuple[str, ...]:
    """What a worker writes, in partitions that it owns."""
    written = (topics.changelog, topics.labels, topics.incidents, topics.status, topics.rejected, topics.training)
    return tuple(topic.name for topic in written)


class Owning:
    """Claims what is assigned, and says so at the end of its changelog."""

    def __init__(self, app: RunApp, settings: Settings, store: StateStore) -> None:
        self._app, self._store = app, store
        self._changelog = settings.topics.changelog.name
        self._claims = Claims(
            settings.broker,
            settings.worker.app_id,
            written_topics(settings.topics),
            held=app.claims,
            renewed_in=settings.topics.status.name,
        )

    async def take_over(self, assigned: set[TP]) -> None:
        """Claim the partitions of ``assigned``. A broker that knows no producer ids has no claims to give."""
        if not self._app.producer.knows_producer_ids:
            return
        changelogs = {tp for tp in assigned if tp.topic == self._changelog}
        ends = await self._ends(changelogs)
        begun = {tp.partition: ends[tp] > 0 for tp in changelogs}
        await self._claims.take(begun)
        for tp in changelogs:
            claim = self._app.claims[tp.partition]
            said = json.dumps({"producer_id": claim.producer_id, "epoch": claim.epoch}).encode()
            last = await send_run(self._app, tp.topic, tp.partition, [(OWNER_KEY, said)])
            if last is not None:
                self._store.claimed(tp, 2 if begun[tp.partition] else 1)  # a marker before the record, or none

    async def _ends(self, changelogs: set[TP]) -> Mapping[TP, int]:
        ends = await self._app.consumer.highwaters(*changelogs) if changelogs else {}
        return {tp: ends.get(tp) or 0 for tp in changelogs}

    async def renew_claims(self) -> None:
        """Renew the claims once a day, for ever."""
        while True:
            await asyncio.sleep(_RENEW_EVERY_S)
            await self._claims.renew()
