"""control_charts: one row for each of many series, by the kernel that makes the single chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.codec import read_only, to_record
from perfanalytics.core.coerce import as_batch
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.core.segments import Flags
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.asked import resolve_estimate
from perfanalytics.spc.chart import ControlChart, control_chart
from perfanalytics.spc.doubts import doubtful
from perfanalytics.spc.evidence import evidence
from perfanalytics.spc.families import family_of
from perfanalytics.spc.guards import guard
from perfanalytics.spc.kernel import Counted, count_block
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.prepared import Prepared, prepare, still_open, transform_of
from perfanalytics.spc.rules import RULE_SETS, WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.stability import FALSE_ALARMS
from perfanalytics.spc.stages import Stages, column_of
from perfanalytics.spc.transforms import Transform, as_transform
from perfanalytics.spc.validity import judge_validity

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "center", "sigma", "lower", "upper", "n", "n_missing", "n_excluded", "stages", "n_signals", "by_rule",
    "expected_signals", "newest_signal", "newest_signal_when", "farthest", "judged", "stable", "p_value",
    "lag1", "transform_lambda", "caveats_of_series", "data_hashes", "worst", "worst_value", "worst_center",
    "worst_lower", "worst_upper", "worst_signal",
)  # fmt: skip


#: Series whose newest points are kept for the figure, and how many points of each.
WORST, RECENT = 12, 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ControlCharts(Result):
    """Control charts of m series, one row each.

    Parameters
    ----------
    chart : str
        Name of the chart type.
    measure : Measure
    ids : tuple of str, length m
    rules : RuleSet
        r rules.
    sigmas : float
    center, sigma, lower, upper : float arrays, shape (m,)
        Main panel, last stage, in the unit of the measure; NaN where they vary from point to point.
    n, n_missing, n_excluded, stages, n_signals : int arrays, shape (m,)
        Used, missing and excluded points, stages, points at which any rule fired in any panel.
    by_rule : int array, shape (r, m)
        Points at which each rule fired.
    expected_signals : float array, shape (m,)
        Signalling points expected of a stable process of that length.
    newest_signal : int array, shape (m,)
        0-based point of the newest signal, -1 for none.
    newest_signal_when : datetime64[us] array, shape (m,)
        Its time, NaT where there is none.
    farthest : float array, shape (m,)
        Largest distance from the center line in sigma.
    judged, stable : bool arrays, shape (m,)
        ``stable`` is True only where it was judged.
    p_value : float array, shape (m,)
        The evidence against stability, NaN where not judged; ranks the series.
    lag1 : float array, shape (m,)
        Lag-1 correlation in the last stage.
    transform_lambda : float array, shape (m,)
        Power of the transformation; NaN without one, and for logarithms.
    caveats_of_series : object array of str, shape (m,)
        Caveat codes, "; " between.
    data_hashes : object array of str, shape (m,)
    worst : int array, shape (w,)
        Positions of the series with the strongest evidence against stability, at most 12, for the figure. One
        that cannot be charted by itself (a stage that it does not reach) is left out.
    worst_value, worst_center, worst_lower, worst_upper : float arrays, shape (w, 60)
        Their newest points (main panel), the newest last; NaN before the first.
    worst_signal : bool array, shape (w, 60)
        Where a rule fires on that panel.
    """

    kind: ClassVar[str] = "control_charts"
    schema_version: ClassVar[int] = 3

    chart: str
    measure: Measure
    ids: tuple[str, ...]
    rules: RuleSet
    sigmas: float
    center: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    n: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    n_excluded: NDArray[np.int64]
    stages: NDArray[np.int64]
    n_signals: NDArray[np.int64]
    by_rule: NDArray[np.int64]
    expected_signals: Floats
    newest_signal: NDArray[np.int64]
    newest_signal_when: NDArray[Any]
    farthest: Floats
    judged: Flags
    stable: Flags
    p_value: Floats
    lag1: Floats
    transform_lambda: Floats
    caveats_of_series: NDArray[Any]
    data_hashes: NDArray[Any]
    worst: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    worst_value: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_center: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_lower: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_upper: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_signal: Flags = field(default_factory=lambda: np.empty((0, RECENT), dtype=bool))

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 kept no points for the figure, version 2 knew no transformed values."""
        return {"transform_lambda": np.full(len(fields["ids"]), np.nan)} | fields

    def __len__(self) -> int:
        return len(self.ids)

    def summary(self) -> pd.DataFrame:
        """One row per series, strongest evidence against stability first.

        Columns: id, n, n_missing, n_excluded, stages, center, sigma, lower, upper, n_signals,
        expected_signals, newest_signal, newest_signal_when, farthest, judged, stable, p_value,
        lag1, transform_lambda, signals_by_rule, caveats, data_hash.
        ``stable`` is a nullable boolean, NA where it was not judged. ``signals_by_rule`` names the rules that
        fired and at how many points ("beyond_limits 2; eight_one_side 1"); one row a rule is in
        :meth:`to_frame`.
        """
        import pandas as pd

        frame = pd.DataFrame(self._columns())
        frame["stable"] = pd.arrays.BooleanArray(self.stable.copy(), ~self.judged)
        return frame.sort_values("p_value", kind="stable", na_position="last").reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """One row per series and rule, in the order of the batch: id, rule, n_signals."""
        import pandas as pd

        m, r = len(self.ids), len(self.rules.rules)
        return pd.DataFrame(
            {
                "id": np.repeat(np.array(self.ids, dtype=object), r),
                "rule": np.tile(np.array(self.rules.names, dtype=object), m),
                "n_signals": self.by_rule.T.ravel(),
            }
        )

    def _by_rule_texts(self) -> NDArray[Any]:
        """Of each series the rules that fired and how often; "" where none did."""
        out = np.full(len(self.ids), "", dtype=object)
        for name, counts in zip(self.rules.names, self.by_rule, strict=True):
            for i in np.flatnonzero(counts).tolist():
                out[i] += f"{'; ' if out[i] else ''}{name} {counts[i]}"
        return out

    def _columns(self) -> dict[str, Any]:
        return {
            "id": np.array(self.ids, dtype=object),
            "n": self.n,
            "n_missing": self.n_missing,
            "n_excluded": self.n_excluded,
            "stages": self.stages,
            "center": self.center,
            "sigma": self.sigma,
            "lower": self.lower,
            "upper": self.upper,
            "n_signals": self.n_signals,
            "expected_signals": self.expected_signals,
            "newest_signal": self.newest_signal,
            "newest_signal_when": self.newest_signal_when,
            "farthest": self.farthest,
            "judged": self.judged,
            "stable": self.stable,
            "p_value": self.p_value,
            "lag1": self.lag1,
            "transform_lambda": self.transform_lambda,
            "signals_by_rule": self._by_rule_texts(),
            "caveats": self.caveats_of_series,
            "data_hash": self.data_hashes,
        }


