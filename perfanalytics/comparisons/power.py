"""power, sample_size, minimum_detectable_effect: how many weeks must the pilot run?"""

from __future__ import annotations

import math
from collections.abc import Callable

from perfanalytics.comparisons.known_correlation import known_correlation
from perfanalytics.comparisons.power_answer import answer_of, power_of
from perfanalytics.comparisons.power_arguments import (
    both_sides,
    check_effect,
    check_power,
    design_of,
    sizes_of,
)
from perfanalytics.comparisons.power_result import Power
from perfanalytics.comparisons.words import percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Result

#: Most values a side that are searched.
MOST = 1e9


def power(
    test: str,
    *,
    effect: float,
    n: float,
    n_before: float | None = None,
    alpha: float = 0.05,
    rho: float | Result = 0.0,
    before: float | None = None,
    margin: float | None = None,
    groups: int | None = None,
    sd_ratio: float = 1.0,
    every: str | None = None,
) -> Power:
    """Power of a test: the share of studies of this size that would detect an effect of this size.

    Parameters
    ----------
    test : str
        "welch", "student", "ar1_level_change", "paired_t", "one_sample_t", "mann_whitney",
        "two_proportions", "poisson_rates", "anova" or "tost".
    effect : float
        Standard deviations for the tests of means (for "paired_t" of the differences, for "welch" of the
        side before); the probability that a value after is higher for "mann_whitney"; the difference of
        shares for "two_proportions"; the ratio of rates for "poisson_rates"; Cohen's f for "anova"; the true
        difference, usually 0, for "tost".
    n : float
        Values after (and before, unless ``n_before`` says otherwise); pairs; values in each group; exposure
        for rates.
    n_before : float, optional
        Values before, where they are given already.
    alpha : float
        False-alarm rate; two-sided (each of the two one-sided tests for "tost").
    rho : float, Baseline or Comparison
        Correlation of neighbouring values, at least 0: n counts as ``n (1 - rho) / (1 + rho)``. A baseline or
        comparison of the same periods knows it, also a stored one (``repo.result(name)``).
    before : float, optional
        The share or rate before ("two_proportions", "poisson_rates").
    margin : float, optional
        The margin in standard deviations ("tost").
    groups : int, optional
        Number of groups ("anova").
    sd_ratio : float
        Standard deviation after over before ("welch").
    every : {"hour", "day", "week", "month", "quarter", "year"}, optional
        What a value stands for, for the sentence.

    Raises
    ------
    UnknownNameError, InputError

    Notes
    -----
    Two-sided powers count both tails (R ``power.t.test(strict = TRUE)``, pwr). "mann_whitney" is Noether's
    formula; proportions and rates are the normal theory of their score tests, without continuity correction.
    For "ar1_level_change" simulated studies planned so had 78 to 80% power where 80% was asked (COMPARE.md).

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences; Noether (1987), JASA 82.

    Examples
    --------
    >>> round(power("student", effect=0.5, n=64).power, 7)
    0.8014596
    """
    known = known_correlation(rho, every)
    rho = known.rho
    law, design = design_of(test, alpha, rho, before, margin, groups, sd_ratio, every)
    check_effect(law, test, effect, design, needs=True)
    sizes = sizes_of(law, n, n_before)
    found = power_of(law, design, effect, sizes, rho)
    return answer_of("power", test, law, design, effect, sizes, n_before, found, known, every)


