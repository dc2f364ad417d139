"""What the names in a ``[[service_report]]`` refer to, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

from perfanalytics.plan.mistakes import bad_statistic, names, undeclared, unknown
from perfanalytics.plan.pages.service_report_table import MEASURES, ServiceReportTable
from perfanalytics.plan.plan import Plan
from perfanalytics.practices.service_reports.period_figures import STATISTICS


def references(plan: Plan) -> Iterator[str]:
    """Names in service reports that refer to nothing."""
    measures = {m.name for m in plan.measure}
    targets = measures | {o.name for o in plan.objective}
    for table in plan.service_report:
        where = _where(table)
        for name in table.performance:
            yield from undeclared(where, "performance: objective or measure", name, targets)
        for key in MEASURES:
            for name in getattr(table, key):
                yield from undeclared(where, f"{key}: measure", name, measures)


def mistakes(plan: Plan) -> Iterator[str]:
    """Attributes, statistics and measures that cannot be told as asked."""
    measures = {m.name: m for m in plan.measure}
    for table in plan.service_report:
        where = _where(table)
        used = measures_of(table, plan)
        for name in used:
            for attribute in table.where:
                known = measures[name].attributes
                yield from unknown(where, f"where: attribute of {name}", attribute, known)
        targets = objectives_of(table, plan)
        judged = {a for o in plan.objective if o.name in targets for a in measures[o.measure].attributes}
        for attribute in names(table.by):
            yield from unknown(where, "by: attribute of the measures under performance", attribute, judged)
        counted = {a for name in table.nonconformities for a in measures[name].attributes}
        for attribute in table.categories:
            yield from unknown(where, "categories: attribute of the nonconformities", attribute, counted)
        for name, statistic in table.statistics.items():
            yield from unknown(where, "statistics: measure of this report", name, used)
            yield from bad_statistic(where, statistic, STATISTICS[:-1])
        for name in table.nonconformities:
            m = measures[name]
            if m.scale not in ("proportion", "count") or m.better not in ("lower", "higher"):
                yield (
                    f"{where}: nonconformities: '{name}' counts nothing that went wrong; a proportion or "
                    "a count of which less (or more) is better does"
                )


def objectives_of(table: ServiceReportTable, plan: Plan) -> tuple[str, ...]:
    """The objectives under ``performance``: those named, and all about the measures named."""
    known = {o.name for o in plan.objective}
    found: dict[str, None] = {}
    for name in table.performance:
        about = [name] if name in known else [o.name for o in plan.objective if o.measure == name]
        found |= dict.fromkeys(about)
    return tuple(found)


def without_target(table: ServiceReportTable, plan: Plan) -> tuple[str, ...]:
    """Measures under ``performance`` that no objective is about."""
    known = {o.name for o in plan.objective} | {o.measure for o in plan.objective}
    return tuple(name for name in table.performance if name not in known)


def measures_of(table: ServiceReportTable, plan: Plan) -> tuple[str, ...]:
    """The measures of a report, each once."""
    targets = objectives_of(table, plan)
    of = {o.name: o.measure for o in plan.objective}
    found = [of[name] for name in targets] + list(without_target(table, plan))
    for key in MEASURES:
        found += getattr(table, key)
    return tuple(dict.fromkeys(found))


def _where(table: ServiceReportTable) -> str:
    return f"[[service_report]] '{table.name}'"
