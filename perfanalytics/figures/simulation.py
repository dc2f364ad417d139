"""The figure of a simulation: the distribution of the total with its objective, and what drives it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.figures.distribution import histogram_trace
from perfanalytics.models.simulation.result import Simulation

#: At most this many drivers are drawn.
DRAWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationInfo:
    """What is drawn.

    ``bars``: total shares of the variance, or rank correlations where there are no shares (``by_rank``);
    ``inner``: first-order shares.
    """

    edges: NDArray[np.float64]
    height: NDArray[np.float64]
    marks: tuple[tuple[str, float], ...]
    target: float
    meets: str
    drivers: tuple[str, ...]
    bars: NDArray[np.float64]
    inner: NDArray[np.float64]
    by_rank: bool
    hidden: int
    beyond: float


def info(result: Simulation) -> SimulationInfo:
    """The arrays of the figure."""
    width = np.diff(result.edges)
    value = dict(zip(result.quantity.tolist(), result.estimate.tolist(), strict=True))
    target, meets = math.nan, ""
    if result.objective is not None:
        target = float(result.objective.target)
        sign = "≤" if result.objective.direction == "at_most" else "≥"
        meets = f"{percent(value['probability'], fine=True)} {sign} {number(target)}"
    by_rank = bool(np.isnan(result.share).all())
    strength = result.rank_correlation if by_rank else result.share
    use = np.flatnonzero(np.isfinite(strength) & (strength != 0))
    shown = use[:DRAWN]
    return SimulationInfo(
        edges=result.edges,
        height=result.counts / (result.runs * width),
        marks=(("median", value["p50"]), ("P90", value["p90"])),
        target=target,
        meets=meets,
        drivers=tuple(_short(str(name)) for name in result.driver[shown].tolist()),
        bars=np.maximum(strength[shown], 0.0) if not by_rank else strength[shown],
        inner=np.full(len(shown), np.nan) if by_rank else np.maximum(result.first[shown], 0.0),
        by_rank=by_rank,
        hidden=len(use) - len(shown),
        beyond=1 - float(result.counts.sum()) / result.runs,
    )


def draw(result: Simulation) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    many = len(record.drivers)
    top = 1.22 * float(record.height.max())
    data = [histogram_trace(record.edges, record.height, "x", "y")]
    shapes, notes = _lines(record, result, top)
    note = f"{result.runs:,} runs"
    low, high = _x_range(record)
    if record.meets and not low <= record.target <= high:
        note += f"; {record.meets}"
    if record.beyond > 0:
        note += f"; {percent(record.beyond)} lie outside"
    notes.append(_note(0.0, note))
    layout = style.layout(
        f"Simulated {result.measure.name}",
        height=max(430, 190 + 26 * many),
        margin={"l": 75, "r": 40, "t": 70, "b": 70},
    )
    half = [0.0, 0.46] if many else [0.0, 1.0]
    layout |= {
        "xaxis": style.axis(result.measure.label, domain=half, anchor="y", range=_x_range(record)),
        "yaxis": style.axis(
            "share of runs per unit", anchor="x", range=[0, top], showticklabels=False, ticks=""
        ),
    }
    if many:
        data += _driver_bars(record)
        layout |= _driver_axes(record)
        said = "rank correlation with the total"
        if not record.by_rank:
            said = "dark: alone; light: together with others"
        if record.hidden:
            said += f"; {record.hidden} smaller ones are left out"
        # the longer text begins further left, so that it ends within the figure
        notes.append(_note(0.5 if record.hidden else 0.72, said))
    return {"data": data, "layout": layout | {"shapes": shapes, "annotations": notes, "barmode": "overlay"}}


def _x_range(record: SimulationInfo) -> list[float]:
    """The bars, and the target where it is not far away from them."""
    low, high = float(record.edges[0]), float(record.edges[-1])
    span = high - low
    if low - span < record.target < high + span:
        low, high = min(low, record.target), max(high, record.target)
    return [low - 0.03 * span, high + 0.03 * span]


def _lines(record: SimulationInfo, result: Simulation, top: float) -> tuple[list[Any], list[dict[str, Any]]]:
    """Median, P90 and target as lines, each with its label at a height of its own."""
    low, high = _x_range(record)
    lines = [(f"{name} {number(x)}", x, style.INK, "dot") for name, x in record.marks]
    if low <= record.target <= high:
        lines.append((record.meets, record.target, style.ORANGE, "dash"))
    shapes, notes = [], []
    # labels stand to the right of their lines: the leftmost is the highest, so that no line crosses a label
    for k, (text, x, color, dash) in enumerate(sorted(lines, key=lambda line: line[1])):
        height = 1.0 - 0.065 * k
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "yref": "y domain",
                "x0": x,
                "x1": x,
                "y0": 0,
                "y1": height - 0.01,
                "line": {"color": color, "width": 2 if dash == "dash" else 1.3, "dash": dash},
            }
        )
        right = x > low + 0.62 * (high - low)
        notes.append(
            {
                "xref": "x",
                "yref": "y domain",
                "x": x,
                "y": height,
                "xanchor": "right" if right else "left",
                "yanchor": "top",
                "xshift": -5 if right else 5,
                "text": f"<b>{text}</b>" if dash == "dash" else text,
                "showarrow": False,
                "font": {"size": 12, "color": color},
                "bgcolor": "rgba(255,255,255,0.8)",
            }
        )
    return shapes, notes


def _driver_bars(record: SimulationInfo) -> list[dict[str, Any]]:
    rows = list(range(len(record.drivers)))
    common = {"type": "bar", "orientation": "h", "y": rows, "xaxis": "x2", "yaxis": "y2"}
    hover = "%{x:.2f}" if record.by_rank else "%{x:.1%}"
    bars = [
        common
        | {
            "x": record.bars,
            "width": 0.66,
            "marker": {"color": style.BLUE if record.by_rank else style.SKY},
            "text": [f"{v:.2f}" if record.by_rank else percent(min(v, 1.0)) for v in record.bars.tolist()],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": hover + "<extra></extra>",
        }
    ]
    if not record.by_rank:
        inner = np.minimum(record.inner, record.bars)
        bars.append(
            common
            | {
                "x": inner,
                "width": 0.36,
                "marker": {"color": style.BLUE},
                "hovertemplate": "alone " + hover + "<extra></extra>",
            }
        )
    return bars


def _driver_axes(record: SimulationInfo) -> dict[str, Any]:
    many = len(record.drivers)
    low, high = min(0.0, float(record.bars.min())), max(0.0, float(record.bars.max()))
    room = 0.22 * max(high - low, 1e-9)
    if record.by_rank:
        x_axis = style.axis("rank correlation", domain=[0.72, 1.0], anchor="y2")
    else:
        x_axis = style.axis("share of the variance", domain=[0.72, 1.0], anchor="y2", tickformat=".0%")
    x_axis |= {"range": [low - (room if low < 0 else 0.0), high + room], "nticks": 4}
    y_axis = style.axis(
        "",
        anchor="x2",
        range=[max(many, 4) - 0.4, -0.6],
        tickvals=list(range(many)),
        ticktext=list(record.drivers),
        showgrid=False,
    )
    return {"xaxis2": x_axis, "yaxis2": y_axis}


def _note(x: float, text: str) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": 1.01,
        "xanchor": "left",
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 11, "color": style.GREY},
    }


def _short(name: str) -> str:
    return name if len(name) <= 26 else name[:25] + "…"
