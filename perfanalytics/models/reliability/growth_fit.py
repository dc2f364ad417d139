"""GrowthFit: one model of reliability growth, fitted, with what it says about the faults that are left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from perfanalytics.core import codec
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.models.reliability import growth_models as models
from perfanalytics.models.reliability.growth_models import MODELS, GrowthModel, Observed
from perfanalytics.models.reliability.growth_tests import (
    count_interval,
    crow,
    information,
    rate_interval,
)

JM = "jelinski_moranda"
#: Expected failures left beyond so many times those seen count as "no upper end".
ENDLESS = 1e4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrowthFit:
    """One fitted model of reliability growth.

    Parameters
    ----------
    model, label : str
    parameters : tuple of str
    estimate, standard_error : float arrays, shape (p,)
        Standard errors by the delta method from the observed information; NaN where it has no inverse.
    log_likelihood, aicc : float
    converged : bool
        False where the best fit is a limit of the model (an infinite number of faults): nothing is claimed.
    why : str
    total, remaining, remaining_low, remaining_high : float
        Faults in all, and still expected after the observation, with the profile-likelihood interval; NaN
        for models without a finite number of faults.
    mtbf, mtbf_low, mtbf_high : float
        Mean time between failures at the end of the observation.
    ahead, ahead_low, ahead_high : float
        Failures expected in the next period, and the range of their number.
    prequential : float
        Log likelihood of failures predicted one step ahead, out of sample; NaN where not asked.
    fallbacks : int
        Steps ahead that were predicted with a constant rate because the model could not be fitted.
    """

    kind: ClassVar[str] = "growth_fit"
    schema_version: ClassVar[int] = 1

    model: str
    label: str
    parameters: tuple[str, ...]
    estimate: Floats
    standard_error: Floats
    log_likelihood: float
    aicc: float
    converged: bool
    why: str
    total: float
    remaining: float
    remaining_low: float
    remaining_high: float
    mtbf: float
    mtbf_low: float
    mtbf_high: float
    ahead: float
    ahead_low: float
    ahead_high: float
    prequential: float
    fallbacks: int

    def __post_init__(self) -> None:
        for name in ("estimate", "standard_error"):
            object.__setattr__(self, name, codec.read_only(getattr(self, name)))

    def __eq__(self, other: object) -> bool:
        return codec.same(self, other) if isinstance(other, GrowthFit) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.model, self.estimate.tobytes()))

    def expected(self, times: ArrayLike) -> Floats:
        """Failures expected up to each time, shape of ``times``."""
        t = np.asarray(times, dtype=float)
        if (t < 0).any():
            raise InputError("times are not negative")
        if self.model == JM:
            return np.asarray(self.estimate[0] * -np.expm1(-self.estimate[1] * t))
        model = MODELS[self.model]
        u = np.asarray(np.linalg.solve(model.logs, np.log(self.estimate)))
        return models.mean(model, u, t.ravel()).reshape(t.shape)


def fit_nhpp(
    name: str, data: Observed, *, failure_truncated: bool, ahead: float, confidence: float
) -> GrowthFit:
    """A Poisson process model, fitted."""
    model = MODELS[name]
    fit = models.fit(model, data)
    u = fit.u
    why = ""
    if fit.at_bound:
        why = "the likelihood has no peak: the failures do not become rarer in the way of this model"
    elif len(u) >= data.n:
        why = f"{len(u)} parameters from {data.n} failures"
    covariance = _covariance(lambda v: models.log_likelihood(model, data, v), u)
    end = np.array([data.end])
    slow = -models.log_intensity(model, u, data.end)
    mtbf = math.exp(slow) if slow < 700 else math.inf
    bounds = _mtbf_bounds(name, model, data, u, covariance, confidence, failure_truncated)
    left = (math.nan,) * 4
    if model.finite and not why:
        total = math.exp(float(u[0]))
        rest = total - float(models.mean(model, u, end)[0])
        left = total, rest, *_remaining_bounds(model, data, u, rest, fit.log_likelihood, confidence)
    to = np.array([data.end, data.end + ahead])

    def log_step(v: Floats) -> float:
        below, above = models.mean(model, v, to)
        return math.log(max(above - below, 1e-300))

    step = math.exp(log_step(u))
    return GrowthFit(
        model=name,
        label=model.label,
        parameters=model.parameters,
        estimate=np.exp(model.logs @ u),
        standard_error=_errors(model.logs @ u, model.logs @ covariance @ model.logs.T),
        log_likelihood=fit.log_likelihood,
        aicc=_aicc(fit.log_likelihood, len(u), data.n),
        converged=not why,
        why=why,
        total=left[0],
        remaining=left[1],
        remaining_low=left[2],
        remaining_high=left[3],
        mtbf=mtbf,
        mtbf_low=bounds[0],
        mtbf_high=bounds[1],
        ahead=step,
        **_range(step, _spread(log_step, u, covariance), confidence),
        prequential=math.nan,
        fallbacks=0,
    )


def fit_jm(data: Observed, *, ahead: float, confidence: float) -> GrowthFit:
    """Jelinski and Moranda's model, fitted."""
    nan = math.nan
    label, parameters = "Jelinski-Moranda", ("N", "phi")
    fit = models.jm_fit(data)
    u = fit.u
    total, phi = (float(x) for x in np.exp(u))
    why = "no finite number of faults is best: the failures do not become rarer" if fit.at_bound else ""
    covariance = _covariance(lambda v: models.jm_log_likelihood(data, v), u)
    # exp(log(n)) may be a hair below n
    rest = total - data.n if total - data.n > 1e-9 * data.n else 0.0
    hazard = phi * rest
    low = high = nan
    if not why:
        threshold = fit.log_likelihood - _half_chi2(confidence)

        def drop(extra: float) -> float:
            return float(models.jm_profile(data, np.array(data.n + extra))) - threshold

        low, high = _roots(drop, rest, least=0.0, most=ENDLESS * data.n)

    def log_hazard(v: Floats) -> float:
        n, p = np.exp(v)
        return math.log(max(p * (n - data.n), 1e-300))

    spread = _spread(log_hazard, u, covariance) if rest > 1e-6 else nan
    z = float(special.ndtri((1 + confidence) / 2))
    mtbf = 1 / hazard if hazard > 0 else math.inf
    step = rest * -math.expm1(-phi * ahead)
    return GrowthFit(
        model=JM,
        label=label,
        parameters=parameters,
        estimate=np.exp(u),
        standard_error=_errors(u, covariance),
        log_likelihood=fit.log_likelihood,
        aicc=_aicc(fit.log_likelihood, 2, data.n),
        converged=not why,
        why=why,
        total=nan if why else total,
        remaining=nan if why else rest,
        remaining_low=low,
        remaining_high=high,
        mtbf=mtbf,
        mtbf_low=mtbf * math.exp(-z * spread) if math.isfinite(spread) else nan,
        mtbf_high=mtbf * math.exp(min(z * spread, 700)) if math.isfinite(spread) else nan,
        ahead=step,
        **_range(step, spread, confidence),
        prequential=nan,
        fallbacks=0,
    )