def control_charts(
    batch: object,
    *,
    chart: str = "individuals",
    rules: RuleSet | str | Sequence[Rule] = WESTERN_ELECTRIC,
    estimate: str | slice | range | Sequence[int] | Mapping[str, Any] | Limits | ControlChart | None = None,
    stages: Stages = (),
    exclude: Sequence[Exclusion] | Exclusion | Mapping[int, str] = (),
    sigmas: float | None = None,
    options: Mapping[str, Any] | None = None,
    limits: str | None = None,
    transform: str | Mapping[str, Any] | Transform | None = None,
) -> ControlCharts:
    """Control charts of many series, one row each.

    Parameters
    ----------
    batch : SeriesBatch, mapping of id to series, sequence of Series
    chart, rules, estimate, stages, exclude, sigmas, options, limits, transform
        As in :func:`perfanalytics.control_chart`, for every series; a power that is estimated is one for each
        series. A stage that a series does not reach, and
        an excluded position beyond its end, change nothing there.

    Returns
    -------
    ControlCharts

    Raises
    ------
    InputError, UnknownNameError
        As in :func:`perfanalytics.control_chart`.

    Notes
    -----
    The numbers are those of the single chart of each series, to the last bit: both come from one kernel
    that works through blocks of whole series.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> a, b = [5, 6, 5, 7, 6, 5, 6, 7, 5, 6], [9, 11, 10, 12, 10, 9, 10, 11, 10, 18]
    >>> charts = perf.control_charts({"a": a, "b": b})
    >>> charts.verdict
    '1 of 2 charts is not stable; 0.1 would be by chance.'
    >>> charts.summary()[["id", "n_signals", "stable"]].values.tolist()
    [['b', 1, False], ['a', 0, True]]
    """
    data = as_batch(batch)
    asked: dict[str, Any] = {
        "chart": chart,
        "rules": rules,
        "estimate": estimate,
        "stages": stages,
        "exclude": exclude,
        "sigmas": sigmas,
        "options": options,
        "limits": limits,
        "transform": transform,
    }
    prepared = prepare(data, **asked)
    columns, reference = columns_of(data, prepared)
    judged, stable = columns["judged"], columns["stable"]
    bad = int(np.count_nonzero(judged & ~stable))
    many = int(np.count_nonzero(judged))
    verdict = (
        f"{bad:,} of {many:,} charts {'is' if bad == 1 else 'are'} not stable; "
        f"{FALSE_ALARMS * many:,.{0 if many > 1000 else 1}f} would be by chance."
    )
    if many < len(data):
        verdict += f" {len(data) - many:,} could not be judged."
    family = prepared.setting.family
    return ControlCharts(
        verdict=verdict,
        caveats=_counted_caveats(columns["caveats_of_series"]),
        method=Method(
            "control_charts",
            prepared.parameters | {"stability_reference": reference},
            family.references,
        ),
        provenance=data.provenance(),
        chart=family.name,
        measure=data.measure,
        ids=data.ids,
        rules=prepared.setting.rules,
        sigmas=prepared.setting.sigmas,
        **columns,
        **_worst(data, columns["p_value"], asked),
    )


