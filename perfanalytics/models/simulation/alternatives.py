"""compare_processes: which subprocesses should be composed?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.baselines.wording import number, percent, span
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Method, Provenance
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.models.simulation.asked import (
    check_confidence,
    check_resamples,
    check_runs,
    measure_of,
    meets,
    seed_of,
)
from perfanalytics.models.simulation.correlation import Asked, Dependence, read_correlation
from perfanalytics.models.simulation.doubts import input_doubts
from perfanalytics.models.simulation.engine import Plan, prepare, run_aligned
from perfanalytics.models.simulation.inputs import INNER, is_uncertain, outer_plan
from perfanalytics.models.simulation.parts import Part, check_process, unit_of
from perfanalytics.models.simulation.simulate import REFERENCES, method_of, process_hash

#: Levels at which the quantiles of each alternative are kept.
LEVELS = np.concatenate([[0.001, 0.005], np.arange(0.01, 0.995, 0.01), [0.995, 0.999]])


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What the runs of all alternatives gave; rows are alternatives."""

    totals: Floats
    met: Floats

    @property
    def differences(self) -> Floats:
        """Less the reference, run by run."""
        return np.asarray(self.totals - self.totals[0])

    @property
    def gains(self) -> Floats:
        return np.asarray(self.met - self.met[0])


