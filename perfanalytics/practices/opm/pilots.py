"""plan_pilot(series, criterion): how long must a pilot run to be judged?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.comparisons.levels import FEWEST
from perfanalytics.comparisons.power import minimum_detectable_effect, power, sample_size
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import SuccessCriterion
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.core.series import Series
from perfanalytics.practices.opm.improvement_terms import Requirement, asked_for, requirement_of
from perfanalytics.practices.opm.pilot_plan import PilotPlan
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.result import ControlChart

#: The test by which a pilot is judged, and planned for.
TEST, ONE_SAMPLE = "ar1_level_change", "one_sample_t"
#: Below so many periods the correlation of neighbours is hardly known.
FEW = 20
#: Lengths at which the curves are drawn, at most.
POINTS = 24


def plan_pilot(
    before: object,
    criterion: SuccessCriterion,
    *,
    comparison_group: object = None,
    expected: float | None = None,
    power: float = 0.8,
    confidence: float = 0.95,
    assurance: float = 0.8,
    longest: int = 26,
    measure: Measure | None = None,
) -> PilotPlan:
    """How many periods a pilot must run so that its success criterion can be judged.

    Parameters
    ----------
    before : Series or Baseline
        Periods (weeks ...) before the pilot, of the statistic the criterion speaks of.
    criterion : SuccessCriterion
    comparison_group : Series, optional
        The same where nothing will be changed: the pilot is then judged by the difference of both.
    expected : float, optional
        The improvement that is expected, in the terms of the criterion: a ratio after over before, a
        difference (positive = better), or a level.
    power : float
        The chance asked for that the pilot shows what is there.
    confidence : float
        Of telling a change from none.
    assurance : float
        How sure it must be that the improvement reaches the criterion; see :func:`judge_pilot`.
    longest : int
        Periods that are a reasonable time for a pilot.
    measure : Measure, optional
        For bare numbers.

    Returns
    -------
    PilotPlan

    Raises
    ------
    InputError
        For fewer than 8 periods, periods that do not vary, a criterion about another measure or one that asks
        for no improvement.

    Notes
    -----
    A pilot is judged by the level change with AR(1) errors (:func:`judge_pilot`), so it is planned for by the
    power of that test: sample sizes count as ``n (1 - rho) / (1 + rho)``. Two questions are asked. Can a
    change of the size of the criterion be told from none (two-sided, ``1 - confidence``)? And is the
    ``expected`` improvement judged to reach the criterion (one-sided, ``1 - assurance``)? A pilot whose
    true improvement is just the criterion is judged "met" with a chance of about ``1 - assurance``, however
    long it runs: that is why what is expected must lie beyond what is asked for. A criterion about a level is
    judged by the periods of the pilot alone. At least 8 periods are needed.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences. Bloom (1995), Evaluation Review 19.

    Examples
    --------
    >>> import datetime as dt
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="real")
    >>> weeks = Series([20, 23, 19, 22, 18, 21, 24, 20, 19, 22, 23, 21], measure=hours)
    >>> asked = SuccessCriterion("2 less", proposal="P", measure="hours", least_change=2,
    ...                          declared_on=dt.date(2024, 1, 1))
    >>> plan = plan_pilot(weeks, asked)
    >>> plan.periods, plan.feasible
    (19.0, True)
    """
    _check(power, confidence, assurance, longest)
    series, every = _periods(before, measure)
    asked = requirement_of(criterion, series.measure)
    y, sizes = _values(series, asked)
    if comparison_group is not None:
        y = _less(series, comparison_group, asked)
    n, sd = len(y), float(y.std(ddof=1)) if len(y) > 1 else 0.0
    if n < FEWEST:
        raise InputError(f"{count(n, 'period')} before the pilot: at least {FEWEST} are needed to plan it")
    if sd <= 1e-12 * max(1.0, float(np.abs(y).max())):
        raise InputError("the periods before the pilot do not vary: its length cannot be planned")
    rho = float(corrected_lag1(lag1_autocorrelation(y, np.array([0, n]))[0], n))
    level = float(_values(series, asked)[0].mean())
    need = asked.value - level if asked.form == "level" else asked.value
    hope = math.nan if expected is None else _on_scale(expected, asked)
    beyond = hope - asked.value
    search = _Search(sd=sd, rho=rho, n=n, alpha=1 - confidence, loose=2 * (1 - assurance), level=asked.form)
    detect = search.length(need, power) if need > 0 else float(FEWEST)
    met = math.nan if expected is None else search.length_met(beyond, power)
    periods = max(detect, 0.0 if math.isnan(met) else met)
    feasible = periods <= longest
    doubts = _doubts(n, need, beyond, expected, rho, control_chart(y))
    top = max(longest, 1.3 * periods if math.isfinite(periods) else 0.0)
    at = np.unique(np.linspace(FEWEST, max(top, FEWEST + 1), POINTS).round())
    curves = [search.at(float(k), need, beyond, power) for k in at]
    items = periods * float(np.median(sizes)) if sizes is not None and math.isfinite(periods) else math.nan
    plan = {
        "required": asked.back(asked.value),
        "expected": math.nan if expected is None else float(expected),
        "periods_detect": detect,
        "periods_met": met,
        "periods": periods,
        "items": items,
        "feasible": feasible,
    }
    detectable = np.array(
        [asked.back(c[2]) if asked.form != "level" else _change(c[2], asked) for c in curves]
    )
    return PilotPlan(
        verdict=_verdict(plan, criterion, series.measure, asked, every, longest, power, search, need),
        caveats=tuple(doubts),
        method=Method(
            "plan_pilot",
            {
                "test": TEST,
                "test_of_criterion": ONE_SAMPLE if asked.form == "level" else TEST,
                "power": power,
                "confidence": confidence,
                "assurance": assurance,
                "scale": asked.scale,
                "correlation": "lag 1, corrected for its bias",
                "comparison_group": comparison_group is not None,
                "fewest_periods": FEWEST,
            },
            ("Cohen (1988), Statistical Power Analysis for the Behavioral Sciences",),
        ),
        provenance=_provenance(before, series),
        measure=series.measure,
        criterion=criterion,
        every=every,
        scale=asked.scale,
        n_before=n,
        center=asked.back(level) if asked.form == "level" else _plain(level, asked),
        sd=sd,
        rho=rho,
        longest=longest,
        power=power,
        confidence=confidence,
        assurance=assurance,
        with_comparison=comparison_group is not None,
        at=at,
        power_detect=np.array([c[0] for c in curves]),
        power_met=np.array([c[1] for c in curves]),
        detectable=detectable,
        **plan,  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Lengths and powers of a pilot, for improvements on the scale."""

    sd: float
    rho: float
    n: int
    alpha: float
    loose: float
    level: str

    def length(self, improvement: float, wanted: float) -> float:
        """Periods for the power wanted; infinite where none are enough."""
        try:
            found = sample_size(
                TEST,
                effect=improvement / self.sd,
                power=wanted,
                n_before=self.n,
                alpha=self.alpha,
                rho=self.rho,
            )
        except InputError:
            return math.inf
        return max(float(FEWEST), found.n_after)

    def length_met(self, beyond: float, wanted: float) -> float:
        """Periods for the judgement that the criterion is reached; infinite where none are enough."""
        if beyond <= 0:
            return math.inf
        try:
            found = sample_size(
                self._test,
                effect=beyond / self.sd,
                power=wanted,
                alpha=self.loose,
                rho=self.rho,
                **self._before,
            )
        except InputError:
            return math.inf
        return max(float(FEWEST), found.n_after)

    def at(self, periods: float, need: float, beyond: float, wanted: float) -> tuple[float, float, float]:
        """Power of both questions, and the improvement told from none, after so many periods."""
        known: dict[str, Any] = {"n": periods, "n_before": self.n, "alpha": self.alpha, "rho": self.rho}
        detect = power(TEST, effect=need / self.sd, **known).power if need > 0 else math.nan
        met = math.nan
        if beyond > 0:
            loose: dict[str, Any] = {"n": periods, "alpha": self.loose, "rho": self.rho, **self._before}
            met = power(self._test, effect=beyond / self.sd, **loose).power
        try:
            least = minimum_detectable_effect(TEST, power=wanted, **known).effect * self.sd
        except InputError:
            least = math.inf
        return detect, met, least

    @property
    def _test(self) -> str:
        return ONE_SAMPLE if self.level == "level" else TEST

    @property
    def _before(self) -> dict[str, Any]:
        return {} if self.level == "level" else {"n_before": self.n}


