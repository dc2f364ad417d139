"""The figure of a model: what drives the response, and how far predictions lie from what was observed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.models.result import Model

#: At most this many effects (the clearest) and points (evenly chosen) are drawn.
EFFECTS, POINTS = 24, 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is drawn.

    ``labels``, ``effect``, ``low``, ``high`` are the effects (ratios on the log scale), the clearest first;
    ``controllable`` marks those somebody can set. ``fitted`` and ``observed`` are the points, ``outside``
    those beyond the prediction band; ``line``, ``band_low``, ``band_high`` the band.
    """

    labels: tuple[str, ...]
    effect: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    controllable: NDArray[np.bool_]
    hidden_effects: int
    fitted: NDArray[np.float64]
    observed: NDArray[np.float64]
    outside: NDArray[np.bool_]
    hidden_points: int
    line: NDArray[np.float64]
    band_low: NDArray[np.float64]
    band_high: NDArray[np.float64]
    log: bool
    confidence: float


def info(result: Model) -> ModelInfo:
    """The arrays of the figure."""
    frame = result.to_frame()
    own = np.flatnonzero(frame["factor"].to_numpy() != "Intercept")
    p_values = frame["p_value"].to_numpy()[own]
    order = own[np.argsort(np.where(np.isnan(p_values), 0.0, p_values), kind="stable")]
    shown = order[:EFFECTS]
    step = result.steps[shown]
    effect, low, high = (frame[c].to_numpy()[shown] * step for c in ("estimate", "low", "high"))
    if result.logged:
        effect, low, high = np.exp(effect), np.exp(low), np.exp(high)
    names = [re.sub(r"\[T\.(.*?)\]", r": \1", str(result.terms[k])) for k in shown]
    labels = tuple(n if s == 1 else f"{n}, +1 SD" for n, s in zip(names, step, strict=True))
    # the band at the mean leverage p / n: what a typical row gets
    half = float(special.stdtrit(result.df, (1 + result.confidence) / 2)) * result.sigma
    half *= math.sqrt(1 + len(result.terms) / result.n)
    ends = float(result.fitted.min()), float(result.fitted.max())
    if result.logged:
        line = np.geomspace(*ends, 50)
        band_low, band_high = line * math.exp(-half), line * math.exp(half)
        off = np.abs(np.log(result.observed) - np.log(result.fitted)) > half
    else:
        line = np.linspace(*ends, 50)
        band_low, band_high = line - half, line + half
        off = np.abs(result.observed - result.fitted) > half
    keep = np.unique(np.linspace(0, result.n - 1, min(result.n, POINTS)).round().astype(int))
    return ModelInfo(
        labels=labels,
        effect=effect,
        low=low,
        high=high,
        controllable=frame["controllable"].to_numpy(dtype=bool)[shown],
        hidden_effects=len(own) - len(shown),
        fitted=result.fitted[keep],
        observed=result.observed[keep],
        outside=off[keep],
        hidden_points=result.n - len(keep),
        line=line,
        band_low=band_low,
        band_high=band_high,
        log=result.logged,
        confidence=result.confidence,
    )


def draw(result: Model) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    unit = result.measure.unit
    suffix = f" ({unit})" if unit not in ("", "1") else ""
    rows = len(record.labels)
    height = max(460, 150 + 24 * rows)
    effect_title = (
        f"factor on {result.response} (1 = none)" if record.log else f"effect on {result.response}{suffix}"
    )
    layout = style.layout(f"Model of {result.response}", height=height) | {
        "margin": {"l": 30, "r": 30, "t": 60, "b": 80},
        "xaxis": style.axis(effect_title, domain=[0.0, 0.40], anchor="y", nticks=6, **_effect_axis(record)),
        "yaxis": style.axis(
            "",
            anchor="x",
            range=[rows - 0.5, -0.5],
            tickvals=list(range(rows)),
            ticktext=[_row_label(record, k) for k in range(rows)],
            showgrid=False,
        ),
        "xaxis2": style.axis(f"predicted{suffix}", domain=[0.54, 1.0], anchor="y2", **_point_axis(record)),
        "yaxis2": style.axis(f"observed{suffix}", anchor="x2", **_point_axis(record)),
        "shapes": [_null_line(record)],
        "annotations": _notes(record),
    }
    return {"data": [_effects(record), *_points(record)], "layout": layout}


def _row_label(record: ModelInfo, k: int) -> str:
    label = record.labels[k] if len(record.labels[k]) <= 32 else record.labels[k][:30] + "…"
    return f"<b>{label} ◆</b>" if record.controllable[k] else label


