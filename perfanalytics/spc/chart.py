"""control_chart: one chart of one series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from perfanalytics.core.coerce import as_series
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.doubts import caveats_of
from perfanalytics.spc.drawn import carried_on, drawn_arrays, is_share, panel_names
from perfanalytics.spc.guards import guard
from perfanalytics.spc.judged import Judged, hidden_signals, judge
from perfanalytics.spc.kernel import Charted, Counted, Setting, count_block
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.limits_of import limits_of
from perfanalytics.spc.prepared import Prepared, prepare, still_open
from perfanalytics.spc.result import ControlChart, StageTest
from perfanalytics.spc.rules import WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.signals import bits_type
from perfanalytics.spc.stages import Stages
from perfanalytics.spc.transforms import Transform
from perfanalytics.spc.validity import judge_validity
from perfanalytics.spc.verdict import verdict_of


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
    n, panels = len(points.value), panel_names(prepared)
    counted = None if charted is None else count_block(charted, setting)
    arrays = drawn_arrays(prepared, charted)
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
    limits = limits_of(batch, prepared, charted, counted, arrays, method)
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
        **carried_on(prepared, charted, carry),
        tests=() if charted is None else _tests(charted),
        n_used=0 if counted is None else int(counted.n.sum()),
        transform=None if prepared.scale is None else prepared.scale.transform(0),
    )
    return replace(made, verdict=verdict_of(made, hidden_signals(counted, prepared, judged)))


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
