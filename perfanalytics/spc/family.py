"""What a chart type must supply: panels, parameters, estimators, and three small functions.

``points`` says what is plotted, ``estimate`` turns the points of each stage into a few parameters,
``lines`` turns parameters into the center line and the sigma of each point. Everything else (stages,
exclusions, frozen limits, rules, caveats, stability, figures, bulk) is common to all charts.

- Charts whose points are not the values (subgroup means and ranges) give other offsets in ``points``
  and carry what they need in ``columns``.
- Charts with memory (EWMA, CUSUM) compute their path in ``lines``; their panel uses limits only, and
  ``deviations`` gives what the doubts about independence and shape look at.
- Charts whose limits are not center +- k sigma (probability limits, T2) give ``lower`` and ``upper``.
- A chart of single values or of subgroups is two families under one name: ``subgrouped`` is the other one.
- What a fit found beyond center and sigma (the order of a model) ``found`` and ``sentence`` tell, and
  ``doubts`` are what only this chart type can doubt.
- What a chart type lets the user choose (lambda, k, span) it declares as ``options``; how its limits are made
  (k sigma, probability) as ``limit_kinds``. ``Block.asked`` says what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.segments import Flags
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.options import Asked, Option, check_asked
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import WHOLE, RuleSet, as_rule_set
from perfanalytics.spc.scores import Law


@dataclass(frozen=True, slots=True)
class Tested:
    """One test of whole segments; arrays of shape (m,).

    ``bound`` is the value the statistic is compared with: a limit, or what is expected where the test goes by
    its p-value.
    """

    name: str
    statistic: Floats
    bound: Floats
    p_value: Floats
    signal: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTests:
    """What a chart that judges whole segments itself finds: m segments, n points.

    Parameters
    ----------
    fired : unsigned integer array, shape (n,)
        Bits of the chart's own rules at the points they mark.
    p_value, expected : float arrays, shape (m,)
        Evidence against stability (NaN where not judged), and marked points of a stable process.
    useful : int array, shape (m,)
    tests : tuple of Tested
    z : float array, shape (n,), or None
        How far each point is out, as a normal value; None where points are not judged one by one.
    more : tuple of arrays like ``fired``
        The same for the further panels.
    """

    fired: NDArray[Any]
    p_value: Floats
    expected: Floats
    useful: NDArray[np.int64]
    tests: tuple[Tested, ...]
    z: Floats | None = None
    more: tuple[NDArray[Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A doubt only one chart type can have: a figure for each segment, and from where on it is one.

    Parameters
    ----------
    code : str
    measured : callable ``(block, parameters) -> array of shape (segments,)``
        NaN where there is nothing to doubt.
    holds : callable ``(measured, n) -> bool array``
        n: used points.
    text : callable ``(measured, n) -> str``
        The sentence of one segment.
    name : str
        What the figure is called as evidence.
    """

    code: str
    measured: Callable[[Block, Mapping[str, Floats]], Floats]
    holds: Callable[[Floats, NDArray[np.int64]], Flags]
    text: Callable[[float, int], str]
    name: str


