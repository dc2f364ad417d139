"""Level changes in autocorrelated series by REML: many series fitted at once, one is a batch of one.

The model of one series with before and after points is

    y_t = mu_before or mu_after + s exp(d [t after]) e_t / sqrt(w_t),

with ``e`` of unit variance and correlation ``rho ** gap`` (AR(1)) or ``(1 - v) rho ** gap`` (drift plus
independent noise). Given the correlation, means and ``s`` have closed forms; what remains is a smooth
function of two or three parameters, minimised by Newton's method for all series together.

References
----------
Pinheiro and Bates (2000), Mixed-Effects Models in S and S-PLUS, ch. 5 (``nlme::gls``).
Satterthwaite (1946), Biometrics Bulletin 2; Fai and Cornelius (1996), J. Stat. Comput. Simul. 54.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.criteria import AR1Criterion, Criterion, Design, NoiseCriterion
from perfanalytics.comparisons.newton import derivatives, minimize
from perfanalytics.core.columns import Floats

#: The noise term is used only where it lowers -2 REML by more than this.
NOISE_GAIN = 2.0
#: Series fitted together: blocks of this many points keep the arrays in the cache.
BLOCK_POINTS = 1 << 13


@dataclass(frozen=True, slots=True)
class Fit:
    """What REML says about one contrast of each of m series; every array has shape (m,).

    ``beta`` (m, p) are the coefficients and ``estimate`` the contrast of interest with its ``se`` and
    Satterthwaite ``df``. ``log_spread`` is d, the log ratio of the standard deviations after/before (0
    when there is one side only); ``noise`` is v, the share of independent noise, 0 where the noise term
    was not used; ``gain`` is the fall of -2 REML the noise term would bring. ``deviance`` is -2 log REML
    likelihood with its constants as ``nlme::gls`` has them.
    """

    beta: Floats
    estimate: Floats
    se: Floats
    df: Floats
    sigma: Floats
    log_spread: Floats
    rho: Floats
    noise: Floats
    gain: Floats
    deviance: Floats
    at_bound: NDArray[np.bool_]


def fit_reml(design: Design, contrast: Floats, *, noise: bool = True) -> Fit:
    """Fit every series of the design.

    Parameters
    ----------
    design : Design
        m series, padded to the longest.
    contrast : float array, shape (p,)
        The combination of coefficients that is asked for.
    noise : bool
        Whether the noise term is tried.
    """
    m = len(design.length)
    # series of similar length go together, so that little of a block is padding
    order = np.argsort(design.length, kind="stable")
    size = max(1, BLOCK_POINTS // max(1, design.z.shape[1]))
    fits = [_fit_block(design.rows(order[a : a + size]), contrast, noise) for a in range(0, m, size)]
    back = np.empty(m, dtype=np.int64)
    back[order] = np.arange(m)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(f, name) for f in fits])[back] if fits else np.empty(0)
        for name in Fit.__slots__
    }
    return Fit(**columns)


def _fit_block(design: Design, contrast: Floats, noise: bool) -> Fit:
    ar1 = AR1Criterion(design, contrast)
    theta = minimize(ar1, ar1.start())
    fit = describe(ar1, theta)
    if not noise:
        return fit
    full = NoiseCriterion(design, contrast)
    start = full.start(theta)
    # nothing is gained by going on once the bar is out of reach
    richer = minimize(full, start, give_up_above=fit.deviance - NOISE_GAIN)
    gain = fit.deviance - full.deviance(richer)
    use = np.flatnonzero(gain > NOISE_GAIN)
    out = {name: getattr(fit, name).copy() for name in Fit.__slots__}
    out["gain"] = np.maximum(gain, 0.0)
    if len(use):
        chosen = describe(NoiseCriterion(design.rows(use), contrast), richer[use])
        for name in Fit.__slots__:
            if name != "gain":
                out[name][use] = getattr(chosen, name)
    return Fit(**out)


def describe(criterion: Criterion, theta: Floats) -> Fit:
    """Estimates, standard errors and degrees of freedom of the contrast at the minimum, theta (m, k)."""
    at = criterion.evaluate(theta[:, None, :])
    dof = criterion.design.length - criterion.p
    scale = at.rss[:, 0] / dof
    variance = scale * at.unit_variance[:, 0]
    natural = criterion.natural(theta)
    beta = at.beta[:, 0] + criterion.design.offset
    return Fit(
        beta=beta,
        estimate=beta @ criterion.contrast,
        se=np.sqrt(variance),
        df=_satterthwaite(criterion, theta, scale),
        sigma=np.sqrt(scale),
        log_spread=natural["log_spread"],
        rho=natural["rho"],
        noise=natural["noise"],
        gain=np.zeros(len(theta)),
        deviance=criterion.deviance(theta),
        at_bound=np.asarray(_on_bound(criterion, theta).any(axis=1)),
    )


def _on_bound(criterion: Criterion, theta: Floats) -> NDArray[np.bool_]:
    return np.asarray((theta <= criterion.low + 1e-6) | (theta >= criterion.high - 1e-6))


def _satterthwaite(criterion: Criterion, theta: Floats, scale: Floats) -> Floats:
    """``df = 2 / (g' A g)``: g the gradient of log Var(b), A twice the inverse Hessian of -2 REML.

    The parameters are (log s^2, theta). The Hessian is taken in the coordinates of the search and
    carried over to rho and v, where the weak prior of the noise fit is added.
    """
    m, k = theta.shape
    dof = (criterion.design.length - criterion.p).astype(float)

    def parts(x: Floats) -> Floats:
        at = criterion.evaluate(x)
        return np.stack([at.rss, at.log_determinant, np.log(at.unit_variance)], axis=-1)

    _, gradient, hessian = derivatives(parts, theta)
    full = np.zeros((m, k + 1, k + 1))
    full[:, 0, 0] = dof
    full[:, 0, 1:] = full[:, 1:, 0] = -gradient[..., 0] / scale[:, None]
    full[:, 1:, 1:] = hessian[..., 0] / scale[:, None, None] + hessian[..., 1]
    g = np.concatenate([np.ones((m, 1)), gradient[..., 2]], axis=1)
    slope = np.concatenate([np.ones((m, 1)), criterion.slope(theta)], axis=1)  # d natural / d theta
    full = full / slope[:, :, None] / slope[:, None, :]
    g = g / slope
    full[:, np.arange(k + 1), np.arange(k + 1)] += np.concatenate([[0.0], criterion.prior])
    # parameters that lie on their bound are taken as known
    stuck = _on_bound(criterion, theta)
    held = np.concatenate([np.zeros((m, 1), dtype=bool), stuck], axis=1)
    full[held[:, :, None] | held[:, None, :]] = 0.0
    full[held[:, :, None] & np.eye(k + 1, dtype=bool)] = 1.0
    g[held] = 0.0
    values, vectors = np.linalg.eigh(full)
    values = np.maximum(values, 1e-6 * np.abs(values).max(axis=1, keepdims=True))
    along = np.einsum("mij,mi->mj", vectors, g)
    quadratic = 2.0 * (along**2 / values).sum(axis=1)
    return np.asarray(np.clip(2.0 / quadratic, 1.0, np.maximum(1.0, dof)))
