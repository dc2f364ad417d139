"""control_chart: one chart of one series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.doubts import caveats_of
from perfanalytics.spc.evidence import evidence
from perfanalytics.spc.guards import guard
from perfanalytics.spc.kernel import Charted, Counted, Setting, chart_block, count_block
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.prepared import Prepared, prepare, still_open
from perfanalytics.spc.result import ControlChart, StageTest
from perfanalytics.spc.rules import WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.signals import bits_type
from perfanalytics.spc.stability import FALSE_ALARMS
from perfanalytics.spc.stages import Stage, Stages
from perfanalytics.spc.transforms import Transform
from perfanalytics.spc.validity import judge_validity
from perfanalytics.spc.verdict import verdict_of
from perfanalytics.spc.wording import number

__all__ = ["ControlChart", "Stage", "control_chart", "judge"]


def control_chart(
    series: object,
    *,
    chart: str = "individuals",
    rules: RuleSet | str | Sequence[Rule] = WESTERN_ELECTRIC,
    estimate: str | slice | range | Sequence[int] | Mapping[str, Any] | Limits | ControlChart | None = None,
    stages: Stages = (),
    exclude: Sequence[Exclusion] | Exclusion | Mapping[int, str] = (),
    sigmas: float | None = None,
    options: Mapping[str, Any] | None = None,
    limits: str | None = None,
    carry: int | None = None,
    transform: str | Mapping[str, Any] | Transform | None = None,
) -> ControlChart:
    """A control chart of one series.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        In order of time; NaN is a gap. For ``p``, ``np`` and ``laney_p``: counts or shares with ``sizes``;
        for ``u`` and ``laney_u``: counts or rates with ``sizes``; for ``c``: counts; for ``xbar_r``,
        ``xbar_s``, ``median`` and ``imr_rs``: values of shape (n, k), or one value a row with ``subgroups``;
        for ``g`` and ``t``: opportunities or time between events; for ``i_prime``: totals with ``sizes``; for
        ``short_run``: the product of each value as ``subgroups``.
    chart : str
        The chart type: "individuals", "xbar_r", "xbar_s", "median", "imr_rs", "p", "np", "laney_p", "c", "u",
        "laney_u", "g", "t", "ewma", "cusum", "moving_average", "i_prime", "short_run" and further ones; see
        :data:`perfanalytics.spc.families.CHARTS`.
    rules : RuleSet, name of one, or rules
        Applied to points standardized by their own sigma; dependent panels use the limits only.
    estimate : optional
        Where the limits come from: None (default of the chart type, named in ``.method``); the name of an
        estimator (individuals: "moving_range", "median_moving_range", "standard_deviation"); a slice, range
        or positions of points; a mapping of given parameters (individuals: ``{"center": 10, "sigma": 2}``, p:
        ``{"center": 0.1}``); another chart or its ``.limits``, frozen: its last stage is carried on, with the
        new denominators.
    stages : positions, dates, datetimes, ISO texts, Change or Event records, or {"column": name}
        First point of each new stage; each stage has its own limits (unless they are given or frozen). The
        name of an event that came with the series will do; ``{"column": "version"}`` begins a stage wherever
        that covariate of the series changes, and calls it by its value.
    exclude : Exclusion records, or a mapping of 0-based position to reason
        Points that do not count for limits and rules, besides those the series brings. They stay visible.
    sigmas : float, optional
        Width of the limits in sigma; None: 3, for ``cusum`` (where it is the decision interval h) 5.
    options : mapping of name to value, optional
        What the chart type lets you choose: individuals ``span`` (2, points of a moving range); ewma ``lam``
        (0.2); cusum ``k`` (0.5) and ``head_start`` (0, in sigma); moving_average ``span`` (5); mewma ``lam``
        (0.1), ``arl`` or ``limit``; residual ``order``, ``criterion`` ("aicc"), ``max_order`` (5); t ``law``
        ("nelson", "exponential", "weibull"); g ``minimum`` (0 or 1); imr_rs ``within`` ("range",
        "deviation"); i_prime ``values`` ("totals", "ratios"); short_run ``targets`` and ``spreads`` (by
        product) and ``sigma`` ("by_product", "pooled", "relative").
    limits : str, optional
        How limits are made: "sigma" or "probability" (p, np, c, u, g, t), "exact" or "asymptotic" (ewma,
        mewma). None: the first of the chart type.
    carry : int, optional
        A stage (0 is the first) whose limits are also shown over the later stages, beside their own: what the
        process would look like had nothing been recalculated. See ``.carried_frame()``.
    transform : str, mapping or Transform, optional
        Skewed values charted on another scale and shown on their own: "log", "box_cox", "yeo_johnson", or a
        mapping like ``{"name": "box_cox", "lambda": 0.5, "shift": 0, "round_to": 0.5}``. A lambda that is not
        given is estimated by maximum likelihood from the points behind the limits (all stages together). For
        charts of one value a point and of subgroups; limits carried on keep their transformation.

    Returns
    -------
    ControlChart

    Raises
    ------
    InputError
        For data or arguments that cannot be used: points excluded without a reason, stages outside the data,
        counts above their sizes, limits of another chart type.
    UnknownNameError
        For a chart, rule set or estimator that does not exist.

    Notes
    -----
    Moving ranges do not cross gaps, missing or excluded points, or stages. There is no screening of large
    moving ranges (Nelson 1982), which several other tools do by default. ``stable`` compares the number of
    signalling points and the farthest point with what stable series of the same length show; see
    :mod:`perfanalytics.spc.stability`. Nothing is switched behind your back: an overdispersed p chart stays
    a p chart and carries the caveat.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., chapters 5 to 7.
    Western Electric (1956); Nelson (1984), Journal of Quality Technology 16, 237-239; Laney (2002), Quality
    Engineering 14, 531-537.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> c = perf.control_chart([9, 11, 10, 12, 10, 9, 10, 11, 10, 18])
    >>> c.verdict
    'Not stable: 1 of 10 points signals (0.1 expected by chance, p = 0.005), at the 10th point, above the \
limits. Center 11.0, limits 5.4 to 16.6.'
    >>> c.signals[["panel", "point", "rules"]].values.tolist()
    [['individuals', 9, 'beyond_limits'], ['moving range', 9, 'beyond_limits']]
    """
    batch = as_series(series).as_batch()
    prepared = prepare(
        batch,
        chart=chart,
        rules=rules,
        estimate=estimate,
        stages=stages,
        exclude=exclude,
        sigmas=sigmas,
        options=options,
        limits=limits,
        transform=transform,
    )
    charted = next(prepared.blocks(), (0, 0, 0, None))[3]
    return _made(batch, prepared, charted, carry)


def _made(batch: SeriesBatch, prepared: Prepared, charted: Charted | None, carry: int | None) -> ControlChart:
    family, setting, points = prepared.setting.family, prepared.setting, prepared.points
    n, panels = len(points.value), _panels(prepared)
    counted = None if charted is None else count_block(charted, setting)
    arrays = _arrays(prepared, charted)
    fired = np.zeros((len(panels), n), dtype=bits_type(len(setting.rules.rules)))
    stage = np.zeros(n, dtype=np.int64)
    if charted is not None:
        stage = np.repeat(np.arange(len(prepared.starts)), charted.block.segments.lengths)
        fired = np.stack([np.asarray(bits, dtype=fired.dtype) for bits in charted.fired])
    caveats: tuple[Any, ...] = ()
    judged = Judged()
    exclusions = tuple(
        replace(e, point=k, when=None, until=None, label=None, item=None)
        for k, e in sorted(prepared.exclusions.items())
    )
    unattributed = sum(1 for e in exclusions if not e.who or e.decided_on is None)
    if counted is not None:
        judged = judge(counted, prepared)
        caveats = caveats_of(
            counted,
            setting,
            batch.measure,
            unattributed=unattributed,
            still_open=int(np.count_nonzero(still_open(batch, points))),
        )
        if family.ordered:
            caveats += guard(batch, points, prepared.starts).caveats(0)
        caveats += judge_validity(points.batch or batch, points, prepared.carried).caveats(0)
    else:
        caveats = caveats_of(_NOTHING, setting, batch.measure)
    provenance = batch.provenance()
    method = Method(
        "control_chart",
        prepared.parameters
        | {
            "excluded": len(exclusions),
            "stability_reference": judged.made_by or "not judged",
            **_found(charted, setting),
            **({} if carry is None else {"carried_on": f"limits of stage {carry} over the later stages"}),
        },
        (*family.references, setting.rules.reference) if setting.rules.reference else family.references,
    )
    limits = _limits(batch, prepared, charted, counted, arrays, method)
    source = batch if points.batch is None else points.batch
    made = ControlChart(
        verdict="",
        caveats=caveats,
        method=method,
        provenance=provenance,
        chart=family.name,
        title=family.title,
        id=batch.ids[0],
        measure=batch.measure,
        panels=panels,
        **arrays,
        fired=fired,
        rules=setting.rules,
        sigmas=setting.sigmas,
        stage=stage,
        excluded=np.zeros(n, dtype=bool) if points.excluded is None else points.excluded,
        exclusions=exclusions,
        when=source.when,
        labels=source.labels,
        sizes=points.size,
        every=batch.expected_every,
        events=batch.events,
        limits=limits,
        is_share=is_share(prepared),
        stable=judged.stable,
        p_value=judged.p_value,
        expected_signals=judged.expected,
        stage_p_value=judged.stage_p_value,
        stage_expected=judged.stage_expected,
        **_carried(prepared, charted, carry),
        tests=() if charted is None else _tests(charted),
        n_used=0 if counted is None else int(counted.n.sum()),
        transform=None if prepared.scale is None else prepared.scale.transform(0),
    )
    return replace(made, verdict=verdict_of(made, _hidden(counted, prepared, judged)))


def _found(charted: Charted | None, setting: Setting) -> Mapping[str, Any]:
    """What the fit found beyond center and sigma, for charts that fit more."""
    found = setting.family.found
    return {} if charted is None or found is None else found(charted.parameters, setting.asked)


def _tests(charted: Charted) -> tuple[StageTest, ...]:
    """The tests of whole stages, where the chart makes such."""
    if charted.own is None:
        return ()
    return tuple(
        StageTest(
            stage=stage,
            name=test.name,
            useful=int(charted.own.useful[stage]),
            statistic=float(test.statistic[stage]),
            bound=float(test.bound[stage]),
            p_value=float(test.p_value[stage]),
            signal=bool(test.signal[stage]),
        )
        for stage in range(len(charted.block.segments))
        for test in charted.own.tests
    )


_LINES = ("value", "center", "sigma", "lower", "upper")


def _arrays(prepared: Prepared, charted: Charted | None) -> dict[str, Any]:
    """What is drawn of each panel, arrays of shape (panels, points)."""
    family = prepared.setting.family
    shape = (len(family.panels), len(prepared.points.value))
    arrays: dict[str, Any] = {name: np.full(shape, np.nan) for name in _LINES}
    if charted is not None:
        for k, (panel, line) in enumerate(zip(family.panels, charted.lines, strict=True)):
            lower, upper = panel.limits(line, prepared.setting.sigmas)
            value, center = line.value, line.center
            if prepared.scale is not None and panel.level:
                # one series: its transformation holds for every point
                value, center, lower, upper = (prepared.scale.back(x) for x in (value, center, lower, upper))
                if line.value is charted.block.points.value and prepared.shown is not None:
                    # the values as they came, to the last digit
                    value = prepared.shown
            for name, column in zip(_LINES, (value, center, line.sigma, lower, upper), strict=True):
                arrays[name][k] = column
    return arrays


def _panels(prepared: Prepared) -> tuple[str, ...]:
    """Names of the panels; those that stay on a transformed scale say so."""
    scale = prepared.scale
    words = "" if scale is None or not len(scale.lam) else f", {scale.transform(0).words}"
    return tuple(p.name if p.level else p.name + words for p in prepared.setting.family.panels)


def is_share(prepared: Prepared) -> bool:
    """Whether the values are shares, told in percent."""
    share = prepared.points.share
    return prepared.setting.family.panels[0].ceiling == 1.0 if share is None else share


def _carried(prepared: Prepared, charted: Charted | None, carry: int | None) -> dict[str, Any]:
    """The limits of a stage over the points behind it.

    Raises
    ------
    InputError
        When there is no such stage or none behind it, or the points themselves depend on the limits.
    """
    if carry is None:
        return {}
    family, starts = prepared.setting.family, prepared.starts
    if isinstance(carry, bool) or not isinstance(carry, int | np.integer) or not 0 <= carry < len(starts) - 1:
        raise InputError(
            f"carry= is the number of a stage that others follow; this chart has {len(starts)} "
            f"stage{'s' if len(starts) != 1 else ''}, so "
            + (f"0 to {len(starts) - 2} are possible" if len(starts) > 1 else "give stages= first")
            + f", not {carry!r}"
        )
    if family.deviations is not None or not family.parameters or charted is None:
        raise InputError(
            f"the points of a {family.name} chart depend on its limits: make a second chart on the limits of "
            "the stage instead, control_chart(..., estimate=first.limits)"
        )
    frozen = {name: charted.parameters[name][carry] for name in family.parameters}
    if any(np.isnan(value).any() for value in frozen.values()):
        raise InputError(f"stage {carry} has no limits that could be carried on")
    setting = replace(prepared.setting, frozen=frozen)
    old = _arrays(prepared, chart_block(prepared.points, charted.block.segments, setting))
    behind = np.arange(len(prepared.points.value)) >= starts[carry + 1]
    return {"carried_stage": int(carry)} | {
        f"carried_{name}": np.where(behind, old[name], np.nan) for name in ("center", "lower", "upper")
    }


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


def _hidden(counted: Counted | None, prepared: Prepared, judged: Judged) -> dict[int, int]:
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


def _limits(
    batch: SeriesBatch,
    prepared: Prepared,
    charted: Charted | None,
    counted: Counted | None,
    arrays: Mapping[str, Floats],
    method: Method,
) -> Limits:
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
        panels=_panels(prepared),
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


def _nothing() -> Counted:
    """What is counted of a series without any point."""
    none, one = np.zeros(1, dtype=np.int64), np.full(1, np.nan)
    return Counted(
        n=none, n_kept=none, n_missing=none, n_excluded=none, center=one, sigma=one, lower=one,
        upper=one, lowest=one, highest=one, n_signals=none, judged_signals=none, judged_farthest=one,
        chance=one, size=one,
        by_rule=np.zeros((0, 1), dtype=np.int64), newest=none - 1, farthest=one, lag1=one,
        spread=one, spread_low=one, spread_high=one, skewness=one, kurtosis=one, ties=one,
        no_variation=np.zeros(1, dtype=bool), smallest_count=one,
        own=np.zeros((0, 1)),
    )  # fmt: skip


_NOTHING = _nothing()
