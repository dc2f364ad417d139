"""t tests beside Welch's: pooled variances, pairs, one side against a given value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from perfanalytics.comparisons.classical import NAN, Contrast, t_p_value, t_quantile
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Effect, Options, Role
from perfanalytics.comparisons.methods.means import (
    center_effect,
    independent_companions,
    mean_answer,
    shift_row,
)
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.signed_rank import signed_rank
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

#: Rows that a single given value, or pairs, have no use for.
SPREAD_ROWS = ("ratio_of_sds", "hedges_g", "cliffs_delta", "probability_of_superiority", "cohens_h")


def mean_scale(sides: Sides, options: Options, name: str) -> AnalysisScale:
    """The analysis scale of a method that compares means; ranks have none."""
    scale = analysis_scale(sides, options.scale)
    if scale.name == "rank":
        raise InputError(
            f"{name} compares means: for an ordinal measure use method='mann_whitney' ('wilcoxon' of pairs)"
        )
    return scale


def student(before: Floats, after: Floats, confidence: float) -> Contrast:
    """Student's test of the difference of means with one pooled variance.

    References
    ----------
    Student (1908), Biometrika 6; R ``t.test(var.equal = TRUE)``.
    """
    n1, n2 = len(before), len(after)
    estimate = float(after.mean() - before.mean())
    df = n1 + n2 - 2
    if df < 1:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    a, b = before - before.mean(), after - after.mean()
    variance = float(a @ a + b @ b) / df
    if variance <= 1e-28 * max(abs(float(before.mean())), abs(float(after.mean()))) ** 2:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN, 0.0)
    se = float(np.sqrt(variance * (1 / n1 + 1 / n2)))
    half = t_quantile(df, confidence) * se
    return Contrast(
        estimate, estimate - half, estimate + half, estimate / se, df, t_p_value(estimate / se, df), se
    )


def one_mean(differences: Floats, level: float, confidence: float) -> Contrast:
    """t test that differences have mean 0; ``level`` is the size of the values they were taken of."""
    n = len(differences)
    estimate = float(differences.mean())
    if n < 2:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    sd = float(differences.std(ddof=1))
    if sd <= 1e-14 * level:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN, 0.0)
    se = sd / float(np.sqrt(n))
    half = t_quantile(n - 1, confidence) * se
    return Contrast(
        estimate, estimate - half, estimate + half, estimate / se, n - 1, t_p_value(estimate / se, n - 1), se
    )


class Student(ComparisonMethod):
    """Student's t test: equal variances, independent items."""

    name = "student"
    title = "Student's t test, pooled variance"

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = mean_scale(sides, options, self.name)
        used = scale.used(sides)
        x, y = scale.forward(used.before.values), scale.forward(used.after.values)
        found = student(x, y, options.confidence)
        inner = student(x, y, 2 * options.confidence - 1)
        return mean_answer(
            found,
            inner,
            scale,
            effects=(
                center_effect(found, sides, scale, role="primary", method=self.title),
                *independent_companions(sides, scale, options.confidence, shift_role="secondary"),
            ),
            effective=(float(len(x)), float(len(y))),
            caveats=dependence_caveat(sides),
            parameters={"df": found.df},
            references=("Student (1908), Biometrika 6",),
        )


class PairedT(ComparisonMethod):
    """t test of the differences of pairs."""

    name = "paired_t"
    title = "t test of pairs"
    paired = True

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = mean_scale(sides, options, self.name)
        used = pairs_used(sides, scale)
        d, level = pair_differences(used, scale)
        found = one_mean(d, level, options.confidence)
        inner = one_mean(d, level, 2 * options.confidence - 1)
        whole = replace(scale, left_out=(0, 0))
        naive = independent_companions(used, whole, options.confidence)[0]
        return mean_answer(
            found,
            inner,
            scale,
            effects=(
                center_effect(found, used, whole, role="primary", method=self.title),
                shift_of_pairs(sides, options.confidence),
                replace(naive, method="Welch's t test, as if the values were no pairs"),
            ),
            effective=(float(len(d)), float(len(d))),
            caveats=dependence_caveat(differences_as_side(used, d)),
            parameters={
                "df": found.df,
                "pairs": len(d),
                "correlation": _correlation(used, scale),
            },
            references=("Student (1908), Biometrika 6",),
            paired=True,
            omit=SPREAD_ROWS[1:],
        )


