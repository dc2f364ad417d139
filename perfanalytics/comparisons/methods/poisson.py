"""Two rates of events: counts with their exposure."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.proportions import OVERDISPERSED
from perfanalytics.comparisons.rates import RATE_INTERVALS, difference_of_rates, ratio_of_rates
from perfanalytics.comparisons.sides import Side, Sides
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

REFERENCES = {
    "exact": "Przyborowski and Wilenski (1940), Biometrika 31; R poisson.test",
    "score": "Lehmann and Romano (2005), Testing Statistical Hypotheses, 4.5; Wilson interval",
    "log": "Rothman and Greenland (1998), Modern Epidemiology, ch. 14",
}
TITLES = {
    "exact": "exact conditional test and interval",
    "score": "conditional score test and interval",
    "log": "Wald test and interval of the log ratio",
}


class PoissonRates(ComparisonMethod):
    """Ratio of two Poisson rates: events per exposure."""

    name = "poisson_rates"
    title = "two Poisson rates"
    reads = "rates"
    options = {  # noqa: RUF012 (read only, shared by all)
        "interval": Choice("exact", "test and interval of the ratio", RATE_INTERVALS)
    }

    def __call__(self, sides: Sides, options: Options) -> Answer:
        (x1, t1), (x2, t2) = events_of(sides.before, "before"), events_of(sides.after, "after")
        how = str(options.chosen["interval"])
        estimate, low, high, statistic, p = ratio_of_rates(x1, t1, x2, t2, options.confidence, how=how)
        inner = ratio_of_rates(x1, t1, x2, t2, 2 * options.confidence - 1, how=how)
        d, d_low, d_high = difference_of_rates(x1, t1, x2, t2, options.confidence)
        primary = Effect(
            "ratio_of_rates",
            role="primary",
            before=x1 / t1,
            after=x2 / t2,
            estimate=estimate,
            low=low,
            high=high,
            statistic=statistic,
            df=math.nan if how == "exact" else math.inf,
            p_value=p,
            form="ratio",
            method=TITLES[how],
        )
        difference = Effect(
            "difference_of_rates",
            role="secondary",
            before=x1 / t1,
            after=x2 / t2,
            estimate=d,
            low=d_low,
            high=d_high,
            unit=sides.measure.unit,
            method="square and add of score intervals",
        )
        sigma = poisson_dispersion(sides)
        caveats = list(dependence_caveat(sides))
        if sigma > OVERDISPERSED:
            text = (
                f"The rates of single periods vary {sigma:.2f} times as much as Poisson rates would: the "
                "interval is too narrow. method='ar1_level_change' compares them as a series."
            )
            caveats.append(Caveat("overdispersed", text, {"sigma_z": sigma}))
        return Answer(
            effects=(primary, difference),
            tested=not math.isnan(p),
            equivalence=inner[1:3],
            effective=(float(len(sides.before.values)), float(len(sides.after.values))),
            center_se=(d_high - d_low) / 4 if math.isfinite(d_high) else math.nan,
            center_df=float("inf"),
            caveats=tuple(caveats),
            parameters={
                "events": {"before": x1, "after": x2},
                "exposure": {"before": t1, "after": t2},
                "sigma_z": sigma,
                "overdispersed_above": OVERDISPERSED,
            },
            references=(REFERENCES[how],),
            omit=("difference_of_means", "ratio_of_means"),
        )


def events_of(side: Side, name: str) -> tuple[float, float]:
    """Events and exposure of one side.

    Raises
    ------
    InputError
        When the values are no counts (per exposure): negative, or a total that is not whole.
    """
    events, exposure = float((side.values * side.weights).sum()), float(side.weights.sum())
    whole = round(events)
    if (side.values < 0).any() or abs(events - whole) > 1e-6 * max(1.0, events):
        raise InputError(
            "poisson_rates needs counts of events, with their exposure as sizes= where it differs (or rates "
            f"with weights=exposure): the side {name!r} adds up to {events:g} events"
        )
    return float(whole), exposure


def poisson_dispersion(sides: Sides) -> float:
    """How many times as much the rates of periods vary within their side as Poisson rates would."""
    chi, df = 0.0, 0
    for side in (sides.before, sides.after):
        if side.periods < 2:
            continue
        rate, exposure, _ = side.by_period(side.values)
        if side.mean > 0:
            chi += float((exposure * (rate - side.mean) ** 2).sum() / side.mean)
            df += len(rate) - 1
    return float(np.sqrt(chi / df)) if df else math.nan


POISSON_RATES = PoissonRates()
