"""Numerators and denominators from a series of counts, of shares (rates), or of measured totals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import MEASURED_SCALES
from perfanalytics.core.series import SeriesBatch

#: Statistics of a selection whose values are already divided by their sizes.
_DIVIDED = ("share", "rate")


def totals_and_sizes(batch: SeriesBatch) -> tuple[Floats, Floats, str]:
    """Totals of a measured quantity (minutes, money) and what they are divided by.

    Values with sizes are totals of their period, unless the selection says that they are ratios already
    (``statistic`` "share" or "rate"): never guessed from whether they are whole numbers, because minutes are
    and the same time in hours is not.

    Parameters
    ----------
    batch : SeriesBatch
        Values (n,), of any sign, NaN for gaps; sizes (n,).

    Returns
    -------
    totals, sizes : float arrays of shape (n,)
        NaN where the value is a gap or the size is 0 or missing.
    how : {"totals", "ratios"}

    Raises
    ------
    InputError
        Without sizes.

    Examples
    --------
    >>> from perfanalytics.core.series import Series
    >>> totals, sizes, how = totals_and_sizes(Series([90.0, 0.5, 2], sizes=[60, 60, 0]).as_batch())
    >>> totals.tolist(), how
    ([90.0, 0.5, nan], 'totals')
    """
    values, sizes = batch.values, batch.sizes
    if values.ndim != 1:
        raise InputError("totals or ratios must have shape (n,)")
    if sizes is None:
        raise InputError("ratios need their denominators: give sizes=")
    n = np.where((sizes > 0) & ~np.isnan(values), sizes, np.nan)
    if str(batch.selection.get("statistic") or "") in _DIVIDED:
        return values * n, n, "ratios"
    return np.where(np.isnan(n), np.nan, values), n, "totals"


def counts_and_sizes(batch: SeriesBatch, *, limit_one: bool = True) -> tuple[Floats, Floats, str]:
    """Counts and denominators, whichever way the series was written down.

    A series of counts has whole numbers ("12 of 50"); a series of shares has values between 0 and 1 with
    the denominators as sizes. What the repository made with ``statistic="share"`` or ``"rate"`` is known to
    be shares from the selection. Otherwise each series is read by itself: whole numbers throughout are
    counts, anything else shares (rates). Items coded 0 and 1 without sizes count one each. Rates of a
    measured quantity (scale "real", "positive" or "duration") are read by :func:`totals_and_sizes`.

    Parameters
    ----------
    batch : SeriesBatch
        Values (n,), NaN for gaps; sizes (n,) or None.
    limit_one : bool
        True for proportions (a count cannot exceed its size), False for rates per unit.

    Returns
    -------
    counts, sizes : float arrays of shape (n,)
        NaN where the value is a gap or the size is 0 or missing.
    how : {"counts", "shares", "counts in some series, shares in others"}
        How the values were read, for ``.method``.

    Raises
    ------
    InputError
        When neither reading is possible: the message says which point stands in the way.

    Examples
    --------
    >>> from perfanalytics.core.series import Series
    >>> counts, sizes, how = counts_and_sizes(Series([12, 15], sizes=[50, 50]).as_batch())
    >>> counts.tolist(), how
    ([12.0, 15.0], 'counts')
    >>> counts_and_sizes(Series([0.24, 0.3], sizes=[50, 50]).as_batch())[0].tolist()
    [12.0, 15.0]
    """
    values, sizes = batch.values, batch.sizes
    if values.ndim != 1:
        raise InputError("counts or shares must have shape (n,)")
    if not limit_one and sizes is not None and batch.measure.scale in MEASURED_SCALES:
        return totals_and_sizes(batch)
    seen = ~np.isnan(values)
    if (values[seen] < 0).any():
        point = int(np.flatnonzero(seen & (values < 0))[0])
        raise InputError(f"a count or share cannot be negative: point {point}")
    shares = _shares(batch, seen)
    if sizes is None:
        if limit_one and ((shares & seen).any() or (values[seen] > 1).any()):
            raise InputError(
                "shares and counts need their denominators: give sizes= (only items coded 0 and 1 do not)"
            )
        n = np.ones(len(values))
    else:
        n = np.where(sizes > 0, sizes, np.nan)
    n = np.where(seen, n, np.nan)
    if limit_one:
        above = seen & shares & (values > 1)
        if above.any():
            k = int(np.flatnonzero(above)[0])
            raise InputError(
                f"point {k} is {values[k]:g}: neither a share (0 to 1) nor, with the others, a whole count"
            )
    counts = np.where(shares, values * n, np.where(np.isnan(n), np.nan, values))
    if limit_one:
        # shares come from counts: take the rounding of the division back where it is only that
        nearest = np.round(counts)
        rounded = shares & (np.abs(counts - nearest) <= 1e-9 * np.maximum(1.0, np.abs(counts)))
        counts = np.where(rounded, nearest, counts)
        over = counts > n
        if over.any():
            k = int(np.flatnonzero(over)[0])
            raise InputError(f"point {k}: the count {values[k]:g} exceeds its size {n[k]:g}")
    if shares.all():
        return counts, n, "shares" if len(shares) else "counts"
    return counts, n, "counts in some series, shares in others" if shares.any() else "counts"


def _shares(batch: SeriesBatch, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each point, whether its series is one of shares.

    Decided series by series, so that a series is read the same alone and in any batch.
    """
    values = batch.values
    if str(batch.selection.get("statistic") or "") in _DIVIDED:
        return np.ones(len(values), dtype=bool)
    broken: NDArray[np.bool_] = seen & (values != np.floor(values))
    if not broken.any():
        return broken
    series = np.repeat(np.arange(len(batch)), batch.lengths)
    return np.asarray((np.bincount(series[broken], minlength=len(batch)) > 0)[series])
