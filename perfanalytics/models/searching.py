"""Searches for a subset of terms by AICc: all subsets, stepwise, and lasso; on centered sums of squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sums:
    """Centered sums of squares and products, and means, of rows."""

    n: int
    xx: Floats
    xy: Floats
    yy: float
    x_mean: Floats
    y_mean: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """Terms chosen (bool, one each), coefficients of all columns (0 where left out), and the intercept."""

    terms: NDArray[np.bool_]
    b: Floats
    intercept: float
    r2: float

    def predict(self, x: Floats) -> Floats:
        """Predictions of rows."""
        return np.asarray(self.intercept + x @ self.b)


def sums_of(x: Floats, y: Floats) -> Sums:
    """Centered sums of rows."""
    x_mean, y_mean = x.mean(axis=0), float(y.mean())
    a, z = x - x_mean, y - y_mean
    return Sums(len(y), a.T @ a, a.T @ z, float(z @ z), x_mean, y_mean)


def search(sums: Sums, term_of: NDArray[np.int64], method: str) -> Chosen:
    """The subset of terms with the lowest AICc.

    Parameters
    ----------
    sums : Sums
    term_of : int array, shape (columns,)
        The term each column belongs to: the levels of a factor come and go together.
    method : {"best_subset", "stepwise", "lasso"}

    References
    ----------
    Hurvich and Tsai (1989), Biometrika 76 (AICc); Zou, Hastie and Tibshirani (2007), Annals of Statistics 35
    (degrees of freedom of the lasso).
    """
    if method == "lasso":
        return _lasso(sums, term_of)
    k = int(term_of.max()) + 1 if len(term_of) else 0
    if method == "best_subset":
        subsets = [s for size in range(k + 1) for s in combinations(range(k), size)]
        best = min(subsets, key=lambda s: _aicc(sums, _rss(sums, np.isin(term_of, s)), np.isin(term_of, s)))
        return _made(sums, term_of, set(best))
    own: set[int] = set()
    now = _aicc(sums, sums.yy, np.zeros(len(term_of), dtype=bool))
    while True:
        moves = [own ^ {t} for t in range(k)]
        values = [
            _aicc(sums, _rss(sums, np.isin(term_of, list(m))), np.isin(term_of, list(m))) for m in moves
        ]
        if not moves or min(values) >= now - 1e-9:
            return _made(sums, term_of, own)
        now, own = min(values), moves[int(np.argmin(values))]


def path_of(sums: Sums, term_of: NDArray[np.int64], method: str) -> list[Chosen]:
    """The terms the search would choose were it told how many: none, one, two ... all.

    Of all subsets the one with the smallest residuals, forward steps, or the lasso at the smallest penalty
    that leaves no more terms than that.
    """
    k = int(term_of.max()) + 1 if len(term_of) else 0
    if method == "lasso":
        along = _penalties(sums, term_of)
        count = [int(c.terms.sum()) for c in along]
        return [
            max((c for c, m in zip(along, count, strict=True) if m <= t), key=lambda c: c.r2)
            for t in range(k + 1)
        ]
    if method == "best_subset":
        best = [
            min(combinations(range(k), t), key=lambda s: _rss(sums, np.isin(term_of, s)))
            for t in range(k + 1)
        ]
        return [_made(sums, term_of, set(s)) for s in best]
    own: set[int] = set()
    out = [_made(sums, term_of, own)]
    while len(own) < k:
        rest = [t for t in range(k) if t not in own]
        own = own | {min(rest, key=lambda t: _rss(sums, np.isin(term_of, [*own, t])))}
        out.append(_made(sums, term_of, own))
    return out


def _rss(sums: Sums, columns: NDArray[np.bool_]) -> float:
    if not columns.any():
        return sums.yy
    b = _solve(sums.xx[np.ix_(columns, columns)], sums.xy[columns])
    return max(sums.yy - float(b @ sums.xy[columns]), 1e-14 * sums.yy)


def _solve(xx: Floats, xy: Floats) -> Floats:
    """On the scale of correlations; columns that say the same share their effect."""
    scale = np.sqrt(np.maximum(np.diag(xx), 1e-300))
    return np.asarray(np.linalg.lstsq(xx / np.outer(scale, scale), xy / scale, rcond=1e-11)[0] / scale)


def _aicc(sums: Sums, rss: float, columns: NDArray[np.bool_]) -> float:
    """Akaike's criterion, corrected for small samples; intercept and variance count as parameters."""
    return _aicc_of(sums.n, rss, int(columns.sum()))


def _aicc_of(n: int, rss: float, df: int) -> float:
    p = df + 2
    if n - p - 1 <= 0:
        return math.inf
    return n * math.log(rss / n) + 2 * p + 2 * p * (p + 1) / (n - p - 1)


def _made(sums: Sums, term_of: NDArray[np.int64], own: set[int]) -> Chosen:
    columns = np.isin(term_of, list(own))
    b = np.zeros(len(term_of))
    if columns.any():
        b[columns] = _solve(sums.xx[np.ix_(columns, columns)], sums.xy[columns])
    terms = np.zeros(int(term_of.max()) + 1 if len(term_of) else 0, dtype=bool)
    terms[list(own)] = True
    return Chosen(terms, b, sums.y_mean - float(sums.x_mean @ b), 1 - _rss(sums, columns) / sums.yy)


def _lasso(sums: Sums, term_of: NDArray[np.int64]) -> Chosen:
    """The penalty with the lowest AICc."""
    along = _penalties(sums, term_of)
    values = [
        _aicc_of(sums.n, max((1 - c.r2) * sums.yy, 1e-14 * sums.yy), int(np.count_nonzero(c.b)))
        for c in along
    ]
    return along[int(np.argmin(values))]


def _penalties(sums: Sums, term_of: NDArray[np.int64], penalties: int = 40) -> list[Chosen]:
    """The lasso at all penalties at once, the largest first, by accelerated gradient steps.

    References
    ----------
    Tibshirani (1996), JRSS B 58; Beck and Teboulle (2009), SIAM Journal on Imaging Sciences 2.
    """
    scale = np.sqrt(np.maximum(np.diag(sums.xx), 1e-300))
    gram, cross = sums.xx / np.outer(scale, scale), sums.xy / scale
    top = float(np.abs(cross).max())
    grid = top * np.geomspace(1, 1e-3, penalties)
    step = 1 / float(np.linalg.eigvalsh(gram).max())
    b = np.zeros((len(cross), penalties))
    ahead, speed = b, 1.0
    for _ in range(1000):
        moved = ahead - step * (gram @ ahead - cross[:, None])
        fresh = np.sign(moved) * np.maximum(np.abs(moved) - step * grid, 0.0)
        faster = (1 + math.sqrt(1 + 4 * speed**2)) / 2
        change = fresh - b
        ahead, b, speed = fresh + (speed - 1) / faster * change, fresh, faster
        if float(np.abs(change).max()) < 1e-9 * (1 + float(np.abs(b).max())):
            break
    rss = np.maximum(
        sums.yy - 2 * cross @ b + np.einsum("ij,ik,kj->j", b, gram, b), 1e-14 * max(sums.yy, 1e-300)
    )
    out = []
    for j in range(penalties):
        found = b[:, j] / scale
        terms = np.zeros(int(term_of.max()) + 1, dtype=bool)
        terms[term_of[found != 0]] = True
        out.append(
            Chosen(terms, found, sums.y_mean - float(sums.x_mean @ found), 1 - float(rss[j]) / sums.yy)
        )
    return out
