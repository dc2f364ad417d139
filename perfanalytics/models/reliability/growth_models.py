"""Models of reliability growth: mean functions, likelihoods, estimates.

All but Jelinski and Moranda's are Poisson processes with mean ``a G(t)``. The likelihood is highest at
``a = n / G(T)`` whatever the shape, so that only the parameters of G are searched; they vary on the log
scale. Times are in units of T while searching.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats

#: (time, log parameters of the shape) -> log G or log g; parameters broadcast in the first axis.
Shape = Callable[[Floats, Floats], Floats]

#: Where log(b T) and log c are searched. At the lower end of b a finite model is a straight line or a power.
BOUNDS = ((-9.0, 6.0), (-3.0, 2.5))


@dataclass(frozen=True, slots=True)
class Observed:
    """Failures up to ``end``: their times, or counts in periods.

    Parameters
    ----------
    n : int
    end : float
    times : float array, shape (n,), or None
    ends, counts : float arrays, shape (k,), or None
        Ends of periods and failures in each.
    """

    n: int
    end: float
    times: Floats | None
    ends: Floats | None = None
    counts: Floats | None = None


@dataclass(frozen=True, slots=True)
class GrowthModel:
    """What a growth model must supply.

    Parameters
    ----------
    name, label : str
    parameters : tuple of str
        As they are reported.
    finite : bool
        Whether the number of faults is finite.
    logs : float array, shape (p, p)
        Logs of the reported parameters = ``logs`` times (log a, log parameters of G).
    log_mean, log_rate : callable
        log G(t) and log of its derivative.
    shapes : int
        Number of parameters of G.
    reference : str
    """

    name: str
    label: str
    parameters: tuple[str, ...]
    finite: bool
    logs: Floats
    log_mean: Shape
    log_rate: Shape
    shapes: int
    reference: str


def _b(theta: Floats) -> Floats:
    return np.asarray(np.exp(theta[..., 0, None]))


def _c(theta: Floats, k: int) -> Floats:
    return np.asarray(np.exp(theta[..., k, None]))


def _log(x: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(x))


def _log_done(h: Floats) -> Floats:
    """log(1 - exp(-h)), exact for small h."""
    return _log(-np.expm1(-h))


def _delayed(t: Floats, theta: Floats) -> Floats:
    # 1 - (1 + x) exp(-x) is the gamma distribution function of shape 2
    return _log(np.asarray(special.gammainc(2.0, _b(theta) * t)))


def _weibull_rate(t: Floats, theta: Floats) -> Floats:
    c = _c(theta, 1)
    x = _b(theta) * t
    return np.log(c) + np.log(_b(theta)) + (c - 1) * _log(x) - x**c


MODELS: dict[str, GrowthModel] = {
    m.name: m
    for m in (
        GrowthModel(
            name="goel_okumoto",
            label="Goel-Okumoto",
            parameters=("a", "b"),
            finite=True,
            logs=np.eye(2),
            log_mean=lambda t, p: _log_done(_b(p) * t),
            log_rate=lambda t, p: np.log(_b(p)) - _b(p) * t,
            shapes=1,
            reference="Goel and Okumoto (1979), IEEE Transactions on Reliability R-28",
        ),
        GrowthModel(
            name="musa_okumoto",
            label="Musa-Okumoto",
            parameters=("initial_intensity", "theta"),
            finite=False,
            logs=np.array([[1.0, 1.0], [-1.0, 0.0]]),
            log_mean=lambda t, p: _log(np.log1p(_b(p) * t)),
            log_rate=lambda t, p: np.log(_b(p)) - np.log1p(_b(p) * t),
            shapes=1,
            reference="Musa and Okumoto (1984), Proceedings of the 7th ICSE",
        ),
        GrowthModel(
            name="delayed_s",
            label="delayed S-shaped",
            parameters=("a", "b"),
            finite=True,
            logs=np.eye(2),
            log_mean=_delayed,
            log_rate=lambda t, p: 2 * np.log(_b(p)) + _log(t) - _b(p) * t,
            shapes=1,
            reference="Yamada, Ohba and Osaki (1983), IEEE Transactions on Reliability R-32",
        ),
        GrowthModel(
            name="rayleigh",
            label="Rayleigh",
            parameters=("a", "peak"),
            finite=True,
            logs=np.array([[1.0, 0.0], [0.0, -1.0]]),
            log_mean=lambda t, p: _log_done((_b(p) * t) ** 2 / 2),
            log_rate=lambda t, p: 2 * np.log(_b(p)) + _log(t) - (_b(p) * t) ** 2 / 2,
            shapes=1,
            reference="Kan (2002), Metrics and Models in Software Quality Engineering, chapter 7",
        ),
        GrowthModel(
            name="weibull",
            label="Weibull",
            parameters=("a", "scale", "shape"),
            finite=True,
            logs=np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]),
            log_mean=lambda t, p: _log_done((_b(p) * t) ** _c(p, 1)),
            log_rate=_weibull_rate,
            shapes=2,
            reference="Kan (2002), Metrics and Models in Software Quality Engineering, section 7.2",
        ),
        GrowthModel(
            name="power_law",
            label="power law (Crow-AMSAA)",
            parameters=("scale", "shape"),
            finite=False,
            logs=np.eye(2),
            log_mean=lambda t, p: _c(p, 0) * _log(t),
            log_rate=lambda t, p: np.log(_c(p, 0)) + (_c(p, 0) - 1) * _log(t),
            shapes=1,
            reference="Crow (1974), in Reliability and Biometry",
        ),
        GrowthModel(
            name="poisson",
            label="constant rate",
            parameters=("rate",),
            finite=False,
            logs=np.eye(1),
            log_mean=lambda t, p: _log(t) + np.zeros((*p.shape[:-1], 1)),
            log_rate=lambda t, p: np.zeros(np.shape(t)) + np.zeros((*p.shape[:-1], 1)),
            shapes=0,
            reference="Cox and Lewis (1966), The Statistical Analysis of Series of Events, chapter 2",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Fit:
    """Logs of ``a`` and of the parameters of G, in the unit of the data; log likelihood."""

    u: Floats
    log_likelihood: float
    at_bound: bool


def scaled(data: Observed) -> Observed:
    """The same with times in units of ``end``."""
    return Observed(
        data.n,
        1.0,
        None if data.times is None else data.times / data.end,
        None if data.ends is None else data.ends / data.end,
        data.counts,
    )


def events_term(model: GrowthModel, data: Observed, theta: Floats) -> Floats:
    """Sum of log g over the failures (of log of the increments of G, with counts); shape of the rows."""
    if data.times is not None:
        return np.asarray(model.log_rate(data.times, theta).sum(axis=-1))
    assert data.ends is not None
    assert data.counts is not None
    edges = np.exp(model.log_mean(data.ends, theta))
    increments = np.diff(edges, axis=-1, prepend=0.0)
    some = data.counts > 0
    with np.errstate(divide="ignore"):
        logs = np.log(increments[..., some])
    return np.asarray((data.counts[some] * logs).sum(axis=-1) - special.gammaln(data.counts + 1).sum())


def profile(model: GrowthModel, data: Observed, theta: Floats) -> Floats:
    """Log likelihood at rows of log parameters of G, with the best ``a``."""
    at_end = model.log_mean(np.array([data.end]), theta)[..., 0]
    out = events_term(model, data, theta) + data.n * (math.log(data.n) - at_end) - data.n
    return np.asarray(np.where(np.isfinite(out), out, -1e300))


def bounds_of(model: GrowthModel) -> tuple[tuple[float, float], ...]:
    """Where each log parameter of G is searched."""
    return (BOUNDS[1],) if model.name == "power_law" else BOUNDS[: model.shapes]


def search(
    f: Callable[[Floats], Floats], bounds: tuple[tuple[float, float], ...], *, start: Floats | None = None
) -> tuple[Floats, float]:
    """The highest point of a function of rows of one or two parameters: a grid, then Brent or Nelder-Mead."""
    from scipy import optimize

    if len(bounds) == 1:
        low, high = bounds[0]
        grid = np.linspace(low, high, 61)
        k = int(np.argmax(f(grid[:, None])))
        found = optimize.minimize_scalar(
            lambda x: -float(f(np.array([[x]]))[0]),
            bounds=(grid[max(k - 1, 0)], grid[min(k + 1, 60)]),
            method="bounded",
            options={"xatol": 1e-10},
        )
        return np.array([found.x]), -float(found.fun)
    if start is None:
        axes = np.meshgrid(*[np.linspace(a, b, 31) for a, b in bounds], indexing="ij")
        rows = np.stack([x.ravel() for x in axes], axis=-1)
        start = rows[int(np.argmax(f(rows)))]

    def inside(x: Floats) -> float:
        clipped = np.clip(x, [a for a, _ in bounds], [b for _, b in bounds])
        # a slope outside the bounds leads back
        return -float(f(clipped[None, :])[0]) + 10 * float(np.abs(x - clipped).sum())

    best = optimize.minimize(
        inside, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 600}
    )
    return np.asarray(np.clip(best.x, [a for a, _ in bounds], [b for _, b in bounds])), -float(best.fun)


def fit(model: GrowthModel, data: Observed) -> Fit:
    """Maximum likelihood estimates, in the unit of the data."""
    unit = scaled(data)
    log_end = math.log(data.end)
    if model.shapes == 0:
        theta, value = np.empty(0), float(profile(model, unit, np.empty((1, 0)))[0])
    elif model.name == "power_law" and unit.times is not None:
        logs = -float(np.log(unit.times).sum())
        theta = np.array([math.log(data.n / logs)]) if logs > 0 else np.array([BOUNDS[1][1]])
        value = float(profile(model, unit, theta[None, :])[0])
    else:
        theta, value = search(lambda p: profile(model, unit, p), bounds_of(model))
    at_bound = any(
        min(x - low, high - x) < 1e-3 for x, (low, high) in zip(theta, bounds_of(model), strict=True)
    )
    if model.finite:
        # flat up to the bound: the likelihood has no peak either (all failures in the first period)
        ends = np.repeat(theta[None, :], 2, axis=0)
        ends[:, 0] = BOUNDS[0]
        at_bound |= bool((profile(model, unit, ends) > value - 1e-9).any())
    log_a = math.log(data.n) - float(model.log_mean(np.ones(1), theta[None, :])[0, 0])
    if model.name == "power_law":
        log_a -= math.exp(float(theta[0])) * log_end
    elif model.name == "poisson":
        log_a -= log_end
    elif model.shapes:
        theta = theta.copy()
        theta[0] -= log_end
    # densities of times carry a unit, probabilities of counts do not
    value -= data.n * log_end if data.times is not None else 0.0
    return Fit(np.append(log_a, theta), value, at_bound)


def log_likelihood(model: GrowthModel, data: Observed, u: Floats) -> float:
    """Log likelihood at (log a, log parameters of G), in the unit of the data."""
    theta = u[None, 1:]
    mean = math.exp(float(u[0]) + float(model.log_mean(np.array([data.end]), theta)[0, 0]))
    return float(events_term(model, data, theta)[0]) + data.n * float(u[0]) - mean


def mean(model: GrowthModel, u: Floats, t: Floats) -> Floats:
    """Expected failures up to each time."""
    return np.asarray(np.exp(u[0] + model.log_mean(np.asarray(t, dtype=float), u[None, 1:])[0]))


def intensity(model: GrowthModel, u: Floats, t: Floats) -> Floats:
    """Expected failures per unit of time at each time."""
    return np.asarray(np.exp(u[0] + model.log_rate(np.asarray(t, dtype=float), u[None, 1:])[0]))


def log_intensity(model: GrowthModel, u: Floats, t: float) -> float:
    """Log of the expected failures per unit of time; they may be fewer than a float can hold."""
    return float(u[0] + model.log_rate(np.array([t]), u[None, 1:])[0, 0])


def remaining_profile(model: GrowthModel, data: Observed, remaining: float, start: Floats) -> float:
    """Log likelihood with so many failures still expected after ``end``, at the best shape (finite models).

    In units of ``end``; ``start`` are log parameters of G to begin a search of two with.
    """
    wide = ((-16.0, BOUNDS[0][1]), *BOUNDS[1 : model.shapes])

    def f(theta: Floats) -> Floats:
        log_done = model.log_mean(np.ones(1), theta)[..., 0]
        log_left = _log(-np.expm1(log_done))
        log_a = math.log(remaining) - log_left
        with np.errstate(over="ignore", invalid="ignore"):
            out = events_term(model, data, theta) + data.n * log_a - np.exp(log_a + log_done)
        return np.asarray(np.where(np.isfinite(out), out, -1e300))

    return search(f, wide, start=start)[1]


# --- Jelinski and Moranda


JM_REFERENCE = "Jelinski and Moranda (1972), in Statistical Computer Performance Evaluation"


def jm_work(data: Observed) -> tuple[float, float]:
    """Sum of (i - 1) x_i and of x_i, with the time since the last failure as an unfinished interval."""
    assert data.times is not None
    gaps = np.diff(np.append(data.times, data.end), prepend=0.0)
    return float((np.arange(len(gaps)) * gaps).sum()), float(gaps.sum())


def jm_profile(data: Observed, total: Floats) -> Floats:
    """Log likelihood at total numbers of faults N (real, at least n), with the best phi."""
    done, whole = jm_work(data)
    total = np.asarray(total, dtype=float)
    exposed = total * whole - done
    i = np.arange(data.n)
    # sum of log(N - i + 1)
    logs = np.log(total[..., None] - i).sum(axis=-1)
    return np.asarray(logs + data.n * (np.log(data.n) - np.log(exposed)) - data.n)


def jm_fit(data: Observed) -> Fit:
    """Estimates of log N and log phi; at the bound where no finite N is best."""
    found, value = search(
        lambda p: jm_profile(data, data.n + np.exp(p[..., 0])), ((-9.0, math.log(1e4 * data.n)),)
    )
    # at the lower bound no fault is left
    total = data.n + (math.exp(float(found[0])) if float(found[0]) > -8.9 else 0.0)
    done, whole = jm_work(data)
    phi = data.n / (total * whole - done)
    at_bound = float(found[0]) > math.log(1e4 * data.n) - 1e-2
    value = float(jm_profile(data, np.array(total)))
    return Fit(np.array([math.log(total), math.log(phi)]), value, at_bound)


def jm_log_likelihood(data: Observed, u: Floats) -> float:
    """Log likelihood at log N and log phi."""
    total, phi = math.exp(float(u[0])), math.exp(float(u[1]))
    done, whole = jm_work(data)
    logs = float(np.log(np.maximum(total - np.arange(data.n), 1e-300)).sum())
    return logs + data.n * float(u[1]) - phi * (total * whole - done)
