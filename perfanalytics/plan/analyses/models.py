"""Regression models over measures and attributes: ``[[model]]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from perfanalytics.models.model import fit
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Name, OfObservations, Texts
from perfanalytics.reports.report import ReportItem

FAMILIES = ("gaussian",)


class ModelTable(OfObservations):
    """``[[model]]``: a regression model over measures and attributes."""

    formula: Name
    with_measures: Texts = []
    family: str = "gaussian"
    controllable: Texts = []
    predict: list[dict[str, Any]] = []


def _model(table: ModelTable, context: Context) -> list[ReportItem]:
    import pandas as pd

    names = [table.measure, *table.with_measures]
    frame = context.repo.frame(names, **selection(table, context))
    model = fit(
        table.formula,
        frame,
        family=table.family,
        controllable=tuple(table.controllable),
        measure=context.measure(table.measure),
        objective=context.objective(table),
    )
    made = item(table, model, context)
    if not table.predict:
        return [made]
    new = pd.DataFrame(table.predict)
    told = pd.concat([new, model.predict(new, confidence=table.confidence)], axis=1)
    return [replace(made, extra=(("What-if: predictions for new items", told),))]


def _references(table: ModelTable) -> Iterator[Reference]:
    for name in table.with_measures:
        yield Reference("with_measures", name, "measure")


def _check(where: str, table: ModelTable, declared: Declared) -> Iterator[str]:
    yield from unknown(where, "family", table.family, FAMILIES)
    left, tilde, right = table.formula.partition("~")
    if not tilde or not right.strip():
        yield f"{where}: formula = '{table.formula}': write it as response ~ factor + factor"
        return
    response = re.sub(r"^(np\.)?log1?p?\((.*)\)$", r"\2", left.strip())
    if response != table.measure:
        yield f"{where}: the formula explains '{response}', the measure is '{table.measure}'"
    looked_into = {table.measure, *table.with_measures}
    attributes = (declared.attributes.get(n, frozenset()) for n in looked_into)
    known = looked_into.union(*attributes) | {"when", "start", "item"}
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "", right)
    for name in sorted(
        {m.group(0) for m in re.finditer(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*\()(?![\w.])", words)}
    ):
        if name not in ("np", "C", "I", "Q", "Treatment", "Sum"):
            yield from unknown(where, "formula: attribute", name, known)
    for name in table.controllable:
        yield from unknown(where, "controllable", name, known)


MODEL = Kind(
    table=ModelTable,
    chapter="Models",
    many="models",
    analyze=_model,
    check=_check,
    references=_references,
)
