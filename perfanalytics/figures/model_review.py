"""The report card of a model as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perfanalytics.figures import style
from perfanalytics.models.review import ModelReview

#: Answer -> its mark: a sign, so that the table reads in grey, and a color.
MARKS = {"yes": ("✓ yes", style.BLUE), "no": ("✗ no", style.ORANGE), "unknown": ("? unknown", style.GREY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewInfo:
    """The rows of the table."""

    criterion: tuple[str, ...]
    answer: tuple[str, ...]
    evidence: tuple[str, ...]


def info(result: ModelReview) -> ReviewInfo:
    """The rows; demanded criteria in bold."""
    names = zip(result.criterion.tolist(), result.demanded.tolist(), strict=True)
    return ReviewInfo(
        criterion=tuple(f"<b>{c}</b>" if d else str(c) for c, d in names),
        answer=tuple(result.answer.tolist()),
        evidence=tuple(result.evidence.tolist()),
    )


def draw(result: ModelReview) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    marks = [MARKS[a] for a in record.answer]
    table = {
        "type": "table",
        "columnwidth": [30, 12, 70],
        "header": {
            "values": ["<b>criterion</b>", "<b>answer</b>", "<b>evidence</b>"],
            "align": "left",
            "fill": {"color": "#EEEEEE"},
            "font": {"color": style.INK, "size": 13},
        },
        "cells": {
            "values": [list(record.criterion), [m[0] for m in marks], list(record.evidence)],
            "align": "left",
            "height": 26,
            "fill": {"color": style.PAPER},
            "line": {"color": "#E5E5E5"},
            "font": {"size": 12, "color": [style.INK, [m[1] for m in marks], style.INK]},
        },
    }
    called = "a process performance model" if result.is_process_performance_model else "not yet one"
    extra = sum(len(e) > 90 for e in record.evidence) * 18
    layout = style.layout(
        f"Process performance model? {result.measure.name}: {called} (bold: demanded)",
        height=110 + 30 * len(marks) + extra,
        margin={"l": 20, "r": 20, "t": 55, "b": 10},
    )
    return {"data": [table], "layout": layout}
