"""Readings from a callable: the company's own ``query_clean_data``, whatever database it asks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from schemas.errors import BadReading, SourceError
from schemas.times import iso, to_ms
from schemas.units import psi_per
from streams.handler.sources import Floats, Ints, Query, Readings, signal_of, wide_readings

#: Asked for client_id, machine_id, from_time, to_time, description and whatever the source was made with, it answers with
#: columns by name: ``time``, and for each name in description its values.
QueryCleanData = Callable[[dict[str, Any]], Mapping[str, Sequence[Any]]]

_TIME: Final = "time"


class QuerySource:
    """A data source that calls ``query_clean_data``. Further arguments stand in each query: ``raw=True``.

    The answer is put in order of time: what a database gives has no order of arrival.
    """

    def __init__(self, query_clean_data: QueryCleanData, *, unit: str = "psi", **further: Any) -> None:
        self._ask, self._psi_per_unit, self._further = query_clean_data, psi_per(unit), further

    def load(self, query: Query) -> Readings:
        """The readings that the callable answers with."""
        asked = {
            "client_id": query.client_id,
            "machine_id": query.machine_id,
            "from_time": iso(query.from_ms),
            "to_time": iso(query.to_ms),
            "description": list(query.description),
            **self._further,
        }
        try:
            answer = self._ask(asked)
        except Exception as error:
            raise SourceError(f"{self._of(query)} failed: {type(error).__name__}: {error}") from error
        if not answer:
            return wide_readings("query", {}, np.empty(0, np.int64), self._psi_per_unit)
        return self._readings(query, answer)

    def _readings(self, query: Query, answer: Mapping[str, Sequence[Any]]) -> Readings:
        if _TIME not in answer:
            raise SourceError(f"{self._of(query)} answered without {_TIME!r}; it has {', '.join(map(str, answer))}")
        time_ms = self._times(query, answer[_TIME])
        order = np.argsort(time_ms, kind="stable")
        within = order[(time_ms[order] >= query.from_ms) & (time_ms[order] <= query.to_ms)]
        columns: dict[str, Floats] = {}
        for name in query.description:
            if name in answer and len(answer[name]):  # nothing at all of a signal is a signal that is missing
                columns[signal_of(name)] = self._numbers(query, name, answer[name], len(time_ms))[within]
        return wide_readings("query", columns, time_ms[within], self._psi_per_unit)

    def _times(self, query: Query, column: Sequence[Any]) -> Ints:
        found = np.asarray(column)
        if found.dtype.kind == "M":
            return found.astype("datetime64[ms]").astype(np.int64)
        try:
            return np.array([to_ms(one) for one in found.tolist()], np.int64)
        except (BadReading, TypeError, ValueError) as error:
            raise SourceError(f"{self._of(query)} answered with a wrong time: {error}") from error

    def _numbers(self, query: Query, name: str, column: Sequence[Any], n: int) -> Floats:
        try:
            made = np.array([np.nan if one is None else one for one in column], np.float64)
        except (TypeError, ValueError) as error:
            raise SourceError(f"{self._of(query)} answered with {name!r} that are no numbers: {error}") from error
        if made.shape != (n,):
            raise SourceError(f"{self._of(query)} answered with {len(made)} values of {name!r} and {n} times")
        return made

    def _of(self, query: Query) -> str:
        name = getattr(self._ask, "__name__", type(self._ask).__name__)
        return f"{name} for machine {query.machine_id!r} of client {query.client_id!r}"
