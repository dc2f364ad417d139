"""The units of a funnel: one point for each value of the attributes, from the single observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from perfanalytics.core.errors import InputError
from perfanalytics.core.series import Series, SeriesBatch


def units_of(batch: SeriesBatch, *, by: Sequence[str], options: Mapping[str, Any]) -> Series:
    """One point a unit.

    Shares and rates (law "binomial", "poisson"): all counts of the unit by all its sizes, an observation
    without a size being one of size 1. Values (law "normal"): the mean of the unit, with the weight n / s^2;
    units with fewer than two values, or without variation, have no such weight and are left as gaps.

    Raises
    ------
    InputError
        For a mean over open items, whose values are not known yet.

    Examples
    --------
    >>> batch = SeriesBatch([1, 0, 1, 1, 1], [0, 3, 5], ids=["team=A", "team=B"])
    >>> units = units_of(batch, by=["team"], options={})
    >>> units.values.tolist(), units.sizes.tolist(), units.labels.tolist()
    ([2.0, 2.0], [3.0, 2.0], ['A', 'B'])
    """
    law = str(options.get("law", "binomial"))
    labels = [name.removeprefix(f"{by[0]}=") if len(by) == 1 else name for name in batch.ids]
    offsets, values, sizes = batch.offsets, batch.values, batch.sizes
    of = np.repeat(np.arange(len(batch)), np.diff(offsets))
    known = ~np.isnan(values)
    if sizes is not None:
        known &= sizes > 0
    of, x = of[known], values[known]

    def total(column: Any) -> Any:
        return np.bincount(of, weights=column, minlength=len(batch))

    shared: dict[str, Any] = {
        "measure": batch.measure,
        "labels": labels,
        "selection": {**batch.selection, "units": list(by)},
        "load_ids": batch.load_ids,
        "clock": batch.clock,
    }
    if law == "normal":
        if batch.censored is not None and batch.censored[known].any():
            raise InputError(
                "a funnel of means needs values that are final, and some items are still open: end the "
                "selection before them (until =), or compare shares"
            )
        n = total(np.ones(len(x)))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total(x) / n
            squares = total((x - mean[of]) ** 2) / (n - 1.0)
            weights = np.where((n > 1) & (squares > 0), n / squares, np.nan)
        none = np.isnan(weights)
        return Series(np.where(none, np.nan, mean), weights=np.where(none, 0.0, weights), **shared)
    size = np.ones(len(x)) if sizes is None else sizes[known]
    # a proportion with denominators comes as shares
    counts = x * size if sizes is not None and batch.measure.scale == "proportion" else x
    return Series(np.round(total(counts), 9), sizes=total(size), **shared)
