"""What simulate and compare_processes are asked for, checked."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective

#: Percentiles of the total.
PERCENTILES = (1, 5, 10, 25, 50, 75, 80, 90, 95, 99)


def seed_of(rng: int | np.random.Generator) -> int:
    """The seed of a simulation: the number itself, or one drawn from the generator.

    Raises
    ------
    InputError
    """
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**62))
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        raise InputError(f"rng is a whole number from 0 on (the seed) or a numpy Generator, got {rng!r}")
    return int(rng)


def check_runs(runs: int) -> int:
    """The number of runs.

    Raises
    ------
    InputError
    """
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or not 100 <= runs <= 100_000_000:
        raise InputError(f"runs is a whole number from 100 to 100 million, got {runs!r}")
    return int(runs)


def check_confidence(confidence: float) -> float:
    """The level of the intervals.

    Raises
    ------
    InputError
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    return float(confidence)


def check_resamples(resamples: int) -> int:
    """The number of sets of resampled inputs: none, or enough for an interval.

    Raises
    ------
    InputError
    """
    if isinstance(resamples, bool) or not isinstance(resamples, int) or (resamples and resamples < 40):
        raise InputError(f"resamples is 0 (inputs taken as known) or 40 and more (200), got {resamples!r}")
    if resamples < 0:
        raise InputError(f"resamples is not negative, got {resamples}")
    return resamples


def measure_of(unit: str, measure: Measure | None, objective: Objective | None) -> Measure:
    """The measure of the total, agreeing with the units of the steps and with the objective.

    Raises
    ------
    InputError
    """
    if measure is None:
        name = "total" if objective is None else objective.measure
        measure = Measure(
            name, definition="Total of the composed process", unit=unit, better="lower", scale="duration"
        )
    elif unit and measure.unit and measure.unit != unit:
        raise InputError(
            f"the steps are in {unit}, the measure {measure.name!r} in {measure.unit}: convert them"
        )
    if objective is not None:
        if objective.measure != measure.name:
            raise InputError(
                f"objective {objective.name!r} is about {objective.measure!r}, the total is {measure.name!r}"
            )
        if objective.statistic != "item":
            raise InputError(
                f"objective {objective.name!r} speaks of the {objective.statistic}; a simulation gives the "
                "probability that one item meets a target: statistic='item'"
            )
    return measure


def meets(values: Floats, objective: Objective) -> float:
    """Share of runs that meet the objective."""
    if objective.direction == "at_most":
        return float(np.count_nonzero(values <= objective.target) / len(values))
    return float(np.count_nonzero(values >= objective.target) / len(values))


def statistics(values: Floats, objective: Objective | None) -> Floats:
    """Mean, standard deviation, percentiles and the share that meets the objective (NaN without one)."""
    share = math.nan if objective is None else meets(values, objective)
    points = np.quantile(values, np.array(PERCENTILES) / 100)
    return np.array([values.mean(), values.std(ddof=1), *points, share])
