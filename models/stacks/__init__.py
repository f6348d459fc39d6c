"""Stacks, and the one place where they are registered."""

from collections.abc import Iterable
from typing import Final

from models.stacks.base import Reference, Signals, Stack, Thresholds, Window, check_stack
from models.stacks.flow import FlowStack
from models.stacks.general import general_stack
from models.stacks.load import LoadStack
from schemas.errors import BadSettings

#: Every stack by name. Registering one is one line here.
STACKS: dict[str, Stack] = {
    "load": LoadStack(),
    "flow": FlowStack(),
}


#: Before the signals of a general stack: ``general:pump_current,flow_rate``.
_GENERAL: Final = "general:"


def choose_stacks(names: Iterable[str]) -> tuple[Stack, ...]:
    """The stacks called ``names``; :class:`BadSettings` for one that is not registered.

    >>> choose_stacks(["general:pump_current, flow_rate"])[0].signals
    ('pump_current', 'flow_rate')
    """
    chosen = []
    for name in names:
        if name.startswith(_GENERAL):
            signals = [signal.strip() for signal in name.removeprefix(_GENERAL).split(",")]
            chosen.append(check_stack(general_stack(signals)))
        elif name in STACKS:
            chosen.append(check_stack(STACKS[name]))
        else:
            raise BadSettings(
                f"there is no stack {name!r}; registered are {', '.join(sorted(STACKS))}, and general:<signal>,<signal>"
            )
    return tuple(chosen)


__all__ = [
    "STACKS",
    "FlowStack",
    "GeneralStack",
    "LoadStack",
    "Reference",
    "Signals",
    "Stack",
    "Thresholds",
    "Window",
    "choose_stacks",
]
