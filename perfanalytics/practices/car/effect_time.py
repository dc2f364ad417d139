"""How many more periods it takes until an effect can be told: power under the data's own correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.comparisons.known_correlation import DAYS, known_correlation
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.power import minimum_detectable_effect, power, sample_size
from perfanalytics.comparisons.result import Comparison, SideTable
from perfanalytics.core.errors import InputError

#: Power that is planned for.
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Needed:
    """What it takes to tell a distance on the scale of a row.

    ``periods`` and ``weeks`` are more after the change: 0 where there are enough, infinite where no number
    is enough, NaN where nobody can say. ``power_now`` is that of the present sizes, ``detectable`` the
    smallest effect they tell with 80% (a distance from no effect; of ratios a factor above 1).
    """

    periods: float = math.nan
    weeks: float = math.nan
    power_now: float = math.nan
    detectable: float = math.nan
    rho: float = 0.0


def needed(comparison: Comparison, row: Effect, distance: float) -> Needed:
    """How many more periods until a distance (of ratios: of logarithms) is told with 80% power.

    The standard deviation of a period is the one under which the row's own interval comes out of the sizes
    and the correlation found, so that plan and data speak of the same precision.
    """
    one, two = comparison.before, comparison.after
    if one is None or two is None:
        return Needed()
    ordered = "rho" in comparison.method.parameters
    rho = known_correlation(comparison, None).rho if ordered else 0.0
    in_order = comparison.method.parameters.get("order") != "none"
    n1, n2 = (one.periods, two.periods) if in_order else (one.n, two.n)
    ends = (row.low, row.high)
    if row.form == "ratio":
        if not (row.low > 0 and math.isfinite(row.high)):
            return Needed(rho=rho)
        ends = (math.log(row.low), math.log(row.high))
    df = row.df if math.isfinite(row.df) and row.role == "primary" else math.inf
    tail = (1 + comparison.confidence) / 2
    q = float(special.stdtrit(df, tail)) if math.isfinite(df) else float(special.ndtri(tail))
    se = (ends[1] - ends[0]) / (2 * q)
    stretch = (1 + rho) / (1 - rho)
    if not se > 0 or min(n1, n2) < 2:
        return Needed(rho=rho)
    if row.form == "test":
        return _of_a_level(comparison, two, n2, distance, se, q, rho)
    sd = se / math.sqrt(stretch * (1 / n1 + 1 / n2))
    test = "ar1_level_change" if ordered else "welch"
    told = _or_nan(lambda: minimum_detectable_effect(test, n=n2, n_before=n1, rho=rho, power=POWER).effect)
    least = math.exp(told * sd) if row.form == "ratio" else told * sd
    size = abs(distance) / sd
    if math.isnan(size):
        return Needed(detectable=least, rho=rho)
    if size < 1e-9:
        return Needed(math.inf, math.inf, math.nan, least, rho)
    now = _or_nan(lambda: power(test, effect=size, n=n2, n_before=n1, rho=rho).power)
    try:
        whole = sample_size(test, effect=size, n_before=n1, rho=rho, power=POWER).n_after
    except InputError:
        return Needed(math.inf, math.inf, now, least, rho)
    more = max(0.0, whole - n2)
    return Needed(more, _weeks(more, two, n2, comparison), now, least, rho)


def _of_a_level(
    comparison: Comparison, side: SideTable, n: int, distance: float, se: float, q: float, rho: float
) -> Needed:
    """Of a target only the side after counts: its standard error falls with the root of the periods."""
    reach = q + float(special.ndtri(POWER))
    if math.isnan(distance):
        return Needed(rho=rho)
    if distance <= 0:
        return Needed(math.inf, math.inf, math.nan, reach * se, rho)
    more = max(0.0, math.ceil(n * (reach * se / distance) ** 2 - 1e-9) - n)
    now = float(special.ndtr(distance / se - q))
    return Needed(float(more), _weeks(more, side, n, comparison), now, reach * se, rho)


def distance(row: Effect, value: float) -> float:
    """From no effect to a value of the row; of ratios in logarithms.

    Examples
    --------
    >>> row = Effect("ratio_of_means", role="primary", estimate=0.5, form="ratio")
    >>> round(distance(row, 0.8), 4)
    0.2231
    """
    return abs(math.log(value / row.null)) if row.form == "ratio" else abs(value - row.null)


def between(row: Effect, value: float) -> float:
    """From the estimate to a value of the row; of ratios in logarithms."""
    if row.form == "ratio":
        return abs(math.log(row.estimate / value)) if row.estimate > 0 else math.nan
    return abs(row.estimate - value)


def _or_nan(make: object) -> float:
    try:
        return float(make())  # type: ignore[operator]
    except InputError:
        return math.nan


def weeks_of(when: object) -> float:
    """Weeks that times cover; NaN without times."""
    if not isinstance(when, np.ndarray) or len(when) < 2:
        return math.nan
    return float((when[-1] - when[0]) / np.timedelta64(1, "D") + 1) / 7


def _weeks(more: float, side: SideTable, periods: int, comparison: Comparison) -> float:
    """The same in weeks, at the pace of the side after."""
    if more == 0:
        return 0.0
    covered = weeks_of(side.when)
    every = str(comparison.method.parameters.get("every") or "").split(" ", 1)[0]
    if math.isnan(covered):
        return more * DAYS[every] / 7 if every in DAYS else math.nan
    if every in DAYS:
        covered += (DAYS[every] - 1) / 7 if DAYS[every] > 1 else 0.0
    return more * covered / periods
