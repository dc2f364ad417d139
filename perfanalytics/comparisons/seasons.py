"""Seasons in a comparison: terms that take them out, and a test that finds them in what is left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.comparisons.classical import Contrast
from perfanalytics.comparisons.method import NAN
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
#: rhythm of the series -> the season it is searched for without being asked
USUAL = {"hour": "hour", "day": "weekday", "week": "year", "month": "month", "quarter": "quarter"}
#: Days of the season of each kind, to count whole seasons.
DAYS = {"hour": 1.0, "weekday": 7.0, "month": 365.25, "quarter": 365.25, "year": 365.25}
#: Harmonics of the smooth yearly wave.
HARMONICS = 2
#: Level of the test that earns the caveat.
LEVEL = 0.01
#: Periods beyond the number of terms that a fit with a season needs.
FEWEST_LEFT = 8
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
    """Columns that sum to zero over the classes of the season; two harmonics of the year for "year"."""
    if season == "year":
        days = when.astype("datetime64[D]").astype(np.int64)
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


def season_test(residuals: Floats, when: NDArray[np.datetime64], season: str) -> Contrast:
    """F test of seasonal means in whitened residuals; NaN where they span too few seasons."""
    hours = when[[0, -1]].astype("datetime64[h]").astype(np.int64)
    span = float(hours[1] - hours[0]) / 24.0
    terms = season_columns(when, season)
    n, q = len(residuals), terms.shape[1]
    rest = n - 2 - q
    if span < FEWEST_SEASONS * DAYS[season] * 0.97 or rest < 8 or q < 1:
        return Contrast(NAN, NAN, NAN, NAN, NAN, NAN)
    # the residuals have mean zero on both sides; constant terms only guard against unequal classes
    x = np.column_stack([np.ones(n), terms])
    beta, *_ = np.linalg.lstsq(x, residuals, rcond=None)
    left = residuals - x @ beta
    inside = float(left @ left)
    total = float(((residuals - residuals.mean()) ** 2).sum())
    if inside <= 1e-12 * total:
        return Contrast(NAN, NAN, NAN, NAN, NAN, NAN)
    f = (total - inside) / q / (inside / rest)
    return Contrast(NAN, NAN, NAN, f, float(rest), float(special.fdtrc(q, rest, max(f, 0.0))))


def season_caveat(sides: Sides, residuals: Floats) -> tuple[Caveat, ...]:
    """A caveat where the whitened residuals still have the usual season of the rhythm."""
    rhythm = rhythm_of(sides)
    when = period_times(sides)
    if rhythm is None or when is None:
        return ()
    season = USUAL[rhythm]
    found = season_test(residuals, when, season)
    if not found.p_value <= LEVEL:
        return ()
    said = f"p = {found.p_value:.3f}" if found.p_value >= 0.001 else "p < 0.001"
    text = (
        f"The {SEASONS[season]} differ (F test of the whitened residuals, {said}): the season is left in the "
        f"noise, which can hide a change or look like one. season='{season}' takes it out."
    )
    return (Caveat("seasonal", text, {"season": season, "f": found.statistic, "p_value": found.p_value}),)
