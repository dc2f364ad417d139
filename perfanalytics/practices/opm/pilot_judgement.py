"""judge_pilot(pilot, criterion, series): did the pilot meet the criterion that was declared for it?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from perfanalytics.baselines.wording import percent
from perfanalytics.comparisons.compare import compare
from perfanalytics.comparisons.difference_in_differences import difference_in_differences
from perfanalytics.comparisons.interrupted import interrupted
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.improvement_records import Pilot, SuccessCriterion
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Method
from perfanalytics.core.series import Series
from perfanalytics.practices.opm.improvement_terms import Requirement, asked_for, requirement_of
from perfanalytics.practices.opm.pilot_doubts import dip_before, pilot_doubts
from perfanalytics.practices.opm.pilot_judgement_result import PilotJudgement, Standing

if TYPE_CHECKING:
    pass

Selected = Literal["at random", "volunteers", "worst"]
#: Periods on each side without which a change is not tested.
FEWEST = 8
SELECTED = ("at random", "volunteers", "worst")


def judge_pilot(
    pilot: Pilot,
    criterion: SuccessCriterion,
    series: Series,
    *,
    comparison_group: Series | Sequence[Series] | None = None,
    method: Literal["level", "interrupted"] = "level",
    selected: Selected | None = None,
    assurance: float = 0.8,
    confidence: float = 0.95,
    season: str | None = None,
    question: str = "",
) -> PilotJudgement:
    """Judge a pilot by the criterion that was declared for it.

    Parameters
    ----------
    pilot : Pilot
        Its dates cut the series: before from ``before_since``, during from ``since`` to ``until``.
    criterion : SuccessCriterion
    series : Series
        Periods (weeks ...) of the statistic the criterion speaks of, where the pilot was tried, with times.
    comparison_group : Series or sequence of Series, optional
        The same where nothing was changed: the pilot is then judged by difference in differences.
    method : {"level", "interrupted"}
        Without a comparison group: two levels; or the average over the pilot against what level and slope
        before it let expect.
    selected : {"at random", "volunteers", "worst"}, optional
        How the units of the pilot were chosen. What was chosen because it was bad gets better by itself.
    assurance : float
        The probability of reaching the criterion from which on it is met.
    confidence : float
        Of the interval, and of telling the change from none.
    season, question : optional
        As in :func:`perfanalytics.compare`.

    Returns
    -------
    PilotJudgement

    Raises
    ------
    InputError, UnknownNameError
        For a criterion of another measure or proposal, a series without times, fewer than 8 periods on a
        side, a criterion about a level together with a comparison group.

    Notes
    -----
    The change is that of ``perf.compare`` with AR(1) errors, ``perf.interrupted`` or
    ``perf.difference_in_differences``, on the logarithms of the periods for a ratio and on the periods
    themselves for a difference: the criterion alone decides. A ratio is that of geometric means of the
    periods. From estimate, standard error and degrees of freedom follows the probability that the true
    improvement reaches what was asked for (flat prior, t distribution). **Met**: that probability is at least
    ``assurance`` and the change is told from none. **Not met**: it is at most ``1 - assurance``. Otherwise,
    or when the change cannot be put down to the pilot, **cannot tell**. A criterion about a level is held
    against the mean level of the periods during the pilot, with its effective number of periods.

    Regression to the mean: when the periods just before the pilot (as many as a third of those before, at
    most as many as the pilot has) were worse than the rest before (one-sided 5%), or the units were chosen as
    the worst, a caveat says what part of the improvement may come by itself.

    References
    ----------
    Ashenfelter (1978), Review of Economics and Statistics 60 (the dip before a programme). Barnett, van der
    Pols and Dobson (2005), International Journal of Epidemiology 34, 215-220 (regression to the mean).

    Examples
    --------
    >>> import datetime as dt
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="real")
    >>> when = np.datetime64("2024-01-01") + 7 * np.arange(40)
    >>> noise = np.random.default_rng(1).standard_normal(40)
    >>> weeks = Series(20 + noise - 4 * (np.arange(40) >= 26), measure=hours, when=when)
    >>> pilot = Pilot("Desk", proposal="P", measure="hours", since=dt.date(2024, 7, 1),
    ...               until=dt.date(2024, 10, 7))
    >>> asked = SuccessCriterion("3 less", proposal="P", measure="hours", least_change=3,
    ...                          declared_on=dt.date(2024, 6, 1))
    >>> judged = judge_pilot(pilot, asked, weeks, selected="at random")
    >>> judged.standing, round(judged.estimate, 1)
    ('met', 3.8)
    """
    _check(pilot, criterion, series, method, selected, assurance)
    asked = requirement_of(criterion, series.measure)
    others = _others(comparison_group)
    if asked.form == "level" and others:
        raise InputError(
            f"the criterion {criterion.name!r} is about a level: a comparison group says nothing about "
            "it; leave it out, or declare least_change or least_ratio"
        )
    own = series.between(pilot.before_since, pilot.until)
    before, during = own.between(None, pilot.since), own.between(pilot.since, None)
    comparison = _compared(
        own,
        [o.between(pilot.before_since, pilot.until) for o in others],
        pilot,
        criterion,
        asked,
        method=method,
        confidence=confidence,
        season=season,
        question=question,
    )
    if asked.form != "level":
        _check_testable(comparison, before, during)
    center, se, df = _estimate(comparison, during, asked, confidence)
    t = special.stdtr(df, (center - asked.value) / se) if se > 0 else float(center >= asked.value)
    probability = float(t)
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * se
    ends = sorted((asked.back(center - half), asked.back(center + half)))
    standing = _standing(comparison, probability, assurance, asked)
    estimate = asked.back(center)
    primary = comparison.primary
    dip = dip_before(before, others, asked, len(during))
    doubts = pilot_doubts(
        pilot, criterion, series, others, selected=selected, dip=dip, standing=standing, form=asked.form
    )
    return PilotJudgement(
        verdict=_verdict(
            pilot,
            criterion,
            series.measure,
            asked,
            comparison,
            standing,
            probability,
            assurance,
            (estimate, ends[0], ends[1]),
            confidence,
        ),
        caveats=(*doubts, *comparison.caveats),
        method=Method(
            "judge_pilot",
            {
                "change": comparison.method.name,
                "scale": asked.scale,
                "assurance": assurance,
                "confidence": confidence,
                "met": "probability of reaching the criterion at least assurance, and told from no change",
                "not met": "probability at most 1 - assurance",
                "probability": "t distribution of the estimate, flat prior",
                "df": df,
                "standard_error": se,
            },
            ("Barnett, van der Pols and Dobson (2005), Int. J. Epidemiology 34, 215-220",),
        ),
        provenance=comparison.provenance,
        pilot=pilot,
        criterion=criterion,
        measure=series.measure,
        comparison=comparison,
        standing=standing,
        probability=probability,
        assurance=assurance,
        form=asked.form,
        estimate=estimate,
        low=ends[0],
        high=ends[1],
        required=asked.back(asked.value),
        level_before=primary.before if math.isfinite(primary.before) else float(np.nanmean(before.values)),
        level_during=primary.after if math.isfinite(primary.after) else float(np.nanmean(during.values)),
        n_before=int((~np.isnan(before.values)).sum()),
        n_during=int((~np.isnan(during.values)).sum()),
        declared_before=criterion.declared_on < pilot.since,
        selected=selected or "",
        confidence=confidence,
    )


def _check(
    pilot: Pilot,
    criterion: SuccessCriterion,
    series: Series,
    method: str,
    selected: str | None,
    assurance: float,
) -> None:
    if criterion.proposal != pilot.proposal:
        raise InputError(
            f"the criterion {criterion.name!r} belongs to {criterion.proposal!r}, the pilot to "
            f"{pilot.proposal!r}"
        )
    if series.when is None:
        raise InputError("a pilot is cut out of its series by dates: give the series when=")
    if method not in ("level", "interrupted"):
        raise UnknownNameError("method of judging a pilot", str(method), ("level", "interrupted"))
    if selected is not None and selected not in SELECTED:
        raise UnknownNameError("way of selecting the units of a pilot", str(selected), SELECTED)
    if not 0.5 < assurance < 1:
        raise InputError(f"assurance= lies above 0.5 and below 1 (0.8), got {assurance}")


def _check_testable(comparison: Comparison, before: Series, during: Series) -> None:
    """Without a test there is no standard error: what the comparison then tells is on another scale."""
    if not math.isnan(comparison.primary.p_value):
        return
    n1, n2 = (int((~np.isnan(s.values) & ~s.excluded()[0]).sum()) for s in (before, during))
    if min(n1, n2) < FEWEST:
        raise InputError(
            f"{n1} periods before the pilot and {n2} during it: at least {FEWEST} on each side are needed to "
            "judge it"
        )
    raise InputError(
        "the periods do not vary before or during the pilot: there is nothing to judge its change by; look "
        "at how they were measured"
    )


def _others(comparison_group: Series | Sequence[Series] | None) -> list[Series]:
    if comparison_group is None:
        return []
    return [comparison_group] if isinstance(comparison_group, Series) else list(comparison_group)


def _compared(
    own: Series,
    others: list[Series],
    pilot: Pilot,
    criterion: SuccessCriterion,
    asked: Requirement,
    *,
    method: str,
    confidence: float,
    season: str | None,
    question: str,
) -> Comparison:
    """The change, on the scale of the criterion."""
    given: dict[str, Any] = {
        "scale": asked.scale,
        "confidence": confidence,
        "season": season,
        "question": question,
        "declared_on": criterion.declared_on,
    }
    if others:
        return difference_in_differences(own, others, at=pilot.since, **given)
    if method == "interrupted":
        return interrupted(own, at=pilot.since, primary="average_effect", **given)
    before, during = own.between(None, pilot.since), own.between(pilot.since, None)
    return compare(before, during, method="ar1_level_change", **given)


def _estimate(
    comparison: Comparison, during: Series, asked: Requirement, confidence: float
) -> tuple[float, float, float]:
    """Improvement on the scale, its standard error and degrees of freedom."""
    if asked.form == "level":
        return _level(during, asked)
    e = comparison.primary
    values = np.array([e.estimate, e.low, e.high])
    if not np.isfinite(values).all():
        raise InputError(
            f"the change could not be tested ({comparison.verdict}): more periods are needed to judge the "
            f"pilot"
        )
    if asked.scale == "log":
        values = np.log(values)
    df = e.df if math.isfinite(e.df) else 1e6
    se = float(values[2] - values[1]) / (2 * float(special.stdtrit(df, (1 + confidence) / 2)))
    return asked.sign * float(values[0]), se, df


def _level(during: Series, asked: Requirement) -> tuple[float, float, float]:
    """Mean level of the periods of the pilot on the scale, with its effective number of periods."""
    excluded, _ = during.excluded()
    y: Floats = asked.forward(during.values[~np.isnan(during.values) & ~excluded])
    n = len(y)
    r = float(corrected_lag1(lag1_autocorrelation(y, np.array([0, n]))[0], n))
    effective = max(2.0, float(effective_size(n, r)))
    return float(y.mean()), float(y.std(ddof=1)) / math.sqrt(effective), effective - 1


def _standing(comparison: Comparison, probability: float, assurance: float, asked: Requirement) -> Standing:
    attributable = comparison.outcome != "not_attributable"
    told = asked.form == "level" or (comparison.outcome == "detected")
    if probability >= assurance and told and attributable:
        return "met"
    if probability <= 1 - assurance and attributable:
        return "not met"
    return "cannot tell"


def _verdict(
    pilot: Pilot,
    criterion: SuccessCriterion,
    measure: Measure,
    asked: Requirement,
    comparison: Comparison,
    standing: str,
    probability: float,
    assurance: float,
    found: tuple[float, float, float],
    confidence: float,
) -> str:
    near = abs(probability - assurance) < 0.01
    estimate = asked.said(found[0], measure.unit)
    ends = asked.range_said(found[1], found[2], measure.unit)
    late = "" if criterion.declared_on < pilot.since else " The criterion was declared after the pilot began."
    text = {
        "met": f"Pilot '{pilot.name}' meets its criterion",
        "not met": f"Pilot '{pilot.name}' does not meet its criterion",
        "cannot tell": f"Whether pilot '{pilot.name}' meets its criterion cannot be told",
    }[standing]
    worse = asked.form == "change" and found[0] < 0
    what = "the level is" if asked.form == "level" else "it became worse, by" if worse else "it is"
    better = " better" if asked.form == "change" and not worse else ""
    estimate = estimate.removeprefix("-") if worse else estimate
    text += (
        f" ({asked_for(criterion, measure)}): {what} {estimate}{better} ({percent(confidence)} interval "
        f"{ends}); "
        f"the criterion is reached with a probability of {percent(probability, fine=near)} "
        f"({percent(assurance)} were asked for)."
    )
    if comparison.outcome == "not_attributable":
        text += " The difference cannot be put down to the pilot."
    elif standing == "cannot tell" and probability >= assurance:
        text += " The change is not told from none."
    return text + late
