"""Equal spread of two sides: five tests, each with the ratio of the spreads."""

from __future__ import annotations

import numpy as np

from perfanalytics.comparisons.classical import NAN
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.means import independent_companions, welch_contrast
from perfanalytics.comparisons.methods.t_tests import mean_scale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.spread import (
    bartlett,
    deviations,
    fligner,
    levene,
    ratio_of_deviations,
    ratio_of_sds,
    variance_ratio_p,
)
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat

#: name -> (title, what the ratio is of, how its interval is made, reference)
TESTS = {
    "brown_forsythe": (
        "Brown-Forsythe test",
        "median",
        "Bonett-Seier interval",
        "Brown and Forsythe (1974), JASA 69",
    ),
    "levene": ("Levene's test", "mean", "delta method", "Levene (1960), Contributions to Probability"),
    "fligner": (
        "Fligner-Killeen test",
        "median",
        "Bonett-Seier interval",
        "Fligner and Killeen (1976), JASA 71",
    ),
    "bartlett": (
        "Bartlett's test",
        "sd",
        "interval of the F distribution",
        "Bartlett (1937), Proc. R. Soc. A 160",
    ),
    "f_variance": ("F test of the variances", "sd", "interval of the F distribution", "Fisher (1925)"),
}
#: Tests that take the values for normal.
NORMAL = ("bartlett", "f_variance")


class SpreadTest(ComparisonMethod):
    """One of the tests of equal spread, on the analysis scale."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.title, self.of, self.how, self.reference = TESTS[name]

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = mean_scale(sides, options, self.name)
        used = scale.used(sides)
        x, y = scale.forward(used.before.values), scale.forward(used.after.values)
        logs = "log_" if scale.name == "log" else ""
        estimate, low, high = self._ratio(x, y, options.confidence)
        statistic, df, p = self._test(x, y)
        if not all(d.any() for d in deviations((x, y), "mean")):
            statistic = p = NAN
        primary = Effect(
            f"ratio_of_{logs}{'sds' if self.of == 'sd' else 'mean_absolute_deviations'}",
            role="primary",
            before=_spread(x, self.of),
            after=_spread(y, self.of),
            estimate=estimate,
            low=low,
            high=high,
            statistic=statistic,
            df=df,
            p_value=p,
            form="ratio",
            method=f"{self.title}, {self.how}",
        )
        center = welch_contrast(sides, scale, options.confidence)
        return Answer(
            effects=(primary, *independent_companions(sides, scale, options.confidence)),
            tested=not np.isnan(p),
            equivalence=self._ratio(x, y, 2 * options.confidence - 1)[1:],
            effective=(float(len(x)), float(len(y))),
            center_se=center.se,
            center_df=center.df,
            scale=scale.name,
            notes=scale.notes,
            caveats=(*scale.caveats, *dependence_caveat(sides), *self._shape(x, y)),
            parameters={
                "scale": scale.name,
                "scale_chosen": scale.chosen,
                "spread": "standard deviation"
                if self.of == "sd"
                else f"mean absolute deviation from the {self.of}, times n / (n - 1)",
                "interval": self.how,
            },
            references=(
                self.reference,
                *(("Bonett and Seier (2003), The American Statistician 57",) if self.of == "median" else ()),
            ),
        )

    def _ratio(self, x: Floats, y: Floats, confidence: float) -> tuple[float, float, float]:
        if self.of == "sd":
            return ratio_of_sds(x, y, confidence)
        return ratio_of_deviations(x, y, confidence, center=self.of)

    def _test(self, x: Floats, y: Floats) -> tuple[float, float, float]:
        if min(len(x), len(y)) < 2:
            return NAN, NAN, NAN
        if self.name == "f_variance":
            if any(not d.any() for d in deviations((x, y), "mean")):
                return NAN, NAN, NAN
            f, p = variance_ratio_p(x, y)
            return f, float(len(x) - 1), p
        if self.name in ("levene", "brown_forsythe"):
            found = levene((x, y), center="mean" if self.name == "levene" else "median")
            return found.statistic, found.df_within, found.p_value
        found = bartlett((x, y)) if self.name == "bartlett" else fligner((x, y))
        return found.statistic, found.df_between, found.p_value

    def _shape(self, x: Floats, y: Floats) -> tuple[Caveat, ...]:
        """Bartlett's and the F test read heavy tails as a difference of spread."""
        if self.name not in NORMAL or min(len(x), len(y)) < 4:
            return ()
        d = np.concatenate([x - x.mean(), y - y.mean()])
        second = float((d**2).mean())
        excess = float((d**4).mean()) / second**2 - 3 if second > 0 else 0.0
        if abs(excess) <= 2 * np.sqrt(24 / len(d)):
            return ()
        text = (
            f"The values are not normal (excess kurtosis {excess:.1f}): {self.title} then finds differences "
            f"of spread {'too often' if excess > 0 else 'too rarely'}; method='brown_forsythe' stands it."
        )
        return (Caveat("not-normal", text, {"excess_kurtosis": excess}),)


def _spread(y: Floats, of: str) -> float:
    if len(y) < 2:
        return NAN
    if of == "sd":
        return float(y.std(ddof=1))
    return float(np.abs(y - (np.median(y) if of == "median" else y.mean())).mean() * len(y) / (len(y) - 1))


SPREAD_TESTS = tuple(SpreadTest(name) for name in TESTS)
