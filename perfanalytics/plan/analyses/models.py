"""Regression models over measures and attributes: ``[[model]]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.models.factors import Factor
from perfanalytics.models.formula import parse
from perfanalytics.models.model import FAMILIES, fit, own_columns, own_quantiles
from perfanalytics.models.result import Model
from perfanalytics.models.selection import select_model
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.analyses.model_questions import Questions, ask, wrong_questions
from perfanalytics.plan.mistakes import tried, unknown
from perfanalytics.plan.tables import Name, Texts
from perfanalytics.reports.report import ReportItem

if TYPE_CHECKING:
    import pandas as pd

#: Keys that name a column with a part of its own.
COLUMNS = ("weights", "offset", "exposure", "sizes", "groups", "time")


class ModelTable(Questions):
    """``[[model]]``: a regression model over measures and attributes, and what is asked of it."""

    formula: Name
    with_measures: Texts = []
    family: str = "gaussian"
    controllable: Texts = []
    weights: str | None = None
    offset: str | None = None
    exposure: str | None = None
    sizes: str | None = None
    groups: str | None = None
    quantile: float | list[float] = 0.5
    errors: Literal["classical", "robust", "hac"] = "classical"
    predict: list[dict[str, Any]] = []
    select: Literal["best_subset", "stepwise", "lasso"] | None = None

    def looks_into(self) -> tuple[str, ...]:
        """The measures whose data it looks into."""
        return (self.measure, *self.with_measures)


def _model(table: ModelTable, context: Context) -> list[ReportItem]:
    frame = context.repo.frame(list(table.looks_into()), **selection(table, context))
    measure = context.measure(table.measure)
    model = fit(
        table.formula,
        frame,
        family=table.family,
        controllable=_roles(table),
        measure=measure,
        objective=context.objective(table),
        quantile=table.quantile,
        errors=table.errors,
        confidence=table.confidence,
        **_columns(table),
    )
    model = _with_period(model, frame, table)
    made = item(table, model, context)
    if table.predict:
        made = replace(made, extra=(("What-if: predictions for new items", _predicted(table, model)),))
    out = [made]
    if table.select is not None:
        found = select_model(table.formula, frame, method=table.select, measure=measure)
        out.append(item(table, found, context, name=f"{table.name}: selection"))
    return [*out, *ask(table, model, frame, context)]


def _with_period(model: Model, frame: pd.DataFrame, table: ModelTable) -> Model:
    """The model, with the selection and the period of its data: a model is a table's, which has no times."""
    times: Any = frame["when"].dropna() if "when" in frame.columns else []
    known = {"first": str(min(times))[:10], "last": str(max(times))[:10]} if len(times) else {}
    chosen = {"measure": table.measure, "where": dict(table.where), **known}
    return replace(model, provenance=replace(model.provenance, selection=chosen))


def _columns(table: ModelTable) -> dict[str, Any]:
    """The columns with a part of their own; a backtest alone needs no check of the model in time."""
    own: dict[str, Any] = {name: getattr(table, name) for name in COLUMNS}
    if table.errors == "hac" and own["time"] is None:
        own["time"] = "when"
    return own


def _roles(table: ModelTable) -> tuple[Factor, ...]:
    """The roles of the factors: those in ``factor`` whole, the others in ``controllable`` by name."""
    declared = {
        f.name: Factor(
            f.name,
            controllable=f.controllable,
            subprocess=f.subprocess,
            low=f.low,
            high=f.high,
            choices=None if f.choices is None else tuple(f.choices),
            unit=f.unit,
        )
        for f in table.factor
    }
    return tuple((declared | {n: Factor(n) for n in table.controllable if n not in declared}).values())


def _predicted(table: ModelTable, model: Model) -> Any:
    """New items with their predictions, and where there is a threshold the probability to meet it."""
    import pandas as pd

    new = pd.DataFrame(table.predict)
    told = [new, model.predict(new, confidence=table.confidence)]
    declared = table.at_most is not None or table.at_least is not None
    if declared or (model.objective is not None and model.objective.statistic == "item"):
        told.insert(1, model.probability(new, **table.bounds)[["probability"]])
    return pd.concat(told, axis=1)


def _references(table: ModelTable) -> Iterator[Reference]:
    for name in table.with_measures:
        yield Reference("with_measures", name, "measure")
    for factor in table.factor:
        yield Reference(f"factor '{factor.name}': subprocess", factor.subprocess, "process")


def _check(where: str, table: ModelTable, declared: Declared) -> Iterator[str]:
    yield from unknown(where, "family", table.family, FAMILIES)
    left, tilde, right = table.formula.partition("~")
    if not tilde or not right.strip() or not left.strip():
        yield f"{where}: formula = '{table.formula}': write it as response ~ factor + factor"
        return
    try:
        parsed = parse(table.formula)
    except PerfAnalyticsError as error:
        yield f"{where}: formula: {error}"
        return
    if parsed.response != table.measure:
        yield f"{where}: the formula explains '{parsed.response}', the measure is '{table.measure}'"
    looked_into = set(table.looks_into())
    attributes = (declared.attributes.get(n, frozenset()) for n in looked_into)
    known = looked_into.union(*attributes) | {"when", "start", "item"}
    for name in sorted(parsed.columns):
        yield from unknown(where, "formula: attribute", name, known)
    for name in table.controllable:
        yield from unknown(where, "controllable", name, parsed.columns)
    own = _columns(table)
    for key in COLUMNS:
        if own[key] is not None:
            yield from unknown(where, key, own[key], known)
    if table.family in FAMILIES:
        yield from tried(where, lambda given: own_columns(table.family, table.errors, **given), own)
        yield from tried(where, lambda given: own_quantiles(table.family, given), table.quantile)
    if table.select is not None and table.family != "gaussian":
        yield f"{where}: select = '{table.select}' chooses terms of a gaussian model, not of '{table.family}'"
    for place, row in enumerate(table.predict, 1):
        if missing := sorted(set(parsed.columns) - set(row)):
            yield f"{where}: predict {place} does not say what {' and '.join(missing)} is"
    yield from tried(where, lambda given: _roles(given), table)
    besides = [own[key] for key in COLUMNS if key != "time" and own[key] is not None]
    yield from wrong_questions(where, table, declared, parsed.columns, besides)


MODEL = Kind(
    table=ModelTable,
    chapter="Models",
    many="models",
    analyze=_model,
    check=_check,
    references=_references,
)
