"""What to doubt of reliability growth: few failures, no growth, models that do not fit, ranges far ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import special

from perfanalytics.baselines.wording import count, number
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat
from perfanalytics.models.reliability.growth_fit import GrowthFit

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewer failures than this: models are fitted, with a doubt.
FEW = 15
#: A model is said not to fit below this p-value; it is judged on spans of so many expected failures.
DOES_NOT_FIT, EACH, MOST_SPANS = 0.01, 5, 50
#: A next period longer than this share of the observation lies far ahead.
FAR = 0.2


class Observation(Protocol):
    """What the doubts need to know of the result."""

    @property
    def n(self) -> int: ...
    @property
    def end(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def truncated(self) -> str: ...
    @property
    def next_period(self) -> float: ...
    @property
    def confidence(self) -> float: ...
    @property
    def trend(self) -> str: ...
    @property
    def laplace(self) -> float: ...
    @property
    def laplace_p(self) -> float: ...
    @property
    def times(self) -> Floats | None: ...
    @property
    def ends(self) -> Floats | None: ...
    @property
    def counts(self) -> Floats | None: ...
    @property
    def fits(self) -> tuple[GrowthFit, ...]: ...
    @property
    def best(self) -> GrowthFit | None: ...
    @property
    def best_ahead(self) -> GrowthFit | None: ...


@dataclass(frozen=True, slots=True)
class Goodness:
    """How much more failures vary around a model than its law lets them.

    Parameters
    ----------
    spans : int
        Spans of time the failures were counted in.
    dispersion : float
        Pearson's statistic over its degrees of freedom: about 1 where the model fits.
    p_value : float
    """

    spans: int
    dispersion: float
    p_value: float


def goodness(observed: Observation, fit: GrowthFit) -> Goodness | None:
    """Failures counted in spans of equal expectation under the model; None where there are too few.

    Given their number, failures of a Poisson process (and of Jelinski and Moranda's model) are uniform on
    the scale of the expected failures. The degrees of freedom are those of a known model, one less than the
    spans: with parameters estimated from single times the law lies between that and as many fewer as there
    are parameters (Chernoff and Lehmann 1954), so that the test is a little slow to alarm.

    References
    ----------
    Rigdon and Basu (2000), Statistical Methods for the Reliability of Repairable Systems, section 4.5.
    """
    if observed.n < FEW or not fit.converged:
        return None
    if observed.times is not None:
        used = observed.times[:-1] if observed.truncated == "failure" else observed.times
        spans = min(max(len(used) // EACH, 3), MOST_SPANS)
        share = fit.expected(used) / float(fit.expected(observed.end))
        seen = np.histogram(np.clip(share, 0.0, 1.0), np.linspace(0.0, 1.0, spans + 1))[0].astype(float)
        expected = np.full(spans, len(used) / spans)
    else:
        assert observed.ends is not None
        assert observed.counts is not None
        mean = np.diff(fit.expected(observed.ends), prepend=0.0)
        # periods are put together from the start until each span expects enough
        place = np.minimum(np.floor(np.cumsum(mean) / EACH - 1e-9), math.floor(observed.n / EACH) - 1)
        _, place = np.unique(np.maximum(place, 0), return_inverse=True)
        seen = np.bincount(place, weights=observed.counts)
        expected = np.bincount(place, weights=mean)
        expected *= seen.sum() / expected.sum()
        spans = len(seen)
    if spans < 3 or expected.min() <= 0:
        return None
    statistic = float(((seen - expected) ** 2 / expected).sum())
    return Goodness(spans, statistic / (spans - 1), float(special.chdtrc(spans - 1, statistic)))


def judged_fit(g: Observation) -> GrowthFit | None:
    """The fit that the verdict speaks of: the best; without growth the constant rate."""
    if g.trend == "none":
        return next((f for f in g.fits if f.model == "poisson" and f.converged), g.best)
    return g.best


def misfit(g: Observation) -> Goodness | None:
    """How badly the fit that the verdict speaks of misses; None where it fits."""
    fit = judged_fit(g)
    found = goodness(g, fit) if fit else None
    return found if found is not None and found.p_value < DOES_NOT_FIT else None


def corrected_trend(g: Observation, found: Goodness) -> tuple[float, float]:
    """Laplace's statistic for failures that vary so much more than a Poisson process, with its p-value."""
    corrected = g.laplace / math.sqrt(max(found.dispersion, 1.0))
    return corrected, 2 * float(special.ndtr(-abs(corrected)))


def doubts(g: Observation) -> list[Caveat]:
    """The caveats of reliability growth."""
    out = []
    test = f"{round(g.laplace, 2) + 0.0:g}, {p_text(g.laplace_p)}"
    if g.n < FEW:
        text = f"Only {count(g.n, 'failure')}: models of growth need about {FEW}."
        out.append(Caveat("too-few-points", text, {"n": g.n, "needed": FEW}))
    if g.trend != "growth":
        text = f"Laplace's test shows no growth ({test})."
        out.append(Caveat("no-growth", text, {"laplace": g.laplace, "p_value": g.laplace_p}))
    out += _misfits(g)
    best, ahead = g.best, g.best_ahead
    if best and g.trend == "growth" and math.isinf(best.remaining_high):
        text = f"The failures do not bound the number of faults from above ({best.label})."
        out.append(Caveat("unbounded", text, {"remaining_low": best.remaining_low}))
    if best and ahead and ahead.model != best.model and ahead.prequential - best.prequential > 2:
        text = (
            f"{ahead.label} predicted the second half better than {best.label}, which fits best: the "
            f"ratio of their predictive likelihoods is e^{ahead.prequential - best.prequential:.1f}."
        )
        evidence = {"best": best.model, "best_ahead": ahead.model}
        out.append(Caveat("fits-but-does-not-predict", text, evidence))
    out += _disagreement(g.fits, best)
    last = 0.0 if g.ends is None else float(g.ends[-1] - (g.ends[-2] if len(g.ends) > 1 else 0.0))
    if g.next_period > max(FAR * g.end, last) * (1 + 1e-9):
        text = (
            f"The next {number(g.next_period, g.unit)} are {number(g.next_period / g.end)} times the "
            "observation: what a model says so far ahead rests on its form, and its range is too narrow."
        )
        out.append(Caveat("far-ahead", text, {"ratio": g.next_period / g.end}))
    if g.times is not None and (np.diff(g.times) == 0).any():
        ties = int((np.diff(g.times) == 0).sum())
        out.append(Caveat("ties", f"{count(ties, 'failure')} at the same time as another.", {"ties": ties}))
    return out


def _misfits(g: Observation) -> list[Caveat]:
    fit, found = judged_fit(g), misfit(g)
    if fit is None or found is None:
        return []
    text = (
        f"Counted in {found.spans} spans in which {fit.label} expects equally many, failures vary "
        f"{number(found.dispersion)} times as much as its law lets them: they come in clusters, or their "
        "rate moves in another way. The intervals are too narrow."
    )
    evidence = {
        "model": fit.model,
        "spans": found.spans,
        "dispersion": found.dispersion,
        "p_value": found.p_value,
    }
    if g.trend != "none":
        corrected, p_value = corrected_trend(g, found)
        evidence |= {"laplace": corrected, "laplace_p": p_value}
        if p_value >= 1 - g.confidence:
            text += f" With that allowed for, Laplace's test shows no trend ({p_text(p_value)})."
    return [Caveat("does-not-fit", text, evidence)]


def _disagreement(fits: Sequence[GrowthFit], best: GrowthFit | None) -> list[Caveat]:
    close = [f for f in fits if f.converged and best and f is not best and f.aicc - best.aicc < 2]
    finite = [f.remaining for f in (*([best] if best else []), *close) if math.isfinite(f.remaining)]
    if len(finite) < 2 or max(finite) <= 2 * max(min(finite), 0.5):
        return []
    low, high = min(finite), max(finite)
    text = f"Models that fit equally well disagree: {number(low)} to {number(high)} faults left."
    return [Caveat("models-disagree", text, {"low": low, "high": high})]
