"""Helpers around the local parts; the fixtures that use them stand in conftest.py."""

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from schemas.errors import MissingPart
from streams.parts.part import Part

#: ``embedded``: leave the real parts out, though Java and Maven are there.
CHOICE_VARIABLE = "WELLSENTRY_TEST_PARTS"


def in_ci() -> bool:
    """In CI nothing may be skipped."""
    return os.environ.get("CI") == "true"


def only_embedded() -> bool:
    """Whether somebody asked to leave Apache Kafka and DynamoDB Local out."""
    return os.environ.get(CHOICE_VARIABLE) == "embedded"


def do_without(reason: str) -> NoReturn:
    """Skip the test that needs a part, with the reason; in CI fail it."""
    if in_ci():
        pytest.fail(f"in CI nothing is skipped, but {reason}")
    pytest.skip(reason)


def running(part: Part) -> Iterator[Part]:
    """Start ``part`` and end it when the session does; do without it when it cannot be installed here."""
    try:
        part.start()
    except MissingPart as missing:
        part.close()
        do_without(str(missing).splitlines()[0])
    try:
        yield part
    finally:
        part.close()


def running_real(part: Part) -> Iterator[Part]:
    """The same for a part that needs Java and Maven, unless only the embedded ones are wanted."""
    if only_embedded():
        do_without(f"{part.name} is left out because {CHOICE_VARIABLE}=embedded")
    yield from running(part)
