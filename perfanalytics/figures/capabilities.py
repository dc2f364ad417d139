"""The figure of many capabilities: Ppk with its interval, one row a series, the smallest first."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.baselines.capability_bulk_result import Capabilities
from perfanalytics.figures.rows import Rows, draw_rows, standing_of


def info(result: Capabilities) -> Rows:
    """The series, the smallest Ppk first."""
    ppk, low, high = (result.column("ppk", part) for part in ("estimate", "low", "high"))
    drawn = np.flatnonzero(np.isfinite(ppk))
    order = drawn[np.argsort(ppk[drawn], kind="stable")]
    outside = result.column("ppm_observed")[order] / 1e6
    none = np.full(len(order), np.nan)
    return Rows(
        title=f"Capability of {len(result):,} series of {result.measure.name}",
        axis="Ppk",
        log=False,
        percent=False,
        name=np.array(result.ids, dtype=object)[order],
        center=ppk[order],
        low=low[order],
        high=high[order],
        reach_low=none,
        reach_high=none,
        standing=standing_of(result.judged, result.stable)[order],
        note=np.array(
            [
                f"{value:.2f}; {share:.1%} of {n:,}"
                for value, share, n in zip(
                    ppk[order].tolist(), outside.tolist(), result.n[order].tolist(), strict=True
                )
            ],
            dtype=object,
        ),
        head="Ppk; outside the limits",
        lines=((1.0, "1"), (1.33, "1.33")),
        bar="",
        dot=f"Ppk, {result.confidence:.0%} interval",
        hidden=len(result) - len(order),
    )


def draw(result: Capabilities) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    return draw_rows(info(result))
