"""The figure of a selection of terms: what each number of terms is worth, and how surely each was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import percent
from perfanalytics.figures import style
from perfanalytics.models.selection import ModelSelection

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSelectionInfo:
    """What is drawn, all in percent of the variation or of the folds.

    ``sizes`` are numbers of terms, ``sample`` and ``unseen`` what they explain in the sample and out of it,
    ``error`` the standard error of the latter, ``terms`` their names; empty in results of earlier versions.
    ``chosen_size`` is the choice, ``whole``, ``whole_low``, ``whole_high`` what the whole search explains out
    of sample; ``noise`` what it finds in 95% of shuffled responses at most. ``labels``, ``often``, ``chosen``
    are the candidates, the most often chosen first.
    """

    sizes: NDArray[np.int64]
    sample: Floats
    unseen: Floats
    error: Floats
    terms: tuple[str, ...]
    chosen_size: int
    whole: float
    whole_low: float
    whole_high: float
    noise: float
    labels: tuple[str, ...]
    often: Floats
    chosen: NDArray[np.bool_]


def info(result: ModelSelection) -> ModelSelectionInfo:
    """The arrays of the figure."""
    order = np.argsort(-result.chosen_in_folds, kind="stable")
    return ModelSelectionInfo(
        sizes=np.arange(len(result.path_terms)),
        sample=100 * result.path_r2,
        unseen=100 * result.path_r2_cv,
        error=100 * result.path_r2_error,
        terms=tuple(str(t) or "no term" for t in result.path_terms),
        chosen_size=int(result.chosen.sum()),
        whole=100 * result.r2_cv,
        whole_low=100 * result.r2_cv_low,
        whole_high=100 * result.r2_cv_high,
        noise=100 * float(np.quantile(result.noise_r2, 0.95)),
        labels=tuple(str(t) for t in result.terms[order]),
        often=100 * result.chosen_in_folds[order],
        chosen=result.chosen[order],
    )


def draw(result: ModelSelection) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows = len(record.labels)
    most = max(rows, 1)
    layout = style.layout(f"Selection of terms for {result.response}", height=max(480, 190 + 24 * rows)) | {
        "margin": {"l": 70, "r": 40, "t": 60, "b": 130},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top", "font": {"size": 12}},
        "xaxis": style.axis(
            "number of terms",
            domain=[0.0, 0.56],
            anchor="y",
            range=[-0.4, most + 0.4],
            dtick=max(1, most // 10),
        ),
        "yaxis": style.axis("variation explained (%)", anchor="x", range=_range(record), nticks=8),
        "xaxis2": style.axis("chosen in folds (%)", domain=[0.74, 1.0], anchor="y2", range=[0, 104]),
        "yaxis2": style.axis(
            "",
            anchor="x2",
            range=[rows - 0.5, -0.5],
            tickvals=list(range(rows)),
            ticktext=[_label(record, k) for k in range(rows)],
            showgrid=False,
        ),
        "shapes": _lines(record),
        "annotations": _notes(record),
    }
    return {"data": [*_path(record), _choice(record), *_candidates(record)], "layout": layout}


def _range(record: ModelSelectionInfo) -> list[float]:
    """Errors far below the mean of the response are cut: they only say that it is worse than that."""
    seen = np.concatenate(
        [record.sample, record.unseen + record.error, [record.noise, record.whole_high, record.whole, 10.0]]
    )
    least = min(0.0, record.whole_low, float((record.unseen - record.error).min(initial=0.0)))
    top = min(100.0, float(seen.max()))
    return [max(least, -60.0) - 5, top + 6]


def _label(record: ModelSelectionInfo, k: int) -> str:
    label = record.labels[k] if len(record.labels[k]) <= 22 else record.labels[k][:20] + "…"
    return f"<b>{label} ◆</b>" if record.chosen[k] else label


def _path(record: ModelSelectionInfo) -> list[dict[str, Any]]:
    if not len(record.sizes):
        return []
    common = {"type": "scatter", "mode": "lines+markers", "x": record.sizes, "text": list(record.terms)}
    return [
        common
        | {
            "name": "in the sample",
            "y": record.sample,
            "line": {"color": style.GREY, "dash": "dot", "width": 1.5},
            "marker": {"symbol": "circle-open", "size": 7, "color": style.GREY},
            "hovertemplate": "%{text}: %{y:.1f}% in the sample<extra></extra>",
        },
        common
        | {
            "name": "out of sample, ± standard error over folds",
            "y": record.unseen,
            "line": {"color": style.BLUE, "width": 2},
            "marker": {"symbol": "circle", "size": 8, "color": style.BLUE},
            "error_y": {
                "type": "data",
                "array": record.error,
                "color": style.BLUE,
                "thickness": 1.3,
                "width": 4,
            },
            "hovertemplate": "%{text}: %{y:.1f}% out of sample<extra></extra>",
        },
    ]


def _choice(record: ModelSelectionInfo) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "the whole search, out of sample (range of the repeats)",
        "x": [record.chosen_size],
        "y": [record.whole],
        "marker": {
            "symbol": "diamond",
            "size": 13,
            "color": style.GREEN,
            "line": {"color": style.INK, "width": 1},
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [record.whole_high - record.whole],
            "arrayminus": [record.whole - record.whole_low],
            "color": style.GREEN,
            "thickness": 2,
            "width": 7,
        },
        "hovertemplate": "the whole search: %{y:.1f}% out of sample<extra></extra>",
    }


def _candidates(record: ModelSelectionInfo) -> list[dict[str, Any]]:
    return [
        {
            "type": "bar",
            "orientation": "h",
            "x": record.often,
            "y": list(range(len(record.labels))),
            "marker": {"color": [style.GREEN if c else style.LIGHT for c in record.chosen.tolist()]},
            "hovertemplate": "%{x:.0f}% of folds<extra></extra>",
            "showlegend": False,
            "xaxis": "x2",
            "yaxis": "y2",
        }
    ]


def _lines(record: ModelSelectionInfo) -> list[dict[str, Any]]:
    across = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    half = {"type": "line", "xref": "x2", "x0": 50, "x1": 50, "yref": "y2 domain", "y0": 0, "y1": 1}
    return [
        across | {"y0": 0, "y1": 0, "line": {"color": style.INK, "width": 1}},
        across | {"y0": record.noise, "y1": record.noise, "line": {"color": style.ORANGE, "dash": "dash"}},
        half | {"line": {"color": style.INK, "width": 1, "dash": "dot"}},
    ]


def _notes(record: ModelSelectionInfo) -> list[dict[str, Any]]:
    base = {"showarrow": False, "yanchor": "bottom", "font": {"size": 11, "color": style.GREY}}
    noise = f"95% of searches in noise find at most {percent(record.noise / 100)} in the sample"
    notes = [
        base
        | {"xref": "x domain", "yref": "y", "x": 1.0, "y": record.noise, "xanchor": "right", "text": noise}
        | {"font": {"size": 11, "color": style.ORANGE}}
    ]
    if record.chosen.any():
        notes.append(
            base
            | {"xref": "paper", "yref": "paper", "x": 0.74, "y": 1.01, "xanchor": "left", "text": "◆ chosen"}
        )
    return notes
