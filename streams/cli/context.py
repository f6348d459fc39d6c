"""What the options before the command say, for the commands."""

from contextvars import ContextVar
from typing import Any

from streams.settings import Settings

_in_force: ContextVar[tuple[Settings, dict[str, Any]]] = ContextVar("wellsentry.settings")


def put_in_force(settings: Settings, flags: dict[str, Any]) -> None:
    """Once, before the command runs."""
    _in_force.set((settings, flags))


def settings_in_force() -> Settings:
    """The settings of the command that is running."""
    return _in_force.get()[0]


def flags_given() -> dict[str, Any]:
    """Which of them came from flags, nested as :func:`streams.settings.load_settings` takes them."""
    return _in_force.get()[1]
