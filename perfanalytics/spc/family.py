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
from perfanalytics.core.segments import Flags, Segments, links, moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.options import Asked, Option, check_asked
from perfanalytics.spc.rules import WHOLE, RuleSet, as_rule_set
from perfanalytics.spc.scores import Law


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What a family plots, flat over the points of all series.

    Parameters
    ----------
    offsets : int array, shape (m + 1,)
        Points of series ``i``: ``offsets[i]`` to ``offsets[i + 1]``.
    value : float array, shape (n,)
        The statistic of the main panel; NaN is a gap.
    size : float array, shape (n,), or None
        Denominator or subgroup size of each point.
    columns : mapping of name to float array, shape (n,)
        Whatever else the family needs (counts, ranges within subgroups).
    excluded, breaks : bool array, shape (n,), or None
    batch : SeriesBatch or None
        The points as series of their own (times, labels, rhythm, exclusions), where they are not the values.
    how : mapping
        Choices made on the way, for ``.method``.
    share : bool or None
        Whether the values are shares, told in percent; None: where the main panel ends at 1.
    """

    offsets: NDArray[np.int64]
    value: Floats
    size: Floats | None = None
    columns: Mapping[str, Floats] = field(default_factory=dict)
    excluded: Flags | None = None
    breaks: Flags | None = None
    batch: SeriesBatch | None = None
    how: Mapping[str, Any] = field(default_factory=dict)
    share: bool | None = None

    def part(self, first: int, last: int) -> Points:
        """The points of series ``first`` to ``last - 1``."""
        a, b = int(self.offsets[first]), int(self.offsets[last])

        def cut(column: Any) -> Any:
            return None if column is None else column[a:b]

        return Points(
            offsets=self.offsets[first : last + 1] - a,
            value=self.value[a:b],
            size=cut(self.size),
            columns={k: v[a:b] for k, v in self.columns.items()},
            excluded=cut(self.excluded),
            breaks=cut(self.breaks),
            batch=self.batch,
            how=self.how,
            share=self.share,
        )


class Block:
    """The points of a few whole series with their segments: what ``estimate`` and ``lines`` work on.

    Attributes
    ----------
    points : Points
    segments : Segments
        One segment a stage of a series.
    use : bool array or None
        False for missing and excluded points; None when every point is used.
    keep : bool array or None
        The points limits are estimated from (``use``, narrowed by chosen points); None: every point.
    link, keep_link : bool array
        True where a point follows its neighbour, among the used and among the kept points.
    frozen : bool
        True where the parameters came from elsewhere.
    asked : Asked
        Options, kind of limits and their width.
    """

    __slots__ = (
        "_pairs",
        "_ranges",
        "asked",
        "frozen",
        "keep",
        "keep_link",
        "link",
        "points",
        "segments",
        "use",
    )

    def __init__(
        self,
        points: Points,
        segments: Segments,
        chosen: Flags | None = None,
        asked: Asked = Asked(),  # noqa: B008 (immutable)
        *,
        frozen: bool = False,
    ) -> None:
        self.points, self.segments, self.asked, self.frozen = points, segments, asked, frozen
        use = ~np.isnan(points.value)
        if points.excluded is not None:
            use &= ~points.excluded
        self.use = None if use.all() else use
        self.keep = self.use if chosen is None else (chosen if self.use is None else chosen & self.use)
        self.link = links(segments, self.use, points.breaks)
        self.keep_link = self.link if chosen is None else links(segments, self.keep, points.breaks)
        self._ranges: Floats | None = None
        self._pairs: Floats | None = None

    def kept(self, x: Floats) -> Floats:
        """``x`` with 0 at the points that do not count for the limits: ready to be summed."""
        if self.keep is None:
            return x
        out = x.copy()
        # few points drop out, so that an index is faster than a mask
        out[np.flatnonzero(~self.keep)] = 0.0
        return out

    def n_kept(self) -> Floats:
        """Number of points behind the limits of each segment, shape (m,)."""
        if self.keep is None:
            return self.segments.lengths.astype(np.float64)
        return self.segments.counts(self.keep).astype(np.float64)

    def pairs(self) -> Floats:
        """Number of linked neighbours of each segment, shape (m,); counted once."""
        if self._pairs is None:
            self._pairs = self.segments.counts(self.link).astype(np.float64)
        return self._pairs

    def kept_pairs(self) -> Floats:
        """Number of kept neighbours of each segment, shape (m,)."""
        if self.keep_link is self.link:
            return self.pairs()
        return self.segments.counts(self.keep_link).astype(np.float64)

    def ranges(self) -> Floats:
        """Moving ranges of the values, 0 where there is none; computed once."""
        if self._ranges is None:
            self._ranges = moving_ranges(self.points.value, self.link)
        return self._ranges

    def kept_ranges(self) -> Floats:
        """Moving ranges between kept neighbours, 0 elsewhere."""
        if self.keep_link is self.link:
            return self.ranges()
        return moving_ranges(self.points.value, self.keep_link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """One panel: what is plotted, its center line and the sigma of each point; arrays of shape (n,).

    ``lower`` and ``upper`` replace ``center -+ k sigma`` where limits are made otherwise; ``most`` is the
    largest value a point can have, where that differs from point to point; ``z`` the standardized points,
    where they are not the distance in sigma.
    """

    value: Floats
    center: Floats
    sigma: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    most: Floats | None = None
    z: Floats | None = None

    def standardized(self, limit: float, *, certain: bool = False) -> Floats:
        """Distance from the center line in sigma; given limits become ``-+ limit``, no sigma NaN.

        ``certain`` says that every sigma is known to be positive.
        """
        if self.z is not None:
            return self.z.copy()
        if self.lower is None and self.upper is None:
            z = self.value - self.center
            with np.errstate(invalid="ignore", divide="ignore"):
                z /= self.sigma
            if not certain:
                np.copyto(z, np.nan, where=np.isinf(z))
            return z
        out = np.full(len(self.value), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            for bound, sign in ((self.upper, 1.0), (self.lower, -1.0)):
                if bound is not None:
                    side = sign * (self.value - self.center) >= 0
                    z = sign * limit * (self.value - self.center) / (sign * (bound - self.center))
                    np.copyto(out, z, where=side & np.isfinite(z))
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One of the pictures of a chart.

    Parameters
    ----------
    name : str
        "individuals", "moving range", "p" ...
    independent : bool
        True where the points are independent in a stable process: all rules apply. Otherwise limits only.
    spread : bool
        True where the panel shows variation: more of it is a concern whatever the measure.
    floor, ceiling : float or None
        Limits are clipped here (0 and 1 for proportions).
    constant : bool
        True where center and sigma are the same for every point of a stage.
    main : bool
        True for a further panel that belongs to the main one (the lower of two one-sided statistics).
    axis : str
        What its axis is called, with ``{label}``, ``{name}`` and ``{unit}`` of the measure; "": the measure,
        or the name of the panel.
    level : bool
        True where the panel shows levels on the scale of the values: a transformation is taken back there.
    unitless : bool
        True where the panel shows a statistic without the unit of the measure.
    """

    name: str
    independent: bool
    spread: bool = False
    floor: float | None = None
    ceiling: float | None = None
    constant: bool = False
    main: bool = False
    axis: str = ""
    level: bool = False
    unitless: bool = False

    def limits(self, lines: Lines, sigmas: float) -> tuple[Floats, Floats]:
        """Lower and upper limit of each point, clipped; NaN where there is no limit."""
        lower = lines.center - sigmas * lines.sigma if lines.lower is None else lines.lower
        upper = lines.center + sigmas * lines.sigma if lines.upper is None else lines.upper
        if self.floor is not None:
            lower, upper = np.maximum(lower, self.floor), np.maximum(upper, self.floor)
        if self.ceiling is not None:
            lower, upper = np.minimum(lower, self.ceiling), np.minimum(upper, self.ceiling)
        if lines.most is not None:
            lower, upper = np.minimum(lower, lines.most), np.minimum(upper, lines.most)
        return lower, upper


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
