"""A baseline of items of which some are still open: percentiles by Kaplan and Meier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.censoring import KaplanMeier
from perfanalytics.baselines.doubts import few_points, open_items
from perfanalytics.baselines.intervals import effective
from perfanalytics.baselines.numbers import PERCENTILES, Options
from perfanalytics.baselines.rows import Description, Row
from perfanalytics.core.measure import Measure
from perfanalytics.core.series import Series


def still_open_of(series: Series, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the used values are only the age so far."""
    assert series.censored is not None
    return np.asarray(series.censored[used])


def describe_open(
    in_time: NDArray[np.float64],
    still_open: NDArray[np.bool_],
    km: KaplanMeier,
    measure: Measure,
    options: Options,
) -> Description:
    """Percentiles of items of which some are still open; mean and spread are not estimated."""
    rows = [Row("mean", np.nan, method="not estimated while items are open", unit=measure.unit)]
    for p in PERCENTILES:
        estimate, low, high = km.quantile(p / 100)
        row = Row(f"p{p}", estimate, low, high, options.confidence)
        rows.append(replace(row, method="Kaplan-Meier, log-log interval", unit=measure.unit))
    size = effective(in_time, "independent")
    return Description(
        rows=tuple(rows),
        caveats=(
            *few_points(len(still_open)),
            open_items(int(still_open.sum()), len(still_open), options.confidence),
        ),
        scale="raw",
        scale_reason="items still open: distribution-free only",
        r1=size.r1,
        r=0.0,
        n_effective=float(len(still_open)),
        more_points=-1,
        references=("Kaplan and Meier (1958), JASA 53", "Brookmeyer and Crowley (1982), Biometrics 38"),
    )
