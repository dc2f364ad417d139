"""Comparison: what a before/after comparison says, with all its rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.importance import importance_of
from perfanalytics.comparisons.method import NAN, Effect
from perfanalytics.core.codec import read_only, same
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SideTable:
    """One side as it was compared: its values and their description.

    Parameters
    ----------
    name : {"before", "after"}
    values : float array, shape (n,)
        The values used, in the unit of the measure (shares for counts with sizes).
    weights : float array, shape (n,)
        Their weights in means (sizes of shares).
    when : datetime64 array, shape (n,), or None
    n, periods : int
        Values, and different periods among them.
    mean, median, tail, sd : float
        ``tail`` is the percentile named by :attr:`Comparison.tail`.
    lag1 : float
        Lag-1 autocorrelation of the period values; NaN where there is no order.
    effective_n : float
        Effective sample size, in periods (ordered) or items; NaN where there was no test.
    share_meeting_objective : float
        NaN without an objective.
    stable : bool or None
        Whether the control chart of the side's periods is stable; None where it was not judged.
    lower_limit, center, upper_limit : float
        Natural process limits of the periods of the side and the line between them, in the unit of the
        measure; NaN where the values have no order.
    """

    kind: ClassVar[str] = "comparison_side"
    schema_version: ClassVar[int] = 2

    name: str
    values: Floats
    weights: Floats
    when: NDArray[np.datetime64] | None
    n: int
    periods: int
    mean: float
    median: float
    tail: float
    sd: float
    lag1: float
    effective_n: float
    share_meeting_objective: float
    stable: bool | None = None
    lower_limit: float = NAN
    center: float = NAN
    upper_limit: float = NAN

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 knew no control chart of the side."""
        return fields

    def __post_init__(self) -> None:
        for name in ("values", "weights", "when"):
            array = getattr(self, name)
            if array is not None:
                object.__setattr__(self, name, read_only(array))

    def __repr__(self) -> str:
        return f"<SideTable {self.name}: {self.n} values, {self.periods} periods, mean {self.mean:.4g}>"

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, SideTable) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.n, self.mean))


