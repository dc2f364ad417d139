"""Seasons in a comparison: terms that take them out, and a test that finds those left in.

References
----------
Fai and Cornelius (1996), J. Statistical Computation and Simulation 54, 363-378.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.comparisons.classical import Contrast
from perfanalytics.comparisons.levels import regression_design
from perfanalytics.comparisons.method import NAN
from perfanalytics.comparisons.regression import fit_regression
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.periods import period_start
from perfanalytics.core.result import Caveat

#: season= -> what it is called in a sentence
SEASONS = {
    "hour": "hours of the day",
    "weekday": "days of the week",
    "month": "months of the year",
    "quarter": "quarters of the year",
    "year": "times of the year",
}
#: rhythm of the series -> the seasons it is searched for without being asked
USUAL = {
    "hour": ("hour", "weekday"),
    "day": ("weekday", "year"),
    "week": ("year",),
    "month": ("month", "year"),
    "quarter": ("quarter",),
}
#: Days of the season of each kind, to count whole seasons.
DAYS = {"hour": 1.0, "weekday": 7.0, "month": 365.25, "quarter": 365.25, "year": 365.25}
#: Days of a period of each rhythm.
LENGTH = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "quarter": 91.31}
#: Harmonics of the smooth yearly wave.
HARMONICS = 2
#: Level of the tests that earn the caveat, shared among the seasons searched.
LEVEL = 0.01
#: Periods beyond the number of terms that a fit with a season needs.
FEWEST_LEFT = 8
#: Days from the first to the last period that a yearly wave needs (ten months).
FEWEST_DAYS = 270
#: Whole seasons a series must span before one is searched.
FEWEST_SEASONS = 2.0


def rhythm_of(sides: Sides) -> str | None:
    """The period the values were brought to, None where each value is its own."""
    word = sides.every.split(" ", 1)[0]
    return word if word in USUAL else None


def period_times(sides: Sides) -> NDArray[np.datetime64] | None:
    """Start of each period of both sides (the time of the value where each is its own); None without."""
    rhythm = rhythm_of(sides)
    parts = []
    for side in (sides.before, sides.after):
        if side.when is None:
            return None
        starts = side.starts()
        parts.append(period_start(side.period[starts], rhythm) if rhythm else side.when[starts])
    return np.concatenate(parts)


def season_terms(sides: Sides, season: str) -> Floats:
    """Regressors (n, q) of the periods of both sides that sum to zero over the seasons.

    Raises
    ------
    UnknownNameError, InputError
        For a season that does not exist, values without times, or a season that cannot be told apart from
        the change.
    """
    if season not in SEASONS:
        raise UnknownNameError("season", str(season), SEASONS)
    when = period_times(sides)
    if when is None:
        raise InputError("season= needs times: give the series when=")
    rhythm = rhythm_of(sides)
    if rhythm is not None and season not in _possible(rhythm):
        raise InputError(
            f"values of every {rhythm} have no season {season!r}; possible: {', '.join(_possible(rhythm))}"
        )
    terms = season_columns(when, season)
    after = np.repeat([0.0, 1.0], [sides.before.periods, sides.after.periods])
    whole = np.column_stack([1.0 - after, after, terms])
    if np.linalg.matrix_rank(whole) < whole.shape[1]:
        raise InputError(
            f"the {SEASONS[season]} cannot be told apart from the change: each side must cover some of the "
            "same ones"
        )
    needed = whole.shape[1] + FEWEST_LEFT
    if len(when) < needed:
        raise InputError(
            f"{len(when)} periods are too few for {terms.shape[1]} terms of the season: {needed} are needed"
        )
    return terms


def _possible(rhythm: str) -> tuple[str, ...]:
    return {
        "hour": ("hour", "weekday", "month", "quarter", "year"),
        "day": ("weekday", "month", "quarter", "year"),
        "week": ("month", "quarter", "year"),
        "month": ("month", "quarter", "year"),
        "quarter": ("quarter",),
    }[rhythm]


def season_columns(when: NDArray[np.datetime64], season: str) -> Floats:
    """Columns that sum to zero over the classes of the season; two harmonics of the year for "year".

    Raises
    ------
    UnknownNameError, InputError
    """
    if season not in SEASONS:
        raise UnknownNameError("season", str(season), SEASONS)
    if season == "year":
        days = when.astype("datetime64[D]").astype(np.int64)
        if len(days) and np.ptp(days) < FEWEST_DAYS:
            raise InputError(
                f"a yearly wave cannot be told from the change in {int(np.ptp(days)) + 1} days: it needs "
                "most of a year"
            )
        angle = 2 * np.pi * days[:, None] / 365.2425 * np.arange(1, HARMONICS + 1)
        return np.asarray(np.concatenate([np.cos(angle), np.sin(angle)], axis=1))
    label = season_class(when, season)
    present = np.unique(label)
    columns = (label[:, None] == present[:-1]).astype(float)
    columns[label == present[-1]] = -1.0
    return np.asarray(columns)


def season_class(when: NDArray[np.datetime64], season: str) -> NDArray[np.int64]:
    """Which hour, weekday, month or quarter each time belongs to."""
    if season == "hour":
        return np.asarray(when.astype("datetime64[h]").astype(np.int64) % 24)
    if season == "weekday":
        return np.asarray(when.astype("datetime64[D]").astype(np.int64) % 7)
    months = when.astype("datetime64[M]").astype(np.int64) % 12
    return np.asarray(months if season == "month" else months // 3)


def season_test(
    y: Floats, base: Floats, terms: Floats, *, gap: Floats, weights: Floats | None = None
) -> Contrast:
    """F test of seasonal terms beside ``base`` in a series with AR(1) errors; NaN where it cannot be made.

    Parameters
    ----------
    y : float array, shape (n,)
    base : float array, shape (n, p)
        The model without a season; its first two columns make up a level.
    terms : float array, shape (n, q)
    gap, weights : float arrays, shape (n,)
        Periods since the previous value, infinite at the first; values behind each period.

    Returns
    -------
    Contrast
        ``statistic`` is F, ``df`` its denominator's degrees of freedom.

    Notes
    -----
    The correlation is estimated together with the season: residuals of a model without it take a season for
    correlation. One spread for both sides, as an own spread a side makes the test liberal in short series.
    Degrees of freedom by Satterthwaite, those of the principal contrasts joined (Fai and Cornelius 1996);
    with n - p, two to six tests in a hundred reject at the 1% level at 24 months.
    """
    nothing = Contrast(NAN, NAN, NAN, NAN, NAN, NAN)
    n, p, q = len(y), base.shape[1], terms.shape[1]
    x = np.column_stack([base, terms])
    if q < 1 or n - p - q < FEWEST_LEFT or np.linalg.matrix_rank(x) < p + q:
        return nothing
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    if float(left @ left) <= 1e-20 * float(y @ y):
        return nothing
    design = regression_design(
        y[None],
        x[None],
        after=np.zeros((1, n), dtype=bool),
        gap=gap[None],
        weights=None if weights is None else weights[None],
    )
    contrast = np.zeros(p + q)
    contrast[-1] = 1.0
    fitted = fit_regression(design, contrast, noise=False)
    b, covariance = fitted.beta[p:], fitted.covariance[p:, p:]
    values, vectors = np.linalg.eigh(covariance)
    if not values[0] > 0:
        return nothing
    f = float(((vectors.T @ b) ** 2 / values).sum()) / q
    df = float(n - p - q)
    if special.fdtrc(q, df, f) <= LEVEL:  # with fewer degrees of freedom it can only rise
        each = [fitted.contrast(np.r_[np.zeros(p), v], 0.95).df for v in vectors.T]
        joined = sum(d / (d - 2.0) for d in each if d > 2.0)
        df = min(df, 2.0 * joined / (joined - q)) if joined > q else 1.0
    return Contrast(NAN, NAN, NAN, f, df, float(special.fdtrc(q, df, f)))


def season_caveat(
    sides: Sides,
    y: Floats,
    base: Floats,
    *,
    gap: Floats,
    weights: Floats | None = None,
    keep: NDArray[np.bool_] | None = None,
) -> tuple[Caveat, ...]:
    """A caveat where the series has a usual season of its rhythm that was left in.

    ``y``, ``base``, ``gap`` and ``weights`` as in :func:`season_test`; ``keep`` says which periods of the
    sides they are, where not all of them.
    """
    rhythm = rhythm_of(sides)
    when = period_times(sides)
    if rhythm is None or when is None:
        return ()
    if keep is not None:
        when = when[keep]
    if not len(when):
        return ()
    hours = when[[0, -1]].astype("datetime64[h]").astype(np.int64)
    days = float(hours[1] - hours[0]) / 24.0 + LENGTH[rhythm]
    tests = {
        season: season_test(y, base, season_columns(when, season), gap=gap, weights=weights)
        for season in USUAL[rhythm]
        if days >= FEWEST_SEASONS * DAYS[season] * 0.97
    }
    known = {season: found for season, found in tests.items() if not np.isnan(found.p_value)}
    if not known:
        return ()
    season = min(known, key=lambda name: known[name].p_value)
    found = known[season]
    if not found.p_value <= LEVEL / len(known):
        return ()
    said = f"p = {found.p_value:.3f}" if found.p_value >= 0.001 else "p < 0.001"
    text = (
        f"The {SEASONS[season]} differ (F test beside the change, {said}): the season is left in the noise, "
        f"which can hide a change or look like one. season='{season}' takes it out."
    )
    evidence = {"season": season, "f": found.statistic, "df": found.df, "p_value": found.p_value}
    return (Caveat("seasonal", text, evidence),)
