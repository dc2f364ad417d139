"""What the sample sizes of the inputs do to the answer: the process is run again with resampled inputs."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.core.columns import Floats
from perfanalytics.models.simulation.correlation import Dependence
from perfanalytics.models.simulation.engine import Plan, prepare, run_aligned
from perfanalytics.models.simulation.marginals import Marginal, marginal_of
from perfanalytics.models.simulation.parts import Step
from perfanalytics.models.simulation.sources import ModelItem, Sample

#: Runs of the process with each set of resampled inputs.
INNER = 2**13


def is_uncertain(step: Step) -> bool:
    """Whether the source of a step was estimated from data, with an error that is known."""
    source = step.source
    if isinstance(source, Fitted):
        return bool(np.isfinite(source.covariance).all())
    if isinstance(source, Sample):
        return bool(np.isfinite(source.n_effective))
    return isinstance(source, ModelItem)


def resampled(step: Step, seed: int, turn: int) -> Marginal:
    """The source as it might have come out with other data of the same size.

    Observed values are drawn again (as many as the effective sample size), parameters of fitted
    distributions from their asymptotic normal law (positive ones on the log scale), the prediction of a model
    from the law of its coefficients and of its residual variance. Equal steps get equal draws everywhere.

    References
    ----------
    Barton, Nelson and Xie (2014), INFORMS Journal on Computing 26, 74-87 (input uncertainty by bootstrap).
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(step.name.encode()), turn]))
    source = step.source
    if isinstance(source, Sample):
        many = max(1, round(source.n_effective))
        return marginal_of(replace(source, values=rng.choice(source.values, many)))
    if isinstance(source, Fitted) and is_uncertain(step):
        return marginal_of(replace(source, estimate=_other_estimate(source, rng)))
    if isinstance(source, ModelItem):
        spread = source.spread * float(np.sqrt(source.df / rng.chisquare(source.df)))
        center = source.center + source.error * float(rng.standard_normal())
        return marginal_of(replace(source, center=center, spread=spread))
    return marginal_of(source)


def _other_estimate(fitted: Fitted, rng: np.random.Generator) -> Floats:
    logs = np.array([*FAMILIES[fitted.family].logs, False])[: len(fitted.estimate)]
    scale = np.where(logs, fitted.estimate, 1.0)
    values, vectors = np.linalg.eigh(fitted.covariance / np.outer(scale, scale))
    moved = vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(len(values)))
    # a draw six standard errors away would be a numerical accident, exp() of it a nonsense
    moved = np.clip(moved, -20.0, 20.0)
    return np.asarray(
        np.where(logs, fitted.estimate * np.exp(np.where(logs, moved, 0.0)), fitted.estimate + moved)
    )


def outer_plan(base: Plan, dependence: Dependence, seed: int, turn: int) -> Plan:
    """The process with all its inputs resampled once."""
    made = tuple(
        resampled(step, seed, turn) if is_uncertain(step) else known
        for step, known in zip(base.process.steps, base.marginals, strict=True)
    )
    return prepare(base.process, dependence, made)


def outer_loop(
    plan: Plan,
    dependence: Dependence,
    statistics: Callable[[Floats], Floats],
    *,
    turns: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Statistics of the total with the inputs as they are, and with resampled inputs, shape (turns, q).

    All of them use the same random numbers, so that what differs between them is the inputs.
    """
    base = statistics(run_aligned(plan, INNER, seed))
    out = np.empty((turns, len(base)))
    for turn in range(turns):
        out[turn] = statistics(run_aligned(outer_plan(plan, dependence, seed, turn), INNER, seed))
    return base, out
