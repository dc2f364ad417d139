"""The figure of data quality: what the checks found, the last digits, and the volume in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical

_LOOK = {
    "wrong": (style.ORANGE, "x"),
    "look": (style.PURPLE, "diamond"),
    "note": (style.GREY, "circle-open"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQualityInfo:
    """What is drawn: checks with findings (most severe last), digits seen and expected, volume in time."""

    check: NDArray[Any]
    standing: NDArray[Any]
    share: Floats
    said: NDArray[Any]
    fine: int
    digit_seen: Floats
    digit_expected: Floats
    period: NDArray[np.datetime64]
    volume: NDArray[np.int64]
    changed_at: np.datetime64 | None


def info(result: DataQuality) -> DataQualityInfo:
    """The arrays of the figure."""
    rank = {"wrong": 2, "look": 1, "note": 0}
    shown = [k for k, s in enumerate(result.standing.tolist()) if s != "fine"]
    order = sorted(shown, key=lambda k: (rank[str(result.standing[k])], result.share[k]))
    names: list[str] = []
    said: list[str] = []
    for k in order:
        name = str(result.check[k])
        if name in ("missing attribute", "sudden change of mix"):
            name = f"{name}: {_what(result, k)}"
        names.append(name)
        said.append(str(result.example[k]) if name.startswith("sudden") else f"{int(result.found[k]):,}")
    return DataQualityInfo(
        check=np.array(names, dtype=object),
        standing=result.standing[order],
        # a change is one, whatever share of levels or periods that is
        share=np.where([c.startswith("sudden") for c in names], 0.0, result.share[order]),
        said=np.array(said, dtype=object),
        fine=int(np.sum(result.standing == "fine")),
        digit_seen=result.digit_seen / max(float(result.digit_seen.sum()), 1.0),
        digit_expected=result.digit_expected / max(float(result.digit_expected.sum()), 1.0),
        period=result.period,
        volume=result.volume,
        changed_at=result.changed_at,
    )


def _what(result: DataQuality, k: int) -> str:
    if result.check[k] == "missing attribute":
        return str(result.meaning[k]).removeprefix("observations without ")
    return str(result.example[k] or "").split("=")[0]


def draw(result: DataQuality) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    height = max(430, 190 + 24 * len(record.check))
    checks = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": {"wrong": "cannot be", "look": "to be looked at", "note": "note"}[standing],
            "x": record.share[here],
            "y": record.check[here],
            "text": [f" {text}" for text in record.said[here].tolist()],
            "textposition": "middle right",
            "textfont": {"size": 11},
            "cliponaxis": False,
            "marker": {"color": color, "symbol": symbol, "size": 10},
            "hovertemplate": "%{y}: %{x:.2%}<extra></extra>",
        }
        for standing, (color, symbol) in _LOOK.items()
        if (here := record.standing == standing).any()
    ]
    digits: list[dict[str, Any]] = []
    if len(record.digit_seen):
        place = np.arange(10)
        digits = [
            {
                "type": "bar",
                "x": place,
                "y": record.digit_seen,
                "xaxis": "x2",
                "yaxis": "y2",
                "marker": {"color": style.SKY},
                "showlegend": False,
                "hovertemplate": "ends in %{x}: %{y:.1%}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "expected from neighbouring values",
                "x": place,
                "y": record.digit_expected,
                "xaxis": "x2",
                "yaxis": "y2",
                "line": {"color": style.INK, "width": 1, "dash": "dot"},
                "marker": {"color": style.INK, "symbol": "line-ew-open", "size": 12},
                "hoverinfo": "skip",
            },
        ]
    volume = {
        "type": "scatter",
        "mode": "lines",
        "x": record.period,
        "y": record.volume,
        "xaxis": "x3",
        "yaxis": "y3",
        "line": {"color": style.BLUE, "width": 1.5, "shape": "hv"},
        "showlegend": False,
        "hovertemplate": "%{x|%Y-%m-%d}: %{y:,}<extra></extra>",
    }
    step = f"{result.digit_step:.4g} {result.measure.unit}".strip()
    layout = style.layout(f"Data quality of {result.measure.name}", height=height) | {
        "margin": {"l": 210, "r": 40, "t": 70, "b": 90},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"},
        "xaxis": style.axis(
            "share found", domain=[0.0, 0.36], anchor="y", tickformat=".0%", range=[-0.03, 1.15], nticks=5
        ),
        "yaxis": style.axis("", anchor="x", type="category", tickfont={"size": 11}),
        "xaxis2": style.axis(
            f"last digit, in steps of {step}" if digits else "no steps to judge digits by",
            domain=[0.5, 1.0],
            anchor="y2",
            dtick=1,
            range=[-0.6, 9.6],
        ),
        "yaxis2": style.axis(
            "share", domain=[0.6, 1.0], anchor="x2", tickformat=".0%", rangemode="tozero", nticks=5
        ),
        "xaxis3": style.axis("", domain=[0.5, 1.0], anchor="y3", nticks=6),
        "yaxis3": style.axis(
            f"per {result.every or 'period'}",
            domain=[0.0, 0.38],
            anchor="x3",
            rangemode="tozero",
            nticks=5,
        ),
        "shapes": [] if record.changed_at is None else [_change(record.changed_at)],
        "annotations": [
            {
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1,
                "yshift": 16,
                "xanchor": "left",
                "showarrow": False,
                "text": f"{record.fine} checks found nothing",
                "font": {"size": 11, "color": style.GREY},
            }
        ],
    }
    return {"data": [*checks, *digits, volume], "layout": layout}


def _change(at: np.datetime64) -> dict[str, Any]:
    return vertical(str(at), xref="x3", yref="y3 domain", color=style.ORANGE, width=1.5, dash="dash")