def compare_processes(
    processes: Mapping[str, Part],
    *,
    runs: int = 100_000,
    rng: int | np.random.Generator,
    objective: Objective | None = None,
    measure: Measure | None = None,
    correlation: Asked | None = None,
    confidence: float = 0.95,
    resamples: int = 0,
) -> ProcessComparison:
    """Compare alternative processes with common random numbers.

    Parameters
    ----------
    processes : mapping of name to Part
        Two to twenty; the first is the reference. Steps of the same name get the same random numbers in every
        alternative, so that only what differs between the processes makes a difference.
    runs, rng, objective, measure, confidence, resamples
        As for :func:`perf.simulate`. Steps of the same name and source are resampled alike.
    correlation : float or mapping, optional
        As for :func:`perf.simulate`; steps that an alternative does not have are left out there.

    Returns
    -------
    ProcessComparison

    Raises
    ------
    InputError, UnknownNameError
        As :func:`perf.simulate`; for fewer than two processes, or processes in different units.

    Notes
    -----
    The best alternative is named only when the interval of its advantage over the next best leaves out 0:
    that from the sample sizes of the inputs where ``resamples`` were asked for, else that of the simulation.

    References
    ----------
    Law (2015), Simulation Modeling and Analysis, section 11.2 (common random numbers); CMMI-SVC V1.3 (2010),
    QWM SP 1.2 (compose the defined process).

    Examples
    --------
    >>> import perfanalytics as perf
    >>> D = perf.Distribution
    >>> triage = perf.step("triage", D.gamma(mean=1, sd=1))
    >>> repair = perf.step("repair", D.gamma(mean=6, sd=4))
    >>> found = perf.compare_processes(
    ...     {
    ...         "today": perf.sequence(triage, perf.rework(repair, probability=0.2)),
    ...         "with checklist": perf.sequence(triage, perf.step("checklist", 0.3), repair),
    ...     },
    ...     runs=20_000,
    ...     rng=1,
    ... )
    >>> found.best
    'with checklist'
    """
    if not isinstance(processes, Mapping) or not 2 <= len(processes) <= 20:
        raise InputError("compare_processes takes 2 to 20 processes by name: {'today': ..., 'new': ...}")
    names = tuple(str(name) for name in processes)
    parts = tuple(check_process(process) for process in processes.values())
    units = {unit_of(p) for p in parts} - {""}
    if len(units) > 1:
        raise InputError(f"the processes are in different units: {', '.join(sorted(units))}")
    runs, seed = check_runs(runs), seed_of(rng)
    confidence, resamples = check_confidence(confidence), check_resamples(resamples)
    measure = measure_of(next(iter(units), ""), measure, objective)
    dependences = tuple(_dependence(correlation, part, parts) for part in parts)
    plans = tuple(prepare(p, d) for p, d in zip(parts, dependences, strict=True))

    found = _run(plans, runs, seed, objective)
    uncertain = resamples and any(is_uncertain(s) for p in parts for s in p.steps)
    inputs = _inputs(plans, dependences, objective, resamples, seed) if uncertain else None
    z = float(special.ndtri((1 + confidence) / 2))
    difference, difference_error = _mean_and_error(found.differences)
    gain, gain_error = _mean_and_error(found.gains)
    nothing = np.full((2, len(names)), np.nan)
    of_difference, of_gain = nothing, nothing
    if inputs is not None:
        of_difference = _ends(difference, z * difference_error, inputs[0] - inputs[0][:, :1], confidence)
        if objective is not None:
            of_gain = _ends(gain, z * gain_error, inputs[1] - inputs[1][:, :1], confidence)
    best, sentence = _best(names, found, objective, measure, inputs, confidence, z)
    mean, sd = found.totals.mean(axis=1), found.totals.std(axis=1, ddof=1)
    quantiles = np.quantile(found.totals, LEVELS, axis=1).T
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = found.differences.var(axis=1, ddof=1) / (sd**2 + sd[0] ** 2)
    digest = hashlib.blake2b(" ".join(process_hash(p) for p in parts).encode(), digest_size=16).hexdigest()
    columns = {
        "names": np.array(names, dtype=object),
        "mean": mean,
        "sd": sd,
        "p50": np.quantile(found.totals, 0.5, axis=1),
        "p90": np.quantile(found.totals, 0.9, axis=1),
        "probability": found.met.mean(axis=1),
        "difference": difference,
        "difference_low": difference - z * difference_error,
        "difference_high": difference + z * difference_error,
        "gain": gain,
        "gain_low": gain - z * gain_error,
        "gain_high": gain + z * gain_error,
        "difference_input_low": of_difference[0],
        "difference_input_high": of_difference[1],
        "gain_input_low": of_gain[0],
        "gain_input_high": of_gain[1],
        "better_runs": (found.differences < 0).mean(axis=1),
        "variance_ratio": np.where(np.arange(len(names)) == 0, np.nan, ratio),
        "levels": LEVELS,
        "quantiles": quantiles,
    }
    return ProcessComparison(
        verdict=sentence,
        caveats=tuple(input_doubts(parts, dependences[0].label, resamples=resamples)),
        method=_method(
            plans, dependences, names, runs=runs, seed=seed, confidence=confidence, resamples=resamples,
            objective=objective,
        ),
        provenance=Provenance(measure.name, data_hash=digest, n=runs),
        measure=measure,
        objective=objective,
        processes=parts,
        best=best,
        runs=runs,
        seed=seed,
        resamples=resamples,
        confidence=confidence,
        dependence=dependences[0].label,
        **{name: read_only(column) for name, column in columns.items()},
    )  # fmt: skip


def _dependence(asked: Asked | None, part: Part, parts: tuple[Part, ...]) -> Dependence:
    """What was asked for, less what speaks of steps that only other alternatives have."""
    own = tuple(s.name for s in part.steps)
    if not isinstance(asked, Mapping):
        return read_correlation(asked, own)
    known = {s.name for p in parts for s in p.steps}
    for key in asked:
        for name in key if isinstance(key, tuple) else (key,):
            if name not in known:
                raise UnknownNameError("step", str(name), known)
    kept: dict[Any, float] = {
        key: value
        for key, value in asked.items()
        if all(name in own for name in (key if isinstance(key, tuple) else (key,)))
    }
    return read_correlation(kept, own)


def _run(plans: tuple[Plan, ...], runs: int, seed: int, objective: Objective | None) -> _Run:
    totals = np.array([run_aligned(plan, runs, seed) for plan in plans])
    if objective is None:
        return _Run(totals, np.full((len(plans), 1), np.nan))
    inside = totals <= objective.target if objective.direction == "at_most" else totals >= objective.target
    return _Run(totals, inside.astype(float))


