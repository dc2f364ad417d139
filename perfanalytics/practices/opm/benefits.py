"""predict_benefit(source, volume=, worth=): what an improvement will bring, with its uncertainty."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.cost_benefit import CostBenefit, cost_benefit
from perfanalytics.models.factor_values import quantiles_of
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.models.what_if_result import WhatIf
from perfanalytics.practices.opm.benefit_result import LEVELS, PredictedBenefit
from perfanalytics.practices.opm.improvement_terms import sign_of

Quantity = Literal["mean", "share"]
#: From this share of rows outside the data of its model on a scenario is an extrapolation.
FAR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Improvement:
    """Improvement of one item: where it is from, its distribution, what is doubtful."""

    said: str
    basis: str
    law: Any
    doubts: tuple[Caveat, ...] = ()
    measure: Measure | None = None
    provenance: Provenance | None = None


def predict_benefit(
    source: object,
    *,
    volume: Any,
    worth: Any,
    scenario: str | None = None,
    level: float | Baseline | None = None,
    quantity: Quantity = "mean",
    measure: Measure | None = None,
    investment: Mapping[str, Any] | None = None,
    running_costs: Mapping[str, Any] | None = None,
    periods: int = 3,
    rate: float = 0.0,
    starts: int = 1,
    ramp: int = 0,
    period: str = "year",
    unit: str = "EUR",
    proposal: str = "",
    confidence: float = 0.9,
    draws: int = 20_000,
    seed: int = 1,
) -> PredictedBenefit:
    """Predict the benefit of an improvement and its uncertainty.

    Parameters
    ----------
    source : WhatIf, ProcessComparison, Comparison, float or (low, likely, high)
        A scenario of a model, an alternative process that was simulated, a measured change (of a pilot); or
        an assumption about the improvement of an item, in the unit of the measure, positive = better. With
        ``level`` the assumption is a ratio after over before (0.8: a fifth less where lower is better).
    volume : amount
        Items a period. An amount is a number; ``(low, likely, high)``, a PERT distribution; a
        ``perf.Distribution``; a baseline or values.
    worth : amount
        Money for one unit of improvement of one item; with ``quantity="share"`` for one item more that meets
        the objective.
    scenario : str, optional
        Name of the scenario or the alternative process; needed for these sources.
    level : float or Baseline, optional
        Today's mean, for an assumed ratio.
    quantity : {"mean", "share"}
        Of a scenario or alternative: the expected value of an item, or the probability that it meets the
        objective.
    measure : Measure, optional
        For an assumption: what improves.
    investment, running_costs, periods, rate, starts, ramp, period, unit
        As in :func:`perfanalytics.cost_benefit`; without ``investment`` there is no net present value.
    proposal : str
    confidence : float
    draws, seed : int

    Returns
    -------
    PredictedBenefit

    Raises
    ------
    InputError, UnknownNameError
        For a source that predicts no change, a scenario that does not exist, a ratio without ``level``.

    Notes
    -----
    ``benefit = improvement of an item x volume x worth``, each drawn from its own distribution, independently
    (Latin hypercube). The improvement of a scenario is normal around its difference to today, with the spread
    of its interval; of a simulated alternative with the spread that comes from the sample sizes of its inputs
    where that is known (``resamples``), else of the simulation error alone, and that is said; of a comparison
    with the interval of its difference of means. A negative improvement (a change for the worse) is possible
    and stays in the benefit. Money is discounted as in ``cost_benefit``.

    Examples
    --------
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    >>> made = predict_benefit((1.0, 2.0, 3.0), volume=1000, worth=10.0, measure=hours,
    ...                        investment={"tool": 15_000}, periods=1, draws=2000)
    >>> round(made.benefit_mean, -2), made.basis
    (20000.0, 'assumed')
    """
    if quantity not in ("mean", "share"):
        raise UnknownNameError("quantity", str(quantity), ("mean", "share"))
    if not 0 < confidence < 1 or draws < 100:
        raise InputError("confidence lies between 0 and 1, draws= is at least 100")
    found = _improvement(source, scenario, level, quantity, measure)
    rng = np.random.default_rng(seed)
    columns = []
    for name, given in (("improvement", found.law), ("volume", volume), ("worth", worth)):
        share = (rng.permutation(draws) + rng.uniform(size=draws)) / draws
        columns.append(quantiles_of(_amount(name, given), share, name))
    if columns[1].min() < 0 or columns[2].min() < 0:
        raise InputError(
            "volume and worth are not negative: whether it helps or harms is the improvement's to say"
        )
    improvement, benefit = columns[0], columns[0] * columns[1] * columns[2]
    tail = (1 - confidence) / 2
    money = None
    if investment:
        money = cost_benefit(
            investment=investment,
            benefits={"benefit of the improvement": benefit},
            running_costs=running_costs,
            periods=periods,
            rate=rate,
            starts=starts,
            ramp=ramp,
            period=period,
            unit=unit,
            confidence=confidence,
            seed=seed,
        )
    elif running_costs:
        raise InputError(
            "running_costs need an investment to be held against, also when it is 0: investment={'none': 0}"
        )
    numbers = {
        "improvement_mean": float(improvement.mean()),
        "improvement_low": float(np.quantile(improvement, tail)),
        "improvement_high": float(np.quantile(improvement, 1 - tail)),
        "probability_better": float(np.mean(improvement > 0)),
        "volume_mean": float(columns[1].mean()),
        "worth_mean": float(columns[2].mean()),
        "benefit_mean": float(benefit.mean()),
        "benefit_low": float(np.quantile(benefit, tail)),
        "benefit_high": float(np.quantile(benefit, 1 - tail)),
    }
    digest = hashlib.blake2b(benefit.tobytes(), digest_size=16).hexdigest()
    return PredictedBenefit(
        verdict=_verdict(numbers, found, money, confidence, unit, period),
        caveats=(*found.doubts, *_doubts(numbers), *(() if money is None else money.caveats)),
        method=Method(
            "predict_benefit",
            {
                "benefit": "improvement x volume x worth, drawn independently",
                "source": found.said,
                "basis": found.basis,
                "quantity": quantity,
                "improvement": repr(found.law),
                "volume": repr(_amount("volume", volume)),
                "worth": repr(_amount("worth", worth)),
                "draws": draws,
                "seed": seed,
                "confidence": confidence,
            },
        ),
        provenance=found.provenance or Provenance("assumed improvement", data_hash=digest, n=draws),
        proposal=proposal,
        measure=found.measure,
        basis=found.basis,
        source=found.said,
        quantity=quantity,
        improvement_quantiles=np.quantile(improvement, LEVELS),
        benefit_quantiles=np.quantile(benefit, LEVELS),
        confidence=confidence,
        unit=unit,
        period=period,
        money=money,
        draws=draws,
        seed=seed,
        **numbers,
    )


def _amount(name: str, given: Any) -> Any:
    """Three numbers are low, likely and high of a PERT distribution."""
    if isinstance(given, tuple) and len(given) == 3:
        low, likely, high = (float(v) for v in given)
        if not low <= likely <= high:
            raise InputError(f"{name}: (low, likely, high) are three numbers in their order, got {given}")
        return low if low == high else Distribution.pert(low=low, mode=likely, high=high)
    if isinstance(given, bool) or (isinstance(given, int | float) and not math.isfinite(given)):
        raise InputError(f"{name} is a finite number, (low, likely, high) or a distribution, got {given}")
    return given


def _improvement(
    source: object,
    scenario: str | None,
    level: float | Baseline | None,
    quantity: str,
    measure: Measure | None,
) -> _Improvement:
    if isinstance(source, WhatIf | ProcessComparison):
        return _of_scenario(source, scenario, quantity)
    if scenario is not None:
        raise InputError("scenario= belongs to a what-if or to a comparison of processes")
    if quantity == "share" and not isinstance(source, tuple | float | int):
        raise InputError('quantity="share" belongs to a what-if or to a comparison of processes')
    if isinstance(source, Comparison):
        return _of_comparison(source)
    if isinstance(source, Result):
        raise InputError(
            f"a {source.kind} predicts no change: give a what-if, a comparison of processes, a "
            f"comparison, or an "
            "assumption (low, likely, high)"
        )
    return _assumed(source, level, measure)


def _normal(mean: float, low: float, high: float, confidence: float) -> Any:
    """A normal distribution with this interval; a number where the interval has no width."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return mean
    return Distribution.normal(mean=mean, sd=(high - low) / (2 * float(special.ndtri((1 + confidence) / 2))))


