"""What the figure of a control chart shows where, as a record of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import period_number
from perfanalytics.spc.families import family_of
from perfanalytics.spc.panel import Panel
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.wording import moment, number, unit_of

#: Width of the plotting area in pixels that label placement reckons with, and of one letter.
WIDTH, LETTER = 900.0, 6.6
#: Rows of event labels above the chart; what does not fit keeps its line and its hover text.
ROWS = 3
ZONES = (-2.0, -1.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A line in steps: x in pairs of edges, NaN rows where it is interrupted."""

    x: NDArray[Any]
    y: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelInfo:
    """One panel as drawn."""

    name: str
    axis: str
    path_x: NDArray[Any]
    path_y: Floats
    center: Steps
    lower: Steps
    upper: Steps
    zones: tuple[Steps, ...]
    #: direction -> positions of the signalling points
    signals: dict[str, NDArray[np.int64]]
    texts: dict[int, str]
    #: (name, value, text) of the lines at the right margin
    levels: tuple[tuple[str, float, str], ...]
    #: True where the panel continues the one above it
    joined: bool = False
    #: center, lower and upper limit of an earlier stage, over the points behind it
    carried: tuple[Steps, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartInfo:
    """A control chart as drawn.

    ``labels`` are events as (x, text, row), row -1 where there was no room; ``stages`` the same for the names
    of stages that are no event.
    """

    title: str
    x: NDArray[Any]
    x_title: str
    value: Floats
    panels: tuple[PanelInfo, ...]
    excluded: dict[int, str]
    borders: NDArray[Any]
    labels: tuple[tuple[Any, str, int], ...]
    stages: tuple[tuple[Any, str, int], ...]
    share: bool


def info(chart: ControlChart) -> ChartInfo:
    """What is drawn where."""
    n = chart.value.shape[1]
    x: NDArray[Any] = chart.when if chart.when is not None else np.arange(n, dtype=np.float64)
    left, right = _edges(x)
    borders = np.flatnonzero(np.diff(chart.stage, prepend=chart.stage[:1])) if n else np.empty(0, dtype=int)
    missing = np.zeros(n, dtype=bool)
    if chart.when is not None and chart.every is not None and n:
        missing[1:] = np.diff(period_number(chart.when, chart.every)) > 1
    labels, stages = _labels(chart, x, left)
    direction = chart.direction
    name = chart.measure.name + (f" [{chart.id}]" if chart.id else "")
    return ChartInfo(
        title=f"{name}: {chart.title}",
        x=x,
        x_title="" if chart.when is not None else "point (0 is the first)",
        value=chart.value,
        panels=tuple(
            _panel(chart, k, x, left, right, missing, direction[k]) for k in range(len(chart.panels))
        ),
        excluded={int(e.point): _excluded_text(e) for e in chart.exclusions if e.point is not None},
        borders=left[[b for b in borders if all(x[b] != at for at, _, _ in labels)]],
        labels=labels,
        stages=stages,
        share=chart.is_share,
    )


def _panel(
    chart: ControlChart,
    k: int,
    x: NDArray[Any],
    left: NDArray[Any],
    right: NDArray[Any],
    missing: NDArray[Any],
    direction: NDArray[Any],
) -> PanelInfo:
    spec = family_of(chart.chart).panels[k]
    value = np.where(chart.excluded, np.nan, chart.value[k])
    at = np.flatnonzero(missing)
    lines = {
        line: _steps(left, right, _inside(getattr(chart, line)[k], spec), chart.stage)
        for line in ("lower", "upper")
    }
    zones: tuple[Steps, ...] = ()
    if spec.independent and chart.sigmas > max(ZONES) and _by_sigma(chart, k):
        zones = tuple(
            _steps(
                left,
                right,
                _inside(chart.center[k] + z * chart.sigma[k], spec),
                chart.stage,
            )
            for z in ZONES
        )
    signals = {
        word: np.flatnonzero(direction == word)
        for word in ("improvement", "concern", "neutral")
        if (direction == word).any()
    }
    unit = unit_of(chart.measure)
    if chart.transform is not None and not spec.level:
        # its name says on which scale it is
        axis = chart.panels[k]
    elif spec.axis:
        words = {"label": chart.measure.label, "name": chart.measure.name}
        axis = spec.axis.format(**words, unit=f" ({unit.strip()})" if unit else "")
    elif k == 0:
        axis = chart.measure.label if not chart.is_share else f"{chart.measure.name} (share)"
    else:
        axis = f"{chart.panels[k]}{f' ({unit.strip()})' if unit else ''}"
    return PanelInfo(
        name=chart.panels[k],
        axis=axis,
        path_x=np.insert(x, at, x[at]) if len(at) else x,
        path_y=np.insert(value, at, np.nan) if len(at) else value,
        center=_steps(left, right, chart.center[k], chart.stage),
        lower=lines["lower"],
        upper=lines["upper"],
        zones=zones,
        signals=signals,
        texts={int(i): _signal_text(chart, k, int(i)) for where in signals.values() for i in where},
        levels=_levels(chart, k),
        joined=spec.main,
        carried=_carried_lines(chart, k, left, right, spec),
    )


def _carried_lines(
    chart: ControlChart, k: int, left: NDArray[Any], right: NDArray[Any], spec: Panel
) -> tuple[Steps, ...]:
    """The limits of an earlier stage, drawn on over the later ones."""
    lines = (chart.carried_center, chart.carried_lower, chart.carried_upper)
    whole = np.zeros_like(chart.stage)
    return tuple(
        _steps(left, right, y[k] if j == 0 else _inside(y[k], spec), whole)
        for j, y in enumerate(lines)
        if y is not None
    )


def _by_sigma(chart: ControlChart, k: int) -> bool:
    """Whether the limits of a panel are those of its sigma (as far as no clip hides them)."""
    seen = np.isfinite(chart.upper[k]) & (chart.sigma[k] > 0)
    reach = (chart.upper[k] - chart.center[k])[seen] / (chart.sigmas * chart.sigma[k])[seen]
    low = (chart.center[k] - chart.lower[k])[seen] / (chart.sigmas * chart.sigma[k])[seen]
    return bool((np.abs(reach - 1) < 1e-9).any() and ((np.abs(low - 1) < 1e-9) | (low < 1)).all())


def _inside(y: Floats, panel: Panel) -> Floats:
    """A limit or zone line at the end of the possible range cannot be passed: it is not drawn."""
    out = y.copy()
    if panel.floor is not None:
        out[out <= panel.floor] = np.nan
    if panel.ceiling is not None:
        out[out >= panel.ceiling] = np.nan
    return out


def _edges(x: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Half way to the neighbours; the outer ones as far as the median step."""
    if len(x) == 0:
        return x, x
    if len(x) == 1:
        half: Any = np.timedelta64(12, "h") if x.dtype.kind == "M" else 0.5
        return x - half, x + half
    step = np.diff(x)
    usual = np.median(step.astype(np.float64))
    # behind a long gap the limits begin half a usual step before the point, not in the middle of the gap
    half_step = np.minimum(step.astype(np.float64), usual) / 2
    if x.dtype.kind == "M":
        half_step = half_step.astype("int64").astype("timedelta64[us]")
        outer: Any = np.timedelta64(int(usual / 2), "us")
    else:
        outer = usual / 2
    left, right = x.copy(), x.copy()
    left[1:] -= half_step
    right[:-1] += half_step
    left[0] -= outer
    right[-1] += outer
    return left, right


def _steps(left: NDArray[Any], right: NDArray[Any], y: Floats, stage: NDArray[np.int64]) -> Steps:
    """The line of ``y`` in steps, one piece a run of equal values, interrupted at stages and NaN."""
    if not len(y):
        return Steps(x=left, y=y)
    if stage[0] == stage[-1] and ((y == y[0]).all() or np.isnan(y).all()):
        # one level throughout, as most lines are
        return Steps(x=np.array([left[0], right[-1], right[-1]]), y=np.array([y[0], y[0], np.nan]))
    # equal to NaN: two missing neighbours are one run
    change = np.diff(y) != 0
    both = np.isnan(y[1:]) & np.isnan(y[:-1])
    border = np.diff(stage) != 0
    first = np.flatnonzero(np.append(True, (change & ~both) | border))
    last = np.append(first[1:], len(y)) - 1
    xs = np.stack([left[first], right[last], right[last]], axis=1)
    ys = np.stack([y[first], y[first], y[first]], axis=1)
    # a gap in time interrupts limits that differ on its two sides
    apart = left[first[1:]] > right[first[1:] - 1]
    ends = np.append(border[first[1:] - 1] | apart, True)
    ys[ends, 2] = np.nan
    return Steps(x=xs.ravel(), y=ys.ravel())


def told(chart: ControlChart, point: int) -> str:
    if chart.when is not None:
        return moment(chart.when[point], chart.every)
    if chart.labels is not None and chart.labels[point]:
        return str(chart.labels[point])
    return f"point {point}"


def _signal_text(chart: ControlChart, k: int, point: int) -> str:
    share, sigma = chart.is_share, float(chart.spread(k)[point])
    rules = "<br>".join(rule.text for rule in chart.rules_at(k, point))
    value = number(float(chart.value[k, point]), sigma, share=share)
    size = (
        "" if chart.sizes is None or family_of(chart.chart).own is not None else f" of {chart.sizes[point]:g}"
    )
    unit = "" if family_of(chart.chart).panels[k].unitless else unit_of(chart.measure)
    return f"{told(chart, point)}: {value}{unit}{size}<br>{rules}"


def _excluded_text(record: Any) -> str:
    who = f" ({record.who}{f', {record.decided_on}' if record.decided_on else ''})" if record.who else ""
    return f"excluded: {record.reason}{who}"


def _levels(chart: ControlChart, k: int) -> tuple[tuple[str, float, str], ...]:
    """Center and limits of the newest point that has limits, with their values in words."""
    seen = np.flatnonzero(np.isfinite(chart.upper[k]) & np.isfinite(chart.center[k]))
    if chart.tests:
        # a chart without limits has its median
        seen = np.flatnonzero(np.isfinite(chart.center[k]))
    if not len(seen):
        return ()
    i = seen[-1]
    spread = float(chart.spread(k)[i])
    spec = family_of(chart.chart).panels[k]
    out = []
    for name, y in (("upper limit", chart.upper), ("center", chart.center), ("lower limit", chart.lower)):
        if name == "center" or np.isfinite(_inside(y[k, i : i + 1], spec)[0]):
            level = float(y[k, i])
            out.append((name, level, number(level, spread, share=chart.is_share)))
    return tuple(out)


def _labels(
    chart: ControlChart, x: NDArray[Any], left: NDArray[Any]
) -> tuple[tuple[tuple[Any, str, int], ...], tuple[tuple[Any, str, int], ...]]:
    """Events within the chart and names of stages, each in the lowest row where it overlaps no other."""
    if not len(x):
        return (), ()
    events = _events(chart, x)
    found = [(at, name, True) for at, name in events]
    found += [(at, name, False) for at, name in _stages(chart, left, {name for _, name in events})]
    found.sort(key=lambda f: f[0])
    span = float((x[-1] - x[0]).astype(np.float64)) or 1.0
    ends = [-np.inf] * ROWS
    out: dict[bool, list[tuple[Any, str, int]]] = {True: [], False: []}
    for at, name, is_event in found:
        start = max(WIDTH * float((at - x[0]).astype(np.float64)) / span, 0.0)
        text = name if len(name) <= 32 else name[:31] + "…"
        # the last labels are right-aligned, so that they stay inside
        width = LETTER * len(text) + 14
        from_x = start if start + width <= WIDTH else start - width
        row = next((r for r in range(ROWS) if ends[r] <= from_x), -1)
        if row >= 0:
            ends[row] = from_x + width
        out[is_event].append((at, text, row))
    return tuple(out[True]), tuple(out[False])


def _events(chart: ControlChart, x: NDArray[Any]) -> list[tuple[Any, str]]:
    if chart.when is None:
        return []
    found = []
    for event in chart.events:
        try:
            at = instant(event.when, chart.provenance.clock)
        except InputError:
            continue
        if x[0] <= at <= x[-1]:
            found.append((at, event.name))
    return found


def _stages(chart: ControlChart, left: NDArray[Any], said: set[str]) -> list[tuple[Any, str]]:
    """Where stages begin, and what they are called; those called by an event have its label already."""
    labels, first = chart.limits.labels, chart.limits.first
    if len(labels) < 2:
        return []
    return [
        (left[a], name)
        for name, a in zip(labels, first.tolist(), strict=True)
        if name and not set(name.split(", ")) <= said
    ]
