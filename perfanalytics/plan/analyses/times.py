"""Service times of a plan -> mean and spread for formulas, a sample for simulations."""

from __future__ import annotations

import numpy as np

from perfanalytics.baselines.fitted import Fitted
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.models.simulation.parts import Step
from perfanalytics.models.simulation.sources import Sample
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.analyses.process_building import drawn_from
from perfanalytics.plan.analyses.process_parts import SourcePart

#: Points at which a distribution stands for a sample: its quantiles at equal shares.
POINTS = 10_000


def sample(part: SourcePart, unit: str, context: Context) -> Floats:
    """Times to draw from: observed values, or a distribution at 10,000 equal shares.

    Raises
    ------
    InputError
        For times in another unit, or that are no times.
    """
    step = _step(part, unit, context)
    shares = (np.arange(POINTS) + 0.5) / POINTS
    match step.source:
        case Sample(values=values):
            return values
        case Distribution(family="constant") as stated:
            return np.array([stated.mean])
        case Distribution() as stated:
            from scipy import special

            return stated.quantile_at(special.ndtri(shares))
        case Fitted() as fitted:
            return fitted.quantile(shares)
    raise InputError(f"the service time is one of many items, not {step.origin}")


def mean_and_cv(part: SourcePart, cv: float | None, unit: str, context: Context) -> tuple[float, float]:
    """Mean and coefficient of variation; of a single number 1 (exponential) unless another is given."""
    step = _step(part, unit, context)
    if isinstance(step.source, Distribution):
        mean, sd = step.source.mean, float(np.sqrt(step.source.variance))
        if step.source.family == "constant":
            sd = mean  # a number is a mean of which nothing else is known
    else:
        values = sample(part, unit, context)
        mean, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if not mean > 0:
        raise InputError(f"the mean service time is above 0, got {mean:g}")
    return mean, sd / mean if cv is None else cv


def _step(part: SourcePart, unit: str, context: Context) -> Step:
    step = drawn_from(part, "service", context)
    if step.unit and step.unit != unit:
        raise InputError(
            f"the service times are in {step.unit}, the queue in {unit}: give unit = '{step.unit}'"
        )
    return step
