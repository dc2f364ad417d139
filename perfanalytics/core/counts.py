"""Counts and denominators from a series of counts or of shares (rates)."""

from __future__ import annotations

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.series import SeriesBatch


def counts_and_sizes(batch: SeriesBatch, *, limit_one: bool = True) -> tuple[Floats, Floats, str]:
    """Counts and denominators, whichever way the series was written down.

    A series of counts has whole numbers ("12 of 50"); a series of shares has values between 0 and 1
    with the denominators as sizes, as the repository gives it for ``statistic="share"`` (which is then
    known from the selection). Otherwise whole numbers are read as counts, unless the measure is declared a
    proportion and none of them exceeds 1. Items coded 0 and 1 without sizes count one each.

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
    how : {"counts", "shares"}
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
    seen = ~np.isnan(values)
    if (values[seen] < 0).any():
        raise InputError(
            f"a count or share cannot be negative: point {int(np.flatnonzero(seen & (values < 0))[0])}"
        )
    whole = bool((values[seen] == np.floor(values[seen])).all())
    told = str(batch.selection.get("statistic") or "") in ("share", "rate")
    shares = (
        told
        or not whole
        or (
            limit_one
            and batch.measure.scale == "proportion"
            and sizes is not None
            and bool((values[seen] <= 1).all())
        )
    )
    if sizes is None:
        if limit_one and (shares or (values[seen] > 1).any()):
            raise InputError(
                "shares and counts need their denominators: give sizes= (only items coded 0 and 1 do not)"
            )
        n = np.ones(len(values))
    else:
        n = np.where(sizes > 0, sizes, np.nan)
    n = np.where(seen, n, np.nan)
    if shares and limit_one:
        above = seen & (values > 1)
        if above.any():
            k = int(np.flatnonzero(above)[0])
            raise InputError(
                f"point {k} is {values[k]}: neither a share (0 to 1) nor, with the others, a whole count"
            )
    counts = values * n if shares else np.where(np.isnan(n), np.nan, values)
    if shares and limit_one:
        # shares come from counts: take the rounding of the division back where it is only that
        nearest = np.round(counts)
        counts = np.where(np.abs(counts - nearest) <= 1e-9 * np.maximum(1.0, np.abs(counts)), nearest, counts)
    if limit_one:
        over = counts > n
        if over.any():
            k = int(np.flatnonzero(over)[0])
            raise InputError(f"point {k}: the count {values[k]:g} exceeds its size {n[k]:g}")
    return counts, n, "shares" if shares else "counts"
