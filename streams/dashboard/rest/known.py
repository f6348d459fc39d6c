"""What routes stand on: what the dashboard knows, and the outside they need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from streams.dashboard.picture import Picture
from streams.dashboard.rest.views import Areas
from streams.dashboard.viewer import Viewer, viewer_of


async def _viewer(connection: HTTPConnection) -> Viewer:
    return viewer_of(connection)


#: Who asks, as the sign-in let them in.
Asking = Annotated[Viewer, Depends(_viewer)]


@dataclass(frozen=True, slots=True)
class Known:
    """The picture, where machines stand, and the time (epoch ms)."""

    picture: Picture
    areas: Areas
    now_ms: Callable[[], int]
