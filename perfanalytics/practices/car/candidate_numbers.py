"""Each candidate alone and beside the others: tests, shares of the variation, effects of its levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.comparisons.multiplicity import adjusted_p_values
from perfanalytics.core.columns import Floats
from perfanalytics.practices.car.candidate_factors import Factor, columns_of_levels
from perfanalytics.practices.car.candidate_regression import Fitted, fitted

#: Least singular value, as a share, that a block must keep beside the others.
_RANK = 1e-6


@dataclass(frozen=True, slots=True)
class Numbers:
    """The columns of the candidates and of their levels, and what the doubts are about."""

    candidates: dict[str, list[Any]]
    levels: dict[str, list[Any]]
    share: float
    residual: Floats
    lost: tuple[str, ...] = field(default=())
    entangled: dict[str, float] = field(default_factory=dict)


def numbers_of(
    y: Floats,
    factors: Sequence[Factor],
    period: NDArray[np.int64] | None,
    *,
    adjust: str,
    confidence: float,
) -> Numbers:
    """Regress y on each candidate alone, and on all of them."""
    one = np.ones((len(y), 1))
    blocks = [f.block for f in factors]
    starts = 1 + np.cumsum([0, *(b.shape[1] for b in blocks)])
    everything = fitted(y, np.column_stack([one, *blocks]), period)
    columns: dict[str, list[Any]] = {}
    levels: dict[str, list[Any]] = {}
    lost, entangled = [], {}
    for i, factor in enumerate(factors):
        q = blocks[i].shape[1]
        alone = fitted(y, np.column_stack([one, blocks[i]]), period)
        f, df1, df2, p = alone.test(1 + np.arange(q))
        others = [b for j, b in enumerate(blocks) if j != i]
        at = np.arange(starts[i], starts[i] + q)
        joint: tuple[float, float, float, float] = (math.nan,) * 4
        added = math.nan
        if others:
            beside = np.column_stack([one, *others])
            left = blocks[i] - beside @ np.linalg.lstsq(beside, blocks[i], rcond=None)[0]
            size = np.linalg.svd(blocks[i] - blocks[i].mean(axis=0), compute_uv=False)[0]
            if np.linalg.svd(left, compute_uv=False)[-1] < _RANK * size:
                lost.append(factor.name)
            else:
                joint = everything.test(at)
                added = max(0.0, everything.share - fitted(y, beside, period).share)
                known = _explained(blocks[i] @ alone.beta[1:], beside)
                if known > 0.8:
                    entangled[factor.name] = known
        usable = bool(others) and factor.name not in lost
        told = _effects(factor, alone, y, blocks, i, everything if usable else None, at, period, confidence)
        row = {
            "f": f,
            "df1": df1,
            "df2": df2,
            "p_value": p,
            "share": alone.share,
            "f_beside": joint[0],
            "p_beside": joint[3],
            "added_share": added,
            **told.largest,
        }
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
        for name, values in told.levels.items():
            levels.setdefault(name, []).extend(values)
        levels.setdefault("of", []).extend([i] * len(factor.names))
    for name in ("p_value", "p_beside"):
        columns[f"{name}_adjusted"] = adjusted_p_values(columns[name], method=adjust).tolist()
    return Numbers(columns, levels, everything.share, everything.residual, tuple(lost), entangled)


def _explained(score: Floats, beside: Floats) -> float:
    """Share of a candidate's own prediction that the others give too."""
    whole = float(((score - score.mean()) ** 2).sum())
    if not whole > 0:
        return 0.0
    left = score - beside @ np.linalg.lstsq(beside, score, rcond=None)[0]
    return 1.0 - float(left @ left) / whole


@dataclass(frozen=True, slots=True)
class _Told:
    largest: dict[str, Any]
    levels: dict[str, list[Any]]


def _effects(
    factor: Factor,
    alone: Fitted,
    y: Floats,
    blocks: Sequence[Floats],
    i: int,
    everything: Fitted | None,
    at: NDArray[np.int64],
    period: NDArray[np.int64] | None,
    confidence: float,
) -> _Told:
    """Each level against the others, and the effect the candidate is told by."""
    level_rows = _levels(factor, alone, everything, at, confidence)
    if factor.x is not None:
        one = np.ones((len(y), 1))
        x = ((factor.x - factor.x.mean()) / factor.step)[:, None]
        own = fitted(y, np.column_stack([one, x]), period)
        largest = {
            "contrast": f"each {factor.step:g} more",
            **_ends("effect", own, _unit(2, 1), confidence, 1),
        }
        if everything is None:
            return _Told(
                largest | dict.fromkeys(("adjusted", "adjusted_low", "adjusted_high"), math.nan), level_rows
            )
        rest = [b for j, b in enumerate(blocks) if j != i]
        whole = fitted(y, np.column_stack([one, x, *rest]), period)
        return _Told(largest | _ends("adjusted", whole, _unit(len(whole.beta), 1), confidence, 1), level_rows)
    t = [
        abs(e) / max(h - e, 1e-300)
        for e, h in zip(level_rows["effect"], level_rows["effect_high"], strict=True)
    ]
    k = int(np.argmax(np.nan_to_num(t)))
    names = ("effect", "effect_low", "effect_high", "adjusted", "adjusted_low", "adjusted_high")
    return _Told({"contrast": factor.names[k]} | {n: level_rows[n][k] for n in names}, level_rows)


def _levels(
    factor: Factor, alone: Fitted, everything: Fitted | None, at: NDArray[np.int64], confidence: float
) -> dict[str, list[Any]]:
    """Each level less the mean of the items of all others; intervals hold together (Bonferroni)."""
    keys = ("level", "n", "effect", "effect_low", "effect_high", "adjusted", "adjusted_low", "adjusted_high")
    rows: dict[str, list[Any]] = {key: [] for key in keys}
    counts, place = factor.counts, columns_of_levels(factor)
    for k, name in enumerate(factor.names):
        weight = -counts / (counts.sum() - counts[k])
        weight[k] = 1.0
        own = np.zeros(len(alone.beta))
        for j, c in enumerate(place):
            if c >= 0:
                own[1 + c] += weight[j]
        found = {"level": name, "n": int(counts[k])}
        found |= _ends("effect", alone, own, confidence, len(factor.names))
        if everything is None:
            found |= dict.fromkeys(("adjusted", "adjusted_low", "adjusted_high"), math.nan)
        else:
            beside = np.zeros(len(everything.beta))
            beside[at] = own[1:]
            found |= _ends("adjusted", everything, beside, confidence, len(factor.names))
        for key in keys:
            rows[key].append(found[key])
    return rows


def _unit(n: int, k: int) -> Floats:
    out = np.zeros(n)
    out[k] = 1.0
    return out


def _ends(name: str, model: Fitted, weights: Floats, confidence: float, many: int) -> dict[str, Any]:
    estimate, se = model.contrast(weights)
    if model.df < 1:
        return {name: estimate, f"{name}_low": math.nan, f"{name}_high": math.nan}
    half = float(special.stdtrit(model.df, 1 - (1 - confidence) / 2 / many)) * se
    return {name: estimate, f"{name}_low": estimate - half, f"{name}_high": estimate + half}
