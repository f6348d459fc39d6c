"""Stacks, and the one place where they are registered."""

from collections.abc import Iterable

from models.stacks.base import Signals, Stack, Thresholds, Window, check_stack
from models.stacks.flow import FlowStack
from models.stacks.load import LoadStack
from schemas.errors import BadSettings

#: Every stack by name. Registering one is one line here.
STACKS: dict[str, Stack] = {
    "load": LoadStack(),
    "flow": FlowStack(),
}


def choose_stacks(names: Iterable[str]) -> tuple[Stack, ...]:
    """The stacks called ``names``; :class:`BadSettings` for one that is not registered."""
    chosen = []
    for name in names:
        if name not in STACKS:
            raise BadSettings(f"there is no stack {name!r}; registered are {', '.join(sorted(STACKS))}")
        chosen.append(check_stack(STACKS[name]))
    return tuple(chosen)


__all__ = ["STACKS", "FlowStack", "LoadStack", "Signals", "Stack", "Thresholds", "Window", "choose_stacks"]
