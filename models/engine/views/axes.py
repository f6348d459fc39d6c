"""Principal axes of a small symmetric matrix, by rotations (Jacobi 1846).

Four rows at most, so nothing is gained by LAPACK. What LAPACK gives differs in its last bits from build to build and from one
processor to the next; this is the same everywhere, and a worker needs no scipy.
"""

import math
from typing import Any, Final

import numpy as np

from models.engine.compiled import compiled

#: Rotations all round; a matrix of four rows takes five or six.
_MOST_ROUNDS: Final = 50
#: What two axes have in common is nothing beside their variances.
_NOTHING: Final = 1e-17


@compiled
def principal_axes(matrix: Any) -> Any:
    """Variances along the axes of the symmetric ``matrix`` (d x d), rising, and the axes (d x d, a column for each)."""
    d = matrix.shape[0]
    rest, vectors = matrix.copy(), np.eye(d)
    for _ in range(_MOST_ROUNDS):
        turned = False
        for p in range(d - 1):
            for q in range(p + 1, d):
                if abs(rest[p, q]) > _NOTHING * (abs(rest[p, p]) + abs(rest[q, q])):
                    _turn(rest, vectors, p, q)
                    turned = True
        if not turned:
            break
    variances = np.diag(rest).copy()
    order = np.argsort(variances)
    return variances[order], vectors[:, order]


@compiled
def _turn(rest: Any, vectors: Any, p: int, q: int) -> None:
    """Rotate in the plane of axes ``p`` and ``q`` so that they have nothing in common any more."""
    slant = (rest[q, q] - rest[p, p]) / (2.0 * rest[p, q])
    tangent = 1.0 / (abs(slant) + math.sqrt(slant * slant + 1.0))
    if slant < 0.0:
        tangent = -tangent
    cosine = 1.0 / math.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    moved = tangent * rest[p, q]
    rest[p, p] -= moved
    rest[q, q] += moved
    rest[p, q] = 0.0
    rest[q, p] = 0.0
    for j in range(rest.shape[0]):
        if j not in (p, q):
            one, other = rest[j, p], rest[j, q]
            rest[j, p] = cosine * one - sine * other
            rest[j, q] = sine * one + cosine * other
            rest[p, j] = rest[j, p]
            rest[q, j] = rest[j, q]
        one, other = vectors[j, p], vectors[j, q]
        vectors[j, p] = cosine * one - sine * other
        vectors[j, q] = sine * one + cosine * other