#: How sigma arises: it decides which table says what a stable chart shows (perfanalytics.spc.stability).
Mode = Literal["moving_range", "median_moving_range", "standard_deviation", "laney", "model", "family", "own"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartFamily:
    """A chart type.

    Parameters
    ----------
    name, title : str
        The word for ``chart=``; what a heading says.
    panels : tuple of Panel
        The first one is the main panel.
    parameters : tuple of str
        What is estimated in each stage, and what frozen limits consist of.
    estimators : mapping of name to str
        How the parameters can be estimated, each with a sentence for ``.method``; the first is the default.
    modes : mapping of estimator to Mode
        "family": stable series are simulated through this very chart.
    points : callable ``(batch, options) -> Points``
        Without ``excluded`` and ``breaks`` where the points are the values: they are filled in.
    estimate : callable ``(block, estimator) -> {parameter: array of shape (segments,)}``
    lines : callable ``(block, parameters) -> tuple of Lines``, one a panel
    expected : callable ``(block, parameters) -> array of shape (segments,)``, or None
        Mean number expected in the rarer class of a point, for charts of counts.
    law : callable ``(block, parameters) -> Law``, or None
        The discrete law of each point: stability is then judged on its exact probabilities.
    deviations : callable ``(block, parameters) -> array of shape (n,)``, or None
        Independent standardized points, where the plotted ones are not.
    options : mapping of name to Option
    limit_kinds : mapping of name to str
        How limits can be made, each with a sentence for ``.method``; the first is the default.
    sigmas : float
        Width of the limits unless another is asked for.
    null : callable ``(rng, shape) -> array``, or None
        Values of a stable process; None: standard normal.
    known : callable ``(asked) -> {parameter: number}``, or None
        The true parameters of ``null``; None: center 0, everything else 1.
    own : callable ``(block, parameters) -> OwnTests``, or None
        Judges whole stages where points have no limits; ``own_rules`` are then the only rules.
    optional : mapping of parameter to float
        Given parameters that may be left out, and what they then are.
    limitless : bool
        True for a chart without limits.
    grouped : bool
        True where a point is a subgroup of values.
    subgrouped : ChartFamily or None
        The same chart for subgroups, where this one takes single values.
    several : bool
        True where a row of values is one point of several measures.
    known_as : str
        The table of stable charts for limits that come from elsewhere ("known", "known_two_panels"); "": the
        chart itself is simulated where one of its modes is "family", otherwise by its number of panels.
    span_option : str
        Name of the option that says how many points a moving range has; "": none.
    found : callable ``(parameters, asked) -> mapping``, or None
        What the fit of each stage found, or the limits were designed to, for ``.method``.
    sentence : callable ``(parameters, stage) -> str``, or None
        The same in words, for the verdict.
    doubts : tuple of Doubt
    varies : str
        Why limits differ from point to point, for the verdict.
    needed : int
        Points below which limits are doubtful.
    model_sigma : bool
        True where sigma follows from the center and the size (binomial, Poisson).
    dispersion : callable ``(block, parameters) -> (spread, low, high)``, or None
        How much the points vary relative to the model, and between what that is usual; arrays of shape
        (segments,). None: by moving ranges, for charts with ``model_sigma``.
    ordered : bool
        False where the points are units instead of times: no stages, no doubts about order.
    transformable : bool
        True where the values may be transformed (``transform=``).
    told : callable ``(chart) -> str``, or None
        The verdict, where the common one does not say what the chart is about.
    references : tuple of str
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    parameters: tuple[str, ...]
    estimators: Mapping[str, str]
    modes: Mapping[str, Mode]
    points: Callable[[SeriesBatch, Mapping[str, Any]], Points]
    estimate: Callable[[Block, str], dict[str, Floats]]
    lines: Callable[[Block, Mapping[str, Floats]], tuple[Lines, ...]]
    expected: Callable[[Block, Mapping[str, Floats]], Floats] | None = None
    law: Callable[[Block, Mapping[str, Floats]], Law] | None = None
    deviations: Callable[[Block, Mapping[str, Floats]], Floats] | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    limit_kinds: Mapping[str, str] = field(default_factory=lambda: {"sigma": "center -+ k sigma"})
    sigmas: float = 3.0
    null: Callable[[np.random.Generator, Any], Floats] | None = None
    known: Callable[[Asked], dict[str, float]] | None = None
    own: Callable[[Block, Mapping[str, Floats]], OwnTests] | None = None
    own_rules: RuleSet | None = None
    optional: Mapping[str, float] = field(default_factory=dict)
    limitless: bool = False
    grouped: bool = False
    subgrouped: ChartFamily | None = None
    several: bool = False
    known_as: str = ""
    span_option: str = ""
    found: Callable[[Mapping[str, Floats], Asked], Mapping[str, Any]] | None = None
    sentence: Callable[[Mapping[str, Floats], int], str] | None = None
    doubts: tuple[Doubt, ...] = ()
    varies: str = "they vary with the size"
    needed: int = 20
    model_sigma: bool = False
    dispersion: Callable[[Block, Mapping[str, Floats]], tuple[Floats, Floats, Floats]] | None = None
    ordered: bool = True
    transformable: bool = False
    told: Callable[[Any], str] | None = None
    references: tuple[str, ...] = ()

    @property
    def default(self) -> str:
        """The estimator used unless another is asked for."""
        return next(iter(self.estimators))

    def for_batch(self, batch: SeriesBatch) -> ChartFamily:
        """The family for this kind of points: the one of subgroups where the batch brings such."""
        grouped = batch.subgroups is not None or (batch.values.ndim == 2 and not self.several)
        return self.subgrouped if grouped and self.subgrouped is not None else self

    def for_estimate(self, estimate: object) -> ChartFamily:
        """The family that estimates so: that of subgroups for what only they have."""
        other = self.subgrouped
        if other is not None and isinstance(estimate, str) and estimate not in self.estimators:
            return other if estimate in other.estimators else self
        return self

    def of_size(self, size: int) -> ChartFamily:
        """The family for ``size`` values a point (0: one)."""
        return self.subgrouped if size and self.subgrouped is not None else self

    def rules_of(self, rules: object) -> RuleSet:
        """The rules this chart uses when asked for these: its own where it has such.

        Raises
        ------
        InputError, UnknownNameError
        """
        asked = as_rule_set(rules)
        if self.own_rules is not None:
            return self.own_rules
        whole = [r.name for r in asked.rules if r.pattern in WHOLE]
        if whole:
            raise InputError(f"{', '.join(whole)}: such rules judge whole stages, take chart='run' for them")
        return asked

    def check_estimator(self, name: str) -> str:
        """``name`` if the family has such an estimator.

        Raises
        ------
        UnknownNameError
        """
        if name not in self.estimators:
            of = " of subgroups" if self.grouped else ""
            raise UnknownNameError(f"estimate for a {self.name} chart{of}", name, self.estimators)
        return name

    @property
    def all_estimators(self) -> Mapping[str, str]:
        """Ways of estimating, for single values and for subgroups."""
        return {**self.estimators, **({} if self.subgrouped is None else self.subgrouped.estimators)}

    def check(self, options: object, limits: object, sigmas: object) -> Asked:
        """What was chosen, defaults filled in.

        Raises
        ------
        InputError, UnknownNameError
        """
        return check_asked(
            self.name,
            self.options,
            self.limit_kinds,
            self.sigmas,
            options=options,
            limits=limits,
            sigmas=sigmas,
        )


def one_column(batch: SeriesBatch, chart: str) -> Floats:
    """The values, checked to be one number a point.

    Raises
    ------
    InputError
    """
    if batch.values.ndim != 1:
        raise InputError(
            f"the {chart} chart takes one value a point; these have {batch.values.shape[1]} columns"
        )
    return batch.values