def _worst(data: SeriesBatch, p_value: Floats, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The newest points of the series with the strongest evidence against stability."""
    ranked = np.argsort(np.where(np.isnan(p_value), np.inf, p_value), kind="stable")
    kept, rows = [], []
    for i in ranked[:WORST].tolist():
        if np.isnan(p_value[i]):
            break
        try:
            one = control_chart(data[i], **asked)
        except InputError:
            # what a batch passes over (a stage not reached) is a mistake for one series
            continue
        newest = slice(-RECENT, None)
        lines = [x[0, newest] for x in (one.value, one.center, one.lower, one.upper)]
        blank = np.full(RECENT - len(lines[0]), np.nan)
        signal = np.concatenate([np.zeros(len(blank), dtype=bool), one.fired[0, newest] != 0])
        kept.append(i)
        rows.append((*(np.concatenate([blank, x]) for x in lines), signal))
    if not kept:
        return {}
    names = ("worst_value", "worst_center", "worst_lower", "worst_upper", "worst_signal")
    pictures = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return {"worst": np.array(kept, dtype=np.int64), **pictures}


def _counted_caveats(codes: NDArray[Any]) -> tuple[Caveat, ...]:
    """One caveat a code, with the number of series that carry it."""
    many: dict[str, int] = {}
    total = len(codes)
    for text in codes.tolist():
        for code in filter(None, text.split("; ")):
            many[code] = many.get(code, 0) + 1
    return tuple(
        Caveat(code, f"{n} of {total} series: {code.replace('-', ' ')}.", {"series": n, "of": total})
        for code, n in many.items()
    )


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


def bulk_method(
    *,
    chart: str = "individuals",
    rules: RuleSet | str | Sequence[Rule] = "western_electric",
    estimate: str | Sequence[int] | Mapping[str, Any] | Limits | None = None,
    stages: Sequence[int | str | Mapping[str, str]] | Mapping[str, str] = (),
    sigmas: float | None = None,
    options: Mapping[str, Any] | None = None,
    limits: str | None = None,
    transform: str | Mapping[str, Any] | Transform | None = None,
) -> BulkMethod:
    """``perf.method("control_charts", ...)``: the columns of :func:`control_charts` for ``repo.map``.

    Parameters
    ----------
    chart, rules, estimate, sigmas, options, limits, transform
        As in :func:`perfanalytics.control_chart`. Exclusions travel with the series.
    stages : sequence of 0-based positions, ISO texts or names of events; or {"column": name}
        The column is a covariate of the selection: ``repo.select(..., covariates="version")``.

    Returns
    -------
    BulkMethod
        Columns center, sigma, lower, upper, farthest, p_value, expected_signals, lag1, transform_lambda
        (float); n, n_missing, n_excluded, stages, n_signals, newest_signal and ``signals_<rule>`` (integer);
        newest_signal_when (time); judged, stable (boolean); caveats (text, codes with "; " between),
        data_hash (text).

    Raises
    ------
    InputError, UnknownNameError

    Examples
    --------
    >>> import perfanalytics as perf
    >>> m = perf.method("control_charts", chart="p", rules="nelson")
    >>> m.columns["signals_six_trend"]
    'integer'
    """
    family = family_of(chart)
    rule_set = family.rules_of(rules)
    asked_for = family.check(options, limits, sigmas)
    estimation = resolve_estimate(family.for_estimate(estimate), estimate, asked_for)
    frozen = estimation.frozen
    stages = (stages,) if isinstance(stages, Mapping) else tuple(stages)
    if any(not isinstance(s, int | str) and column_of(s) is None for s in stages):
        raise InputError(
            "stages of a bulk method are positions, ISO texts, names of events or {'column': name}, so that "
            "a run can be named by them"
        )
    asked: Any = estimate
    if frozen is not None:
        # limits of another chart are named by their numbers
        asked = {k: v if np.ndim(v) == 0 else np.asarray(v).tolist() for k, v in frozen.items()}
        old = estimation.carried
        ends = () if old is None else (old.valid_from, old.valid_until, old.data_until)
        told = old is not None and (old.measure.is_named or any(e is not None for e in ends))
        if estimation.estimator == "frozen" and (family.grouped or told):
            # how the numbers were estimated, of what, and until when they hold, belongs to them
            asked = {"kind": "limits", "record": json.dumps(to_record(old))}
    elif isinstance(asked, Sequence) and not isinstance(asked, str):
        asked = [int(k) for k in asked]
    named = RULE_SETS.get(rule_set.name) == rule_set
    parameters = {
        "chart": family.name,
        "rules": rule_set.name if named else to_record(rule_set),
        "estimate": asked,
        "stages": [dict(s) if isinstance(s, Mapping) else s for s in stages],
        "sigmas": asked_for.sigmas,
        "options": dict(asked_for.options),
        "limits": asked_for.limits,
    }
    change = transform_of(family, estimation, as_transform(transform))
    if change is not None:
        parameters["transform"] = change.to_mapping()
    types = dict.fromkeys(
        (
            "center",
            "sigma",
            "lower",
            "upper",
            "farthest",
            "p_value",
            "expected_signals",
            "lag1",
            "transform_lambda",
        ),
        "float",
    )
    types |= dict.fromkeys(
        ("n", "n_missing", "n_excluded", "stages", "n_signals", "newest_signal"), "integer"
    )
    types |= dict.fromkeys((f"signals_{name}" for name in rule_set.names), "integer")
    types |= {"newest_signal_when": "time", "judged": "boolean", "stable": "boolean"}
    types |= {"caveats": "text", "data_hash": "text"}

    def apply(batch: SeriesBatch) -> dict[str, Any]:
        prepared = prepare(
            batch,
            chart=chart,
            rules=rule_set,
            estimate=estimate,
            stages=stages,
            exclude=(),
            sigmas=asked_for.sigmas,
            options=asked_for.options,
            limits=asked_for.limits,
            transform=change,
        )
        columns, _ = columns_of(batch, prepared)
        by_rule = columns.pop("by_rule")
        columns["caveats"] = columns.pop("caveats_of_series")
        columns["data_hash"] = columns.pop("data_hashes")
        return columns | {f"signals_{name}": by_rule[k] for k, name in enumerate(rule_set.names)}

    return BulkMethod(method=Method("control_charts", parameters), columns=types, apply=apply)