def without_counts(data: Observed, name: str) -> GrowthFit:
    """Jelinski and Moranda's model where only counts are known: not fitted."""
    nan = math.nan
    return GrowthFit(
        model=name,
        label="Jelinski-Moranda",
        parameters=("N", "phi"),
        estimate=np.full(2, nan),
        standard_error=np.full(2, nan),
        log_likelihood=nan,
        aicc=nan,
        converged=False,
        why="needs the times of failures, not counts",
        **dict.fromkeys(("total", "remaining", "remaining_low", "remaining_high"), nan),
        **dict.fromkeys(("mtbf", "mtbf_low", "mtbf_high", "ahead", "ahead_low", "ahead_high"), nan),
        prequential=nan,
        fallbacks=0,
    )


def one_step_ahead(name: str, data: Observed, *, steps: int) -> tuple[float, int]:
    """Log likelihood of the second half, each piece predicted from all before it; fallbacks to a constant
    rate.

    References
    ----------
    Dawid (1984), JRSS A 147 (prequential); Abdel-Ghaly, Chan and Littlewood (1986), IEEE Transactions on
    Software Engineering SE-12.
    """
    if data.times is not None:
        first, last = max(5, math.ceil(data.n / 2)), data.n - 1
        if last < first:
            return math.nan, 0
        origins = np.unique(np.linspace(first, data.n, steps + 1).round().astype(int))
        total, fallbacks = 0.0, 0
        for k, stop in zip(origins[:-1].tolist(), origins[1:].tolist(), strict=True):
            at = float(data.times[k - 1])
            if at <= 0:
                continue
            past = Observed(k, at, data.times[:k])
            upto = float(data.times[stop - 1])
            value, fell = _piece(name, past, data.times[k:stop], upto)
            total, fallbacks = total + value, fallbacks + fell
        return total, fallbacks
    assert data.ends is not None
    assert data.counts is not None
    first = max(4, math.ceil(len(data.ends) / 2))
    if first >= len(data.ends):
        return math.nan, 0
    total, fallbacks = 0.0, 0
    for k in range(first, len(data.ends)):
        counts = data.counts[:k]
        if counts.sum() < 3:
            continue
        past = Observed(int(counts.sum()), float(data.ends[k - 1]), None, data.ends[:k], counts)
        fit, fell = _fit_or_constant(name, past)
        model = MODELS["poisson"] if fell else MODELS[name]
        below, above = models.mean(model, fit, data.ends[k - 1 : k + 1])
        step = max(float(above - below), 1e-300)
        seen = float(data.counts[k])
        total += seen * math.log(step) - step - float(special.gammaln(seen + 1))
        fallbacks += fell
    return total, fallbacks


