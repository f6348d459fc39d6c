"""OpenAPI of the dashboard's REST, as the application describes itself."""

import json
from typing import Any, Protocol


class DescribesItself(Protocol):
    """What a FastAPI application can do."""

    def openapi(self) -> dict[str, Any]:
        """The document, as an object of JSON."""
        ...


def openapi_text(app: DescribesItself) -> str:
    """The OpenAPI document of ``app``, as it is written to a file."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
