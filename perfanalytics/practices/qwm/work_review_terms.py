"""What an objective asks of items, as numbers: which of them meet it, or which sums and sizes count."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from perfanalytics.baselines.intervals import Dependence, effective
from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Objective
from perfanalytics.core.segments import Flags
from perfanalytics.core.series import Series

Side = Literal["at_least", "at_most"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an objective asks for.

    Parameters
    ----------
    form : {"share", "mean"}
    required : float
    side : {"at_least", "at_most"}
    of_target : bool
        Whether the share is that of items that meet the target (else of values that are 1).
    """

    form: Literal["share", "mean"]
    required: float
    side: Side
    of_target: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the data say of it so far.

    Parameters
    ----------
    n : int
        Items (periods of a rate) whose outcome is known; ``unknown`` are open and may still go either way.
    level, level_sd, item_sd, df : float
        Share, mean or rate; how well it is known; the spread of single items about it.
    design_effect : float
    """

    n: int
    unknown: int
    observed: float
    level: float
    level_sd: float
    item_sd: float
    df: float
    design_effect: float


def asked_of(objective: Objective) -> Asked:
    """What an objective asks for: medians and percentiles are shares of items.

    Raises
    ------
    InputError
        For an objective about single items that does not say which share of them.
    UnknownNameError
        For a statistic that is not predicted.

    Examples
    --------
    >>> asked_of(Objective("fast", measure="hours", statistic="p90", target=24, direction="at_most")).required
    0.9
    """
    direction: Side = objective.direction
    named = objective.statistic
    if named == "item":
        if objective.share is None:
            raise InputError(
                f"objective {objective.name!r} is about single items and does not say which share of them "
                "shall meet it (share = 0.9): whether it will be met by its end cannot be predicted"
            )
        return Asked("share", objective.share, "at_least", True)
    quantile = 0.5 if named == "median" else _percentile(named)
    if quantile is not None:
        needed = quantile if direction == "at_most" else 1 - quantile
        return Asked("share", needed, "at_least", True)
    if named == "share":
        return Asked("share", objective.target, direction, False)
    if named in ("mean", "rate"):
        return Asked("mean", objective.target, direction, False)
    known = ("item", "share", "mean", "rate", "median", "p1 to p99")
    raise UnknownNameError(f"statistic of objective {objective.name!r} for a prediction", named, known)


def _percentile(name: str) -> float | None:
    digits = name.removeprefix("p")
    return int(digits) / 100 if name.startswith("p") and digits.isdigit() and 0 < int(digits) < 100 else None


def meets(values: Floats, objective: Objective, asked: Asked) -> Floats:
    """1 where an item counts for the share, 0 where it does not, NaN where it is missing."""
    if not asked.of_target:
        return values
    hit = values <= objective.target if objective.direction == "at_most" else values >= objective.target
    return np.where(np.isnan(values), np.nan, hit.astype(float))


def known_of(series: Series, objective: Objective, asked: Asked, *, share: float = math.nan) -> Known:
    """What a series says so far.

    Parameters
    ----------
    series : Series
        Single observations in order of time.
    share : float
        Share of the items that meet the target where a baseline has estimated it with the items still open.

    Raises
    ------
    InputError
        Without any known outcome; for the mean of items that are still open.
    """
    excluded, _ = series.excluded()
    dependence: Dependence = "ar1" if series.when is not None else "independent"
    if asked.form == "mean" or series.sizes is not None:
        return _ratio(series, excluded, objective, dependence)
    values = np.where(excluded, np.nan, series.values)
    hit = meets(values, objective, asked)
    if series.censored is not None:
        # an item that is open and past the target has missed it already (or met it, where more is asked for)
        decided = (
            values > objective.target if objective.direction == "at_most" else values >= objective.target
        )
        hit = np.where(series.censored & ~decided, np.nan, hit)
    known = ~np.isnan(hit)
    n = int(known.sum())
    if not n:
        raise InputError(f"objective {objective.name!r}: no outcome is known yet")
    size = effective(hit[known], dependence)
    observed = float(hit[known].mean())
    told = observed if math.isnan(share) else share
    design = max(1.0, n / size.n_mean) if size.n_mean > 0 else float(n)
    # Jeffreys' prior, worth one item
    a, b = told * n / design + 0.5, (1 - told) * n / design + 0.5
    level = a / (a + b)
    return Known(
        n=n,
        unknown=int((~known & ~np.isnan(values)).sum()),
        observed=told,
        level=level,
        level_sd=math.sqrt(level * (1 - level) / (a + b + 1)),
        item_sd=math.sqrt(level * (1 - level)),
        df=math.inf,
        design_effect=design,
    )


def wider(known: Known, n_effective: float) -> Known:
    """The same where a baseline knows that the items count for fewer than their neighbours show."""
    if not 0 < n_effective < known.n / known.design_effect:
        return known
    a, b = known.observed * n_effective + 0.5, (1 - known.observed) * n_effective + 0.5
    level = a / (a + b)
    return replace(
        known,
        level=level,
        level_sd=math.sqrt(level * (1 - level) / (a + b + 1)),
        item_sd=math.sqrt(level * (1 - level)),
        design_effect=known.n / n_effective,
    )


def _ratio(series: Series, excluded: Flags, objective: Objective, dependence: Dependence) -> Known:
    """A mean, or a sum by sizes: by the linearized residuals of the ratio."""
    if series.censored is not None and bool(series.censored.any()):
        raise InputError(
            f"objective {objective.name!r} is about the {objective.statistic}, and items are still open: it "
            "is not known what they will add to it"
        )
    if series.sizes is None:
        counts, sizes = series.values, np.ones(len(series.values))
    else:
        counts, sizes, _ = counts_and_sizes(series.as_batch(), limit_one=objective.statistic == "share")
    use = ~np.isnan(counts) & (sizes > 0) & ~excluded
    n = int(use.sum())
    if not n:
        raise InputError(f"objective {objective.name!r}: no outcome is known yet")
    counts, sizes = counts[use], sizes[use]
    rate, size = float(counts.sum() / sizes.sum()), float(sizes.mean())
    rest = (counts - rate * sizes) / size
    found = effective(rest, dependence)
    if not found.usable:
        return Known(n, 0, rate, rate, math.nan, math.nan, math.nan, 1.0)
    variance = float((rest**2).sum()) / (n - 1) * found.variance_factor
    return Known(
        n=n,
        unknown=0,
        observed=rate,
        level=rate,
        level_sd=math.sqrt(variance / found.n_mean),
        item_sd=math.sqrt(variance),
        df=found.df,
        design_effect=max(1.0, n / found.n_mean),
    )
