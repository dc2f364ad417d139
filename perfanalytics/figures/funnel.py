"""The figure of a funnel: units by their size, limits as smooth curves, the units outside by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.control_chart_info import LETTER, told
from perfanalytics.figures.labels import LINE, beside, spread_out
from perfanalytics.spc.families.funnel import asked_of, contour
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.wording import number, unit_of

#: Plotting area in pixels that label placement reckons with.
WIDTH, HEIGHT = 830.0, 380.0
#: So many of the units outside are named, the farthest first; the others tell their name under the pointer.
MOST = 30
#: Points of a curve.
_FINE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A pair of limits: name for the margin, and whether it is the one that decides."""

    name: str
    lower: Floats
    upper: Floats
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelInfo:
    """A funnel as drawn.

    ``signals`` are positions of units by direction, ``labels`` the text and offset in pixels of those that
    are named.
    """

    title: str
    x_title: str
    y_title: str
    size: Floats
    value: Floats
    texts: tuple[str, ...]
    along: Floats
    curves: tuple[Curve, ...]
    center: float
    center_text: str
    signals: dict[str, NDArray[np.int64]]
    excluded: NDArray[np.int64]
    labels: dict[int, tuple[str, float, float]]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    share: bool


def info(chart: ControlChart) -> FunnelInfo:
    """What is drawn where."""
    asked = asked_of(chart)
    parameters = {name: float(column[-1]) for name, column in chart.limits.parameters.items()}
    size = np.full(chart.value.shape[1], np.nan) if chart.sizes is None else chart.sizes
    value = chart.value[0]
    seen = np.isfinite(value) & np.isfinite(size)
    top = float(size[seen].max()) if seen.any() else 1.0
    low = float(size[seen].min()) if seen.any() else 0.0
    # finer where the curves bend
    along = low * 0.8 + (top * 1.02 - low * 0.8) * np.linspace(0.0, 1.0, _FINE) ** 2
    along = np.maximum(along, 1e-3 * top)
    curves = []
    if np.isfinite(parameters["center"]):
        inner = float(-special.ndtri((1.0 - float(asked.options["contour"])) / 2.0))
        for width, decides in ((inner, False), (chart.sigmas, True)):
            if decides or width < chart.sigmas:
                wide = type(asked)(options=asked.options, limits=asked.limits, sigmas=width)
                lower, upper = contour(parameters, wide, along)
                share = 1.0 - 2.0 * float(special.ndtr(-width))
                text = f"{chart.sigmas:g} sigma" if decides else f"{100 * share:.3g}%"
                curves.append(Curve(name=text, lower=lower, upper=upper, decides=decides))
    x_range = (0.0, top * 1.04)
    y_range = _range(value[seen], curves, chart.is_share)
    directions = chart.direction[0]
    signals = {
        word: np.flatnonzero(directions == word)
        for word in ("improvement", "concern", "neutral")
        if (directions == word).any()
    }
    name = chart.measure.name + (f" [{chart.id}]" if chart.id else "")
    law = asked.options["law"]
    spread = float(np.nanmedian(chart.sigma[0])) if np.isfinite(chart.sigma[0]).any() else np.nan
    return FunnelInfo(
        title=f"{name}: {chart.title}",
        x_title="precision (1 / standard error squared)" if law == "normal" else "size of the unit",
        y_title=f"{chart.measure.name} (share)" if chart.is_share else chart.measure.label,
        size=size,
        value=value,
        texts=tuple(_text(chart, k, size) for k in range(len(value))),
        along=along,
        curves=tuple(curves),
        center=parameters["center"],
        center_text=("target " if asked.options["target"] is not None else "overall ")
        + number(parameters["center"], max(spread, (y_range[1] - y_range[0]) / 100), share=chart.is_share),
        signals=signals,
        excluded=np.flatnonzero(chart.excluded & seen),
        labels=_labels(chart, size, seen, x_range, y_range),
        x_range=x_range,
        y_range=y_range,
        share=chart.is_share,
    )


def _range(value: Floats, curves: list[Curve], share: bool) -> tuple[float, float]:
    """All units, and as much of the curves as leaves the units most of the room."""
    if not len(value):
        return 0.0, 1.0
    low, high = float(value.min()), float(value.max())
    reach = max(high - low, 1e-12)
    for curve in curves:
        low = min(low, max(float(np.nanmin(curve.lower)), low - 0.5 * reach))
        high = max(high, min(float(np.nanmax(curve.upper)), high + 0.5 * reach))
    pad = 0.06 * (high - low)
    low, high = low - pad, high + pad
    return (max(low, -0.01), min(high, 1.01)) if share else (low, high)


def _text(chart: ControlChart, k: int, size: Floats) -> str:
    value = number(float(chart.value[0, k]), float(chart.sigma[0, k]), share=chart.is_share)
    low, high = (
        number(float(y[0, k]), float(chart.sigma[0, k]), share=chart.is_share)
        for y in (chart.lower, chart.upper)
    )
    return f"{told(chart, k)}: {value}{unit_of(chart.measure)}, size {size[k]:,.6g}<br>limits {low} to {high}"


