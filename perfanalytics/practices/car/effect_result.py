"""EffectEvaluation: whether an improvement worked, with everything that the verdict rests on."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from perfanalytics.baselines.wording import number
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.improvement_records import Proposal, SuccessCriterion
from perfanalytics.core.measure import Measure
from perfanalytics.core.practice_records import Action
from perfanalytics.core.records import Change
from perfanalytics.core.result import Result
from perfanalytics.practices.car.effect_benefit import Benefit
from perfanalytics.practices.car.effect_objective import OnObjective
from perfanalytics.spc.result import ControlChart

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSide:
    """One side of an evaluation: the baseline of its values and the chart of its periods.

    Parameters
    ----------
    name : {"before", "after"}
    baseline : str
        Name under which the baseline is saved; "" where it is not.
    version : int
        Of that baseline; 0 where it is not saved.
    n, n_open : int
        Values, and those of items still open among them.
    first, last : date or None
    center_is : {"mean", "share", "rate", "median"}
        What the center is: the mean or pooled share or rate; the median while items are open.
    center, center_low, center_high : float
        With its interval.
    median, p90, sd : float
    stable : bool or None
        By the baseline's own verdict.
    chart_center, chart_sigma : float
        Center line and sigma of the side on the chart in stages; NaN without one.
    """

    kind: ClassVar[str] = "effect_side"

    name: str
    baseline: str
    version: int
    n: int
    n_open: int
    first: dt.date | None
    last: dt.date | None
    center_is: str
    center: float
    center_low: float
    center_high: float
    median: float
    p90: float
    sd: float
    stable: bool | None
    chart_center: float
    chart_sigma: float


def _shown(value: object) -> str:
    """A value as a person reads it; "" for what is not known."""
    if value is None or value == "" or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return number(value) if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class EffectEvaluation(Result):
    """Whether an improvement worked.

    Attributes
    ----------
    analysis : str
        The causal analysis it belongs to; "" for none.
    measure : Measure
    outcome : {"worked", "did_not", "cannot_tell"}
    reason : str
        Why this outcome, in a few words.
    change : Change or None
        By which it was carried out.
    proposal : Proposal or None
    criterion : SuccessCriterion or None
    actions : tuple of Action
    asked : str
        What the criterion asks for, in words.
    standing : {"met", "missed", "open", "unknown"} or None
        The criterion by the whole interval of ``judged``; None without a criterion.
    judged : Effect or None
        The row the criterion is held against (of a target the value after).
    required : float
        What is asked for on the scale of ``judged``; NaN without a criterion.
    comparison : Comparison
    without_events : Effect or None
        The primary effect without the points of recorded events; None where there are none.
    sides : (EffectSide, EffectSide)
    chart : ControlChart or None
        The measure by period, in two stages.
    on_objective : OnObjective or None
    benefit : Benefit or None
        None where no value of a unit of the measure is declared.
    more_periods, more_weeks : float
        Needed after the change until it can be told, with 80% power: 0 where it is told, infinite where no
        number is enough, NaN where nobody can say.
    period : str
        What a period is ("day"), as far as it is known.
    power_now, detectable : float
        Power of the present data for the effect asked for; the smallest effect they tell with 80% (of
        ratios: a factor above 1).
    rho : float
        Correlation of neighbouring periods that was counted with.
    checks : tuple of (code, question, evidence)
        What to look at when the benefit did not come; empty where it worked.
    """

    kind: ClassVar[str] = "effect_evaluation"

    analysis: str
    measure: Measure
    outcome: str
    reason: str
    change: Change | None
    proposal: Proposal | None
    criterion: SuccessCriterion | None
    actions: tuple[Action, ...]
    asked: str
    standing: str | None
    judged: Effect | None
    required: float
    comparison: Comparison
    without_events: Effect | None
    sides: tuple[EffectSide, EffectSide]
    chart: ControlChart | None
    on_objective: OnObjective | None
    benefit: Benefit | None
    more_periods: float
    more_weeks: float
    period: str
    power_now: float
    detectable: float
    rho: float
    checks: tuple[tuple[str, str, str], ...]

    @property
    def worked(self) -> bool | None:
        """True, False, or None where it cannot be told yet."""
        return {"worked": True, "did_not": False}.get(self.outcome)

    def summary(self) -> pd.DataFrame:
        """One row: analysis, proposal, measure, unit, outcome, reason, criterion, asked, standing, quantity,
        estimate, low, high, objective, probability_before, probability_after, benefit, benefit_low,
        benefit_high, cost, expected, money, more_weeks, caveats, verdict."""
        import pandas as pd

        row = self.judged if self.judged is not None else self.comparison.primary
        goal, brought = self.on_objective, self.benefit
        nan = math.nan
        return pd.DataFrame(
            [
                {
                    "analysis": self.analysis,
                    "proposal": self.proposal.name if self.proposal else "",
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "outcome": self.outcome,
                    "reason": self.reason,
                    "criterion": self.criterion.name if self.criterion else "",
                    "asked": self.asked,
                    "standing": self.standing or "",
                    "quantity": row.quantity,
                    "estimate": row.estimate,
                    "low": row.low,
                    "high": row.high,
                    "objective": goal.name if goal else "",
                    "probability_before": goal.probability_before if goal else nan,
                    "probability_after": goal.probability_after if goal else nan,
                    "benefit": brought.benefit if brought else nan,
                    "benefit_low": brought.low if brought else nan,
                    "benefit_high": brought.high if brought else nan,
                    "cost": brought.cost if brought else nan,
                    "expected": brought.expected if brought else nan,
                    "money": brought.unit if brought else "",
                    "more_weeks": self.more_weeks,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per number before and after: what, before, after, change, low, high, unit, rests_on.

        ``change`` is a difference or, where ``unit`` is "times", a ratio.
        """
        import pandas as pd

        one, two = self.sides
        rows: list[dict[str, Any]] = []

        def add(what: str, before: float, after: float, e: Effect | None, unit: str, on: str) -> None:
            if e is None and math.isnan(before) and math.isnan(after):
                return  # no row of a statistic that these values do not have
            times = e is not None and e.form == "ratio"
            rows.append(
                {
                    "what": what,
                    "before": before,
                    "after": after,
                    "change": math.nan if e is None else e.estimate,
                    "low": math.nan if e is None else e.low,
                    "high": math.nan if e is None else e.high,
                    "unit": "times" if times else unit,
                    "rests_on": on,
                }
            )

        share = self.measure.scale == "proportion"
        unit, primary = "share" if share else self.measure.unit, self.comparison.primary
        how = "comparison"
        add(primary.quantity.replace("_", " "), primary.before, primary.after, primary, unit, how)
        if self.without_events is not None:
            e = self.without_events
            add("the same without recorded events", e.before, e.after, e, unit, how)
        row = self.judged
        if row is not None and row.form != "test" and row.quantity != primary.quantity:
            add(row.quantity.replace("_", " "), row.before, row.after, row, unit, f"{how}, criterion")
        for e in self.comparison.effects:
            if e.quantity == "ratio_of_sds" and e.role != "companion":
                add("spread (standard deviation)", one.sd, two.sd, e, unit, how)
                break
        if one.center_is == two.center_is != "median":
            add(f"{one.center_is} of the baseline", one.center, two.center, None, unit, "baselines")
        add("median of the baseline", one.median, two.median, None, unit, "baselines")
        add("P90 of the baseline", one.p90, two.p90, None, unit, "baselines")
        if self.chart is not None:
            add("center line of the chart", one.chart_center, two.chart_center, None, unit, "chart")
            add("sigma of the chart", one.chart_sigma, two.chart_sigma, None, unit, "chart")
        goal = self.on_objective
        if goal is not None:
            e = Effect("", role="secondary", estimate=goal.difference, low=goal.low, high=goal.high)
            add(f"{goal.name}: {goal.statistic}", goal.before, goal.after, e, goal.unit, "objective")
            add(
                f"{goal.name}: probability of meeting it",
                goal.probability_before,
                goal.probability_after,
                None,
                "probability",
                "prediction of the level",
            )
        return pd.DataFrame(rows)

    def side_frame(self) -> pd.DataFrame:
        """The two baselines, a row a side; the fields of :class:`EffectSide`."""
        import pandas as pd

        names = EffectSide.__slots__
        return pd.DataFrame([{n: getattr(s, n) for n in names} for s in self.sides])

    def _sides_upright(self) -> pd.DataFrame:
        """The two baselines beside each other, what nobody knows left out: narrow enough for paper."""
        import pandas as pd

        names = [n for n in EffectSide.__slots__ if n != "name"]
        shown = [(n, *(_shown(getattr(s, n)) for s in self.sides)) for n in names]
        kept = [row for row in shown if any(row[1:])]
        return pd.DataFrame(kept, columns=["baseline of the side", "before", "after"])

    def benefit_frame(self) -> pd.DataFrame:
        """One row: change, change_low, change_high, volume, value, benefit, low, high, cost, expected,
        share_of_expected, probability_pays, probability_expected, unit; empty without a declared value."""
        import pandas as pd

        names = ("change", "change_low", "change_high", "volume", "value", "benefit", "low", "high", "cost")
        more = ("expected", "share_of_expected", "probability_pays", "probability_expected", "unit")
        b = self.benefit
        rows = [] if b is None else [{n: getattr(b, n) for n in (*names, *more)}]
        return pd.DataFrame(rows, columns=[*names, *more])

    def check_frame(self) -> pd.DataFrame:
        """What to look at when the benefit did not come: question, on_record."""
        import pandas as pd

        return pd.DataFrame([(q, e) for _, q, e in self.checks], columns=["question", "on_record"])

    def meaning_frame(self) -> pd.DataFrame:
        """What the effect means for the objective and in money, a sentence each: about, what."""
        import pandas as pd

        from perfanalytics.practices.car.effect_words import meanings_of

        return pd.DataFrame(meanings_of(self.on_objective, self.benefit), columns=["about", "what"])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables a report shows."""
        return (
            ("What it means", self.meaning_frame()),
            ("Before and after", self.to_frame()),
            ("Baselines", self._sides_upright()),
            ("Costs and benefits of a year", self.benefit_frame()),
            ("What to look at", self.check_frame()),
            ("Summary", self.summary()),
        )
