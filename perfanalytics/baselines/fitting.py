"""Fitting one family: complete and censored values, stated and fitted thresholds, Johnson's families."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.baselines.families import Family
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.goodness import FEWEST_TESTED, P_VALUES, anderson_darling
from perfanalytics.baselines.likelihood import (
    LogLikelihood,
    Maximum,
    censored_start,
    maximize,
    observed_information,
    rows,
)
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

Threshold = float | Literal["fit"] | None
Flags = NDArray[np.bool_]
#: Fewer draws than this many do not make a p-value.
FEWEST_DRAWS = 19


def fit_family(
    family: Family,
    values: Floats,
    *,
    censored: Flags | None = None,
    threshold: Threshold = None,
    inflation: float = 1.0,
    draws: int = 0,
    seed: int = 0,
) -> Fitted:
    """Fit one family.

    Parameters
    ----------
    family : Family
    values : float array, shape (n,)
        No NaN.
    censored : bool array, shape (n,), optional
        True where the value is a lower bound.
    threshold : float, "fit" or None
        Where the values of a positive family begin.
    inflation : float
        What variances are multiplied with: values over effective values.
    draws : int
        Samples of the parametric bootstrap behind the p-value where there is no table; 0: none.
    seed : int

    Examples
    --------
    >>> from perfanalytics.baselines.families import WEIBULL
    >>> f = fit_family(WEIBULL, np.array([1.0, 2, 3, 4, 5]))
    >>> f.estimate.round(4).tolist()
    [2.2938, 3.3943]
    """
    event = np.ones(len(values), dtype=bool) if censored is None else ~censored
    fixed = 0.0 if threshold is None or threshold == "fit" or not family.positive else float(threshold)
    x = values - fixed
    if threshold == "fit" and family.positive:
        if not event.all():
            raise InputError("a threshold is fitted to complete values only: state it, as a number")
        return _with_threshold(family, values, inflation)
    blocked = _cannot(family, x, event)
    if blocked:
        return _failed(family, values, event, fixed, inflation, blocked)
    estimate, converged, why = _estimate(family, x, event)
    if not converged:
        return _failed(family, values, event, fixed, inflation, why)
    f = _natural_likelihood(family, x, event)
    information = observed_information(f, estimate)
    made = _made(
        family,
        values,
        event,
        family.parameters,
        estimate,
        information,
        fixed,
        inflation,
        f(estimate[None])[0],
    )
    return _judged(made, family, x, event, draws, seed)


def _cannot(family: Family, x: Floats, event: Flags) -> str:
    """Why the family cannot be fitted to these values, "" where it can."""
    if family.positive and float(x.min()) <= 0:
        return f"it begins at its threshold, and the smallest value lies {-float(x.min()):g} below or on it"
    if not event.any():
        return "every value is censored"
    needed = len(family.parameters) + 1
    if int(event.sum()) < needed:
        return f"it needs at least {needed} complete values"
    if len(family.parameters) > 1 and len(np.unique(x[event])) < len(family.parameters):
        return "too few different values"
    return ""


def _estimate(family: Family, x: Floats, event: Flags) -> tuple[Floats, bool, str]:
    if family.name == "johnson_su":
        estimate, converged, why = _johnson_su(x if event.all() else x[event])
    elif family.name == "johnson_sb":
        estimate, converged, why = _johnson_sb(x if event.all() else x[event])
    elif event.all():
        found = rows(family, x[None, :])
        assert found is not None
        return found[0], bool(np.isfinite(found).all()), "the likelihood equation has no solution"
    else:
        estimate, done = censored_start(family, x, event)
        if done:
            return estimate, True, ""
        converged, why = True, ""
    if event.all() or not converged:
        return estimate, converged, why
    logs = np.array(family.logs)

    def natural(c: Floats) -> Floats:
        return np.where(logs, np.exp(np.minimum(c, 700.0)), c)

    f = _natural_likelihood(family, x, event)
    start = np.where(logs, np.log(np.where(logs, estimate, 1.0)), estimate)
    scale = np.where(logs, 0.5, float(np.std(x)) if not family.positive else 1.0)
    if family.name.startswith("johnson"):
        scale = np.array([0.5, 0.3, 0.3 * estimate[3], 0.3])
    best = maximize(lambda c: f(natural(c)), start, scale=scale)
    return natural(best.at), best.converged, best.why


def _natural_likelihood(family: Family, x: Floats, event: Flags) -> LogLikelihood:
    """Log-likelihood of rows of parameters, (r, p) -> (r,); minus infinity where they are impossible."""
    done, still = x[event], x[~event]
    logs = np.array(family.logs)

    def f(p: Floats) -> Floats:
        allowed = np.asarray((p[:, logs] > 0).all(axis=1))
        p = np.where(allowed[:, None], p, np.where(logs, 1.0, p))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            out = family.log_density(done, p).sum(axis=-1)
            if len(still):
                out = out + family.log_sf(still, p).sum(axis=-1)
        return np.where(allowed & ~np.isnan(out), out, -np.inf)

    return f


def _made(
    family: Family,
    values: Floats,
    event: Flags,
    names: tuple[str, ...],
    estimate: Floats,
    information: Floats | None,
    threshold: float,
    inflation: float,
    log_likelihood: float,
    why: str = "",
) -> Fitted:
    p, n = len(names), len(values)
    covariance = np.full((p, p), np.nan)
    if information is not None and np.isfinite(information).all():
        # scaled, so that parameters of very different size do not spoil the inverse
        size = np.sqrt(np.abs(np.diag(information)))
        if (np.linalg.eigvalsh(information / np.outer(size, size)) > 0).all():
            covariance = inflation * np.linalg.inv(information / np.outer(size, size)) / np.outer(size, size)
    aicc = -2 * log_likelihood + 2 * p + (2 * p * (p + 1) / (n - p - 1) if n > p + 1 else math.inf)
    return Fitted(
        family=family.name,
        parameters=names,
        estimate=estimate,
        covariance=covariance,
        threshold=threshold,
        n=n,
        n_censored=int(np.sum(~event)),
        inflation=inflation,
        log_likelihood=float(log_likelihood),
        aicc=float(aicc),
        bic=float(-2 * log_likelihood + p * math.log(n)),
        anderson_darling=math.nan,
        p_value=math.nan,
        p_how="",
        distance=math.nan,
        converged=not why,
        why=why,
    )


def _failed(
    family: Family,
    values: Floats,
    event: Flags,
    threshold: float,
    inflation: float,
    why: str,
) -> Fitted:
    nothing = np.full(len(family.parameters), np.nan)
    return _made(
        family,
        values,
        event,
        family.parameters,
        nothing,
        None,
        threshold,
        inflation,
        -math.inf,
        why or "failed",
    )


def _judged(made: Fitted, family: Family, x: Floats, event: Flags, draws: int, seed: int) -> Fitted:
    """With goodness of fit."""
    own = made.estimate[: len(family.parameters)]
    if not event.all():
        km = kaplan_meier(x, ~event, confidence=0.95)
        before = np.concatenate([[1.0], km.survival[:-1]])
        fitted = 1 - family.cdf(km.times, own)
        distance = float(np.max(np.maximum(np.abs(fitted - km.survival), np.abs(fitted - before))))
        return replace(made, distance=distance, p_how="not computed: some values are censored")
    u = family.cdf(np.sort(x), own)
    n = len(x)
    steps = np.arange(n + 1) / n
    distance = float(np.max(np.maximum(np.abs(u - steps[:-1]), np.abs(u - steps[1:]))))
    a = float(anderson_darling(u))
    p, how = math.nan, "not computed: no table, and no draws asked for"
    if n < FEWEST_TESTED:
        how = f"not computed: fewer than {FEWEST_TESTED} values"
    elif family.name in P_VALUES and "threshold" not in made.parameters:
        formula, how = P_VALUES[family.name]
        p = formula(a, n)
    elif draws and "threshold" not in made.parameters:
        p, made_draws = _bootstrap(family, own, n, a, draws, seed)
        how = f"parametric bootstrap, {made_draws} samples, seed {seed}"
    elif "threshold" in made.parameters:
        how = "not computed: no table for a fitted threshold"
    return replace(made, anderson_darling=a, p_value=p, p_how=how, distance=distance)


def _bootstrap(
    family: Family, estimate: Floats, n: int, a: float, draws: int, seed: int
) -> tuple[float, int]:
    """Share of samples from the fitted distribution that fit worse, ``(1 + worse) / (1 + draws)``."""
    rng = np.random.default_rng(seed)
    sample = family.quantile(np.clip(rng.random((draws, n)), 1e-15, None), estimate)
    found = rows(family, sample)
    if found is None:
        again = _johnson_su if family.name == "johnson_su" else _johnson_sb
        fits = [again(one, start=estimate) for one in sample]
        good = np.array([converged for _, converged, _ in fits])
        found = np.array([p for p, _, _ in fits])[good]
        sample = sample[good]
    if len(sample) < FEWEST_DRAWS:
        return math.nan, len(sample)
    worse = anderson_darling(family.cdf(np.sort(sample, axis=1), found)) >= a
    return float((1 + worse.sum()) / (1 + len(sample))), len(sample)


# --- Johnson's families: gamma and delta follow from the other two, so two coordinates are searched


def _profile(u: Floats, jacobian: Floats) -> Floats:
    """Profile log-likelihood of rows of transformed values, less constants."""
    n = u.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-n * np.log(u.std(axis=-1)) + jacobian - n / 2 * (1 + math.log(2 * math.pi)))


def _johnson_su(x: Floats, *, start: Floats | None = None) -> tuple[Floats, bool, str]:
    center, spread = float(np.median(x)), float(np.std(x))

    def f(c: Floats) -> Floats:
        xi, lam = center + spread * c[:, :1], spread * np.exp(np.clip(c[:, 1:], -700, 700))
        u = (x - xi) / lam
        jacobian = -(0.5 * np.log1p(u * u) + np.log(lam)).sum(axis=1)
        return _profile(np.arcsinh(u), jacobian)

    if start is None:
        grid = np.array([(a, b) for a in (-2.0, -1, -0.4, 0, 0.4, 1, 2) for b in (-3.0, -2, -1, 0, 1, 2)])
        first = grid[int(np.nanargmax(f(grid)))]
    else:
        first = np.array([(start[2] - center) / spread, math.log(start[3] / spread)])
    best = maximize(f, first, scale=np.array([0.5, 0.5]))
    xi, lam = center + spread * best.at[0], spread * math.exp(min(best.at[1], 700.0))
    u = np.arcsinh((x - xi) / lam)
    found = np.array([-u.mean() / u.std(), 1 / u.std(), xi, lam])
    if not best.converged or abs(best.at[1]) > 7:
        return found, False, "the likelihood has no peak: it runs towards a normal or lognormal limit"
    return found, True, ""


def _johnson_sb(x: Floats, *, start: Floats | None = None) -> tuple[Floats, bool, str]:
    """An inner peak of the likelihood, which is unbounded where a bound meets an outermost value."""
    low, high = float(x.min()), float(x.max())
    width = high - low

    def ends(c: Floats) -> tuple[Floats, Floats]:
        c = np.clip(c, -60, 60)
        return low - width * np.exp(c[:, :1]), high + width * np.exp(c[:, 1:])

    def f(c: Floats) -> Floats:
        a, b = ends(c)
        left, right = np.log(x - a), np.log(b - x)
        jacobian = (np.log(b - a) - left - right).sum(axis=1)
        return _profile(left - right, jacobian)

    if start is None:
        side = np.linspace(-6, 3, 19)
        grid = np.array([(a, b) for a in side for b in side])
        height = f(grid).reshape(19, 19)
        inner = height[1:-1, 1:-1]
        around = [height[1 + i : 18 + i, 1 + j : 18 + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
        peaks = np.all([inner >= a for a in around], axis=0)
        if not peaks.any():
            why = "the likelihood has no inner peak: it is unbounded, or runs towards a limit"
            return np.full(4, np.nan), False, why
        i, j = np.unravel_index(int(np.argmax(np.where(peaks, inner, -np.inf))), inner.shape)
        first = np.array([side[i + 1], side[j + 1]])
    else:
        a = np.log(np.maximum((low - start[2]) / width, 1e-3))
        b = np.log(np.maximum((start[2] + start[3] - high) / width, 1e-3))
        first = np.array([a, b])
    best: Maximum = maximize(f, first, scale=np.array([0.4, 0.4]))
    a_end, b_end = (float(e[0, 0]) for e in ends(best.at[None, :]))
    u = np.log(x - a_end) - np.log(b_end - x)
    found = np.array([-u.mean() / u.std(), 1 / u.std(), a_end, b_end - a_end])
    if not best.converged or np.abs(best.at).max() > 12:
        return found, False, "the likelihood has no inner peak: it is unbounded, or runs towards a limit"
    return found, True, ""


# --- a fitted threshold


def _with_threshold(family: Family, values: Floats, inflation: float) -> Fitted:
    """The family with its threshold, at an inner peak of the profile likelihood.

    The likelihood is unbounded where the threshold meets the smallest value (shape of Weibull or gamma below
    1, lognormal always); the inner peak is the accepted estimate (Smith 1985).

    References
    ----------
    Smith (1985), Biometrika 72, 67-90; Lawless (2003), section 5.3.
    """
    n, low = len(values), float(values.min())
    event, names = np.ones(n, dtype=bool), (*family.parameters, "threshold")
    spread = float(values.max()) - low
    if spread <= 0 or n < len(names) + 1:
        return _failed(family, values, event, 0.0, inflation, "too few different values for a threshold")
    if family.name == "exponential":
        # the likelihood is greatest on its border: not regular, hence no standard errors
        scale = float(values.mean()) - low
        top = -n * (math.log(scale) + 1)
        made = _made(family, values, event, names, np.array([scale, low]), None, 0.0, inflation, top)
        return _judged(made, family, values - low, event, 0, 0)

    def profile(t: Floats) -> Floats:
        x = values - (low - spread * np.exp(t))[:, None]
        p = rows(family, x)
        assert p is not None
        return np.asarray(family.log_density(x, p).sum(axis=1))

    grid = np.linspace(-9, 5, 57)
    height = profile(grid)
    peaks = np.flatnonzero((height[1:-1] >= height[:-2]) & (height[1:-1] > height[2:])) + 1
    if not len(peaks):
        why = "the likelihood has no inner peak over the threshold: state one, or take another family"
        return _failed(family, values, event, 0.0, inflation, why)
    at, half = float(grid[peaks[int(np.argmax(height[peaks]))]]), 0.25
    for _ in range(7):
        fine = np.linspace(at - half, at + half, 21)
        at, half = float(fine[int(np.argmax(profile(fine)))]), half / 8
    begins = low - spread * math.exp(at)
    first = rows(family, (values - begins)[None, :])
    assert first is not None
    estimate = np.append(first[0], begins)

    def f(p: Floats) -> Floats:
        inside = p[:, -1] < low
        x = values - np.where(inside, p[:, -1], low - spread)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            out = family.log_density(x, p[:, :-1]).sum(axis=1)
        return np.where(inside & ~np.isnan(out), out, -np.inf)

    reach = np.append(0.2 * np.maximum(np.abs(first[0]), 0.1), 0.2 * (low - begins))
    best = maximize(f, estimate, scale=reach)
    if best.converged:
        estimate = best.at
    information = observed_information(f, estimate)
    made = _made(family, values, event, names, estimate, information, 0.0, inflation, f(estimate[None])[0])
    return _judged(made, family, values - estimate[-1], event, 0, 0)
