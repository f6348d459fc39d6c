"""Produce requests as pieces that are joined once, which nobody has to collect afterwards."""

import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest, ProduceRequest_v7

from streams.runs.joining import write_in_one_go

TOPICS: list[Any] = [("labels", [(0, b"one"), (1, b"other")]), ("status", [(3, b"")])]


def sent(request: Any) -> Any:
    """What is handed to aiokafka's client in place of ``request``."""
    handed: list[Any] = []
    producer = SimpleNamespace(client=SimpleNamespace(send=lambda _, one, **__: handed.append(one)))
    write_in_one_go(producer)
    producer.client.send(0, request, group="default")
    return handed[0]


@pytest.mark.parametrize("version", range(8))
def test_of_every_version_the_bytes_are_those_of_aiokafka(version: int) -> None:
    ours = sent(ProduceRequest(None, -1, 1_000, TOPICS)).prepare({0: (version, version)})
    theirs = ProduceRequest(None, -1, 1_000, TOPICS).prepare({0: (version, version)})
    assert (ours.API_VERSION, ours.RESPONSE_TYPE) == (theirs.API_VERSION, theirs.RESPONSE_TYPE)
    assert b"size, " + (b"header, " + ours.encode()) == b"size, header, " + theirs.encode()


def test_other_requests_are_left_alone() -> None:
    request = MetadataRequest([])
    assert sent(request) is request


@pytest.mark.usefixtures("no_collector")
def test_a_request_and_its_batches_are_gone_as_soon_as_they_are_sent() -> None:
    request = sent(ProduceRequest(None, -1, 1_000, TOPICS))
    struct = request.prepare({0: (7, 7)})
    assert isinstance(struct, ProduceRequest_v7)
    assert b"" + (b"" + struct.encode())
    alive = [weakref.ref(request), weakref.ref(struct)]
    del request, struct
    assert [one() for one in alive] == [None, None]
