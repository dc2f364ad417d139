"""The figure of a register: the period of the data of each version, and whether it is in force, on time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opp.register import Register

#: Rows that are drawn; the table has all of them.
LONGEST = 60
#: What a version is -> color, marker at its end, words of the key.
STATES = {
    "in force, stable": (style.GREEN, "circle", "in force, stable"),
    "in force, not stable": (style.ORANGE, "diamond", "in force, not stable"),
    "in force": (style.BLUE, "square", "in force, not judged"),
    "stale": (style.PURPLE, "hourglass", "stale"),
    "former": (style.GREY, "circle-open", "superseded or older"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One version: label, period, state, when it shall be looked at again."""

    label: str
    first: dt.date | None
    last: dt.date | None
    state: str
    review: dt.date | None
    words: str


def info(book: Register) -> list[Row]:
    """The rows from top to bottom."""
    rows = []
    for k in range(min(len(book.name), LONGEST)):
        former = not book.newest[k] or book.superseded_by[k]
        stability = str(book.stability[k])
        state = (
            "former"
            if former
            else "stale"
            if book.stale[k]
            else "in force, not stable"
            if "not stable" in stability
            else "in force, stable"
            if stability.endswith("stable")
            else "in force"
        )
        words = [f"{book.name[k]}, version {book.version[k]}", state, *([stability] if stability else [])]
        words += [f"n {book.n[k]:,}"] if book.n[k] >= 0 else []
        words += [f"{book.objective[k]}: {book.standing[k] or 'not judged'}"] if book.objective[k] else []
        words.append(f"agreed: {book.agreed[k]}" if book.agreed[k] else "agreed by nobody on record")
        words += [str(book.stale[k])] if book.stale[k] else []
        rows.append(
            Row(
                f"{book.name[k]}, v{book.version[k]}",
                _day(book.first[k]),
                _day(book.last[k]),
                state,
                _day(book.next_review[k]),
                "<br>".join(words),
            )
        )
    return rows


def _day(time: np.datetime64) -> dt.date | None:
    return None if np.isnat(time) else time.astype("datetime64[D]").item()


def draw(book: Register) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    rows = info(book)
    labels = [wrapped(r.label, 34) for r in rows]
    heights = np.array([16 * max(2, label.count("<br>") + 1) + 8 for label in labels], dtype=float)
    y = np.concatenate([[0.0], np.cumsum(heights)])[:-1] + heights / 2 if rows else np.array([])
    data: list[dict[str, Any]] = []
    for state, (color, symbol, words) in STATES.items():
        own = [k for k, r in enumerate(rows) if r.state == state and r.last is not None]
        if not own:
            continue
        data += [
            {
                "type": "scatter",
                "mode": "lines",
                "x": [str(rows[k].first or rows[k].last), str(rows[k].last)],
                "y": [y[k], y[k]],
                "line": {"color": color, "width": 5, "dash": "dot" if state == "former" else "solid"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
            for k in own
        ]
        data.append(
            _marks(
                [str(rows[k].last) for k in own], y[own], [rows[k].words for k in own], color, symbol, words
            )
        )
    due = [k for k, r in enumerate(rows) if r.review is not None]
    if due:
        told = [f"next review {rows[k].review}" for k in due]
        data.append(
            _marks([str(rows[k].review) for k in due], y[due], told, style.INK, "line-ns-open", "next review")
        )
    unknown = [k for k, r in enumerate(rows) if r.last is None]
    notes = [
        {
            "xref": "paper", "x": 0.01, "y": y[k], "xanchor": "left", "showarrow": False,
            "text": f"period of its data not on record ({rows[k].state})",
            "font": {"size": 11, "color": style.GREY},
        }
        for k in unknown
    ]  # fmt: skip
    total = float(heights.sum()) if rows else 40.0
    layout = style.layout(
        f"Register of {book.what}{'' if book.what == 'limits' else 's'}, {book.on}",
        height=int(total) + 150,
        margin={"l": 220, "r": 30, "t": 60, "b": 90},
        showlegend=True,
        legend={
            "orientation": "h", "xref": "container", "yref": "container", "x": 0.01, "xanchor": "left",
            "y": 0.0, "yanchor": "bottom", "font": {"size": 11},
        },
        annotations=notes,
        shapes=[
            {"type": "line", "xref": "x", "yref": "paper", "x0": str(book.on), "x1": str(book.on),
             "y0": 0, "y1": 1, "line": {"color": style.INK, "width": 1, "dash": "dash"}}
        ],
    )  # fmt: skip
    layout["xaxis"] = style.axis("", type="date")
    layout["xaxis"]["range"] = _range(rows, book.on)
    layout["yaxis"] = style.axis("", showgrid=False, range=[total, 0], tickvals=y.tolist(), ticktext=labels)
    layout["yaxis"] |= {"automargin": False, "tickfont": {"size": 11}}
    return {"data": data, "layout": layout}


def _marks(x: list[str], y: Any, text: list[str], color: str, symbol: str, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": {"color": color, "symbol": symbol, "size": 12, "line": {"color": color, "width": 2}},
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
        "name": name,
        "showlegend": True,
    }


def _range(rows: list[Row], on: dt.date) -> list[str]:
    days = [d for r in rows for d in (r.first, r.last, r.review) if d is not None] + [on]
    pad = dt.timedelta(days=max(7, (max(days) - min(days)).days // 30))
    return [str(min(days) - pad), str(max(days) + pad)]
