"""predict_objective(series, objective) -> ObjectivePrediction: will it be met by its end?"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.coerce import as_series
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import Series
from perfanalytics.models.calibration import Calibration
from perfanalytics.models.result import Model
from perfanalytics.practices.qwm.work_review_prediction import (
    ObjectivePrediction,
    ahead_interval,
    beta_binomial,
)
from perfanalytics.practices.qwm.work_review_terms import Asked, Known, asked_of, known_of, meets, wider

if TYPE_CHECKING:
    import pandas as pd

#: Fewer items with a known outcome than this are little to predict from.
FEW = 20
DRAWS, SEED = 2000, 20260101
#: Doubts about what is to come: none where nothing is.
OF_WHAT_COMES = (
    "not-stable", "too-few-points", "items-left-out", "another-population", "few-local-items",
)  # fmt: skip


def predict_objective(
    series: object,
    objective: Objective,
    *,
    on: dt.date | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    baseline: Baseline | None = None,
    model: Model | Calibration | None = None,
    items: pd.DataFrame | None = None,
    basis: tuple[str, int] = ("", 0),
    stable: bool | None = None,
    confidence: float = 0.95,
) -> ObjectivePrediction:
    """The probability that an objective is met by the end of its period.

    What was so far is kept; for the items that are still to come the level is that of the work's own data,
    or what a model expects of items like the work's own.

    Parameters
    ----------
    series : Series
        The work's own single observations since the beginning of the period (rates: with their sizes).
    objective : Objective
        About items with a share, a percentile, a share, a mean or a rate.
    on : date, optional
        The day of the prediction; default that of the newest observation.
    since, until : date, optional
        First and last day of the period. Default for ``since`` the day of the first observation, for
        ``until`` the day by which the objective shall be met (``by``); without one the probability is that
        of the level of the process.
    baseline : Baseline, optional
        The work's own, of the same data: its stability, and its share of items that meet the objective where
        items are still open.
    model : Model or Calibration, optional
        Gives the level of the items ahead, calibrated on the work's own data.
    items : DataFrame, optional
        With ``model``: the work's own items with their factors; those ahead are taken to be like them.
    basis : (name, version)
        Under which the baseline or calibration is saved.
    stable : bool, optional
        Verdict of a control chart of the same data, where there is one besides the baseline.
    confidence : float

    Returns
    -------
    ObjectivePrediction

    Raises
    ------
    InputError, UnknownNameError
        For an objective that cannot be predicted, and data in which no outcome is known.

    Notes
    -----
    Shares: the level has a Beta law (Jeffreys' prior; with effective numbers of items), the items ahead a
    beta-binomial law with the same design effect. Means and rates: Student's t for the ratio estimator. With
    a model, level and its uncertainty are those of simulated items (parameters drawn anew each time). The
    number of items ahead is that of the pace so far, taken as known.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.4 (beta-binomial). Cochran (1977),
    Sampling Techniques, 3rd ed., section 6.3 (ratio estimator). Kish (1965), Survey Sampling, section 8.2
    (design effect).

    Examples
    --------
    >>> import perfanalytics as perf
    >>> days = np.datetime64("2024-01-01") + np.arange(60)
    >>> hours = perf.Measure("hours", definition="Hours", unit="hours", better="lower", scale="duration")
    >>> own = perf.Series(np.tile([3.0, 8, 5, 4, 12], 12), measure=hours, when=days)
    >>> goal = Objective("fast", measure="hours", target=10, direction="at_most", share=0.7,
    ...                  by=dt.date(2024, 3, 31))
    >>> predict_objective(own, goal).n_ahead
    31
    """
    series = as_series(series)
    asked = asked_of(objective)
    if series.measure.is_named and objective.measure != series.measure.name:
        raise InputError(
            f"objective {objective.name!r} is about {objective.measure!r}, the series is "
            f"{series.measure.name!r}"
        )
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    on = on or _last_day(series)
    since = since or _first_day(series)
    until = until or objective.by
    series, was_cut = _until(series, on if until is None else min(on, until))
    if was_cut:
        baseline_says, baseline = baseline, None  # it speaks of more than the period
    else:
        baseline_says = baseline
    share = math.nan
    if baseline is not None and asked.of_target and SHARE_MEETING in baseline.quantity.tolist():
        share = baseline[SHARE_MEETING].value
    known = known_of(series, objective, asked, share=share)
    if baseline is not None and asked.form == "share" and not asked.of_target and series.sizes is None:
        known = wider(known, baseline.n_effective)
    if asked.form == "share" and series.sizes is not None:
        asked = replace(asked, form="mean")  # shares of periods: a ratio of sums
    doubts = _doubts(series, objective, known, baseline_says, stable)
    if model is not None:
        fitted = model.model if isinstance(model, Calibration) else model
        known, said = _by_model(fitted, items, objective, asked, known)
        doubts += said
        doubts += tuple(c for c in model.caveats if c.code in ("another-population", "few-local-items"))
    ahead = _ahead(series, known, on, since, until)
    probability, expected, low, high = _at_the_end(known, asked, ahead, until, confidence)
    if until is not None and on >= until and ahead == 0:
        # nothing is predicted any more: what happened, happened
        doubts = tuple(c for c in doubts if c.code not in OF_WHAT_COMES)
    ends = _level_interval(known, asked, confidence)
    least = 0.0 if _is_not_negative(series) else -math.inf
    ends, low = (max(ends[0], least), ends[1]), max(low, least)
    made = ObjectivePrediction(
        verdict="",
        caveats=doubts,
        method=Method(
            "predict_objective",
            {
                "form": asked.form,
                "required": asked.required,
                "side": asked.side,
                "level": _level_from(asked, model is not None),
                "items_ahead": "at the pace since the beginning of the period",
                "draws": DRAWS if model is not None else 0,
                "seed": SEED,
                "confidence": confidence,
            },
            (
                "Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.4",
                "Kish (1965), Survey Sampling, section 8.2",
            ),
        ),
        provenance=series.provenance(),
        measure=series.measure,
        objective=objective,
        basis="own data" if model is None else "calibrated model",
        basis_name=basis[0],
        basis_version=basis[1],
        on=on,
        since=since,
        until=until,
        form=asked.form,
        required=asked.required,
        side=asked.side,
        n_observed=known.n,
        observed=known.observed,
        n_ahead=ahead,
        design_effect=known.design_effect,
        level=known.level,
        level_low=ends[0],
        level_high=ends[1],
        level_sd=known.level_sd,
        item_sd=known.item_sd,
        df=known.df,
        expected=expected,
        low=low,
        high=high,
        probability=probability,
        least_possible=least,
        confidence=confidence,
    )
    return replace(made, verdict=_verdict(made))


def _level_from(asked: Asked, by_model: bool) -> str:
    if by_model:
        return "simulated items of the model"
    return "own data, Jeffreys' prior" if asked.form == "share" else "own data, ratio estimator"


def _until(series: Series, last: dt.date) -> tuple[Series, bool]:
    """The observations up to a day, and whether there were later ones."""
    if series.when is None or not len(series) or _date(series.when[-1]) <= last:
        return series, False
    return series.between(None, last + dt.timedelta(days=1)), True


def _is_not_negative(series: Series) -> bool:
    """Whether what is measured cannot be below 0: by its scale, or amounts per size of which none is."""
    declared = series.measure.scale in ("duration", "positive", "count", "proportion")
    return declared or (series.sizes is not None and not bool((series.values < 0).any()))


def _first_day(series: Series) -> dt.date | None:
    return None if series.when is None else _date(series.when[0])


def _last_day(series: Series) -> dt.date:
    if series.when is None:
        raise InputError("a series without times does not say which day it is: give on=")
    return _date(series.when[-1])


def _date(time: np.datetime64) -> dt.date:
    day = time.astype("datetime64[D]").item()
    assert isinstance(day, dt.date)
    return day


def _ahead(series: Series, known: Known, on: dt.date, since: dt.date | None, until: dt.date | None) -> int:
    """Items whose outcome will become known until the end; those still open are among them."""
    if until is None:
        return 0
    days = (until - on).days
    if days <= 0:
        return known.unknown
    so_far = (on - since).days + 1 if since is not None else 0
    if so_far <= 0:
        raise InputError("how many items are still to come cannot be said: give since=, the first day")
    everything = known.n + known.unknown
    return known.unknown + round(everything * days / so_far)


def _by_model(
    model: Model, items: pd.DataFrame | None, objective: Objective, asked: Asked, known: Known
) -> tuple[Known, tuple[Caveat, ...]]:
    """The level that a model expects of items like the work's own."""
    if model.measure.name != objective.measure:
        raise InputError(
            f"the model is about {model.measure.name!r}, objective {objective.name!r} about "
            f"{objective.measure!r}"
        )
    if items is None or not len(items):
        raise InputError("a prediction by a model needs items=: the work's own items with their factors")
    drawn = model.simulate_items(items, draws=DRAWS, rng=SEED)
    usable = ~np.isnan(drawn).any(axis=0)
    if not usable.any():
        raise UnknownNameError("item that the model can predict", "none of items=", ())
    counted = meets(drawn[:, usable], objective, asked)
    n = counted.shape[1]
    means = counted.mean(axis=1)
    level = float(means.mean())
    spread = float(counted.var(axis=1).mean())
    variance = max(float(means.var()) - spread / n, 0.0)
    doubts = []
    if not usable.all():
        left = int((~usable).sum())
        text = f"{count(left, 'own item')} cannot be predicted: a value is missing, or unknown to the model."
        doubts.append(Caveat("items-left-out", text, {"items": left}))
    return (
        replace(known, level=level, level_sd=math.sqrt(variance), item_sd=math.sqrt(spread), df=math.inf),
        tuple(doubts),
    )


def _at_the_end(
    known: Known, asked: Asked, m: int, until: dt.date | None, confidence: float
) -> tuple[float, float, float, float]:
    """Probability that the objective is met; median and prediction interval of the whole period."""
    n, done = known.n, known.observed
    if until is None:
        level, sd = known.level, known.level_sd
        low, high = _level_interval(known, asked, confidence)
        if asked.form == "mean":
            over = _t_above(asked.required, level, sd, known.df)
        else:
            from scipy import stats

            a, b = _beta(level, sd)
            over = float(stats.beta.sf(asked.required, a, b)) if a > 0 else float(level >= asked.required)
        return (over if asked.side == "at_least" else 1 - over), level, low, high
    if m == 0:
        met = done >= asked.required if asked.side == "at_least" else done <= asked.required
        return float(met), done, done, done
    total = n + m
    low, high = ahead_interval(
        asked.form, known.level, known.level_sd, known.item_sd, known.df, known.design_effect, m, confidence
    )
    ends = [(n * done + m * y) / total for y in (known.level, low, high)]
    needed = (asked.required * total - n * done) / m
    if asked.form == "mean":
        sd = math.sqrt(known.level_sd**2 + known.item_sd**2 * known.design_effect / m)
        over = _t_above(needed, known.level, sd, known.df)
        return (over if asked.side == "at_least" else 1 - over), ends[0], ends[1], ends[2]
    from scipy import stats

    law = beta_binomial(known.level, known.level_sd, known.design_effect, m)
    made = stats.binom(m, known.level) if law is None else stats.betabinom(m, *law)
    # rounding must not turn "exactly as many as needed" into one more
    if asked.side == "at_least":
        probability = float(made.sf(math.ceil(needed * m - 1e-9) - 1))
    else:
        probability = float(made.cdf(math.floor(needed * m + 1e-9)))
    return probability, ends[0], ends[1], ends[2]


def _t_above(bound: float, level: float, sd: float, df: float) -> float:
    if math.isnan(sd) or not sd > 0:
        return math.nan if math.isnan(sd) else float(level >= bound)
    z = (level - bound) / sd
    return float(special.stdtr(df, z)) if math.isfinite(df) else float(special.ndtr(z))


def _beta(level: float, sd: float) -> tuple[float, float]:
    """The Beta law with this mean and standard deviation; (0, 0) where it has no spread."""
    if not 0 < level < 1 or sd <= 0:
        return 0.0, 0.0
    total = level * (1 - level) / sd**2 - 1
    return level * total, (1 - level) * total


def _level_interval(known: Known, asked: Asked, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    if asked.form == "mean":
        if math.isnan(known.level_sd):
            return math.nan, math.nan
        t = special.stdtrit(known.df, 1 - tail) if math.isfinite(known.df) else special.ndtri(1 - tail)
        return known.level - float(t) * known.level_sd, known.level + float(t) * known.level_sd
    a, b = _beta(known.level, known.level_sd)
    if not (a > 0 and b > 0):
        return known.level, known.level
    return float(special.betaincinv(a, b, tail)), float(special.betaincinv(a, b, 1 - tail))


def _doubts(
    series: Series,
    objective: Objective,
    known: Known,
    baseline: Baseline | None,
    stable: bool | None,
) -> tuple[Caveat, ...]:
    doubts = []
    if known.n < FEW:
        text = f"Only {count(known.n, 'outcome')} known: the prediction rests on little."
        doubts.append(Caveat("too-few-points", text, {"n": known.n, "needed": FEW}))
    signals = baseline.signals if baseline is not None and baseline.stable is False else 0
    if signals or stable is False:
        text = "The process was not stable: it need not go on as it did, and no prediction from it is safe."
        doubts.append(Caveat("not-stable", text, {"signals": signals}))
    if known.unknown:
        text = f"{count(known.unknown, 'item')} still open: the outcome is among those to come."
        doubts.append(Caveat("open-items", text, {"open": known.unknown}))
    first = _first_day(series)
    declared = objective.declared_on
    if declared is not None and first is not None and declared > first:
        text = f"The objective was declared on {declared}, after data from {first} on were there."
        doubts.append(
            Caveat("declared-after-data", text, {"declared_on": str(declared), "first": str(first)})
        )
    return tuple(doubts)


def _verdict(made: ObjectivePrediction) -> str:
    share = made.form == "share" or made.objective.statistic == "share"
    thing = "item" if share or made.objective.statistic == "mean" else "period"
    said = percent if share else (lambda v: number(v, made.unit))
    asked = f"{'at least' if made.side == 'at_least' else 'at most'} {said(made.required)}"
    so_far = f"{said(made.observed)} of {count(made.n_observed, thing)}" if share else said(made.observed)
    name = made.objective.name
    if made.is_over:
        end = "met" if made.outcome else "missed"
        return f"{name}: {end}. {so_far} at the end of the period, {asked} asked for."
    if made.until is None:
        return (
            f"{name}: the level of the process meets it with a probability of {percent(made.probability)} "
            f"({so_far} so far, {asked} asked for; no end is declared)."
        )
    if math.isnan(made.probability):
        return f"{name}: no probability can be given: {so_far} so far, {asked} asked for."
    # while something is to come, no number of digits makes it certain
    chance = percent(min(max(made.probability, 1e-9), 1 - 1e-9))
    return (
        f"{name}: met by {made.until} with a probability of {chance}. {so_far} so far, "
        f"{asked} asked for; {said(made.low)} to {said(made.high)} expected at the end "
        f"({count(made.n_ahead, thing)} ahead, by {made.basis})."
    )
