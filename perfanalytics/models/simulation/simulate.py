"""simulate(process) -> Simulation."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import encode, read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Method, Provenance
from perfanalytics.models.simulation.asked import (
    check_confidence,
    check_resamples,
    check_runs,
    measure_of,
    seed_of,
    statistics,
)
from perfanalytics.models.simulation.correlation import Asked, Dependence, read_correlation
from perfanalytics.models.simulation.doubts import check_doubts, input_doubts, output_doubts
from perfanalytics.models.simulation.engine import BLOCK, Plan, prepare, run_fast
from perfanalytics.models.simulation.inputs import INNER, is_uncertain, outer_loop
from perfanalytics.models.simulation.marginals import INTERVALS, Table
from perfanalytics.models.simulation.moments import expected_visits, step_mean
from perfanalytics.models.simulation.parts import Part, check_process, unit_of
from perfanalytics.models.simulation.quantities import Quantities, checks, kept, quantities, sample_moments
from perfanalytics.models.simulation.result import Simulation
from perfanalytics.models.simulation.sensitivity import Drivers, Shares, find_drivers
from perfanalytics.models.simulation.words import verdict_of

REFERENCES = (
    "Nelsen (2006), An Introduction to Copulas (Gaussian copula)",
    "Saltelli et al. (2010), Computer Physics Communications 181, 259-270 (pick-freeze)",
    "Jansen (1999), Computer Physics Communications 117, 35-43",
    "Barton, Nelson and Xie (2014), INFORMS Journal on Computing 26, 74-87 (input uncertainty)",
)


def simulate(
    process: Part,
    *,
    runs: int = 100_000,
    rng: int | np.random.Generator,
    objective: Objective | None = None,
    measure: Measure | None = None,
    correlation: Asked | None = None,
    confidence: float = 0.95,
    resamples: int = 0,
    sensitivity: int = 2**14,
) -> Simulation:
    """Run a composed process many times.

    Parameters
    ----------
    process : Part
        Made with :func:`perf.step`, :func:`perf.sequence`, :func:`perf.parallel`, :func:`perf.branch`,
        :func:`perf.rework` and :func:`perf.batch`.
    runs : int
        100 to 100 million.
    rng : int or numpy Generator
        The seed, or a generator from which one is drawn; ``.seed`` of the result repeats it.
    objective : Objective, optional
        About single items (``statistic="item"``).
    measure : Measure, optional
        Of the total; default "total" (or the measure of the objective), in the unit of the steps.
    correlation : float, or mapping, optional
        Rank correlations between the steps: one number for all pairs; ``{"step": r}``, the correlation of
        each step with a common factor (a difficult item is slow everywhere); or ``{("a", "b"): r}``. None:
        steps are independent, an assumption that is stated in a caveat.
    confidence : float
        Of all intervals, in (0, 1).
    resamples : int
        Sets of resampled inputs (200) for the uncertainty that comes from their sample sizes; 0 takes the
        inputs as known.
    sensitivity : int
        Runs behind the drivers; 0 leaves them out.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        For a process that is none, steps of the same name or of different units, impossible correlations, an
        objective about something else.
    UnknownNameError
        For a correlation of a step that does not exist.

    Notes
    -----
    In rework loops and batches every pass is drawn anew; the common factor of a run stays. Simulation error:
    order statistics for percentiles, exact binomial for the probability, normal for mean and standard
    deviation. Mean and variance are checked against closed forms where there are any (``.checks()``); four
    standard errors apart is a caveat.

    References
    ----------
    Nelsen (2006), An Introduction to Copulas; Saltelli et al. (2010), Computer Physics Communications 181;
    Barton, Nelson and Xie (2014), INFORMS Journal on Computing 26; CMMI-SVC V1.3 (2010), QWM SP 1.3, 1.4.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> D = perf.Distribution
    >>> process = perf.sequence(
    ...     perf.step("triage", D.lognormal(median=0.5, sigma=0.6)),
    ...     perf.rework(perf.step("resolve", D.gamma(mean=4, sd=3)), probability=0.18),
    ... )
    >>> found = perf.simulate(process, runs=20_000, rng=1)
    >>> 5.3 < found["mean"].value < 5.6, bool(found.checks()["standard_errors"].abs().max() < 4)
    (True, True)
    """
    process = check_process(process)
    runs, seed = check_runs(runs), seed_of(rng)
    confidence, resamples = check_confidence(confidence), check_resamples(resamples)
    if sensitivity and sensitivity < 1000:
        raise InputError(f"sensitivity is 0 (no drivers) or at least 1,000 runs, got {sensitivity}")
    measure = measure_of(unit_of(process), measure, objective)
    dependence = read_correlation(correlation, tuple(s.name for s in process.steps))
    plan = prepare(process, dependence)

    totals = run_fast(plan, runs, seed)
    if not np.isfinite(totals).all():
        raise InputError("some totals are infinite: the spread of a step is too large to be added up")
    totals.sort()
    moments = sample_moments(totals)
    table = quantities(totals, moments, objective, measure.unit, confidence)
    inputs = np.full((2, len(table.names)), np.nan)
    if resamples and any(is_uncertain(s) for s in process.steps):
        inputs = _input_intervals(
            plan, dependence, objective, table, turns=resamples, seed=seed, confidence=confidence
        )
    drivers = find_drivers(plan, sensitivity, seed) if sensitivity else None
    checked = checks(plan, moments, runs, drivers)

    simulated = (float(table.low[-1]), float(table.high[-1]))
    from_inputs = (math.nan, math.nan) if objective is None else (float(inputs[0, -1]), float(inputs[1, -1]))
    standing = _standing(objective, simulated if math.isnan(from_inputs[0]) else from_inputs)
    half = 0.0 if objective is None else (simulated[1] - simulated[0]) / 2
    columns = _driver_columns(plan, drivers)
    kept_p, kept_values, edges, counts = kept(totals)
    return Simulation(
        verdict=verdict_of(
            measure,
            objective,
            runs=runs,
            median=table.value("p50"),
            p10=table.value("p10"),
            p90=table.value("p90"),
            probability=float(table.estimate[-1]),
            simulation=simulated,
            inputs=from_inputs,
            standing=standing,
            confidence=confidence,
            driver=_strongest(columns),
            independent=dependence.label == "independent" and len(process.steps) > 1,
        ),
        caveats=(
            *input_doubts((process,), dependence.label, resamples=resamples),
            *output_doubts(totals, half),
            *check_doubts(checked.names, checked.exact, checked.simulated, checked.error),
        ),
        method=method_of(
            plan,
            dependence,
            runs=runs,
            seed=seed,
            confidence=confidence,
            resamples=resamples,
            sensitivity=sensitivity,
            objective=objective,
            draws="one stream",
        ),
        provenance=Provenance(measure.name, data_hash=process_hash(process), n=runs),
        measure=measure,
        process=process,
        objective=objective,
        standing=standing,
        runs=runs,
        seed=seed,
        confidence=confidence,
        dependence=dependence.label,
        loadings=read_only(dependence.loadings),
        matrix=None if dependence.matrix is None else read_only(dependence.matrix),
        quantity=read_only(np.array(table.names, dtype=object)),
        how=read_only(np.array(table.how, dtype=object)),
        unit=read_only(np.array(table.unit, dtype=object)),
        estimate=read_only(table.estimate),
        low=read_only(table.low),
        high=read_only(table.high),
        input_low=read_only(inputs[0]),
        input_high=read_only(inputs[1]),
        kept_p=read_only(kept_p),
        kept=read_only(kept_values),
        edges=read_only(edges),
        counts=read_only(counts),
        **columns,
        check=read_only(np.array(checked.names, dtype=object)),
        check_exact=read_only(checked.exact),
        check_simulated=read_only(checked.simulated),
        check_error=read_only(checked.error),
        resamples=resamples,
        sensitivity=sensitivity,
    )


def process_hash(process: Part) -> str:
    """A hash of everything a process is made of, values of its inputs included."""
    text = json.dumps(encode(process), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _input_intervals(
    plan: Plan,
    dependence: Dependence,
    objective: Objective | None,
    table: Quantities,
    *,
    turns: int,
    seed: int,
    confidence: float,
) -> Floats:
    """Intervals from resampled inputs, shape (2, q), around the estimates of the main run."""
    base, other = outer_loop(plan, dependence, lambda x: statistics(x, objective), turns=turns, seed=seed)
    # the runs behind both are fewer than the main ones: only what the inputs change is taken from them
    moved = table.estimate + (other - base)[:, : len(table.estimate)]
    ends = np.quantile(moved, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    if objective is not None:
        ends[:, -1] = np.clip(ends[:, -1], 0.0, 1.0)
    return np.asarray(ends)


def _standing(objective: Objective | None, ends: tuple[float, float]) -> str | None:
    if objective is None or objective.share is None:
        return None
    if ends[0] >= objective.share:
        return "met"
    return "missed" if ends[1] < objective.share else "undecided"


def _driver_columns(plan: Plan, drivers: Drivers | None) -> dict[str, NDArray[Any]]:
    steps = plan.process.steps
    visits = expected_visits(plan.process)
    nothing = np.empty(0)
    took = np.full(len(steps), np.nan) if drivers is None else drivers.record.totals.mean(axis=1)
    times = np.full(len(steps), np.nan) if drivers is None else drivers.record.visits.mean(axis=1)
    found = Shares(nothing, nothing, nothing, nothing) if drivers is None else drivers.shares
    columns = {
        "step_name": np.array(plan.names, dtype=object),
        "step_origin": np.array([s.origin for s in steps], dtype=object),
        "step_visits": times,
        "step_mean": took,
        "step_exact": np.array([visits[s.name] * step_mean(plan, s) for s in steps]),
        "driver": np.array(() if drivers is None else drivers.names, dtype=object),
        "driver_kind": np.array(() if drivers is None else drivers.kinds, dtype=object),
        "rank_correlation": nothing if drivers is None else drivers.rank_correlation,
        "first": found.first,
        "first_error": found.first_error,
        "share": found.total,
        "share_error": found.total_error,
    }
    return {name: read_only(column) for name, column in columns.items()}


def _strongest(columns: dict[str, NDArray[Any]]) -> tuple[str, str, float, float] | None:
    """Name, kind, total share and rank correlation of the first driver that varies at all."""
    if not len(columns["driver"]):
        return None
    share, rank = float(columns["share"][0]), float(columns["rank_correlation"][0])
    if (math.isnan(share) and math.isnan(rank)) or share == 0 or len(columns["driver"]) == 1:
        return None
    return str(columns["driver"][0]), str(columns["driver_kind"][0]), share, rank


def method_of(
    plan: Plan,
    dependence: Dependence,
    *,
    runs: int,
    seed: int,
    confidence: float,
    resamples: int,
    sensitivity: int,
    objective: Objective | None,
    draws: str,
) -> Method:
    """Every choice behind a simulation."""
    tables = {n: m.error for n, m in zip(plan.names, plan.marginals, strict=True) if isinstance(m, Table)}
    parameters = {
        "process": str(plan.process),
        "runs": runs,
        "seed": seed,
        "generator": "SFC64",
        "draws": draws,
        "block": BLOCK,
        "dependence": dependence.label,
        "copula": "none" if dependence.label == "independent" else "Gaussian, asked for as rank correlations",
        "loadings": dict(zip(plan.names, plan.loadings, strict=True)) if plan.has_factor else {},
        "passes": "every pass of a loop or batch is drawn anew; the common factor of a run stays",
        "quantiles_by_table": f"{INTERVALS:,} intervals of normal scores from -8 to 8, linear",
        "table_error_in_sd": tables,
        "confidence": confidence,
        "resamples": resamples,
        "runs_per_resample": INNER if resamples else 0,
        "sensitivity": sensitivity,
        "objective": None if objective is None else objective.name,
    }
    return Method("simulate", parameters, REFERENCES)