# repr=False: the short repr of Result, not the generated one with every array
@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison(Result):
    """What changed from before to after, by how much, and how sure we are.

    Attributes
    ----------
    measure : Measure
    outcome : {"detected", "equivalent", "not_inferior", "undecided", "not_attributable"}
        "equivalent": the effect lies within the declared margin. "not_attributable": there is a difference,
        but a drift before the change or errors the model does not describe forbid to put it down to the
        change.
    effects : tuple of Effect
        The primary first, then the secondary rows, then the companions.
    before, after : SideTable or None
        None where several groups were compared.
    groups : tuple of SideTable
        The groups of :func:`perfanalytics.compare_groups`; empty for two sides.
    confidence : float
    tail : float
        The percentile reported as the tail (0.9 = P90).
    margin : float or None
        Smallest effect of interest, in the terms of the primary (a factor above 1 for ratios).
    objective : Objective or None
    question : str
    declared_on : date or None
        When question, method and margin were declared.
    course : Course or None
        The series through the change with what was to be expected without it: of ``interrupted``,
        ``difference_in_differences`` and ``change_point``.
    """

    kind: ClassVar[str] = "comparison"
    schema_version: ClassVar[int] = 2

    measure: Measure
    outcome: str
    effects: tuple[Effect, ...]
    before: SideTable | None = None
    after: SideTable | None = None
    confidence: float
    tail: float
    margin: float | None = None
    objective: Objective | None = None
    question: str = ""
    declared_on: dt.date | None = None
    course: Course | None = None
    groups: tuple[SideTable, ...] = ()

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 knew no course through the change, and two sides only."""
        return fields

    @property
    def primary(self) -> Effect:
        """The answer to the question."""
        return self.effects[0]

    @property
    def importance(self) -> str:
        """ "important", "unimportant" or "open" against the margin; "" without one.

        Important: the whole interval lies at or beyond the smallest effect of interest; unimportant: within.
        """
        return importance_of(self.primary, self.margin)

    def shift_function(self) -> pd.DataFrame:
        """The shift at each decile: one row a decile.

        Columns: decile (1 to 9), before, after, shift, low, high; empty where no deciles were computed.

        References
        ----------
        Doksum (1974), Annals of Statistics 2, 267-277; Wilcox (2012), Robust Estimation, 5.1.
        """
        import pandas as pd

        rows = []
        for k in range(1, 10):
            name = "difference_of_medians" if k == 5 else f"difference_of_p{10 * k}"
            for e in self.effects:
                if e.quantity == name and e.role != "companion":
                    rows.append((k, e.before, e.after, e.estimate, e.low, e.high))
                    break
        columns = ["decile", "before", "after", "shift", "low", "high"]
        return pd.DataFrame(rows if len(rows) == 9 else [], columns=columns)

    @property
    def side_tables(self) -> tuple[SideTable, ...]:
        """Before and after, or the groups."""
        return self.groups or tuple(s for s in (self.before, self.after) if s is not None)

    def effect(self, quantity: str, *, role: str | None = None) -> Effect:
        """The first row of a quantity.

        Raises
        ------
        UnknownNameError
            When the comparison has no such row; the message names the nearest.
        """
        from perfanalytics.core.errors import UnknownNameError

        for e in self.effects:
            if e.quantity == quantity and role in (None, e.role):
                return e
        raise UnknownNameError("quantity", quantity, {e.quantity for e in self.effects})

    def summary(self) -> pd.DataFrame:
        """One row: measure, method, outcome, the primary effect, the sides' center, median and tail.

        Columns: measure, unit, method, outcome, quantity, estimate, low, high, p_value, n_before, n_after,
        effective_before, effective_after, mean_before, mean_after, median_before, median_after, tail_before,
        tail_after, caveats. Of several groups the columns of the two sides are empty: see :meth:`sides`.
        """
        import pandas as pd

        p, a, b = self.primary, self.before, self.after

        def of(side: SideTable | None, name: str) -> float:
            return NAN if side is None else float(getattr(side, name))

        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "method": self.method.name,
                    "outcome": self.outcome,
                    "quantity": p.quantity,
                    "estimate": p.estimate,
                    "low": p.low,
                    "high": p.high,
                    "p_value": p.p_value,
                    "n_before": 0 if a is None else a.n,
                    "n_after": 0 if b is None else b.n,
                    "effective_before": of(a, "effective_n"),
                    "effective_after": of(b, "effective_n"),
                    "mean_before": of(a, "mean"),
                    "mean_after": of(b, "mean"),
                    "median_before": of(a, "median"),
                    "median_after": of(b, "median"),
                    "tail_before": of(a, "tail"),
                    "tail_after": of(b, "tail"),
                    "caveats": ", ".join(self.caveat_codes),
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per effect.

        Columns: quantity, before, after, estimate, low, high, statistic, df, p_value, role, form, unit,
        method, contrast, p_adjusted (both empty but for groups).
        """
        import pandas as pd

        columns = (
            "quantity",
            "before",
            "after",
            "estimate",
            "low",
            "high",
            "statistic",
            "df",
            "p_value",
            "role",
            "form",
            "unit",
            "method",
            "contrast",
            "p_adjusted",
        )
        return pd.DataFrame([{c: getattr(e, c) for c in columns} for e in self.effects], columns=columns)

    def sides(self) -> pd.DataFrame:
        """A row a side (before and after, or each group).

        Columns: name, n, periods, mean, median, tail, sd, lag1, effective_n, share_meeting_objective.
        """
        import pandas as pd

        columns = (
            "name",
            "n",
            "periods",
            "mean",
            "median",
            "tail",
            "sd",
            "lag1",
            "effective_n",
            "share_meeting_objective",
        )
        return pd.DataFrame([{c: getattr(s, c) for c in columns} for s in self.side_tables])
