"""The figure of a gauge study: the components, and the measurements by part, by operator and by both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.measurement_systems.gauge_result import GaugeStudy
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import horizontal, vertical
from perfanalytics.spc.constants import d2, d3

_HEIGHT = 720
_LEFT, _MIDDLE, _RIGHT = (0.0, 0.26), (0.37, 0.63), (0.74, 1.0)
_TOP, _BOTTOM = (0.58, 0.97), (0.03, 0.42)
#: How people are told apart: as a sign in text, as a marker, in color; the line by ``_DASHES``.
LOOKS = (
    ("●", "circle", style.BLUE),
    ("■", "square", style.ORANGE),
    ("◆", "diamond", style.GREEN),
    ("▲", "triangle-up", style.PURPLE),
    ("✖", "x", style.SKY),
    ("✚", "cross", style.GREY),
)
_SHARES = "Where the variation comes from<br>full: standard deviation, hatched: variance"
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeInfo:
    """What is drawn.

    ``component``, ``share_of_variance``, ``share_of_study``: the bars. One cell is a part measured by an
    operator: ``cell_part``, ``cell_operator`` (positions), ``cell_mean``, ``cell_range`` (NaN without
    repeats), ``cell_n``. ``range_limits`` and ``mean_limits`` are (lower, center, upper), NaN where cells
    have no or different numbers of repeats.
    """

    component: tuple[str, ...]
    share_of_variance: NDArray[np.float64]
    share_of_study: NDArray[np.float64]
    cell_part: NDArray[np.int64]
    cell_operator: NDArray[np.int64]
    cell_mean: NDArray[np.float64]
    cell_range: NDArray[np.float64]
    cell_n: NDArray[np.int64]
    range_limits: tuple[float, float, float]
    mean_limits: tuple[float, float, float]
    part_mean: NDArray[np.float64]
    operator_mean: NDArray[np.float64]


def info(result: GaugeStudy) -> GaugeInfo:
    """The arrays of the figure."""
    share = result.variance / result.variance[-1] if result.variance[-1] > 0 else result.variance * np.nan
    keys = result.operator_of * len(result.parts) + result.part_of
    cells, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
    means = np.bincount(where, result.values) / counts
    highs, lows = np.full(len(cells), -np.inf), np.full(len(cells), np.inf)
    np.maximum.at(highs, where, result.values)
    np.minimum.at(lows, where, result.values)
    ranges = np.where(counts > 1, highs - lows, np.nan)
    r = result.repeats
    range_limits = mean_limits = (math.nan, math.nan, math.nan)
    if r > 1:
        center, overall = float(ranges.mean()), float(result.values.mean())
        sigma = center / d2(r)
        range_limits = (max(0.0, center - 3 * d3(r) * sigma), center, center + 3 * d3(r) * sigma)
        half = 3 * sigma / math.sqrt(r)
        mean_limits = (overall - half, overall, overall + half)
    return GaugeInfo(
        component=tuple(result.component[:-1].tolist()),
        share_of_variance=share[:-1],
        share_of_study=np.sqrt(share[:-1]),
        cell_part=cells % len(result.parts),
        cell_operator=cells // len(result.parts),
        cell_mean=means,
        cell_range=ranges,
        cell_n=counts,
        range_limits=range_limits,
        mean_limits=mean_limits,
        part_mean=np.bincount(result.part_of, result.values) / np.bincount(result.part_of),
        operator_mean=np.bincount(result.operator_of, result.values) / np.bincount(result.operator_of),
    )


def draw(result: GaugeStudy) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    unit, several = result.measure.unit, len(result.operators) > 1
    label = result.measure.label
    part_axis, operator_axis = _names(result.parts.tolist()), _names(result.operators.tolist())
    cells = {"range": [-0.7, len(record.cell_mean) - 0.3], "showgrid": False} | _operator_ticks(
        result, record
    )
    repeats = f"range of repeats ({unit})" if unit not in ("", "1") else "range of repeats"
    layout = style.layout(
        f"Measurement system of {result.measure.name}: {result.standing}",
        height=_HEIGHT,
        margin={"l": 110, "r": 30, "t": 75, "b": 70},
    ) | {
        "barmode": "group",
        "bargap": 0.25,
        "xaxis": style.axis(
            "share of the total", domain=_LEFT, anchor="y", tickformat=".0%", range=[0, 1.02], nticks=6
        ),
        "yaxis": style.axis("", domain=_TOP, anchor="x", autorange="reversed", showgrid=False),
        "xaxis2": style.axis("", domain=_MIDDLE, anchor="y2", **cells),
        "yaxis2": style.axis(repeats, domain=_TOP, anchor="x2", rangemode="tozero"),
        "xaxis3": style.axis("", domain=_RIGHT, anchor="y3", **cells),
        "yaxis3": style.axis(f"mean {label}", domain=_TOP, anchor="x3"),
        "xaxis4": style.axis("part", domain=_LEFT, anchor="y4", **part_axis),
        "yaxis4": style.axis(label, domain=_BOTTOM, anchor="x4"),
        "xaxis5": style.axis("operator" if several else "", domain=_MIDDLE, anchor="y5", **operator_axis),
        "yaxis5": style.axis(label, domain=_BOTTOM, anchor="x5"),
        "xaxis6": style.axis("part", domain=_RIGHT, anchor="y6", **part_axis),
        "yaxis6": style.axis(f"mean {label}", domain=_BOTTOM, anchor="x6", range=_below_the_key(record)),
        "shapes": [
            *_rule(record),
            *_limits(record.range_limits, 2),
            *_limits(record.mean_limits, 3),
            *_borders(record),
        ],
        "annotations": _headings(result, record),
    }
    data = [
        *_bars(record),
        *_by_cell(result, record),
        *_by_part(result, record),
        *_by_operator(result, record),
    ]
    return {"data": [*data, *_interaction(result, record)], "layout": layout}


def _bars(record: GaugeInfo) -> list[dict[str, Any]]:
    rows = (
        ("of the variation (standard deviations)", record.share_of_study, style.BLUE, ""),
        ("of the variance", record.share_of_variance, style.LIGHT, "/"),
    )
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": share,
            "y": list(record.component),
            "marker": {
                "color": color,
                "line": {"color": style.GREY, "width": 1},
                "pattern": {"shape": pattern},
            },
            "hovertemplate": "%{y}: %{x:.1%} " + name + "<extra></extra>",
        }
        for name, share, color, pattern in rows
    ]


def _by_cell(result: GaugeStudy, record: GaugeInfo) -> list[dict[str, Any]]:
    """Ranges and means in the order of operators and parts, the line broken between operators."""
    traces = []
    parts, operators = result.parts.tolist(), result.operators.tolist()
    for o in range(len(operators)):
        own = np.flatnonzero(record.cell_operator == o)
        text = [f"{operators[o]} part {parts[p]}".strip() for p in record.cell_part[own]]
        for k, values in ((2, record.cell_range), (3, record.cell_mean)):
            if not np.isfinite(values[own]).any():
                continue
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "x": own,
                    "y": values[own],
                    "text": text,
                    "xaxis": f"x{k}",
                    "yaxis": f"y{k}",
                    "line": {"color": style.GREY, "width": 1},
                    "marker": {"color": style.BLUE, "size": 6},
                    "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
                }
            )
    return traces


def _by_part(result: GaugeStudy, record: GaugeInfo) -> list[dict[str, Any]]:
    return _points_and_means(result.part_of, result.values, record.part_mean, 4)


def _by_operator(result: GaugeStudy, record: GaugeInfo) -> list[dict[str, Any]]:
    return _points_and_means(result.operator_of, result.values, record.operator_mean, 5)


def _points_and_means(
    where: NDArray[np.int64], values: NDArray[np.float64], means: NDArray[np.float64], panel: int
) -> list[dict[str, Any]]:
    axes = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": where,
        "y": values,
        "marker": {"color": style.GREY, "symbol": "circle-open", "size": 6},
        "hovertemplate": "%{y:.4g}<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": np.arange(len(means)),
        "y": means,
        "line": {"color": style.BLUE, "width": 1.5},
        "marker": {"color": style.BLUE, "symbol": "diamond", "size": 8},
        "hovertemplate": "mean %{y:.4g}<extra></extra>",
    }
    return [points | axes, line | axes]


def _interaction(result: GaugeStudy, record: GaugeInfo) -> list[dict[str, Any]]:
    if result.design != "crossed":
        return []
    traces = []
    for o, name in enumerate(result.operators.tolist()):
        own = record.cell_operator == o
        _, symbol, color = LOOKS[o % len(LOOKS)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": record.cell_part[own],
                "y": record.cell_mean[own],
                "xaxis": "x6",
                "yaxis": "y6",
                "line": {"color": color, "width": 1.5, "dash": _DASHES[o % len(_DASHES)]},
                "marker": {"color": color, "symbol": symbol, "size": 7},
                "hovertemplate": f"{name}: " + "%{y:.4g}<extra></extra>",
            }
        )
    return traces


def _below_the_key(record: GaugeInfo) -> list[float]:
    """Range of the means with room above them: there stands which operator is which."""
    low, high = float(record.cell_mean.min()), float(record.cell_mean.max())
    span = (high - low) or abs(high) or 1.0
    return [low - 0.06 * span, high + 0.14 * span]


def _names(names: list[str]) -> dict[str, Any]:
    """Ticks with at most 12 names; long ones stand upright."""
    if names == [""]:
        return {"tickvals": [0], "ticktext": ["all"], "range": [-0.6, 0.6]}
    shown = range(0, len(names), math.ceil(len(names) / 12))
    longest = max(len(names[k]) for k in shown)
    return {
        "tickvals": list(shown),
        "ticktext": [names[k] if len(names[k]) <= 12 else names[k][:11] + "…" for k in shown],
        "tickangle": -90 if longest * len(shown) > 36 else 0,
        "range": [-0.6, len(names) - 0.4],
        "showgrid": False,
    }


def _operator_ticks(result: GaugeStudy, record: GaugeInfo) -> dict[str, Any]:
    names = result.operators.tolist()
    if names == [""]:
        return {"tickvals": [], "ticktext": []}
    middle = [float(np.flatnonzero(record.cell_operator == o).mean()) for o in range(len(names))]
    return {"tickvals": middle, "ticktext": names, "ticks": "", "tickangle": -90 if len(names) > 8 else 0}


def _rule(record: GaugeInfo) -> list[dict[str, Any]]:
    """AIAG's 10 and 30 percent."""
    return [vertical(at, color=style.INK, dash="dot") for at in (0.1, 0.3)]


