"""The figure of many control charts: all of them ranked by evidence, and the worst in small multiples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.spc.charts_result import ControlCharts
from perfanalytics.spc.stability import FALSE_ALARMS
from perfanalytics.spc.wording import p_text

COLUMNS = 3
TOP, RANKING, CELL, GAP, BOTTOM = 74, 230, 112, 44, 30  # pixels
#: p-values below are drawn there: smaller ones say no more.
SMALLEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingInfo:
    """What is drawn: evidence of m judged series against what chance would give, and w small pictures."""

    title: str
    rank: NDArray[np.int64]
    evidence: Floats
    chance: Floats
    unstable: NDArray[np.bool_]
    texts: tuple[str, ...]
    cells: tuple[tuple[str, str], ...]
    value: Floats
    center: Floats
    lower: Floats
    upper: Floats
    signal: NDArray[np.bool_]


def info(charts: ControlCharts) -> RankingInfo:
    """What is drawn where."""
    judged = np.flatnonzero(charts.judged)
    order = judged[np.argsort(charts.p_value[judged], kind="stable")]
    p = np.clip(charts.p_value[order], SMALLEST, 1.0)
    m = len(order)
    rank = np.arange(1, m + 1)
    cells = []
    for i in charts.worst.tolist():
        n = int(charts.n_signals[i])
        said = f"{n} signal{'' if n == 1 else 's'}, {p_text(float(charts.p_value[i]))}"
        cells.append((charts.ids[i] or charts.measure.name, said))
    return RankingInfo(
        title=f"{charts.measure.name}: {len(charts):,} {charts.chart} charts, {charts.verdict}",
        rank=rank,
        evidence=-np.log10(p),
        # p-values of stable series lie about as evenly as this
        chance=-np.log10(np.clip((rank - 0.5) / max(m, 1), SMALLEST, 1.0)),
        unstable=~charts.stable[order],
        texts=tuple(
            f"{charts.ids[i]}<br>{int(charts.n_signals[i])} signals, {p_text(float(charts.p_value[i]))}"
            for i in order.tolist()
        ),
        cells=tuple(cells),
        value=charts.worst_value,
        center=charts.worst_center,
        lower=charts.worst_lower,
        upper=charts.worst_upper,
        signal=charts.worst_signal,
    )


def draw(charts: ControlCharts) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(charts)
    rows = -(-len(record.cells) // COLUMNS)
    small = rows * (CELL + GAP)
    plot = RANKING + small
    base = small / plot
    data = _ranking(record)
    axes: dict[str, Any] = {
        "xaxis": style.axis(
            f"rank among the {len(record.rank):,} series that could be judged", domain=[0.0, 1.0], anchor="y"
        ),
        "yaxis": style.axis(
            "evidence: −log10(p)", domain=[base + 0.24 * RANKING / plot, 1.0], anchor="x", rangemode="tozero"
        ),
    }
    notes: list[dict[str, Any]] = []
    for k, (name, words) in enumerate(record.cells):
        row, column = divmod(k, COLUMNS)
        left = column / COLUMNS + (0.02 if column else 0.0)
        right = (column + 1) / COLUMNS - 0.02
        high = (small - row * (CELL + GAP) - GAP) / plot
        low = max(high - CELL / plot, 0.0)
        axis = str(k + 2)
        data += _cell(record, k, {"xaxis": f"x{axis}", "yaxis": f"y{axis}"})
        blank = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
        width = record.value.shape[1]
        axes[f"xaxis{axis}"] = blank | {
            "domain": [left, right],
            "anchor": f"y{axis}",
            "range": [0.5 - width, 1.0],
        }
        axes[f"yaxis{axis}"] = blank | {"domain": [low, high], "anchor": f"x{axis}"}
        paper = {"xref": "paper", "yref": "paper", "showarrow": False, "xanchor": "left", "yanchor": "bottom"}
        told = name if len(name) <= 42 else name[:41] + "…"
        notes += [
            paper | {"x": left, "y": high, "yshift": 14, "text": f"<b>{told}</b>", "font": {"size": 12}},
            paper | {"x": left, "y": high, "text": words, "font": {"size": 11, "color": style.GREY}},
        ]
    return {
        "data": data,
        "layout": style.layout(
            record.title,
            height=TOP + plot + BOTTOM,
            margin={"l": 70, "r": 30, "t": TOP, "b": BOTTOM},
            annotations=notes,
            showlegend=True,
            legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "top"},
            **axes,
        ),
    }


def _ranking(record: RankingInfo) -> list[dict[str, Any]]:
    texts = np.array(record.texts, dtype=object)
    out: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "if all were stable",
            "x": record.rank,
            "y": record.chance,
            "line": {"color": style.GREY, "width": 1.4, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]
    if len(record.rank):
        out.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{FALSE_ALARMS:.0%} for one chart",
                "x": [1, int(record.rank[-1])],
                "y": [-np.log10(FALSE_ALARMS)] * 2,
                "line": {"color": style.GREY, "width": 1.2, "dash": "dash"},
                "hoverinfo": "skip",
            }
        )
    for here, name, color, symbol in (
        (record.unstable, "not stable", style.ORANGE, "diamond"),
        (~record.unstable, "stable", style.INK, "circle"),
    ):
        if here.any():
            out.append(
                {
                    "type": "scattergl" if len(record.rank) > 2000 else "scatter",
                    "mode": "markers",
                    "name": name,
                    "x": record.rank[here],
                    "y": record.evidence[here],
                    "text": texts[here],
                    "hovertemplate": "%{text}<extra></extra>",
                    "marker": {"color": color, "symbol": symbol, "size": 6},
                }
            )
    return out


def _cell(record: RankingInfo, k: int, axis: dict[str, str]) -> list[dict[str, Any]]:
    x = np.arange(-record.value.shape[1] + 1, 1, dtype=float)

    def line(y: Floats, color: str, width: float, dash: str, shape: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": {"color": color, "width": width, "dash": dash, "shape": shape},
            "hoverinfo": "skip",
            "showlegend": False,
            **axis,
        }

    out = [
        line(record.upper[k], style.GREY, 1.0, "dot", "hvh"),
        line(record.lower[k], style.GREY, 1.0, "dot", "hvh"),
        line(record.center[k], style.GREY, 1.0, "solid", "hvh"),
        line(record.value[k], style.INK, 1.0, "solid", "linear"),
    ]
    where = np.flatnonzero(record.signal[k])
    if len(where):
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x[where],
                "y": record.value[k, where],
                "marker": {"color": style.ORANGE, "symbol": "diamond", "size": 6},
                "hovertemplate": "%{y:.6~g}<extra></extra>",
                "showlegend": False,
                **axis,
            }
        )
    return out
