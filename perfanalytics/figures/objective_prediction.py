"""The figure of a predicted objective: so far, items ahead, whole period, against what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.figures import style
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivePredictionInfo:
    """What is drawn, one row a part: estimate and interval (NaN: none), and what is asked for."""

    part: tuple[str, ...]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    required: float
    side: str
    is_share: bool


def info(result: ObjectivePrediction) -> ObjectivePredictionInfo:
    """The arrays of the figure; parts without any item are left out."""
    table = result.to_frame()
    # without an end nothing is ahead, and the level is what is judged
    if result.until is None:
        table.loc[1, "n"] = -1
        table = table.iloc[:2]
    table = table[table["n"] != 0]
    said = {-1: "level of the process"}
    return ObjectivePredictionInfo(
        part=tuple(
            said.get(n, f"{part} ({n:,})")
            for part, n in zip(table["part"].tolist(), table["n"].tolist(), strict=True)
        ),
        estimate=table["estimate"].to_numpy(dtype=float),
        low=table["low"].to_numpy(dtype=float),
        high=table["high"].to_numpy(dtype=float),
        required=result.required,
        side=result.side,
        is_share=result.form == "share" or result.objective.statistic == "share",
    )


def _percent(record: ObjectivePredictionInfo) -> str:
    """As many digits as tell neighbouring marks of the axis apart."""
    drawn = np.concatenate([record.estimate, record.low, record.high, [record.required]])
    span = float(np.ptp(drawn[~np.isnan(drawn)]))
    return ".0%" if span >= 0.08 or span == 0 else ".1%" if span >= 0.008 else ".2%"


def draw(result: ObjectivePrediction) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows = list(range(len(record.part)))
    asked = percent(record.required) if record.is_share else number(record.required, result.unit)
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": record.estimate,
            "y": rows,
            "cliponaxis": False,
            "marker": {
                "size": 11,
                "color": style.BLUE,
                "symbol": ["circle", "square", "diamond"][: len(rows)],
            },
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(record.high - record.estimate),
                "arrayminus": np.nan_to_num(record.estimate - record.low),
                "color": style.BLUE,
                "thickness": 2,
            },
            "hovertemplate": "%{x:.4g}<extra></extra>",
        }
    ]
    unit = "" if result.unit in ("", "1") else f" ({result.unit})"
    quantity = "share" if record.is_share else result.objective.statistic
    label = f"{result.measure.name}: {quantity}{unit}"
    if result.objective.statistic not in ("share", "mean", "rate"):
        side = result.objective.direction.replace("_", " ")
        target = number(result.objective.target, result.measure.unit)
        label = f"share of items with {result.measure.name} {side} {target}"
    thing = "item" if result.form == "share" or quantity == "mean" else "period"
    layout = style.layout(
        f"{result.objective.name}: {count(result.n_ahead, thing)} ahead"
        if result.n_ahead
        else result.objective.name,
        height=190 + 40 * len(rows),
        margin={"l": 60, "r": 40, "t": 75, "b": 60},
        shapes=[
            {"type": "line", "xref": "x", "yref": "paper", "x0": record.required, "x1": record.required}
            | {"y0": 0, "y1": 1, "line": {"color": style.ORANGE, "width": 1.5, "dash": "dash"}}
        ],
        annotations=[
            {"xref": "x", "yref": "paper", "x": record.required, "y": 1.0, "yanchor": "bottom"}
            | {"text": f"{record.side.replace('_', ' ')} {asked}", "showarrow": False}
            | {"font": {"size": 12, "color": style.INK}}
        ],
        xaxis=style.axis(label, tickformat=_percent(record) if record.is_share else ""),
        yaxis=style.axis("", range=[len(rows) - 0.5, -0.5], showgrid=False)
        | {"tickvals": rows, "ticktext": list(record.part)},
    )
    return {"data": data, "layout": layout}
