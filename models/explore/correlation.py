"""Do two signals go together: in a line, in order only, or one some time after the other?"""

from typing import Final

import numpy as np
import numpy.typing as npt

from models.explore.series import Bools, Floats

Complex = npt.NDArray[np.complex128]

#: Fewer readings say nothing.
_LEAST: Final = 30
#: A correlation at a lag counts if so large a share of the readings is left there.
_LEAST_SHARE: Final = 0.5
#: A correlation of so much of the best one is about as good.
_AS_GOOD: Final = 0.9


def pearson(x: Floats, y: Floats) -> float | None:
    """Correlation of readings in which both are there; None of fewer than 30, or where one never moves.

    >>> round(pearson(np.arange(40.0), 2 - np.arange(40.0)), 6)
    -1.0
    """
    both = ~(np.isnan(x) | np.isnan(y))
    return _correlation(x[both], y[both])


def spearman(x: Floats, y: Floats) -> float | None:
    """The same of ranks: 1 for whatever rises together, in a line or not.

    >>> round(spearman(np.arange(40.0), np.exp(np.arange(40.0))), 6)
    1.0
    """
    both = ~(np.isnan(x) | np.isnan(y))
    return _correlation(ranks(x[both]), ranks(y[both]))


def ranks(x: Floats) -> Floats:
    """Rank of each value (n, no NaN); equal ones share the mean of their ranks.

    >>> ranks(np.array([5.0, 1.0, 5.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    made: Floats = (last - (counts + 1) / 2)[place]
    return made


def _correlation(x: Floats, y: Floats) -> float | None:
    if len(x) < _LEAST:
        return None
    x, y = x - x.mean(), y - y.mean()
    # Sums and no matrix products: those are handed to threads, which wait for each other longer than this takes.
    power = float(np.sqrt((x * x).sum() * (y * y).sum()))
    # What is left of a flat signal after its mean is taken off is rounding.
    if power <= 0 or not np.isfinite(power) or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return min(1.0, max(-1.0, float((x * y).sum()) / power))


class Lagged:
    """Signals on one even grid (n x s, NaN for nothing), ready to be shifted against each other.

    Pearson's correlation at each lag is that of the readings in which both are there, exactly: sums over them come from
    Fourier transforms of values, squares and presence.
    """

    def __init__(self, grid: Floats, most: int) -> None:
        """``most``: the largest lag, in steps of the grid."""
        self._most = most
        self._n = _even_product(len(grid) + most)
        there: Bools = ~np.isnan(grid)
        counts = np.maximum(there.sum(axis=0), 1)
        filled = np.where(there, grid, 0.0)
        centred = np.where(there, filled - filled.sum(axis=0) / counts, 0.0)
        spread = np.sqrt((centred**2).sum(axis=0) / counts)
        scaled = centred / np.where(spread > 0, spread, 1.0)
        self._moves = spread > 1e-12 * (1 + np.abs(filled).max(axis=0, initial=0.0))
        self._one = np.fft.rfft(there.astype(np.float64), self._n, axis=0)
        self._x = np.fft.rfft(scaled, self._n, axis=0)
        self._xx = np.fft.rfft(scaled**2, self._n, axis=0)

    def best(self, first: int, second: int) -> tuple[int, float] | None:
        """The lag, in steps, at which the two correlate most, and how much: positive when the second follows the first.

        Of lags that are about as good the one nearest to 0: what cycles is alike again after each. At the ends of the range
        it still rises: that is two drifts, and no lag. None where nothing can be said.
        """
        if not (self._moves[first] and self._moves[second]):
            return None
        count = self._sums(self._one, first, self._one, second)
        enough = count >= max(_LEAST, _LEAST_SHARE * count.max(initial=0.0))
        if not enough.any():
            return None
        count = np.where(enough, count, 1.0)
        x = self._sums(self._x, first, self._one, second) / count
        y = self._sums(self._one, first, self._x, second) / count
        xx = self._sums(self._xx, first, self._one, second) / count - x**2
        yy = self._sums(self._one, first, self._xx, second) / count - y**2
        xy = self._sums(self._x, first, self._x, second) / count - x * y
        enough &= (xx > 1e-9) & (yy > 1e-9)
        if not enough.any():
            return None
        r = np.where(enough, xy / np.sqrt(np.where(enough, xx * yy, 1.0)), 0.0)
        lags = np.arange(-self._most, self._most + 1)
        strength = np.abs(r)
        peaks = np.zeros(len(r), bool)
        peaks[1:-1] = enough[1:-1] & (strength[1:-1] >= strength[:-2]) & (strength[1:-1] >= strength[2:])
        if not peaks.any():
            return None
        best = peaks & (strength >= _AS_GOOD * strength[peaks].max())
        place = int(np.flatnonzero(best)[np.argmin(np.abs(lags[best]))])
        return int(lags[place]), min(1.0, max(-1.0, float(r[place])))

    def _sums(self, left: Complex, first: int, right: Complex, second: int) -> Floats:
        """Sum over t of left[t] * right[t + lag], for lags from -most to most."""
        circular = np.fft.irfft(np.conj(left[:, first]) * right[:, second], self._n)
        made: Floats = np.concatenate((circular[self._n - self._most :], circular[: self._most + 1]))
        return made


def _even_product(least: int) -> int:
    """The smallest even number from ``least`` on that is a product of 2, 3 and 5: quick to transform.

    >>> _even_product(4099)
    4320
    """
    best = 1 << max(1, (least - 1).bit_length())
    five = 1
    while five < best:
        three = five
        while three < best:
            two = 2 * three
            while two < least:
                two *= 2
            best = min(best, two)
            three *= 3
        five *= 5
    return best
