"""The power of a design, and the answer made of it: curves, doubts, verdict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from perfanalytics.comparisons.known_correlation import Correlation
from perfanalytics.comparisons.power_arguments import both_sides
from perfanalytics.comparisons.power_laws import Design, Law, parameters_of
from perfanalytics.comparisons.power_result import Power
from perfanalytics.comparisons.words import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat, Method, Provenance

#: Points of each curve.
CURVE = 81


def power_of(law: Law, design: Design, effect: float, sizes: tuple[float, float], rho: float) -> float:
    """Power of these sizes; neighbours that are correlated count for less."""
    worth = (1 - rho) / (1 + rho)
    one, two = sizes[0] * worth, sizes[1] * worth
    if min(one, two) <= (1.0 if law.fewest >= 1 else 0.0):
        return design.alpha
    return min(1.0, max(0.0, law.power(effect, one, two, design)))


def answer_of(
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
    """The numbers with their curves, doubts and verdict."""
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
        power_at_effect=curve(at_effect, lambda e: power_of(law, design, e, sizes, rho)),
        at_n=at_n,
        power_at_n=curve(at_n, lambda n: power_of(law, design, effect, both_sides(n, n_before), rho)),
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