def _of_scenario(source: WhatIf | ProcessComparison, scenario: str | None, quantity: str) -> _Improvement:
    model = isinstance(source, WhatIf)
    names = [str(n) for n in (source.scenarios if isinstance(source, WhatIf) else source.names)]
    if scenario is None or scenario not in names[1:]:
        raise UnknownNameError("scenario" if model else "alternative process", str(scenario), names[1:])
    k = names.index(scenario)
    sign = 1.0 if quantity == "share" else sign_of(source.measure)
    of = "gain" if quantity == "share" else "difference"
    mean = float(getattr(source, of)[k])
    if math.isnan(mean):
        raise InputError(
            f"the {source.kind.replace('_', ' ')} knows no objective: there is no share to improve"
        )
    ends = (f"{of}_low", f"{of}_high")
    doubts = []
    if isinstance(source, WhatIf):
        if not source.feasible[k]:
            text = f"Scenario '{scenario}' sets a factor outside the range declared for it."
            doubts.append(Caveat("infeasible", text))
        if source.extrapolates[k] > FAR:
            text = (
                f"Scenario '{scenario}' lies outside the data of its model "
                f"({percent(float(source.extrapolates[k]))} of the rows)."
            )
            doubts.append(Caveat("extrapolates", text, {"share": float(source.extrapolates[k])}))
    elif math.isfinite(float(source.difference_input_low[k])):
        ends = (f"{of}_input_low", f"{of}_input_high")
    else:
        text = (
            "The spread of the improvement is the simulation error alone: what the inputs are not known "
            "by is "
            "not in it (compare the processes with resamples=)."
        )
        doubts.append(Caveat("simulation-error-only", text))
    low, high = sorted(sign * float(getattr(source, e)[k]) for e in ends)
    return _Improvement(
        said=f"{'scenario' if model else 'alternative process'} '{scenario}' against '{names[0]}'",
        basis="model" if model else "simulation",
        law=_normal(sign * mean, low, high, source.confidence),
        doubts=(*doubts, *_inherited(source)),
        measure=source.measure,
        provenance=source.provenance,
    )


