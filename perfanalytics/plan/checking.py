"""What the tables of a plan cannot check by themselves: names of methods, attributes, formats, objects."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from perfanalytics.baselines.capability_sample import SAID
from perfanalytics.baselines.families import FAMILIES as DISTRIBUTIONS
from perfanalytics.comparisons.choices import Choice, check_choices
from perfanalytics.comparisons.compare import SEASONAL
from perfanalytics.comparisons.group_methods import GROUP_METHODS, SHORT_NAMES
from perfanalytics.comparisons.interrupted import PRIMARY
from perfanalytics.comparisons.methods import METHODS
from perfanalytics.comparisons.posthoc import POST_HOC
from perfanalytics.core.errors import PerfAnalyticsError, nearest
from perfanalytics.plan import objects, tables
from perfanalytics.plan.measuring import columns_of
from perfanalytics.plan.tables import Plan
from perfanalytics.repository.selection import PERIODS, STATISTICS
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.rules import RULE_SETS
from perfanalytics.spc.transforms import as_transform

FAMILIES = ("gaussian",)
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
PERCENTILES = tuple(f"p{k}" for k in range(1, 100))


def check_plan(plan: Plan) -> Iterator[str]:
    """The mistakes of a plan whose tables are right in themselves, one text each."""
    yield from _sources(plan)
    yield from _objectives(plan)
    attributes = {m.name: _attributes(m) for m in plan.measure}
    for table in plan.analyses():
        where = f"[[{tables.table_name(table)}]] '{table.name}'"
        known = attributes.get(table.measure, set())
        if table.since is not None and table.until is not None and str(table.since) >= str(table.until):
            yield f"{where}: since = {table.since} is not before until = {table.until}: nothing is selected"
        for name in table.where:
            yield from _missing(where, f"where: attribute of {table.measure}", name, known)
        if isinstance(table, tables.ModelTable):
            yield from _model(where, table, plan, attributes)
            continue
        if isinstance(table, tables.GaugeStudyTable | tables.AgreementTable):
            for key, name, besides in columns_of(table):
                yield from _missing(where, f"{key}: attribute of {table.measure}", name, {*known, *besides})
            continue
        yield from _zone(where, "zone", table.zone)
        if table.statistic is not None:
            yield from _statistic(where, table.statistic, STATISTICS)
            if table.every is None:
                yield f"{where}: statistic = '{table.statistic}' needs every = 'week' (or another period)"
        if isinstance(table, tables.ChartTable):
            yield from _missing(where, "chart", table.chart, CHARTS)
            yield from _missing(where, "rules", table.rules, RULE_SETS)
            if table.chart in CHARTS and table.estimate is not None:
                yield from _missing(where, "estimate", table.estimate, CHARTS[table.chart].all_estimators)
            if table.chart in CHARTS:
                yield from _tried(where, _chosen, table)
            for name in (table.by,) if isinstance(table.by, str) and table.by else table.by:
                yield from _missing(where, f"by: attribute of {table.measure}", name, known)
            yield from _columns(where, table, known)
        if isinstance(table, tables.BaselineTable) and table.distribution is not None:
            yield from _missing(where, "distribution", table.distribution, DISTRIBUTIONS)
        if isinstance(table, tables.CapabilityTable):
            yield from _capability(where, table)
        if isinstance(table, tables.ComparisonTable):
            yield from _comparison(where, table, known)
            for side in (table.before, table.after):
                for name in side.where if side is not None else ():
                    yield from _missing(where, f"where: attribute of {table.measure}", name, known)


def _capability(where: str, table: tables.CapabilityTable) -> Iterator[str]:
    """Names of sigma and distribution, limits in their order."""
    if table.sigma is not None:
        yield from _missing(where, "sigma", table.sigma, SAID)
    if table.distribution is not None:
        yield from _missing(where, "distribution", table.distribution, (*DISTRIBUTIONS, "empirical"))
    if table.lower is not None and table.upper is not None and table.lower >= table.upper:
        yield f"{where}: lower = {table.lower:g} must lie below upper = {table.upper:g}"


def _comparison(where: str, table: tables.ComparisonTable, known: set[str]) -> Iterator[str]:
    """Methods with their options, attributes that make groups or strata."""
    if table.kind != "compare":
        known_options = KIND_OPTIONS[table.kind]
        yield from _tried(where, lambda given: check_choices(table.kind, known_options, given), table.options)
        group = table.comparison_group
        for name in group.where if group is not None else ():
            yield from _missing(where, f"comparison_group: attribute of {table.measure}", name, known)
        return
    if table.season is not None and table.method not in (None, *SEASONAL):
        yield f"{where}: season works with method {' or '.join(SEASONAL)}, not '{table.method}'"
    grouped = table.groups is not None
    methods: dict[str, Any] = {**GROUP_METHODS, **SHORT_NAMES} if grouped else METHODS
    if table.method is not None:
        yield from _missing(where, "method", table.method, methods)
    method = table.method or ""
    if grouped and method in SHORT_NAMES:
        method = SHORT_NAMES[method][0]
    if table.options and not method:
        yield f"{where}: options belong to a method: name it"
    elif table.options and method in methods:
        declared = GROUP_METHODS[method].options if grouped else METHODS[method].options
        yield from _tried(where, lambda given: check_choices(method, declared, given), table.options)
    if table.post_hoc is not None:
        yield from _missing(where, "post_hoc", table.post_hoc, POST_HOC)
    for key, named in (("groups", table.groups), ("by", table.by), ("block", table.block)):
        for name in (named,) if isinstance(named, str) else named or ():
            extra = {"item"} if key == "block" else set()
            yield from _missing(where, f"{key}: attribute of {table.measure}", name, {*known, *extra})


#: Charts whose points depend on each other, or that have no limits over time.
_NO_SINGLE_POINTS = ("run", "ewma", "cusum", "moving_average", "mewma", "risk_adjusted_cusum", "funnel")


def _columns(where: str, table: tables.ChartTable, known: set[str]) -> Iterator[str]:
    """Attributes that a chart takes as columns."""
    covariates = (table.covariates,) if isinstance(table.covariates, str) else tuple(table.covariates)
    for name in covariates:
        yield from _missing(where, f"covariates: attribute of {table.measure}", name, known)
    if table.stage_column is not None:
        yield from _missing(where, f"stage_column: attribute of {table.measure}", table.stage_column, known)
    subgroups = (table.subgroups,) if isinstance(table.subgroups, str) else tuple(table.subgroups)
    for name in subgroups:
        said = f"subgroups: period or attribute of {table.measure}"
        yield from _missing(where, said, name, {*known, *PERIODS})
    if subgroups and table.every is not None:
        yield f"{where}: subgroups are of single observations: leave every = '{table.every}' out"
    if table.chart == "funnel" and table.by:
        for key in ("every", "statistic", "subgroups", "stages", "stage_column"):
            if getattr(table, key):
                yield f"{where}: the points of a funnel are the values of by, over all time: leave {key} out"
    if table.carry is not None and not table.stages and table.stage_column is None:
        yield f"{where}: carry = {table.carry} needs stages or a stage_column"
    if table.phase_one and table.chart in _NO_SINGLE_POINTS:
        yield f"{where}: phase_one looks into single points: take a Shewhart chart, not '{table.chart}'"


def _chosen(table: tables.ChartTable) -> object:
    """Options, kind and width of the limits as the chart type takes them."""
    as_transform(table.transform)
    return CHARTS[table.chart].check(table.options, table.limits, table.sigmas)


def _sources(plan: Plan) -> Iterator[str]:
    for t in plan.calendar:
        yield from _tried(f"[[calendar]] '{t.name}'", objects.calendar, t)
    for s in plan.source:
        where = f"[[source]] '{s.name}'"
        try:
            codecs.lookup(s.encoding)
        except LookupError:
            yield f"{where}: encoding = '{s.encoding}' is not known (utf-8, windows-1252, latin-1 ...)"
        yield from _zone(where, "time_zone", s.time_zone)
        if len(s.delimiter) != 1:
            yield f"{where}: delimiter = {s.delimiter!r} must be one character"
        for column, formats in s.formats.items():
            if s.columns.get(column) not in ("date", "time"):
                yield f"{where}: formats: column '{column}' is not declared a date or time in columns"
            for text in [formats] if isinstance(formats, str) else formats:
                if not re.search(r"%[dmYybBHMSjfpIz]", text):
                    yield f"{where}: formats: '{text}' is no date format; write it like %d/%m/%Y %H:%M"
    if plan.calendar or plan.source:
        try:
            objects.sources(plan, Path())
        except (PerfAnalyticsError, KeyError) as error:
            yield str(error)


def _objectives(plan: Plan) -> Iterator[str]:
    for o in plan.objective:
        yield from _statistic(f"[[objective]] '{o.name}'", o.statistic, ("item", *STATISTICS))


def _model(
    where: str, table: tables.ModelTable, plan: Plan, attributes: dict[str, set[str]]
) -> Iterator[str]:
    yield from _missing(where, "family", table.family, FAMILIES)
    left, tilde, right = table.formula.partition("~")
    if not tilde or not right.strip():
        yield f"{where}: formula = '{table.formula}': write it as response ~ factor + factor"
        return
    response = re.sub(r"^(np\.)?log1?p?\((.*)\)$", r"\2", left.strip())
    if response != table.measure:
        yield f"{where}: the formula explains '{response}', the measure is '{table.measure}'"
    names = {table.measure, *table.with_measures}
    known = set(names).union(*(attributes.get(n, set()) for n in names)) | {"when", "start", "item"}
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "", right)
    for name in sorted(
        {m.group(0) for m in re.finditer(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*\()(?![\w.])", words)}
    ):
        if name not in ("np", "C", "I", "Q", "Treatment", "Sum"):
            yield from _missing(where, "formula: attribute", name, known)
    for name in table.controllable:
        yield from _missing(where, "controllable", name, known)


def _attributes(measure: tables.MeasureTable) -> set[str]:
    return set(measure.attributes)


def _missing(where: str, key: str, name: str, known: Iterable[str]) -> Iterator[str]:
    known = list(known)
    if name not in known:
        hint = nearest(name, known)
        said = f"did you mean '{hint}'?" if hint else f"known: {', '.join(sorted(known)) or 'none'}"
        yield f"{where}: {key} '{name}' is not known; {said}"


def _zone(where: str, key: str, name: str | None) -> Iterator[str]:
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        yield f"{where}: {key} = '{name}' is not known (a name like Europe/Berlin)"


def _statistic(where: str, name: str, known: tuple[str, ...]) -> Iterator[str]:
    if name not in known and name not in PERCENTILES:
        hint = nearest(name, (*known, *PERCENTILES))
        said = f"did you mean '{hint}'?" if hint else f"known: {', '.join(known)}, p1 to p99"
        yield f"{where}: statistic '{name}' is not known; {said}"


def _tried(where: str, make: Callable[[Any], object], value: object) -> Iterator[str]:
    try:
        make(value)
    except PerfAnalyticsError as error:
        yield f"{where}: {error}"
