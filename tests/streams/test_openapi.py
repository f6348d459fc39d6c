"""The OpenAPI document is that of the code, and a valid one."""

import json
from pathlib import Path

import openapi_spec_validator
import pytest

from streams.dashboard.openapi import FILE, openapi_of_dashboard

COMMITTED = Path(__file__).parents[2] / "docs" / "contract" / FILE


@pytest.fixture(scope="module")
def text() -> str:
    return openapi_of_dashboard()


def test_the_published_document_is_that_of_the_code(text: str) -> None:
    assert COMMITTED.read_text() == text, "run wellsentry schema --to docs/contract"
    assert openapi_of_dashboard() == text


def test_it_is_valid_and_says_how_every_route_refuses(text: str) -> None:
    document = json.loads(text)
    openapi_spec_validator.validate(document)
    for path, methods in document["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in methods.items():
            assert operation["description"], f"{method} {path} says what it does"
            refusals = {status: found for status, found in operation["responses"].items() if int(status) >= 400}
            assert {"422", "429"} <= set(refusals)
            assert all(list(found["content"]) == ["application/problem+json"] for found in refusals.values())
