"""What is asked of a fitted model: scenarios, profile, drivers, optimum, backtest, report card ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from perfanalytics.baselines.result import Baseline
from perfanalytics.core.result import Result
from perfanalytics.models.backtest import backtest
from perfanalytics.models.calibration import calibrate
from perfanalytics.models.goals import Goal
from perfanalytics.models.prediction_errors import prediction_errors
from perfanalytics.models.result import Model
from perfanalytics.plan.analyses.baselines import BaselineTable
from perfanalytics.plan.analyses.charts import ChartTable
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.factor_settings import Settings, drawn_from, settings_of, wrong_settings
from perfanalytics.plan.analyses.kind import Declared
from perfanalytics.plan.mistakes import names, unknown
from perfanalytics.plan.tables import Name, OfObservations, Span, Table, Texts, Value
from perfanalytics.reports.report import ReportItem
from perfanalytics.spc.result import ControlChart

if TYPE_CHECKING:
    import pandas as pd


class FactorTable(Table):
    """``[[model.factor]]``: the role of a factor; ``baseline`` is what it is like today."""

    name: Name
    controllable: bool = True
    subprocess: str | None = None
    low: float | None = None
    high: float | None = None
    choices: list[Value] | None = None
    unit: str = ""
    baseline: str | None = None


class ScenarioTable(Table):
    """``[[model.what_if]]``: a scenario by name, and what is ``set`` in it."""

    name: Name
    set: Settings = Field(min_length=1)


class CalibrationTable(Span):
    """``[model.calibrate]``: the work group whose own items (``where``, ``since``, ``until``) are used."""

    prior_n: float = Field(gt=0)
    group: str = "local"


class Questions(OfObservations):
    """What may be asked of a fitted model; each question is an entry of the report."""

    factor: list[FactorTable] = []
    today: Settings = {}
    at_most: float | None = None
    at_least: float | None = None
    what_if: list[ScenarioTable] = []
    mean_of: int | None = Field(None, ge=1, le=500)
    profile: bool = False
    sensitivity: bool = False
    optimize: bool = False
    within: dict[str, Value | list[Value]] = {}
    backtest: bool = False
    time: str | None = None
    calibrate: CalibrationTable | None = None
    review: bool = False
    stability: str | Texts = []
    outcome: Literal["final", "interim"] | None = None

    @model_validator(mode="after")
    def _together(self) -> Questions:
        for key, of in (("within", "optimize"), ("stability", "review"), ("outcome", "review")):
            if getattr(self, key) and not getattr(self, of):
                raise ValueError(f"{key} belongs to {of} = true")
        if self.mean_of is not None and not self.what_if:
            raise ValueError("mean_of belongs to what_if")
        twice = {f.name for f in self.factor if f.baseline is not None} & set(self.today)
        if twice:
            raise ValueError(f"today and the baseline of the factor both say what {min(twice)} is")
        scenarios = [s.name for s in self.what_if]
        if len(set(scenarios)) < len(scenarios) or "today" in scenarios:
            raise ValueError("scenarios of what_if have names of their own, and none is called 'today'")
        return self

    @property
    def bounds(self) -> dict[str, Any]:
        """The declared threshold, in place of the objective."""
        return {"at_most": self.at_most, "at_least": self.at_least}


def ask(table: Questions, model: Model, frame: pd.DataFrame, context: Context) -> list[ReportItem]:
    """The answers of a model to what is asked, each an entry of the report.

    Raises
    ------
    PerfAnalyticsError
        When one of them cannot be given.
    """
    found: list[tuple[str, Result]] = []
    today = settings_of(table.today, model, context) | {
        f.name: drawn_from({"baseline": f.baseline}, context) for f in table.factor if f.baseline is not None
    }
    if table.what_if:
        scenarios = {s.name: settings_of(s.set, model, context) for s in table.what_if}
        told = model.what_if(
            scenarios, today=today, mean_of=table.mean_of, confidence=table.confidence, **table.bounds
        )
        found.append(("what if", told))
    if table.profile:
        found.append(("profile", model.profile(confidence=table.confidence, **table.bounds)))
    if table.sensitivity:
        found.append(("sensitivity", model.sensitivity(today=today, confidence=table.confidence)))
    if table.optimize:
        within = {name: tuple(v) if isinstance(v, list) else v for name, v in table.within.items()}
        best = model.optimize(
            _goal(table, model), within=within or None, today=today, confidence=table.confidence
        )
        found.append(("optimum", best))
    evidence: dict[str, Any] = {}
    if table.backtest:
        made = backtest(model, frame, time=table.time or "when", coverage=table.confidence)
        evidence |= {"backtest": made, "errors": prediction_errors(made)}
        found += [("backtest", made), ("prediction errors", evidence["errors"])]
    if table.calibrate is not None:
        evidence["calibration"] = calibrate(
            model,
            _local(table, table.calibrate, frame, context),
            prior_n=table.calibrate.prior_n,
            group=table.calibrate.group,
            confidence=table.confidence,
        )
        found.append(("calibration", evidence["calibration"]))
    if table.review:
        stability = [context.saved(name, (Baseline, ControlChart)) for name in names(table.stability)]
        told_of = model.review(stability=stability, outcome=table.outcome, **evidence)
        found.append(("review", told_of))
    return [item(table, result, context, name=f"{table.name}: {what}") for what, result in found]


def _goal(table: Questions, model: Model) -> Goal | None:
    """The declared threshold as a goal; None: the objective of the model."""
    if table.at_most is None and table.at_least is None:
        return None
    return Goal(model, of="probability", at_most=table.at_most, at_least=table.at_least)


def _local(table: Questions, group: CalibrationTable, frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The items of the work group, from the measures of the model."""
    own = {"since": group.since, "until": group.until} if group.since or group.until else {}
    where = {**table.where, **group.where} or None
    chosen = selection(table, context) | own | {"where": where}
    return context.repo.frame(list(table.looks_into()), **chosen)


