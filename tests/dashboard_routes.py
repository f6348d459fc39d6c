"""Every route of the dashboard, and what each role is to get of it. A route that is not in the table fails the test."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from streams.settings import Settings

#: Nobody; a token and a cookie that are nobody's; who may see one client, by token and by cookie; who may answer it; all.
ROLES = ("nobody", "bad token", "forged cookie", "see", "see by cookie", "answer", "all")


@dataclass(frozen=True)
class Try:
    """One request to a route, and the status for each of :data:`ROLES`."""

    path: str
    statuses: tuple[int, ...]
    body: dict[str, Any] = field(default_factory=dict)


def page(path: str, not_theirs: int = 200) -> Try:
    """Strangers are led to where one signs in; ``not_theirs`` is for who may not see what the page is about."""
    return Try(path, (303, 401, 303, not_theirs, not_theirs, not_theirs, 200))


def data(path: str, status: int = 200) -> Try:
    """For all who are let in."""
    return Try(path, (401, 401, 401, *[status] * 4))


def of_another(path: str, status: int = 200) -> Try:
    """For who may see all clients; to others it is not there."""
    return Try(path, (401, 401, 401, 404, 404, 404, status))


def answer(machine: str, statuses: tuple[int, ...]) -> Try:
    """Feedback about a machine of the client that its name begins with."""
    body = {"client_id": machine.split("-")[0], "machine_id": machine, "kind": "comment", "text": "seen"}
    return Try("/api/v1/feedback", statuses, body)


_API = "/api/v1"
_ACME, _RIVAL = "acme/acme-well", "rival/rival-well"
_ASSETS = "/_nicegui/VERSION"

#: By name of the route. 101: a websocket opens. 503: DynamoDB, which this dashboard has not.
EXPECTED: dict[str, list[Try]] = {
    "GET /": [page("/"), page("/?client=rival")],
    "GET /incidents": [page("/incidents"), page("/incidents?incident=inc-load-0-8-0")],
    "GET /health": [page("/health")],
    "GET /machine/{client_id}/{machine_id:path}": [
        page(f"/machine/{_ACME}"),
        page(f"/machine/{_RIVAL}", not_theirs=404),
    ],
    "WS /live/machine/{client}/{machine:path}": [
        data(f"/live/machine/{_ACME}", 101),
        of_another(f"/live/machine/{_RIVAL}", 101),
    ],
    "WS /live/fleet": [data("/live/fleet", 101)],
    "WS /live/incidents": [data("/live/incidents", 101)],
    "WS /live/health": [data("/live/health", 101)],
    f"GET {_API}/openapi.json": [data(f"{_API}/openapi.json")],
    f"GET {_API}/machines": [data(f"{_API}/machines"), data(f"{_API}/machines?client=rival")],
    f"GET {_API}/machines/{{client}}/{{machine:path}}": [
        data(f"{_API}/machines/{_ACME}"),
        of_another(f"{_API}/machines/{_RIVAL}"),
    ],
    f"GET {_API}/machines/{{client}}/{{machine:path}}/labels": [
        data(f"{_API}/machines/{_ACME}/labels", 503),
        of_another(f"{_API}/machines/{_RIVAL}/labels", 503),
    ],
    f"GET {_API}/machines/{{client}}/{{machine:path}}/history": [
        data(f"{_API}/machines/{_ACME}/history"),
        of_another(f"{_API}/machines/{_RIVAL}/history"),
    ],
    f"GET {_API}/machines/{{client}}/{{machine:path}}/model": [
        data(f"{_API}/machines/{_ACME}/model"),
        of_another(f"{_API}/machines/{_RIVAL}/model"),
    ],
    f"GET {_API}/labels/{{label_id}}": [
        data(f"{_API}/labels/load-0-9-0"),
        of_another(f"{_API}/labels/load-0-8-0?client=rival&machine=rival-well&time=2026-11-24T02:08:00Z"),
    ],
    f"GET {_API}/incidents": [data(f"{_API}/incidents"), data(f"{_API}/incidents?client=rival")],
    f"GET {_API}/incidents/{{incident_id}}": [
        data(f"{_API}/incidents/inc-load-0-9-0"),
        of_another(f"{_API}/incidents/inc-load-0-8-0"),
    ],
    f"POST {_API}/feedback": [
        answer("acme-well", (401, 401, 401, 403, 403, 201, 201)),
        answer("rival-well", (401, 401, 401, 403, 403, 404, 201)),
    ],
    f"GET {_API}/health": [data(f"{_API}/health")],
    f"GET {_API}/events/labels": [data(f"{_API}/events/labels"), data(f"{_API}/events/labels?client=rival")],
    f"GET {_API}/events/incidents": [data(f"{_API}/events/incidents")],
    **{
        f"{method} /api/{{rest:path}}": [data("/api/v1/x" if method == "GET" else "/api/x", 404)]
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
    "MOUNT /static": [data("/static/board.js"), data("/static/..%2fapp.py", 404)],
    "MOUNT /_nicegui_ws": [data("/_nicegui_ws/socket.io/?EIO=4&transport=polling")],
    f"MOUNT {_ASSETS}/static": [data(f"{_ASSETS}/static/nicegui.js")],
    f"GET {_ASSETS}/libraries/{{key:path}}": [data(f"{_ASSETS}/libraries/x", 404)],
    f"GET {_ASSETS}/components/{{key:path}}": [data(f"{_ASSETS}/components/x", 404)],
    f"GET {_ASSETS}/resources/{{key}}/{{path:path}}": [data(f"{_ASSETS}/resources/x/y", 404)],
    f"GET {_ASSETS}/dynamic_resources/{{name}}": [data(f"{_ASSETS}/dynamic_resources/x", 404)],
    f"GET {_ASSETS}/esm/{{key}}/{{path:path}}": [data(f"{_ASSETS}/esm/x/y", 404)],
}


def routes() -> set[str]:
    """Of the dashboard as it is served: method and path, with WS for websockets and MOUNT for what routes by itself."""
    with tempfile.TemporaryDirectory() as pages:
        os.environ.setdefault("NICEGUI_STORAGE_PATH", pages)  # read when it is imported
        from streams.dashboard.app import dashboard_app

        return set(_names(dashboard_app(Settings(), _nothing_runs).routes))


def nicegui_version() -> str:
    """It is part of addresses."""
    from nicegui import __version__

    return str(__version__)


def _names(found: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for route in iter_route_contexts(list(found)):
        path = (prefix + (route.path or "")).replace(nicegui_version(), "VERSION")
        if isinstance(route.original_route, Mount):
            inner = route.original_route.routes
            yield from _names(inner, path) if inner else [f"MOUNT {path}"]
        elif getattr(route, "methods", None):
            yield from (f"{method} {path}" for method in route.methods or () if method != "HEAD")
        else:
            yield f"WS {path}"


def _nothing_runs(error: BaseException) -> None:
    raise error
