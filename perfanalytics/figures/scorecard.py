"""The figure of a scorecard: small multiples, what needs attention first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.spc.scorecard import Scorecard
from perfanalytics.spc.wording import number

COLUMNS = 3
CELL, GAP, TOP, BOTTOM = 118, 46, 92, 20  # pixels
LONGEST = 60

#: variation -> (colour, marker, glyph and word)
VARIATION = {
    "concern": (*style.DIRECTION["concern"], "◆ concern"),
    "improvement": (*style.DIRECTION["improvement"], "▲ improving"),
    "neutral": (*style.DIRECTION["neutral"], "■ changed"),
    "common cause": (style.INK, "circle", "● common cause"),
    "no data": (style.GREY, "circle-open", "○ no data"),
}
ASSURANCE = {"met": "✓ target met", "missed": "✗ target missed", "hit and miss": "~ hit and miss", "": ""}
#: The symbols, and what a reader has to know about each.
LEGEND: tuple[tuple[str, str], ...] = (
    (
        "◆ concern",
        "special cause of concern: a rule fires at the newest point, on the side that is worse. Ask what "
        "happened.",
    ),
    (
        "▲ improving",
        "special cause, improving: a rule fires at the newest point, on the better side. Find out why.",
    ),
    ("■ changed", "special cause; for this measure no direction is declared to be better."),
    (
        "● common cause",
        "nothing but the usual variation at the newest point; reacting to single points makes it "
        "worse. Older signals show on the chart.",
    ),
    ("○ no data", "the series has no usable point."),
    (
        "✓ target met",
        "the whole range between the limits meets the target: it will be met if nothing changes.",
    ),
    (
        "✗ target missed",
        "no value between the limits meets the target: it will be missed until the process changes.",
    ),
    ("~ hit and miss", "the target lies between the limits: it is met and missed by chance."),
    (
        "order",
        "concern first, then improving, changed, common cause; among them missed targets, then the strongest "
        "evidence against stability (p_value).",
    ),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One small picture: k points, its words."""

    title: str
    words: str
    color: str
    symbol: str
    newest: str
    x: Floats
    y: Floats
    center: Floats
    lower: Floats
    upper: Floats
    target: float


def info(card: Scorecard) -> list[Cell]:
    """The cells in the order in which they are drawn."""
    cells = []
    x = np.arange(-card.recent.shape[1] + 1, 1, dtype=float)
    for i in card.order()[:LONGEST].tolist():
        color, symbol, word = VARIATION[card.variation[i]]
        words = "   ".join(w for w in (word, ASSURANCE[card.assurance[i]]) if w)
        name = card.name[i] if len(card.name[i]) <= 46 else card.name[i][:44] + "…"
        unit = "" if card.is_share[i] or card.unit[i] in ("", "1") else f" {card.unit[i]}"
        cells.append(
            Cell(
                title=name,
                words=words,
                color=color,
                symbol=symbol,
                newest=_said(float(card.value[i]), card.is_share[i]) + unit,
                x=x,
                y=card.recent[i],
                center=card.recent_center[i],
                lower=card.recent_lower[i],
                upper=card.recent_upper[i],
                target=float(card.target[i]),
            )
        )
    return cells


def _said(value: float, share: bool) -> str:
    """The newest value: shares in percent, others with four significant digits at most."""
    return number(value, share=True) if share else f"{value:,.4g}"


def draw(card: Scorecard) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    cells = info(card)
    rows = -(-len(cells) // COLUMNS)
    plot = rows * CELL + max(rows - 1, 0) * GAP
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    notes: list[dict[str, Any]] = []
    for k, cell in enumerate(cells):
        row, column = divmod(k, COLUMNS)
        left = column / COLUMNS + (0.02 if column else 0.0)
        right = (column + 1) / COLUMNS - 0.045
        high = 1 - row * (CELL + GAP) / plot
        low = max(high - CELL / plot, 0.0)
        name = "" if k == 0 else str(k + 1)
        data += _traces(cell, {"xaxis": f"x{name}", "yaxis": f"y{name}"})
        blank = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
        axes[f"xaxis{name}"] = blank | {
            "domain": [left, right],
            "anchor": f"y{name}",
            "range": [cell.x[0] - 1, 1],
        }
        axes[f"yaxis{name}"] = blank | {"domain": [low, high], "anchor": f"x{name}"}
        paper = {"xref": "paper", "yref": "paper", "showarrow": False, "xanchor": "left", "yanchor": "bottom"}
        notes += [
            paper
            | {"x": left, "y": high, "yshift": 15, "text": f"<b>{cell.title}</b>", "font": {"size": 12}},
            paper | {"x": left, "y": high, "text": cell.words, "font": {"size": 11, "color": cell.color}},
            {
                "xref": f"x{name}",
                "yref": f"y{name}",
                "x": 1,
                "y": float(cell.y[-1]) if np.isfinite(cell.y[-1]) else float(np.nanmean(cell.center)),
                "text": cell.newest,
                "showarrow": False,
                "xanchor": "left",
                "font": {"size": 11},
            },
        ]
    shown = f", the {len(cells)} that need attention first" if len(card.name) > len(cells) else ""
    title = f"Scorecard of {len(card.name):,} charts{shown}"
    return {
        "data": data,
        "layout": style.layout(
            title,
            height=TOP + plot + BOTTOM,
            margin={"l": 20, "r": 30, "t": TOP, "b": BOTTOM},
            annotations=notes,
            **axes,
        ),
    }


def _traces(cell: Cell, axis: dict[str, str]) -> list[dict[str, Any]]:
    def line(y: Floats, color: str, width: float, dash: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "x": cell.x,
            "y": y,
            "line": {"color": color, "width": width, "dash": dash, "shape": "hvh"},
            "hoverinfo": "skip",
            **axis,
        }

    out = [
        line(cell.upper, style.GREY, 1.0, "dot"),
        line(cell.lower, style.GREY, 1.0, "dot"),
        line(cell.center, style.GREY, 1.0, "solid"),
    ]
    if np.isfinite(cell.target):
        out.append(line(np.full(len(cell.x), cell.target), style.GREEN, 1.4, "longdashdot"))
    out.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": cell.x,
            "y": cell.y,
            "line": {"color": style.INK, "width": 1.0},
            "hovertemplate": "%{y:.6~g}<extra></extra>",
            **axis,
        }
    )
    newest = {"color": cell.color, "symbol": cell.symbol, "size": 9}
    seen = np.flatnonzero(np.isfinite(cell.y))
    if len(seen):
        at = int(seen[-1])
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [float(cell.x[at])],
                "y": [float(cell.y[at])],
                "marker": newest,
                "hovertemplate": "%{y:.6~g}<extra></extra>",
                **axis,
            }
        )
    return out
