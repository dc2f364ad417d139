"""Capability of attributes: share defective, parts per million and Z; defects per unit and yield."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.baselines import shares
from perfanalytics.baselines.capability_doubts import few_values, stability_caveat
from perfanalytics.baselines.capability_result import Capability
from perfanalytics.baselines.capability_words import _SAY, _standing, ppm_words, stability_words
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.rows import Row, columns
from perfanalytics.baselines.stability import Exclusions, Stages
from perfanalytics.baselines.value_kinds import counted_kind
from perfanalytics.baselines.wording import count, number, percent, share_interval, span
from perfanalytics.core.codec import read_only
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import Series, resolve_exclusions
from perfanalytics.spc.asked import resolve_exclude
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.result import ControlChart


def chart_columns(chart: ControlChart | None) -> dict[str, Any]:
    """The fields of a result that come from the chart behind the stability verdict."""
    if chart is None:
        nothing = read_only(np.empty((0, 0)))
        return {
            "panels": (),
            "chart_value": nothing,
            "chart_center": nothing,
            "chart_lower": nothing,
            "chart_upper": nothing,
            "chart_signal": read_only(np.empty((0, 0), dtype=bool)),
            "chart_excluded": read_only(np.empty(0, dtype=bool)),
            "stable": None,
            "stability": "items coded 0 and 1 are not charted one by one; aggregate them to periods.",
            "signals": 0,
        }
    return {
        "panels": chart.panels,
        "chart_value": read_only(chart.value),
        "chart_center": read_only(chart.center),
        "chart_lower": read_only(chart.lower),
        "chart_upper": read_only(chart.upper),
        "chart_signal": read_only(chart.fired != 0),
        "chart_excluded": read_only(chart.excluded),
        "stable": chart.stable,
        "stability": chart.verdict,
        "signals": chart.n_signals,
    }


def with_verdict(made: Capability, verdict: str) -> Capability:
    """The result with its verdict, which is computed from the numbers in it."""
    return replace(made, verdict=verdict)


def describe(
    series: Series,
    kind: str,
    options: Options,
    *,
    objective: Objective | None,
    stages: Stages,
    exclude: Exclusions,
) -> Capability:
    """Capability of shares or rates.

    Raises
    ------
    InputError
        When the objective is about something else.
    """
    rate = kind == "rates"
    counts, sizes, how = counts_and_sizes(series.as_batch(), limit_one=not rate)
    chart = None
    if series.sizes is not None:
        chart = control_chart(series, chart="laney_u" if rate else "laney_p", stages=stages, exclude=exclude)
        used = ~np.isnan(counts) & ~chart.excluded & (chart.stage == chart.stage[-1])
    else:
        gone, _ = resolve_exclusions(series.as_batch(), [*series.exclusions, *resolve_exclude(exclude)])
        used = ~np.isnan(counts) & ~gone
    if not used.any():
        raise InputError("no value is left to describe: all points are missing or excluded")
    flipped = not rate and series.measure.better == "higher"
    bad = sizes - counts if flipped else counts
    found = shares.describe(
        np.where(used, bad, np.nan),
        np.where(used, sizes, np.nan),
        options,
        rate=rate,
        unit=series.measure.unit,
        when=series.when,
    )
    pooled = found.rows[0]
    rows = _rate_rows(pooled) if rate else _share_rows(pooled)
    rows += [r for r in found.rows if r.quantity == "dispersion"]
    standing, sentence = _against(pooled, objective, series, rate=rate, flipped=flipped)
    n = int(used.sum())
    per_point = np.asarray(bad[used] / sizes[used])
    made = Capability(
        verdict="",
        caveats=(
            *(c for c in found.caveats if c.code != "too-few-points"),
            *(few_values(int(np.nansum(sizes[used]))) if not rate else ()),
            *stability_caveat(
                None if chart is None else chart.stable,
                0 if chart is None else chart.n_signals,
                chart_columns(chart)["stability"],
            ),
            *_none_seen(float(bad[used].sum())),
        ),
        method=Method(
            "capability",
            {
                "method": "attribute",
                "values": how,
                "defective": "1 - share: higher is better" if flipped else "the counts",
                "distribution": "poisson" if rate else "binomial",
                "interval": pooled.method,
                "confidence": options.confidence,
                "dependence": options.dependence,
                "n_effective": found.n_effective,
                "lag1": found.r1,
                "objective": None if objective is None else objective.name,
                "stability": {} if chart is None else dict(chart.method.parameters),
            },
            (*found.references, "Montgomery (2013), Introduction to Statistical Quality Control, chapter 8"),
        ),
        provenance=series.provenance(),
        measure=series.measure,
        values_are=kind,
        n=n,
        subgroups=0,
        lower=math.nan,
        upper=math.nan,
        target=math.nan,
        objective=objective,
        distribution="poisson" if rate else "binomial",
        analysis="attribute",
        sigma="",
        mean=pooled.estimate,
        sd_within=math.nan,
        sd_overall=math.nan,
        df_within=math.nan,
        df_overall=math.nan,
        n_effective=found.n_effective,
        lag1=found.r1,
        transform={},
        fitted=None,
        values=read_only(per_point),
        subgroup=read_only(np.flatnonzero(used)),
        **columns(rows),
        **chart_columns(chart),
        minimum=math.nan,
        standing=standing,
    )
    return with_verdict(made, _verdict(made, float(np.nansum(sizes[used])), sentence))


def _share_rows(pooled: Row) -> list[Row]:
    p, low, high = pooled.estimate, pooled.low, pooled.high
    how, level = pooled.method, pooled.confidence

    def z(share: float) -> float:
        return -float(special.ndtri(share))

    return [
        replace(pooled, quantity="defective", unit="share"),
        Row("ppm_observed", 1e6 * p, 1e6 * low, 1e6 * high, level, method=how, unit="ppm"),
        Row("yield", 1 - p, 1 - high, 1 - low, level, method=how, unit="share"),
        Row("z_bench_overall", z(p), z(high), z(low), level, method=f"normal score of the yield; {how}"),
    ]


def _rate_rows(pooled: Row) -> list[Row]:
    rate, low, high = pooled.estimate, pooled.low, pooled.high
    how, level = pooled.method, pooled.confidence

    def z(r: float) -> float:
        """The normal score of exp(-r)."""
        return float(-special.ndtri(-math.expm1(-r)))

    poisson = f"exp(-dpu), Poisson; {how}"
    return [
        replace(pooled, quantity="dpu", unit="defects per unit"),
        Row(
            "ppm_observed",
            1e6 * rate,
            1e6 * low,
            1e6 * high,
            level,
            method=how,
            unit="per million units",
        ),
        Row("yield", math.exp(-rate), math.exp(-high), math.exp(-low), level, method=poisson, unit="share"),
        Row(
            "z_bench_overall", z(rate), z(high), z(low), level, method=f"normal score of the yield; {poisson}"
        ),
    ]


def _against(
    pooled: Row, objective: Objective | None, series: Series, *, rate: bool, flipped: bool
) -> tuple[str | None, str]:
    if objective is None:
        return None, ""
    wanted = "rate" if rate else "share"
    if series.measure.is_named and objective.measure != series.measure.name:
        raise InputError(
            f"objective {objective.name!r} is about {objective.measure!r}, not {series.measure.name!r}"
        )
    if objective.statistic != wanted:
        raise InputError(
            f"objective {objective.name!r} speaks of the {objective.statistic}; of these data it can speak "
            f"of the {wanted}"
        )
    row = pooled
    if flipped:
        row = replace(pooled, estimate=1 - pooled.estimate, low=1 - pooled.high, high=1 - pooled.low)
    at_most = objective.direction == "at_most"
    met = row.high <= objective.target if at_most else row.low >= objective.target
    missed = row.low > objective.target if at_most else row.high < objective.target
    standing = _standing(met, missed)
    target = number(objective.target) if rate else percent(objective.target)
    side = "at most" if at_most else "at least"
    return standing, f"Objective {objective.name!r}: the {wanted} shall be {side} {target}: {_SAY[standing]}."


def _none_seen(bad: float) -> list[Caveat]:
    if bad > 0:
        return []
    text = "Not one was defective: the estimate is 0, and only the upper end of the interval tells anything."
    return [Caveat("none-seen", text, {})]


def _verdict(made: Capability, items: float, sentence: str) -> str:
    name = made.measure.name
    stability = stability_words(made.stable, made.signals)
    if made.values_are == "rates":
        rate, low, high = (made.value("dpu", p) for p in ("estimate", "low", "high"))
        yielded = percent(made.value("yield"))
        text = (
            f"{name}: {number(rate)} defects per unit ({percent(float(made.confidence[0]))} interval "
            f"{span(low, high)}) over {number(items)} units; {yielded} of units are expected without any."
        )
        return f"{text}{stability} {sentence}".strip()
    p, low, high = (made.value("defective", q) for q in ("estimate", "low", "high"))
    said, interval = share_interval(p, low, high, float(made.confidence[0]))
    text = f"{name}: {said} of {count(round(items), 'item')} were defective {interval}"
    if 0 < p < 0.001:
        text += f", {ppm_words(1e6 * p)}"
    z = made.value("z_bench_overall")
    text += f"; Z is {z:.2f}." if math.isfinite(z) else "."
    return f"{text}{stability} {sentence}".strip()


__all__ = ["chart_columns", "describe", "counted_kind", "with_verdict"]
