"""The figure of candidate causes: the share each explains alone and beside the others; effects in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.words import p_text
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.candidate_result import CandidateCauses
from perfanalytics.practices.car.candidate_words import effect_text

ROW = 72
STANDS = {
    "explains": "still explains",
    "alone only": "alone, not beside the others",
    "beside others": "only beside the others",
    "nothing shown": "nothing shown",
    "not separable": "not separable from the others",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesInfo:
    """What is drawn: shares in percent (NaN where there is none), and words beside each row."""

    names: tuple[str, ...]
    alone: Floats
    beside: Floats
    shows: NDArray[np.bool_]
    words: tuple[str, ...]


def info(result: CandidateCauses) -> CandidatesInfo:
    """The arrays of the figure."""
    words = []
    for k in range(len(result.candidate)):
        whole = bool(np.isfinite(result.adjusted[k]))
        told = wrapped(effect_text(result, k, adjusted=whole), 30, lines=3)
        p = float(result.p_beside_adjusted[k] if whole else result.p_value_adjusted[k])
        words.append(f"{told}<br><i>{STANDS[str(result.standing[k])]}, {p_text(p)}</i>")
    return CandidatesInfo(
        names=tuple(wrapped(str(c), 20, lines=2) for c in result.candidate),
        alone=100 * result.share,
        beside=100 * result.added_share,
        shows=np.isin(result.standing, ["explains", "beside others", "not separable"]),
        words=tuple(words),
    )


def draw(result: CandidateCauses) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    k = len(record.names)
    place = np.arange(k)
    color = [style.BLUE if s else style.GREY for s in record.shows]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": record.alone,
        "y": place,
        "width": 0.42,
        "name": "alone",
        "marker": {"color": [style.SKY if s else style.LIGHT for s in record.shows]},
        "hovertemplate": "alone %{x:.2g}% of the variation<extra></extra>",
    }
    beside = {
        "type": "scatter",
        "mode": "markers",
        "x": record.beside,
        "y": place,
        "name": "beside the others",
        "marker": {
            "symbol": "diamond",
            "size": 11,
            "color": color,
            "line": {"color": style.PAPER, "width": 1},
        },
        "hovertemplate": "beside the others %{x:.2g}% of the variation<extra></extra>",
        "cliponaxis": False,
    }
    top = max(float(np.nanmax(np.r_[record.alone, np.nan_to_num(record.beside)])), 1.0)
    notes = [
        {"xref": "paper", "yref": "y", "x": 0.535, "y": i, "xanchor": "left", "align": "left"}
        | {"text": text, "showarrow": False, "font": {"size": 11}}
        for i, text in enumerate(record.words)
    ]
    layout = style.layout(
        f"{result.measure.name}: share of the variation that each candidate explains",
        height=150 + ROW * max(k, 2),
        annotations=notes,
        margin={"l": 40, "r": 20, "t": 60, "b": 80},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        xaxis=style.axis("share of the variation (%)", range=[0, 1.08 * top], domain=[0.0, 0.51]),
        yaxis=style.axis("", range=[max(k, 2) - 0.5, -0.5], showgrid=False)
        | {"tickvals": place, "ticktext": list(record.names), "ticks": ""},
    )
    return {"data": [bars, beside], "layout": layout}
