"""Newton's method for many small problems at once, with derivatives by central differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.criteria import Criterion
from perfanalytics.core.columns import Floats

#: Step of the central differences: truncation about 1e-8, rounding about 1e-7 of the Hessian.
STEP = 2e-4
#: Most iterations; five or six are usual.
ITERATIONS = 60


def derivatives(f: Callable[[Floats], Floats], x: Floats) -> tuple[Floats, Floats, Floats]:
    """Value, gradient and Hessian of ``f`` at each row of ``x``.

    Parameters
    ----------
    f : callable
        (m, s, k) -> (m, s, ...): ``s`` points for each of m problems.
    x : float array, shape (m, k)

    Returns
    -------
    value (m, ...), gradient (m, k, ...), Hessian (m, k, k, ...)

    Examples
    --------
    >>> value, gradient, hessian = derivatives(lambda x: x[..., 0] ** 2 * x[..., 1], np.array([[1.0, 2.0]]))
    >>> gradient.round(6).tolist(), hessian.round(5).tolist()
    ([[4.0, 1.0]], [[[4.0, 2.0], [2.0, 0.0]]])
    """
    k = x.shape[1]
    moves, pairs = _stencil(k)
    at = f(x[:, None, :] + moves)
    value, up, down = at[:, 0], at[:, 1 : k + 1], at[:, k + 1 : 2 * k + 1]
    gradient = (up - down) / (2 * STEP)
    hessian = np.empty((x.shape[0], k, k, *at.shape[2:]))
    for i in range(k):
        hessian[:, i, i] = (up[:, i] + down[:, i] - 2 * value) / STEP**2
    for n, (i, j) in enumerate(pairs):
        both = at[:, 2 * k + 1 + 2 * n] + at[:, 2 * k + 2 + 2 * n]
        mixed = (both - up[:, i] - down[:, i] - up[:, j] - down[:, j] + 2 * value) / (2 * STEP**2)
        hessian[:, i, j] = hessian[:, j, i] = mixed
    return value, gradient, hessian


@lru_cache(maxsize=8)
def _stencil(k: int) -> tuple[Floats, list[tuple[int, int]]]:
    """Where the function is evaluated around a point of k coordinates, and the pairs i > j."""
    unit = np.eye(k) * STEP
    pairs = [(i, j) for i in range(k) for j in range(i)]
    both_ways = [sign * (unit[i] + unit[j]) for i, j in pairs for sign in (1, -1)]
    return np.stack([np.zeros(k), *unit, *(-unit), *both_ways]), pairs


def minimize(criterion: Criterion, start: Floats, *, give_up_above: Floats | None = None) -> Floats:
    """The minimum of each problem, from its start, within the bounds of the criterion.

    Parameters
    ----------
    criterion : Criterion
        ``value`` (m, s, k) -> (m, s), ``rows``, ``low`` and ``high``.
    start : float array, shape (m, k)
    give_up_above : float array, shape (m,), optional
        A problem is left where it is as soon as its value less four times the fall that the quadratic model
        still promises stays above this bar.
    """
    low, high = criterion.low, criterion.high
    best = np.clip(start, low, high)
    trial = best.copy()
    move = np.zeros_like(best)
    fall = np.full(len(best), np.inf)
    reached = np.full(len(best), np.inf)
    active = np.arange(len(best))
    problem = criterion
    for _ in range(ITERATIONS):
        x = trial[active]
        value, gradient, hessian = derivatives(problem.value, x)
        # near the minimum rounding would mislead the comparison, and the full step is right
        better = (value < reached[active]) | (fall[active] < 1e-6)
        # a coordinate that presses against its bound stays there
        stuck = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
        newton, expected = _step(gradient, hessian, stuck)
        beyond = ~stuck & ((x + newton < low) | (x + newton > high))
        if beyond.any():
            # it goes to its bound, and the others take the step that suits them then
            jump = np.where(beyond, np.clip(x + newton, low, high) - x, 0.0)
            shifted = gradient + (hessian @ jump[:, :, None])[:, :, 0]
            rest, _ = _step(shifted, hessian, stuck | beyond)
            newton = np.where(beyond, jump, rest)
            several = np.flatnonzero(beyond.sum(axis=1) > 1)
            if len(several):  # both at their bounds can lead uphill although one of them leads down
                rows = (x[several], gradient[several], hessian[several], stuck[several], jump[several])
                newton[several] = _boxed_step(*rows, low, high)
        moved = active[better]
        best[moved], move[moved], reached[moved] = x[better], newton[better], value[better]
        fall[moved] = expected[better]
        move[active[~better]] *= 0.25
        trial[active] = np.clip(best[active] + move[active], low, high)
        going = fall[active] > 1e-11
        # the last, tiny step needs no check
        best[active[~going]] = trial[active[~going]]
        going &= np.abs(move[active]).max(axis=1) > 1e-9
        if give_up_above is not None:
            going &= reached[active] - 2.0 * fall[active] <= give_up_above[active]
        if not going.any():
            break
        if not going.all():
            active = active[going]
            problem = criterion.rows(active)
    return best


def _step(gradient: Floats, hessian: Floats, held: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Newton step with some coordinates held, no longer than 1 in any; and the fall it promises, twice.

    Directions of negative curvature are followed downhill.
    """
    if held.any():
        gradient = np.where(held, 0.0, gradient)
        hessian = np.where(held[:, :, None] | held[:, None, :], np.eye(gradient.shape[1]), hessian)
    values, vectors = np.linalg.eigh(hessian)
    values = np.maximum(np.abs(values), 1e-3)
    along = (gradient[:, None, :] @ vectors)[:, 0]
    scaled = along / values
    step = -(vectors @ scaled[:, :, None])[:, :, 0]
    step /= np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
    return step, (along * scaled).sum(axis=1)


def _boxed_step(
    x: Floats,
    gradient: Floats,
    hessian: Floats,
    held: NDArray[np.bool_],
    jump: Floats,
    low: Floats,
    high: Floats,
) -> Floats:
    """The step within the bounds that lowers the quadratic model most, some coordinates at their bounds.

    Tried are all subsets of the coordinates with a ``jump`` to their bound, the others taking the step that
    suits them then, cut to the bounds; and the gradient step, which always leads down.
    """
    values, vectors = np.linalg.eigh(hessian)
    values = np.maximum(np.abs(values), 1e-3)
    convex = (vectors * values[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    downhill = np.where(held, 0.0, gradient)
    steps = [-downhill / values.max(axis=1, keepdims=True)]
    for subset in product((False, True), repeat=x.shape[1]):
        at_bound = np.array(subset) & (jump != 0.0)
        move = np.where(at_bound, jump, 0.0)
        rest, _ = _step(gradient + (convex @ move[:, :, None])[:, :, 0], convex, held | at_bound)
        steps.append(np.where(at_bound, move, rest))
    within = np.clip(x + np.stack(steps), low, high) - x
    model = (downhill * within).sum(axis=-1) + 0.5 * np.einsum("smi,mij,smj->sm", within, convex, within)
    return np.asarray(within[model.argmin(axis=0), np.arange(len(x))])
