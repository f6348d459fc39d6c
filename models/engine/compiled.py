"""How the steps are compiled: one decorator, so that it is decided in one place.

No fast-math: results must not depend on how a compiler reorders sums. Compiled code is cached beside the source, or where
``NUMBA_CACHE_DIR`` says, in a folder for each state of the sources: numba itself looks only at the file of the function it
compiles and would go on using what it once took from another.
"""

import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config as numba_config

F = TypeVar("F", bound=Callable[..., Any])


def _sources_digest() -> str:
    """First 12 hex digits of the SHA-256 of all sources that compiled code may come from."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _choose_cache() -> None:
    config = cast(Any, numba_config)
    base = Path(config.CACHE_DIR) if config.CACHE_DIR else Path(__file__).parent / "__pycache__"
    config.CACHE_DIR = str(base / f"compiled-{_sources_digest()}")


_choose_cache()


def load_compiler() -> None:
    """Load what numba loads with the first step, but for scipy's linear algebra: no step uses it.

    numba looks for it, and goes on without where there is none. It would take half a second and 25 MB.
    """
    unused = "scipy.linalg.cython_blas"
    if unused in sys.modules:
        return
    modules = cast(dict[str, Any], sys.modules)
    modules[unused] = None  # whoever imports it is told that there is none
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del modules[unused]


def compiled(function: F) -> F:
    """``function``, compiled at its first call."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))
