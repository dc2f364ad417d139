"""gauge_study: how much of the variation of a measure comes from measuring it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Literal, get_args

import numpy as np

from perfanalytics.baselines.measurement_systems import gauge_words as words
from perfanalytics.baselines.measurement_systems.average_range import from_ranges
from perfanalytics.baselines.measurement_systems.components import (
    GRR,
    PART,
    TOTAL,
    Anova,
    anova,
    from_anova,
)
from perfanalytics.baselines.measurement_systems.gauge_layout import GaugeData, read_gauge
from perfanalytics.baselines.measurement_systems.gauge_result import GaugeStudy
from perfanalytics.baselines.measurement_systems.reading import check_level, provenance, texts
from perfanalytics.baselines.measurement_systems.reml import from_reml
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Method

Estimator = Literal["anova", "average_range", "reml"]
Interaction = Literal["pool", "keep", "none"]

_REFERENCES = {
    "anova": (
        "AIAG (2010), Measurement Systems Analysis, 4th ed., appendix A",
        "Burdick, Borror and Montgomery (2003), Journal of Quality Technology 35",
    ),
    "average_range": ("AIAG (2010), Measurement Systems Analysis, 4th ed., chapter III, section B",),
    "reml": (
        "Patterson and Thompson (1971), Biometrika 58",
        "Searle, Casella and McCulloch (1992), Variance Components",
    ),
}


def gauge_study(
    frame: object,
    *,
    value: str,
    part: str,
    operator: str | None = None,
    replicate: str | None = None,
    method: Estimator = "anova",
    interaction: Interaction = "pool",
    pool_alpha: float = 0.25,
    nested: bool = False,
    tolerance: float | None = None,
    study_sigmas: float = 6.0,
    step: float | None = None,
    confidence: float = 0.95,
    measure: Measure | None = None,
) -> GaugeStudy:
    """Divide the variation of repeated measurements into parts, operators and repeats (gauge R&R).

    Parameters
    ----------
    frame : DataFrame or mapping of columns
        One row per measurement.
    value, part : str
        Columns with the measurement and with what was measured. Rows without a value are left out and
        counted.
    operator : str, optional
        Column with who measured. Without it all measurements are by one operator.
    replicate : str, optional
        Column with the number of the repeat; only used to find rows that were entered twice.
    method : {"anova", "average_range", "reml"}
        "anova" and "average_range" (the AIAG manual's form) need as many repeats in every cell; "reml" does
        not.
    interaction : {"pool", "keep", "none"}
        Of operators and parts, in a crossed study. "pool": it joins the repeatability when its p-value is
        above ``pool_alpha``; "none": it always does. The average and range method has none.
    pool_alpha : float
        In [0, 1].
    nested : bool
        Each operator had parts of his own, as where the test destroys the part. Equal names of parts of
        different operators are then different parts.
    tolerance : float, optional
        Width of the tolerance (upper minus lower specification limit), in units of the measure.
    study_sigmas : float
        The study variation is this many standard deviations: 6, in older forms 5.15.
    step : float, optional
        Smallest step of the scale. Default: the smallest difference seen.
    confidence : float
        Of the intervals, in (0, 1).
    measure : Measure, optional
        Name and unit; default the name of the column.

    Returns
    -------
    GaugeStudy

    Raises
    ------
    InputError
        For fewer than 2 parts, infinite values, cells with different numbers of repeats where the method
        needs equal ones, an interaction that cannot be told from the repeatability, a study that is
        nested but not called so, levels outside their range.
    UnknownNameError
        For a column, method or handling of the interaction that does not exist.

    Notes
    -----
    Negative components are set to 0 and named in a caveat. Standing by AIAG's 10 and 30 percent of the study
    variation and, with a tolerance, of the tolerance: the worse of the two. Where the standard deviation of
    repeats is below half a step of the scale, half a step is counted in its place as well: where that changes
    the standing, the system cannot be judged.

    References
    ----------
    AIAG (2010), Measurement Systems Analysis, 4th ed. Burdick, Borror and Montgomery (2003), Journal of
    Quality Technology 35. Wheeler and Lyday (1989), Evaluating the Measurement Process (steps of the scale).

    Examples
    --------
    >>> study = gauge_study(
    ...     {"mm": [1.1, 1.2, 2.1, 2.0, 3.1, 3.3, 1.0, 1.2, 2.2, 2.0, 3.2, 3.1],
    ...      "piece": [1, 1, 2, 2, 3, 3] * 2, "who": ["A"] * 6 + ["B"] * 6},
    ...     value="mm", part="piece", operator="who",
    ... )
    >>> study.interaction, study.distinct_categories, round(study["part"].value, 3)
    ('pooled', 14, 1.025)
    """
    _check(method, interaction, pool_alpha, tolerance, study_sigmas, step, confidence)
    data = read_gauge(frame, value=value, part=part, operator=operator, replicate=replicate, nested=nested)
    _check_layout(data, method, interaction)
    table, extra = None, {}
    if method == "reml":
        made, done, p_both = from_reml(
            data, interaction=interaction, pool_alpha=pool_alpha, confidence=confidence
        )
    elif method == "average_range":
        made, ranges = from_ranges(data)
        done, p_both, extra = "not in this method", math.nan, asdict(ranges)
    else:
        table = anova(data, interaction=interaction, pool_alpha=pool_alpha)
        made, done, p_both = (
            from_anova(data, table, confidence=confidence),
            table.interaction,
            table.interaction_p,
        )
    measure = measure or Measure(value, definition="", unit="", better="unknown", scale=None)
    smallest = words.smallest_step(data.values) if step is None else step

    v = made.variance
    gauge_share = math.sqrt(v[GRR] / v[TOTAL]) if v[TOTAL] > 0 else math.nan
    tolerance_sds = math.nan if tolerance is None else tolerance / study_sigmas
    tolerance_share = math.sqrt(v[GRR]) / tolerance_sds
    coarse = words.too_coarse(made, smallest)
    judged = gauge_share if tolerance is None else max(gauge_share, tolerance_share)
    worst = words.worst_share(made, smallest, tolerance_sds) if coarse else judged
    standing = words.standing_of(judged)
    if coarse and words.standing_of(worst) != standing:
        standing = words.CANNOT
    exact = math.sqrt(2 * v[PART] / v[GRR]) if v[GRR] > 0 else math.inf
    categories = 0 if standing == words.CANNOT or not math.isfinite(exact) else max(1, math.floor(exact))

    names = list(v)
    low, high = made.part_to_gauge
    share_low, share_high = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for name, ends in ((GRR, (_of(high), _of(low))), (PART, (1 - _of(low), 1 - _of(high)))):
        share_low[names.index(name)], share_high[names.index(name)] = ends
    bounds = np.array([made.interval[n] for n in names])
    return GaugeStudy(
        verdict=words.verdict(
            measure.name,
            made,
            standing=standing,
            unit=measure.unit,
            coarse=coarse,
            share=gauge_share,
            low=math.sqrt(_of(high)),
            high=math.sqrt(_of(low)),
            confidence=confidence,
            tolerance_share=tolerance_share,
            categories=categories,
            worst=worst,
            step=smallest,
        ),
        caveats=tuple(
            words.doubts(
                data,
                made,
                step=smallest,
                interaction_p=p_both,
                kept=done == "kept",
                estimator=method,
            )
        ),
        method=Method(
            "gauge_study",
            {
                "method": method,
                "design": _design(data),
                "interaction": interaction,
                "interaction_was": done,
                "pool_alpha": pool_alpha,
                "tolerance": tolerance,
                "study_sigmas": study_sigmas,
                "step": "smallest difference seen" if step is None else "declared",
                "confidence": confidence,
                "intervals": made.intervals_by,
                "negative_components": "set to 0",
                "distinct_categories": "sqrt(2) part sd / gauge sd, cut to a whole number, at least 1",
                "standing": "AIAG: 10 and 30 percent of the study variation"
                + ("" if tolerance is None else " and of the tolerance, the worse"),
                **extra,
            },
            _REFERENCES[method],
        ),
        provenance=provenance(
            measure.name,
            len(data.values) + data.missing,
            data.values,
            data.part,
            data.operator,
            data.parts,
            data.operators,
        ),
        measure=measure,
        design=_design(data),
        estimator=method,
        interaction=done,
        interaction_p=p_both,
        n=len(data.values),
        n_missing=data.missing,
        repeats=data.repeats,
        parts=texts(data.parts),
        operators=texts(data.operators),
        values=read_only(data.values),
        part_of=read_only(data.part.astype(np.int64)),
        operator_of=read_only(data.operator.astype(np.int64)),
        component=texts(names),
        variance=read_only(np.array([v[n] for n in names])),
        variance_low=read_only(bounds[:, 0]),
        variance_high=read_only(bounds[:, 1]),
        share_low=read_only(share_low),
        share_high=read_only(share_high),
        **_table(table),
        confidence=confidence,
        study_sigmas=float(study_sigmas),
        tolerance=math.nan if tolerance is None else float(tolerance),
        distinct_categories=categories,
        step=smallest,
        standing=standing,
    )


def _of(ratio: float) -> float:
    """Share of the gauge in the total variance, from the ratio of part to gauge."""
    return 1 / (1 + ratio)


def _design(data: GaugeData) -> str:
    if len(data.operators) == 1:
        return "one operator"
    return "nested" if data.nested else "crossed"


def _table(table: Anova | None) -> dict[str, Any]:
    lines = table.lines if table is not None else ()
    out: dict[str, Any] = {"anova_source": texts([x.source for x in lines])}
    for name in ("df", "ss", "ms", "f", "p"):
        out[f"anova_{name}"] = read_only(np.array([getattr(x, name) for x in lines], dtype=np.float64))
    return out


def _check(
    method: str,
    interaction: str,
    pool_alpha: float,
    tolerance: float | None,
    study_sigmas: float,
    step: float | None,
    confidence: float,
) -> None:
    if method not in get_args(Estimator):
        raise UnknownNameError("method of a gauge study", str(method), get_args(Estimator))
    if interaction not in get_args(Interaction):
        raise UnknownNameError("handling of the interaction", str(interaction), get_args(Interaction))
    if not 0 <= pool_alpha <= 1:
        raise InputError(f"pool_alpha lies between 0 and 1, got {pool_alpha}")
    check_level(confidence)
    for name, given in (("tolerance", tolerance), ("study_sigmas", study_sigmas), ("step", step)):
        if given is not None and not (math.isfinite(given) and given > 0):
            hint = " (the width: upper minus lower specification limit)" if name == "tolerance" else ""
            raise InputError(f"{name} must be above 0{hint}, got {given}")


def _check_layout(data: GaugeData, method: str, interaction: str) -> None:
    operators = len(data.operators)
    if not data.nested and operators > 1:
        each = np.bincount(np.unique(data.cell) % len(data.parts), minlength=len(data.parts))
        if (each == 1).all():
            raise InputError(
                "every part was measured by one operator only: if each operator had parts of his own, say "
                "nested=True"
            )
    if method == "reml":
        if data.nested and len(data.parts) == len(data.values):
            raise InputError("no part was measured twice: parts cannot be told from repeats")
        if operators == 1 and len(data.parts) == len(data.values):
            raise InputError("no part was measured twice: parts cannot be told from repeats")
        return
    if data.repeats == 0:
        raise InputError(
            "not every operator measured every part equally often: method='reml' can use such a study"
            + (f" ({data.missing} rows have no value)" if data.missing else "")
        )
    if data.repeats == 1:
        if method == "average_range" or data.nested or operators == 1:
            raise InputError("no part was measured twice: there is no repeatability to see")
        if interaction != "none":
            raise InputError(
                "no part was measured twice by the same operator: the interaction cannot be told from the "
                "repeatability; say interaction='none'"
            )
