"""What power and sample sizes are asked for with: the design, the effect, the sizes, checked."""

from __future__ import annotations

import math

from perfanalytics.comparisons.power_laws import LAWS, Design, Law
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.periods import check_every


def design_of(
    test: str,
    alpha: float,
    rho: float,
    before: float | None,
    margin: float | None,
    groups: int | None,
    sd_ratio: float,
    every: str | None,
) -> tuple[Law, Design]:
    """The law of a test and what is fixed of the design; everything that does not fit is refused."""
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


def check_effect(law: Law, test: str, effect: float, design: Design, *, needs: bool) -> None:
    """Refuse an effect that the test cannot have, or that is none."""
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


def check_power(wanted: float, alpha: float) -> None:
    """Refuse a power that cannot be asked for."""
    if not alpha < wanted < 1:
        raise InputError(f"power= lies above alpha and below 1 (0.8), got {wanted}")


def sizes_of(law: Law, n: float, n_before: float | None) -> tuple[float, float]:
    """The sizes of both sides, checked."""
    for name, value in (("n", n), ("n_before", n_before)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}= is a positive number, got {value}")
    if n_before is not None and law.sides == 1:
        raise InputError("n_before= belongs to tests of two sides")
    return both_sides(n, n_before)


def both_sides(n: float, n_before: float | None) -> tuple[float, float]:
    """The sizes of both sides: equal, unless the values before are given."""
    return (n if n_before is None else n_before), n
