"""What traces to what, and what is in force: the first chapter of the report, and two commands."""

from __future__ import annotations

from pathlib import Path

from perfanalytics.core.archive import Archive
from perfanalytics.figures.objective_tree import is_cut
from perfanalytics.plan import objects
from perfanalytics.plan.reading import read_plan
from perfanalytics.practices.opp.objective_tree import ObjectiveTree, objective_tree
from perfanalytics.practices.opp.register import Register, register
from perfanalytics.practices.opp.register_rows import KINDS_OF
from perfanalytics.reports.report import ReportItem
from perfanalytics.repository.repository import Repository

CHAPTER = "Objectives"
TITLES = {"baseline": "Register of baselines", "model": "Register of models", "limits": "Register of limits"}


def objectives_chapter(archive: Archive) -> list[ReportItem]:
    """The objective tree, and a register of each sort of which something is saved.

    Empty where no objective and no business objective is declared.
    """
    if not archive.of_kind("objective") and not archive.of_kind("business_objective"):
        return []
    tree = objective_tree(archive)
    items = [
        ReportItem(
            "Objective tree",
            tree,
            question="What serves which objective, in which state is it, and what is missing?",
            group=CHAPTER,
        )
    ]
    if is_cut(tree):  # taller than a page: what is on record stands branch by branch
        items += [
            ReportItem(f"Objective tree: {name}", tree.branch(name), group=CHAPTER, brief=True)
            for name in tree.roots()
        ]
    for what, kinds in KINDS_OF.items():
        if archive.saved_of(*kinds):
            items.append(
                ReportItem(
                    TITLES[what],
                    register(archive, what),
                    question="Which are in force, who agreed to them, and what is due?",
                    group=CHAPTER,
                )
            )
    return items


def tree_of_plan(path: str | Path, *, repository: str | Path | None = None) -> ObjectiveTree:
    """The objective tree of a plan, from its repository where there is one, else from the plan alone.

    Raises
    ------
    PlanError, RepositoryError
    """
    path = Path(path)
    plan = read_plan(path)
    database = Path(repository) if repository is not None else path.parent / plan.plan.repository
    if repository is None and not database.is_file():
        return objective_tree(Archive.of([*objects.measures(plan).values(), *objects.records(plan)]))
    with Repository.open(database, read_only=True) as repo:
        return objective_tree(repo.archive())


def registers_of(repository: str | Path, *, what: str | None = None) -> list[Register]:
    """The registers of a repository: all of which something is saved, or the one asked for.

    Raises
    ------
    UnknownNameError, RepositoryError
    """
    with Repository.open(repository, read_only=True) as repo:
        archive = repo.archive()
        names = (what,) if what else tuple(k for k, kinds in KINDS_OF.items() if archive.saved_of(*kinds))
        return [register(archive, name) for name in names]
