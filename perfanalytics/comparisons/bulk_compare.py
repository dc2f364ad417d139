"""Any method of two sides over many series: ``perf.method("compare", at="2024-03-01", method="welch")``."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.choices import check_choices
from perfanalytics.comparisons.compare import compare
from perfanalytics.comparisons.methods import METHODS
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.periods import check_every
from perfanalytics.core.result import Method
from perfanalytics.core.series import SeriesBatch

NUMBERS = ("before", "after", "estimate", "low", "high", "statistic", "df", "p_value")
COLUMNS = {
    "n_before": "integer",
    "n_after": "integer",
    **dict.fromkeys(NUMBERS, "float"),
    "quantity": "text",
    "method": "text",
    "outcome": "text",
    "caveats": "text",
}


def bulk_method(
    *,
    at: str | dt.date,
    method: str | None = None,
    order: str | None = None,
    every: str | None = None,
    scale: str | None = None,
    confidence: float = 0.95,
    margin: float | None = None,
    options: dict[str, object] | None = None,
) -> BulkMethod:
    """The primary row of :func:`perfanalytics.compare` for every series of a batch, cut at one date.

    One call a series: about 10 to 30 ms each. For the level change of thousands of series take
    "level_change". p-values stand alone: adjust the column when the run is complete
    (:func:`perfanalytics.comparisons.multiplicity.adjusted_p_values`).

    Parameters
    ----------
    at : date or ISO text
        The change: points before it belong to the side before.
    method, order, every, scale, confidence, margin, options :
        As for :func:`perfanalytics.compare`. Methods of pairs and of given values have no use here.

    Raises
    ------
    InputError, UnknownNameError
        For arguments that do not fit, before any series is read.
    """
    date = at if isinstance(at, str) else at.isoformat()
    instant(date)
    if method is not None:
        if method not in METHODS:
            raise UnknownNameError("method", str(method), METHODS)
        chosen = METHODS[method]
        if chosen.paired or chosen.one_sample:
            raise InputError(f"{method} needs pairs or a given value: a series cut at a date has neither")
        check_choices(method, chosen.options, options)
    elif options is not None:
        raise InputError("options= belong to a method: name it")
    if every is not None:
        check_every(every)
    parameters = {
        "at": date,
        "method": method,
        "order": order,
        "every": every,
        "scale": scale,
        "confidence": confidence,
        "margin": margin,
        "options": dict(options) if options else None,
    }

    def apply(batch: SeriesBatch) -> dict[str, NDArray[np.generic]]:
        if batch.when is None:
            raise InputError("the date of a change needs series with times")
        m = len(batch)
        numbers = {name: np.full(m, np.nan) for name in NUMBERS}
        sizes = {name: np.zeros(m, dtype=np.int64) for name in ("n_before", "n_after")}
        texts = {name: np.full(m, "", dtype=object) for name in ("quantity", "method", "outcome", "caveats")}
        for i, series in enumerate(batch):
            sides = series.between(None, date), series.between(date, None)
            for name, side in zip(sizes, sides, strict=True):
                excluded, _ = side.excluded()
                sizes[name][i] = int((~np.isnan(side.values) & ~excluded).sum())
            if not (sizes["n_before"][i] and sizes["n_after"][i]):
                texts["outcome"][i] = "undecided"
                texts["caveats"][i] = "empty-side"
                continue
            found = compare(
                *sides,
                method=method,
                order=order,
                every=every,
                scale=scale,
                confidence=confidence,
                margin=margin,
                options=options,
            )
            for name in NUMBERS:
                numbers[name][i] = getattr(found.primary, name)
            texts["quantity"][i] = found.primary.quantity
            texts["method"][i] = found.method.name
            texts["outcome"][i] = found.outcome
            texts["caveats"][i] = ", ".join(found.caveat_codes)
        return {**sizes, **numbers, **texts}

    return BulkMethod(method=Method("compare", parameters), columns=COLUMNS, apply=apply)
