"""What each program does with which topic: no more rights does it need on the broker.

``docs/security.md`` shows this as a table, and ``tests/end_to_end/test_rights.py`` runs programs with these rights alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.topics import TopicDeclaration
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Rights:
    """Of one program. Who reads or writes a topic may also see that it is there."""

    reads: tuple[TopicDeclaration, ...] = ()
    writes: tuple[TopicDeclaration, ...] = ()
    joins: str | None = None  # the consumer group it is a member of
    joins_all: str | None = None  # how the consumer groups begin that it is a member of
    looks_at: tuple[str, ...] = ()  # groups whose offsets it asks for
    claims: str | None = None  # how the transactional ids begin by which it claims partitions

    @property
    def topics(self) -> tuple[TopicDeclaration, ...]:
        """All topics it has to do with, each once."""
        return tuple({topic.name: topic for topic in (*self.reads, *self.writes)}.values())


def rights(settings: Settings) -> Mapping[str, Rights]:
    """By program: the rights it needs in this installation."""
    all_topics = settings.topics
    return {
        "worker": Rights(
            reads=(all_topics.readings, all_topics.models, all_topics.feedback, all_topics.changelog),
            writes=(
                all_topics.labels,
                all_topics.incidents,
                all_topics.status,
                all_topics.rejected,
                all_topics.training,
                all_topics.changelog,
            ),
            joins=settings.worker.app_id,
            claims=f"{settings.worker.app_id}-",
        ),
        "trainer": Rights(
            reads=(all_topics.training, all_topics.models),
            writes=(all_topics.models,),
            joins=settings.trainer.app_id,
        ),
        "models": Rights(writes=(all_topics.models,)),
        "sink": Rights(reads=(all_topics.labels,), joins=settings.sink.app_id),
        "feed": Rights(writes=(all_topics.readings,)),
        "explore": Rights(reads=(all_topics.readings,)),
        "tail": Rights(reads=(all_topics.labels,)),
        "reproduce": Rights(reads=(all_topics.readings, all_topics.labels, all_topics.models)),
        "audit": Rights(
            reads=(all_topics.readings, all_topics.rejected, all_topics.labels), looks_at=(settings.worker.app_id,)
        ),
        "dashboard": Rights(
            reads=(
                all_topics.labels,
                all_topics.incidents,
                all_topics.status,
                all_topics.rejected,
                all_topics.training,
                all_topics.models,
                all_topics.feedback,
                all_topics.readings,
            ),
            writes=(all_topics.feedback,),
            looks_at=(settings.worker.app_id, settings.trainer.app_id, settings.sink.app_id),
        ),
        "feedback": Rights(
            reads=(all_topics.incidents, all_topics.status, all_topics.feedback), writes=(all_topics.feedback,)
        ),
        "notifier": Rights(reads=(all_topics.incidents, all_topics.feedback), joins_all=f"{settings.notifier.app_id}-"),
        "replay": Rights(reads=(all_topics.readings, all_topics.models, all_topics.labels)),
    }
