"""A label's id taken apart."""

import re
from typing import Final, NamedTuple

from schemas.errors import LabelNotFound

_ID: Final = re.compile(r"(?:inc-)?(.+)-(\d+)-(\d+)-(\d+)")


class LabelId(NamedTuple):
    """``<stack>-<source partition>-<source offset>-<revision>``."""

    stack: str
    partition: int
    offset: int
    revision: int

    def __str__(self) -> str:
        return f"{self.stack}-{self.partition}-{self.offset}-{self.revision}"


def parse_label_id(text: str) -> LabelId:
    """A label's id, or that of an incident, which is named after the label that opened it.

    >>> parse_label_id("load-3-812-0") == parse_label_id("inc-load-3-812-0") == LabelId("load", 3, 812, 0)
    True

    Raises :class:`LabelNotFound` if it is none.
    """
    found = _ID.fullmatch(text.strip())
    if found is None:
        raise LabelNotFound(
            f"{text!r:.80} is no label's id: one looks like load-3-812-0, that is stack, partition, offset and revision. "
            "The board, `wellsentry tail --json` and `wellsentry labels --json` show it as label_id"
        )
    stack, partition, offset, revision = found.groups()
    return LabelId(stack, int(partition), int(offset), int(revision))
