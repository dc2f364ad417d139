"""-2 log REML likelihood of many series as a function of their spread and correlation parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats

#: Largest correlation the search reaches.
RHO_BOUND = 0.995
#: Weak prior of the noise fit: added to the diagonal of the Hessian of rho and v.
NOISE_PRIOR = 8.0


@dataclass(frozen=True, slots=True)
class Design:
    """m series of up to n points with p regressors, padded at the end.

    Parameters
    ----------
    z : float array, shape (m, n, 1 + p)
        Response and regressors, each times the square root of the weight; 0 where padded.
    after : bool array, shape (m, n)
        Points whose standard deviation is scaled by exp(d).
    gap : float array, shape (m, n)
        Periods since the previous point; infinite for the first point and where padded.
    length : int array, shape (m,)
    log_weight : float array, shape (m,)
        Sum of the logs of the weights.
    offset : float array, shape (m, p)
        What was taken off the response beforehand, as coefficients of the regressors.
    """

    z: Floats
    after: NDArray[np.bool_]
    gap: Floats
    length: NDArray[np.int64]
    log_weight: Floats
    offset: Floats

    def rows(self, rows: NDArray[np.int64]) -> Design:
        """Some of the series, cut to the longest of them."""
        n = int(self.length[rows].max(initial=0))
        return Design(
            z=self.z[rows, :n],
            after=self.after[rows, :n],
            gap=self.gap[rows, :n],
            length=self.length[rows],
            log_weight=self.log_weight[rows],
            offset=self.offset[rows],
        )

    @property
    def two_sided(self) -> bool:
        """Whether there are points after the change; then their spread is a parameter."""
        return bool(self.after.any())


@dataclass(frozen=True, slots=True)
class Evaluated:
    """At each of s parameter points of m series: RSS, log determinants, Var(contrast) / s^2, coefficients."""

    rss: Floats
    log_determinant: Floats
    unit_variance: Floats
    beta: Floats


class Criterion:
    """What the two correlation structures share. ``theta`` are unbounded-looking search coordinates."""

    design: Design
    contrast: Floats
    low: Floats
    high: Floats
    prior: Floats

    @property
    def p(self) -> int:
        """Number of regressors."""
        return int(self.design.z.shape[2]) - 1

    def rows(self, rows: NDArray[np.int64]) -> Self:
        """The criterion of some of the series."""
        raise NotImplementedError

    def gram(self, theta: Floats) -> tuple[Floats, Floats]:
        """Whitened cross products (m, s, 1 + p, 1 + p) and log|V| (m, s) for theta (m, s, k)."""
        raise NotImplementedError

    def natural(self, theta: Floats) -> dict[str, Floats]:
        """log_spread, rho and noise for theta (m, k)."""
        raise NotImplementedError

    def slope(self, theta: Floats) -> Floats:
        """Derivative of each natural parameter by its search coordinate, (m, k)."""
        raise NotImplementedError

    def evaluate(self, theta: Floats) -> Evaluated:
        """Everything about the generalised least squares fit at theta (m, s, k)."""
        gram, log_v = self.gram(theta)
        beta, rss, log_xx, unit = self._solve(gram)
        return Evaluated(
            rss=rss,
            log_determinant=log_v + log_xx - self.design.log_weight[:, None],
            unit_variance=unit,
            beta=beta,
        )

    def _solve(self, gram: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Coefficients, RSS, log|X'X| and variance of the contrast / s^2 from the cross products."""
        if self.p == 2:  # nearly all fits: in closed form, without the overhead of general routines
            a, b, c = gram[..., 1, 1], gram[..., 1, 2], gram[..., 2, 2]
            u, v = gram[..., 0, 1], gram[..., 0, 2]
            det = a * c - b * b
            one, two = (c * u - b * v) / det, (a * v - b * u) / det
            rss = gram[..., 0, 0] - one * u - two * v
            p, q = self.contrast
            unit = (p * p * c - 2 * p * q * b + q * q * a) / det
            beta, log_xx = np.stack([one, two], axis=-1), np.asarray(np.log(det))
        else:
            xx, xy = gram[..., 1:, 1:], gram[..., 1:, 0]
            inverse = np.asarray(np.linalg.inv(xx))
            log_xx = np.asarray(np.linalg.slogdet(xx)[1])
            beta = np.einsum("...ij,...j->...i", inverse, xy)
            rss = gram[..., 0, 0] - (beta * xy).sum(axis=-1)
            unit = np.einsum("i,...ij,j->...", self.contrast, inverse, self.contrast)
        return beta, np.maximum(rss, 1e-300), log_xx, unit

    def value(self, theta: Floats) -> Floats:
        """-2 log REML likelihood for theta (m, s, k), with the constants of ``nlme::gls``; shape (m, s)."""
        at = self.evaluate(theta)
        dof = (self.design.length - self.p)[:, None]
        return np.asarray(dof * (np.log(2 * np.pi * at.rss / dof) + 1.0) + at.log_determinant)

    def deviance(self, theta: Floats) -> Floats:
        """The value at one point of each series, theta (m, k); shape (m,)."""
        return np.asarray(self.value(theta[:, None, :])[:, 0])


