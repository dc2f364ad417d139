"""PilotPlan: how long a pilot must run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.improvement_records import SuccessCriterion
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PilotPlan(Result):
    """How long a pilot must run.

    Attributes
    ----------
    measure : Measure
    criterion : SuccessCriterion
    every : str
        What a period is ("week"); "value" where the rhythm is not known.
    scale : {"raw", "log"}
    n_before : int
        Periods before the pilot.
    center, sd, rho : float
        Of these periods on the scale (sd and correlation of the difference to the comparison group where
        there is one).
    required : float
        Improvement asked for, in the terms of the criterion (a ratio, a difference, a level).
    expected : float
        Improvement expected, in the same terms; NaN where it was not said.
    periods_detect : float
        Periods after which a change of the size of the criterion is told from none; infinite when no length
        is enough.
    periods_met : float
        Periods after which the expected improvement is judged to meet the criterion; NaN without
        ``expected``, infinite when no length is enough.
    periods : float
        The larger of both.
    items : float
        Items in so many periods, from the denominators; NaN where they are not known.
    longest : int
        Periods that are a reasonable time.
    feasible : bool
        Whether ``periods`` are within ``longest``.
    power, confidence, assurance : float
    with_comparison : bool
    at : float array, shape (m,)
        Periods of a pilot.
    power_detect, power_met, detectable : float arrays, shape (m,)
        The chance to tell a change of the size of the criterion from none; to judge the expected improvement
        as met (NaN without one); the smallest change that is told from none with ``power``, in the terms of a
        ratio or difference.
    """

    kind: ClassVar[str] = "pilot_plan"

    measure: Measure
    criterion: SuccessCriterion
    every: str
    scale: str
    n_before: int
    center: float
    sd: float
    rho: float
    required: float
    expected: float
    periods_detect: float
    periods_met: float
    periods: float
    items: float
    longest: int
    feasible: bool
    power: float
    confidence: float
    assurance: float
    with_comparison: bool
    at: Floats
    power_detect: Floats
    power_met: Floats
    detectable: Floats

    def __post_init__(self) -> None:
        for name in ("at", "power_detect", "power_met", "detectable"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: proposal, criterion, measure, every, required, expected, periods, periods_detect,
        periods_met, items, longest, feasible, n_before, sd, rho, scale, power, confidence, assurance,
        with_comparison, caveats, verdict."""
        import pandas as pd

        row: dict[str, Any] = {
            "proposal": self.criterion.proposal,
            "criterion": self.criterion.name,
            "measure": self.measure.name,
        }
        names = (
            "every", "required", "expected", "periods", "periods_detect", "periods_met", "items", "longest",
            "feasible", "n_before", "sd", "rho", "scale", "power", "confidence", "assurance",
            "with_comparison",
        )  # fmt: skip
        row |= {n: getattr(self, n) for n in names}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row a length: periods, power_detect, power_met, detectable."""
        import pandas as pd

        names = ("power_detect", "power_met", "detectable")
        return pd.DataFrame({"periods": self.at} | {n: getattr(self, n) for n in names})