def wrong_questions(
    where: str, table: Questions, declared: Declared, factors: Sequence[str], own: Sequence[str]
) -> Iterator[str]:
    """Names in the questions: ``factors`` of the formula, ``own`` columns that may be set besides."""
    settable = (*factors, *own)
    for factor in table.factor:
        yield from unknown(where, "factor", factor.name, factors)
        yield from _wrong_evidence(
            f"{where}: factor '{factor.name}'", factor.baseline, declared, (BaselineTable,)
        )
    yield from wrong_settings(f"{where}: today", table.today, settable)
    for scenario in table.what_if:
        yield from wrong_settings(f"{where}: what_if '{scenario.name}'", scenario.set, settable)
    for name in table.within:
        yield from unknown(where, "within", name, factors)
    for name in names(table.stability):
        yield from _wrong_evidence(f"{where}: stability", name, declared, (BaselineTable, ChartTable))
    if (
        table.optimize
        and not any(f.controllable for f in table.factor)
        and not getattr(table, "controllable", [])
    ):
        yield f"{where}: optimize sets controllable factors: name them in controllable or factor"
    if table.calibrate is not None:
        known = declared.attributes.get(table.measure, frozenset())
        for name in table.calibrate.where:
            yield from unknown(where, f"calibrate: attribute of {table.measure}", name, known)


def _wrong_evidence(
    where: str, name: str | None, declared: Declared, kinds: tuple[type, ...]
) -> Iterator[str]:
    """A name in the plan that is another kind of analysis; a name that is not may be saved."""
    table = declared.analyses.get(name or "")
    if table is not None and not isinstance(table, kinds):
        what = " or ".join(f"[[{kind.__name__.removesuffix('Table').lower()}]]" for kind in kinds)
        yield f"{where}: '{name}' is no {what} of the plan"
