"""Random walks that cannot fall below 0, two steps each time: the law of a risk-adjusted CUSUM.

The height of the sum is kept on a grid; a step that ends between two nodes is shared between them so that
its mean stays what it is (the paired rounding of Knoth, Wittenberg and Gan 2019). Each case has its own two
steps, so the law of a whole series is followed case by case; of cases from a mix of risks it is a chain.

References
----------
Brook and Evans (1972), Biometrika 59, 539-549. Steiner, Cook, Farewell and Treasure (2000), Biostatistics 1,
441-452, appendix. Knoth, Wittenberg and Gan (2019), Statistics in Medicine 38, 2206-2218.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats

#: Nodes between 0 and the level.
_NODES = 120


def _moved(mass: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Mass after a step of so many nodes (one a row), and what left at the top; below 0 it stays at 0."""
    rows, nodes = mass.shape
    whole = np.floor(step)
    share = (step - whole)[:, None]
    whole = np.clip(whole, -nodes - 1, nodes + 1).astype(np.int64)[:, None]
    at = np.arange(nodes)[None, :] - whole
    wide = np.zeros((rows, nodes + 1))
    wide[:, :nodes] = mass
    out = (1.0 - share) * np.take_along_axis(wide, np.where((at >= 0) & (at < nodes), at, nodes), axis=1)
    at -= 1
    out += share * np.take_along_axis(wide, np.where((at >= 0) & (at < nodes), at, nodes), axis=1)
    total = mass.sum(axis=1)
    rising = step > 0
    gone = np.where(rising, np.maximum(total - out.sum(axis=1), 0.0), 0.0)
    out[~rising, 0] = np.maximum(total - out[:, 1:].sum(axis=1), 0.0)[~rising]
    return out, gone


def _cases(position: NDArray[np.int64], age: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The cases that come first in their series, then the second ones, ..."""
    order = np.argsort(age, kind="stable")
    edges = np.searchsorted(age[order], np.arange(int(age.max(initial=-1)) + 2))
    for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield order[a:b]


def ever_reaches(
    risk: Floats,
    steps: tuple[Floats, Floats],
    position: NDArray[np.int64],
    age: NDArray[np.int64],
    level: Floats,
    start: float,
) -> Floats:
    """Chance that the sum of each series ever reaches its level; shape (m,).

    Parameters
    ----------
    risk : float array, shape (n,)
        Chance of an event of each case.
    steps : two float arrays, shape (n,)
        Step of the sum without and with an event; one of them is not positive.
    position, age : int arrays, shape (n,)
        Series of each case, and its 0-based place in it.
    level : float array, shape (m,)
    start : float
        Where the sums begin.

    Examples
    --------
    >>> half, one = np.full(2, 0.5), np.ones(2)
    >>> ever_reaches(half, (-one, one), np.zeros(2, int), np.arange(2), np.array([1.0]), 0.0).tolist()
    [0.75]
    """
    m = len(level)
    out = np.where(level <= start, 1.0, 0.0)
    width = np.where(level > 0, level / _NODES, 1.0)
    mass = np.zeros((m, _NODES))
    at = np.minimum(np.floor(start / width + 1e-9), _NODES - 1).astype(np.int64)
    mass[np.arange(m), at] = 1.0
    for cases in _cases(position, age):
        who = position[cases]
        now, chance = mass[who], risk[cases][:, None]
        still, lost = _moved(now, _nodes(steps[0][cases], width[who]))
        event, gone = _moved(now, _nodes(steps[1][cases], width[who]))
        mass[who] = (1.0 - chance) * still + chance * event
        out[who] += (1.0 - risk[cases]) * lost + risk[cases] * gone
    return np.minimum(out, 1.0)


def beyond_in_all(
    risk: Floats,
    steps: tuple[Floats, Floats],
    position: NDArray[np.int64],
    age: NDArray[np.int64],
    h: float,
    start: float,
    *,
    restart: bool,
) -> Floats:
    """Mean number of cases at which the sum of each series lies beyond ``h``; shape (m,).

    With ``restart`` a sum begins anew behind each of them; otherwise it goes on, held at 3 h where it would
    pass that.
    """
    m = int(position.max(initial=-1)) + 1
    nodes = _NODES if restart else 3 * _NODES
    width = np.full(m, h / _NODES)
    mass = np.zeros((m, nodes))
    first = min(int(np.floor(start / h * _NODES + 1e-9)), nodes - 1)
    mass[:, first] = 1.0
    out = np.zeros(m)
    for cases in _cases(position, age):
        who = position[cases]
        now, chance = mass[who], risk[cases][:, None]
        still, lost = _moved(now, _nodes(steps[0][cases], width[who]))
        event, gone = _moved(now, _nodes(steps[1][cases], width[who]))
        new = (1.0 - chance) * still + chance * event
        left = (1.0 - risk[cases]) * lost + risk[cases] * gone
        if restart:
            out[who] += left
            new[:, first] += left
        else:
            new[:, -1] += left
            out[who] += new[:, _NODES:].sum(axis=1)
        mass[who] = new
    return out


def _nodes(step: Floats, width: Floats) -> Floats:
    """A step in nodes; what is a whole number but for rounding is made one."""
    raw = step / width
    near = np.round(raw)
    return np.where(np.abs(raw - near) < 1e-9, near, raw)


def mean_run_length(
    risks: Floats,
    weights: Floats,
    chances: Floats,
    scores: Callable[[Floats], tuple[Floats, Floats]],
    h: float,
    start: float,
    *,
    nodes: int = 250,
) -> float:
    """Mean number of cases until the sum passes ``h``, cases drawn from a mix of risks.

    Parameters
    ----------
    risks, weights, chances : float arrays, shape (k,)
        Risk the score believes, share of such cases, and true chance of their event.
    scores : callable ``risks -> (step without, step with an event)``
    h, start : float
    nodes : int
        Between 0 and ``h``; the answers of these and twice as many are extrapolated (their error falls with
        the square of the width).
    """

    def on(count: int) -> float:
        width = h / count
        still, event = scores(risks)
        law = np.zeros(0)
        low = int(np.floor(min(still.min(), event.min()) / width)) - 1
        high = int(np.floor(max(still.max(), event.max()) / width)) + 2
        law = np.zeros(high - low + 1)
        for step, p in ((still, 1.0 - chances), (event, chances)):
            at = _nodes(step, np.full(len(step), width))
            whole = np.floor(at)
            index = whole.astype(np.int64) - low
            np.add.at(law, index, weights * p * (1.0 - (at - whole)))
            np.add.at(law, index + 1, weights * p * (at - whole))
        # from node i to node j: the chance of a step of j - i; all that falls below 0 stays at 0
        jump = np.arange(count)[None, :] - np.arange(count)[:, None] - low
        inside = (jump >= 0) & (jump < len(law))
        kernel = np.where(inside, law[np.clip(jump, 0, len(law) - 1)], 0.0)
        down = np.cumsum(law)
        reach = np.clip(-np.arange(count) - low, 0, len(law) - 1)
        kernel[:, 0] = np.where(-np.arange(count) - low >= 0, down[reach], 0.0)
        length = np.linalg.solve(np.eye(count) - kernel, np.ones(count))
        place = start / width
        below = min(int(np.floor(place + 1e-9)), count - 1)
        part = min(max(place - below, 0.0), 1.0)
        above = length[below + 1] if below + 1 < count else length[below]
        return float((1.0 - part) * length[below] + part * above)

    coarse, fine = on(nodes), on(2 * nodes)
    return fine + (fine - coarse) / 3.0
