"""Predictions beside what happened: intervals of items in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import percent
from perfanalytics.figures import style
from perfanalytics.models.backtest import Backtest
from perfanalytics.models.predictions import Predictions

#: At most this many items, the latest.
ITEMS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedInfo:
    """What is drawn, one entry an item: interval, estimate, outcome (NaN where not known yet)."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    estimate: NDArray[np.float64]
    observed: NDArray[np.float64]
    outside: NDArray[np.bool_]
    labels: tuple[str, ...]
    hidden: int


def info(result: Backtest | Predictions) -> PredictedInfo:
    """The arrays of the figure."""
    if isinstance(result, Backtest):
        order = np.arange(result.n)
        labels = result.label
    else:
        # outcomes first, in the order in which they became known
        order = np.argsort(np.where(result.place < 0, len(result.place), result.place), kind="stable")
        labels = result.items
    shown = order[-ITEMS:]
    low, high, observed = result.item_low[shown], result.item_high[shown], result.observed[shown]
    return PredictedInfo(
        low=low,
        high=high,
        estimate=result.estimate[shown],
        observed=observed,
        outside=(observed < low) | (observed > high),
        labels=tuple(str(v) for v in labels[shown].tolist()),
        hidden=len(order) - len(shown),
    )


def draw(result: Backtest | Predictions) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    n = len(record.low)
    x = list(range(1, n + 1))
    lines = [v for a in x for v in (a, a, None)]
    ends = [v for a, b in zip(record.low.tolist(), record.high.tolist(), strict=True) for v in (a, b, None)]
    width = 6 if n <= 60 else 3 if n <= 150 else 1.5
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": lines, "y": ends, "hoverinfo": "skip"}
        | {"line": {"color": "rgba(86, 180, 233, 0.45)", "width": width}},
        {"type": "scatter", "mode": "markers", "x": x, "y": record.estimate}
        | {"marker": {"symbol": "line-ew-open", "size": 7, "color": style.GREY, "line": {"width": 2}}}
        | {"hovertemplate": "predicted %{y:.4g}<extra></extra>"},
    ]
    for mask, color, symbol, name in (
        (~record.outside & ~np.isnan(record.observed), style.BLUE, "circle", "inside"),
        (record.outside, style.ORANGE, "x", "outside"),
    ):
        own = np.flatnonzero(mask).tolist()
        if own:
            data.append(
                {"type": "scatter", "mode": "markers", "x": [x[k] for k in own], "y": record.observed[own]}
                | {"text": [record.labels[k] for k in own]}
                | {"marker": {"color": color, "symbol": symbol, "size": 7 if n <= 150 else 5}}
                | {"hovertemplate": "%{text}: %{y:.4g}<extra>" + name + "</extra>"}
            )
    if isinstance(result, Backtest):
        nominal, share, title = result.coverage, result.covered, f"Backtest of {result.measure.name}"
    else:
        nominal, share, title = result.confidence, result.inside, f"Predictions of {result.measure.name}"
    note = f"bars: {percent(nominal)} intervals predicted before; ● inside, × outside"
    note += f"; {percent(share)} inside" if share == share else "; no outcome known yet"
    note += f"; the latest {n} of {n + record.hidden}" if record.hidden else ""
    spread = np.concatenate([record.low, record.high, record.observed[~np.isnan(record.observed)]])
    positive = bool(spread.min() > 0 and np.quantile(spread, 0.99) / np.quantile(spread, 0.01) > 30)
    layout = style.layout(
        title,
        xaxis=style.axis(
            "item, in order of time" if isinstance(result, Backtest) else "item", range=[0, n + 1]
        ),
        yaxis=style.axis(result.measure.label, **({"type": "log", "dtick": 1} if positive else {})),
        annotations=[
            {"xref": "paper", "yref": "paper", "x": 0, "y": 1.01, "xanchor": "left", "yanchor": "bottom"}
            | {"text": note, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
        ],
    )
    return {"data": data, "layout": layout}