class OneSampleT(ComparisonMethod):
    """t test of one side against a given value, which stands in place of the side before."""

    name = "one_sample_t"
    title = "t test against the given value"
    one_sample = True

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = mean_scale(sides, options, self.name)
        value = given_value(sides)
        if scale.name == "log" and value <= 0:
            raise InputError(
                f"the given value {value:g} has no logarithm: give scale='raw', or a positive one"
            )
        used = scale.used(sides)
        y, zero = scale.forward(used.after.values), float(scale.forward(np.array([value]))[0])
        level = float(np.abs(y).max())
        found = one_mean(y - zero, level, options.confidence)
        inner = one_mean(y - zero, level, 2 * options.confidence - 1)
        return mean_answer(
            found,
            inner,
            scale,
            effects=(
                center_effect(found, sides, scale, role="primary", method=self.title),
                shift_from_value(sides, value, options.confidence),
            ),
            effective=(NAN, float(len(y))),
            caveats=dependence_caveat(sides),
            parameters={
                "df": found.df,
                "given_value": value,
            },
            references=("Student (1908), Biometrika 6",),
            omit=(*SPREAD_ROWS, *quantile_rows(options)),
        )


def given_value(sides: Sides) -> float:
    """The value that stands in place of the side before."""
    if len(sides.before.values) != 1:
        raise InputError("the side before is a single given value here, such as perf.compare(24.0, after)")
    return float(sides.before.values[0])


def pairs_used(sides: Sides, scale: AnalysisScale) -> Sides:
    """The pairs whose two values have a place on the scale."""
    if not any(scale.left_out):
        return sides
    keep = (sides.before.values > 0) & (sides.after.values > 0)
    return sides.where(keep, keep)


def pair_differences(sides: Sides, scale: AnalysisScale) -> tuple[Floats, float]:
    """After less before on the analysis scale, and the size of the values."""
    x, y = scale.forward(sides.before.values), scale.forward(sides.after.values)
    return y - x, float(max(np.abs(x).max(), np.abs(y).max()))


def differences_as_side(sides: Sides, differences: Floats) -> Sides:
    """Sides whose values after are the differences: pairs in order of time must differ independently."""
    one = replace(
        sides.before, values=np.zeros(1), weights=np.ones(1), period=sides.before.period[:1], when=None
    )
    return replace(sides, before=one, after=replace(sides.after, values=differences))


def shift_of_pairs(
    sides: Sides, confidence: float, *, zeros: str = "wilcoxon", role: Role = "secondary"
) -> Effect:
    """The Hodges-Lehmann estimate of the differences, in the unit, with the signed-rank test."""
    found = signed_rank(sides.after.values - sides.before.values, confidence, zeros=zeros)
    return _shift(found, sides, role)


def shift_from_value(
    sides: Sides, value: float, confidence: float, *, zeros: str = "wilcoxon", role: Role = "secondary"
) -> Effect:
    """The Hodges-Lehmann estimate of the values less the given one."""
    return _shift(signed_rank(sides.after.values - value, confidence, zeros=zeros), sides, role)


def _shift(found: Contrast, sides: Sides, role: Role) -> Effect:
    return shift_row(found, sides, role=role, method=f"signed-rank test ({found.how})")


def quantile_rows(options: Options) -> tuple[str, ...]:
    """Percentiles of a single value, and the share of it that meets an objective, mean nothing."""
    tails = {f"difference_of_p{100 * options.tail:g}", *(f"difference_of_p{10 * k}" for k in range(1, 10))}
    return (*sorted(tails), "difference_of_shares_meeting_objective")


def _correlation(sides: Sides, scale: AnalysisScale) -> float:
    """Correlation of the two values of a pair: what pairing gains."""
    x, y = scale.forward(sides.before.values), scale.forward(sides.after.values)
    a, b = x - x.mean(), y - y.mean()
    bottom = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / bottom if bottom > 0 else NAN


STUDENT, PAIRED_T, ONE_SAMPLE_T = Student(), PairedT(), OneSampleT()
