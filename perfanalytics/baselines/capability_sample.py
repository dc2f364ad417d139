"""What a capability study rests on: values, subgroups, spread within and overall, stability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.capability_indices import MEDIAN_MOVING_RANGE_DF, MOVING_RANGE_DF, range_df
from perfanalytics.baselines.intervals import Dependence, Effective, effective
from perfanalytics.baselines.numbers import moments
from perfanalytics.baselines.stability import Exclusions, Stages
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.segments import Segments, links
from perfanalytics.core.series import Series
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families.subgroups import cut
from perfanalytics.spc.result import ControlChart

#: sigma= -> chart and estimator.
INDIVIDUALS = {
    "moving_range": ("individuals", "moving_range"),
    "median_moving_range": ("individuals", "median_moving_range"),
    "standard_deviation": ("individuals", "standard_deviation"),
}
SUBGROUPS = {
    "pooled": ("xbar_s", "pooled_standard_deviation"),
    "mean_range": ("xbar_r", "mean_range"),
    "mean_standard_deviation": ("xbar_s", "weighted_standard_deviation"),
}
#: sigma= -> how it is told.
SAID = {
    "moving_range": "mean moving range / d2",
    "median_moving_range": "median moving range / d4",
    "standard_deviation": "standard deviation / c4",
    "pooled": "pooled standard deviation within subgroups / c4",
    "mean_range": "mean range / d2",
    "mean_standard_deviation": "mean of s / c4",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """The last stage of a series, ready for indices.

    ``values`` (n,) are those used, on the scale of the analysis; ``subgroup`` (n,) which point of the chart
    each belongs to; ``in_time`` all values of the stage in order, NaN where not used; ``k`` subgroups, 0 for
    individuals; ``start`` the first point of the stage on the chart of the whole series.
    """

    values: Floats
    subgroup: NDArray[np.int64]
    in_time: Floats
    k: int
    mean: float
    sd_within: float
    df_within: float
    sd_overall: float
    size: Effective
    chart: ControlChart
    sigma: str
    n_excluded: int


def is_grouped(series: Series) -> bool:
    """Whether the values come in rational subgroups."""
    return series.values.ndim == 2 or series.subgroups is not None


def choose_sigma(series: Series, sigma: str | None) -> str:
    """The estimator of the spread within, checked; default by the form of the data.

    Raises
    ------
    UnknownNameError
    """
    grouped = is_grouped(series)
    known = SUBGROUPS if grouped else INDIVIDUALS
    if sigma is None:
        return "pooled" if grouped else "moving_range"
    if sigma not in known:
        what = "sigma of subgroups" if grouped else "sigma of individual values (no subgroups)"
        raise UnknownNameError(what, str(sigma), known)
    return sigma


def sample(
    series: Series,
    *,
    sigma: str,
    dependence: Dependence,
    stages: Stages,
    exclude: Exclusions,
    forward: Callable[[Floats], Floats] | None = None,
) -> Sample:
    """Chart the series, take the last stage, estimate mean and spreads.

    With ``forward`` all of it is done to the transformed values.

    Raises
    ------
    InputError
        When no value is left, or less than two.
    """
    chart, estimator = (SUBGROUPS if is_grouped(series) else INDIVIDUALS)[sigma]
    charted = series if forward is None else _transformed(series, forward)
    made = control_chart(charted, chart=chart, estimate=estimator, stages=stages, exclude=exclude)
    start = int(made.limits.first[-1]) if len(made.limits.first) else 0
    if start:
        kept = [
            replace(e, point=e.point - start)
            for e in made.exclusions
            if e.point is not None and e.point >= start
        ]
        charted = _from(charted, start, chart)
        made = control_chart(charted, chart=chart, estimate=estimator, exclude=kept)
    flat, subgroup = _flat(charted, chart)
    used = ~np.isnan(flat) & ~made.excluded[subgroup] & ~np.isnan(made.value[0])[subgroup]
    values = flat[used]
    if len(values) < 2:
        raise InputError(
            f"capability needs at least two values that are not excluded, there are {len(values)}"
        )
    mean, sd = moments(values)
    in_time = np.where(used, flat, np.nan)
    size = effective(in_time, dependence)
    within = float(made.limits.parameters["sigma"][-1])
    return Sample(
        values=values,
        subgroup=subgroup[used],
        in_time=in_time,
        k=len(np.unique(subgroup[used])) if is_grouped(series) else 0,
        mean=mean,
        sd_within=within,
        df_within=_df_within(sigma, made, charted, subgroup[used], used),
        sd_overall=sd,
        size=size,
        chart=made,
        sigma=sigma,
        n_excluded=int(np.sum(~np.isnan(flat) & ~used)),
    )


def _df_within(
    sigma: str, made: ControlChart, charted: Series, subgroup: NDArray[np.int64], used: NDArray[np.bool_]
) -> float:
    if sigma == "standard_deviation":
        return float(used.sum() - 1)
    if sigma in INDIVIDUALS:
        pairs = int(links(Segments(np.array([0]), len(used)), used, charted.breaks).sum())
        return pairs * (MOVING_RANGE_DF if sigma == "moving_range" else MEDIAN_MOVING_RANGE_DF)
    counts = np.bincount(subgroup)
    sizes = counts[counts > 0].astype(np.float64)
    if sigma == "pooled":
        return float((sizes - 1).sum())
    return range_df(sizes, deviations=sigma == "mean_standard_deviation")


def _flat(series: Series, chart: str) -> tuple[Floats, NDArray[np.int64]]:
    """Single values in order, and the point of the chart each belongs to."""
    if not is_grouped(series):
        return series.values, np.arange(len(series.values))
    flat, first, _, _ = cut(series.as_batch(), chart)
    return flat, np.repeat(np.arange(len(first)), np.diff(np.append(first, len(flat))))


def _from(series: Series, start: int, chart: str) -> Series:
    """The series from a point of its chart on."""
    if series.values.ndim == 1 and series.subgroups is not None:
        _, first, _, _ = cut(series.as_batch(), chart)
        return series.take(int(first[start]))
    return series.take(start)


def _transformed(series: Series, forward: Callable[[Floats], Floats]) -> Series:
    measure = series.measure
    if measure.scale is not None:  # bare numbers stay bare numbers
        measure = replace(measure, scale="real", unit="")
    return Series(
        forward(series.values),
        measure=measure,
        when=series.when,
        subgroups=series.subgroups,
        labels=series.labels,
        items=series.items,
        covariates=series.covariates,
        events=series.events,
        exclusions=series.exclusions,
        expected_every=series.expected_every,
        clock=series.clock if series.when is not None else None,
        id=series.id,
    )