def _inherited(source: Result) -> tuple[Caveat, ...]:
    """That the source has doubts of its own."""
    if not source.caveats:
        return ()
    codes = ", ".join(dict.fromkeys(source.caveat_codes))
    return (
        Caveat(
            "source-doubtful",
            f"What the prediction rests on has doubts of its own: {codes}.",
            {"codes": codes},
        ),
    )


def _of_comparison(source: Comparison) -> _Improvement:
    sign = sign_of(source.measure)
    found = [
        e
        for e in source.effects
        if e.form == "difference" and e.unit == source.measure.unit and e.role != "companion"
    ]
    wanted = [e for e in found if e.quantity in ("difference_of_means", "difference_of_proportions")] or found
    doubts = []
    if wanted:
        e = wanted[0]
        values = sorted(sign * v for v in (e.low, e.high))
        mean = sign * e.estimate
        said = f"measured: {e.quantity.replace('_', ' ')}"
    else:
        e = source.primary
        if e.form != "ratio" or not math.isfinite(e.before):
            raise InputError(
                f"the comparison ({source.method.name}) has no difference in the unit of the measure"
            )
        values = sorted(sign * e.before * (v - 1) for v in (e.low, e.high))
        mean = sign * e.before * (e.estimate - 1)
        said = f"measured: {e.quantity.replace('_', ' ')}, from a level of {number(e.before)}"
    if source.outcome in ("undecided", "not_attributable"):
        text = f"The measured change is {source.outcome.replace('_', ' ')}: the prediction rests on little."
        doubts.append(Caveat("change-not-shown", text, {"outcome": source.outcome}))
    return _Improvement(
        said=said,
        basis="measured",
        law=_normal(mean, values[0], values[1], source.confidence),
        doubts=(*doubts, *_inherited(source)),
        measure=source.measure,
        provenance=source.provenance,
    )


def _assumed(source: object, level: float | Baseline | None, measure: Measure | None) -> _Improvement:
    parts = source if isinstance(source, tuple) else (source,)
    if len(parts) not in (1, 3) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in parts):
        raise InputError(
            "an assumed improvement is a number or (low, likely, high); a prediction is a what-if, a "
            f"comparison of processes or a comparison; got {type(source).__name__}"
        )
    values = [float(v) for v in parts]
    if values != sorted(values):
        raise InputError(f"improvement: (low, likely, high) are three numbers in their order, got {source}")
    said = "assumed improvement of an item"
    if level is not None:
        if measure is None and isinstance(level, Baseline):
            measure = level.measure
        if measure is None:
            raise InputError("a ratio needs measure=: whether more or less of it is better")
        if min(values) <= 0:
            raise InputError(f"a ratio after over before is above 0, got {source}")
        today = float(level["mean"].value) if isinstance(level, Baseline) else float(level)
        values = sorted(sign_of(measure) * today * (v - 1) for v in values)
        said = f"assumed ratio to {number(today, measure.unit)}"
    law: Any = values[0] if len(values) == 1 else _amount("improvement", tuple(values))
    text = "The improvement is an assumption: no model, simulation or pilot stands behind it."
    return _Improvement(
        said=said,
        basis="assumed",
        law=law,
        doubts=(Caveat("assumed", text),),
        measure=measure,
        provenance=level.provenance if isinstance(level, Baseline) else None,
    )


def _doubts(numbers: Mapping[str, float]) -> tuple[Caveat, ...]:
    better = numbers["probability_better"]
    if better >= 0.95:
        return ()
    text = f"Whether it helps at all is not sure: an improvement has a probability of {percent(better)}."
    return (Caveat("may-not-help", text, {"probability": better}),)


def _verdict(
    numbers: Mapping[str, float],
    found: _Improvement,
    money: CostBenefit | None,
    confidence: float,
    unit: str,
    period: str,
) -> str:
    text = (
        f"The benefit is predicted to be {number(numbers['benefit_mean'], unit)} a {period} "
        f"({percent(confidence)} interval {number(numbers['benefit_low'])} to "
        f"{number(numbers['benefit_high'], unit)}), from {found.said}."
    )
    return text if money is None else f"{text} {money.verdict}"
