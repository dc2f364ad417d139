"""One row a series: center with its interval, sorted; of many series all by rank, and the worst by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.log_axis import value_ticks

#: Up to so many series every row has its name; of more only the worst have.
NAMED, WORST = 40, 20
#: Pixels: a row, all series by rank, around them.
ROW, RANKS, GAP, TOP, BOTTOM = 22, 240, 66, 78, 92
#: Where the rows end and their notes begin, as a share of the width.
RIGHT = 0.78
STABLE, UNSTABLE, NOT_JUDGED = "stable", "not stable", "stability not judged"
_LOOK = {
    STABLE: (style.BLUE, "circle"),
    UNSTABLE: (style.ORANGE, "diamond"),
    NOT_JUDGED: (style.GREY, "circle-open"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is drawn, the worst series first.

    ``center`` with ``low`` and ``high`` of ``name``; ``reach_low`` and ``reach_high`` are the ends of the
    light bar behind (NaN: none); ``standing`` is "stable", "not stable" or "stability not judged"; ``note``
    stands at the right of a named row under ``head``; ``lines`` are marked values with their text;
    ``hidden`` series have nothing to draw.
    """

    title: str
    axis: str
    log: bool
    percent: bool
    name: NDArray[Any]
    center: Floats
    low: Floats
    high: Floats
    reach_low: Floats
    reach_high: Floats
    standing: NDArray[Any]
    note: NDArray[Any]
    head: str
    lines: tuple[tuple[float, str], ...]
    bar: str
    dot: str
    hidden: int


def standing_of(judged: NDArray[np.bool_], stable: NDArray[np.bool_]) -> NDArray[Any]:
    """ "stable", "not stable" or "stability not judged", shape (m,)."""
    return np.where(judged, np.where(stable, STABLE, UNSTABLE), NOT_JUDGED).astype(object)


def draw_rows(record: Rows) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    m = len(record.name)
    named = np.arange(m if m <= NAMED else min(m, WORST))
    many = m > len(named)
    height = ROW * max(len(named), 2) + 10
    plot = height + (RANKS + GAP if many else 0)
    labels = [_short(name) for name in record.name[named].tolist()]
    axes: dict[str, Any] = {
        "xaxis": _values(record, named, domain=[0.0, RIGHT], anchor="y"),
        "yaxis": style.axis(
            "",
            anchor="x",
            domain=[0.0, height / plot],
            range=[len(named) - 0.4, -0.6],
            tickvals=named.tolist(),
            ticktext=labels,
            tickfont={"size": 11},
            showgrid=False,
        ),
    }
    data = _traces(record, named, along="x", legend=True)
    notes = [_text(RIGHT + 0.02, i, str(record.note[i]), 11, style.INK, yref="y") for i in named.tolist()]
    notes.append(_text(RIGHT + 0.02, height / plot, record.head, 11, style.GREY, yref="paper", shift=10))
    shapes = [_line(at, across="x") for at, _ in record.lines]
    for at, text in record.lines:
        place = float(np.log10(at)) if record.log else at
        notes.append(
            _text(
                place, height / plot, text, 11, style.GREEN, yref="paper", xref="x", shift=10, anchor="center"
            )
        )
    if many:
        bottom = (height + GAP) / plot
        axes["xaxis2"] = style.axis(
            f"all {m:,} series by rank; those at the left are named below",
            domain=[0.0, 1.0],
            anchor="y2",
            range=[-1, m],
            showgrid=False,
            tickvals=[],
        )
        axes["yaxis2"] = _values(record, np.arange(m), domain=[bottom, 1.0], anchor="x2")
        data += _traces(record, np.arange(m), along="y", legend=False)
        shapes += [_line(at, across="y") for at, _ in record.lines]
    hidden = f"; {record.hidden:,} without a number not drawn" if record.hidden else ""
    wide = max((len(text) for text in labels), default=0)
    return {
        "data": data,
        "layout": style.layout(
            record.title + hidden,
            height=TOP + plot + BOTTOM,
            margin={"l": min(60 + 6 * wide, 240), "r": 30, "t": TOP, "b": BOTTOM},
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
            shapes=shapes,
            annotations=notes,
            **axes,
        ),
    }


