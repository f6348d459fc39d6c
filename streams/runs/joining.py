"""Requests to a broker written in one go: aiokafka copies each batch of records once for every level it lies in.

Records, partition, topic, list of topics, request, header and size each make a bytes object of their own, eight of half a
megabyte for a batch of labels, and memory of that size is asked of the system anew each time. Here pieces are gathered, and
joined when the last one, the message's size, is put before them.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.struct import Struct
from aiokafka.protocol.types import Array, Bytes, Int32, Schema


class Message:
    """A header and its request in pieces, before which the size is put.

    >>> b"size, " + Message([b"header, ", b"request"])
    b'size, header, request'
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __radd__(self, size: bytes) -> bytes:
        return b"".join([size, *self._pieces])


class Body:
    """A request in pieces, before which its header is put. So ``conn.AIOKafkaConnection.send`` does.

    >>> from aiokafka.protocol.produce import ProduceRequest_v7
    >>> request = ProduceRequest_v7(None, -1, 1000, [("labels", [(0, b"one"), (1, None)]), ("status", [])])
    >>> b"size, " + (b"header, " + Body(request)) == b"size, header, " + request.encode()
    True
    """

    def __init__(self, request: Struct) -> None:
        self._request = request

    def __radd__(self, header: bytes) -> Message:
        schema = self._request.SCHEMA
        return Message([header, *_pieces(schema, [self._request.get_item(name) for name in schema.names])])


def _pieces(kind: Any, value: Any) -> Iterator[bytes]:
    if value is not None and isinstance(kind, Schema):
        for field, one in zip(kind.fields, value, strict=True):
            yield from _pieces(field, one)
    elif value is not None and isinstance(kind, Array):
        yield Int32.encode(len(value))
        for one in value:
            yield from _pieces(kind.array_of, one)
    elif value is not None and kind is Bytes:
        yield Int32.encode(len(value))
        yield value
    else:
        yield kind.encode(value)


class _JoinedRequest(ProduceRequest):  # type: ignore[misc]
    """A request whose struct is encoded as a :class:`Body`.

    Neither knows itself: in a cycle each would keep its batches until the collector comes, which then holds all up.
    """

    def build(self, version: type[Struct]) -> Struct:
        return super().build(_JOINED[version])


def _joined(version: type[Struct]) -> type[Struct]:
    class Joined(version):  # type: ignore[misc]
        def encode(self) -> Body:
            return Body(self)

    return Joined


_JOINED = {version: _joined(version) for version in ProduceRequest._CLASSES}


def write_in_one_go(producer: Any) -> None:
    """Make an aiokafka producer write the records it sends so."""
    send = producer.client.send

    def send_joined(node_id: Any, request: Any, **group: Any) -> Any:
        if isinstance(request, ProduceRequest):
            request = _JoinedRequest(
                request._transactional_id, request._required_acks, request._timeout, request._topics
            )
        return send(node_id, request, **group)

    producer.client.send = send_joined
