"""Where labels go, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perfanalytics.core.columns import Floats

#: Height of a line of text in pixels.
LINE = 15.0


def spread_out(values: Sequence[float], room: float) -> list[float]:
    """Positions for labels at these heights, moved apart so that neighbours are ``room`` from each other.

    Examples
    --------
    >>> spread_out([1.0, 1.1, 5.0], 1.0)
    [0.55, 1.55, 5.0]
    """
    order = np.argsort(values, kind="stable")
    # with the room taken off, the places must not fall: pool neighbours that do (isotonic regression)
    pools: list[tuple[float, int]] = []
    for value in np.asarray(values, dtype=float)[order] - room * np.arange(len(order)):
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, n), (b, m) = pools.pop(-2), pools.pop()
            pools.append(((a * n + b * m) / (n + m), n + m))
    out = np.empty(len(order))
    out[order] = np.repeat([p for p, _ in pools], [n for _, n in pools]) + room * np.arange(len(order))
    return [round(float(v), 12) for v in out]


def beside(
    points: Floats, which: Sequence[int], widths: Sequence[float], width: float, height: float
) -> dict[int, tuple[float, float]]:
    """Where the labels of some points go: offsets of their centers in pixels (right, up).

    Labels are placed one after the other, each in the nearest place around its point that covers no label
    and no labelled point and stays inside; other points are avoided where that is possible. A label that
    finds no place is left out.

    Parameters
    ----------
    points : float array, shape (n, 2)
        All points, in pixels from the lower left corner.
    which : sequence of int
        The points to be labelled, the most important first.
    widths : sequence of float
        Width of the label of each of them.
    width, height : float
        Of the plotting area.

    Examples
    --------
    >>> beside(np.array([[50.0, 50.0], [52.0, 50.0]]), [0], [20.0], 200.0, 100.0)
    {0: (0.0, 16.0)}
    """
    boxes: list[tuple[float, float, float, float]] = []
    out: dict[int, tuple[float, float]] = {}
    marked = points[list(which)]
    for k, wide in zip(which, widths, strict=True):
        x, y = points[k]
        best, found = np.inf, None
        for away in (16.0, 28.0, 42.0, 60.0):
            for angle in range(0, 360, 30):
                right = (away - 8.0 + wide / 2.0) * np.sin(np.radians(angle))
                up = away * np.cos(np.radians(angle))
                box = (x + right - wide / 2, y + up - LINE / 2, x + right + wide / 2, y + up + LINE / 2)
                if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height:
                    continue
                if any(_cross(box, other) for other in boxes) or _inside(marked, box):
                    continue
                cost = away + 12.0 * _inside(points, box)
                if cost < best - 1e-9:
                    best, found = cost, (right, up, box)
        if found is not None:
            out[int(k)] = (round(float(found[0]), 6) + 0.0, round(float(found[1]), 6) + 0.0)
            boxes.append(found[2])
    return out


def _cross(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(points: Floats, box: tuple[float, ...]) -> int:
    """How many points (with the room of their mark) a box covers."""
    x, y = points[:, 0], points[:, 1]
    return int(np.count_nonzero((x > box[0] - 4) & (x < box[2] + 4) & (y > box[1] - 4) & (y < box[3] + 4)))
