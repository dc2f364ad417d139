"""The distribution fitted beside a baseline: the one asked for, or that of the scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.intervals import Dependence, effective
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.series import Series


def fitted_of(
    series: Series,
    kind: str,
    scale: str,
    in_time: NDArray[np.float64],
    still_open: NDArray[np.bool_] | None,
    distribution: str | None,
    dependence: Dependence,
) -> Fitted | None:
    """The distribution asked for, or that of the scale; None where the default one cannot be had."""
    ordinal = series.measure.scale == "ordinal"
    if kind in ("shares", "rates", "ratios") or ordinal:
        if distribution is not None:
            raise InputError(
                f"distribution= is for measured values; these are {'ordinal' if ordinal else kind}"
            )
        return None
    name = distribution
    if name is None and kind == "open items":
        name = "lognormal" if series.measure.scale in LOG_SCALES else None
    elif name is None:
        name = "lognormal" if scale == "log" else "normal"
    if name is None:
        return None
    if name not in FAMILIES:
        raise UnknownNameError("distribution", str(name), FAMILIES)
    values = in_time[~np.isnan(in_time)]
    size = effective(in_time, dependence if still_open is None else "independent")
    inflation = size.n / size.n_mean if size.n_mean > 0 else 1.0
    made = fit_family(
        FAMILIES[name],
        values,
        censored=still_open,
        inflation=inflation,
        draws=199 if distribution else 0,
        seed=0,
    )
    if made.converged:
        return made
    if distribution is not None:
        raise InputError(f"the {made.label} distribution could not be fitted: {made.why}")
    return None