def _mean_and_error(x: Floats) -> tuple[Floats, Floats]:
    if x.shape[1] < 2:
        return np.full(len(x), np.nan), np.full(len(x), np.nan)
    return x.mean(axis=1), x.std(axis=1, ddof=1) / np.sqrt(x.shape[1])


def _inputs(
    plans: tuple[Plan, ...],
    dependences: tuple[Dependence, ...],
    objective: Objective | None,
    turns: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Means and probabilities with resampled inputs less those with the inputs as they are, (turns, a)."""

    def both(plan: Plan) -> tuple[float, float]:
        totals = run_aligned(plan, INNER, seed)
        return float(totals.mean()), np.nan if objective is None else meets(totals, objective)

    base = np.array([both(plan) for plan in plans])
    found = np.array(
        [
            [both(outer_plan(plan, d, seed, turn)) for plan, d in zip(plans, dependences, strict=True)]
            for turn in range(turns)
        ]
    )
    moved = found - base
    return moved[:, :, 0], moved[:, :, 1]


def _ends(center: Floats, half: Floats, moved: Floats, confidence: float) -> Floats:
    """Ends from resampled inputs, with the half width of the simulation error added in quadrature."""
    low, high = np.quantile(moved, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    return np.array([center - np.hypot(low, half), center + np.hypot(high, half)])


def _best(
    names: tuple[str, ...],
    found: _Run,
    objective: Objective | None,
    measure: Measure,
    inputs: tuple[Floats, Floats] | None,
    confidence: float,
    z: float,
) -> tuple[str | None, str]:
    """The best alternative, if it can be told from the next, and the verdict."""
    judged = -found.totals if objective is None else found.met
    score = judged.mean(axis=1)
    order = np.argsort(-score, kind="stable")
    first, second = int(order[0]), int(order[1])
    apart, error = _mean_and_error((judged[first] - judged[second])[None])
    low, high = float(apart[0] - z * error[0]), float(apart[0] + z * error[0])
    how = "simulation error alone"
    if inputs is not None:
        moved = -inputs[0] if objective is None else inputs[1]
        ends = _ends(apart, z * error, (moved[:, first] - moved[:, second])[:, None], confidence)
        low, high = float(ends[0, 0]), float(ends[1, 0])
        how = "the sample sizes of the inputs and the simulation"
    if objective is None:
        text = (
            f"{measure.name}: {names[first]!r} takes {number(-float(score[first]), measure.unit)} on "
            f"average, {number(float(apart[0]), measure.unit)} less than {names[second]!r}"
        )
        ends_text = span(low, high, measure.unit)
    else:
        side = "at most" if objective.direction == "at_most" else "at least"
        text = (
            f"{measure.name}: {names[first]!r} meets objective {objective.name!r} ({side} "
            f"{number(objective.target, measure.unit)}) with {percent(float(score[first]), fine=True)}, "
            f"{names[second]!r} with {percent(float(score[second]), fine=True)}"
        )
        ends_text = f"a difference of {100 * low:.1f} to {100 * high:.1f} points"
    text += f" ({ends_text}; {percent(confidence)} interval from {how})."
    if low > 0:
        return names[first], text
    return None, f"{text} They cannot be told apart."


def _method(
    plans: tuple[Plan, ...],
    dependences: tuple[Dependence, ...],
    names: tuple[str, ...],
    *,
    runs: int,
    seed: int,
    confidence: float,
    resamples: int,
    objective: Objective | None,
) -> Method:
    each = {
        name: dict(
            method_of(
                plan,
                dependence,
                runs=runs,
                seed=seed,
                confidence=confidence,
                resamples=resamples,
                sensitivity=0,
                objective=objective,
                draws="a stream for each step and decision, the same in every alternative",
            ).parameters
        )
        for name, plan, dependence in zip(names, plans, dependences, strict=True)
    }
    references = (*REFERENCES, "Law (2015), Simulation Modeling and Analysis, section 11.2")
    return Method("compare_processes", {"reference": names[0], "alternatives": each}, references)
