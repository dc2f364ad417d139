"""The smallest check loss: coefficients of a quantile, exactly, also of many rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Floats = NDArray[np.float64]

#: From so many rows on, rows that surely lie above or below the quantile are put together.
MANY = 1500
#: Gap between a solution and its bound, as a share of the size of the response.
ROUGH, FINE = 1e-7, 1e-11
#: Seed of the rows that give the first guess: it decides how fast, not what is found.
_SEED = 20260101


def quantile_fit(x: Floats, y: Floats, share: float, near: Floats | None = None) -> Floats:
    """Coefficients that minimize the check loss, by an interior point method, then moved to the exact corner.

    Parameters
    ----------
    x, y : float arrays, shapes (n, p), (n,)
    share : float
        In (0, 1).
    near : float array, shape (p,), optional
        Coefficients of nearly the same rows: with many rows the search then begins there. What is found
        does not depend on it (where the quantile has one solution).

    Notes
    -----
    With many rows those far from a first guess keep their side of the quantile, and the loss of all of one
    side is that of their sum: two rows stand for them. Signs are checked afterwards; rows on the other side
    than thought come back and the small problem is solved again, so the solution is that of all rows.

    References
    ----------
    Portnoy and Koenker (1997), Statistical Science 12, 279-300 (Frisch-Newton, preprocessing); Koenker
    (2005), Quantile Regression, sections 6.4 and 6.5.
    """
    scale = np.sqrt(np.sum(x**2, axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    a = x / scale
    if len(y) < MANY:
        return _small(a, y, share) / scale
    return _large(a, y, share, None if near is None else near * scale) / scale


def check_loss(residuals: Floats, share: float, weights: Floats | None = None) -> float:
    """Sum of the check function: ``share`` for what lies above, ``1 - share`` for what lies below."""
    loss = residuals * (share - (residuals < 0))
    return float(loss.sum() if weights is None else weights @ loss)


def _small(a: Floats, y: Floats, share: float, summed: int = 0) -> Floats:
    """All rows at once; the last ``summed`` of them are sums, which are no corner."""
    n = len(y) - summed
    size = float(np.abs(y[:n]).max()) or 1.0
    # a rough answer is enough where the corner it leads to is proved to be the best
    for tolerance in (ROUGH, FINE):
        b = _interior(a, y / size, share, tolerance) * size
        rows = _independent(a, np.argsort(np.abs(y[:n] - a[:n] @ b), kind="stable"))
        if len(rows) < a.shape[1]:
            continue
        corner = np.asarray(np.linalg.solve(a[rows], y[rows]))
        if _is_best(a, y, share, rows, corner):
            return np.asarray(corner)
    if len(rows) == a.shape[1]:
        better = check_loss(y - a @ corner, share) <= check_loss(y - a @ b, share) * (1 + 1e-12)
        return np.asarray(corner if better else b)
    return np.asarray(b)


def _is_best(a: Floats, y: Floats, share: float, rows: NDArray[np.int64], corner: Floats) -> bool:
    """Whether 0 is a subgradient at a corner (Koenker 2005, theorem 2.1); rows on it besides: not told."""
    residuals = y - a @ corner
    others = np.ones(len(y), dtype=bool)
    others[rows] = False
    if np.any(np.abs(residuals[others]) <= 1e-12 * np.abs(y).max()):
        return False
    pull = a[others].T @ (share - (residuals[others] < 0))
    own = np.linalg.solve(a[rows].T, -pull)
    return bool(own.min() > share - 1 and own.max() < share)


def _large(a: Floats, y: Floats, share: float, near: Floats | None) -> Floats:
    """Rows near the quantile one by one, all others as two sums (Portnoy and Koenker 1997, section 5)."""
    n, p = a.shape
    first = math.ceil(math.sqrt(p) * n ** (2 / 3))
    room = first
    if near is None:
        chosen = np.random.default_rng(_SEED).choice(n, min(first, n), replace=False)
        near = _small(a[chosen], y[chosen], share)
    else:
        room = math.ceil(2 * math.sqrt(p * n))
    # residuals in units of how well the guess is known at the row
    q = np.linalg.qr(a)[0]
    far = (y - a @ near) / np.maximum(np.sqrt(np.sum(q * q, axis=1)), 1e-8)
    room = max(room, 20 * p)
    while room < n / 2:
        low = max(0, min(math.floor(share * n - room / 2), n - room))
        ends = np.partition(far, (low, low + room - 1))[[low, low + room - 1]]
        side = np.where(far < ends[0], -1, np.where(far > ends[1], 1, 0))
        for _ in range(10):
            own = np.flatnonzero(side == 0)
            sums = [s for s in (-1, 1) if np.any(side == s)]
            rows = np.vstack([a[own], *(a[side == s].sum(axis=0) for s in sums)])
            values = np.concatenate([y[own], [float(y[side == s].sum()) for s in sums]])
            b = _small(rows, values, share, len(sums))
            residuals = y - a @ b
            wrong = ((side < 0) & (residuals > 0)) | ((side > 0) & (residuals < 0))
            if not wrong.any():
                return b
            if wrong.sum() > 0.1 * room:
                break
            side[wrong] = 0
        room *= 2
    return _small(a, y, share)


def _independent(a: Floats, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first rows in the order that are linearly independent, as many as there are columns."""
    p = a.shape[1]
    basis = np.zeros((0, p))
    found: list[int] = []
    for k in order[: 20 * p].tolist():
        rest = a[k] - basis.T @ (basis @ a[k])
        rest = rest - basis.T @ (basis @ rest)
        size = float(np.sqrt(rest @ rest))
        if size > 1e-8 * float(np.sqrt(a[k] @ a[k]) + 1e-300):
            basis = np.vstack([basis, rest / size])
            found.append(k)
        if len(found) == p:
            break
    return np.array(found, dtype=np.int64)


