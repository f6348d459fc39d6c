"""Who resembles whom: machines as points, families of near ones, and each machine's nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from models.explore.series import Floats, Ints
from models.spreads import robust_spread
from schemas.exploration import Family, MachineExploration

#: Fewer machines are no fleet.
LEAST: Final = 4
_MOST_FAMILIES: Final = 8
#: Families that are not this much nearer to themselves than to each other are one.
_APART: Final = 0.35
_NEAREST: Final = 3
#: One trait counts no more than this, however far off.
_MOST_DISTANCE: Final = 4.0


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Of ``m`` machines."""

    distance: Floats  # m x m
    order: Ints  # m: machines by family, those most typical of it first
    families: list[Family]
    family: Ints  # m: number of each one's family
    nearest: list[list[str]]  # m


def resemblance(machines: Sequence[MachineExploration]) -> Resemblance | None:
    """Of at least four machines that have a signal in common; else None."""
    traits = _traits(machines)
    if len(machines) < LEAST or not traits.shape[1]:
        return None
    distance = np.sqrt(((traits[:, None, :] - traits[None, :, :]) ** 2).mean(axis=2))
    family = _families(distance)
    names = [one.machine_id for one in machines]
    order, families = [], []
    for number in range(1, int(family.max()) + 1):
        members = np.flatnonzero(family == number)
        by_nearness = members[np.argsort(distance[np.ix_(members, members)].mean(axis=1), kind="stable")]
        order.extend(by_nearness.tolist())
        families.append(
            Family(
                number=number,
                machines=[names[index] for index in members.tolist()],
                typical=names[int(by_nearness[0])],
                medians=_medians([machines[index] for index in members.tolist()]),
            )
        )
    ranked = np.argsort(distance + np.where(np.eye(len(machines)) > 0, np.inf, 0.0), axis=1, kind="stable")
    nearest = [[names[other] for other in row[: min(_NEAREST, len(names) - 1)]] for row in ranked.tolist()]
    return Resemblance(distance, np.array(order), families, family, nearest)


def _traits(machines: Sequence[MachineExploration]) -> Floats:
    """What is compared (machines x traits): the level of each signal and how much it moves, on logarithms; how fast the
    machine cycles; how its pressures go together. In spreads of the fleet; what a machine has not is as usual."""
    signals = list(dict.fromkeys(one.signal for machine in machines for one in machine.signals))
    columns: list[list[float]] = []
    for signal in signals:
        found = [
            next((one.distribution for one in machine.signals if one.signal == signal), None) for machine in machines
        ]
        columns.append([_log(d.median) if d else np.nan for d in found])
        columns.append([_log(d.p95 - d.p5) if d else np.nan for d in found])
    columns.append([_log(machine.cycles.a_day) if machine.cycles else 0.0 for machine in machines])
    columns.append([machine.correlations[0].pearson or 0.0 if machine.correlations else np.nan for machine in machines])
    scaled = [_scaled(np.array(column)) for column in columns if np.isfinite(column).sum() > len(machines) / 2]
    return np.column_stack(scaled) if scaled else np.empty((len(machines), 0))


def _log(value: float) -> float:
    """Its logarithm, and something sensible for 0 and below: a load may be either.

    >>> round(_log(0.0), 3), round(_log(-10.0), 3) == -round(_log(10.0), 3)
    (0.0, True)
    """
    return float(np.sign(value) * np.log1p(abs(value)))


def _scaled(column: Floats) -> Floats:
    known = np.isfinite(column)
    middle = float(np.median(column[known]))
    spread = max(robust_spread(column[known]), 0.05)
    made: Floats = np.clip(np.where(known, (column - middle) / spread, 0.0), -_MOST_DISTANCE, _MOST_DISTANCE)
    return made


def _families(distance: Floats) -> Ints:
    """Number of each machine's family, from 1, the largest first: as many as keep farthest apart."""
    best, chosen = _APART, np.ones(len(distance), np.int64)
    for count in range(2, min(_MOST_FAMILIES, len(distance) - 1) + 1):
        found = AgglomerativeClustering(count, metric="precomputed", linkage="average").fit_predict(distance)
        apart = float(silhouette_score(distance, found, metric="precomputed"))
        if apart > best:
            best, chosen = apart, found + 1
    numbers, counts = np.unique(chosen, return_counts=True)
    by_size = numbers[np.argsort(-counts, kind="stable")].tolist()
    return np.array([by_size.index(number) + 1 for number in chosen.tolist()])


def _medians(members: Sequence[MachineExploration]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for machine in members:
        for one in machine.signals:
            if one.distribution is not None:
                found.setdefault(one.signal, []).append(one.distribution.median)
    return {signal: float(np.median(values)) for signal, values in found.items()}