def _labels(
    chart: ControlChart, size: Floats, seen: NDArray[np.bool_], x: tuple[float, float], y: tuple[float, float]
) -> dict[int, tuple[str, float, float]]:
    out = np.flatnonzero(chart.fired[0] != 0)
    if not len(out):
        return {}
    far = np.abs((chart.value[0, out] - chart.center[0, out]) / chart.sigma[0, out])
    which = [int(k) for k in out[np.argsort(-far, kind="stable")][:MOST]]
    pixels = np.stack(
        [
            (size - x[0]) / (x[1] - x[0]) * WIDTH,
            (chart.value[0] - y[0]) / (y[1] - y[0]) * HEIGHT,
        ],
        axis=1,
    )
    pixels[~seen] = -1e9
    names = [_name(chart, k) for k in which]
    places = beside(pixels, which, [LETTER * len(t) + 6 for t in names], WIDTH, HEIGHT)
    return {k: (t, *places[k]) for k, t in zip(which, names, strict=True) if k in places}


def _name(chart: ControlChart, k: int) -> str:
    text = str(chart.labels[k]) if chart.labels is not None and chart.labels[k] else str(k)
    return text if len(text) <= 24 else text[:23] + "…"


def draw(chart: ControlChart) -> dict[str, Any]:
    """The figure of a funnel as a plain plotly dict."""
    record = info(chart)
    data: list[dict[str, Any]] = []
    for curve in record.curves:
        line = {
            "color": style.GREY,
            "width": 1.5 if curve.decides else 0.9,
            "dash": "dash" if curve.decides else "dot",
        }
        data += [
            {
                "type": "scatter",
                "mode": "lines",
                "x": record.along,
                "y": y,
                "line": line,
                "hoverinfo": "skip",
                "showlegend": False,
            }
            for y in (curve.lower, curve.upper)
        ]
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.array(record.x_range),
            "y": np.full(2, record.center),
            "line": {"color": style.GREY, "width": 1.4, "dash": "solid"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    )
    marked = np.concatenate([record.excluded, *record.signals.values()]).astype(np.int64)
    plain = np.setdiff1d(np.flatnonzero(np.isfinite(record.value)), marked)
    data.append(
        _marks(record, plain, "within", {"color": style.INK, "size": 5.5, "opacity": 0.75}, named=False)
    )
    for word, where in record.signals.items():
        color, symbol = style.DIRECTION[word]
        name = {"neutral": "outside the limits"}.get(word, f"outside: {word}")
        mark = {"color": color, "symbol": symbol, "size": 9, "line": {"color": style.PAPER, "width": 1}}
        data.append(_marks(record, where, name, mark))
    if len(record.excluded):
        mark = {"color": style.GREY, "symbol": "x-open", "size": 10}
        data.append(_marks(record, record.excluded, "excluded", mark))
    keyed = bool(record.signals) or len(record.excluded) > 0
    layout = style.layout(
        record.title,
        height=520,
        margin={"l": 70, "r": 128, "t": 52, "b": 88},
        showlegend=keyed,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.17, "yanchor": "top"},
        annotations=_names(record) + _margin(record),
        xaxis=style.axis(record.x_title, range=list(record.x_range), tickformat=",~r"),
        yaxis=style.axis(
            record.y_title,
            range=list(record.y_range),
            **(
                {"tickformat": ".0%" if record.y_range[1] - record.y_range[0] > 0.05 else ".1%"}
                if record.share
                else {}
            ),
        ),
    )
    return {"data": data, "layout": layout}


def _marks(
    record: FunnelInfo, where: NDArray[np.int64], name: str, marker: dict[str, Any], *, named: bool = True
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "showlegend": named,
        "x": record.size[where],
        "y": record.value[where],
        "text": [record.texts[int(k)] for k in where],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": marker,
    }


def _names(record: FunnelInfo) -> list[dict[str, Any]]:
    """Names of the units outside, each with a thin line to its point."""
    return [
        {
            "x": record.size[k],
            "y": record.value[k],
            "ax": right,
            "ay": -up,
            "text": text,
            "showarrow": True,
            "arrowhead": 0,
            "arrowwidth": 0.6,
            "arrowcolor": style.GREY,
            "standoff": 4,
            "font": {"size": 11, "color": style.INK},
        }
        for k, (text, right, up) in record.labels.items()
    ]


def _margin(record: FunnelInfo) -> list[dict[str, Any]]:
    """What the lines are, at their right ends."""
    levels = [("center", record.center, record.center_text)] if np.isfinite(record.center) else []
    for curve in record.curves:
        levels += [
            ("limit", float(y[-1]), curve.name)
            for y in (curve.upper, curve.lower)
            if record.y_range[0] <= y[-1] <= record.y_range[1]
        ]
    if not levels:
        return []
    room = LINE / HEIGHT * (record.y_range[1] - record.y_range[0])
    places = spread_out([level for _, level, _ in levels], room)
    return [
        {
            "xref": "paper",
            "x": 1.0,
            "y": place,
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": 6,
            "showarrow": False,
            "text": text,
            "font": {"size": 11, "color": style.INK if what == "center" else style.GREY},
        }
        for (what, _, text), place in zip(levels, places, strict=True)
    ]
