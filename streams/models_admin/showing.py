"""Everything about one model, for people."""

from streams.models_admin.difference import anomalous_at
from streams.models_admin.told import manifest_told, moment_told
from streams.registry import Registry


def shown(registry: Registry, path: str) -> list[tuple[str, str]]:
    """Lines of a name and what is said, of the entry with this manifest."""
    manifest, update = registry.manifest(path), registry.update(path)
    key = (manifest.client_id, manifest.machine_id, manifest.stack)
    lines = manifest_told(
        manifest, update, _in_force(registry, path, key), registry.activations(*key), anomalous_at(manifest.stack)
    )
    return [*lines, ("entry", f"{registry.url}/{path}")]


def _in_force(registry: Registry, path: str, key: tuple[str, str, str]) -> str:
    chosen = registry.chosen(*key)
    if chosen is None:
        return "no"
    update = chosen[1]
    if update.activation is None:
        since = f"{update.digest}, the newest, of {moment_told(update.fitted_at)}, is"
    else:
        pinned = ", pinned" if update.activation.pinned else ""
        since = f"{update.digest} is, since {moment_told(update.activation.at)}{pinned}"
    meant = update.manifest if update.activation is None else update.activation.manifest
    if meant == path:
        return (
            "yes, it is the newest" if update.activation is None else f"yes{since.removeprefix(update.digest + ' is')}"
        )
    return f"no, {since}"
