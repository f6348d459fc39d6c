"""Which entry somebody means who gives the beginning of a digest."""

from dataclasses import dataclass
from typing import Final

from schemas.errors import UnknownModel
from streams.registry import Registry
from streams.registry.paths import digest_in, safe, stack_directory

#: Shorter beginnings say too little.
_SHORTEST: Final = 4
_MOST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose models are meant; None: whoever's."""

    client_id: str | None = None
    machine_id: str | None = None
    stack: str | None = None

    def holds(self, path: str) -> bool:
        """Whether the entry at ``path`` is one of them."""
        wanted = (self.client_id, self.machine_id, self.stack)
        return all(name is None or safe(name) == part for name, part in zip(wanted, path.split("/"), strict=False))

    def __str__(self) -> str:
        said = {"client": self.client_id, "machine": self.machine_id, "stack": self.stack}
        return "".join(f" of {what} {name!r}" for what, name in said.items() if name is not None)


def entries(registry: Registry, scope: Scope) -> list[str]:
    """All complete entries in ``scope``; by machine and stack, oldest first."""
    return listed(registry, scope)[0]


def listed(registry: Registry, scope: Scope) -> tuple[list[str], frozenset[str]]:
    """The same, and the directories of those machines' stacks of which any was ever activated."""
    paths, activated = registry.all_entries(scope.client_id, scope.machine_id)
    return [path for path in paths if scope.holds(path)], activated


def find(registry: Registry, digest: str, scope: Scope) -> str:
    """The manifest of the newest entry whose digest begins so.

    Raises :class:`UnknownModel` if there is none, or if models of several machines or several digests begin so.
    """
    if len(digest) < _SHORTEST:
        raise UnknownModel(f"{digest!r} is too short for a model's digest: give at least {_SHORTEST} of its 16 digits")
    found = [path for path in entries(registry, scope) if digest_in(path).startswith(digest.lower())]
    if not found:
        raise UnknownModel(
            f"no model{scope} in {registry.url} has a digest that begins with {digest}; `wellsentry models list` shows "
            "which there are"
        )
    meant = dict.fromkeys((stack_directory(path), digest_in(path)) for path in found)
    if len(meant) > 1:
        shown = [f"{whose} {of}" for whose, of in meant][:_MOST_SHOWN]
        raise UnknownModel(
            f"{len(meant)} models begin with {digest}: {', '.join(shown)}; give more of the digest, or --machine, --client "
            "or --stack"
        )
    return found[-1]
