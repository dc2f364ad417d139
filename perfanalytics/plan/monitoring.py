"""Monitor a plan: new data on frozen limits, new signals told once.

The first run charts each ``[[chart]]`` of the plan and saves its limits. Every later run loads what is new,
charts it on the newest saved limits, and tells the signals at points that no earlier run has seen. Limits
are renewed only when somebody agrees on new ones: saved as ``limits: NAME OF THE CHART`` (``perfanalytics
agree``), or under the name that ``limits_from`` of the chart gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.series import Series
from perfanalytics.plan import objects
from perfanalytics.plan.analyses.charts import ChartTable, chart_series, draw_chart, saved_limits
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.reading import read_plan
from perfanalytics.plan.running import chosen_analyses, happenings
from perfanalytics.repository.repository import Repository
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import RULE_SETS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignal:
    """A signal that no earlier run has told."""

    chart: str
    panel: str
    when: str
    label: str
    value: float
    center: float
    lower: float | None
    upper: float | None
    rules: tuple[str, ...]
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a monitoring run found.

    Parameters
    ----------
    signals : tuple of NewSignal
    started : tuple of str
        Charts whose limits were frozen in this run; nothing is told about them yet.
    points : int
        New points charted.
    failures : tuple of (chart, reason)
    doubts : tuple of (chart, text)
        Limits that have expired or grown old; charts that are not monitored.
    """

    signals: tuple[NewSignal, ...]
    started: tuple[str, ...]
    points: int
    failures: tuple[tuple[str, str], ...]
    doubts: tuple[tuple[str, str], ...] = ()


def monitor(
    path: str | Path,
    *,
    data: str | Path | None = None,
    repository: str | Path | None = None,
    only: Sequence[str] = (),
) -> Watch:
    """Load what is new and chart it on frozen limits.

    Parameters
    ----------
    path : path of the plan (TOML)
    data, repository, only :
        As for :func:`perfanalytics.run_plan`; ``only`` names charts.

    Raises
    ------
    PlanError
        For a mistake in the plan.
    """
    path = Path(path)
    plan = read_plan(path)
    folder = Path(data) if data is not None else path.parent
    database = Path(repository) if repository is not None else path.parent / plan.plan.repository
    signals: list[NewSignal] = []
    started: list[str] = []
    failures: list[tuple[str, str]] = []
    doubts: list[tuple[str, str]] = []
    points = 0
    with Repository.open(database) as repo:
        repo.declare(*objects.records(plan))
        for source in objects.sources(plan, folder):
            try:
                repo.load(source, by=plan.plan.by)
            except PerfAnalyticsError as error:
                failures.append((f"load {source.name}", str(error)))
        context = Context(repo=repo, objectives=objects.objectives(plan), happenings=happenings(plan))
        for table in chosen_analyses(plan, only):
            if not isinstance(table, ChartTable):
                continue
            if not CHARTS[table.chart].ordered:
                doubts.append((table.name, f"a {table.chart} compares units, not times: it is not monitored"))
                continue
            try:
                for name, series in chart_series(table, context):
                    found, new, said = _watch(repo, table, context, name, series, plan.plan.by)
                    doubts += ((name, text) for text in said)
                    if found is None:
                        started.append(name)
                    else:
                        signals += found
                        points += new
            except PerfAnalyticsError as error:
                failures.append((table.name, str(error)))
    return Watch(
        signals=tuple(signals),
        started=tuple(started),
        points=points,
        failures=tuple(failures),
        doubts=tuple(doubts),
    )


def _watch(
    repo: Repository, table: ChartTable, context: Context, name: str, series: Series, by: str
) -> tuple[list[NewSignal] | None, int, list[str]]:
    """New signals of one series (None: its limits are frozen only now), new points, doubts about limits."""
    saved = f"monitor: {name}"
    kept = set(repo.history()["name"])
    if saved not in kept:
        repo.save(draw_chart(table, series, context), name=saved, by=by, note="limits frozen for monitoring")
        return None, 0, []
    last = repo.result(saved)
    assert isinstance(last, ControlChart)
    # limits that somebody agreed come before those of the first run
    agreed = table.limits_from or f"limits: {name}"
    limits = saved_limits(repo, agreed) if table.limits_from or agreed in kept else last.limits
    chart = control_chart(
        series,
        chart=table.chart,
        rules=RULE_SETS[table.rules],
        estimate=limits,
        options=table.options,
        limits=table.limits,
        sigmas=table.sigmas,
    )
    doubts = [
        c.text for c in chart.caveats if c.code.startswith("limits-") and c.code != "limits-not-yet-valid"
    ]
    if chart.provenance.data_hash == last.provenance.data_hash:
        return [], 0, doubts
    frame = chart.to_frame()
    seen = _seen(last)
    if chart.when is None or last.when is None or not seen:
        new = frame["point"] >= seen
    else:
        new = frame["when"] > last.when[seen - 1]
    repo.save(chart, name=saved, by=by, note="monitored on frozen limits")
    rows = frame[new & (frame["rules"] != "")]
    points = int(new.sum()) // len(chart.panels)
    return [_told(name, row) for row in rows.to_dict("records")], points, doubts


def _seen(chart: ControlChart) -> int:
    """How many points of a saved chart were judged: an incomplete last period is looked at again."""
    incomplete = {e.point for e in chart.exclusions if e.who == "perfanalytics"}
    n = len(chart.excluded)
    while n and n - 1 in incomplete:
        n -= 1
    return n


def _told(name: str, row: dict[Any, Any]) -> NewSignal:
    def bound(value: float) -> float | None:
        return None if value != value else float(value)

    return NewSignal(
        chart=name,
        panel=str(row["panel"]),
        when="" if row["when"] != row["when"] else row["when"].isoformat(),
        label=str(row["label"] or ""),
        value=float(row["value"]),
        center=float(row["center"]),
        lower=bound(row["lower"]),
        upper=bound(row["upper"]),
        rules=tuple(str(row["rules"]).split(", ")),
        direction=str(row["direction"]),
    )