def _effects(record: ModelInfo) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": record.effect,
        "y": list(range(len(record.labels))),
        "marker": {
            "color": [style.BLUE if c else style.GREY for c in record.controllable.tolist()],
            "symbol": ["diamond" if c else "circle" for c in record.controllable.tolist()],
            "size": 9,
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": record.high - record.effect,
            "arrayminus": record.effect - record.low,
            "color": style.GREY,
            "thickness": 1.8,
            "width": 5,
        },
        "hovertemplate": "%{x:.4g}<extra></extra>",
    }


def _points(record: ModelInfo) -> list[dict[str, Any]]:
    axes = {"xaxis": "x2", "yaxis": "y2"}
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([record.line, record.line[::-1]]),
        "y": np.concatenate([record.band_high, record.band_low[::-1]]),
        "fill": "toself",
        "fillcolor": "rgba(86, 180, 233, 0.18)",
        "line": {"color": style.SKY, "width": 1},
        "hoverinfo": "skip",
    } | axes
    equal = {
        "type": "scatter",
        "mode": "lines",
        "x": record.line,
        "y": record.line,
        "line": {"color": style.INK, "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
    } | axes
    traces = [band, equal]
    for name, mask, color, symbol in (
        ("inside", ~record.outside, style.BLUE, "circle"),
        ("outside the band", record.outside, style.ORANGE, "x"),
    ):
        if mask.any():
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": record.fitted[mask],
                    "y": record.observed[mask],
                    "marker": {
                        "color": color,
                        "symbol": symbol,
                        "size": 6 if len(record.fitted) <= 400 else 4,
                        "opacity": 0.8 if len(record.fitted) <= 400 else 0.4,
                    },
                    "hovertemplate": "predicted %{x:.4g}, observed %{y:.4g}<extra>" + name + "</extra>",
                }
                | axes
            )
    return traces


def _effect_axis(record: ModelInfo) -> dict[str, Any]:
    if not record.log or not len(record.effect):
        return {}
    low, high = (float(v) for v in (np.min(record.low), np.max(record.high)))
    low, high = math.log10(min(max(low, 1e-6), 1.0)), math.log10(max(min(high, 1e6), 1.0))
    pad = 0.08 * max(high - low, 0.1)
    return {"type": "log"} | _log_ticks(low - pad, high + pad)


def _point_axis(record: ModelInfo) -> dict[str, Any]:
    if not record.log:
        return {}
    seen = np.concatenate([record.fitted, record.observed, record.band_low, record.band_high])
    low, high = math.log10(float(seen.min())), math.log10(float(seen.max()))
    return {"type": "log"} | _log_ticks(low - 0.05, high + 0.05)


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    """Readable ticks and the range of a log axis, from its ends as powers of ten."""
    steps = (
        (1.0,) if high - low > 2 else (1.0, 2.0, 5.0) if high - low > 0.6 else (1, 1.2, 1.5, 2, 3, 4, 5, 7)
    )
    ticks = [s * 10.0**d for d in range(math.floor(low), math.ceil(high) + 1) for s in steps]
    ticks = [t for t in ticks if low <= math.log10(t) <= high]
    return {"range": [low, high], "tickvals": ticks, "ticktext": [number(t) for t in ticks]}


def _null_line(record: ModelInfo) -> dict[str, Any]:
    null = 1.0 if record.log else 0.0
    line = {"color": style.INK, "width": 1, "dash": "dot"}
    where = {"x0": null, "x1": null, "y0": 0, "y1": 1}
    return {"type": "line", "xref": "x", "yref": "y domain", "layer": "below", "line": line} | where


def _notes(record: ModelInfo) -> list[dict[str, Any]]:
    left = []
    if record.controllable.any():
        left.append("◆ controllable")
    if record.hidden_effects:
        left.append(
            f"the {len(record.labels)} clearest of {len(record.labels) + record.hidden_effects} effects"
        )
    share = float(np.mean(record.outside))
    right = f"band: {percent(record.confidence)} prediction; × {percent(share)} of the points lie outside"
    if record.hidden_points:
        right += f"; {len(record.fitted):,} of {len(record.fitted) + record.hidden_points:,} drawn"
    style_of = {"xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
    notes = [(0.0, "; ".join(left)), (0.54, right)]
    return [
        style_of
        | {"x": x, "y": 1.01, "xanchor": "left", "text": text, "font": {"size": 11, "color": style.GREY}}
        for x, text in notes
        if text
    ]
