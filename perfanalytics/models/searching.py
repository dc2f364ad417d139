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
        subsets = Subsets.of(sums.xx, term_of)
        best = int(np.argmin(subsets.aicc(sums.n, subsets.rss(sums.xy, sums.yy))))
        return _made(sums, term_of, set(subsets.terms[best]))
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
        subsets = Subsets.of(sums.xx, term_of)
        rss, size = subsets.rss(sums.xy, sums.yy), np.array([len(s) for s in subsets.terms])
        best = [int(np.argmin(np.where(size == t, rss, np.inf))) for t in range(k + 1)]
        return [_made(sums, term_of, set(subsets.terms[b])) for b in best]
    own: set[int] = set()
    out = [_made(sums, term_of, own)]
    while len(own) < k:
        rest = [t for t in range(k) if t not in own]
        own = own | {min(rest, key=lambda t: _rss(sums, np.isin(term_of, [*own, t])))}
        out.append(_made(sums, term_of, own))
    return out


def noise_of(
    x: Floats, y: Floats, term_of: NDArray[np.int64], method: str, permutations: int, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """The search with the response shuffled: R2 it finds, and whether it chooses any term at all."""
    shuffled = (rng.permutation(y) for _ in range(permutations))
    if method != "best_subset":
        found = [search(sums_of(x, z), term_of, method) for z in shuffled]
        return np.array([c.r2 for c in found]), np.array([c.terms.any() for c in found])
    # shuffling changes the response alone: the subsets are solved once for all permutations
    own = sums_of(x, y)
    subsets = Subsets.of(own.xx, term_of)
    rss = subsets.rss((x - own.x_mean).T @ np.column_stack(list(shuffled)), own.yy)
    best = np.argmin(subsets.aicc(own.n, rss), axis=0)
    return 1 - rss[best, np.arange(permutations)] / own.yy, best > 0


@dataclass(frozen=True, slots=True)
class Subsets:
    """All subsets of terms, the smaller first, solved but for the response.

    ``columns`` is how many columns each has; ``solved`` holds, for each number of columns, the positions of
    its subsets, their columns (m, c) and the inverses (m, c, c) on the scale of correlations.
    """

    terms: list[tuple[int, ...]]
    columns: NDArray[np.int64]
    scale: Floats
    solved: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]

    @classmethod
    def of(cls, xx: Floats, term_of: NDArray[np.int64]) -> Subsets:
        """All subsets of the terms of some columns."""
        k = int(term_of.max()) + 1 if len(term_of) else 0
        terms = [s for size in range(k + 1) for s in combinations(range(k), size)]
        owns = [np.flatnonzero(np.isin(term_of, s)) for s in terms]
        columns = np.array([len(o) for o in owns])
        scale = np.sqrt(np.maximum(np.diag(xx), 1e-300))
        gram = xx / np.outer(scale, scale)
        solved = []
        for c in sorted(set(columns.tolist()) - {0}):
            where = np.flatnonzero(columns == c)
            own = np.array([owns[w] for w in where.tolist()])
            blocks = gram[own[:, :, None], own[:, None, :]]
            # columns that say the same share their effect, as in _solve
            solved.append((where, own, np.linalg.pinv(blocks, rcond=1e-11, hermitian=True)))
        return cls(terms, columns, scale, solved)

    def rss(self, xy: Floats, yy: float) -> Floats:
        """Residual sum of squares of each subset, shape (subsets,) or, of several responses, (subsets, m)."""
        cross = xy.reshape(len(self.scale), -1) / self.scale[:, None]
        out = np.full((len(self.terms), cross.shape[1]), float(yy))
        for where, own, inverse in self.solved:
            mine = cross[own]
            out[where] -= np.sum(mine * (inverse @ mine), axis=1)
        return np.asarray(np.maximum(out, 1e-14 * yy).reshape(len(self.terms), *xy.shape[1:]))

    def aicc(self, n: int, rss: Floats) -> Floats:
        """Criterion of each subset, in the shape of ``rss``."""
        p = (self.columns + 2).astype(float).reshape(-1, *([1] * (rss.ndim - 1)))
        room = n - p - 1
        with np.errstate(divide="ignore"):
            value = n * np.log(rss / n) + 2 * p + 2 * p * (p + 1) / np.where(room > 0, room, 1.0)
        return np.asarray(np.where(room > 0, value, np.inf))


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
