"""The dashboard's REST as an OpenAPI document, made by FastAPI of its routes."""

import json

from fastapi import FastAPI

from schemas.api import Problem


def openapi_text(app: FastAPI) -> str:
    """As it is written to ``docs/contract/openapi.json``."""
    found = app.openapi()
    schemas = found["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for path in found["paths"].values():
        for operation in path.values():
            _problems_alone(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form, which problems replace
        schemas.pop(unused, None)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _problems_alone(responses: dict[str, dict[str, object]]) -> None:
    """FastAPI adds its own form of 422 to ours, and JSON to streams."""
    for response in responses.values():
        content = response.get("content")
        if isinstance(content, dict) and len(content) > 1:
            for own in ("application/problem+json", "text/event-stream"):
                if own in content:
                    response["content"] = {own: content[own]}
