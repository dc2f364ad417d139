"""The charts of a plan: those that signal, behind a scorecard of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perfanalytics.core.errors import InputError, PerfAnalyticsError
from perfanalytics.plan import objects
from perfanalytics.plan.analyses import analyze, kind_of
from perfanalytics.plan.analyses.charts import ChartTable
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.reading import read_plan
from perfanalytics.plan.running import chosen_analyses, happenings
from perfanalytics.reports.report import ReportItem, report
from perfanalytics.repository.repository import Repository
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.phase_one_result import PhaseOne
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.scorecard import scorecard


def chart_plan(
    path: str | Path,
    *,
    repository: str | Path | None = None,
    report_to: str | Path,
    only: Sequence[str] = (),
) -> list[ReportItem]:
    """Chart what the repository holds and write the page.

    Parameters
    ----------
    path : path of the plan (TOML)
    repository, only :
        As for :func:`perfanalytics.run_plan`; ``only`` names charts.
    report_to : path
        The page: the scorecard, then the charts that are not stable or signal at their newest point, then
        funnels with units outside, then the phase I analyses that propose points.

    Returns
    -------
    list of ReportItem
        The scorecard, then the charts drawn, then those that could not be made.

    Raises
    ------
    PlanError, RepositoryError
        For a mistake in the plan, or a repository that does not exist.
    InputError
        When the plan has no charts.
    """
    path = Path(path)
    plan = read_plan(path)
    database = Path(repository) if repository is not None else path.parent / plan.plan.repository
    if not database.is_file():
        raise InputError(f"there is no repository {database} yet: 'perfanalytics run {path.name}' makes it")
    tables = [t for t in chosen_analyses(plan, only) if isinstance(t, ChartTable)]
    if not tables:
        raise InputError(f"{path.name} asks for no charts" + (f" called {', '.join(only)}" if only else ""))
    made: list[ReportItem] = []
    failed: list[ReportItem] = []
    with Repository.open(database, read_only=True) as repo:
        context = Context(repo=repo, objectives=objects.objectives(plan), happenings=happenings(plan))
        for table in tables:
            try:
                made += analyze(table, context)
            except PerfAnalyticsError as error:
                failed.append(ReportItem(table.name, None, group=kind_of(table).chapter, error=str(error)))
    phases = [i for i in made if isinstance(i.result, PhaseOne) and len(i.result.point)]
    drawn: list[ReportItem] = []
    times: list[tuple[ReportItem, ControlChart]] = []
    for item in made:
        if isinstance(item.result, ControlChart):
            if CHARTS[item.result.chart].ordered:
                times.append((item, item.result))
            elif item.result.n_signals or item.result.stable is False:
                # units side by side have no newest point: they stand beside the scorecard
                drawn.append(item)
    items = [*drawn, *phases, *failed]
    if times:
        card = scorecard({item.name: c for item, c in times}, objectives=list(context.objectives.values()))
        signalling = [
            item
            for (item, chart), variation in zip(times, card.variation, strict=True)
            if variation in ("concern", "improvement", "neutral") or chart.stable is False
        ]
        items = [ReportItem("Scorecard", card, group="Scorecard"), *signalling, *items]
    report(items, report_to, title=plan.plan.title or plan.plan.name, subtitle="Control charts that signal")
    return items
