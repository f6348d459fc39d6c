"""Where an entry lies, relative to the registry's root. Paths sort by time."""

import hashlib
from datetime import datetime
from typing import Final
from urllib.parse import quote

from schemas.times import datetime_to_ms, iso

MANIFEST: Final = "manifest.json"
TRAINING: Final = "training.parquet"
LOOKUP: Final = "lookup.json"
STATE: Final = "state.bin"
PLOT: Final = "plot.py"
#: Beside the entries of a machine's stack; no entry is called so.
ACTIVATIONS: Final = "activations"

#: File systems take names of 255 bytes; an encoded name may be twelve times as long as it looks.
_LONGEST: Final = 150


def safe(name: str) -> str:
    """``name`` as one segment of a path, different for different names.

    >>> safe("Well 7/B"), safe(".."), safe("*")
    ('Well%207%2FB', '%2E%2E', '%2A')
    """
    encoded = quote(name, safe="").replace("~", "%7E").replace(".", "%2E")
    if len(encoded) <= _LONGEST:
        return encoded
    return f"{encoded[:_LONGEST]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def models_path(client_id: str, machine_id: str, stack: str) -> str:
    """The directory with all models of a machine's stack."""
    return f"{safe(client_id)}/{safe(machine_id)}/{safe(stack)}"


def manifest_path(client_id: str, machine_id: str, stack: str, fitted_at: datetime, digest: str) -> str:
    """The manifest of one entry: its name in every message that speaks of the model."""
    return f"{models_path(client_id, machine_id, stack)}/{_compact(fitted_at)}-{digest}/{MANIFEST}"


def activations_path(client_id: str, machine_id: str, stack: str) -> str:
    """The directory with what was activated of a machine's stack."""
    return f"{models_path(client_id, machine_id, stack)}/{ACTIVATIONS}"


def activation_path(client_id: str, machine_id: str, stack: str, at: datetime, digest: str) -> str:
    """Where one activation is recorded."""
    return f"{activations_path(client_id, machine_id, stack)}/{_compact(at)}-{digest}.json"


def _compact(moment: datetime) -> str:
    return iso(datetime_to_ms(moment)).replace("-", "").replace(":", "")


def stack_directory(path: str) -> str:
    """The directory with all models of the stack whose entry or activation lies at ``path``.

    >>> stack_directory("acme/well-7/load/20261124T024410.000Z-0123456789abcdef/manifest.json")
    'acme/well-7/load'
    """
    return path.rsplit("/", 2)[0]


def digest_in(path: str) -> str:
    """The digest that an entry is named after.

    >>> digest_in("acme/well-7/load/20261124T024410.000Z-0123456789abcdef/manifest.json")
    '0123456789abcdef'
    """
    return path.split("/")[3].rsplit("-", 1)[1]


def when_in(path: str) -> str:
    """When the entry's model was fitted, in letters that sort as the moments do.

    >>> when_in("acme/well-7/load/20261124T024410.000Z-0123456789abcdef/manifest.json")
    '20261124T024410.000Z'
    """
    return path.split("/")[3].rsplit("-", 1)[0]


def beside(manifest: str, name: str) -> str:
    """The file called ``name`` of the entry with this manifest."""
    return manifest.removesuffix(MANIFEST) + name


def forest_name(feature: str) -> str:
    """The file with the forest of ``feature``."""
    return f"forest-{safe(feature)}.skops"
