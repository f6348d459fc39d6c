"""Apache Kafka itself: one node, broker and controller in one process (KRaft), from jars that Maven fetches."""

import base64
import subprocess
import uuid
from pathlib import Path
from typing import ClassVar

from schemas.errors import BrokerError
from streams.parts.kafka_answers import kafka_answers
from streams.parts.maven import class_path, jars, java
from streams.parts.part import Part
from streams.parts.ports import free_port

_FORMAT_WITHIN_S = 60.0


class KafkaJars(Part):
    """Apache Kafka; ``url`` is host:port. Topics are not created by being asked for. Needs Java 17 and Maven."""

    name: ClassVar[str] = "Apache Kafka"
    start_within_s: ClassVar[float] = 90.0
    error = BrokerError

    def command(self, port: int) -> list[str]:
        """The broker's command; its directory is formatted the first time."""
        directory = self.directory
        run_java = java_command(directory)
        properties = directory / "server.properties"
        if not properties.exists() or f"127.0.0.1:{port}\n" not in properties.read_text():
            properties.write_text(server_properties(directory / "data", port, free_port({port})))
        if not (directory / "data").exists():
            format_data(run_java, properties)
        return [*run_java, "-Xmx512m", "-Xms256m", "kafka.Kafka", str(properties)]

    def address(self, port: int) -> str:
        """Bootstrap servers."""
        return f"127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether it names itself as a broker."""
        return kafka_answers(self.url)


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """The broker's settings.

    One replica of everything, few partitions of the internal topics (they are created when the first group joins, which
    waits for it), groups that start without waiting for more members, no topic by accident, and nothing deleted for its
    age unless a topic says so: event times lie where the data lies, often years back.
    """
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"CONTROLLER://127.0.0.1:{controller_port},PLAINTEXT://127.0.0.1:{port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": 5,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 5,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "log.retention.ms": -1,
        "log.cleaner.dedupe.buffer.size": 16_777_216,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_command(directory: Path) -> list[str]:
    """How any of Kafka's programs begins; it leaves no file outside of ``directory``."""
    return [
        java(),
        "-cp",
        class_path(jars("kafka")),
        f"-Djava.io.tmpdir={directory}",  # unpacked compression libraries go with the rest
        "-XX:-UsePerfData",  # no file under /tmp/hsperfdata_*
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=4",
        "-Dlog4j2.level=WARN",
    ]


def format_data(run_java: list[str], properties: Path, *options: str) -> None:
    """Prepare the directory that ``properties`` name. ``options`` are those of Kafka's ``kafka-storage format``."""
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    # An id that starts with a dash would be taken for an option.
    command = [*run_java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(properties)]
    command += options
    done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_WITHIN_S, check=False)
    if done.returncode != 0:
        raise BrokerError(f"Apache Kafka's directory could not be formatted:\n{done.stdout}{done.stderr}")
