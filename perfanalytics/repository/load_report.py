"""LoadReport: what became of the rows of a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

_ARRAYS = (
    "measures",
    "observations",
    "added",
    "corrected",
    "withdrawn",
    "open_items",
    "gaps",
    "missing",
    "values_rejected",
    "reasons",
    "reason_columns",
    "reason_measures",
    "reason_counts",
    "reason_lines",
    "reason_examples",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LoadReport(Result):
    """What became of the rows of a load, and what was rejected why.

    Parameters
    ----------
    load_id : int
    source : str
    file : str
        Name of the file; empty for a frame.
    read : int
        Records in the file.
    rejected : int
        Records of which nothing was taken.
    rows : int
        Rows that were taken, after an event log was reduced to one row per item:
        ``rows == accepted + updated + unchanged``.
    accepted, updated, unchanged : int
        Rows that are new, changed, the same as before.
    retired : int
        Rows of earlier loads that are gone (snapshots only).
    rejected_values : int
        Values of single measures that were not taken, their row was.
    measures : array of str
    observations, added, corrected, withdrawn : int arrays, one entry a measure
        Observations in this load; new ones; replaced ones; ones that are gone.
    open_items, gaps, missing : int arrays, one entry a measure
        Observations that are open items; observations without a value; rows without value and time, which
        are no observations.
    values_rejected : int array, one entry a measure
    reasons, reason_columns, reason_measures, reason_examples : arrays of str
        Rejections by reason, the most frequent first; column and measure are empty where they do not apply.
    reason_counts, reason_lines : int arrays
        How many, and the line of the first (-1 when unknown).
    """

    kind: ClassVar[str] = "load_report"
    schema_version: ClassVar[int] = 1

    load_id: int
    source: str
    file: str
    read: int
    rejected: int
    rows: int
    accepted: int
    updated: int
    unchanged: int
    retired: int
    rejected_values: int
    measures: NDArray[Any]
    observations: NDArray[Any]
    added: NDArray[Any]
    corrected: NDArray[Any]
    withdrawn: NDArray[Any]
    open_items: NDArray[Any]
    gaps: NDArray[Any]
    missing: NDArray[Any]
    values_rejected: NDArray[Any]
    reasons: NDArray[Any]
    reason_columns: NDArray[Any]
    reason_measures: NDArray[Any]
    reason_counts: NDArray[Any]
    reason_lines: NDArray[Any]
    reason_examples: NDArray[Any]

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row with the counts of the load."""
        import pandas as pd

        names = ("load_id", "source", "file", "read", "rejected", "rows", "accepted", "updated", "unchanged")
        return pd.DataFrame([{n: getattr(self, n) for n in (*names, "retired", "rejected_values")}])

    def to_frame(self) -> pd.DataFrame:
        """Rejections by reason: reason, column, measure, count, first_line, example."""
        import pandas as pd

        return pd.DataFrame(
            {
                "reason": self.reasons,
                "column": self.reason_columns,
                "measure": self.reason_measures,
                "count": self.reason_counts,
                "first_line": self.reason_lines,
                "example": self.reason_examples,
            }
        )

    def measures_frame(self) -> pd.DataFrame:
        """One row per measure: what became of its observations."""
        import pandas as pd

        return pd.DataFrame(
            {
                "measure": self.measures,
                "observations": self.observations,
                "added": self.added,
                "corrected": self.corrected,
                "withdrawn": self.withdrawn,
                "open_items": self.open_items,
                "gaps": self.gaps,
                "missing": self.missing,
                "rejected": self.values_rejected,
            }
        )
