"""The figure of a deployment: the effect of each stage and of all, against what was predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opm.deployment_result import DeploymentEvaluation

ROW = 54


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentInfo:
    """What is drawn: one row a stage, then all of them, then what was predicted."""

    label: tuple[str, ...]
    estimate: Floats
    low: Floats
    high: Floats
    role: NDArray[Any]
    note: tuple[str, ...]
    unit: str


def info(result: DeploymentEvaluation) -> DeploymentInfo:
    """The arrays of the figure; of a share in percentage points."""
    share = result.measure.unit in ("", "1")
    factor = 100.0 if share else 1.0
    label = [
        f"{wrapped(str(s), 26, lines=1)}<br><span "
        f"style='font-size:11px'>{wrapped(str(u), 30, lines=1)}</span>"
        for s, u in zip(result.stage.tolist(), result.units.tolist(), strict=True)
    ]
    notes = [
        f"against {wrapped(str(c), 32, lines=1)}" if not w else wrapped(f"not evaluated: {w}", 46, lines=2)
        for c, w in zip(result.compared_with.tolist(), result.why.tolist(), strict=True)
    ]
    rows = [
        ("<b>all stages</b>", result.realized, result.realized_low, result.realized_high, "all", "realized")
    ]
    if np.isfinite(result.predicted):
        low, high = result.predicted_low, result.predicted_high
        rows.append(("<b>predicted</b>", result.predicted, low, high, "predicted", ""))
    return DeploymentInfo(
        label=(*label, *(r[0] for r in rows)),
        estimate=factor * np.append(result.improvement, [r[1] for r in rows]),
        low=factor * np.append(result.low, [r[2] for r in rows]),
        high=factor * np.append(result.high, [r[3] for r in rows]),
        role=np.array([*["stage"] * len(label), *(r[4] for r in rows)], dtype=object),
        note=(*notes, *(r[5] for r in rows)),
        unit="percentage points" if share else result.measure.unit,
    )


def draw(result: DeploymentEvaluation) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(result)
    k = len(told.label)
    rows = np.arange(k)
    data: list[dict[str, Any]] = []
    for role, color, symbol, size in (
        ("stage", style.INK, "circle", 10),
        ("all", style.BLUE, "diamond", 14),
        ("predicted", style.ORANGE, "square-open", 12),
    ):
        use = (told.role == role) & np.isfinite(told.estimate)
        bar = {"type": "data", "symmetric": False, "color": color, "thickness": 2, "width": 7}
        data.append(
            {"type": "scatter", "mode": "markers", "x": told.estimate[use], "y": rows[use]}
            | {"marker": {"size": size, "symbol": symbol, "color": color}}
            | {
                "error_x": bar
                | {"array": (told.high - told.estimate)[use], "arrayminus": (told.estimate - told.low)[use]}
            }
            | {"hovertemplate": "%{x:.4g}<extra></extra>"}
        )
    known = np.concatenate([told.low, told.high, [0.0]])
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    pad = 0.06 * (high - low) or 1.0
    notes = [
        {"xref": "x domain", "yref": "y", "x": 1, "y": i, "xanchor": "left", "xshift": 8, "showarrow": False}
        | {"text": text, "align": "left", "font": {"size": 11, "color": style.GREY}}
        for i, text in enumerate(told.note)
        if text
    ]
    shapes = [
        {"type": "line", "xref": "x", "yref": "y domain", "x0": 0, "x1": 0, "y0": 0, "y1": 1}
        | {"line": {"color": style.INK, "width": 1, "dash": "dot"}}
    ]
    if np.isfinite(result.predicted):
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "y domain",
                "x0": told.low[-1],
                "x1": told.high[-1],
                "y0": 0,
            }
            | {"y1": 1, "fillcolor": "rgba(213, 94, 0, 0.10)", "line": {"width": 0}, "layer": "below"}
        )
    cut = {"type": "line", "xref": "paper", "yref": "y", "x0": -0.28, "x1": 1, "y0": len(result.stage) - 0.5}
    shapes.append(cut | {"y1": len(result.stage) - 0.5, "line": {"color": style.LIGHT, "width": 1}})
    layout = style.layout(
        f"Deployment of '{result.proposal}': realized against predicted",
        height=140 + ROW * k,
        margin={"l": 210, "r": 270, "t": 60, "b": 60},
        shapes=shapes,
        annotations=notes,
        xaxis=style.axis(
            f"improvement of {result.measure.name} ({told.unit})", range=[low - pad, high + pad]
        ),
        yaxis=style.axis("", showgrid=False, range=[k - 0.4, -0.6])
        | {"tickvals": rows.tolist(), "ticktext": list(told.label), "ticks": "", "automargin": False},
    )
    return {"data": data, "layout": layout}
