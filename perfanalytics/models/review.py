"""review(model) -> ModelReview: is it a process performance model in CMMI's sense, criterion by criterion?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Method, Result
from perfanalytics.models.formula import columns_of

if TYPE_CHECKING:
    import pandas as pd

#: A factor counts as related to the outcome when the test of the whole factor is below this.
RELATED = 0.05
#: Criteria without which nothing is called a process performance model (CMMI-SVC V1.3, OPP SP 1.5).
DEMANDED = ("controllable factor", "variation of factors", "range of the outcome")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ModelReview(Result):
    """Report card of a model.

    Attributes
    ----------
    measure : Measure
    formula, family : str
    criterion : text array, shape (c,)
    answer : text array, shape (c,)
        "yes", "no" or "unknown".
    demanded : bool array, shape (c,)
        Whether the model is no process performance model without it.
    evidence : text array, shape (c,)
    is_process_performance_model : bool
        Every demanded criterion is met.
    """

    kind: ClassVar[str] = "model_review"

    measure: Measure
    formula: str
    family: str
    criterion: NDArray[Any]
    answer: NDArray[Any]
    demanded: NDArray[np.bool_]
    evidence: NDArray[Any]
    is_process_performance_model: bool

    def to_frame(self) -> pd.DataFrame:
        """One row per criterion: criterion, answer ("yes", "no", "unknown"), demanded, evidence."""
        import pandas as pd

        names = ("criterion", "answer", "demanded", "evidence")
        return pd.DataFrame({n: getattr(self, n) for n in names})

    def summary(self) -> pd.DataFrame:
        """One row: measure, formula, family, is_process_performance_model, yes, no, unknown, caveats, "
        "verdict."""
        import pandas as pd

        counts = {a: int(np.sum(self.answer == a)) for a in ("yes", "no", "unknown")}
        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "formula": self.formula,
                    "family": self.family,
                    "is_process_performance_model": self.is_process_performance_model,
                    **counts,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


Row = tuple[str, bool | None, str]


def review(
    model: Any,
    *,
    stability: Sequence[Result] | Result,
    backtest: Result | None,
    calibration: Result | None,
    errors: Result | None,
    outcome: str | None,
) -> ModelReview:
    """See :meth:`perfanalytics.Model.review`."""
    given = (stability,) if isinstance(stability, Result) else tuple(stability)
    for one in given:
        if not hasattr(one, "stable"):
            raise InputError(
                "stability= takes baselines or control charts of the data behind the model (they know "
                "whether "
                f"they are stable), got {type(one).__name__}"
            )
    _expect(backtest, "backtest", "backtest", "perf.backtest(model, ...)")
    _expect(calibration, "calibration", "calibration", "perf.calibrate(model, ...)")
    _expect(errors, "errors", "prediction_errors", "perf.prediction_errors(...)")
    if outcome not in (None, "final", "interim"):
        raise InputError(f"outcome= is 'final', 'interim' or None, got {outcome!r}")
    rows: list[Row] = [
        _historical(model),
        _outcome(model, outcome),
        _controllable(model),
        _related(model),
        _variation(model),
        ("range of the outcome", True, f"interval of a new item and its probability, family {model.family}"),
        _what_if(model),
        _streams(model),
        _correction(model, outcome),
        _stable(given),
        _assumptions(model),
        _validated(model, backtest),
        _accuracy(model),
        _calibrated(model, calibration),
        _revised(errors),
        _objective(model),
    ]
    answers = ["unknown" if a is None else "yes" if a else "no" for _, a, _ in rows]
    demanded = np.array([r[0] in DEMANDED for r in rows])
    is_one = all(a == "yes" for a, d in zip(answers, demanded.tolist(), strict=True) if d)
    return ModelReview(
        measure=model.measure,
        formula=model.formula,
        family=model.family,
        criterion=read_only(np.array([r[0] for r in rows], dtype=object)),
        answer=read_only(np.array(answers, dtype=object)),
        demanded=read_only(demanded),
        evidence=read_only(np.array([r[2] for r in rows], dtype=object)),
        is_process_performance_model=is_one,
        verdict=_verdict(rows, answers, demanded, is_one),
        method=Method(
            "model_review",
            {
                "model": model.formula,
                "family": model.family,
                "demanded": list(DEMANDED),
                "related_below": RELATED,
                "given": [r.kind for r in (*given, backtest, calibration, errors) if r is not None],
            },
            ("CMMI Product Team (2010), CMMI for Services, Version 1.3, OPP SP 1.5",),
        ),
        provenance=model.provenance,
    )


