"""CausalReview: a causal analysis from selection to lesson, each section with the records it rests on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.improvement_records import CausalAnalysis
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

#: The sections, in the order of the meeting.
SECTIONS = (
    "Outcome, scope and why it was selected",
    "The signal",
    "What changed when",
    "Causes",
    "Proposals and actions",
    "Effect",
    "Lesson and related analyses",
)


@dataclass(frozen=True, slots=True)
class CausalTable:
    """A table of a section: column names and rows of plain values (text, number, date, yes or no, None)."""

    kind: ClassVar[str] = "causal_table"

    section: int
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns))


@dataclass(frozen=True, slots=True)
class CausalSource:
    """A saved result that a section shows or rests on; ``why`` says why this one."""

    kind: ClassVar[str] = "causal_source"

    section: int
    name: str
    version: int
    result_kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CausalReview(Result):
    """What is on record about a causal analysis at a day.

    Attributes
    ----------
    analysis : CausalAnalysis
    on : date
    outcome : {"worked", "did_not", "cannot_tell", ""}
        Of the newest evaluation of what was done; "" where there is none.
    says : tuple of str, length 7
        The sentence above each section.
    content : tuple of CausalTable
    sources : tuple of CausalSource
        Saved results, in the order in which the sections show them.
    """

    kind: ClassVar[str] = "causal_review"

    analysis: CausalAnalysis
    on: dt.date
    outcome: str
    says: tuple[str, ...]
    content: tuple[CausalTable, ...]
    sources: tuple[CausalSource, ...]

    def section_tables(self, section: int) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables of a section (1 to 7)."""
        return tuple((t.title, t.to_frame()) for t in self.content if t.section == section)

    def table(self, title: str) -> pd.DataFrame:
        """A table by its title.

        Raises
        ------
        UnknownNameError
        """
        for t in self.content:
            if t.title == title:
                return t.to_frame()
        raise UnknownNameError("table of this review", title, [t.title for t in self.content])

    def source_frame(self) -> pd.DataFrame:
        """One row a saved result: section, name, version, kind, why."""
        import pandas as pd

        rows = [(s.section, s.name, s.version, s.result_kind, s.why) for s in self.sources]
        return pd.DataFrame(rows, columns=["section", "name", "version", "kind", "why"])

    def to_frame(self) -> pd.DataFrame:
        """One row a section: section, title, says, tables, rests_on."""
        import pandas as pd

        rows = []
        for k, title in enumerate(SECTIONS, 1):
            tables = "; ".join(t.title for t in self.content if t.section == k)
            on = "; ".join(f"{s.name}, version {s.version}" for s in self.sources if s.section == k)
            rows.append((k, title, self.says[k - 1], tables, on))
        return pd.DataFrame(rows, columns=["section", "title", "says", "tables", "rests_on"])

    def summary(self) -> pd.DataFrame:
        """One row: analysis, on, state, outcome, sources, caveats, verdict."""
        import pandas as pd

        row = {
            "analysis": self.analysis.name,
            "on": self.on,
            "state": self.analysis.state,
            "outcome": self.outcome,
            "sources": len(self.sources),
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The saved results behind the sections."""
        return (("Saved results behind this page", self.source_frame()),)
