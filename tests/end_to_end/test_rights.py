"""Programs with the rights of streams/access/rights.py and no others, on a Kafka that checks them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from streams.access.rights import rights
from streams.audit.audit import Scope
from streams.audit.running import run_audit
from streams.explore.gathering import Wanted
from streams.explore.running import Source, run_explore
from streams.reading_ranges import Bounds
from streams.replay.plan import Asked
from streams.replay.whole import replay
from streams.settings import Settings
from tests.conftest import MakeSettings
from tests.processes import Process, running, wait_until
from tests.secured_kafka import SecuredKafka
from tests.topics_at_hand import Reader

PROGRAMS = ("worker", "trainer", "sink", "feed", "explore", "tail", "audit", "replay", "feedback", "notifier")
As = Callable[[str], Settings]


class Gatekeeper:
    """Gives rights, and takes back all it gave."""

    def __init__(self, url: str) -> None:
        self._admin = KafkaAdminClient(bootstrap_servers=url)
        self._users: set[str] = set()

    def allow(self, user: str, operation: ACLOperation, kind: ResourceType, name: str, *, prefix: bool = False) -> None:
        """Let ``user`` do ``operation`` with one topic or group, or with all whose names begin so."""
        self._users.add(user)
        pattern = ACLResourcePatternType.PREFIXED if prefix else ACLResourcePatternType.LITERAL
        resource = ResourcePattern(kind, name, pattern)
        done = self._admin.create_acls([ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, resource)])
        assert not done["failed"], done

    def allow_program(self, program: str, settings: Settings, *, but: str = "") -> None:
        """Give the user of that name the program's rights, all but those to what is called ``but``."""
        needed = rights(settings)[program]
        wanted = [(ACLOperation.READ, ResourceType.TOPIC, one.name) for one in needed.reads]
        wanted += [(ACLOperation.WRITE, ResourceType.TOPIC, one.name) for one in needed.writes]
        if needed.joins is not None:
            wanted.append((ACLOperation.READ, ResourceType.GROUP, needed.joins))
        if needed.joins_all is not None:
            self.allow(program, ACLOperation.READ, ResourceType.GROUP, needed.joins_all, prefix=True)
        wanted += [(ACLOperation.DESCRIBE, ResourceType.GROUP, group) for group in needed.looks_at]
        for operation, kind, name in wanted:
            if name != but:
                self.allow(program, operation, kind, name)
        if needed.claims is not None and needed.claims != but:
            self.allow(program, ACLOperation.WRITE, ResourceType.TRANSACTIONAL_ID, needed.claims, prefix=True)

    def close(self) -> None:
        """Take everything back."""
        anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        for user in self._users:
            self._admin.delete_acls(
                [ACLFilter(f"User:{user}", None, ACLOperation.ANY, ACLPermissionType.ANY, anything)]
            )
        self._admin.close()


@pytest.fixture
def gatekeeper(secured_kafka: SecuredKafka) -> Iterator[Gatekeeper]:
    keeper = Gatekeeper(secured_kafka.url)
    yield keeper
    keeper.close()


@pytest.fixture
def as_user(secured_kafka: SecuredKafka, embedded_aws_url: str, make_settings: MakeSettings) -> As:
    """One installation, as different users see it."""

    def settings_of(user: str) -> Settings:
        broker = secured_kafka.broker("scram", user=user)
        told = {"crew": {"apprise": "json://localhost"}}
        return make_settings(None, embedded_aws_url, broker=broker, sink={"linger_s": 0.5}, notifier={"targets": told})

    return settings_of


def finish(program: Process) -> str:
    """What a command wrote that ends by itself."""
    wait_until(lambda: not program.running, what="its end")
    return program.log.read_text()


