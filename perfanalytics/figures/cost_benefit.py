"""The figure of a cost-benefit analysis: cumulative cash flow, and what moves the net present value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style, tornado
from perfanalytics.models.cost_benefit import CostBenefit

#: At most this many amounts, those that matter most.
AMOUNTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBenefitInfo:
    """What is drawn: quantiles of the cumulative flow, shape (5, periods + 1); the tornado."""

    flow: NDArray[np.float64]
    amount: tuple[str, ...]
    ends: tuple[tuple[str, str], ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    center: float


def info(result: CostBenefit) -> CostBenefitInfo:
    """The arrays of the figure."""
    ends = zip(result.low_at[:AMOUNTS].tolist(), result.high_at[:AMOUNTS].tolist(), strict=True)
    return CostBenefitInfo(
        flow=result.cumulative,
        amount=tuple(str(a) for a in result.amount[:AMOUNTS].tolist()),
        # what does not vary is told once
        ends=tuple(("" if a == b else number(a), number(b)) for a, b in ends),
        low=result.npv_at_low[:AMOUNTS],
        high=result.npv_at_high[:AMOUNTS],
        center=result.npv_mean,
    )


def draw(result: CostBenefit) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    t = np.arange(record.flow.shape[1])
    both = np.concatenate([t, t[::-1]])
    data: list[dict[str, Any]] = []
    for a, b, color in ((0, 4, "rgba(86, 180, 233, 0.20)"), (1, 3, "rgba(0, 114, 178, 0.28)")):
        y = np.concatenate([record.flow[b], record.flow[a][::-1]])
        data.append(
            {"type": "scatter", "mode": "lines", "x": both, "y": y, "fill": "toself", "fillcolor": color}
            | {"line": {"width": 0}, "hoverinfo": "skip"}
        )
    data.append(
        {"type": "scatter", "mode": "lines+markers", "x": t, "y": record.flow[2]}
        | {"line": {"color": style.BLUE, "width": 2}, "hovertemplate": "%{y:.4g}<extra></extra>"}
    )
    rows = len(record.amount)
    blue = [True] * rows
    own = {"xaxis": "x2", "yaxis": "y2"}
    data += [bar | own for bar in tornado.bars(record.low, record.high, record.center, blue)]
    low = float(min(record.low.min(), record.high.min()))
    high = float(max(record.low.max(), record.high.max()))
    pad = 0.34 * (high - low) or 1.0
    notes = [
        (0.0, "median, middle half, 5% to 95%"),
        (0.62, "each amount at P10 (pale), P90"),
    ]
    layout = style.layout(
        f"Net present value: it pays with a probability of {percent(result.probability_pays)}",
        height=max(420, 200 + 40 * rows),
        margin={"l": 70, "r": 30, "t": 75, "b": 60},
        barmode="overlay",
        shapes=[
            {"type": "line", "xref": "x", "yref": "y", "x0": 0, "x1": int(t[-1]), "y0": 0, "y1": 0}
            | {"line": {"color": style.INK, "width": 1, "dash": "dot"}}
        ],
        annotations=[
            *tornado.ends(record.low, record.high, record.ends, "x2", "y2"),
            *(
                {"xref": "paper", "yref": "paper", "x": x, "y": 1.01, "xanchor": "left", "yanchor": "bottom"}
                | {"text": s, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
                for x, s in notes
            ),
        ],
        xaxis=style.axis(f"end of {result.period}", domain=[0, 0.42], anchor="y", dtick=max(1, len(t) // 8)),
        yaxis=style.axis(f"cumulative, discounted ({result.unit})", anchor="x"),
        xaxis2=style.axis(f"net present value ({result.unit})", domain=[0.62, 1], anchor="y2")
        | {"range": [low - pad, high + pad]},
        yaxis2=style.axis("", anchor="x2", showgrid=False, range=[rows - 0.4, -0.6])
        | {"tickvals": list(range(rows)), "ticktext": [_short(v) for v in record.amount]},
    )
    return {"data": data, "layout": layout}


def _short(name: str, most: int = 22) -> str:
    """A name on two lines where it is long, so that it stays within its panel."""
    if len(name) <= most:
        return name
    cut = name.rfind(" ", 0, most + 1)
    first, rest = (name[:cut], name[cut + 1 :]) if cut > 0 else (name[:most], name[most:])
    return f"{first}<br>{rest if len(rest) <= most else rest[: most - 1] + '…'}"
