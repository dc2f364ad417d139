"""Whether a chart is stable: the evidence of its stages put together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.spc.evidence import evidence
from perfanalytics.spc.kernel import Counted
from perfanalytics.spc.prepared import Prepared
from perfanalytics.spc.stability import FALSE_ALARMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether a chart of K stages is stable, and the evidence, over all of it and stage by stage."""

    stable: bool | None = None
    p_value: float = float("nan")
    expected: float = 0.0
    made_by: str = ""
    stage_p_value: Floats = field(default_factory=lambda: np.empty(0))
    stage_expected: Floats = field(default_factory=lambda: np.empty(0))


def judge(counted: Counted, prepared: Prepared) -> Judged:
    """The evidence of each stage, and the smallest p-value times their number for the whole chart."""
    p, expected, made_by = evidence(counted, prepared.setting, prepared.mode)
    judged = ~np.isnan(p)
    known = ~np.isnan(counted.farthest) | (prepared.mode == "own")
    expected = np.where((counted.n > 0) & known, expected, 0.0)
    found = Judged(expected=float(expected.sum()), stage_p_value=p, stage_expected=expected)
    if not judged.any():
        return found
    value = float(min(1.0, judged.sum() * p[judged].min()))
    return replace(found, stable=value > FALSE_ALARMS, p_value=value, made_by=made_by)


def hidden_signals(counted: Counted | None, prepared: Prepared, judged: Judged) -> dict[int, int]:
    """Signals by the exact law of counts, of stages without a drawn signal that are judged by them."""
    if counted is None:
        return {}
    odd = (counted.n_signals == 0) & (counted.judged_signals > 0)
    if not odd.any():
        return {}
    none = np.zeros_like(counted.judged_signals)
    far, _, _ = evidence(replace(counted, judged_signals=none), prepared.setting, prepared.mode)
    where = np.flatnonzero(odd & (far > judged.stage_p_value))
    return {k: int(counted.judged_signals[k]) for k in where.tolist()}
