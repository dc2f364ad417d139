"""Limits of the charts of a plan, kept as agreed ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from perfanalytics.core.errors import InputError
from perfanalytics.plan import objects
from perfanalytics.plan.analyses.charts import ChartTable, chart_series, draw_chart
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.reading import read_plan
from perfanalytics.plan.running import chosen_analyses, happenings
from perfanalytics.repository.repository import Repository


def agree_limits(
    path: str | Path,
    *,
    only: Sequence[str],
    by: str,
    on: dt.date,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
    note: str = "",
    repository: str | Path | None = None,
) -> dict[str, tuple[int, str]]:
    """Chart what the repository holds and keep the limits as ``limits: NAME``.

    Parameters
    ----------
    path : path of the plan (TOML)
    only : sequence of str
        Names of charts (``*`` and ``?`` allowed).
    by, on, valid_from, valid_until :
        As for :meth:`perfanalytics.Limits.agreed`.
    note : str
        Why, for the history.
    repository : path, optional
        Instead of the one in the plan.

    Returns
    -------
    mapping of name to (version, verdict)

    Raises
    ------
    PlanError
        For a mistake in the plan.
    InputError
        Without a repository, without charts of these names, or where a chart has no limits.
    """
    path = Path(path)
    plan = read_plan(path)
    database = Path(repository) if repository is not None else path.parent / plan.plan.repository
    if not database.is_file():
        raise InputError(f"there is no repository {database} yet: 'perfanalytics run {path.name}' makes it")
    tables = [t for t in chosen_analyses(plan, only) if isinstance(t, ChartTable)]
    if not tables:
        raise InputError(f"{path.name} asks for no charts called {', '.join(only)}")
    kept: dict[str, tuple[int, str]] = {}
    with Repository.open(database) as repo:
        context = Context(repo=repo, objectives=objects.objectives(plan), happenings=happenings(plan))
        made = [
            (name, draw_chart(table, series, context).limits)
            for table in tables
            for name, series in chart_series(table, context)
        ]
        empty = [name for name, limits in made if limits.verdict.startswith("No limits")]
        if empty:
            raise InputError(f"no limits could be computed for {', '.join(empty)}: nothing was kept")
        for name, limits in made:
            agreed = limits.agreed(by=by, on=on, valid_from=valid_from, valid_until=valid_until)
            saved = f"limits: {name}"
            kept[saved] = (repo.save(agreed, name=saved, by=plan.plan.by or by, note=note), agreed.verdict)
    return kept