def sample_size(
    test: str,
    *,
    effect: float,
    power: float = 0.8,
    n_before: float | None = None,
    alpha: float = 0.05,
    rho: float | Result = 0.0,
    before: float | None = None,
    margin: float | None = None,
    groups: int | None = None,
    sd_ratio: float = 1.0,
    every: str | None = None,
) -> Power:
    """How many values are needed to detect an effect with this power: how long must the pilot run?

    Parameters
    ----------
    test, effect, alpha, rho, before, margin, groups, sd_ratio, every
        As in :func:`power`.
    power : float
    n_before : float, optional
        Values before that are given already; then only those after are solved for. Otherwise both sides
        are of equal size.

    Returns
    -------
    Power
        ``n_after`` is a whole number (exposure of rates is not rounded); ``power`` is what it reaches.

    Raises
    ------
    UnknownNameError, InputError
        Also where no number of values after reaches the power with the values before.

    Notes
    -----
    Under autocorrelation ``n = n_iid (1 + rho) / (1 - rho)``, rounded up at the end: 64, 96, 149 and
    256 a side for d = 0.5 and rho 0, 0.2, 0.4 and 0.6.

    Examples
    --------
    >>> [int(sample_size("student", effect=0.5, rho=r).n_after) for r in (0.0, 0.2, 0.4, 0.6)]
    [64, 96, 149, 256]
    >>> int(sample_size("ar1_level_change", effect=0.8, rho=0.4, n_before=100, every="week").n_after)
    43
    """
    known = known_correlation(rho, every)
    rho = known.rho
    law, design = design_of(test, alpha, rho, before, margin, groups, sd_ratio, every)
    check_effect(law, test, effect, design, needs=True)
    check_power(power, alpha)
    stretch = (1 + rho) / (1 - rho)

    def reached(n: float) -> float:
        return law.power(effect, *both_sides(n, None if n_before is None else n_before / stretch), design)

    if n_before is not None:
        sizes_of(law, 1.0, n_before)
    n = law.fewest
    while reached(n) < power:
        n *= 2
        if n > MOST:
            raise InputError(
                f"no number of values after reaches {percent(power)} power with {n_before:g} before: the "
                f"largest possible is {percent(reached(MOST))}"
                if n_before is not None
                else f"more than {MOST:g} values a side would be needed for an effect of {effect:g}"
            )
    high = _smallest(lambda size: reached(size) >= power, max(law.fewest, n / 2), n)
    if test != "poisson_rates":
        after = float(max(math.ceil(high * stretch - 1e-9), law.fewest))
    else:
        after = high * stretch
    sizes = sizes_of(law, after, n_before)
    return answer_of(
        "sample_size",
        test,
        law,
        design,
        effect,
        sizes,
        n_before,
        power_of(law, design, effect, sizes, rho),
        known,
        every,
    )


def minimum_detectable_effect(
    test: str,
    *,
    n: float,
    power: float = 0.8,
    n_before: float | None = None,
    alpha: float = 0.05,
    rho: float | Result = 0.0,
    before: float | None = None,
    groups: int | None = None,
    sd_ratio: float = 1.0,
    every: str | None = None,
) -> Power:
    """The smallest effect that a study of this size detects with this power.

    Parameters
    ----------
    test, n, n_before, alpha, rho, before, groups, sd_ratio, every
        As in :func:`power`; "tost" has no detectable effect.
    power : float

    Returns
    -------
    Power
        ``effect`` is the one above no effect (a rise of the share, a ratio above 1).

    Raises
    ------
    UnknownNameError, InputError
        Also where no possible effect reaches the power.

    Examples
    --------
    >>> round(minimum_detectable_effect("student", n=64).effect, 4)
    0.4991
    """
    if test == "tost":
        raise InputError("tost looks for no effect: plan its sample_size for a margin instead")
    known = known_correlation(rho, every)
    rho = known.rho
    law, design = design_of(test, alpha, rho, before, None, groups, sd_ratio, every)
    check_power(power, alpha)
    sizes = sizes_of(law, n, n_before)
    low, high = law.null, law.top if test != "two_proportions" else 1.0 - design.before
    if power_of(law, design, high, sizes, rho) < power:
        raise InputError(f"no effect up to {high:g} is detected with {percent(power)} power by so few values")
    high = _smallest(lambda e: power_of(law, design, e, sizes, rho) >= power, low, high)
    reached = power_of(law, design, high, sizes, rho)
    return answer_of("effect", test, law, design, high, sizes, n_before, reached, known, every)


def _smallest(enough: Callable[[float], bool], low: float, high: float) -> float:
    """The smallest value between ``low`` and ``high`` that is enough, to the last bit; ``high`` is."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