def _limits(limits: tuple[float, float, float], panel: int) -> list[dict[str, Any]]:
    return [
        horizontal(value, xref=f"x{panel} domain", yref=f"y{panel}", color=style.GREY, width=1.2, dash=dash)
        for value, dash in zip(limits, ("dash", "solid", "dash"), strict=True)
        if math.isfinite(value)
    ]


def _borders(record: GaugeInfo) -> list[dict[str, Any]]:
    """Lines between the operators."""
    at = np.flatnonzero(np.diff(record.cell_operator)) + 0.5
    return [
        {
            "type": "line",
            "xref": f"x{panel}",
            "yref": f"y{panel} domain",
            "x0": float(x),
            "x1": float(x),
            "y0": 0,
            "y1": 1,
            "line": {"color": style.LIGHT, "width": 1},
        }
        for panel in (2, 3)
        for x in at
    ]


def _headings(result: GaugeStudy, record: GaugeInfo) -> list[dict[str, Any]]:
    several = result.design == "crossed"
    middle = "by operator" if len(result.operators) > 1 else "all measurements"
    made = [
        (_SHARES, 1, 1),
        ("Repeats of each part, by operator", 2, 1),
        ("Means of each part, by operator", 3, 1),
        ("By part", 1, 0),
        (middle.capitalize(), 2, 0),
        ("Parts as each operator sees them" if several else "", 3, 0),
    ]
    columns, rows = (_LEFT, _MIDDLE, _RIGHT), (_BOTTOM, _TOP)
    notes = [
        {
            "xref": "paper",
            "yref": "paper",
            "x": columns[c - 1][0],
            "y": rows[r][1],
            "xanchor": "left",
            "yanchor": "bottom",
            "align": "left",
            "text": text,
            "showarrow": False,
            "font": {"size": 12, "color": style.INK},
        }
        for text, c, r in made
        if text
    ]
    if several:
        notes += _ends(result, record)
    return notes


def _ends(result: GaugeStudy, record: GaugeInfo) -> list[dict[str, Any]]:
    """Whose line is which: symbols with names, above the panel's right end."""
    return [
        {
            "xref": "paper",
            "yref": "paper",
            "x": _RIGHT[0],
            "y": _BOTTOM[1] - 0.005,
            "xanchor": "left",
            "yanchor": "top",
            "text": who_is_who(result.operators.tolist()),
            "showarrow": False,
            "font": {"size": 11, "color": style.INK},
            "bgcolor": "rgba(255,255,255,0.7)",
        }
    ]


def who_is_who(names: list[str]) -> str:
    """The signs of people with their names, at most six."""
    shown = [
        f'<span style="color:{c}">{sign}</span> {n}' for (sign, _, c), n in zip(LOOKS, names, strict=False)
    ]
    return "  ".join(shown) + (f"  and {len(names) - 6} more" if len(names) > 6 else "")
