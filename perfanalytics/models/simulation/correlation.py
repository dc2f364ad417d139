"""Dependence between steps: a Gaussian copula, asked for as rank correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError

#: What may be given: one number, step -> correlation with the common factor, pair of steps -> correlation.
Asked = float | Mapping[str, float] | Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """How the normal scores of the steps hang together.

    Parameters
    ----------
    loadings : float array, shape (k,)
        Of each step on the common factor; all 0 without one.
    matrix : float array, shape (k, k), or None
        Correlations of the scores, where pairs were given.
    label : str
        "independent", "one common factor", "pairs".
    """

    loadings: Floats
    matrix: Floats | None
    label: str


def score_correlation(rank: float) -> float:
    """The correlation of normal scores whose ranks have this correlation: ``2 sin(pi r / 6)``.

    References
    ----------
    Pearson (1907), On Further Methods of Determining Correlation, Drapers' Company Research Memoirs 4.

    Examples
    --------
    >>> round(score_correlation(0.5), 4)
    0.5176
    """
    return 2.0 * math.sin(math.pi * rank / 6.0)


def read_correlation(asked: Asked | None, names: tuple[str, ...]) -> Dependence:
    """The dependence that was asked for.

    Raises
    ------
    InputError
        For correlations that are none, or that cannot hold at the same time.
    UnknownNameError
        For a step that does not exist.
    """
    none = np.zeros(len(names))
    if asked is None:
        return Dependence(none, None, "independent")
    if isinstance(asked, int | float) and not isinstance(asked, bool):
        if not 0 <= asked < 1:
            raise InputError(
                f"one correlation for all pairs of steps is in [0, 1), got {asked}; negative ones are given "
                "by pairs: {('a', 'b'): -0.3}"
            )
        return Dependence(none + math.sqrt(score_correlation(float(asked))), None, "one common factor")
    if not isinstance(asked, Mapping):
        raise InputError(
            "correlation is one number for all pairs, {'step': correlation with the common factor} or "
            f"{{('one step', 'other step'): correlation}}, got {type(asked).__name__}"
        )
    pairs = [isinstance(key, tuple) for key in asked]
    if any(pairs) and not all(pairs):
        raise InputError("correlation names steps (a common factor) or pairs of steps, not both")
    if any(pairs):
        return Dependence(none, _matrix(asked, names), "pairs")
    loadings = none.copy()
    for name, value in asked.items():
        loadings[_place(str(name), names)] = score_correlation(_checked(value, str(name)))
    return Dependence(loadings, None, "one common factor")


def _matrix(asked: Mapping[Any, float], names: tuple[str, ...]) -> Floats:
    matrix = np.eye(len(names))
    seen: dict[frozenset[str], float] = {}
    for pair, value in asked.items():
        if len(pair) != 2 or pair[0] == pair[1]:
            raise InputError(f"a correlation is between two different steps, got {pair}")
        i, j = (_place(name, names) for name in pair)
        if seen.setdefault(frozenset(pair), value) != value:
            raise InputError(f"two different correlations of {pair[0]!r} and {pair[1]!r}")
        matrix[i, j] = matrix[j, i] = score_correlation(_checked(value, " and ".join(pair)))
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < 1e-10:
        raise InputError(
            f"these correlations cannot hold at the same time (smallest eigenvalue {smallest:.3g}); make the "
            "largest of them smaller, or give the missing pairs"
        )
    return matrix


def _place(name: str, names: tuple[str, ...]) -> int:
    if name not in names:
        raise UnknownNameError("step", str(name), names)
    return names.index(name)


def _checked(value: float, of: str) -> float:
    if not isinstance(value, int | float) or not -1 < value < 1:
        raise InputError(f"the correlation of {of} is between -1 and 1, got {value}")
    return float(value)
