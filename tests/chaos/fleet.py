"""A fleet's readings from a seed: good ones of every kind, and bad ones among them."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.training import ModelUpdate
from tests.models.engines import as_published, model

CLIENT: Final = "acme"
START_S: Final = 1_780_000_000
_BLOCK: Final = 4  # readings of a machine that sends late, the newest first


@dataclass(frozen=True, slots=True)
class Message:
    """A record for the readings topic. ``good``: a reading, which must have a label or be held by tag."""

    home: str  # the machine whose partition it goes to
    key: bytes | None
    value: bytes | None
    good: bool = True
    may_have_no_partner: bool = False  # by tag, and of a tag or a machine that nobody else may ever send


class Fleet:
    """Machines whose every burst is a function of the seed and the burst's number.

    Some send late, some by tag, some have events, a few come only later; in every burst something is no reading at all.
    """

    def __init__(self, seed: int, machines: int = 36) -> None:
        self.seed, self.machines = seed, machines

    def names(self, number: int) -> list[str]:
        """The machines that there are in burst ``number``."""
        return [f"well-{m:03d}" for m in range(self.machines + min(self.machines // 4, number // 20))]

    def burst(self, number: int) -> list[Message]:
        """One reading of each machine, and what is none."""
        rng = random.Random(f"{self.seed}/{number}")
        made: list[Message] = []
        for m, name in enumerate(self.names(number)):
            made += self._of_machine(m, name, number, rng)
        made.insert(rng.randrange(len(made)), _bad(rng, rng.choice(self.names(number))))
        return made

    def _of_machine(self, m: int, name: str, number: int, rng: random.Random) -> Iterator[Message]:
        late = m % 12 == 1
        minute = number // _BLOCK * _BLOCK + _BLOCK - 1 - number % _BLOCK if late else number
        event = 80.0 if m % 7 == 2 and (number + m) % 60 >= 45 else 0.0
        casing = round(300.0 + event + rng.gauss(0, 3), 1)
        tubing = round(200.0 + rng.gauss(0, 1), 1)
        common = {"client_id": CLIENT, "machine_id": name, "time": START_S + 60 * minute}
        if m % 10 == 3:
            yield _message(name, {**common, "tag": "Casing Pressure", "value": casing})
            yield _message(name, {**common, "tag": "Tubing Pressure", "value": tubing})
        else:
            yield _message(name, {**common, "casing_pressure": casing, "tubing_pressure": tubing})
        if rng.random() < 0.01:  # the same moment again
            yield _message(name, {**common, "casing_pressure": casing + 1.0, "tubing_pressure": tubing})

    def update(self, number: int) -> ModelUpdate:
        """Model number ``number`` (from 0): of a machine of its own, every eighth of the fleet."""
        rng = random.Random(f"{self.seed}/model/{number}")
        whose = "*" if number % 8 == 7 else f"well-{rng.randrange(self.machines):03d}"
        made = model(
            whose,
            centre=0.0 if whose == "*" else rng.choice([95.0, 100.0, 104.0]),
            spread=rng.choice([1.5, 3.0, 6.0]),
            rung="fleet" if whose == "*" else "own",
        )
        # No two models are quite the same: each has a digest of its own.
        features = [one.model_copy(update={"expected_low": one.expected_low - rng.random()}) for one in made.features]
        return as_published(made.model_copy(update={"client_id": CLIENT, "features": features}))


def _message(name: str, reading: dict[str, Any]) -> Message:
    return Message(name, name.encode(), json.dumps(reading).encode())


def _bad(rng: random.Random, name: str) -> Message:
    key = name.encode()
    moment = START_S + rng.randrange(10**6)
    value, key = rng.choice(
        [
            (b'{"machine_id": "' + key, key),
            (None, key),
            (b"\xff\xfe", key),
            (json.dumps({"machine_id": name, "time": moment, "casing_pressure": 1.0}).encode(), None),
            (json.dumps({"machine_id": "another", "time": moment, "casing_pressure": 1.0}).encode(), key),
            (json.dumps({"machine_id": name, "time": "yesterday", "casing_pressure": 1.0}).encode(), key),
            (json.dumps({"machine_id": name, "time": moment, "casing_pressure": 1.0, "unit": "ell"}).encode(), key),
        ]
    )
    return Message(name, key, value, good=False)
