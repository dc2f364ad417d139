"""The figure of a plan of a comparison: power over the effect, and over the number of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perfanalytics.comparisons.power_result import Power
from perfanalytics.comparisons.words import number
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerInfo:
    """What is drawn: two curves and the planned point on each."""

    title: str
    effect_axis: str
    n_axis: str
    at_effect: Floats
    power_at_effect: Floats
    at_n: Floats
    power_at_n: Floats
    effect: float
    n: float
    power: float


def info(result: Power) -> PowerInfo:
    """What is drawn where."""
    what = f"{result.every}s" if result.every else "values"
    where = "after the change" if result.n_before != result.n_after else "on each side"
    if result.test in ("paired_t", "one_sample_t", "anova"):
        where = {"paired_t": "(pairs)", "one_sample_t": "", "anova": "in each group"}[result.test]
    if result.test == "poisson_rates":
        what = "exposure"
    rho = f", correlation of neighbours {result.rho:.3g}" if result.rho else ""
    return PowerInfo(
        title=f"Power of {result.test} at {100 * result.alpha:g}% false alarms{rho}",
        effect_axis=result.effect_name,
        n_axis=f"{what} {where}".strip(),
        at_effect=result.at_effect,
        power_at_effect=result.power_at_effect,
        at_n=result.at_n,
        power_at_n=result.power_at_n,
        effect=result.effect,
        n=result.n_after,
        power=result.power,
    )


def draw(result: Power) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    what = info(result)
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for k, (at, power, here) in enumerate(
        ((what.at_effect, what.power_at_effect, what.effect), (what.at_n, what.power_at_n, what.n))
    ):
        axes = {"xaxis": "x" if not k else "x2", "yaxis": "y" if not k else "y2"}
        data += [
            {
                "type": "scatter",
                "mode": "lines",
                "x": at,
                "y": power,
                "line": {"color": style.BLUE, "width": 2.5},
                "hovertemplate": "%{x:.3g}: %{y:.1%}<extra></extra>",
                **axes,
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [here],
                "y": [what.power],
                "marker": {"color": style.ORANGE, "symbol": "diamond", "size": 11},
                "hovertemplate": "planned: %{x:.3g}, %{y:.1%}<extra></extra>",
                **axes,
            },
        ]
        notes.append(
            {
                "xref": axes["xaxis"],
                "yref": axes["yaxis"],
                "x": here,
                "y": what.power,
                "xanchor": "left",
                "yanchor": "top",
                "xshift": 8,
                "yshift": -6,
                "text": f"{number(here, 4 if k else 3)}: {100 * what.power:.0f}%",
                "showarrow": False,
                "font": {"size": 12, "color": style.INK},
                "bgcolor": "rgba(255,255,255,0.85)",
            }
        )
    layout = style.layout(what.title, height=430, annotations=notes) | {
        "xaxis": style.axis(what.effect_axis, domain=[0.0, 0.46], anchor="y"),
        "yaxis": style.axis("power", anchor="x", range=[0, 1.03], tickformat=".0%"),
        "xaxis2": style.axis(what.n_axis, domain=[0.54, 1.0], anchor="y2"),
        "yaxis2": style.axis("", anchor="x2", range=[0, 1.03], tickformat=".0%"),
    }
    layout["xaxis"]["title"]["font"] = {"size": 12}
    return {"data": data, "layout": layout}
