"""The figure of a risk register: the risk matrix, probability against what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.practices.qwm.work_review_risks import RiskRegister

#: Where a probability begins to be small, middling, large.
STEPS = (0.0, 1 / 3, 2 / 3, 1.0)
#: Where risks without a recorded cost are drawn: below the matrix.
UNKNOWN = -0.35
#: Fields of the matrix from harmless to severe, pale enough for black text.
SHADES = ("#F4F4F4", "#E4ECF3", "#D3DEE9", "#F3D9C6", "#E9BFA2")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMatrixInfo:
    """What is drawn: the open risks, numbered; ``height`` in thirds of the largest cost, or below."""

    label: tuple[str, ...]
    probability: NDArray[np.float64]
    height: NDArray[np.float64]
    cost: NDArray[np.float64]
    computed: NDArray[np.bool_]
    largest: float
    left_out: tuple[str, ...]


def info(result: RiskRegister) -> RiskMatrixInfo:
    """The arrays of the figure; risks without a probability are named beside it."""
    still = result.state == "open"
    shown = still & ~np.isnan(result.probability)
    cost = result.cost[shown]
    largest = float(np.nanmax(cost)) if (~np.isnan(cost)).any() else 1.0
    largest = largest or 1.0
    return RiskMatrixInfo(
        label=tuple(str(r) for r in result.risk[shown].tolist()),
        probability=result.probability[shown],
        height=np.where(np.isnan(cost), UNKNOWN, 3 * cost / largest),
        cost=cost,
        computed=result.origin[shown] == "computed",
        largest=largest,
        left_out=tuple(str(r) for r in result.risk[still & ~shown].tolist()),
    )


def draw(result: RiskRegister) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    fields = [
        {
            "type": "rect",
            "xref": "x",
            "yref": "y",
            "layer": "below",
            "line": {"width": 1, "color": style.PAPER},
        }
        | {"x0": STEPS[i], "x1": STEPS[i + 1], "y0": j, "y1": j + 1, "fillcolor": SHADES[i + j]}
        for i in range(3)
        for j in range(3)
    ]
    numbers = [str(k + 1) for k in range(len(record.label))]
    data = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": record.probability,
            "y": record.height,
            "text": numbers,
            "textfont": {"color": style.PAPER, "size": 12},
            "marker": {
                "size": 24,
                "color": style.INK,
                "symbol": ["square" if c else "circle" for c in record.computed.tolist()],
            },
            "customdata": list(record.label),
            "hovertemplate": "%{customdata}<extra></extra>",
            "cliponaxis": False,
        }
    ]
    ticks = [0, 1, 2, 3]
    texts = [number(record.largest * t / 3) for t in ticks]
    key = [
        f"{n}  {_short(t)} ({_chance(float(p))})"
        for n, t, p in zip(numbers, record.label, record.probability, strict=True)
    ]
    key += [f"no probability: {_short(t)}" for t in record.left_out]
    unknown = bool(np.isnan(record.cost).any())
    notes = [
        {"xref": "paper", "yref": "paper", "x": 1.03, "y": 1 - 0.075 * k, "xanchor": "left", "yanchor": "top"}
        | {"text": line, "showarrow": False, "align": "left", "font": {"size": 12, "color": style.INK}}
        for k, line in enumerate(key)
    ]
    if unknown:
        notes.append(
            {"xref": "x", "yref": "y", "x": 0.02, "y": UNKNOWN, "text": "cost not recorded"}
            | {"showarrow": False, "xanchor": "left", "font": {"size": 11, "color": style.GREY}}
        )
        fields.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "y",
                "x0": 0,
                "x1": 1,
                "y0": -0.65,
                "y1": -0.05,
                "layer": "below",
            }
            | {"fillcolor": style.PAPER, "line": {"width": 1, "color": style.LIGHT, "dash": "dot"}}
        )
    layout = style.layout(
        "Risk matrix: circle as recorded, square from a prediction only",
        height=max(430, 200 + 30 * len(key)),
        margin={"l": 80, "r": 330, "t": 60, "b": 60},
        shapes=fields,
        annotations=notes,
        xaxis=style.axis("probability", range=[-0.03, 1.03], showgrid=False)
        | {"tickvals": list(STEPS), "ticktext": ["0%", "33%", "67%", "100%"]},
        yaxis=style.axis("what it costs", range=[-0.8 if unknown else -0.1, 3.2], showgrid=False)
        | {"tickvals": ticks, "ticktext": texts},
    )
    return {"data": data, "layout": layout}


def _chance(probability: float) -> str:
    return percent(probability).replace("more than ", ">").replace("less than ", "<")


def _short(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