def _interior(a: Floats, y: Floats, share: float, tolerance: float) -> Floats:
    """Frisch-Newton steps with Mehrotra's correction on the dual with bounds 0 and 1."""
    n = len(y)
    c = -y
    x = np.full(n, 1 - share)
    s = 1 - x
    b = a.T @ x
    d = np.linalg.lstsq(a, c, rcond=None)[0]
    r = c - a @ d
    r = np.where(r == 0, 0.001, r)
    z = np.maximum(r, 0.0)
    w = z - r
    z, w = np.maximum(z, 1e-12), np.maximum(w, 1e-12)
    enough = tolerance * (1 + float(np.abs(c).sum()))
    for _ in range(80):
        gap = float(c @ x - d @ b + w.sum())
        if gap < enough:
            break
        q = 1 / (z / x + w / s)
        r = z - w
        solve = _weighted(a, q, fine=tolerance <= FINE)
        step = solve(r)
        dx = q * (a @ step - r)
        dz, dw = -z * (1 + dx / x), -w * (1 - dx / s)
        primal, dual = _reach(x, dx, s, -dx), _reach(z, dz, w, dw)
        if min(primal, dual) < 1:
            mu = float(z @ x + w @ s)
            then = float((z + dual * dz) @ (x + primal * dx) + (w + dual * dw) @ (s - primal * dx))
            mu *= (then / mu) ** 3 / (2 * n)
            dxdz, dsdw = dx * dz / x, -dx * dw / s
            xi = mu * (1 / x - 1 / s)
            step = solve(r + dxdz - dsdw - xi)
            dx = q * (a @ step + xi - r - dxdz + dsdw)
            dz = mu / x - z - z * dx / x - dxdz
            dw = mu / s - w + w * dx / s - dsdw
            primal, dual = _reach(x, dx, s, -dx), _reach(z, dz, w, dw)
        x, s = x + primal * dx, s - primal * dx
        d, z, w = d + dual * step, z + dual * dz, w + dual * dw
    return np.asarray(-d)


def _weighted(a: Floats, q: Floats, *, fine: bool) -> Callable[[Floats], Floats]:
    """Weighted least squares of the rows on what is given: by QR where it shall be fine."""
    if not fine:
        weighted = a * q[:, None]
        try:
            factor = cho_factor(weighted.T @ a, check_finite=False)
        except LinAlgError:
            pass
        else:
            return lambda r: np.asarray(cho_solve(factor, weighted.T @ r, check_finite=False))
    root = np.sqrt(q)
    left, upper = np.linalg.qr(a * root[:, None])
    return lambda r: np.asarray(np.linalg.lstsq(upper, left.T @ (root * r), rcond=None)[0])


def _reach(x: Floats, dx: Floats, s: Floats, ds: Floats) -> float:
    """How far a step may go before something becomes negative, at most 1."""
    fall = max(float(np.max(-dx / x)), float(np.max(-ds / s)))
    return min(0.9995 / fall, 1.0) if fall > 0 else 1.0