def _expect(given: Result | None, name: str, kind: str, hint: str) -> None:
    if given is not None and getattr(given, "kind", None) != kind:
        raise InputError(f"{name}= takes the result of {hint}, got {type(given).__name__}")


def _historical(model: Any) -> Row:
    return "statistical, from historical data", True, f"{count(model.n, 'item')}, {model.formula}"


def _outcome(model: Any, outcome: str | None) -> Row:
    name = "predicts an interim or final outcome"
    if outcome is not None:
        return name, True, f"{model.measure.name}, declared as {outcome}"
    if model.measure.definition.strip():
        return name, True, f"{model.measure.label}: {model.measure.definition}"
    return name, None, f"nobody said what {model.measure.name} is: give measure= to perf.fit"


def _controllable(model: Any) -> Row:
    name = "controllable factor"
    own = [r for r in model.roles if r.controllable]
    if not own:
        return name, False, "no factor is declared as controllable"
    tied = [f"{r.name} ({r.subprocess})" for r in own if r.subprocess]
    if tied:
        return name, True, ", ".join(tied)
    text = f"{', '.join(r.name for r in own)}: no subprocess named, give perf.Factor(name, subprocess=...)"
    return name, None, text


def _related(model: Any) -> Row:
    """Whether a controllable factor goes with the outcome at all."""
    name = "controllable factor goes with the outcome"
    if not model.controllable:
        return name, False, "there is none"
    best, which = math.inf, ""
    terms = model.to_frame()
    for factor, p in zip(terms["factor"], terms["factor_p_value"], strict=True):
        if factor != "Intercept" and any(c in model.controllable for c in columns_of(factor)) and p < best:
            best, which = float(p), str(factor)
    if not math.isfinite(best):
        return name, None, "no test for it"
    text = "p < 0.001" if best < 0.001 else f"p = {best:.2g}"
    return name, best < RELATED, f"{which}: {text} (an association; only a trial shows what setting it does)"


def _variation(model: Any) -> Row:
    name = "variation of factors"
    if not model.kept:
        return name, None, "the model keeps no rows of its factors (of sums, or of an earlier version)"
    still = [k for k, v in model.kept.items() if np.ptp(v) == 0]
    n = len(next(iter(model.kept.values())))
    if still:
        return name, False, f"{', '.join(still)} did not vary in the data"
    return name, True, f"{count(n, 'row')} of factors are kept together and enter what-if as distributions"


def _what_if(model: Any) -> Row:
    name = "what-if within the data"
    if not model.controllable:
        return name, False, "nothing can be set"
    outside = []
    for role in model.roles:
        if not role.controllable or role.name in model.levels:
            continue
        low, high = model.feasible(role.name)
        seen = model.ranges[role.name]
        if low < seen[0] or high > seen[1]:
            outside.append(f"{role.name} feasible {low:g} to {high:g}, seen {seen[0]:g} to {seen[1]:g}")
    if outside:
        return name, False, "; ".join(outside)
    return name, True, "feasible ranges of the controllable factors lie within the data"


def _streams(model: Any) -> Row:
    name = "connects upstream with downstream"
    own = {r.subprocess for r in model.roles if r.controllable and r.subprocess}
    down = model.measure.subprocess
    if not own or not down:
        missing = "the factor's" if not own else "the measure's"
        return name, None, f"{missing} subprocess is not declared"
    if own == {down}:
        return name, False, f"factor and outcome belong to the same subprocess, {down}"
    return name, True, f"{', '.join(sorted(own))} -> {down}"


def _correction(model: Any, outcome: str | None) -> Row:
    """Something that can still be set, and an effect large enough to matter."""
    name = "enables a correction on the way"
    if not model.controllable:
        return name, False, "nothing can be set"
    try:
        table = model.profile(factors=list(model.controllable), points=5).to_frame()
    except InputError as error:
        return name, None, str(error)
    spans = table.groupby("factor", sort=False)["mean"].agg(["min", "max"])
    which = str((spans["max"] - spans["min"]).idxmax())
    low, high = (float(v) for v in spans.loc[which])
    said = f"{which} moves the expected {model.measure.name} between {number(low)} and {number(high)}"
    matters = bool(_related(model)[1])
    if outcome == "final" or outcome is None:
        return name, matters, f"{said}, when it is set before the item ends"
    return name, matters, f"{said}; the outcome is an interim one"


