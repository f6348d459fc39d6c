"""Labels as they lie on their topic: which reading made each, and which are copies of what was there before."""

from typing import Final, NamedTuple

import msgspec

_FRONT: Final = b'{"label_id":"'


class LabelId(NamedTuple):
    """What a label's id says."""

    stack: str
    partition: int
    offset: int
    revision: int


class LabelHead(msgspec.Struct, frozen=True, gc=False):
    """Of a label what tells whose it is and what it was made with."""

    label_id: str
    client_id: str
    machine_id: str
    stack: str
    model_digest: str | None
    model_rung: str | None
    model_since_offset: int | None
    code_version: str
    git_commit: str


read_head = msgspec.json.Decoder(LabelHead).decode


class _OnlyId(msgspec.Struct):
    label_id: str


_read_id = msgspec.json.Decoder(_OnlyId).decode


def id_of(line: bytes) -> str:
    """The id of a label, which its writer puts first.

    >>> id_of(b'{"label_id":"load-3-70-1","client_id":"acme"}'), id_of(b'{"x": 1, "label_id": "load-3-70-1"}')
    ('load-3-70-1', 'load-3-70-1')
    """
    if line.startswith(_FRONT):
        return line[len(_FRONT) : line.index(b'"', len(_FRONT))].decode()
    return _read_id(line).label_id


def parse_id(label_id: str) -> LabelId:
    """What ``label_id`` says; ValueError if it is none.

    >>> parse_id("load-3-70-1")
    LabelId(stack='load', partition=3, offset=70, revision=1)
    """
    stack, partition, offset, revision = label_id.rsplit("-", 3)
    return LabelId(stack, int(partition), int(offset), int(revision))


class FirstCopies:
    """Labels of one partition in the order of their topic, each once.

    A worker that was killed sends labels again, from some reading on all of them. A correction (revision 1 and up) follows
    the label of the late reading that made it.

    >>> copies = FirstCopies()
    >>> [copies.cause(f"load-0-{one}") for one in ("5-0", "6-0", "4-1", "5-0", "6-0", "4-1", "4-2", "7-0")]
    [5, 6, 6, None, None, None, 6, 7]
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}  # by stack: the furthest reading that has a label
        self._at: dict[str, int] = {}  # by stack: the reading of the last first label
        self._corrected: dict[str, set[str]] = {}  # by stack: corrections that the furthest reading made

    def cause(self, label_id: str) -> int | None:
        """Offset of the reading that made this label, be it of an earlier reading; None for a copy.

        None as well for a correction whose late reading's own label lies before all that was read.
        """
        stack, _, offset, revision = parse_id(label_id)
        newest = self._newest.get(stack, -1)
        if revision == 0:
            self._at[stack] = offset
            if offset <= newest:
                return None
            self._newest[stack] = offset
            self._corrected[stack] = set()
            return offset
        at = self._at.get(stack)
        if at is None or at < newest or label_id in self._corrected[stack]:
            return None
        self._corrected[stack].add(label_id)
        return at
