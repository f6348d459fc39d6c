"""Which model judges a semi-live machine: the registry's own of the machine, else its fleet's, else none."""

from collections.abc import Callable

from models.stacks.base import Stack
from schemas.training import FLEET, ModelUpdate
from streams.log import get_logger
from streams.registry import Registry
from streams.settings import RegistrySettings

log = get_logger(__name__)

#: The model for a client's machine and a stack, if there is one.
FindModel = Callable[[str, str, Stack], ModelUpdate | None]


def registry_models(settings: RegistrySettings) -> FindModel:
    """Models out of the registry. Asking raises :class:`schemas.errors.RegistryError` when it cannot be read."""
    registry = Registry(settings)

    def find(client_id: str, machine_id: str, stack: Stack) -> ModelUpdate | None:
        for name in (machine_id, FLEET):
            found = registry.chosen(client_id, name, stack.name)
            if found is not None and _fits(found[1], stack):
                return found[1]
        return None

    return find


def _fits(update: ModelUpdate, stack: Stack) -> bool:
    """Whether the stack can take the model; it may have been fitted for an older form of the stack."""
    brought = tuple(one.feature for one in update.features)
    if brought == tuple(stack.feature_names):
        return True
    log.error(
        f"model {update.digest} is for features {brought}, stack {stack.name} has {stack.feature_names}: left aside",
        action="model_refused",
        client_id=update.client_id,
        machine_id=update.machine_id,
    )
    return False
