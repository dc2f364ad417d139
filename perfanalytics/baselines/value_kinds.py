"""What the values of a series are (numbers, shares, rates, ratios, open items), and what follows from it."""

from __future__ import annotations

import numpy as np

from perfanalytics.baselines import numbers
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import MEASURED_SCALES, Measure
from perfanalytics.core.series import Series


def counted_kind(series: Series) -> str:
    """ "numbers", "shares", "rates" or "ratios": by the sizes and the declared scale."""
    if series.values.ndim == 2:
        return "numbers"
    scale = series.measure.scale
    if series.sizes is not None and series.selection.get("statistic") in (None, "share", "rate"):
        if scale in MEASURED_SCALES:
            return "ratios"  # minutes and money follow no law of counts
        return "rates" if scale == "count" else "shares"
    seen = series.values[~np.isnan(series.values)]
    if scale == "proportion" and bool(np.isin(seen, (0.0, 1.0)).all()):
        return "shares"
    return "numbers"


def percentile_method(measure: Measure) -> str:
    """How percentiles are taken, for ``.method``."""
    if measure.scale == "ordinal":
        return "values that occur (type 1 of Hyndman and Fan 1996)"
    return "linear between order statistics (type 7 of Hyndman and Fan 1996)"


def kind_of(series: Series) -> str:
    """ "numbers", "shares", "rates", "ratios" or "open items": by the columns and the declared scale."""
    if series.censored is not None and series.censored.any():
        if series.sizes is not None:
            raise InputError(
                "a series has sizes (shares, rates, ratios) or censored values (open items), not both"
            )
        return "open items"
    return counted_kind(series)


def scale_of(series: Series) -> str:
    """The scale on which the values are described; a series without any value is refused."""
    seen = series.values[~np.isnan(series.values)]
    if not len(seen):
        raise InputError("the series has no value: there is nothing to describe")
    return numbers.decide_scale(seen, series.measure)[0]


def default_chart(kind: str, series: Series) -> str | None:
    """The control chart behind the stability verdict."""
    if kind == "shares":
        return None if series.sizes is None else "laney_p"
    return {"rates": "laney_u", "ratios": "i_prime"}.get(kind, "individuals")