def _check(power: float, confidence: float, assurance: float, longest: int) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95), got {confidence}")
    if not 0.5 < assurance < 1:
        raise InputError(f"assurance= lies above 0.5 and below 1 (0.8), got {assurance}")
    if not max(1 - confidence, 2 * (1 - assurance)) < power < 1:
        raise InputError(
            f"power= lies below 1 and above 1 - confidence and 2 (1 - assurance), got {power} with "
            f"confidence={confidence} and assurance={assurance}"
        )
    if isinstance(longest, bool) or not isinstance(longest, int) or longest < FEWEST:
        raise InputError(f"longest= is a whole number of periods, at least {FEWEST}, got {longest!r}")


def _periods(before: object, measure: Measure | None) -> tuple[Series, str]:
    """The periods, and what one is called."""
    if isinstance(before, Baseline):
        if before.values_are == "open items":
            raise InputError("a baseline of items that are still open has no periods: give the weekly series")
        series = Series(before.values, measure=before.measure, when=before.when, sizes=before.sizes)
        every = before.provenance.selection.get("every")
        return series, str(every or "value")
    series = as_series(before, measure=measure)
    return series, series.expected_every or str(series.selection.get("every") or "value")


def _values(series: Series, asked: Requirement) -> tuple[Floats, Floats | None]:
    """Used values on the scale, and their denominators."""
    excluded, _ = series.excluded()
    if series.values.ndim > 1:
        raise InputError("a pilot is planned for one value a period, not for several")
    use = ~np.isnan(series.values) & ~excluded
    if series.sizes is not None:
        use &= series.sizes > 0
    values = series.values[use]
    sizes = None if series.sizes is None else series.sizes[use]
    if sizes is not None and series.measure.scale == "proportion" and values.max(initial=0.0) > 1:
        values = values / sizes
    return asked.forward(values), sizes


