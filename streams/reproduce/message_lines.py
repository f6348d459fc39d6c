"""Messages as lines of JSON that people can read and programs read back to the letter."""

import base64
import json
from collections.abc import Iterable
from typing import Any

from streams.reproduce.places import Message


def to_lines(messages: Iterable[Message]) -> bytes:
    """One message a line; key and value as text, or in base64 where they are none.

    >>> to_lines([Message(7, 1000, b"well-7", bytes([0xFF]))])
    b'{"offset":7,"timestamp":1000,"key":"well-7","value_base64":"/w=="}\\n'
    """
    return b"".join(_line(one) for one in messages)


def from_lines(data: bytes) -> list[Message]:
    """The reverse of :func:`to_lines`; ValueError or KeyError if it is none.

    >>> from_lines(to_lines([Message(7, 1000, b"well-7", None)]))
    [Message(offset=7, timestamp=1000, key=b'well-7', value=None)]
    """
    rows = [json.loads(line) for line in data.splitlines() if line.strip()]
    return [Message(row["offset"], row["timestamp"], _bytes(row, "key"), _bytes(row, "value")) for row in rows]


def _line(one: Message) -> bytes:
    row = {"offset": one.offset, "timestamp": one.timestamp, **_text("key", one.key), **_text("value", one.value)}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _text(name: str, value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}


def _bytes(row: dict[str, Any], name: str) -> bytes | None:
    if f"{name}_base64" in row:
        return base64.b64decode(row[f"{name}_base64"], validate=True)
    value = row[name]
    return None if value is None else str(value).encode()
