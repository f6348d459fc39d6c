"""What the options before the command say, for the commands."""

from typing import Any, Final

import click

from streams.settings import Settings

#: Where in click's context the flags are, for ``wellsentry config``: nested as :func:`load_settings` takes them.
FLAGS: Final = "wellsentry.flags"


def settings_in_force() -> Settings:
    """The settings of the command that is running."""
    found = click.get_current_context().find_root().obj
    assert isinstance(found, Settings)
    return found


def flags_given() -> dict[str, Any]:
    """Which of them came from flags."""
    given: dict[str, Any] = click.get_current_context().find_root().meta.get(FLAGS, {})
    return given