def _less(series: Series, comparison_group: object, asked: Requirement) -> Floats:
    """Series less comparison group on the scale, in the periods both have."""
    other = as_series(comparison_group, measure=series.measure)
    if series.when is None or other.when is None:
        raise InputError("a comparison group is matched by time: both series need when=")
    found = []
    for s in (series, other):
        excluded, _ = s.excluded()
        assert s.when is not None
        use = ~np.isnan(s.values) & ~excluded
        found.append(dict(zip(s.when[use].tolist(), asked.forward(s.values[use]).tolist(), strict=True)))
    both = [t for t in found[0] if t in found[1]]
    return np.array([found[0][t] - found[1][t] for t in both])


def _on_scale(expected: float, asked: Requirement) -> float:
    """What is expected, as an improvement (or level) on the scale."""
    if asked.form == "change":
        return float(expected)
    if asked.scale == "log" and expected <= 0:
        raise InputError(f"expected= is in the terms of the criterion, above 0, got {expected}")
    return asked.sign * (math.log(expected) if asked.scale == "log" else float(expected))


def _plain(level: float, asked: Requirement) -> float:
    plain = asked.sign * level
    return math.exp(plain) if asked.scale == "log" else plain


def _change(improvement: float, asked: Requirement) -> float:
    """An improvement on the scale as a ratio (log) or a difference (positive = better)."""
    return math.exp(asked.sign * improvement) if asked.scale == "log" else improvement


def _doubts(
    n: int, need: float, beyond: float, expected: float | None, rho: float, chart: ControlChart
) -> list[Caveat]:
    out = []
    if chart.stable is False:
        text = (
            f"The periods before the pilot are not stable ({count(chart.n_signals, 'signal')}): special "
            "causes widen their spread and with it the pilot. Exclude them with their causes, or remove them."
        )
        out.append(Caveat("not-stable", text, {"signals": chart.n_signals}))
    if n < FEW:
        text = f"Only {n} periods before the pilot: below {FEW} spread and correlation are hardly known."
        out.append(Caveat("too-few-periods", text, {"n": n, "needed": FEW}))
    if need <= 0:
        text = "The periods before the pilot reach the target already: the criterion asks for no change."
        out.append(Caveat("criterion-reached-already", text, {"improvement": need}))
    if expected is None:
        text = (
            "What improvement is expected was not said: an improvement that just reaches the criterion is "
            "seldom judged as met, however long the pilot."
        )
        out.append(Caveat("expected-not-said", text))
    elif beyond <= 0:
        text = "What is expected does not lie beyond the criterion: no length of a pilot can show it is met."
        out.append(Caveat("expected-not-beyond", text, {"beyond": beyond}))
    if rho >= 0.9:
        text = f"Neighbouring periods are so alike (correlation {rho:.2f}) that the length is a rough guess."
        out.append(Caveat("strongly-autocorrelated", text, {"rho": rho}))
    return out


def _provenance(before: object, series: Series) -> Provenance:
    return before.provenance if isinstance(before, Baseline) else series.provenance()


def _verdict(
    plan: dict[str, Any],
    criterion: SuccessCriterion,
    measure: Measure,
    asked: Requirement,
    every: str,
    longest: int,
    wanted: float,
    search: _Search,
    need: float,
) -> str:
    """How long, and what can be seen in a reasonable time where that is too long."""
    goal = asked_for(criterion, measure)
    unit = "period" if every == "value" else every
    periods = plan["periods"]
    least = search.at(float(longest), max(need, 0.0), math.nan, wanted)[2]
    seen = (
        f"{percent(abs(1 - _change(least, asked)))}"
        if asked.scale == "log"
        else asked.said(least, measure.unit)
        if asked.form == "change"
        else number(least, measure.unit)
    )
    if not plan["feasible"]:
        why = (
            f"{count(int(periods), unit)} would be needed"
            if math.isfinite(periods)
            else (f"no length is enough with the {count(search.n, unit)} before it")
        )
        return (
            f"Cannot be judged in a reasonable time ({count(longest, unit)}): for {goal}, {why}. In "
            f"{count(longest, unit)} a change of {seen} would be told from none."
        )
    many = "" if math.isnan(plan["items"]) else f" (about {plan['items']:,.0f} items)"
    text = f"The pilot needs {count(int(periods), unit)}{many} to judge the criterion: {goal}"
    if math.isnan(plan["periods_met"]):
        return f"{text}. Then a change of that size is told from none in {percent(wanted)} of pilots."
    return (
        f"{text}, when {asked.said(plan['expected'], measure.unit)} is what comes: it is then told from none "
        f"and judged as met in {percent(wanted)} of pilots."
    )
