"""The dashboard's REST as an OpenAPI document, made by FastAPI of its routes."""

import json
import os
import tempfile
from typing import Any

from fastapi import FastAPI

from schemas.api import Problem
from streams.settings import Settings

FILE = "openapi.json"
_TOKEN = "As `wellsentry token NAME` makes it; a dashboard without users asks for none."


def describe(app: FastAPI) -> None:
    """Have ``app`` describe its refusals as the problems that they are, once all routes are on it."""
    made_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _with_problems(made_by_fastapi())
        return made_by_fastapi()

    app.openapi = openapi  # type: ignore[method-assign]


def openapi_text(app: FastAPI) -> str:
    """The document of ``app``, as it is written to a file."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def openapi_of_dashboard() -> str:
    """That of the dashboard. Takes a second and touches nothing: its application is made and not run."""
    with tempfile.TemporaryDirectory(prefix="wellsentry-dashboard-") as pages:
        os.environ["NICEGUI_STORAGE_PATH"] = pages  # read when it is imported
        from streams.dashboard.app import dashboard_app

        return openapi_text(dashboard_app(Settings(), _nothing_runs))


def _nothing_runs(error: BaseException) -> None:
    raise error


def _with_problems(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": _TOKEN}}
    document["security"] = [{"token": []}, {}]  # without users nobody is asked
    for methods in document["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                _as_it_is_sent(response)
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form, which problems replace
        schemas.pop(unused, None)


def _as_it_is_sent(response: dict[str, Any]) -> None:
    """FastAPI adds JSON to whatever else a route says that it answers with."""
    content = response.get("content", {})
    for media in ("application/problem+json", "text/event-stream"):
        if media in content:
            response["content"] = {media: content[media]}
