"""Does a model still predict? Items it has not seen and what happened to them: ``[[prediction_errors]]``."""

from __future__ import annotations

from collections.abc import Iterator

from perfanalytics.core.errors import InputError
from perfanalytics.models.calibration import Calibration
from perfanalytics.models.prediction_errors import prediction_errors
from perfanalytics.models.predictions import predictions
from perfanalytics.models.result import Model
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.analyses.models import ModelTable
from perfanalytics.plan.tables import Name, OfObservations, Texts, When
from perfanalytics.reports.report import ReportItem


class PredictionErrorsTable(OfObservations):
    """``[[prediction_errors]]``: a ``[[model]]`` of the plan, or a saved one, held against newer items."""

    model: Name
    since: When
    with_measures: Texts = []

    def looks_into(self) -> tuple[str, ...]:
        """The measures whose data it looks into."""
        return (self.measure, *self.with_measures)


def _errors(table: PredictionErrorsTable, context: Context) -> list[ReportItem]:
    saved = context.saved(table.model, (Model, Calibration))
    model = saved.model if isinstance(saved, Calibration) else saved
    assert isinstance(model, Model)
    frame = context.repo.frame(list(table.looks_into()), **selection(table, context))
    known = frame[table.measure].notna()
    opened = f"{table.measure}_censored"
    if opened in frame.columns:
        # what an open item has reached so far is no outcome
        known &= ~frame[opened].fillna(False).astype(bool)
    frame = frame[known].reset_index(drop=True)
    if not len(frame):
        raise InputError("there is no item with an outcome to hold the model against")
    if frame["item"].isna().any() or frame["item"].duplicated().any():
        raise InputError(f"the items of {table.measure} need names of their own (item = in its [[measure]])")
    made = predictions(model, frame, items="item", confidence=table.confidence)
    outcomes = dict(zip(frame["item"].astype(str), frame[table.measure].astype(float), strict=True))
    held = made.with_outcomes(outcomes)
    return [
        item(table, prediction_errors(held), context),
        item(table, held, context, name=f"{table.name}: predictions"),
    ]


def _references(table: PredictionErrorsTable) -> Iterator[Reference]:
    for name in table.with_measures:
        yield Reference("with_measures", name, "measure")


def _check(where: str, table: PredictionErrorsTable, declared: Declared) -> Iterator[str]:
    name = table.model.removesuffix(": calibration")
    held = declared.analyses.get(name)
    if held is None:
        # a model that an earlier run saved: looked up when the plan is run
        return
    if not isinstance(held, ModelTable):
        yield f"{where}: model = '{table.model}' is no [[model]] of the plan"
        return
    if held.measure != table.measure:
        yield f"{where}: the model '{name}' is about {held.measure}, not about {table.measure}"
    if held.until is None or str(held.until) > str(table.since):
        yield (
            f"{where}: the model '{name}' is made from items "
            + ("without end" if held.until is None else f"until {held.until}")
            + f": give it until = {table.since}, so that it has not seen what it predicts"
        )


PREDICTION_ERRORS = Kind(
    table=PredictionErrorsTable,
    chapter="Models",
    many="prediction checks",
    analyze=_errors,
    check=_check,
    references=_references,
)
