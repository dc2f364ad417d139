"""The columns of many charts: of each series what the single chart says, from blocks of whole series."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.segments import Flags
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.doubts import doubtful, not_counts
from perfanalytics.spc.evidence import evidence
from perfanalytics.spc.guards import guard
from perfanalytics.spc.kernel import Counted, count_block
from perfanalytics.spc.prepared import Prepared, still_open
from perfanalytics.spc.stability import FALSE_ALARMS
from perfanalytics.spc.validity import judge_validity


def columns_of(batch: SeriesBatch, prepared: Prepared, *, hashed: bool = True) -> tuple[dict[str, Any], str]:
    """The columns of :class:`ControlCharts`, and where the stability reference comes from.

    ``hashed=False`` leaves the hashes of the data empty (to measure what they cost).
    """
    m, r = len(batch), len(prepared.setting.rules.rules)
    parts: list[Counted] = []
    for *_, charted in prepared.blocks():
        if charted is not None:
            parts.append(count_block(charted, prepared.setting))
    counted = _joined(parts, r)
    offsets, starts = prepared.points.offsets, prepared.starts
    of = np.searchsorted(offsets, starts, side="right") - 1
    has = np.zeros(m, dtype=bool)
    has[of] = True
    last = np.zeros(m, dtype=np.int64)
    last[of] = np.arange(len(starts))

    def level(x: Any) -> Any:
        """Of the last stage of each series; NaN for series without points."""
        return np.where(has, x[last], np.nan) if len(x) else np.full(m, np.nan)

    def total(x: Any) -> Any:
        return np.bincount(of, weights=x, minlength=m).astype(np.int64)

    p, expected, made_by = evidence(counted, prepared.setting, prepared.mode)
    smallest = np.full(m, np.inf)
    np.fmin.at(smallest, of, p)
    tests = np.bincount(of, weights=~np.isnan(p), minlength=m)
    judged = np.isfinite(smallest)
    smallest[~judged] = np.nan
    p_value = np.minimum(1.0, smallest * tests)
    newest = np.full(m, -1, dtype=np.int64)
    some = counted.newest >= 0
    newest[of[some]] = (starts + counted.newest)[some]
    signals = newest >= 0
    when = np.full(m, "NaT", dtype="datetime64[us]")
    source = batch if prepared.points.batch is None else prepared.points.batch
    if source.when is not None:
        when[signals] = source.when[newest[signals]]
    farthest = np.full(m, -np.inf)
    np.fmax.at(farthest, of, counted.farthest)
    unattributed = np.zeros(m, dtype=bool)
    nameless = [k for k, e in prepared.exclusions.items() if not e.who or e.decided_on is None]
    unattributed[np.searchsorted(offsets, nameless, side="right") - 1] = True
    opened = np.zeros(m, dtype=bool)
    open_points = np.flatnonzero(still_open(batch, prepared.points))
    opened[np.searchsorted(offsets, open_points, side="right") - 1] = True
    columns = {
        "center": level(counted.center),
        "sigma": level(counted.sigma),
        "lower": level(counted.lower),
        "upper": level(counted.upper),
        "n": total(counted.n),
        "n_missing": total(counted.n_missing),
        "n_excluded": total(counted.n_excluded),
        "stages": np.bincount(of, minlength=m),
        "n_signals": total(counted.n_signals),
        "by_rule": np.array([total(row) for row in counted.by_rule], dtype=np.int64).reshape(r, m),
        "expected_signals": np.bincount(
            of,
            weights=np.where(np.isnan(counted.farthest) & (prepared.mode != "own"), 0.0, expected),
            minlength=m,
        ),
        "newest_signal": np.where(signals, newest - offsets[:-1], -1),
        "newest_signal_when": when,
        "farthest": np.where(np.isfinite(farthest), farthest, np.nan),
        "judged": judged,
        "stable": judged & (np.nan_to_num(p_value) > FALSE_ALARMS),
        "p_value": p_value,
        "lag1": level(counted.lag1),
        "transform_lambda": np.full(m, np.nan)
        if prepared.scale is None or prepared.scale.name == "log"
        else prepared.scale.lam,
        "caveats_of_series": _codes(counted, prepared, batch, of, m, has, unattributed, opened),
        "data_hashes": np.array(batch.hashes() if hashed else [""] * m, dtype=object),
    }
    return columns, made_by


def _codes(
    counted: Counted,
    prepared: Prepared,
    batch: SeriesBatch,
    of: NDArray[np.int64],
    m: int,
    has: Flags,
    unattributed: Flags,
    still_open: Flags,
) -> NDArray[Any]:
    """Caveat codes of each series, in the order of the single chart."""
    flags: dict[str, Flags] = {}
    for code, segment in doubtful(counted, prepared.setting, batch.measure).items():
        flag = np.zeros(m, dtype=bool)
        flag[of[segment]] = True
        flags[code] = flag
    flags["no-points"] = flags["no-points"] | ~has
    flags["not-counts"] = (np.bincount(of, weights=counted.n, minlength=m) > 0) & not_counts(
        prepared.setting, batch.measure
    )
    flags["open-items"] = still_open
    flags["exclusion-unattributed"] = unattributed
    if len(prepared.starts):
        if prepared.setting.family.ordered:
            flags |= guard(batch, prepared.points, prepared.starts).flags
        source = prepared.points.batch or batch
        flags |= judge_validity(source, prepared.points, prepared.carried).flags
    # few different combinations occur: join the words of each once
    codes = list(flags)
    key = np.zeros(m, dtype=np.int64)
    for bit, code in enumerate(codes):
        key |= flags[code].astype(np.int64) << bit
    words = {
        k: "; ".join(code for bit, code in enumerate(codes) if k >> bit & 1) for k in np.unique(key).tolist()
    }
    out = np.empty(m, dtype=object)
    out[:] = [words[k] for k in key.tolist()]
    return out


def _joined(parts: list[Counted], rules: int) -> Counted:
    if len(parts) == 1:
        return parts[0]
    if parts:
        return Counted(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts], axis=-1) for f in fields(Counted)}
        )
    none, blank = np.zeros(0, dtype=np.int64), np.zeros(0)
    whole = {"n", "n_kept", "n_missing", "n_excluded", "n_signals", "judged_signals", "newest"}
    empty: dict[str, Any] = {f.name: none if f.name in whole else blank for f in fields(Counted)}
    empty["by_rule"] = np.zeros((rules, 0), dtype=np.int64)
    empty["no_variation"] = np.zeros(0, dtype=bool)
    empty["own"] = np.zeros((0, 0))
    return Counted(**empty)
