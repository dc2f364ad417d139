"""power, sample_size, minimum_detectable_effect: how many weeks must the pilot run?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from perfanalytics.comparisons.known_correlation import Correlation, known_correlation
from perfanalytics.comparisons.power_laws import LAWS, Design, Law, parameters_of
from perfanalytics.comparisons.words import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.periods import check_every
from perfanalytics.core.result import Caveat, Method, Provenance, Result

if TYPE_CHECKING:
    import pandas as pd


#: Points of each curve.
CURVE = 81
#: Most values a side that are searched.
MOST = 1e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Power(Result):
    """The plan of a comparison: effect, sample sizes and power, and how they trade.

    Parameters
    ----------
    test : str
    solved : {"power", "sample_size", "effect"}
        What was asked for; the others were given.
    effect : float
        In the terms of ``effect_name``.
    effect_name : str
    n_before, n_after : float
        Values (periods; exposure for rates; pairs; values a group) of each side. Equal to each other for
        tests of one sample and of groups.
    power, alpha : float
    rho : float
        Correlation of neighbours the sizes allow for.
    every : str or None
        What a value stands for ("week").
    at_effect, power_at_effect : float arrays, shape (81,)
        Power of these sample sizes over the effect: the operating characteristic, the other way up.
    at_n, power_at_n : float arrays, shape (81,)
        Power of this effect over the number of values after (and before, where that was not fixed).
    """

    kind: ClassVar[str] = "power"
    schema_version: ClassVar[int] = 1

    test: str
    solved: str
    effect: float
    effect_name: str
    n_before: float
    n_after: float
    power: float
    alpha: float
    rho: float
    every: str | None
    at_effect: Floats
    power_at_effect: Floats
    at_n: Floats
    power_at_n: Floats

    def __post_init__(self) -> None:
        for name in ("at_effect", "power_at_effect", "at_n", "power_at_n"):
            object.__setattr__(self, name, read_only(np.asarray(getattr(self, name), dtype=np.float64)))

    def summary(self) -> pd.DataFrame:
        """One row: test, solved, effect, effect_name, n_before, n_after, power, alpha, rho, every."""
        import pandas as pd

        names = (
            "test",
            "solved",
            "effect",
            "effect_name",
            "n_before",
            "n_after",
            "power",
            "alpha",
            "rho",
            "every",
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def to_frame(self) -> pd.DataFrame:
        """Both curves, one row a point: curve ("effect", "n"), at, power, missed (1 - power)."""
        import pandas as pd

        curve = ["effect"] * len(self.at_effect) + ["n"] * len(self.at_n)
        power = np.concatenate([self.power_at_effect, self.power_at_n])
        return pd.DataFrame(
            {
                "curve": curve,
                "at": np.concatenate([self.at_effect, self.at_n]),
                "power": power,
                "missed": 1 - power,
            }
        )


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
    law, design = _design(test, alpha, rho, before, margin, groups, sd_ratio, every)
    _check_effect(law, test, effect, design, needs=True)
    sizes = _sizes(law, n, n_before)
    found = _power(law, design, effect, sizes, rho)
    return _result("power", test, law, design, effect, sizes, n_before, found, known, every)


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
    law, design = _design(test, alpha, rho, before, margin, groups, sd_ratio, every)
    _check_effect(law, test, effect, design, needs=True)
    _check_power(power, alpha)
    stretch = (1 + rho) / (1 - rho)

    def reached(n: float) -> float:
        return law.power(effect, *_fixed(law, n, None if n_before is None else n_before / stretch), design)

    if n_before is not None:
        _sizes(law, 1.0, n_before)
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
    low, high = max(law.fewest, n / 2), n
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (low, middle) if reached(middle) >= power else (middle, high)
    if test != "poisson_rates":
        after = float(max(math.ceil(high * stretch - 1e-9), law.fewest))
    else:
        after = high * stretch
    sizes = _sizes(law, after, n_before)
    return _result(
        "sample_size",
        test,
        law,
        design,
        effect,
        sizes,
        n_before,
        _power(law, design, effect, sizes, rho),
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
    law, design = _design(test, alpha, rho, before, None, groups, sd_ratio, every)
    _check_power(power, alpha)
    sizes = _sizes(law, n, n_before)
    low, high = law.null, law.top if test != "two_proportions" else 1.0 - design.before
    if _power(law, design, high, sizes, rho) < power:
        raise InputError(f"no effect up to {high:g} is detected with {percent(power)} power by so few values")
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (low, middle) if _power(law, design, middle, sizes, rho) >= power else (middle, high)
    reached = _power(law, design, high, sizes, rho)
    return _result("effect", test, law, design, high, sizes, n_before, reached, known, every)


def _design(
    test: str,
    alpha: float,
    rho: float,
    before: float | None,
    margin: float | None,
    groups: int | None,
    sd_ratio: float,
    every: str | None,
) -> tuple[Law, Design]:
    if test not in LAWS:
        raise UnknownNameError("test that can be planned", str(test), LAWS)
    if not 0 < alpha < 0.5:
        raise InputError(f"alpha is above 0 and below 0.5 (0.05), got {alpha}")
    if not 0 <= rho < 1:
        raise InputError(f"rho is a correlation of at least 0 and below 1, got {rho}")
    if every is not None:
        check_every(every)
    if sd_ratio != 1 and test != "welch":
        raise InputError("sd_ratio= belongs to the test 'welch'")
    if not 0 < sd_ratio < math.inf:
        raise InputError(f"sd_ratio is a positive number, got {sd_ratio}")
    law = LAWS[test]
    given = {"before": before, "margin": margin, "groups": groups}
    for name, value in given.items():
        if name == "margin" and test == "tost" and value is None:
            raise InputError("tost needs margin=, in standard deviations")
        if name in law.needs and name != "margin" and value is None:
            raise InputError(f"{test} needs {name}=")
        if name not in law.needs and value is not None:
            raise InputError(f"{name}= does not belong to the test {test!r}")
    if before is not None:
        top = 1.0 if test == "two_proportions" else math.inf
        if not 0 < before < top:
            raise InputError(
                f"before= is the {'share' if top == 1 else 'rate'} before, above 0, got {before}"
            )
    if margin is not None and not 0 < margin < math.inf:
        raise InputError(f"margin= is a positive number of standard deviations, got {margin}")
    if groups is not None and (isinstance(groups, bool) or not isinstance(groups, int) or groups < 2):
        raise InputError(f"groups= is a whole number of at least 2, got {groups!r}")
    nan = math.nan
    return law, Design(
        alpha=alpha,
        sd_ratio=sd_ratio,
        before=nan if before is None else before,
        margin=nan if margin is None else margin,
        groups=2 if groups is None else groups,
    )


def _check_effect(law: Law, test: str, effect: float, design: Design, *, needs: bool) -> None:
    if not math.isfinite(effect):
        raise InputError(f"effect= is a finite number ({law.effect}), got {effect}")
    if test == "tost":
        if abs(effect) >= design.margin:
            raise InputError(f"the true difference {effect:g} lies outside the margin {design.margin:g}")
        return
    if needs and effect == law.null:
        raise InputError(f"effect={effect:g} is no effect ({law.effect}): there is nothing to detect")
    if test == "two_proportions" and not 0 <= design.before + effect <= 1:
        raise InputError(f"a share of {design.before:g} cannot change by {effect:g}")
    if test == "mann_whitney" and not 0 <= effect <= 1:
        raise InputError(f"effect= is a probability for mann_whitney, got {effect}")
    if test in ("poisson_rates", "anova") and effect <= 0:
        raise InputError(f"effect= is positive for {test} ({law.effect}), got {effect}")


def _check_power(wanted: float, alpha: float) -> None:
    if not alpha < wanted < 1:
        raise InputError(f"power= lies above alpha and below 1 (0.8), got {wanted}")


def _sizes(law: Law, n: float, n_before: float | None) -> tuple[float, float]:
    for name, value in (("n", n), ("n_before", n_before)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}= is a positive number, got {value}")
    if n_before is not None and law.sides == 1:
        raise InputError("n_before= belongs to tests of two sides")
    return _fixed(law, n, n_before)


def _fixed(law: Law, n: float, n_before: float | None) -> tuple[float, float]:
    return (n if n_before is None else n_before), n


def _power(law: Law, design: Design, effect: float, sizes: tuple[float, float], rho: float) -> float:
    worth = (1 - rho) / (1 + rho)
    one, two = sizes[0] * worth, sizes[1] * worth
    if min(one, two) <= (1.0 if law.fewest >= 1 else 0.0):
        return design.alpha
    return min(1.0, max(0.0, law.power(effect, one, two, design)))


def _result(
    solved: str,
    test: str,
    law: Law,
    design: Design,
    effect: float,
    sizes: tuple[float, float],
    n_before: float | None,
    reached: float,
    known: Correlation,
    every: str | None,
) -> Power:
    rho = known.rho
    at_effect = _effects(test, law, design, effect)
    at_n = np.linspace(max(sizes[1] / 20, 2.0 if law.fewest >= 1 else sizes[1] / 20), 2 * sizes[1], CURVE)

    def curve(values: Floats, f: Callable[[float], float]) -> Floats:
        return np.array([f(float(v)) for v in values])

    caveats = list(known.caveats)
    worth = min(sizes) * (1 - rho) / (1 + rho)
    if law.fewest >= 1 and worth < 8:
        text = (
            f"The smaller side is worth {worth:.1f} independent values: below 8 a comparison "
            "in time is not tested."
        )
        caveats.append(Caveat("too-few-periods", text, {"worth": worth, "needed": 8}))
    if test in ("two_proportions", "poisson_rates"):
        p = design.before
        other = p + effect if test == "two_proportions" else p * effect
        least = min(sizes[0] * p, sizes[1] * other)
        if test == "two_proportions":
            least = min(least, sizes[0] * (1 - p), sizes[1] * (1 - other))
        if least < 5:
            text = f"The smallest expected count is {least:.1f}: the normal formula is rough below 5."
            caveats.append(Caveat("small-counts", text, {"smallest_expected": least}))
    return Power(
        verdict=_verdict(solved, test, law, effect, sizes, n_before, reached, rho, every, design),
        caveats=tuple(caveats),
        method=Method(
            "power",
            {
                "test": test,
                "solved": solved,
                **parameters_of(design, law),
                "n_before": n_before,
                "rho": rho,
                "rho_from": known.source,
                "tails": "two one-sided tests" if test == "tost" else "two-sided, both tails counted",
                "autocorrelation": "n counts as n (1 - rho) / (1 + rho)",
            },
            (law.reference,),
        ),
        provenance=Provenance("", data_hash="", n=0),
        test=test,
        solved=solved,
        effect=float(effect),
        effect_name=law.effect,
        n_before=float(sizes[0]),
        n_after=float(sizes[1]),
        power=reached,
        alpha=design.alpha,
        rho=rho,
        every=every,
        at_effect=at_effect,
        power_at_effect=curve(at_effect, lambda e: _power(law, design, e, sizes, rho)),
        at_n=at_n,
        power_at_n=curve(at_n, lambda n: _power(law, design, effect, _fixed(law, n, n_before), rho)),
    )


def _effects(test: str, law: Law, design: Design, effect: float) -> Floats:
    """Effects from none to twice the one planned for, on its side."""
    if test == "tost":
        return np.linspace(-design.margin, design.margin, CURVE)
    end = law.null + 2 * (effect - law.null)
    if test == "two_proportions":
        end = min(max(end, -design.before), 1 - design.before)
    elif test == "mann_whitney":
        end = min(max(end, 0.0), 1.0)
    elif test == "poisson_rates":
        end = max(end, effect / 4)
    return np.linspace(law.null, end, CURVE)


def _verdict(
    solved: str,
    test: str,
    law: Law,
    effect: float,
    sizes: tuple[float, float],
    n_before: float | None,
    reached: float,
    rho: float,
    every: str | None,
    design: Design,
) -> str:
    what = "units of exposure" if test == "poisson_rates" else f"{every}s" if every else "values"
    if test == "paired_t":
        what = "pairs"
    size = number(sizes[1], 4)
    if law.sides == 1:
        many = f"{size} {what}" + (" in each group" if test == "anova" else "")
    elif n_before is not None:
        many = f"{size} {what} after the change (beside {number(sizes[0], 4)} before)"
    else:
        many = f"{size} {what} on each side"
    because = f", with a correlation of {rho:.3g} between neighbours" if rho else ""
    if test == "tost":
        aim = f"show equivalence within {design.margin:g} standard deviations"
    else:
        aim = f"detect {number(effect, 3)}"
    told = f" ({law.effect})" if test != "tost" else ""
    if solved == "power":
        return f"{many[0].upper() + many[1:]} {aim} with {percent(reached)} power{because}{told}."
    if solved == "sample_size":
        return f"To {aim} with {percent(reached)} power, {many} are needed{because}{told}."
    least = number(effect, 3)
    return f"The smallest effect that {many} detect with {percent(reached)} power is {least}{because}{told}."
