"""The prediction profiler: a small panel a factor, with bands for the mean and for one item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.models.profile import Profile

#: At most this many panels: the factors that move the mean most.
PANELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One factor: ``x`` and the curves over it; ``ticks`` names the levels of a category."""

    factor: str
    controllable: bool
    held: str
    x: NDArray[np.float64]
    ticks: tuple[str, ...]
    mean: NDArray[np.float64]
    mean_low: NDArray[np.float64]
    mean_high: NDArray[np.float64]
    item_low: NDArray[np.float64]
    item_high: NDArray[np.float64]
    probability: NDArray[np.float64]


def info(result: Profile) -> tuple[Panel, ...]:
    """The panels, in the order of the formula."""
    names = list(dict.fromkeys(result.factor.tolist()))
    size = {n: float(np.ptp(result.mean[result.factor == n])) for n in names}
    kept = set(sorted(names, key=lambda n: -size[n])[:PANELS])
    out = []
    for name in names:
        if name not in kept:
            continue
        own = result.factor == name
        level = tuple(str(v) for v in result.level[own].tolist())
        held = result.at[name]
        out.append(
            Panel(
                factor=name,
                controllable=bool(result.controllable[own][0]),
                held=number(held) if isinstance(held, float) else str(held),
                x=result.value[own],
                ticks=level if level[0] else (),
                mean=result.mean[own],
                mean_low=result.mean_low[own],
                mean_high=result.mean_high[own],
                item_low=result.item_low[own],
                item_high=result.item_high[own],
                probability=result.probability[own],
            )
        )
    return tuple(out)


def draw(result: Profile) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    panels = info(result)
    chance = bool(np.isfinite(result.probability).any())
    data: list[dict[str, Any]] = []
    layout = style.layout(f"Profile of {result.measure.name}", height=560 if chance else 400)
    layout["margin"] = {"l": 70, "r": 20, "t": 75, "b": 70}
    width = 1 / len(panels)
    floor = 0.38 if chance else 0.0
    top = float(max(np.max(p.item_high) for p in panels))
    bottom = float(min(np.min(p.item_low) for p in panels))
    pad = 0.04 * (top - bottom)
    for k, panel in enumerate(panels):
        one, two = 2 * k + 1, 2 * k + 2
        domain = [k * width, (k + 1) * width - 0.025]
        title = f"<b>{panel.factor} ◆</b>" if panel.controllable else panel.factor
        data += _curves(panel, one)
        across = style.axis(f"{title}<br>held at {panel.held}", domain=domain, **_ticks(panel))
        first = {} if k == 0 else {"showticklabels": False}
        layout |= {
            f"xaxis{_n(one)}": across | {"anchor": f"y{_n(one)}"},
            f"yaxis{_n(one)}": style.axis(
                result.measure.label if k == 0 else "",
                domain=[floor, 1.0],
                anchor=f"x{_n(one)}",
                range=[bottom - pad, top + pad],
                **first,
            ),
        }
        if chance:
            data.append(_probability(panel, two))
            layout[f"xaxis{_n(one)}"] |= {"showticklabels": False, "title": {"text": ""}}
            layout |= {
                f"xaxis{_n(two)}": across | {"anchor": f"y{_n(two)}"},
                f"yaxis{_n(two)}": style.axis(
                    "P(objective)" if k == 0 else "",
                    domain=[0.0, floor - 0.06],
                    anchor=f"x{_n(two)}",
                    range=[-0.03, 1.03],
                    tickformat=".0%",
                    **first,
                ),
            }
    note = f"line: mean with its {percent(result.confidence)} interval; pale band: one item"
    layout["annotations"] = [
        {"xref": "paper", "yref": "paper", "x": 0, "y": 1.01, "xanchor": "left", "yanchor": "bottom"}
        | {"text": f"{note}; ◆ controllable", "showarrow": False, "font": {"size": 11, "color": style.GREY}}
    ]
    return {"data": data, "layout": layout}


def _n(k: int) -> str:
    return "" if k == 1 else str(k)


def _ticks(panel: Panel) -> dict[str, Any]:
    if not panel.ticks:
        return {"nticks": 4}
    short = [t if len(t) <= 10 else t[:9] + "…" for t in panel.ticks]
    return {"tickvals": panel.x.tolist(), "ticktext": short, "range": [-0.5, len(short) - 0.5]}


def _curves(panel: Panel, axis: int) -> list[dict[str, Any]]:
    where = {"xaxis": f"x{_n(axis)}", "yaxis": f"y{_n(axis)}"}
    if panel.ticks:
        out = []
        for low, high, wide, color in (
            (panel.item_low, panel.item_high, 12, "rgba(86, 180, 233, 0.3)"),
            (panel.mean_low, panel.mean_high, 4, style.BLUE),
        ):
            gaps = [v for a, b in zip(low.tolist(), high.tolist(), strict=True) for v in (a, b, None)]
            x = [v for a in panel.x.tolist() for v in (a, a, None)]
            line = {"color": color, "width": wide}
            out.append(
                {"type": "scatter", "mode": "lines", "x": x, "y": gaps, "line": line, "hoverinfo": "skip"}
            )
        marks = {"color": style.BLUE, "size": 8}
        out.append({"type": "scatter", "mode": "markers", "x": panel.x, "y": panel.mean, "marker": marks})
        return [o | where for o in out]
    both = np.concatenate([panel.x, panel.x[::-1]])
    out = []
    for low, high, color in (
        (panel.item_low, panel.item_high, "rgba(86, 180, 233, 0.18)"),
        (panel.mean_low, panel.mean_high, "rgba(0, 114, 178, 0.30)"),
    ):
        out.append(
            {"type": "scatter", "mode": "lines", "x": both, "y": np.concatenate([high, low[::-1]])}
            | {"fill": "toself", "fillcolor": color, "line": {"width": 0}, "hoverinfo": "skip"}
        )
    line = {"color": style.BLUE, "width": 2}
    out.append({"type": "scatter", "mode": "lines", "x": panel.x, "y": panel.mean, "line": line})
    return [o | where for o in out]


def _probability(panel: Panel, axis: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers" if panel.ticks else "lines",
        "x": panel.x,
        "y": panel.probability,
        "line": {"color": style.ORANGE, "width": 2, "dash": "dash"},
        "marker": {"color": style.ORANGE, "size": 9, "symbol": "diamond"},
        "hovertemplate": "%{y:.1%}<extra></extra>",
        "xaxis": f"x{_n(axis)}",
        "yaxis": f"y{_n(axis)}",
    }
