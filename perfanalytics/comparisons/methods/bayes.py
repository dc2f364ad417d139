"""A Bayesian estimate with a region of practical equivalence, on a grid: no sampler, no seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.comparisons.criteria import AR1Criterion
from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.levels import FEWEST, LEVEL_CONTRAST, effective_periods, level_design
from perfanalytics.comparisons.method import NAN, Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.means import independent_companions
from perfanalytics.comparisons.methods.series import block_length
from perfanalytics.comparisons.rows import CENTERS
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.series_checks import period_series
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import percent
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

#: Prior standard deviation of the log ratio of the standard deviations after and before.
SPREAD_PRIOR = 0.7
#: Prior standard deviation of the effect, in standard deviations of the side before.
EFFECT_PRIOR = 2.5
#: Prior of the correlation: Beta(2, 2) stretched to (-1, 1), for values in order of time.
RHO_PRIOR = (2.0, 2.0)


@dataclass(frozen=True, slots=True)
class Posterior:
    """The posterior of the effect: density on a fine grid, and the mean of rho."""

    at: Floats
    cumulative: Floats
    rho: float
    se: float

    def quantile(self, p: float) -> float:
        """Where the posterior reaches ``p``."""
        return float(np.interp(p, self.cumulative, self.at))

    def below(self, x: float) -> float:
        """Probability that the effect is at most ``x``."""
        return float(np.interp(x, self.at, self.cumulative))


def level_posterior(
    y: Floats, after: np.ndarray, gap: Floats, weights: Floats | None, *, correlated: bool
) -> Posterior:
    """Posterior of the change of level of one series.

    Given the ratio of spreads d and the correlation rho, the restricted likelihood leaves for the change a
    t distribution with N - 2 degrees of freedom (flat priors on the level before and the log of its standard
    deviation); these are averaged over a grid of (d, rho) by restricted likelihood times prior, and
    multiplied by the normal prior of the effect.
    """
    n = len(y)
    design = level_design(
        y[None], after=after[None], gap=gap[None], weights=None if weights is None else weights[None]
    )
    criterion = AR1Criterion(design, LEVEL_CONTRAST)
    rho = np.linspace(-0.6, 0.98, 41) if correlated else np.zeros(1)
    spread = float(criterion.start()[0, 0]) + np.linspace(-2.0, 2.0, 41)
    d, r = np.meshgrid(spread, rho, indexing="ij")
    theta = np.stack([d.ravel(), np.arctanh(r.ravel())], axis=1)[None]
    fitted = criterion.evaluate(theta)
    dof = n - 2
    log_weight = -0.5 * (dof * np.log(fitted.rss[0]) + fitted.log_determinant[0])
    log_weight = log_weight - 0.5 * (d.ravel() / SPREAD_PRIOR) ** 2
    if correlated:
        a, b = RHO_PRIOR
        log_weight = log_weight + (a - 1) * np.log1p(r.ravel()) + (b - 1) * np.log1p(-r.ravel())
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    keep = weight > 1e-6 * weight.max()
    weight = weight[keep]
    beta = (fitted.beta[0] + design.offset[0])[keep] @ LEVEL_CONTRAST
    scale = fitted.rss[0][keep] / dof
    se = np.sqrt(scale * fitted.unit_variance[0][keep])
    middle, width = float(weight @ beta), float(np.sqrt(weight @ (se**2 + (beta - weight @ beta) ** 2)))
    at = middle + width * np.sinh(np.linspace(-4.0, 4.0, 1601)) / np.sinh(4.0) * 40.0
    constant = special.gammaln((dof + 1) / 2) - special.gammaln(dof / 2)
    prior = EFFECT_PRIOR * float(np.sqrt(weight @ scale))
    density = np.zeros(len(at))
    for part in np.array_split(np.arange(len(weight)), max(1, len(weight) // 200)):
        z = (at[:, None] - beta[part]) / se[part]
        log_t = constant - (dof + 1) / 2 * np.log1p(z * z / dof)
        density += np.exp(log_t) @ (weight[part] / se[part])
    density *= np.exp(-0.5 * (at / prior) ** 2)
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(at)
    cumulative = np.concatenate([[0.0], np.cumsum(steps)])
    return Posterior(at, cumulative / cumulative[-1], float(weight @ r.ravel()[keep]), width)


class Bayes(ComparisonMethod):
    """Posterior of the change of level; decides by the interval and the margin (ROPE), not by a p-value."""

    name = "bayes"
    title = "Bayesian level change"

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = analysis_scale(sides, options.scale)
        if scale.name == "rank":
            raise InputError("bayes compares levels: for an ordinal measure use method='ar1_level_change'")
        used = scale.used(sides)
        data = period_series(used, scale)
        y = data.values[0]
        weights: Floats | None = data.weights
        after, gap = data.after, data.gap
        if not sides.ordered:
            y = scale.forward(used.values)
            after, gap, weights = used.is_after, np.r_[np.inf, np.ones(len(y) - 1)], None
        sizes = [int((~after).sum()), int(after.sum())]
        if min(sizes) < (FEWEST if sides.ordered else 3) or any(
            np.ptp(part) <= 1e-13 * np.abs(part).max() for part in (y[~after], y[after])
        ):
            raise InputError(
                f"bayes needs at least {FEWEST if sides.ordered else 3} values that vary on each side, got "
                f"{sizes[0]} and {sizes[1]}"
            )
        found = level_posterior(y, after, gap, weights, correlated=sides.ordered)
        return _answer(found, sides, used, options, scale, data.values[0], data.after)


BAYES = Bayes()


def _answer(
    found: Posterior,
    sides: Sides,
    used: Sides,
    options: Options,
    scale: AnalysisScale,
    y: Floats,
    after: np.ndarray,
) -> Answer:
    tail = (1 - options.confidence) / 2
    low, middle, high = (scale.back(found.quantile(p)) for p in (tail, 0.5, 1 - tail))
    quantity, form = CENTERS[scale.name]
    start = float(np.average(y[~after]))
    levels = scale.levels(np.array([start, start + found.quantile(0.5)]))
    primary = Effect(
        quantity,
        role="primary",
        before=float(levels[0]),
        after=float(levels[1]),
        estimate=middle,
        low=low,
        high=high,
        form=form,
        unit=sides.measure.unit if form == "difference" else "",
        method="posterior median and equal-tailed interval",
    )
    lower = found.below(0.0)
    better = {"lower": lower, "higher": 1 - lower}.get(sides.measure.better)
    rows = [
        Effect(
            "posterior_probability_of_being_lower",
            role="secondary",
            estimate=lower,
            form="probability",
            method="posterior",
        )
    ]
    said = f"the probability that it is lower than before is {percent(lower)}"
    if better is not None:
        rows.append(
            Effect(
                "posterior_probability_of_being_better",
                role="secondary",
                estimate=better,
                form="probability",
                method="posterior",
            )
        )
        said = f"the probability that it is better than before is {_sure(better)}"
    outcome = "detected" if primary.excludes_null else "undecided"
    inside = NAN
    if options.margin is not None:
        ends = bounds(primary, options.margin)
        on_scale = [float(np.log(e)) if form == "ratio" else e for e in ends]
        inside = found.below(on_scale[1]) - found.below(on_scale[0])
        rows.append(
            Effect(
                "posterior_probability_of_lying_within_the_margin",
                role="secondary",
                estimate=inside,
                form="probability",
                method="posterior (region of practical equivalence)",
            )
        )
        said += f", that it lies within the margin {_sure(inside)}"
        if ends[0] < low and high < ends[1]:
            outcome = "equivalent"
        elif high < ends[0] or low > ends[1]:
            outcome = "detected"
        else:
            outcome = "undecided"
    worth = [float(len(s.values)) for s in (used.before, used.after)]
    if sides.ordered:
        worth = [
            float(effective_periods(s.periods, np.array(max(found.rho, 0.0)), np.array(0.0)))
            for s in (used.before, used.after)
        ]
    return Answer(
        effects=(primary, *rows, *independent_companions(sides, scale, options.confidence)),
        outcome=outcome,
        effective=(worth[0], worth[1]),
        block=block_length(found.rho, max(s.periods for s in (used.before, used.after)))
        if sides.ordered
        else 1,
        center_se=found.se,
        center_df=float("inf"),
        scale=scale.name,
        notes=(*scale.notes, f"By the posterior {said}."),
        caveats=(*scale.caveats, *(() if sides.ordered else dependence_caveat(sides)), *_noise(sides)),
        parameters={
            "scale": scale.name,
            "scale_chosen": scale.chosen,
            "model": "normal, AR(1) errors, own spread a side"
            if sides.ordered
            else "normal, own spread a side",
            "posterior_mean_rho": found.rho,
            "prior_level": "flat on the level before and on the log of its standard deviation",
            "prior_effect": f"normal around no effect, SD {EFFECT_PRIOR:g} standard deviations before",
            "prior_log_spread": f"normal around 0, SD {SPREAD_PRIOR:g}",
            "prior_rho": "Beta(2, 2) on (-1, 1)" if sides.ordered else "0: items independent",
            "computed": "on a grid of the ratio of spreads and rho, in closed form given these",
            "rope": options.margin,
        },
        references=(
            "Kruschke (2013), J. Experimental Psychology: General 142, 573-603 (ROPE)",
            "Box and Tiao (1973), Bayesian Inference in Statistical Analysis, 2.5",
        ),
    )


def _sure(p: float) -> str:
    """A probability that is never told as certain."""
    return "above 99.9%" if p > 0.999 else "below 0.1%" if p < 0.001 else f"{100 * p:.1f}%"


def _noise(sides: Sides) -> tuple[Caveat, ...]:
    if not sides.ordered or sides.fewest_periods >= 20:
        return ()
    n1, n2 = sides.before.periods, sides.after.periods
    text = f"Only {n1} periods before and {n2} after: the prior of the correlation has a say."
    return (Caveat("too-few-periods", text, {"before": n1, "after": n2, "needed": 20}),)
