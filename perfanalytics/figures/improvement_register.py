"""The figure of the improvement register: when each proposal was declared, tried, decided and deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opm.improvement_register import ImprovementRegister

ROW = 52
#: field -> (name, symbol, colour)
MARKS = {
    "declared_on": ("proposed", "circle-open", style.INK),
    "criterion_declared_on": ("criterion", "diamond", style.PURPLE),
    "decided_on": ("decided", "square", style.ORANGE),
    "deployed_since": ("deployed", "triangle-right", style.GREEN),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterInfo:
    """What is drawn: k rows; dates of the marks, begin and end of the pilots."""

    label: tuple[str, ...]
    stage: tuple[str, ...]
    dates: dict[str, NDArray[np.datetime64]]
    since: NDArray[np.datetime64]
    until: NDArray[np.datetime64]


def info(result: ImprovementRegister) -> RegisterInfo:
    """The arrays of the figure."""
    return RegisterInfo(
        label=tuple(wrapped(str(p), 21, lines=2) for p in result.proposal.tolist()),
        stage=tuple(
            f"<b>{s}</b>" + (f"<br>lacks: {wrapped(m, 34, lines=2)}" if m else "")
            for s, m in zip(result.stage.tolist(), result.missing.tolist(), strict=True)
        ),
        dates={name: getattr(result, name) for name in MARKS},
        since=result.pilot_since,
        until=result.pilot_until,
    )


def draw(result: ImprovementRegister) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(result)
    k = len(told.label)
    rows = np.arange(k)
    data: list[dict[str, Any]] = []
    piloted = np.flatnonzero(~np.isnat(told.since))
    for n, i in enumerate(piloted.tolist()):
        data.append(
            {"type": "scatter", "mode": "lines", "x": [told.since[i], told.until[i]], "y": [i, i]}
            | {"line": {"color": style.SKY, "width": 14}, "name": "pilot", "showlegend": n == 0}
            | {"legendgroup": "pilot", "hovertemplate": "pilot %{x|%Y-%m-%d}<extra></extra>"}
        )
    for field, (name, symbol, color) in MARKS.items():
        use = ~np.isnat(told.dates[field])
        if use.any():
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": told.dates[field][use],
                    "y": rows[use],
                    "name": name,
                }
                | {
                    "marker": {
                        "size": 12,
                        "symbol": symbol,
                        "color": color,
                        "line": {"width": 1.5, "color": color},
                    }
                }
                | {"hovertemplate": f"{name} " + "%{x|%Y-%m-%d}<extra></extra>"}
            )
    every = np.concatenate([*told.dates.values(), told.since, told.until, [np.datetime64(result.on)]])
    every = every[~np.isnat(every)]
    first, last = every.min(), every.max()
    pad = max((last - first) // 20, np.timedelta64(5, "D"))
    notes = [
        {"xref": "x domain", "yref": "y", "x": 1, "y": i, "xanchor": "left", "xshift": 10, "showarrow": False}
        | {"text": text, "align": "left", "font": {"size": 11, "color": style.INK}}
        for i, text in enumerate(told.stage)
    ]
    today = {"type": "line", "xref": "x", "yref": "y domain", "x0": str(result.on), "x1": str(result.on)}
    layout = style.layout(
        "Improvement proposals",
        height=150 + ROW * max(k, 1),
        margin={"l": 180, "r": 240, "t": 115, "b": 45},
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        shapes=[today | {"y0": 0, "y1": 1, "line": {"color": style.GREY, "width": 1, "dash": "dot"}}],
        annotations=notes,
        xaxis=style.axis("", type="date", range=[str(first - pad), str(last + pad)]),
        yaxis=style.axis("", showgrid=False, range=[k - 0.4, -0.6])
        | {"tickvals": rows.tolist(), "ticktext": list(told.label), "ticks": "", "automargin": False},
    )
    return {"data": data, "layout": layout}
