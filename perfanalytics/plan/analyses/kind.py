"""What a kind of analysis supplies: its table, its chapter of the report, what it checks and does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.tables import Analysis, ObjectiveTable, key_of
from perfanalytics.reports.report import ReportItem

T = TypeVar("T", bound=Analysis)


class Reference(NamedTuple):
    """A name that must be declared elsewhere in the plan; "happening" is a change or an event."""

    key: str
    name: str | None
    to: Literal[
        "measure",
        "objective",
        "process",
        "calendar",
        "happening",
        "causal_analysis",
        "proposal",
        "success_criterion",
        "pilot",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a check may look up in the plan.

    Parameters
    ----------
    attributes : mapping of measure to the names of its attributes
    analyses : mapping of name to the table of the analysis
    objectives : mapping of name to the table of the objective
    """

    attributes: Mapping[str, frozenset[str]]
    analyses: Mapping[str, Analysis]
    objectives: Mapping[str, ObjectiveTable]


def _nothing(*_: object) -> Iterator[str]:
    return iter(())


def _no_references(*_: object) -> Iterator[Reference]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """A kind of analysis.

    Parameters
    ----------
    table : type
        The class of its table; the key in the plan is its name.
    chapter : str
        Where its results stand in the report.
    many : str
        What several are called ("gauge studies").
    analyze : callable
        ``analyze(table, context)``: the results; a PerfAnalyticsError when it cannot be done.
    check : callable
        ``check(where, table, declared)``: mistakes that the table cannot find by itself, one text each that
        begins with ``where``. What all analyses of their base class have is checked elsewhere.
    references : callable
        ``references(table)``: names besides ``measure`` and ``objective`` that must be declared.
    """

    table: type[T]
    chapter: str
    many: str
    analyze: Callable[[T, Context], list[ReportItem]]
    check: Callable[[str, T, Declared], Iterator[str]] = _nothing
    references: Callable[[T], Iterator[Reference]] = _no_references

    @property
    def key(self) -> str:
        """The key in the plan ("gauge_study")."""
        return key_of(self.table)
