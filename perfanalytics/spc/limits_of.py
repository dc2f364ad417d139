"""The limits of a chart as a result of their own, to be used again for later points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.drawn import is_share, panel_names
from perfanalytics.spc.kernel import Charted, Counted
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.prepared import Prepared
from perfanalytics.spc.wording import number


def limits_of(
    batch: SeriesBatch,
    prepared: Prepared,
    charted: Charted | None,
    counted: Counted | None,
    arrays: Mapping[str, Floats],
    method: Method,
) -> Limits:
    """The levels of each stage, what they rest on, and for when they hold."""
    family, setting = prepared.setting.family, prepared.setting
    starts = prepared.starts
    n = len(prepared.points.value)
    k, p = len(starts), len(family.panels)
    levels = {name: np.full((p, k), np.nan) for name in ("center", "sigma", "lower", "upper")}
    ends = np.append(starts[1:], n)[:k] - 1
    if charted is not None:
        for i in range(p):
            for j, (a, b) in enumerate(zip(starts, ends + 1, strict=True)):
                for name in ("sigma", "center", "lower", "upper"):
                    column = arrays[name][i, a:b]
                    seen = column[np.isfinite(column)]
                    if not len(seen):
                        continue
                    # where sigma varies the limits do, also where both are clipped at 0
                    fixed = name == "center" or np.isfinite(levels["sigma"][i, j])
                    if name == "sigma":
                        fixed = seen.max() - seen.min() <= 1e-12 * seen.max()
                    if fixed:
                        levels[name][i, j] = seen[0]
    when = batch.when if prepared.points.batch is None else prepared.points.batch.when
    at, bottom, top, spread = (
        float(levels[name][0, -1]) if k else np.nan for name in ("center", "lower", "upper", "sigma")
    )
    share = is_share(prepared)
    if prepared.scale is not None and family.panels[0].level:
        # sigma is that of the transformed values
        spread = np.nan
    rests = int(counted.n_kept[-1]) if counted is not None else 0
    from_points = f"from {rests} point{'' if rests == 1 else 's'}"
    if not np.isfinite(at) or (family.panels[0].constant and not np.isfinite(bottom)):
        verdict = f"No limits, {from_points}."
    elif np.isfinite(bottom):
        verdict = (
            f"Center {number(at, spread, share=share)}, limits {number(bottom, spread, share=share)} to "
            f"{number(top, spread, share=share)}, {from_points}."
        )
    else:
        verdict = f"Center {number(at, spread, share=share)}, limits vary with the size, {from_points}."
    return Limits(
        verdict=verdict,
        method=method,
        provenance=batch.provenance(),
        chart=family.name,
        measure=batch.measure,
        sigmas=setting.sigmas,
        parameters={} if charted is None else dict(charted.parameters),
        panels=panel_names(prepared),
        center=levels["center"],
        sigma=levels["sigma"],
        lower=levels["lower"],
        upper=levels["upper"],
        n=np.zeros(0, dtype=np.int64) if counted is None else counted.n_kept,
        first=starts,
        last=ends,
        first_when=None if when is None else when[starts],
        last_when=None if when is None else when[ends],
        labels=tuple(prepared.labels.get(int(a), "") for a in starts.tolist()),
        **_validity(prepared, charted, when),
        transform=None if prepared.scale is None else prepared.scale.transform(0),
    )


def _validity(prepared: Prepared, charted: Charted | None, when: Any) -> dict[str, Any]:
    """Which data the limits rest on, and for which days they were agreed; carried limits keep theirs."""
    old = prepared.carried
    if old is not None:
        names = ("data_from", "data_until", "valid_from", "valid_until", "agreed_by", "agreed_on")
        return {name: getattr(old, name) for name in names}
    if charted is None or when is None or prepared.setting.frozen is not None:
        return {}
    keep, a = charted.block.keep, int(prepared.starts[-1])
    kept = a + (np.arange(len(when) - a) if keep is None else np.flatnonzero(keep[a:]))
    return {"data_from": when[kept[0]], "data_until": when[kept[-1]]} if len(kept) else {}