class AR1Criterion(Criterion):
    """Correlation rho ** gap; coordinates (d, atanh rho), or (atanh rho) for one side.

    Whitening ``w_t = (u_t - phi u_{t-1}) / sqrt(1 - phi^2)``, ``phi = rho ** gap``, is linear in sums
    of products over the pairs of neighbours, so that after one pass over the data each evaluation costs
    the same however long the series are.
    """

    def __init__(self, design: Design, contrast: Floats) -> None:
        self.design = design
        self.contrast = np.asarray(contrast, dtype=float)
        self.spread = design.two_sided
        k = 2 if self.spread else 1
        bound = float(np.arctanh(RHO_BOUND))
        self.low = np.array([-12.0, -bound][-k:])
        self.high = -self.low
        self.prior = np.zeros(k)
        z, after, gap = design.z, design.after, design.gap
        first = np.isinf(gap)
        pair = ~first
        pair[:, :1] = False
        levels = np.unique(gap[pair])
        self.gaps = levels if len(levels) else np.ones(1)
        previous = np.zeros_like(z)
        previous[:, 1:] = z[:, :-1]
        was_after = np.zeros_like(after)
        was_after[:, 1:] = after[:, :-1]
        # kinds of terms: alone or both before (scale 1, 1), across the change (s, 1), both after (s, s)
        kinds = (~after, after & ~was_after, after & was_after)
        shape = (len(z), len(self.gaps), 3, z.shape[2], z.shape[2])
        self.now, self.cross, self.then = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.count = np.zeros(shape[:2])
        for g, level in enumerate(self.gaps):
            here = pair & (gap == level)
            self.count[:, g] = here.sum(axis=1)
            for j, kind in enumerate(kinds):
                chosen = here & kind
                a, b = np.where(chosen[..., None], z, 0.0), np.where(chosen[..., None], previous, 0.0)
                at = np.swapaxes(a, 1, 2)
                self.now[:, g, j] = at @ a
                self.then[:, g, j] = np.swapaxes(b, 1, 2) @ b
                ab = at @ b
                self.cross[:, g, j] = ab + np.swapaxes(ab, 1, 2)
        alone = [np.where((first & side)[..., None], z, 0.0) for side in (~after, after)]
        self.alone = np.stack([np.swapaxes(a, 1, 2) @ a for a in alone], axis=1)
        flat = (len(z), -1, z.shape[2] ** 2)
        self.sums = np.concatenate(
            [a.reshape(flat) for a in (self.now, self.cross, self.then, self.alone)], axis=1
        )
        self.after_count = (after & (np.arange(z.shape[1]) < design.length[:, None])).sum(axis=1)

    def rows(self, rows: NDArray[np.int64]) -> AR1Criterion:
        part = object.__new__(AR1Criterion)
        for name in ("contrast", "spread", "low", "high", "prior", "gaps"):
            setattr(part, name, getattr(self, name))
        for name in ("now", "cross", "then", "count", "alone", "after_count", "sums"):
            setattr(part, name, getattr(self, name)[rows])
        part.design = Design(
            z=self.design.z[rows],
            after=self.design.after[rows],
            gap=self.design.gap[rows],
            length=self.design.length[rows],
            log_weight=self.design.log_weight[rows],
            offset=self.design.offset[rows],
        )
        return part

    def start(self) -> Floats:
        """The best of a grid over rho, with d from the standard deviations of the two sides."""
        grid = np.arctanh(np.array([-0.5, -0.2, 0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.88, 0.96]))
        theta = np.empty((len(self.design.length), len(grid), len(self.low)))
        theta[..., -1] = grid
        if self.spread:
            theta[..., 0] = np.clip(self._moment_spread(), -8.0, 8.0)[:, None]
        best = self.value(theta).argmin(axis=1)
        return np.asarray(theta[np.arange(len(theta)), best])

    def _moment_spread(self) -> Floats:
        z, after = self.design.z, self.design.after
        logs = []
        for side in (~after, after):
            part = np.where(side[..., None], z, 0.0)
            gram = np.swapaxes(part, 1, 2) @ part
            size = np.maximum((side & (np.abs(z[..., 1:3]).sum(axis=2) > 0)).sum(axis=1), 2)
            # of the first two regressors (the levels) one is 1 within a side; trends and seasons stay in
            wy, w = gram[:, 0, 1:3].sum(axis=1), gram[:, 1:3, 1:3].sum(axis=(1, 2))
            rest = gram[:, 0, 0] - np.divide(wy**2, w, out=np.zeros_like(wy), where=w > 0)
            logs.append(0.5 * np.log(np.maximum(rest / (size - 1), 1e-300)))
        return np.asarray(logs[1] - logs[0])

    def gram(self, theta: Floats) -> tuple[Floats, Floats]:
        rho = np.tanh(theta[..., -1])
        phi = rho[..., None] ** self.gaps  # (m, s, gaps)
        one = 1.0 - phi * phi
        m, points = rho.shape
        q, g = self.now.shape[-1], len(self.gaps)
        s = np.exp(-theta[..., 0]) if self.spread else np.ones_like(rho)
        # the point itself, its product with its predecessor, the predecessor; for the three kinds of terms
        # (both before, across the change, both after), then the points that stand alone
        coefficients = np.empty((m, points, 9 * g + 2))
        terms = coefficients[..., : 9 * g].reshape(m, points, 3, g, 3)
        for k, factor in enumerate((1.0 / one, -phi / one, phi * phi / one)):
            terms[:, :, k] = factor[..., None]
        squared = (s * s)[..., None]
        terms[:, :, 0, :, 1] *= squared
        terms[:, :, 1, :, 1] *= s[..., None]
        terms[..., 2] *= squared[..., None]
        coefficients[..., 9 * g] = 1.0
        coefficients[..., 9 * g + 1] = s * s
        sums = self.sums
        gram = (coefficients @ sums).reshape(m, points, q, q)
        log_v = (self.count[:, None, :] * np.log(one)).sum(axis=-1)
        if self.spread:
            log_v = log_v + 2.0 * self.after_count[:, None] * theta[..., 0]
        return gram, log_v

    def natural(self, theta: Floats) -> dict[str, Floats]:
        zero = np.zeros(len(theta))
        return {
            "log_spread": theta[:, 0].copy() if self.spread else zero,
            "rho": np.tanh(theta[:, -1]),
            "noise": zero.copy(),
        }

    def slope(self, theta: Floats) -> Floats:
        slope = np.ones_like(theta)
        slope[:, -1] = 1.0 - np.tanh(theta[:, -1]) ** 2
        return slope