def _piece(name: str, past: Observed, new: Floats, upto: float) -> tuple[float, int]:
    """Log likelihood of the next failures."""
    if name == JM:
        fit = models.jm_fit(past)
        if not fit.at_bound:
            total, phi = (float(x) for x in np.exp(fit.u))
            left = total - past.n - np.arange(len(new))
            if left[-1] > 0.01:
                gaps = np.diff(new, prepend=past.end)
                return float((np.log(phi * left) - phi * left * gaps).sum()), 0
        # more failures than the model has faults, or no growth: it could not have predicted them
        fell, u, model = 1, models.fit(MODELS["poisson"], past).u, MODELS["poisson"]
    else:
        u, fell = _fit_or_constant(name, past)
        model = MODELS["poisson"] if fell else MODELS[name]
    below, above = models.mean(model, u, np.array([past.end, upto]))
    rates = np.maximum(models.intensity(model, u, new), 1e-300)
    return float(np.log(rates).sum() - (above - below)), fell


def _fit_or_constant(name: str, past: Observed) -> tuple[Floats, int]:
    fit = models.fit(MODELS[name], past)
    if not fit.at_bound:
        return fit.u, 0
    return models.fit(MODELS["poisson"], past).u, 1


def _aicc(log_likelihood: float, p: int, n: int) -> float:
    if n - p - 1 <= 0:
        return math.inf
    return -2 * log_likelihood + 2 * p + 2 * p * (p + 1) / (n - p - 1)


def _covariance(f: object, u: Floats) -> Floats:
    """Inverse of the observed information; NaN where it is not positive definite."""
    with np.errstate(all="ignore"):
        matrix = information(f, u)
        if not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix).min() <= 0:
            return np.full(matrix.shape, math.nan)
        return np.asarray(np.linalg.inv(matrix))


def _errors(logs: Floats, covariance: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.exp(logs) * np.sqrt(np.diag(covariance)))


def _spread(f: object, u: Floats, covariance: Floats) -> float:
    """Standard error of a function of the logs of the parameters."""
    assert callable(f)
    if not np.isfinite(covariance).all():
        return math.nan
    gradient = np.empty(len(u))
    for i in range(len(u)):
        h = np.zeros(len(u))
        h[i] = 1e-5
        gradient[i] = (f(u + h) - f(u - h)) / 2e-5
    return math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))


def _range(step: float, spread: float, confidence: float) -> dict[str, float]:
    low, high = count_interval(step, spread, confidence)
    return {"ahead_low": low, "ahead_high": high}


def _half_chi2(confidence: float) -> float:
    return float(special.chdtri(1, 1 - confidence)) / 2


def _mtbf_bounds(
    name: str,
    model: GrowthModel,
    data: Observed,
    u: Floats,
    covariance: Floats,
    confidence: float,
    failure_truncated: bool,
) -> tuple[float, float]:
    """Exact for the power law and the constant rate with times; else from the log of the intensity."""
    if name == "power_law" and data.times is not None:
        found = crow(data, failure_truncated=failure_truncated, confidence=confidence)
        return found.mtbf_low, found.mtbf_high
    if name == "poisson":
        low, high = rate_interval(data.n, data.end, confidence, failure_truncated=failure_truncated)
        return 1 / high, (1 / low if low else math.inf)
    center = models.log_intensity(model, u, data.end)
    spread = _spread(lambda v: models.log_intensity(model, v, data.end), u, covariance)
    if not math.isfinite(spread):
        return math.nan, math.nan
    half = min(float(special.ndtri((1 + confidence) / 2)) * spread, 700.0)
    return math.exp(min(-center - half, 700.0)), math.exp(min(-center + half, 700.0))


def _remaining_bounds(
    model: GrowthModel, data: Observed, u: Floats, rest: float, peak: float, confidence: float
) -> tuple[float, float]:
    """Profile-likelihood interval of the failures still expected."""
    unit = models.scaled(data)
    # the likelihood in units of the end differs by a constant
    peak += data.n * math.log(data.end) if data.times is not None else 0.0
    start = u[1:].copy()
    start[0] += math.log(data.end)

    def drop(remaining: float) -> float:
        return models.remaining_profile(model, unit, remaining, start) - peak + _half_chi2(confidence)

    return _roots(drop, rest, least=1e-4, most=ENDLESS * data.n)


def _roots(drop: object, center: float, *, least: float, most: float) -> tuple[float, float]:
    """Where a function that is positive at ``center`` crosses 0 on either side; 0 and infinity for never."""
    assert callable(drop)
    # far fewer than one fault: as good as none
    center = min(max(center, 1e-9), most / 2)
    if drop(center) <= 0:
        return 0.0, center

    def solve(inside: float, outside: float) -> float:
        from scipy import optimize

        a, b = math.log(inside), math.log(outside)
        return math.exp(optimize.brentq(lambda x: drop(math.exp(x)), a, b, xtol=1e-6, rtol=1e-9))

    floor = min(max(least, 1e-4), center / 10)
    low = 0.0 if drop(floor) > 0 else solve(center, floor)
    high = math.inf if drop(most) > 0 else solve(center, most)
    return low, high
