"""control_charts: one row for each of many series, by the kernel that makes the single chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.codec import to_record
from perfanalytics.core.coerce import as_batch
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.asked import resolve_estimate
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.charts_columns import columns_of
from perfanalytics.spc.charts_result import RECENT, WORST, ControlCharts
from perfanalytics.spc.families import family_of
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.prepared import prepare, transform_of
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import RULE_SETS, WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.stability import FALSE_ALARMS
from perfanalytics.spc.stages import Stages, column_of
from perfanalytics.spc.transforms import Transform, as_transform


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
