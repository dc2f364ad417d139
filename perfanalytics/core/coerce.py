"""A Series or a SeriesBatch from what an analyst has at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import UNNAMED, Measure
from perfanalytics.core.series import Series, SeriesBatch


@runtime_checkable
class HasSeries(Protocol):
    """A result that keeps the values it was made of: a baseline."""

    def as_series(self) -> Series:
        """The values as a series."""
        ...


def as_series(data: object, *, measure: Measure | None = None) -> Series:
    """A Series from what an analyst has at hand.

    Parameters
    ----------
    data : Series, list, array, pandas Series, or a result that keeps its values (a baseline)
        A pandas Series with a datetime index brings its times; its name becomes the name of the measure.
    measure : Measure, optional
        Given to bare numbers; without it they are an unnamed measure of unknown direction.

    Examples
    --------
    >>> as_series([1, 2, 3]).values.tolist()
    [1.0, 2.0, 3.0]
    """
    if isinstance(data, Series):
        return data
    if isinstance(data, HasSeries):
        return data.as_series()
    if isinstance(data, SeriesBatch):
        if len(data) != 1:
            raise InputError(
                f"one series was expected, got a batch of {len(data)}: use the function for batches"
            )
        return data[0]
    index = getattr(data, "index", None)
    if index is not None and hasattr(data, "to_numpy") and getattr(data, "ndim", 0) == 1:
        when = index if str(getattr(index, "dtype", "")).startswith("datetime64") else None
        name = getattr(data, "name", None)
        if measure is None and isinstance(name, str) and name:
            measure = Measure(name, definition="", unit="", better="unknown", scale=None)
        return Series(data.to_numpy(dtype=float, na_value=np.nan), measure=measure or UNNAMED, when=when)
    return Series(cast("ArrayLike", data), measure=measure or UNNAMED)


def as_batch(data: object) -> SeriesBatch:
    """A SeriesBatch from a batch, a series, a mapping of id to series, or a sequence of series."""
    if isinstance(data, SeriesBatch):
        return data
    if isinstance(data, Series):
        return data.as_batch()
    if isinstance(data, Mapping):
        return SeriesBatch.from_series({str(k): as_series(v) for k, v in data.items()})
    if isinstance(data, Sequence) and data and all(isinstance(s, Series) for s in data):
        return SeriesBatch.from_series(list(data))
    return as_series(data).as_batch()
