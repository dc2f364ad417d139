"""The figure of strata: what each attribute separates, and the strata with their own and shrunk centers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.strata_result import Strata
from perfanalytics.baselines.wording import number
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical

#: At most this many strata are drawn: those with the most values.
DRAWN = 30
_LOOK = {
    "split": (style.ORANGE, "diamond"),
    "pool": (style.GREY, "circle"),
    "undecided": (style.SKY, "square"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StrataInfo:
    """What is drawn: attributes (by share, largest last) and strata (by shrunk center, largest last).

    ``share``, ``share_low``, ``share_high`` and ``proposal`` of ``attribute``; ``center``, ``shrunk``,
    ``low``, ``high``, ``p10``, ``p90`` and ``n`` of ``stratum``; ``hidden`` strata are not drawn.
    """

    attribute: NDArray[Any]
    share: Floats
    share_low: Floats
    share_high: Floats
    proposal: NDArray[Any]
    minimum_share: float
    stratum: NDArray[Any]
    center: Floats
    shrunk: Floats
    low: Floats
    high: Floats
    p10: Floats
    p90: Floats
    n: NDArray[np.int64]
    whole: float
    hidden: int
    log: bool


def info(result: Strata) -> StrataInfo:
    """The arrays of the figure."""
    order = np.argsort(result.epsilon_squared, kind="stable")
    made = result.baselines
    largest = np.sort(np.argsort(-made.n, kind="stable")[:DRAWN])
    by_center = largest[np.argsort(result.shrunk[largest], kind="stable")]
    names = np.array([_short(i, result.split_by) for i in made.ids], dtype=object)
    log = result.scale == "log"
    center = result.center[np.isfinite(result.center)]
    n = made.n[np.isfinite(result.center)]
    whole = float(np.exp(np.average(np.log(center), weights=n)) if log else np.average(center, weights=n))
    return StrataInfo(
        attribute=result.attribute[order],
        share=result.epsilon_squared[order],
        share_low=result.share_low[order],
        share_high=result.share_high[order],
        proposal=result.proposal[order],
        minimum_share=result.minimum_share,
        stratum=names[by_center],
        center=result.center[by_center],
        shrunk=result.shrunk[by_center],
        low=result.shrunk_low[by_center],
        high=result.shrunk_high[by_center],
        p10=made.column("p10")[by_center],
        p90=made.column("p90")[by_center],
        n=made.n[by_center],
        whole=whole,
        hidden=len(made) - len(by_center),
        log=log,
    )


def _short(name: str, split_by: tuple[str, ...]) -> str:
    """With one attribute its name need not stand at every stratum."""
    text = name.removeprefix(f"{split_by[0]}=") if len(split_by) == 1 else name
    return text if len(text) <= 28 else text[:27] + "…"


def draw(result: Strata) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    k = len(record.stratum)
    labels = [f"{s} ({n:,})" for s, n in zip(record.stratum.tolist(), record.n.tolist(), strict=True)]
    height = 150 + max(20 * k, 30 * len(record.attribute), 180)
    data = [*_attributes(record), *_strata(record, labels)]
    rest = f"; {record.hidden} smaller ones are not drawn" if record.hidden else ""
    notes = [
        _note(0.0, 1.0, "<b>share of the variation between groups</b>", shift=22),
        _note(0.5, 1.0, f"<b>strata by {' and '.join(result.split_by)}</b> (values){rest}", shift=22),
    ]
    axis = style.axis(result.measure.label, domain=[0.5, 1.0], anchor="y2")
    if record.log:
        axis |= {"type": "log", **_ticks(record)}
    layout = style.layout(f"Strata of {result.measure.name}", height=height) | {
        "margin": {"l": 120, "r": 30, "t": 90, "b": 90},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "xaxis": style.axis(
            "share", domain=[0.0, 0.24], anchor="y", tickformat=".0%", rangemode="tozero", nticks=4
        ),
        "yaxis": style.axis("", anchor="x", type="category", categoryarray=record.attribute.tolist()),
        "xaxis2": axis,
        "yaxis2": style.axis("", anchor="x2", type="category", categoryarray=labels, tickfont={"size": 11}),
        "shapes": [
            _line("x", record.minimum_share, "y domain", style.ORANGE, "dash"),
            _line("x2", record.whole, "y2 domain", style.GREY, "dot"),
        ],
        "annotations": notes,
    }
    return {"data": data, "layout": layout}


def _attributes(record: StrataInfo) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for proposal, (color, symbol) in _LOOK.items():
        here = record.proposal == proposal
        if not here.any():
            continue
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": proposal,
                "x": record.share[here],
                "y": record.attribute[here],
                "marker": {"color": color, "symbol": symbol, "size": 11},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": np.maximum(record.share_high - record.share, 0.0)[here],
                    "arrayminus": np.maximum(record.share - record.share_low, 0.0)[here],
                    "color": color,
                    "thickness": 1.5,
                },
                "hovertemplate": "%{y}: %{x:.1%}<extra>" + proposal + "</extra>",
            }
        )
    return out


def _strata(record: StrataInfo, labels: list[str]) -> list[dict[str, Any]]:
    x: list[Any] = []
    y: list[Any] = []
    # where items are open P90 may be out of sight: as far as anything is drawn
    seen = np.concatenate([record.p90, record.high, record.center])
    far = seen[np.isfinite(seen)].max(initial=0.0)
    for label, low, high in zip(
        labels, record.p10.tolist(), np.minimum(record.p90, far).tolist(), strict=True
    ):
        if np.isfinite(low) and (low > 0 or not record.log):
            x += [low, high, None]
            y += [label, label, None]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "P10 to P90",
            "x": x,
            "y": y,
            "xaxis": "x2",
            "yaxis": "y2",
            "line": {"color": style.LIGHT, "width": 6},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "own center",
            "x": record.center,
            "y": labels,
            "xaxis": "x2",
            "yaxis": "y2",
            "marker": {"color": style.INK, "symbol": "line-ns-open", "size": 11, "line": {"width": 2}},
            "hovertemplate": "%{y}: own center %{x:.4g}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "shrunk towards the whole, with interval",
            "x": record.shrunk,
            "y": labels,
            "xaxis": "x2",
            "yaxis": "y2",
            "marker": {"color": style.BLUE, "symbol": "circle", "size": 8},
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": record.high - record.shrunk,
                "arrayminus": record.shrunk - record.low,
                "color": style.BLUE,
                "thickness": 1.5,
            },
            "hovertemplate": "%{y}: shrunk %{x:.4g}<extra></extra>",
        },
    ]


def _ticks(record: StrataInfo) -> dict[str, Any]:
    """Ticks at 1, 2, 5 (or powers of ten over a wide range) within what is drawn."""
    drawn = np.concatenate([record.low, record.high, record.p10, record.p90, record.center])
    drawn = np.log10(drawn[np.isfinite(drawn) & (drawn > 0)])
    low, high = float(drawn.min()) - 0.05, float(drawn.max()) + 0.05
    steps = (1.0, 2.0, 5.0) if high - low < 2.2 else (1.0,)
    ticks = [s * 10.0**d for d in range(int(np.floor(low)), int(np.ceil(high)) + 1) for s in steps]
    ticks = [t for t in ticks if low <= np.log10(t) <= high]
    return {"range": [low, high], "tickvals": ticks, "ticktext": [number(t) for t in ticks]}


def _line(axis: str, at: float, across: str, color: str, dash: str) -> dict[str, Any]:
    return vertical(at, xref=axis, yref=across, color=color, width=1.5, dash=dash, below=True)


def _note(x: float, y: float, text: str, *, shift: int) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "yshift": shift,
        "xanchor": "left",
        "yanchor": "middle",
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": style.INK},
    }
