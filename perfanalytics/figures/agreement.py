"""The figure of an agreement: who agrees with whom, or how far two instruments differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.measurement_systems.agreement_result import Agreement
from perfanalytics.baselines.wording import number
from perfanalytics.figures import style
from perfanalytics.figures.gauge_study import LOOKS, who_is_who
from perfanalytics.figures.labels import spread_out
from perfanalytics.figures.reference_lines import vertical

_LEFT, _RIGHT = (0.0, 0.42), (0.66, 1.0)
#: Larger tables are drawn without numbers in their fields.
_READABLE = 12
_SHARES = ("own repeats alike", "matches the standard", "all alike", "all match the standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementInfo:
    """What is drawn.

    ``label``, ``estimate``, ``low``, ``high``: figures with intervals. ``table`` with ``down`` and
    ``across``: counts of pairs of categories (two raters), or the share of items two raters agree on;
    None where numbers are compared. Then ``points`` (raters, items) holds them, items from low to high.
    """

    label: tuple[str, ...]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    table: NDArray[np.float64] | None
    down: tuple[str, ...]
    across: tuple[str, ...]
    are_counts: bool
    points: NDArray[np.float64]


def info(result: Agreement) -> AgreementInfo:
    """The arrays of the figure."""
    head = str(result.quantity[result.headline])
    wanted: tuple[str, ...] = _SHARES if result.statistic == "attribute" else (head,)
    if result.statistic == "icc":
        wanted = tuple(result.quantity.tolist())
    rows = [k for k, q in enumerate(result.quantity.tolist()) if q in wanted]
    label = []
    for k in rows:
        about, quantity = str(result.about[k]), str(result.quantity[k])
        if result.statistic in ("icc", "attribute"):
            label.append(quantity if about == "all" else f"{about}: {quantity}")
        else:
            label.append(about if about != "all" else f"{quantity}, all")
    table, down, across, are_counts = _table(result)
    order = np.argsort(np.nanmean(result.ratings, axis=1), kind="stable")
    return AgreementInfo(
        label=tuple(label),
        estimate=result.estimate[rows],
        low=result.low[rows],
        high=result.high[rows],
        table=table,
        down=down,
        across=across,
        are_counts=are_counts,
        points=result.ratings[order].T,
    )


def draw(result: Agreement) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    if result.statistic == "bland_altman":
        return _bland_altman(result)
    record = info(result)
    height = max(420, 150 + 26 * max(len(record.label), len(record.down)))
    what = {"icc": "Intraclass correlation", "kendall": "Concordance"}.get(result.statistic, "Agreement")
    layout = style.layout(f"{what} on {result.measure.name}", height=height)
    layout["margin"] = {"l": 110, "r": 30, "t": 90, "b": 70}
    left = _matrix(result, record) if record.table is not None else _profiles(result, record)
    layout |= left["layout"] | {
        "xaxis2": style.axis(_scale_title(result), domain=_RIGHT, anchor="y2", **_scale(result, record)),
        "yaxis2": style.axis(
            "",
            anchor="x2",
            tickvals=list(range(len(record.label))),
            ticktext=[_short(t) for t in record.label],
            range=[len(record.label) - 0.4, -0.6],
            showgrid=False,
        ),
        "annotations": [
            _heading(left["heading"], _LEFT[0]),
            _heading(
                f"With {100 * result.confidence:g}% intervals" if np.isfinite(record.low).any() else "Result",
                _RIGHT[0],
            ),
            *left["notes"],
        ],
        "shapes": [_zero()] if result.statistic != "attribute" else [],
    }
    return {"data": [*left["data"], _forest(record)], "layout": layout}


def _table(result: Agreement) -> tuple[NDArray[np.float64] | None, tuple[str, ...], tuple[str, ...], bool]:
    if not len(result.categories):
        return None, (), (), False
    codes, q = result.ratings, len(result.categories)
    names = [str(n) for n in result.raters]
    owners = result.rater_of
    if result.standard is not None:
        codes = np.column_stack([codes, result.standard])
        owners, names = np.append(owners, len(names)), [*names, "standard"]
    if codes.shape[1] == 2:
        both = ~np.isnan(codes).any(axis=1)
        pairs = codes[both, 0].astype(int) * q + codes[both, 1].astype(int)
        categories = tuple(str(c) for c in result.categories)
        return np.bincount(pairs, minlength=q * q).reshape(q, q).astype(float), categories, categories, True
    k = len(names)
    table = np.full((k, k), np.nan)
    for a in range(k):
        for b in range(k):
            first, second = codes[:, owners == a], codes[:, owners == b]
            there = ~(np.isnan(first)[:, :, None] | np.isnan(second)[:, None, :])
            if a == b:
                there = there & ~np.eye(first.shape[1], dtype=bool)
            if there.any():
                table[a, b] = float(np.mean((first[:, :, None] == second[:, None, :])[there]))
    return table, tuple(names), tuple(names), False


def _matrix(result: Agreement, record: AgreementInfo) -> dict[str, Any]:
    assert record.table is not None
    table = record.table
    top = float(np.nanmax(table)) if np.isfinite(table).any() and np.nanmax(table) > 0 else 1.0
    notes = []
    if max(table.shape) <= _READABLE:
        for (i, j), value in np.ndenumerate(table):
            if math.isnan(value):
                continue
            dark = value / top > 0.6
            notes.append(
                {
                    "x": j,
                    "y": i,
                    "xref": "x",
                    "yref": "y",
                    "text": f"{value:,.0f}" if record.are_counts else f"{100 * value:.0f}%",
                    "showarrow": False,
                    "font": {"size": 12, "color": style.PAPER if dark else style.INK},
                }
            )
    k, m = table.shape
    names = [str(r) for r in result.raters] + (["standard"] if result.standard is not None else [])
    heading = "Share of ratings two raters give alike"
    if record.are_counts:
        heading = f"Items: {names[0]} down, {names[1]} across"
    data = {
        "type": "heatmap",
        "z": table,
        "x": np.arange(m),
        "y": np.arange(k),
        "xgap": 1,
        "ygap": 1,
        "zmin": 0,
        "zmax": top if record.are_counts else 1.0,
        "colorscale": [[0, "#F4F8FB"], [1, style.BLUE]],
        "showscale": False,
        "hovertemplate": "%{z:.3g}<extra></extra>",
    }
    across = {"tickvals": list(range(m)), "ticktext": [_short(t) for t in record.across], "side": "bottom"}
    down = {"tickvals": list(range(k)), "ticktext": [_short(t) for t in record.down], "autorange": "reversed"}
    angle = -90 if sum(len(_short(t)) for t in record.across) > 45 else 0
    return {
        "data": [data],
        "heading": heading,
        "notes": notes,
        "layout": {
            "xaxis": style.axis("", domain=_LEFT, anchor="y", showgrid=False, tickangle=angle, **across),
            "yaxis": style.axis("", anchor="x", showgrid=False, **down),
        },
    }


def _profiles(result: Agreement, record: AgreementInfo) -> dict[str, Any]:
    data = []
    for r, values in enumerate(record.points):
        _, symbol, color = LOOKS[r % len(LOOKS)]
        aside = 0.4 * ((r + 0.5) / len(record.points) - 0.5)  # equal ratings stand side by side
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": str(result.raters[int(result.rater_of[r])]),
                "x": np.arange(1, len(values) + 1) + aside,
                "y": values,
                "marker": {"color": color, "symbol": symbol, "size": 8, "opacity": 0.85},
                "hovertemplate": f"{result.raters[int(result.rater_of[r])]}: " + "%{y:.4g}<extra></extra>",
            }
        )
    legend = who_is_who([str(r) for r in result.raters])
    return {
        "data": data,
        "heading": f"Ratings of each item: {legend}",
        "notes": [],
        "layout": {
            "xaxis": style.axis(
                "items, from low to high", domain=_LEFT, anchor="y", nticks=8, showgrid=False
            ),
            "yaxis": style.axis(result.measure.label, anchor="x"),
        },
    }


def _forest(record: AgreementInfo) -> dict[str, Any]:
    up = np.where(np.isnan(record.high), 0.0, record.high - record.estimate)
    down = np.where(np.isnan(record.low), 0.0, record.estimate - record.low)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": record.estimate,
        "y": np.arange(len(record.label)),
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {"color": style.BLUE, "symbol": "diamond", "size": 9},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": up,
            "arrayminus": down,
            "color": style.BLUE,
            "thickness": 1.5,
            "width": 5,
        },
        "hovertemplate": "%{x:.3f}<extra></extra>",
    }


def _scale(result: Agreement, record: AgreementInfo) -> dict[str, Any]:
    if result.statistic == "attribute":
        return {"range": [0, 1.02], "tickformat": ".0%", "nticks": 6}
    lowest = np.nanmin(np.append(np.append(record.low, record.estimate), 0.0))
    return {"range": [max(-1.05, float(lowest) - 0.05), 1.05], "nticks": 6}


def _scale_title(result: Agreement) -> str:
    if result.statistic == "attribute":
        return "share of items"
    return (
        "coefficient" if result.statistic == "icc" else f"{result.quantity[result.headline]} (1: all alike)"
    )


def _zero() -> dict[str, Any]:
    return vertical(0, xref="x2", yref="y2 domain", color=style.GREY, dash="dot")


def _short(text: str) -> str:
    text = text.removeprefix("category ")
    return text if len(text) <= 26 else text[:25] + "…"


def _heading(text: str, x: float) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": 1.02,
        "xanchor": "left",
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": style.INK},
    }


def _bland_altman(result: Agreement) -> dict[str, Any]:
    """Differences over means, with the bias, the limits of agreement and their intervals."""
    first, second = result.ratings.T
    both = ~np.isnan(result.ratings).any(axis=1)
    names = [str(result.raters[int(r)]) for r in result.rater_of]
    x, y = (first[both] + second[both]) / 2, first[both] - second[both]
    rows = {q: k for k, q in enumerate(result.quantity.tolist())}
    lines = [(q, float(result.estimate[rows[q]])) for q in ("lower limit", "bias", "upper limit")]
    spread = abs(lines[2][1] - lines[0][1]) / 20
    ends = [float(v) for q, _ in lines for v in (result.low[rows[q]], result.high[rows[q]])]
    low, high = min([*ends, float(y.min())]), max([*ends, float(y.max())])
    pad = 0.06 * (high - low) or 1.0
    low, high = low - pad, high + pad
    shapes: list[dict[str, Any]] = []
    for name, value in lines:
        k, dash = rows[name], "solid" if name == "bias" else "dash"
        band = {"type": "rect", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "layer": "below"}
        ends_of = {"y0": float(result.low[k]), "y1": float(result.high[k])}
        shapes.append(band | ends_of | {"fillcolor": style.LIGHT, "opacity": 0.45, "line": {"width": 0}})
        rule = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": value, "y1": value}
        shapes.append(rule | {"line": {"color": style.GREY, "dash": dash, "width": 1.5}})
    height, margin = 460, {"l": 75, "r": 175, "t": 70, "b": 65}
    room = 17 * (high - low) / (height - margin["t"] - margin["b"])
    labels = [
        {
            "xref": "paper",
            "yref": "y",
            "x": 1.01,
            "y": at,
            "xanchor": "left",
            "yanchor": "middle",
            "text": f"{name} {number(value, result.measure.unit, spread=spread)}",
            "showarrow": False,
            "font": {"size": 12, "color": style.INK},
        }
        for (name, value), at in zip(lines, spread_out([v for _, v in lines], room), strict=True)
    ]
    unit = f" ({result.measure.unit})" if result.measure.unit not in ("", "1") else ""
    layout = style.layout(f"Differences between {names[0]} and {names[1]}", height=height, margin=margin) | {
        "xaxis": style.axis(f"mean of the two{unit}"),
        "yaxis": style.axis(f"{names[0]} minus {names[1]}{unit}", range=[low, high]),
        "shapes": shapes,
        "annotations": [*labels, _heading("grey bands: where the lines may lie", 0.0)],
    }
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "text": [str(i) for i in result.items[both]],
        "marker": {"color": style.BLUE, "size": 8, "opacity": 0.85},
        "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
    }
    return {"data": [points], "layout": layout}
