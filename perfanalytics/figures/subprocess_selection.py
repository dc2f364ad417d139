"""The figure of a selection of subprocesses: candidates by criteria, and the score of each as a bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opp.subprocess_selection import SubprocessSelection

#: Score from which on, symbol, word of the key. The symbol says it in grey print.
STEPS = ((0.75, "●", "0.75 and more"), (0.4, "◐", "0.4 to 0.75"), (0.0, "○", "less than 0.4"))
NOTHING = "–"
ROW = 46
SHADES = ((0.0, "#FFFFFF"), (1.0, "#9CC9E3"))
TITLES = {
    "objective": "link to an<br>objective",
    "stability": "stability",
    "data": "enough<br>data",
    "share": "share of<br>variation",
    "quality": "quality of<br>measuring",
}
DECISIONS = {"chosen": "✓ chosen", "not chosen": "✗ not chosen", "decided": "decided", "": "no decision"}


@dataclass(frozen=True, slots=True)
class Info:
    """k rows by c columns of scores with their symbols; bars; labels."""

    label: list[str]
    decision: list[str]
    score: Floats
    symbol: list[list[str]]
    hover: list[list[str]]
    total: Floats
    columns: list[str]


def symbol_of(score: float) -> str:
    """The symbol of a score.

    Examples
    --------
    >>> symbol_of(1.0), symbol_of(0.5), symbol_of(0.0), symbol_of(float("nan"))
    ('●', '◐', '○', '–')
    """
    if math.isnan(score):
        return NOTHING
    return next(symbol for least, symbol, _ in STEPS if score >= least)


def info(chosen: SubprocessSelection) -> Info:
    """What is drawn, the best candidate first."""
    weights = {str(c): float(w) for c, w in zip(chosen.criterion, chosen.weight, strict=True)}
    return Info(
        label=[wrapped(f"{r}. {n}", 22, lines=2) for r, n in zip(chosen.rank, chosen.candidate, strict=True)],
        decision=[DECISIONS[str(d)] for d in chosen.decision],
        score=chosen.score,
        symbol=[[symbol_of(s) for s in row] for row in chosen.score.tolist()],
        hover=[
            [f"{c}: {e}" for c, e in zip(chosen.criterion, row, strict=True)]
            for row in chosen.evidence.tolist()
        ],
        total=chosen.total,
        columns=[f"{TITLES[c]}<br>({w:.0%})" for c, w in weights.items()],
    )


def draw(chosen: SubprocessSelection) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(chosen)
    k, c = told.score.shape
    rows, columns = np.arange(k), np.arange(c)
    heat = {
        "type": "heatmap",
        "x": columns,
        "y": rows,
        "z": told.score,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [list(s) for s in SHADES],
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "text": told.hover,
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
    }
    signs = {
        "type": "scatter",
        "mode": "text",
        "x": np.tile(columns, k),
        "y": np.repeat(rows, c),
        "text": [
            f"{symbol} {'' if math.isnan(score) else f'{score:.2f}'}".strip()
            for line, scores in zip(told.symbol, told.score.tolist(), strict=True)
            for symbol, score in zip(line, scores, strict=True)
        ],
        "textfont": {"size": 12, "color": style.INK},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": told.total,
        "y": rows,
        "xaxis": "x2",
        "width": 0.45,
        "marker": {"color": style.BLUE},
        "text": [f"{t:.2f}  {d}" for t, d in zip(told.total, told.decision, strict=True)],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    key = "   ".join(f"{symbol} {words}" for _, symbol, words in STEPS)
    layout = style.layout(
        f"Candidates to manage {chosen.outcome}",
        height=ROW * k + 200,
        margin={"l": 170, "r": 20, "t": 120, "b": 60},
        annotations=[
            {
                "xref": "paper", "yref": "paper", "x": 0, "y": 0, "yshift": -40, "xanchor": "left",
                "yanchor": "middle", "showarrow": False, "font": {"size": 11, "color": style.GREY},
                "text": f"Score: {key}   {NOTHING} nothing on record (counts as 0)",
            }
        ],
    )  # fmt: skip
    plain = {"showgrid": False, "zeroline": False, "ticks": ""}
    layout["xaxis"] = plain | {
        "domain": [0, 0.64], "side": "top", "tickvals": columns, "ticktext": told.columns, "tickangle": 0,
        "tickfont": {"size": 10.5}, "range": [-0.5, c - 0.5],
    }  # fmt: skip
    layout["xaxis2"] = style.axis(
        "Score", side="top", domain=[0.67, 1.0], range=[0, 1.9], tickvals=[0, 0.5, 1.0]
    )
    layout["yaxis"] = plain | {"tickvals": rows, "ticktext": told.label, "range": [k - 0.5, -0.5]}
    return {"data": [heat, signs, bars], "layout": layout}