def test_each_program_does_its_work_with_its_own_rights_alone(
    secured_kafka: SecuredKafka, gatekeeper: Gatekeeper, as_user: As, make_settings: MakeSettings, tmp_path: Path
) -> None:
    maker = as_user("maker")
    prefix = maker.broker.topic_prefix
    for operation in (ACLOperation.CREATE, ACLOperation.DESCRIBE, ACLOperation.DESCRIBE_CONFIGS):
        gatekeeper.allow("maker", operation, ResourceType.TOPIC, prefix, prefix=True)
    with running("topics", maker, tmp_path, arguments=["create"]) as create:
        finish(create)
    with running("doctor", maker, tmp_path) as doctor:
        assert "all 9 are as declared" in finish(doctor)
    for program in PROGRAMS:
        gatekeeper.allow_program(program, maker)
    (tmp_path / "wells.csv").write_text(
        "time,casing_pressure,tubing_pressure\n"
        + "".join(f"2026-01-01T{i // 60:02d}:{i % 60:02d}:00Z,{300 + i % 7},200\n" for i in range(300))
    )
    with (
        running("worker", as_user("worker"), tmp_path) as worker,
        running("trainer", as_user("trainer"), tmp_path) as trainer,
        running("sink", as_user("sink"), tmp_path) as sink,
        running("notify", as_user("notifier"), tmp_path) as notifier,
        running("tail", as_user("tail"), tmp_path, arguments=["--from-beginning"]) as tail,
        running("feed", as_user("feed"), tmp_path, arguments=[str(tmp_path / "wells.csv"), "--flat-out"]) as feed,
    ):
        assert "300" in finish(feed)
        models = Reader(make_settings(secured_kafka.url).broker, maker.topics.models.name)
        wait_until(lambda: len(models.more()) >= 1, what="a model", process=trainer)
        models.close()
        wait_until(lambda: tail.log.read_text().count("wells") >= 300, what="labels in a terminal", process=tail)
        wait_until(lambda: '"labels stored"' in sink.log.read_text(), what="stored labels", process=sink)
        wait_until(lambda: notifier.has_said("ready"), what="partitions to tell of", process=notifier)
    assert [one.end() for one in (worker, trainer, sink, notifier)] == [0, 0, 0, 0]
    with running(
        "feedback", as_user("feedback"), tmp_path, arguments=["acknowledge", "wells", "--by", "ann"]
    ) as feedback:
        assert "acknowledge of default/wells by ann is on the topic" in finish(feedback)
    scope = Scope(maker.topics.readings.name, maker.worker.stacks)
    report = run_audit(as_user("audit"), scope, int(time.time() * 1000), lambda *_: None)
    assert report.in_order, report
    assert report.labels == report.stored == 300
    page = tmp_path / "page.html"
    explored = run_explore(as_user("explore"), Source(), Wanted(), page, 0, lambda *_: None)
    assert [machine.readings for machine in explored.machines] == [300]
    asked = replay(as_user("replay"), Asked(), Bounds(), tmp_path / "work", with_diff=True, on_progress=lambda _: None)
    compared = asyncio.run(asked).comparison
    assert compared is not None
    assert (compared.identical, compared.is_same) == (300, True)


def test_commands_that_lack_a_right_end_and_say_so(gatekeeper: Gatekeeper, as_user: As, tmp_path: Path) -> None:
    settings = as_user("admin")
    with running("topics", settings, tmp_path, arguments=["create"]) as create:
        finish(create)
    (tmp_path / "well.csv").write_text("time,flow_rate\n2026-01-01T00:00:00Z,1\n")
    feed = [str(tmp_path / "well.csv"), "--flat-out"]
    for user, topic, arguments in (("tail", settings.topics.labels, []), ("feed", settings.topics.readings, feed)):
        for may_see in (False, True):
            if may_see:
                gatekeeper.allow(user, ACLOperation.DESCRIBE, ResourceType.TOPIC, topic.name)
            with running(user, as_user(user), tmp_path, arguments=arguments) as program:
                said = finish(program)
            assert program.end() == 1
            assert topic.name in said
            assert "Traceback" not in said
            assert len(said) < 2_000


@pytest.mark.parametrize(
    "lacking",
    ["readings", "labels", "group", "claims", pytest.param("worker-state-changelog", marks=pytest.mark.make_chaos)],
)
def test_a_worker_that_lacks_a_right_ends_and_says_which(
    gatekeeper: Gatekeeper, as_user: As, tmp_path: Path, lacking: str
) -> None:
    settings = as_user("admin")
    with running("topics", settings, tmp_path, arguments=["create"]) as create:
        finish(create)
    of_group = {"group": settings.worker.app_id, "claims": f"{settings.worker.app_id}-"}
    name = of_group.get(lacking, f"{settings.broker.topic_prefix}.{lacking}")
    gatekeeper.allow_program("worker", settings, but=name)
    with running("worker", as_user("worker"), tmp_path) as worker:
        wait_until(lambda: not worker.running, within_s=40, what="its end")
        assert worker.end() == 1
    assert name in worker.tail()
    says = "cannot be claimed" if lacking == "claims" else "worker has no right to"
    assert says in worker.tail() or "missing" in worker.tail()
    assert "docs/security.md" in worker.tail()