def _values(record: Rows, which: NDArray[np.int64], **more: Any) -> dict[str, Any]:
    """The axis of the values, over all that is drawn on it."""
    out = style.axis(record.axis, **more)
    columns = (record.center, record.low, record.high, record.reach_low, record.reach_high)
    drawn = np.concatenate([*(c[which] for c in columns), [at for at, _ in record.lines]])
    drawn = drawn[np.isfinite(drawn)]
    if record.log:
        ends = np.log10(drawn)
        ticks = value_ticks(float(drawn.min()), float(drawn.max()))
        out |= {"type": "log", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}
    else:
        ends = drawn
        if record.percent:
            out["tickformat"] = ".0%"
    room = 0.04 * float(np.ptp(ends)) or 0.04 * abs(float(ends[0])) or 1.0
    return out | {"range": [float(ends.min()) - room, float(ends.max()) + room]}


def _traces(record: Rows, which: NDArray[np.int64], *, along: str, legend: bool) -> list[dict[str, Any]]:
    """Bars behind, then the centers by standing; values along x (rows) or y (ranks)."""
    across = "y" if along == "x" else "x"
    place = {} if legend else {"xaxis": "x2", "yaxis": "y2"}
    out: list[dict[str, Any]] = []
    bars = which[np.isfinite(record.reach_low[which]) & np.isfinite(record.reach_high[which])]
    if len(bars):
        gaps = np.full(len(bars), np.nan)
        out.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": record.bar,
                along: np.column_stack([record.reach_low[bars], record.reach_high[bars], gaps]).ravel(),
                across: np.column_stack([bars, bars, gaps]).ravel(),
                "line": {"color": style.LIGHT, "width": 7 if legend else 2},
                "hoverinfo": "skip",
                "showlegend": legend,
                **place,
            }
        )
    for standing, (color, symbol) in _LOOK.items():
        here = which[record.standing[which] == standing]
        if not len(here):
            continue
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{record.dot}: {standing}",
                along: record.center[here],
                across: here,
                f"error_{along}": {
                    "type": "data",
                    "symmetric": False,
                    "array": _reach(record.high[here] - record.center[here]),
                    "arrayminus": _reach(record.center[here] - record.low[here]),
                    "color": color,
                    "thickness": 1.5 if legend else 1.0,
                    "width": 3 if legend else 0,
                },
                "marker": {"color": color, "symbol": symbol, "size": 9 if legend else 4},
                "text": record.name[here],
                "hovertemplate": f"%{{text}}: %{{{along}:.4g}}<extra>{standing}</extra>",
                "showlegend": legend,
                **place,
            }
        )
    return out


def _reach(length: Floats) -> Floats:
    return np.where(np.isfinite(length), np.maximum(length, 0.0), 0.0)


def _line(at: float, *, across: str) -> dict[str, Any]:
    """A marked value: over the named rows, or over all by rank."""
    ends = {"x0": at, "x1": at, "y0": 0, "y1": 1} if across == "x" else {"x0": 0, "x1": 1, "y0": at, "y1": at}
    refs = {"xref": "x", "yref": "y domain"} if across == "x" else {"xref": "x2 domain", "yref": "y2"}
    return {
        "type": "line",
        **refs,
        **ends,
        "line": {"color": style.GREEN, "width": 1.5, "dash": "dash"},
    }


def _text(
    x: float,
    y: float,
    text: str,
    size: int,
    color: str,
    *,
    yref: str,
    xref: str = "paper",
    shift: int = 0,
    anchor: str = "left",
) -> dict[str, Any]:
    return {
        "xref": xref,
        "yref": yref,
        "x": x,
        "y": y,
        "yshift": shift,
        "xanchor": anchor,
        "yanchor": "middle",
        "text": text,
        "showarrow": False,
        "font": {"size": size, "color": color},
    }


def _short(name: str) -> str:
    return name if len(name) <= 34 else name[:33] + "…"
