"""Before and after, groups, level and slope, the date of a change: ``[[comparison]]``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, model_validator

from perfanalytics.comparisons.change_point import change_point
from perfanalytics.comparisons.choices import Choice, check_choices
from perfanalytics.comparisons.compare import SEASONAL, compare
from perfanalytics.comparisons.difference_in_differences import difference_in_differences
from perfanalytics.comparisons.group_methods import GROUP_METHODS, SHORT_NAMES
from perfanalytics.comparisons.groups import compare_groups
from perfanalytics.comparisons.interrupted import PRIMARY, interrupted
from perfanalytics.comparisons.many import compare_many
from perfanalytics.comparisons.methods import METHODS
from perfanalytics.comparisons.posthoc import POST_HOC
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.result import Result
from perfanalytics.core.series import Series, SeriesBatch
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import names, tried, unknown
from perfanalytics.plan.tables import OfSeries, Span, Texts, Value, When
from perfanalytics.reports.report import ReportItem

Season = Literal["hour", "weekday", "month", "quarter", "year"]
#: Options of the comparisons that are no method of two sides: arguments of their functions.
KIND_OPTIONS: dict[str, dict[str, Choice]] = {
    "interrupted": {
        "primary": Choice(PRIMARY[0], "what the verdict speaks of", choices=PRIMARY),
        "transition": Choice(0, "periods left out from the change on", low=0),
        "ramp": Choice(1, "periods over which the change of level comes in"),
    },
    "difference_in_differences": {},
    "change_point": {
        "of": Choice("level", "what may have changed", choices=("level", "spread")),
        "draws": Choice(999, "bootstrap series", low=199),
    },
}


class ComparisonTable(OfSeries):
    """``[[comparison]]``: before and after (``at`` a date or change, or two spans), or ``groups``.

    ``kind`` is the function of that name: two levels, level and slope, against a comparison group, or a
    search for the date.
    """

    kind: Literal["compare", "interrupted", "difference_in_differences", "change_point"] = "compare"
    at: When | str | None = None
    before: Span | None = None
    after: Span | None = None
    groups: str | Texts | None = None
    by: str | Texts = []
    method: str | None = None
    options: dict[str, Value] = {}
    order: Literal["time", "none"] | None = None
    scale: Literal["raw", "log", "logit", "rank"] | None = None
    season: Season | None = None
    comparison_group: Span | None = None
    block: str | None = None
    post_hoc: str | None = None
    adjust: Literal["holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"] = "holm"
    confidence: float = Field(0.95, gt=0, lt=1)
    tail: float = Field(0.9, gt=0, lt=1)
    margin: float | None = Field(None, gt=0)
    declared_on: dt.date | None = None

    @model_validator(mode="after")
    def _sides(self) -> ComparisonTable:
        self._series_kind()
        spans = self.before is not None and self.after is not None
        if self.kind == "change_point":
            return self
        if (self.at is not None) + spans + (self.groups is not None) != 1:
            raise ValueError(
                "give either at = DATE or CHANGE, or both before = {...} and after = {...}, or "
                "groups = ATTRIBUTE"
            )
        if self.groups is None and (self.block is not None or self.post_hoc is not None):
            raise ValueError("block and post_hoc belong to groups = ATTRIBUTE")
        if self.groups is not None and (self.by or self.every or self.statistic or self.order or self.margin):
            raise ValueError(
                "groups compare single observations: leave by, every, statistic, order, margin out"
            )
        if self.by and self.options:
            raise ValueError("with by every stratum is compared with the defaults of the method: no options")
        if self.season is not None and (self.by or self.groups is not None or self.order == "none"):
            raise ValueError("season belongs to one series in order of time: leave by, groups, order out")
        return self

    def _series_kind(self) -> None:
        """What goes with a kind other than "compare"."""
        if (self.comparison_group is not None) != (self.kind == "difference_in_differences"):
            raise ValueError(
                'kind = "difference_in_differences" and comparison_group = { where = {...} } belong together'
            )
        if self.kind == "compare":
            return
        spans = self.before is not None or self.after is not None
        if spans or self.groups is not None or self.by or self.method is not None or self.order is not None:
            raise ValueError(
                f'kind = "{self.kind}" is about one series: leave before, after, groups, by, method, order '
                "out"
            )
        if self.kind != "change_point" and self.at is None:
            raise ValueError(f'kind = "{self.kind}" needs at = DATE or CHANGE')
        declared = (self.at, self.season, self.margin, self.declared_on)
        if self.kind == "change_point" and any(given is not None for given in declared):
            raise ValueError(
                'kind = "change_point" searches for the date: leave at, season, margin, declared_on out'
            )


def _comparison(table: ComparisonTable, context: Context) -> list[ReportItem]:
    return [item(table, _compared(table, context), context)]


def _compared(table: ComparisonTable, context: Context) -> Result:
    if table.groups is not None:
        return _groups(table, context)
    chosen = selection(table, context)
    # without a statistic the items themselves are compared, and `every` is the period of the comparison
    period = table.every if table.statistic is None else None
    if table.statistic is None:
        chosen |= {"every": None}
    if table.by:
        return _strata(table, context, chosen)

    def side(span: Span) -> Series:
        own = {"since": span.since, "until": span.until} if span.since or span.until else {}
        where = {**table.where, **span.where} or None
        return context.repo.series(table.measure, **(chosen | own | {"where": where}))

    if table.kind != "compare":
        whole = context.repo.series(table.measure, **chosen)
        other = None if table.comparison_group is None else side(table.comparison_group)
        return _one_series(table, context, whole, other, period)
    if table.at is not None:
        at = context.instant(table.at)
        whole = context.repo.series(table.measure, **chosen)
        before, after = whole.between(None, at), whole.between(at, None)
    else:
        assert table.before is not None
        assert table.after is not None
        before, after = side(table.before), side(table.after)
    return compare(
        before,
        after,
        method=table.method,
        options=table.options or None,
        order=table.order,
        scale=table.scale,
        season=table.season,
        confidence=table.confidence,
        every=period,
        tail=table.tail,
        margin=table.margin,
        objective=context.objective(table),
        question=table.question,
        declared_on=table.declared_on,
    )


def _groups(table: ComparisonTable, context: Context) -> Result:
    """Single observations by one attribute, or two."""
    assert table.groups is not None
    frame = context.repo.frame(
        table.measure, where=table.where or None, since=table.since or context.since, until=table.until
    )
    return compare_groups(
        frame,
        value=table.measure,
        by=table.groups,
        block=table.block,
        when="when" if table.block is None else None,
        method=table.method,
        post_hoc=table.post_hoc,
        adjust=table.adjust,
        measure=context.measure(table.measure),
        scale=table.scale,
        confidence=table.confidence,
        tail=table.tail,
        question=table.question,
        declared_on=table.declared_on,
        options=table.options or None,
    )


def _strata(table: ComparisonTable, context: Context, chosen: dict[str, Any]) -> Result:
    """Before and after in every stratum, the p-values adjusted for their number."""
    by = names(table.by)

    def batch(span: Span | None) -> SeriesBatch:
        own = {"since": span.since, "until": span.until} if span and (span.since or span.until) else {}
        where = {**table.where, **(span.where if span else {})} or None
        return context.repo.batch(table.measure, by=by, **(chosen | own | {"where": where}))

    if table.at is not None:
        sides: Any = batch(None)
        at = context.instant(table.at)
    else:
        one, two = batch(table.before), batch(table.after)
        sides = {name: (one[name], two[name]) for name in one.ids if name in two.ids}
        at = None
    return compare_many(
        sides,
        at=at,
        adjust=table.adjust,
        method=table.method,
        order=table.order,
        every=table.every if table.statistic is None else None,
        scale=table.scale,
        confidence=table.confidence,
        margin=table.margin,
    )


def _one_series(
    table: ComparisonTable, context: Context, whole: Series, other: Series | None, period: str | None
) -> Comparison:
    """The comparisons of one series: level and slope, against a comparison group, or the date."""
    shared: dict[str, Any] = {
        "every": period,
        "scale": table.scale,
        "confidence": table.confidence,
        "tail": table.tail,
        "question": table.question,
        **table.options,
    }
    if table.kind == "change_point":
        return change_point(whole, **shared)
    shared |= {
        "at": None if table.at is None else context.happening(table.at),
        "season": table.season,
        "margin": table.margin,
        "declared_on": table.declared_on,
    }
    if table.kind == "interrupted":
        return interrupted(whole, **shared)
    return difference_in_differences(whole, other, **shared)


def _references(table: ComparisonTable) -> Iterator[Reference]:
    if isinstance(table.at, str):
        yield Reference("at", table.at, "happening")


def _check(where: str, table: ComparisonTable, declared: Declared) -> Iterator[str]:
    """Methods with their options, attributes that make groups or strata."""
    known = declared.attributes.get(table.measure, frozenset())
    for side in (table.before, table.after):
        for name in side.where if side is not None else ():
            yield from unknown(where, f"where: attribute of {table.measure}", name, known)
    if table.kind != "compare":
        known_options = KIND_OPTIONS[table.kind]
        yield from tried(where, lambda given: check_choices(table.kind, known_options, given), table.options)
        group = table.comparison_group
        for name in group.where if group is not None else ():
            yield from unknown(where, f"comparison_group: attribute of {table.measure}", name, known)
        return
    if table.season is not None and table.method not in (None, *SEASONAL):
        yield f"{where}: season works with method {' or '.join(SEASONAL)}, not '{table.method}'"
    grouped = table.groups is not None
    methods: dict[str, Any] = {**GROUP_METHODS, **SHORT_NAMES} if grouped else METHODS
    if table.method is not None:
        yield from unknown(where, "method", table.method, methods)
    method = table.method or ""
    if grouped and method in SHORT_NAMES:
        method = SHORT_NAMES[method][0]
    if table.options and not method:
        yield f"{where}: options belong to a method: name it"
    elif table.options and method in methods:
        choices = GROUP_METHODS[method].options if grouped else METHODS[method].options
        yield from tried(where, lambda given: check_choices(method, choices, given), table.options)
    if table.post_hoc is not None:
        yield from unknown(where, "post_hoc", table.post_hoc, POST_HOC)
    for key, named in (("groups", table.groups), ("by", table.by), ("block", table.block)):
        for name in names(named):
            extra = {"item"} if key == "block" else set()
            yield from unknown(where, f"{key}: attribute of {table.measure}", name, known | extra)


COMPARISON = Kind(
    table=ComparisonTable,
    chapter="Before and after",
    many="comparisons",
    analyze=_comparison,
    check=_check,
    references=_references,
)
