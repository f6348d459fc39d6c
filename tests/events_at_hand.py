"""A reader of server-sent events, as a browser or a small program would be."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``kind`` is empty where only the id moved on."""

    kind: str
    id: str
    data: Any


class Events:
    """An open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.last_id: str | None = None

    def __iter__(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}

    def take(self, count: int) -> list[Event]:
        """The next so many."""
        found = []
        for event in self:
            found.append(event)
            if len(found) == count:
                break
        return found


@contextmanager
def reading(url: str, after: str | None = None, **query: str) -> Iterator[Events]:
    """The stream at ``url``, from behind the event ``after``, once it has been answered."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with httpx.stream("GET", url, params=query, headers=headers, timeout=20) as response:
        assert response.status_code == 200, response.read()
        yield Events(response)
