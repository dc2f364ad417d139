"""Do new data still fit a baseline? Location, spread, shape, share outside, objective, at one joint level."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.components import holm
from perfanalytics.baselines.drift_tests import (
    Finding,
    location,
    objective_share,
    open_items_location,
    outside_interval,
    outside_limits,
    shape,
    spread,
)
from perfanalytics.baselines.drift_words import reasons_of, verdict_of
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.ratios import pool
from perfanalytics.comparisons.arguments import check_confidence
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes, totals_and_sizes
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective, Process
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.core.series import Series

if TYPE_CHECKING:
    import pandas as pd

#: Fewer new values than this: nothing is judged but where their mean lies.
FEWEST = 8
_COLUMNS = ("before", "after", "statistic", "p_value", "p_adjusted")


class Characterized(Protocol):
    """What a baseline supplies to be held against new data; each as in :class:`Baseline`."""

    @property
    def measure(self) -> Measure: ...

    @property
    def process(self) -> Process | None: ...

    @property
    def values_are(self) -> str: ...

    @property
    def when(self) -> NDArray[np.datetime64] | None: ...

    @property
    def sizes(self) -> Floats | None: ...

    @property
    def scale(self) -> str: ...

    @property
    def dependence(self) -> str: ...

    @property
    def stable(self) -> bool | None: ...

    @property
    def objective(self) -> Objective | None: ...

    @property
    def provenance(self) -> Provenance: ...

    def as_series(self) -> Series:
        """The values as a series."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Drift(Result):
    """New data held against a baseline.

    Attributes
    ----------
    measure : Measure
    n_before, n_after : int
        Values of the baseline and new ones.
    first, last : datetime64 or None
        Period of the new values.
    still_fits : bool or None
        None where there are too few new values to say.
    rebaseline : bool
    reasons : tuple of str
        Why, in words; empty: no reason.
    confidence : float
        Joint level of the tests: sound data are called drifted with at most about 1 less this.
    aspect : text array, shape (k,)
        "location", "spread", "shape", "share outside" (the distribution-free prediction interval of the
        baseline), "share meeting the objective".
    before, after, statistic, p_value, p_adjusted : float arrays, shape (k,)
        The two sides, the statistic, its p-value, and that by Holm; NaN where an aspect was not judged.
    how : text array, shape (k,)
        The test, or why there is none.
    interval_low, interval_high : float
        That prediction interval; its share outside is expected to be ``expected_outside``.
    expected_outside, limit_low, limit_high : float
        Limits of the share outside for so many new values, at the level of the confidence.
    new_values, new_when : arrays, shape (n_after,), or None
    """

    kind: ClassVar[str] = "drift"

    measure: Measure
    n_before: int
    n_after: int
    first: np.datetime64 | None
    last: np.datetime64 | None
    still_fits: bool | None
    rebaseline: bool
    reasons: tuple[str, ...]
    confidence: float
    aspect: NDArray[Any]
    before: Floats
    after: Floats
    statistic: Floats
    p_value: Floats
    p_adjusted: Floats
    how: NDArray[Any]
    interval_low: float
    interval_high: float
    expected_outside: float
    limit_low: float
    limit_high: float
    old_values: Floats
    old_when: NDArray[np.datetime64] | None
    new_values: Floats
    new_when: NDArray[np.datetime64] | None

    def summary(self) -> pd.DataFrame:
        """One row: sizes, period, whether it still fits, reasons, adjusted p-values of the aspects."""
        import pandas as pd

        found = dict(zip(self.aspect.tolist(), self.p_adjusted.tolist(), strict=True))
        place = self.aspect.tolist().index("share outside")
        row = {
            "measure": self.measure.name,
            "n_before": self.n_before,
            "n_after": self.n_after,
            "first": self.first,
            "last": self.last,
            "still_fits": self.still_fits,
            "rebaseline": self.rebaseline,
            "reasons": "; ".join(self.reasons),
            **{f"p_{name.replace(' ', '_')}": p for name, p in found.items()},
            "share_outside": float(self.after[place]),
            "limit_low": self.limit_low,
            "limit_high": self.limit_high,
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def to_frame(self) -> pd.DataFrame:
        """One row an aspect: aspect, before, after, statistic, p_value, p_adjusted, method."""
        import pandas as pd

        return pd.DataFrame(
            {"aspect": self.aspect, **{name: getattr(self, name) for name in _COLUMNS}, "method": self.how}
        )


def judge_drift(
    base: Characterized,
    new: object,
    *,
    confidence: float = 0.95,
    process: Process | str | None = None,
    valid_until: dt.date | None = None,
    seed: int = 20260101,
) -> Drift:
    """See :meth:`perfanalytics.Baseline.drift`."""
    series = as_series(new, measure=base.measure)
    _check(base, series, confidence)
    now = Process(process) if isinstance(process, str) else process
    old, fresh = base.as_series(), _used(series, base)
    dependence: Dependence = "ar1" if base.dependence == "ar1" else "independent"
    open_now = fresh.censored is not None and bool(fresh.censored.any())
    if base.values_are == "open items" or open_now:
        findings = [open_items_location(old, fresh)] + [
            Finding(a, "not judged while items are open")
            for a in ("spread", "shape", "share outside", MEETING)
        ]
        limits = (math.nan,) * 5
    else:
        x, y = old.values, fresh.values
        enough = len(y) >= FEWEST and len(x) >= FEWEST
        few = f"not judged: fewer than {FEWEST} values"
        measured = base.values_are == "ratios" and old.sizes is not None and fresh.sizes is not None
        shares = (base.values_are != "numbers" and not measured) or base.measure.scale == "ordinal"
        plain = "not judged for shares, rates and ordinal values" if shares else few
        on_log = base.scale == "log" and bool((y > 0).all())
        u, v = (np.log(x), np.log(y)) if on_log else (x, y)
        back = on_log
        findings = [location(old, fresh, u, v, dependence, logged=back, enough=enough, measured=measured)]
        if measured:
            u, v = _alike(old, old), _alike(fresh, old)
        judged = enough and not shares
        findings.append(spread(u, v, dependence, logged=back) if judged else Finding("spread", plain))
        findings.append(shape(u, v, dependence, seed=seed) if judged else Finding("shape", plain))
        limits = outside_limits(x, y, dependence, confidence=confidence)
        findings.append(outside_interval(x, y, dependence) if enough else Finding("share outside", few))
        goal = base.objective if base.values_are == "numbers" else None
        findings.append(
            objective_share(x, y, goal, dependence)
            if goal is not None and goal.statistic == "item" and enough
            else Finding(MEETING, few if goal is not None else "no objective for single items")
        )
    adjusted = holm(np.array([f.p_value for f in findings]))
    shifted = [f for f, p in zip(findings, adjusted, strict=True) if p <= 1 - confidence]
    reasons = reasons_of(
        shifted,
        base.measure,
        old_process=base.process,
        new_process=now,
        changes=[e for e in series.events if getattr(e, "kind", "") == "change"],
        when=fresh.when,
        valid_until=valid_until,
        limits=limits,
    )
    few_new = len(fresh) < FEWEST
    still = None if few_new and not shifted else not shifted
    caveats = _caveats(base, fresh)
    when = fresh.when
    return Drift(
        verdict=verdict_of(base.measure, len(old), len(fresh), when, still, reasons, caveats),
        caveats=tuple(caveats),
        method=Method(
            "drift",
            {
                "confidence": confidence,
                "multiplicity": "Holm over the aspects judged",
                "dependence": dependence,
                "scale": "log" if base.scale == "log" else "raw",
                "seed": seed,
                "process": None if now is None else f"{now.name} {now.version}".strip(),
                "valid_until": None if valid_until is None else valid_until.isoformat(),
                "baseline": base.provenance.data_hash,
            },
            (
                "Brown and Forsythe (1974), JASA 69",
                "Pettitt (1976), Biometrika 63 (two-sample Anderson-Darling)",
                "Guttman (1970), Statistical Tolerance Regions, section 2.2 (future values between order "
                "statistics)",
            ),
        ),
        provenance=series.provenance(),
        measure=base.measure,
        n_before=len(old),
        n_after=len(fresh),
        first=None if when is None or not len(fresh) else when[0],
        last=None if when is None or not len(fresh) else when[-1],
        still_fits=still,
        rebaseline=bool(reasons),
        reasons=tuple(reasons),
        confidence=confidence,
        aspect=read_only(np.array([f.aspect for f in findings], dtype=object)),
        before=read_only(np.array([f.before for f in findings])),
        after=read_only(np.array([f.after for f in findings])),
        statistic=read_only(np.array([f.statistic for f in findings])),
        p_value=read_only(np.array([f.p_value for f in findings])),
        p_adjusted=read_only(adjusted),
        how=read_only(np.array([f.how for f in findings], dtype=object)),
        interval_low=limits[0],
        interval_high=limits[1],
        expected_outside=limits[2],
        limit_low=limits[3],
        limit_high=limits[4],
        old_values=read_only(old.values),
        old_when=None if old.when is None else read_only(old.when),
        new_values=read_only(fresh.values),
        new_when=None if when is None else read_only(when),
    )


MEETING = "share meeting the objective"


def _check(base: Characterized, series: Series, confidence: float) -> None:
    check_confidence(confidence)
    theirs, own = series.measure, base.measure
    if theirs.is_named and own.is_named and (theirs.name, theirs.unit) != (own.name, own.unit):
        raise InputError(
            f"the baseline is of {own.label!r}, the new data are of {theirs.label!r}: nothing to hold "
            "against it"
        )
    if not len(series.values):
        raise InputError("there are no new values to hold against the baseline")
    if series.values.ndim != 1:
        raise InputError(f"a baseline describes one column of values, got shape {series.values.shape}")
    if (series.when is None) != (base.when is None):
        have, have_not = (
            ("the new data have", "the baseline has none")
            if base.when is None
            else ("the baseline has", "the new data have none")
        )
        raise InputError(f"{have} times, {have_not}: give both or neither")
    if (series.sizes is None) != (base.sizes is None):
        raise InputError("shares need sizes on both sides: the baseline and the new data differ in that")
    if series.when is not None and base.when is not None and series.clock != base.provenance.clock:
        raise InputError(
            f"the baseline is in {base.provenance.clock} time, the new data in {series.clock} time"
        )


def _used(series: Series, base: Characterized) -> Series:
    """The new points that count: with a value, not excluded, after the last of the baseline."""
    excluded, _ = series.excluded()
    values = series.values
    sizes = series.sizes
    if base.values_are == "ratios" and sizes is not None:
        totals, sizes, _ = totals_and_sizes(series.as_batch())
        values = totals / sizes
    elif base.values_are in ("shares", "rates") and sizes is not None:
        counts, sizes, _ = counts_and_sizes(series.as_batch(), limit_one=base.values_are == "shares")
        values = counts / sizes
    use = ~np.isnan(values) & ~excluded
    if base.when is not None and series.when is not None and len(base.when):
        use &= series.when > base.when[-1]
    if not use.any():
        raise InputError("no new value is left: all are missing, excluded, or not later than the baseline")
    return Series(
        values[use],
        measure=base.measure,
        when=None if series.when is None else series.when[use],
        sizes=None if sizes is None else sizes[use],
        censored=None if series.censored is None else series.censored[use],
        events=series.events,
        selection={"statistic": "share" if base.values_are == "shares" else "rate"}
        if sizes is not None
        else {},
        clock=series.clock if series.when is not None else None,
    )


def _alike(part: Series, old: Series) -> Floats:
    """Deviations from the own pooled ratio, each as that of a period of the typical size of the baseline."""
    assert part.sizes is not None
    assert old.sizes is not None
    found = pool(part.values * part.sizes, part.sizes, "independent")
    return found.z * math.sqrt(found.typical / float(np.median(old.sizes)))


def _caveats(base: Characterized, fresh: Series) -> list[Caveat]:
    out = []
    if len(fresh) < FEWEST:
        text = f"Only {len(fresh)} new values: fewer than {FEWEST} show a shift only if it is a large one."
        out.append(Caveat("too-few-points", text, {"n": len(fresh), "needed": FEWEST}))
    if base.stable is False:
        text = "The baseline itself was not stable: new data that differ may only show that it still is not."
        out.append(Caveat("not-stable", text, {}))
    if base.dependence == "independent" and base.when is None:
        text = "Neither side has times: the values are taken as independent."
        out.append(Caveat("dependence-unknown", text, {}))
    if base.objective is not None and base.objective.statistic != "item":
        about = base.objective.statistic
        text = f"Objective {base.objective.name!r} is about the {about}, not about single items."
        out.append(Caveat("objective-not-judged", text, {}))
    return out
