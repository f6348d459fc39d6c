"""What a worker has counted, as metrics."""

from collections.abc import Iterator, Mapping
from typing import get_args

import numpy as np
from aiokafka import TopicPartition
from prometheus_client.metrics_core import Metric

from models.engine.codes import OPEN
from models.engine.machines import Machines
from schemas.rejected import RejectReason
from schemas.topics import Topics
from schemas.training import TrainingReason
from streams.metrics.families import counter, counters, gauge, gauges, histograms
from streams.runs.app import RunApp
from streams.worker.adopter import Adopter
from streams.worker.durable import Durable
from streams.worker.judge import Counts
from streams.worker.silence import Silence


class WorkerMeasures:
    """Knows where in a worker each number is."""

    def __init__(
        self,
        app: RunApp,
        topics: Topics,
        counts: Counts,
        machines: Machines,
        durable: Durable,
        adopter: Adopter,
        told: Mapping[str, int],
        silence: Silence,
    ) -> None:
        """``told``: how often each warning about what others sent was given, by its action."""
        self._app, self._counts, self._machines, self._durable = app, counts, machines, durable
        self._readings, self._adopter, self._told, self._silence = topics.readings.name, adopter, told, silence

    def measure(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._what_came()
        yield from self._what_was_said()
        yield from self._models()
        yield from self._writing()
        yield from self._state()

    def _what_came(self) -> Iterator[Metric]:
        counts = self._counts
        yield counter("wellsentry_readings_total", "Readings that were taken in.", counts.readings)
        yield counters(
            "wellsentry_rejected_total",
            "Messages that are no readings.",
            ("reason",),
            {(reason,): counts.reasons[reason] for reason in get_args(RejectReason)},
        )
        yield gauge(
            "wellsentry_newest_reading_timestamp_seconds", "Event time of the newest reading.", counts.newest_ms / 1000
        )
        yield gauges(
            "wellsentry_unjudged_records",
            "Readings that are on their topic and not judged yet.",
            ("partition",),
            {(str(number),): records for number, records in self._unjudged().items()},
        )

    def _unjudged(self) -> dict[int, int]:
        ends = self._app.ends
        return {
            number: max(0, ends[tp] - one.position)
            for number, one in self._durable.partitions.items()
            if (tp := TopicPartition(self._readings, number)) in ends
        }

    def _what_was_said(self) -> Iterator[Metric]:
        stacks = {name: self._counts.of(name) for name in self._machines.stacks}
        yield counters(
            "wellsentry_labels_total",
            "First labels of readings.",
            ("stack", "label"),
            {
                (name, label): count
                for name, one in stacks.items()
                for label, count in (
                    ("normal", one.normal),
                    ("anomalous", one.anomalous),
                    ("unscored", sum(one.unscored.values())),
                )
            },
        )
        yield counters(
            "wellsentry_labels_unscored_total",
            "First labels that are unscored.",
            ("stack", "reason"),
            {(name, reason): count for name, one in stacks.items() for reason, count in one.unscored.items()},
        )
        for name, about, values in (
            ("labels_revised", "Labels issued again.", {(key,): one.revised for key, one in stacks.items()}),
            ("readings_held", "Readings by tag held for a partner.", {(key,): one.held for key, one in stacks.items()}),
            ("readings_repeated", "Readings seen before.", {(key,): one.repeated for key, one in stacks.items()}),
        ):
            yield counters(f"wellsentry_{name}_total", about, ("stack",), values)
        yield counters(
            "wellsentry_incidents_total",
            "Incidents that opened and closed.",
            ("stack", "state"),
            {(name, state): one.incidents[state] for name, one in stacks.items() for state in ("opened", "closed")},
        )
        yield histograms(
            "wellsentry_surprise",
            "Surprise of scored readings: -log10 of how often a healthy machine gives such a value.",
            ("stack",),
            {(name,): one.surprise for name, one in stacks.items()},
        )
        yield histograms(
            "wellsentry_label_latency_seconds",
            "From a reading's Kafka timestamp until its label is durable.",
            (),
            {(): self._durable.latency.seconds},
        )

    def _models(self) -> Iterator[Metric]:
        yield counters(
            "wellsentry_models_adopted_total",
            "Models put in force.",
            ("rung",),
            {(rung,): self._adopter.adopted[rung] for rung in ("own", "fleet")},
        )
        yield counter("wellsentry_models_refused_total", "Models that fit nothing.", self._told.get("model_refused", 0))
        yield counters(
            "wellsentry_training_requests_total",
            "Models asked for.",
            ("stack", "reason"),
            {
                (name, reason): self._counts.of(name).requests[reason]
                for name in self._machines.stacks
                for reason in get_args(TrainingReason)
            },
        )

    def _writing(self) -> Iterator[Metric]:
        durable = self._durable
        yield counter("wellsentry_changelog_records_total", "Records of state.", durable.changelog.records)
        yield counter("wellsentry_changelog_bytes_total", "Bytes of state, uncompressed.", durable.changelog.bytes)
        yield counter("wellsentry_broker_waits_total", "How often judging waited for the broker.", durable.waits)
        yield counter("wellsentry_broker_wait_seconds_total", "How long it waited in all.", durable.waited_s)

    def _state(self) -> Iterator[Metric]:
        machines = self._machines
        yield gauge("wellsentry_machines", "Machines whose state is here.", len(machines.names))
        yield gauge("wellsentry_machines_unread", "Of these, not read back since the start.", machines.unread)
        yield gauge("wellsentry_machines_silent", "Of these, silent for too long.", self._silence.silent())
        yield gauges(
            "wellsentry_incidents_open",
            "Open incidents, of machines that have been read back.",
            ("stack",),
            {
                (name,): int(np.count_nonzero(one.state.core["alert"][: one.state.rows] == OPEN))
                for name, one in machines.stacks.items()
            },
        )
