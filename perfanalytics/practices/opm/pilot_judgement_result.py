"""PilotJudgement: a pilot against the criterion that was declared for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.improvement_records import Pilot, SuccessCriterion
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

Standing = Literal["met", "not met", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PilotJudgement(Result):
    """A pilot against the criterion that was declared for it.

    Attributes
    ----------
    pilot : Pilot
    criterion : SuccessCriterion
    measure : Measure
    comparison : Comparison
        The change it rests on.
    standing : {"met", "not met", "cannot tell"}
    probability : float
        That the true improvement reaches the criterion, from the t distribution of the estimate.
    assurance : float
        From which probability on it is met; not met from one minus it down.
    form : {"change", "ratio", "level"}
    estimate, low, high : float
        Improvement in the terms of the criterion (a ratio after over before; a difference, positive = better;
        a level), with the interval of ``confidence``.
    required : float
        In the same terms.
    level_before, level_during : float
        In the unit of the measure; of a comparison with a group its difference or ratio to the group.
    n_before, n_during : int
        Periods.
    declared_before : bool
        Whether the criterion was declared before the first day of the pilot.
    selected : str
        How the units of the pilot were chosen: "at random", "volunteers", "worst", or "" when it was not
        said.
    confidence : float
    """

    kind: ClassVar[str] = "pilot_judgement"

    pilot: Pilot
    criterion: SuccessCriterion
    measure: Measure
    comparison: Comparison
    standing: str
    probability: float
    assurance: float
    form: str
    estimate: float
    low: float
    high: float
    required: float
    level_before: float
    level_during: float
    n_before: int
    n_during: int
    declared_before: bool
    selected: str
    confidence: float

    def summary(self) -> pd.DataFrame:
        """One row: pilot, proposal, criterion, standing, probability, assurance, form, estimate, low, high,
        required, level_before, level_during, unit, n_before, n_during, declared_before, outcome, method,
        caveats, verdict."""
        import pandas as pd

        names = ("standing", "probability", "assurance", "form", "estimate", "low", "high", "required")
        more = ("level_before", "level_during")
        row: dict[str, Any] = {"pilot": self.pilot.name, "proposal": self.pilot.proposal}
        row |= {"criterion": self.criterion.name} | {n: getattr(self, n) for n in (*names, *more)}
        row |= {"unit": self.measure.unit, "n_before": self.n_before, "n_during": self.n_during}
        row |= {"declared_before": self.declared_before, "outcome": self.comparison.outcome}
        row |= {"method": self.comparison.method.name, "caveats": ", ".join(self.caveat_codes)}
        return pd.DataFrame([row | {"verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """The rows of the comparison; see :meth:`perfanalytics.Comparison.to_frame`."""
        return self.comparison.to_frame()
