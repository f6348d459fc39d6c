"""What a replay is going to do, found out once: so one that was killed goes on to do the same."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from streams.replay.steps import Code, Whose


class Asked(msgspec.Struct, frozen=True):
    """What somebody asked for, as it was asked."""

    machines: tuple[str, ...] | None = None  # None: all
    client: str | None = None  # None: of any
    begin: str | None = None  # a time as it was typed
    end: str | None = None
    from_offset: int | None = None
    to_offset: int | None = None
    partition: int | None = None
    model: str | None = None  # a digest; None: the models then in force
    stacks: tuple[str, ...] = ("load",)
    detectors: dict[str, str] = {}
    changed: tuple[str, ...] = ()  # stacks that are not watched so in production
    output: str | None = None
    side_topic: str | None = None
    in_files: bool = True  # whether labels go to files, be it for a diff or to be put together


class MachineStep(NamedTuple):
    """A model comes into force for one stack's machine."""

    since_offset: int
    client_id: str
    machine_id: str
    stack: str
    digest: str
    rung: str

    @property
    def whose(self) -> Whose:
        """Of which stack and machine."""
        return Whose(self.client_id, self.machine_id, self.stack)


class PartitionPlan(msgspec.Struct):
    """Of one partition of the readings."""

    start_offset: int  # reading begins there, so that machines are warm at
    first_offset: int  # the first reading that counts; the same if all begins there
    end_offset: int
    steps: list[MachineStep] = []  # in the order in which they come into force
    codes: list[Code] = []
    begins: dict[str, int] = {}  # by machine: readings up to this offset are part of its snapshot
    snapshots: list[bytes] = []
    cold: list[str] = []  # machines that begin amid their history: nothing of it is kept


class Plan(msgspec.Struct):
    """All of it."""

    asked: Asked
    topic: str  # of the readings
    code_version: str  # what is on labels where nothing tells what it was then
    git_commit: str
    partitions: dict[int, PartitionPlan]
    labels: dict[int, tuple[int, int]]  # by partition: where the labels are that were given then
    left_out: dict[str, str] = {}  # by machine: why it is not judged
    stored: dict[int, tuple[int, int]] = {}  # by partition: readings whose labels only DynamoDB has
    untold: str = ""  # why it could not be asked for them

    @property
    def readings(self) -> int:
        """How many offsets are read."""
        return sum(one.end_offset - one.start_offset for one in self.partitions.values())


def keys_of(plan: Plan) -> frozenset[bytes] | None:
    """Keys of the readings that are wanted; None: all of them."""
    return None if plan.asked.machines is None else frozenset(name.encode() for name in plan.asked.machines)


def differences(was: Asked, is_: Asked) -> list[str]:
    """In what two differ, for people.

    >>> differences(Asked(client="acme"), Asked(client="other", partition=3))
    ["client was 'acme', is 'other'", 'partition was None, is 3']
    """
    then: Mapping[str, object] = msgspec.structs.asdict(was)
    now: Mapping[str, object] = msgspec.structs.asdict(is_)
    return [f"{name} was {then[name]!r}, is {now[name]!r}" for name in then if then[name] != now[name]]
