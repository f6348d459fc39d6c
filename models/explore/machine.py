"""One machine, measured in every way."""

from itertools import combinations

import numpy as np

from models.explore.correlation import Lagged, pearson, spearman
from models.explore.cycles import cycles, regularity
from models.explore.daily import daily
from models.explore.distribution import distribution
from models.explore.frozen import frozen
from models.explore.grid import on_grid
from models.explore.missing import missing
from models.explore.sampling import gap_limit_ms, gaps, sampling
from models.explore.series import LOAD, Series
from models.explore.straight import straight_share
from models.explore.strange import strange
from schemas.exploration import Correlation, Cycles, FrozenStretch, MachineExploration, Sampling, SignalExploration
from schemas.times import moment

#: The largest lag that is looked for: two hours, and at most an eighth of what there is, in at most so many steps.
_LAG_S = 7_200.0
_LAG_SHARE = 0.125
_LAG_STEPS = 720
#: Pairs of so many signals are correlated; more would be a table that nobody reads.
_MOST_CORRELATED = 12


def explore_machine(series: Series) -> MachineExploration:
    """All measures of ``series`` but those that need the other machines."""
    its = sampling(series.time_ms)
    interval_ms = its.interval_s * 1000 if its is not None else 1.0
    gap_ms = gap_limit_ms(its) if its is not None else 1.0
    return MachineExploration(
        client_id=series.client_id,
        machine_id=series.machine_id,
        readings=len(series),
        first=moment(int(series.time_ms[0])),
        last=moment(int(series.time_ms[-1])),
        repeated=series.repeated,
        out_of_order=series.out_of_order,
        sampling=its,
        gaps=gaps(series.time_ms, its),
        signals=[_signal(series, index, gap_ms) for index in range(len(series.signals))],
        correlations=_correlations(series, its),
        cycles=_cycles(series, gap_ms),
        strange=strange(series, interval_ms),
    )


def _signal(series: Series, index: int, gap_ms: float) -> SignalExploration:
    name, values = series.signals[index], series.values[:, index]
    # The load moves with its two pressures: it is no witness for them, nor are they for it.
    others = [at for at, other in enumerate(series.signals) if other not in (name, LOAD) and name != LOAD]
    told: list[FrozenStretch] = []
    count, moved_ms = 0, 0.0
    if name != LOAD:
        told, count, moved_ms = frozen(series.time_ms, values, series.values[:, others], gap_ms)
    lie = distribution(values)
    span_ms = max(1, int(series.time_ms[-1] - series.time_ms[0]))
    return SignalExploration(
        signal=name,
        values=int((~np.isnan(values)).sum()),
        missing=missing(series.time_ms, values, series.unusable.get(name, {})),
        distribution=lie,
        frozen=told,
        frozen_count=count,
        frozen_share=moved_ms / span_ms,
        daily=daily(series.time_ms, values),
        straight_share=straight_share(values, lie.step) if lie is not None else None,
    )


def _correlations(series: Series, its: Sampling | None) -> list[Correlation]:
    if its is None or its.interval_s <= 0:
        return []
    count = min(len(series.signals), _MOST_CORRELATED)
    grid, cell_ms = on_grid(series.time_ms, series.values[:, :count], its.interval_s * 1000)
    most = int(min(_LAG_S * 1000 / cell_ms, _LAG_SHARE * len(grid), _LAG_STEPS))
    lagged = Lagged(grid, most) if most >= 1 else None
    made = []
    for first, second in combinations(range(count), 2):
        x, y = series.values[:, first], series.values[:, second]
        best = lagged.best(first, second) if lagged is not None else None
        made.append(
            Correlation(
                first=series.signals[first],
                second=series.signals[second],
                readings=int((~(np.isnan(x) | np.isnan(y))).sum()),
                pearson=pearson(x, y),
                spearman=spearman(x, y),
                lag_s=None if best is None else best[0] * cell_ms / 1000,
                at_lag=None if best is None else best[1],
            )
        )
    return made


def _cycles(series: Series, gap_ms: float) -> Cycles | None:
    found = [
        its
        for index, name in enumerate(series.signals)
        if (its := cycles(series.time_ms, series.values[:, index], name, gap_ms)) is not None
    ]
    return min(found, key=regularity, default=None)
