"""What a stack is: the features it computes of a reading's signals, and how they are judged.

A new one is about ten lines (docs/add-a-stack.md)::

    class LoadStack(Stack):
        name = "load"
        signals = ("casing_pressure", "tubing_pressure")

        def feature(self, s):
            return s.casing_pressure - s.tubing_pressure
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from models.engine.compiled import compiled
from schemas.errors import BadSettings
from schemas.signals import is_name

Array = npt.NDArray[np.float64]

#: Beyond this a feature is no measurement, and JSON writers begin to differ.
LARGEST_FEATURE: Final = 1e15


@dataclass(frozen=True, slots=True)
class Window:
    """The trailing window of the rolling median: the last ``count`` readings, of these no older than ``span_s``."""

    count: int = 40
    span_s: float | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a surprise becomes a label and labels become an alert. Surprises: 3 is once in a thousand.

    At a reading a minute once in a thousand is more than once a day, and once in ten thousand, three times in a row, is what
    an operator of thousands of wells can take.
    """

    anomalous_at: float = 4.0  # the label
    open_after: int = 3  # so many anomalous labels in a row open an alert
    close_at_share: float = 0.5  # an alert calms below this share of its peak ...
    close_after: int = 5  # ... once so many labels in a row are calm
    cool_down_s: float = 1800.0  # no new alert so soon after the last one closed ...
    cool_down_readings: int = 0  # ... nor within so many scored readings


@dataclass(frozen=True, slots=True)
class Reference:
    """What is frozen of a machine's first readings, where it has several signals, and how far from it is how surprising."""

    count: int = 300  # rows it is made from
    span_s: float | None = None  # over which they are gathered, some cycles of the machine; None: the first readings
    memory_s: float | None = None  # of the slow means that are looked at; None: means of the last ten readings
    decades: float = 0.715  # of surprise for a tenfold of its limit: a short reference cannot know how far is far


class Signals:
    """A run's signals by name: ``s.casing_pressure`` is an array of one value for each reading, psi, NaN if missing."""

    __slots__ = ("_columns", "_names")

    def __init__(self, names: tuple[str, ...], columns: Array) -> None:
        self._names = names
        self._columns = columns

    def __getattr__(self, name: str) -> Array:
        try:
            return self._columns[:, self._names.index(name)]
        except ValueError:
            raise AttributeError(f"no signal {name!r}; the stack declares {', '.join(self._names)}") from None


class Stack(ABC):
    """One way of looking at a machine. Subclasses name their signals and compute a feature; the rest has defaults."""

    name: ClassVar[str]
    signals: ClassVar[tuple[str, ...]]
    features: ClassVar[tuple[str, ...]] = ()  # names of the features if there are several
    window: ClassVar[Window] = Window()
    reference: ClassVar[Reference] = Reference()
    detector: ClassVar[str] = "ensemble"
    thresholds: ClassVar[Thresholds] = Thresholds()

    @abstractmethod
    def feature(self, s: Signals) -> Array | tuple[Array, ...]:
        """The feature of each reading, or a tuple of several; elementwise, so that it does not matter how runs are cut."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features' names; a stack with one feature calls it by its own name."""
        return self.features or (self.name,)

    def columns(self, signals: Array) -> Array:
        """Features of ``signals`` (readings x signals), as (readings x features); NaN where one can't be computed."""
        with np.errstate(all="ignore"):
            made = self.feature(Signals(self.signals, signals))
        columns = made if isinstance(made, tuple) else (made,)
        if len(columns) != len(self.feature_names):
            raise BadSettings(
                f"stack {self.name!r} returned {len(columns)} features and names {len(self.feature_names)}; "
                "list their names in `features`"
            )
        stacked = np.empty((len(signals), len(columns)))
        for place, column in enumerate(columns):
            stacked[:, place] = column
        _keep_measurable(stacked)
        return stacked


@compiled
def _keep_measurable(features: Array) -> None:
    for i in range(features.shape[0]):
        for k in range(features.shape[1]):
            if not abs(features[i, k]) <= LARGEST_FEATURE:
                features[i, k] = np.nan


def check_stack(stack: Stack) -> Stack:
    """``stack`` itself if it can be run; :class:`BadSettings` says what it lacks."""
    for what, names in (("name", (stack.name,)), ("signals", stack.signals), ("features", stack.feature_names)):
        if not names or not all(is_name(name) for name in names):
            raise BadSettings(f"stack {stack!r}: {what} must be lower-case words, not {names!r}")
        if len(set(names)) != len(names):
            raise BadSettings(f"stack {stack.name!r}: {what} repeat themselves: {names!r}")
    if stack.window.count < 3 or (stack.window.span_s is not None and stack.window.span_s <= 0):
        raise BadSettings(f"stack {stack.name!r}: a window needs at least 3 readings and a positive span")
    return stack
