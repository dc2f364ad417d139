"""CrossProducts: all that a linear regression needs of millions of rows, in a small triangle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Condition number of the correlations above which sums lose too many digits: rows are fetched instead.
LARGEST_CONDITION = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossProducts:
    """Means and the triangular root of the centered sums of squares and products of columns.

    Parameters
    ----------
    response : str
        The last column; ``logged`` says whether it is a logarithm.
    names : tuple of str, length k
        The other columns: "size", "log(size)", "team[T.b]".
    term_of : tuple of str, length k
        The term each belongs to: "team" for "team[T.b]".
    means : float array, shape (k + 1,)
    root : float array, shape (k + 1, k + 1)
        Upper triangle R with ``R'R`` = centered sums of squares and products.
    n, n_dropped : int
        Rows used; rows left out because a value was missing (or had no logarithm).
    levels, ranges : mapping
        Levels of the factors, ends of the numbers.
    condition : float
        Condition number of the correlation matrix of the columns on the right side.
    computed_by : str
        "sums in the engine", or "QR of fetched rows" where the condition number is above 1e6.
    selection : mapping
        How the repository was asked.
    """

    response: str
    logged: bool
    names: tuple[str, ...]
    term_of: tuple[str, ...]
    means: Floats
    root: Floats
    n: int
    n_dropped: int
    levels: Mapping[str, tuple[Any, ...]]
    ranges: Mapping[str, tuple[float, float]]
    condition: float
    computed_by: str
    selection: Mapping[str, Any] = field(default_factory=dict)


def condition_of(scatter: Floats) -> float:
    """Condition number of the correlations behind centered sums (of the right side, without the response)."""
    scale = np.sqrt(np.diag(scatter))
    if not np.all(scale > 0):
        return float("inf")
    values = np.linalg.eigvalsh(scatter / np.outer(scale, scale))
    return float(values[-1] / values[0]) if values[0] > 0 else float("inf")


def root_of_sums(scatter: Floats) -> Floats:
    """Cholesky root on the scale of correlations; the response may be reproduced without error."""
    scale = np.sqrt(np.maximum(np.diag(scatter), 1e-300))
    correlation = scatter / np.outer(scale, scale)
    k = len(scatter) - 1
    out = np.zeros_like(scatter)
    out[:k, :k] = np.linalg.cholesky(correlation[:k, :k]).T
    out[:k, k] = np.linalg.solve(out[:k, :k].T, correlation[:k, k])
    out[k, k] = np.sqrt(max(1.0 - float(out[:k, k] @ out[:k, k]), 0.0))
    return np.asarray(out * scale)
