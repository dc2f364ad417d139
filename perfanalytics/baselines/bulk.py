"""baselines_of(batch) -> Baselines: one row for each of many series, the numbers of the single baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.bulk_columns import columns_of
from perfanalytics.baselines.bulk_result import Baselines
from perfanalytics.baselines.grouping import batch_from_frame, is_frame
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.numbers import Options
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_batch
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import SeriesBatch

#: What a run over the repository keeps of each baseline: column -> quantity and part.
_RUN_QUANTITIES = ("mean", "geometric mean", "sd", "p10", "p50", "p90", "next item", "share", "rate")
_TYPES = {"n": "integer", "n_missing": "integer", "n_excluded": "integer", "n_censored": "integer"}
_TYPES |= {"scale": "text", "lag1": "float", "n_effective": "float", "judged": "boolean", "stable": "boolean"}
_TYPES |= {"signals": "integer", "lower_limit": "float", "center_line": "float", "upper_limit": "float"}
_TYPES |= {"standing": "text", "points_to_halve": "integer", "caveats": "text"}


def baselines_of(
    data: object,
    *,
    value: str | None = None,
    by: str | Sequence[str] = (),
    measure: Measure | None = None,
    coverage: float = 0.95,
    confidence: float = 0.95,
    dependence: Dependence | None = None,
    objective: Objective | None = None,
    m: int = 10,
) -> Baselines:
    """Baselines of many series, one row each.

    Parameters
    ----------
    data : SeriesBatch, mapping of id to series, sequence of Series, or pandas DataFrame
        A frame has one row per observation (``repo.frame``): with ``value`` and ``by``.
    value : str, optional
        Column of a frame that holds the values; ``when``, ``<value>_size`` and ``<value>_censored`` are taken
        where the frame has them.
    by : str or sequence of str
        Columns of a frame whose combinations are the series. A missing value is a series of its own.
    measure : Measure, optional
        What the values of a frame are; frames of the repository know it.
    coverage, confidence, dependence, objective, m
        As in :func:`perfanalytics.baseline`, for every series.

    Returns
    -------
    Baselines

    Raises
    ------
    InputError, UnknownNameError
        As in :func:`perfanalytics.baseline`; for a series without any value; for ``value`` or ``by`` without
        a frame, and columns that it does not have.

    Notes
    -----
    The numbers are those of the single baseline of each series, to the last bit. Fitted distributions and the
    values themselves are not kept: make ``perf.baseline(batch[i])`` of the series that matter. Shares, rates,
    ordinal values and series with items still open are made one by one.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> fast, slow = [5.1, 4.9, 5.6, 5.0, 4.7, 5.3], [9.1, 8.7, 9.9, 9.3, 9.0, 8.8]
    >>> made = perf.baselines_of({"fast": fast, "slow": slow})
    >>> made.verdict
    '2 baselines, of 6 points each: means from 5.1 to 9.13. Stability could not be judged for 2.'
    >>> made.summary()[["id", "n", "median"]].values.tolist()
    [['fast', 6, 5.05], ['slow', 6, 9.05]]
    """
    if is_frame(data):
        if value is None or not by:
            raise InputError(
                "a frame needs value= (the column of the values) and by= (what makes the series)"
            )
        batch = batch_from_frame(data, value=value, by=by, measure=measure).batch
    elif value is not None or by or measure is not None:
        raise InputError(
            "value=, by= and measure= speak of a frame; a batch knows its series and its measure"
        )
    else:
        batch = as_batch(data)
    options, because = _options(batch, coverage, confidence, dependence, m)
    if batch.values.ndim != 1:
        raise InputError(f"a baseline describes one column of values, got shape {batch.values.shape}")
    columns, quantities = columns_of(batch, options, objective)
    codes = columns["caveats_of_series"]
    counted = Counter(c for text in codes.tolist() for c in text.split("; ") if c)
    total = len(batch)
    return Baselines(
        verdict=_verdict(batch, columns, quantities),
        caveats=tuple(
            Caveat(c, f"{k} of {total} series: {c.replace('-', ' ')}.", {"series": k, "of": total})
            for c, k in counted.items()
        ),
        method=Method(
            "baselines",
            {
                "coverage": coverage,
                "confidence": confidence,
                "dependence": options.dependence,
                "dependence_because": because,
                "m": m,
                "objective": None if objective is None else objective.name,
                "percentiles": "type 7 of Hyndman and Fan 1996; Kaplan-Meier where items are open",
            },
            ("Hahn and Meeker (1991), Statistical Intervals, chapters 4 and 5",),
        ),
        provenance=batch.provenance(),
        measure=batch.measure,
        ids=batch.ids,
        dependence=options.dependence,
        objective=objective,
        quantity=read_only(np.array(quantities, dtype=object)),
        **columns,
    )


def bulk_method(
    *,
    coverage: float = 0.95,
    confidence: float = 0.95,
    dependence: Dependence | None = None,
    m: int = 10,
) -> BulkMethod:
    """The baselines of every series of a selection, for ``repo.map``.

    Parameters
    ----------
    coverage, confidence, dependence, m
        As in :func:`perfanalytics.baseline`.
    """
    names = {q: q.replace(" ", "_") for q in _RUN_QUANTITIES}
    types = dict(_TYPES) | {
        f"{name}{part}": "float" for name in names.values() for part in ("", "_low", "_high")
    }

    def apply(batch: SeriesBatch) -> dict[str, NDArray[Any]]:
        options, _ = _options(batch, coverage, confidence, dependence, m)
        columns, quantities = columns_of(batch, options, None)
        place = {q: k for k, q in enumerate(quantities)}
        out: dict[str, NDArray[Any]] = {
            k: columns["caveats_of_series" if k == "caveats" else k] for k in _TYPES
        }
        none = np.full(len(batch), np.nan)
        for quantity, name in names.items():
            for part, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high")):
                known = quantity in place
                out[name + suffix] = columns[part][:, place[quantity]] if known else none
        return out

    parameters = {"coverage": coverage, "confidence": confidence, "dependence": dependence, "m": m}
    return BulkMethod(method=Method("baselines", parameters), columns=types, apply=apply)


def _options(
    batch: SeriesBatch, coverage: float, confidence: float, dependence: Dependence | None, m: int
) -> tuple[Options, str]:
    for name, level in (("coverage", coverage), ("confidence", confidence)):
        if not 0 < level < 1:
            raise InputError(f"{name} lies between 0 and 1 (0.95 for 95%), got {level}")
    if m < 1:
        raise InputError(f"m, the number of items averaged, is at least 1, got {m}")
    if dependence not in (None, "ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    timed = batch.when is not None
    because = (
        "asked for" if dependence is not None else "default for series " + ("with" if timed else "without")
    )
    because += "" if dependence is not None else " times"
    chosen: Dependence = dependence or ("ar1" if timed else "independent")
    return Options(coverage, confidence, chosen, m, asked=dependence is not None), because


def _verdict(batch: SeriesBatch, columns: Mapping[str, Any], quantities: Sequence[str]) -> str:
    from perfanalytics.baselines.wording import count, number

    m, n = len(batch), columns["n"]
    points = f"of {n.min():,} points each" if n.min() == n.max() else f"of {n.min():,} to {n.max():,} points"
    center = next((q for q in ("mean", "share", "rate", "p50") if q in quantities), quantities[0])
    at = columns["estimate"][:, quantities.index(center)]
    text = f"{count(m, 'baseline')}, {points}"
    if np.isfinite(at).any():
        low, high = float(np.nanmin(at)), float(np.nanmax(at))
        what = {"mean": "means", "share": "shares", "rate": "rates", "p50": "medians"}.get(center, center)
        unit = batch.measure.unit
        text += f": {what} from {number(low)} to {number(high, unit, spread=(high - low) / 10)}"
    bad = int(np.sum(columns["judged"] & ~columns["stable"]))
    unknown = int(np.sum(~columns["judged"]))
    text += "."
    if bad:
        text += f" {bad} {'was' if bad == 1 else 'were'} not stable."
    if unknown:
        text += f" Stability could not be judged for {unknown}."
    return text
