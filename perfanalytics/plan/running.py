"""Do what a plan says: load, check, chart, baseline, compare, model, save, report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from perfanalytics.core.errors import PerfAnalyticsError, PlanError, UnknownNameError
from perfanalytics.core.records import Change, Event
from perfanalytics.plan import objects
from perfanalytics.plan.analyses import analyze, kind_of
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.background import background
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.pages.improving import IMPROVEMENTS, improvements_chapter
from perfanalytics.plan.pages.tracing import CHAPTER, objectives_chapter
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.reading import read_plan
from perfanalytics.plan.tables import Analysis
from perfanalytics.reports.report import ReportItem, report
from perfanalytics.repository.repository import Repository
from perfanalytics.repository.source import Source

#: Told before each step: what is done, number of the step, number of steps.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRun:
    """What a run of a plan gave.

    Parameters
    ----------
    items : tuple of ReportItem
        What traces to what (not with ``only``), then every load and analysis in order; those that could not
        be done carry their error.
    report : Path or None
        The page written; None when there was nothing to report.
    repository : Path
    """

    items: tuple[ReportItem, ...]
    report: Path | None
    repository: Path
    saved: dict[str, int] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[ReportItem, ...]:
        """What was asked for and could not be done."""
        return tuple(i for i in self.items if i.error)


def run_plan(
    path: str | Path,
    *,
    data: str | Path | None = None,
    repository: str | Path | None = None,
    report_to: str | Path | None = None,
    only: Sequence[str] = (),
    since: dt.date | None = None,
    progress: Progress | None = None,
) -> PlanRun:
    """Run a measurement plan.

    Parameters
    ----------
    path : path of the plan (TOML)
    data : folder, optional
        Where the files of the sources lie; default the folder of the plan.
    repository, report_to : path, optional
        Instead of those named in the plan.
    only : sequence of str
        Names of analyses (``*`` and ``?`` allowed); the others are left out. Data are loaded all the same.
    since : date, optional
        First day of the analyses that do not name one.
    progress : callable, optional
        ``progress(what, step, steps)`` before each step.

    Raises
    ------
    PlanError
        For a mistake in the plan; UnknownNameError when ``only`` matches nothing.

    Examples
    --------
    >>> from perfanalytics.plan.running import run_plan
    >>> run = run_plan("sample_data/plan.toml", repository=":memory:",
    ...                report_to="/dev/null", only=["Weekly success*"])   # doctest: +SKIP
    """
    path = Path(path)
    plan = read_plan(path)
    mistakes = list(check_plan(plan))
    if mistakes:
        raise PlanError("\n".join(f"{path.name}: {m}" for m in mistakes))
    chosen = chosen_analyses(plan, only)
    folder = Path(data) if data is not None else path.parent
    if not folder.is_dir():
        raise PlanError(f"the data folder does not exist: {folder}")
    database = Path(repository) if repository is not None else path.parent / plan.plan.repository
    page = Path(report_to) if report_to is not None else path.parent / plan.plan.report
    told = progress or (lambda what, step, steps: None)
    steps = len(plan.source) + len(chosen) + 1
    items: list[ReportItem] = []
    saved: dict[str, int] = {}
    with Repository.open(database) as repo:
        items += _withdrawn(repo.declare_plan(plan.plan.name, objects.records(plan)))
        lost: dict[str, str] = {}  # measures whose source could not be loaded -> why nothing is said of them
        for step, source in enumerate(objects.sources(plan, folder)):
            told(f"load {source.name}", step, steps)
            items.append(_load(repo, source, plan))
            if items[-1].error:
                lost |= {
                    m.measure.name: f"its source '{source.name}' could not be loaded" for m in source.measures
                }
        items += _quality(repo, chosen, lost)
        context = Context(
            repo=repo,
            objectives=objects.objectives(plan),
            happenings=happenings(plan),
            calendars={t.name: objects.calendar(t) for t in plan.calendar},
            since=since,
            processes=objects.processes(plan),
        )
        for step, table in enumerate(chosen, len(plan.source)):
            told(table.name, step, steps)
            for item in _analysis(table, context, lost):
                items.append(item)
                if item.result is not None:
                    saved[item.name] = _save(repo, item, plan.plan.by)
                else:
                    context.undone[item.name] = item.error
        if not only:
            items = [*_objectives(repo), *items, *_improvements(repo)]
    told("report", steps - 1, steps)
    written = None
    if items:
        page.parent.mkdir(parents=True, exist_ok=True)
        written = report(
            items,
            page,
            title=plan.plan.title or plan.plan.name,
            subtitle=f"Plan {path.name}"
            + (f", run by {plan.plan.by}" if plan.plan.by else "")
            + f", {_now()}",
            background=background(plan),
        )
    told("done", steps, steps)
    return PlanRun(items=tuple(items), report=written, repository=database, saved=saved)


def _now() -> str:
    """When the page was written; no number depends on it."""
    return dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")


def chosen_analyses(plan: Plan, only: Sequence[str]) -> list[Analysis]:
    """The analyses of a plan, or those whose names match ``only``."""
    analyses = plan.analyses()
    if not only:
        return analyses
    for pattern in only:
        if not any(fnmatchcase(a.name, pattern) for a in analyses):
            raise UnknownNameError("analysis", pattern, [a.name for a in analyses])
    return [a for a in analyses if any(fnmatchcase(a.name, pattern) for pattern in only)]


def happenings(plan: Plan) -> dict[str, Change | Event]:
    """Changes and events by name."""
    found: dict[str, Change | Event] = {t.name: Change(**t.model_dump()) for t in plan.change}
    return found | {t.name: Event(**t.model_dump()) for t in plan.event}


def _withdrawn(gone: Sequence[tuple[str, str]]) -> list[ReportItem]:
    """What the plan named in an earlier run and no longer names."""
    if not gone:
        return []
    told = "; ".join(f"{kind.replace('_', ' ')} '{name}'" for kind, name in gone)
    text = f"The plan no longer names, so that it holds no more (every version is kept): {told}."
    return [ReportItem("Withdrawn", None, group="Data", verdict=text)]


def _load(repo: Repository, source: Source, plan: Plan) -> ReportItem:
    item = ReportItem(f"Load: {source.name}", None, group="Data")
    try:
        return replace(item, result=repo.load(source, by=plan.plan.by))
    except PerfAnalyticsError as error:
        return replace(item, error=str(error))
    except Exception as error:
        return replace(item, error=unexpected(error))


def _quality(repo: Repository, chosen: Sequence[Analysis], lost: dict[str, str]) -> list[ReportItem]:
    """The data quality of each measure that is analyzed; looked at before its numbers are read."""
    out = []
    for name in dict.fromkeys(name for table in chosen for name in table.looks_into()):
        if name in lost:
            continue
        item = ReportItem(f"Data quality: {name}", None, group="Data")
        try:
            out.append(replace(item, result=repo.data_quality(name)))
        except PerfAnalyticsError as error:
            out.append(replace(item, error=str(error)))
        except Exception as error:
            out.append(replace(item, error=unexpected(error)))
    return out


def unexpected(error: Exception) -> str:
    """An error nobody foresaw, told like the others; the run goes on."""
    return f"{type(error).__name__}: {error} (this is a mistake in perfanalytics; please report it)"


def _objectives(repo: Repository) -> list[ReportItem]:
    """What traces to what, and what is in force; it speaks of the whole plan, so not of a part of a run."""
    try:
        return objectives_chapter(repo.archive())
    except PerfAnalyticsError as error:
        return [ReportItem("Objective tree", None, group=CHAPTER, error=str(error))]
    except Exception as error:
        return [ReportItem("Objective tree", None, group=CHAPTER, error=unexpected(error))]


def _improvements(repo: Repository) -> list[ReportItem]:
    """The proposals on record and how far they are."""
    try:
        return improvements_chapter(repo.archive())
    except PerfAnalyticsError as error:
        return [ReportItem("Improvement proposals", None, group=IMPROVEMENTS, error=str(error))]
    except Exception as error:
        return [ReportItem("Improvement proposals", None, group=IMPROVEMENTS, error=unexpected(error))]


def _save(repo: Repository, item: ReportItem, by: str) -> int:
    """Save a result as a new version, unless the newest version is equal to it."""
    assert item.result is not None
    history = repo.history()
    versions = history.loc[history["name"] == item.name, "version"]
    if len(versions) and repo.result(item.name) == item.result:
        return int(versions.max())
    return repo.save(item.result, name=item.name, by=by)


def _analysis(table: Analysis, context: Context, lost: dict[str, str]) -> list[ReportItem]:
    """The results of one analysis; an error stops this analysis, not the others."""
    try:
        for name in table.looks_into():
            if name in lost:
                # what an earlier run loaded may be old; nothing is better than saying it as if it were new
                raise PlanError(lost[name])
        return analyze(table, context)
    except PerfAnalyticsError as error:
        reason = str(error)
    except Exception as error:
        reason = unexpected(error)
    chapter = kind_of(table).chapter
    return [ReportItem(table.name, None, question=table.question, group=chapter, error=reason)]