class NoiseCriterion(Criterion):
    """Correlation (1 - v) rho ** gap, 1 at lag 0; coordinates (d, logit rho, logit v) or the last two.

    With C the AR(1) correlation and T its tridiagonal inverse, ``(1 - v) C + v I = C M`` where
    ``M = (1 - v) I + v T`` is tridiagonal too: one O(n) factorisation serves likelihood and cross
    products, and all series and parameter points are one long tridiagonal system.
    """

    def __init__(self, design: Design, contrast: Floats) -> None:
        self.design = design
        self.contrast = np.asarray(contrast, dtype=float)
        self.spread = design.two_sided
        k = 3 if self.spread else 2
        self.low = np.array([-12.0, -4.0, -5.0][-k:])
        self.high = np.array([12.0, float(np.log(RHO_BOUND / (1 - RHO_BOUND))), 5.0][-k:])
        self.prior = np.array([0.0, NOISE_PRIOR, NOISE_PRIOR][-k:])

    def rows(self, rows: NDArray[np.int64]) -> NoiseCriterion:
        return NoiseCriterion(self.design.rows(rows), self.contrast)

    def start(self, ar1: Floats) -> Floats:
        """The best of a grid over rho and v, with d from the AR(1) fit."""
        rho = np.array([0.5, 0.8, 0.93, 0.98])
        v = np.array([0.2, 0.5, 0.8])
        grid = np.stack(np.meshgrid(np.log(rho / (1 - rho)), np.log(v / (1 - v)), indexing="ij"), axis=-1)
        grid = grid.reshape(-1, 2)
        theta = np.empty((len(ar1), len(grid), len(self.low)))
        theta[..., -2:] = grid
        if self.spread:
            theta[..., 0] = ar1[:, :1]
        best = self.value(theta).argmin(axis=1)
        return np.asarray(theta[np.arange(len(theta)), best])

    def gram(self, theta: Floats) -> tuple[Floats, Floats]:
        from scipy.linalg.lapack import dpttrf, dpttrs

        rho = 1.0 / (1.0 + np.exp(-theta[..., -2]))
        v = 1.0 / (1.0 + np.exp(-theta[..., -1]))
        m, points = rho.shape
        z, gap = self.design.z, self.design.gap
        n, q = z.shape[1:]
        phi = np.exp(np.log(rho)[..., None] * gap[:, None, :])  # 0 for first and padded points
        ratio = phi / (1.0 - phi * phi)
        extra = phi * ratio
        # T: diagonal 1/(1 - phi_t^2) + phi_{t+1}^2/(1 - phi_{t+1}^2), off-diagonal -phi/(1 - phi^2)
        diagonal = 1.0 + extra
        diagonal[..., :-1] += extra[..., 1:]
        pivots = (1.0 - v)[..., None] + v[..., None] * diagonal
        lower = -v[..., None] * ratio
        flat = lower.reshape(-1)[1:]  # the first point of each block has ratio 0: blocks do not touch
        pivots, factor, _ = dpttrf(pivots.reshape(-1), flat, overwrite_d=True)
        u = np.empty((q, m, points, n))
        if self.spread:
            scale = np.where(self.design.after[:, None, :], np.exp(-theta[..., 0])[..., None], 1.0)
            np.multiply(np.moveaxis(z, 2, 0)[:, :, None, :], scale, out=u)
        else:
            u[:] = np.moveaxis(z, 2, 0)[:, :, None, :]
        tu = diagonal * u
        tu[..., 1:] -= ratio[..., 1:] * u[..., :-1]
        tu[..., :-1] -= ratio[..., 1:] * u[..., 1:]
        solved, _ = dpttrs(pivots, factor, u.reshape(q, -1).T)
        solved = solved.T.reshape(u.shape)
        left = np.moveaxis(tu, 0, 2)
        right = np.moveaxis(solved, 0, 2)
        gram = left @ np.swapaxes(right, 2, 3)
        gram = 0.5 * (gram + np.swapaxes(gram, 2, 3))
        log_v = np.log(pivots).reshape(m, points, n).sum(axis=-1) + np.log1p(-phi * phi).sum(axis=-1)
        if self.spread:
            count = (self.design.after & (np.arange(n) < self.design.length[:, None])).sum(axis=1)
            log_v = log_v + 2.0 * count[:, None] * theta[..., 0]
        return gram, log_v

    def natural(self, theta: Floats) -> dict[str, Floats]:
        return {
            "log_spread": theta[:, 0].copy() if self.spread else np.zeros(len(theta)),
            "rho": 1.0 / (1.0 + np.exp(-theta[:, -2])),
            "noise": 1.0 / (1.0 + np.exp(-theta[:, -1])),
        }

    def slope(self, theta: Floats) -> Floats:
        slope = np.ones_like(theta)
        p = 1.0 / (1.0 + np.exp(-theta[:, -2:]))
        slope[:, -2:] = p * (1.0 - p)
        return slope
