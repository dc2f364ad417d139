"""The figure of a model: what drives the response, and how far predictions lie from what was observed."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.models.laws import LAWS, Law
from perfanalytics.models.result import Model

if TYPE_CHECKING:
    import pandas as pd

#: At most this many effects (the clearest) and points (evenly chosen) are drawn.
EFFECTS, POINTS = 24, 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is drawn.

    ``labels``, ``effect``, ``low``, ``high`` are the effects (ratios on the log scale), the clearest first;
    ``controllable`` marks those somebody can set. ``fitted`` and ``observed`` are the points, ``outside``
    those beyond the prediction band; ``line``, ``band_low``, ``band_high`` the band. A model that was
    computed from sums keeps no rows: it has effects, no points and no band.
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
    ratio: bool
    odds: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Band:
    """The prediction band along the fitted values, and the points beyond it."""

    line: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    outside: NDArray[np.bool_]
    log: bool


def _band(result: Model) -> Band:
    """What a typical row gets: at the mean leverage p / n, with the mean sizes and weight 1."""
    if not len(result.fitted):
        none = np.zeros(0)
        return Band(none, none, none, np.zeros(0, dtype=bool), False)
    ends = float(result.fitted.min()), float(result.fitted.max())
    edge = float(special.ndtri((1 + result.confidence) / 2))
    if result.family in LAWS:
        law, k = LAWS[result.family], result.parameters.get("shape", math.nan)
        log = not law.whole
        line = np.geomspace(*ends, 50) if log else np.linspace(*ends, 50)
        shares = (1 - result.confidence) / 2, (1 + result.confidence) / 2
        if result.family == "binomial":
            # outcomes of single items have no band: they are 0 or 1
            blank = np.full(50, np.nan)
            single = "sizes" not in result.columns
            off = np.zeros(result.n, dtype=bool) if single else np.abs(result.residuals) > edge
            return Band(line, blank, blank, off, False)
        low, high = (_law_quantile(law, line, k, s) for s in shares)
        return Band(line, low, high, np.abs(result.residuals) > edge, log)
    if result.family == "quantile":
        blank = np.full(50, np.nan)
        line = np.geomspace(*ends, 50) if result.logged else np.linspace(*ends, 50)
        return Band(line, blank, blank, np.abs(result.residuals) > edge, result.logged)
    half = float(special.stdtrit(result.df, (1 + result.confidence) / 2)) * result.sigma
    half *= math.sqrt(1 + len(result.terms) / result.n)
    if result.logged:
        line = np.geomspace(*ends, 50)
        off = np.abs(np.log(result.observed) - np.log(result.fitted)) > half
        return Band(line, line * math.exp(-half), line * math.exp(half), off, True)
    line = np.linspace(*ends, 50)
    return Band(line, line - half, line + half, np.abs(result.observed - result.fitted) > half, False)


def _law_quantile(law: Law, mu: NDArray[np.float64], k: float, share: float) -> NDArray[np.float64]:
    """Quantile of the law at known parameters."""
    if law.name == "gamma":
        return np.asarray(mu * special.gammaincinv(k, share) / k)
    low, high = np.full(len(mu), -1.0), np.ceil(mu * 50 + 100)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = law.cdf(middle, mu, k) >= share
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _label(result: Model, frame: pd.DataFrame, row: int, step: float) -> str:
    """The name of an effect: a level, or a number with its step; the quantile where several were asked."""
    name = re.sub(r"C\((\w+).*?\)(?=\[)", r"\1", str(frame["term"].iat[row]))
    name = re.sub(r"\[T\.(.*?)\]", r": \1", name)
    name = name if step == 1 else f"{name}, +1 SD"
    several = result.family == "quantile" and len(result.arrays["quantiles"]) > 1
    return f"{name} (P{100 * float(frame['quantile'].to_numpy()[row]):g})" if several else name


def info(result: Model) -> ModelInfo:
    """The arrays of the figure."""
    frame = result.to_frame()
    own = np.flatnonzero(frame["factor"].to_numpy() != "Intercept")
    p_values = frame["p_value"].to_numpy()[own]
    order = own[np.argsort(np.where(np.isnan(p_values), 0.0, p_values), kind="stable")]
    shown = order[:EFFECTS]
    step = result.steps[shown % len(result.terms)]
    effect, low, high = (frame[c].to_numpy()[shown] * step for c in ("estimate", "low", "high"))
    ratio = result.logged or result.link != "identity"
    if ratio:
        effect, low, high = (np.exp(np.clip(v, -300.0, 300.0)) for v in (effect, low, high))
    labels = tuple(_label(result, frame, int(k), float(s)) for k, s in zip(shown, step, strict=True))
    band = _band(result)
    rows = len(result.fitted)
    keep = np.unique(np.linspace(0, rows - 1, min(rows, POINTS)).round().astype(int))
    return ModelInfo(
        labels=labels,
        effect=effect,
        low=low,
        high=high,
        controllable=frame["controllable"].to_numpy(dtype=bool)[shown],
        hidden_effects=len(own) - len(shown),
        fitted=result.fitted[keep],
        observed=result.observed[keep],
        outside=band.outside[keep],
        hidden_points=rows - len(keep),
        line=band.line,
        band_low=band.low,
        band_high=band.high,
        log=band.log,
        ratio=ratio,
        odds=result.link == "logit",
        confidence=result.confidence,
    )


def draw(result: Model) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    unit = result.measure.unit
    suffix = f" ({unit})" if unit not in ("", "1") else ""
    rows = len(record.labels)
    if not rows and len(record.fitted):
        return _without_factors(result, record, suffix)
    height = max(460, 150 + 24 * rows)
    effect_title = f"effect on {result.response}{suffix}"
    if record.ratio:
        of = f"the odds of {result.response}" if record.odds else result.response
        effect_title = f"factor on {of} (1 = none)"
    layout = style.layout(f"Model of {result.response}", height=height) | {
        "margin": {"l": 30, "r": 30, "t": 60, "b": 80},
        "xaxis": style.axis(
            effect_title,
            domain=[0.0, 0.40 if len(record.fitted) else 1.0],
            anchor="y",
            nticks=6,
            **_effect_axis(record),
        ),
        "yaxis": style.axis(
            "",
            anchor="x",
            range=[rows - 0.5, -0.5],
            tickvals=list(range(rows)),
            ticktext=[_row_label(record, k) for k in range(rows)],
            showgrid=False,
        ),
        "shapes": [_null_line(record)],
        "annotations": _notes(record),
    }
    if not len(record.fitted):
        return {"data": [_effects(record)], "layout": layout}
    layout |= {
        "xaxis2": style.axis(f"predicted{suffix}", domain=[0.54, 1.0], anchor="y2", **_point_axis(record)),
        "yaxis2": style.axis(f"observed{suffix}", anchor="x2", **_point_axis(record)),
    }
    return {"data": [_effects(record), *_points(record)], "layout": layout}


def _without_factors(result: Model, record: ModelInfo, suffix: str) -> dict[str, Any]:
    """A model of a level only: there is no effect to draw, so the predictions have the whole width."""
    layout = style.layout(f"Model of {result.response}", height=460) | {
        "margin": {"l": 30, "r": 30, "t": 60, "b": 80},
        "xaxis2": style.axis(f"predicted{suffix}", domain=[0.0, 1.0], anchor="y2", **_point_axis(record)),
        "yaxis2": style.axis(f"observed{suffix}", anchor="x2", **_point_axis(record)),
        "annotations": _notes(record),
    }
    return {"data": _points(record), "layout": layout}


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
    traces = [band, equal] if np.isfinite(record.band_low).all() else [equal]
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
    if not record.ratio or not len(record.effect):
        return {}
    low, high = (float(v) for v in (np.min(record.low), np.max(record.high)))
    low, high = math.log10(min(max(low, 1e-6), 1.0)), math.log10(max(min(high, 1e6), 1.0))
    pad = 0.08 * max(high - low, 0.1)
    return {"type": "log"} | _log_ticks(low - pad, high + pad)


def _point_axis(record: ModelInfo) -> dict[str, Any]:
    if not record.log:
        return {}
    seen = np.concatenate([record.fitted, record.observed, record.band_low, record.band_high])
    seen = seen[np.isfinite(seen)]
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
    null = 1.0 if record.ratio else 0.0
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
    if not record.labels:
        left.append("no factor in the model")
    if not len(record.fitted):
        left.append("computed from sums: there are no rows to draw predictions beside")
        return _placed([(0.0, "; ".join(left))])
    share = float(np.mean(record.outside))
    what = "band" if np.isfinite(record.band_low).all() else "own interval"
    right = f"{what}: {percent(record.confidence)} prediction; × {percent(share)} of the points lie outside"
    if record.hidden_points:
        right += f"; {len(record.fitted):,} of {len(record.fitted) + record.hidden_points:,} drawn"
    if not record.labels:
        return _placed([(0.0, "; ".join([*left, right]))])
    return _placed([(0.0, "; ".join(left)), (0.54, right)])


def _placed(notes: list[tuple[float, str]]) -> list[dict[str, Any]]:
    """Notes above the panels."""
    style_of = {"xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
    return [
        style_of
        | {"x": x, "y": 1.01, "xanchor": "left", "text": text, "font": {"size": 11, "color": style.GREY}}
        for x, text in notes
        if text
    ]