def _stable(given: tuple[Result, ...]) -> Row:
    name = "stable data"
    if not given:
        return name, None, "no baseline or control chart of the data was given (stability=)"
    unstable = [r.provenance.measure for r in given if getattr(r, "stable") is False]  # noqa: B009
    open_ = [r.provenance.measure for r in given if getattr(r, "stable") is None]  # noqa: B009
    if unstable:
        return name, False, f"not stable: {', '.join(unstable)}"
    if open_:
        return name, None, f"too few points to say: {', '.join(open_)}"
    return name, True, f"stable: {', '.join(r.provenance.measure for r in given)}"


def _assumptions(model: Any) -> Row:
    name = "assumptions hold"
    if not model.checked:
        return name, None, "no checks were kept with this model"
    bad = [c.name for c in model.checked if c.verdict == "serious"]
    look = [c.name for c in model.checked if c.verdict == "look"]
    if bad:
        return name, False, f"serious: {', '.join(bad)}"
    return name, True, f"nothing serious; to look at: {', '.join(look)}" if look else "all checks are fine"


def _validated(model: Any, backtest: Any) -> Row:
    name = "validated out of sample"
    inside = f"{model.folds}-fold cross-validated R² {model.r2_cv:.2f}"
    if math.isnan(model.r2_cv):
        if backtest is None:
            return name, None, "no cross-validation (the model keeps no rows), and no backtest was given"
        inside = "no cross-validation"
    elif model.r2_cv <= 0:
        return name, False, f"{inside}: no better than the mean"
    if backtest is None:
        return name, True, f"{inside}; no backtest over time was given"
    said = (
        f"{inside}; backtest: {percent(backtest.covered)} of {count(backtest.n, 'item')} within their "
        f"{percent(backtest.coverage)} intervals"
    )
    return name, bool(backtest.calibrated), said


def _accuracy(model: Any) -> Row:
    name = "accuracy known"
    if math.isfinite(model.relative_error_cv):
        text = f"median error out of sample {percent(model.relative_error_cv)} of the outcome"
        return name, True, text
    if math.isfinite(model.error_cv):
        return name, True, f"root mean squared error out of sample {number(model.error_cv)}"
    return name, None if math.isnan(model.r2_cv) else False, "no error out of sample is known"


def _calibrated(model: Any, calibration: Any) -> Row:
    name = "calibrated to the work"
    if calibration is None:
        own = model.method.parameters.get("calibrated")
        if own:
            return name, True, str(own)
        return name, None, "nobody calibrated it to the data of the work that uses it (perf.calibrate)"
    text = f"{count(calibration.n_local, 'local item')}, weight {percent(calibration.weight)}"
    return name, calibration.n_local >= 5, text


def _revised(errors: Any) -> Row:
    name = "revised when it stops predicting"
    if errors is None:
        return name, None, "its prediction errors are not on a control chart (perf.prediction_errors)"
    return name, None if errors.advice == "wait" else errors.advice == "keep", errors.verdict


def _objective(model: Any) -> Row:
    name = "serves a declared objective"
    if model.objective is None:
        return name, None, "no objective was given to perf.fit"
    o = model.objective
    when = f", declared on {o.declared_on}" if o.declared_on else ", date of declaration unknown"
    serves = f", serves {o.serves}" if o.serves else ""
    return name, True, f"{o.name}: {o.direction.replace('_', ' ')} {o.target:g}{serves}{when}"


def _verdict(rows: list[Row], answers: list[str], demanded: NDArray[np.bool_], is_one: bool) -> str:
    yes = answers.count("yes")
    missing = [r[0] for r, a, d in zip(rows, answers, demanded.tolist(), strict=True) if d and a != "yes"]
    if is_one:
        text = "This is a process performance model: it has a controllable factor tied to a subprocess, the "
        text += f"variation of its factors and a predicted range; {yes} of {len(rows)} criteria are met"
    else:
        text = f"This is not yet a process performance model, for lack of: {', '.join(missing)}; {yes} of "
        text += f"{len(rows)} criteria are met"
    no = [r[0] for r, a in zip(rows, answers, strict=True) if a == "no" and r[0] not in missing]
    unknown = answers.count("unknown")
    if no:
        text += f", not met: {', '.join(no)}"
    if unknown:
        text += f", {unknown} cannot be answered"
    return f"{text}."
