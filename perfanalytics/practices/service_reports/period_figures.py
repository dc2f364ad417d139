"""period_figures: what a measure was in a period, the one before and a year before, also by attribute."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.baselines.intervals import clopper_pearson
from perfanalytics.comparisons.arguments import check_confidence
from perfanalytics.comparisons.classical import t_quantile
from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.core.series import Series
from perfanalytics.practices.qwm.work_review_result import hash_of
from perfanalytics.practices.qwm.work_review_terms import Asked, asked_of, known_of, meets
from perfanalytics.practices.service_reports.period_figures_result import PeriodFigures

if TYPE_CHECKING:
    pass

STATISTICS = ("count", "sum", "mean", "median", "share", "rate", "minimum", "maximum", "nonconforming")
#: (attribute, value): which part of the data; ("", "") is the whole.
Part = tuple[str, str]
WHOLE: Part = ("", "")


def period_figures(
    parts: Mapping[Part, Series],
    *,
    previous: Mapping[Part, Series] | None = None,
    year_before: Mapping[Part, Series] | None = None,
    since: dt.date,
    until: dt.date,
    statistic: str | None = None,
    objective: Objective | None = None,
    confidence: float = 0.95,
) -> PeriodFigures:
    """What a measure was in a period, beside the period before and the same a year before.

    Nothing is left out: a target that was missed because of a special cause was missed, so points that are
    excluded from limits count here.

    Parameters
    ----------
    parts : mapping of (attribute, value) to Series
        Single observations of the period; ``("", "")`` is the whole and must be there.
    previous, year_before : mapping of the same keys to Series, optional
    since, until : date
        ``until`` is not included.
    statistic : str, optional
        Default by the measure: share for a proportion, rate for one with denominators, sum for a count,
        median for a duration or another positive measure, else mean. That of the objective where there is
        one.
    objective : Objective, optional
    confidence : float

    Returns
    -------
    PeriodFigures

    Raises
    ------
    InputError, UnknownNameError
        Without the whole; for a statistic that does not exist or does not fit the measure.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> made = perf.Measure("made_sla", definition="d", unit="1", better="higher", scale="proportion")
    >>> whole = {("", ""): perf.Series([1, 1, 0, 1], measure=made)}
    >>> goal = perf.Objective("SLA", measure="made_sla", statistic="share", target=0.9, direction="at_least")
    >>> found = period_figures(whole, since=dt.date(2024, 1, 1), until=dt.date(2024, 2, 1), objective=goal)
    >>> float(found.value[0]), found.standing.tolist()
    (0.75, ['missed'])
    """
    check_confidence(confidence)
    if since >= until:
        raise InputError(f"the period begins ({since}) on its end ({until}) or after it")
    if WHOLE not in parts:
        raise InputError("figures of a period need the whole: a series under the key ('', '')")
    measure = parts[WHOLE].measure
    asked = None
    if objective is not None:
        if objective.measure != measure.name:
            raise InputError(
                f"objective {objective.name!r} is about {objective.measure!r}, not {measure.name!r}"
            )
        asked = _asked(objective)
        statistic = "share meeting" if asked is not None and asked.of_target else objective.statistic
    elif statistic is None:
        statistic = default_statistic(parts[WHOLE])
    _check(statistic, measure)
    required, side = (math.nan, "") if objective is None else _required(objective, asked)
    keys = [WHOLE, *(k for k in parts if k != WHOLE)]
    rows = [_row(parts[k], statistic, objective, asked, required, side, confidence) for k in keys]
    before = [_figure((previous or {}).get(k), statistic, objective, asked) for k in keys]
    year = [_figure((year_before or {}).get(k), statistic, objective, asked) for k in keys]
    n_open = int(rows[0]["n_open"])
    whole = (figures_of_periods(parts[WHOLE]), figures_of_periods((previous or {}).get(WHOLE)))
    made = PeriodFigures(
        verdict="",
        caveats=tuple(_doubts(rows[0], n_open, statistic, *whole)),
        method=Method(
            "period_figures",
            {
                "statistic": statistic,
                "excluded_points": "count",
                "open_items": "Kaplan-Meier" if n_open else "none",
                "interval": "Clopper-Pearson for the effective number of items; t for means and rates",
                "confidence": confidence,
            },
            ("ISO/IEC 20000-1:2011, 6.2",),
        ),
        provenance=Provenance(
            measure.name,
            data_hash=hash_of(*(s.data_hash() for s in parts.values())),
            n=len(parts[WHOLE]),
            selection=parts[WHOLE].selection,
            load_ids=parts[WHOLE].load_ids,
            clock=parts[WHOLE].clock,
        ),
        measure=measure,
        objective=objective,
        statistic=statistic,
        required=required,
        side=side,
        since=since,
        until=until,
        attribute=np.array([k[0] for k in keys], dtype=object),
        category=np.array([k[1] for k in keys], dtype=object),
        previous=np.array([v for v, _ in before]),
        n_previous=np.array([n for _, n in before], dtype=np.int64),
        year_before=np.array([v for v, _ in year]),
        n_year_before=np.array([n for _, n in year], dtype=np.int64),
        periods=whole[0],
        previous_periods=whole[1],
        confidence=confidence,
        **{
            name: np.array([r[name] for r in rows], dtype=kind)
            for name, kind in (
                ("n", np.int64), ("n_open", np.int64), ("value", float), ("low", float), ("high", float),
                ("standing", object), ("sure", object),
            )
        },
    )  # fmt: skip
    return replace(made, verdict=_verdict(made))


def default_statistic(series: Series) -> str:
    """The statistic of a measure nobody named one for."""
    scale = series.measure.scale
    if scale == "proportion":
        return "share"
    if series.sizes is not None:
        return "rate"
    return {"count": "sum", "duration": "median", "positive": "median"}.get(str(scale), "mean")


def _check(statistic: str, measure: Measure) -> None:
    known = statistic in (*STATISTICS, "share meeting") or (
        statistic.startswith("p") and statistic[1:].isdigit() and 1 <= int(statistic[1:]) <= 99
    )
    if not known:
        raise UnknownNameError("statistic of a period", statistic, (*STATISTICS, "p90"))
    if statistic == "nonconforming" and measure.scale not in ("proportion", "count"):
        raise InputError(
            f"{measure.name!r} counts nothing that went wrong: nonconformities are of a proportion (1 or 0 "
            "for each item) or a count"
        )
    if statistic == "nonconforming" and measure.better not in ("lower", "higher"):
        raise InputError(
            f"nobody declared what is better of {measure.name!r}, so what went wrong is not known"
        )


def _asked(objective: Objective) -> Asked | None:
    """The objective as a share or mean; None where it is about a sum, a count, an extreme, or bare items."""
    if objective.statistic == "item" and objective.share is None:
        return Asked("share", math.nan, "at_least", True)
    try:
        return asked_of(objective)
    except UnknownNameError:
        return None


def _required(objective: Objective, asked: Asked | None) -> tuple[float, str]:
    if asked is None:
        return objective.target, objective.direction
    return asked.required, "" if math.isnan(asked.required) else asked.side


def _bare(series: Series) -> Series:
    """Without exclusions: what happened, happened."""
    if not series.exclusions:
        return series
    return Series(
        series.values, measure=series.measure, when=series.when, sizes=series.sizes, censored=series.censored,
        clock=series.clock if series.when is not None else None,
    )  # fmt: skip


def _figure(
    series: Series | None, statistic: str, objective: Objective | None, asked: Asked | None
) -> tuple[float, int]:
    """The figure of a part, and of how many observations it is."""
    if series is None:
        return math.nan, 0
    seen = ~np.isnan(series.values)
    n = int(seen.sum())
    if not n:
        return (0.0, 0) if statistic in ("nonconforming",) and len(series) else (math.nan, 0)
    values = series.values[seen]
    censored = None if series.censored is None else series.censored[seen]
    still_open = censored is not None and bool(censored.any())
    if statistic == "share meeting":
        assert objective is not None
        assert asked is not None
        if still_open:
            assert censored is not None
            return _done(values, censored, objective), n
        return float(meets(values, objective, asked).mean()), n
    if statistic == "count":
        return float(n), n
    if statistic in ("share", "rate", "nonconforming"):
        counts, sizes = _counts(series, seen)
        if statistic == "nonconforming":
            lacking = series.measure.scale == "proportion" and series.measure.better == "higher"
            return float((sizes - counts).sum() if lacking else counts.sum()), n
        total = float(sizes.sum())
        return (float(counts.sum()) / total if total > 0 else math.nan), n
    if statistic in ("median",) or statistic.startswith("p"):
        q = 0.5 if statistic == "median" else int(statistic[1:]) / 100
        if still_open:
            assert censored is not None
            found = kaplan_meier(values, censored, confidence=0.95).quantile(q)[0]
            return (found if math.isfinite(found) else math.nan), n
        return float(np.quantile(values, q)), n
    if still_open and statistic in ("sum", "mean", "maximum"):
        return math.nan, n
    made: dict[str, float] = {
        "sum": values.sum(),
        "mean": values.mean(),
        "minimum": values.min(),
        "maximum": values.max(),
    }
    return float(made[statistic]), n


def _counts(series: Series, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    if series.sizes is None:
        return series.values[seen], np.ones(int(seen.sum()))
    counts, sizes, _ = counts_and_sizes(series.as_batch(), limit_one=series.measure.scale == "proportion")
    return counts[seen], sizes[seen]


def _done(values: Floats, censored: NDArray[np.bool_], objective: Objective) -> float:
    """The share of items that meet the target, those still open among them."""
    curve = kaplan_meier(values, censored, confidence=0.95)
    if objective.target > curve.last:
        return math.nan
    if objective.direction == "at_most":
        return curve.done_by(objective.target)[0]
    return 1 - curve.done_by(objective.target, inclusive=False)[0]


def _row(
    series: Series,
    statistic: str,
    objective: Objective | None,
    asked: Asked | None,
    required: float,
    side: str,
    confidence: float,
) -> dict[str, Any]:
    value, n = _figure(series, statistic, objective, asked)
    n_open = 0 if series.censored is None else int(series.censored.sum())
    row: dict[str, Any] = {"n": n, "n_open": n_open, "value": value, "low": math.nan, "high": math.nan}
    row |= {"standing": "", "sure": ""}
    if objective is None or math.isnan(value):
        return row
    if asked is not None:
        row["low"], row["high"] = _interval(_bare(series), objective, asked, value, confidence)
    if side:
        at_least = side == "at_least"
        row["standing"] = "met" if (value >= required if at_least else value <= required) else "missed"
        if not math.isnan(row["low"]):
            inside = row["low"] <= required <= row["high"]
            row["sure"] = "within chance" if inside else "clear"
    return row


def _interval(
    series: Series, objective: Objective, asked: Asked, value: float, confidence: float
) -> tuple[float, float]:
    """Of the level behind the figure; NaN where nobody can say."""
    try:
        known = known_of(series, objective, asked, share=value if asked.of_target else math.nan)
    except InputError:
        return math.nan, math.nan
    if asked.form == "share" and series.sizes is None:
        n = known.n / known.design_effect
        return clopper_pearson(value * n, n, confidence=confidence)
    half = t_quantile(known.df, confidence) * known.level_sd
    least = -math.inf if series.measure.scale in ("real", "ordinal", None) else 0.0
    most = 1.0 if asked.form == "share" else math.inf
    return max(value - half, least), min(value + half, most)


def figures_of_periods(series: Series | None) -> int:
    """How many periods observations are figures of: different times that are all equally far apart.

    0 for single observations, whose times are not (or lie closer than two days).
    """
    if series is None or series.when is None or not len(series):
        return 0
    times = np.unique(series.when.astype("datetime64[D]").astype(np.int64))
    apart = np.diff(times)
    if len(times) < 3 or apart[0] < 2:
        return 0
    months = apart[0] >= 28 and bool(((apart >= 28) & (apart <= 31)).all())
    return len(times) if months or bool((apart == apart[0]).all()) else 0


def _doubts(whole: dict[str, Any], n_open: int, statistic: str, periods: int, before: int) -> list[Caveat]:
    if not whole["n"]:
        return [Caveat("no-data-in-period", "There is no observation in this period.", {})]
    if statistic in ("sum", "count", "nonconforming") and periods and before and periods != before:
        text = (
            f"{periods} figures begin in this period, {before} in the one before, so sums are not comparable "
            "and the change is told for a single figure."
        )
        return [Caveat("other-number-of-figures", text, {"now": periods, "before": before})]
    if n_open:
        are = "item is" if n_open == 1 else "items are"
        text = f"{n_open:,} {are} still open; the figure can change."
        return [Caveat("open-items", text, {"n": n_open})]
    return []


def _verdict(f: PeriodFigures) -> str:
    value = float(f.value[0])
    what = f.objective.name if f.objective is not None else f"{f.measure.name} ({f.statistic})"
    text = f"{what}: {f.said(value)}"
    if f.standing[0]:
        side = "at least" if f.side == "at_least" else "at most"
        text += f", asked for {side} {f.said(f.required)}: {f.standing[0]}"
        text += ", within chance" if f.sure[0] == "within chance" else ""
    before = float(f.previous[0])
    return f"{text}; {f.said(before)} in the period before." if not math.isnan(before) else f"{text}."
