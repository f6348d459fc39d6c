"""How the steps are compiled: one decorator, so that it is decided in one place.

No fast-math: results must not depend on how a compiler reorders sums. Compiled code is cached beside the source, or where
``NUMBA_CACHE_DIR`` says.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """``function``, compiled at its first call."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))
