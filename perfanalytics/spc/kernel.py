"""The kernel: parameters, lines, rules and what is counted, for all segments of a block at once.

Pure functions on flat arrays; a single chart is a block of one series, ten thousand charts are the same
calls over blocks of whole series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Flags, Segments, moving_ranges
from perfanalytics.core.segments import lag1 as lag1_of
from perfanalytics.spc.constants import d2
from perfanalytics.spc.family import ChartFamily, OwnTests
from perfanalytics.spc.options import Asked
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import ON_LINE, Rule, RuleSet
from perfanalytics.spc.scores import chance_ratio, normal_scores
from perfanalytics.spc.signals import Bits, bits_type, find_signals
from perfanalytics.spc.transforms import Scale

#: A sigma below this share of the center is rounding, not variation.
NO_VARIATION = 1e-13
#: Standard error of sigma_z (mean moving range / d2) is about 0.909 / sqrt(n - 1) in a stable series:
#: relative variance 0.8264 / (n - 1), Cryer and Ryan (1990), Journal of Quality Technology 22, 187-192.
RELATIVE_ERROR = 0.909


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What makes a chart, the data apart; ``measures`` is their number where a point is a row of several."""

    family: ChartFamily
    rules: RuleSet
    asked: Asked
    estimator: str
    frozen: Mapping[str, Any] | None = None
    measures: int = 0

    @property
    def sigmas(self) -> float:
        """Width of the limits in sigma."""
        return self.asked.sigmas


@dataclass(frozen=True, slots=True, kw_only=True)
class Charted:
    """What the kernel gives for one block: m segments, n points, k panels, r rules."""

    block: Block
    parameters: dict[str, Floats]
    lines: tuple[Lines, ...]
    z: Floats
    fired: tuple[Bits, ...]
    own: OwnTests | None = None
    #: The transformation of each segment; lines and parameters are on the transformed scale.
    scale: Scale | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One row a segment: what the bulk summary, the caveats and the verdict are made from.

    ``lower``, ``upper`` and ``sigma`` are NaN where they vary from point to point, ``lowest`` and ``highest``
    are the outermost limits then; ``farthest`` (the largest
    distance from the center line in sigma) where no point could be judged. ``judged_signals``,
    ``judged_farthest`` and ``chance`` (signals for each one of a normal series) are what stability is judged
    by: the first two are those of the points unless the family knows their law. ``spread`` is unusual outside
    ``spread_low`` and ``spread_high``; ``kurtosis`` (excess) is that of transformed values.
    ``own`` has one row for each doubt of the chart type.
    """

    n: NDArray[np.int64]
    n_kept: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    n_excluded: NDArray[np.int64]
    center: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    lowest: Floats
    highest: Floats
    n_signals: NDArray[np.int64]
    judged_signals: NDArray[np.int64]
    judged_farthest: Floats
    chance: Floats
    size: Floats
    by_rule: NDArray[np.int64]
    newest: NDArray[np.int64]
    farthest: Floats
    lag1: Floats
    spread: Floats
    spread_low: Floats
    spread_high: Floats
    skewness: Floats
    kurtosis: Floats
    ties: Floats
    no_variation: Flags
    smallest_count: Floats
    own: Floats


def panel_rules(setting: Setting, independent: bool) -> list[tuple[int, Rule]]:
    """The rules of a panel with their bits: only the limits where points are not independent."""
    return [(bit, r) for bit, r in enumerate(setting.rules.rules) if independent or r.is_limit]


def chart_block(
    points: Points,
    segments: Segments,
    setting: Setting,
    *,
    chosen: Flags | None = None,
    parameters: dict[str, Floats] | None = None,
    scale: Scale | None = None,
) -> Charted:
    """Parameters, lines and signals of a block; ``parameters`` of each segment may come from elsewhere."""
    family = setting.family
    block = Block(points, segments, chosen, setting.asked, frozen=setting.frozen is not None)
    if parameters is not None:
        pass
    elif setting.frozen is None:
        parameters = family.estimate(block, setting.estimator)
        if "sigma" in parameters:
            sigma = parameters["sigma"]
            sigma[sigma <= NO_VARIATION * np.abs(parameters["center"])] = 0.0
    else:
        parameters = {k: _repeated(setting.frozen[k], len(segments)) for k in family.parameters}
    lines = family.lines(block, parameters)
    if family.own is not None:
        own = family.own(block, parameters)
        z = np.full(segments.n, np.nan) if own.z is None else own.z
        if points.excluded is not None:
            z[np.flatnonzero(points.excluded)] = np.nan
        fired_by = (own.fired, *own.more)
        return Charted(block=block, parameters=parameters, lines=lines, z=z, fired=fired_by, own=own)
    fired = []
    first = np.empty(0)
    for k, (panel, line) in enumerate(zip(family.panels, lines, strict=True)):
        rules = panel_rules(setting, panel.independent)
        if k and panel.constant and not panel.independent and not panel.main:
            fired.append(_beyond(panel, line, block, rules, setting))
            continue
        certain = panel.constant and bool((line.sigma[segments.starts] > 0).all())
        z = line.standardized(setting.sigmas, certain=certain)
        if points.excluded is not None:
            # missing points are NaN by themselves
            z[np.flatnonzero(points.excluded)] = np.nan
        if k == 0:
            first = z
        elif panel.main:
            # the farther of the two sides of one statistic
            first = np.where(np.abs(z) > np.abs(first), z, first)
        fired.append(_fire(rules, z, block, setting))
    return Charted(block=block, parameters=parameters, lines=lines, z=first, fired=tuple(fired), scale=scale)


def _repeated(value: Any, segments: int) -> Floats:
    """The same parameter for every segment; a number, or an array for charts of several measures."""
    one = np.asarray(value, dtype=np.float64)
    return np.repeat(one[None], segments, axis=0)


def _beyond(
    panel: Panel, line: Lines, block: Block, rules: Sequence[tuple[int, Rule]], setting: Setting
) -> Bits:
    """The limits of a dependent panel, compared as they stand: as by standardized values, in fewer passes."""
    seg = block.segments
    center, sigma = line.center[seg.starts], line.sigma[seg.starts]
    # without variation nothing is judged; NaN compares False
    reach = np.where(sigma > 0, (setting.sigmas + ON_LINE) * sigma, np.inf)
    out = line.value > seg.expand(center + reach)
    low = center - reach
    if panel.floor is None or (low > panel.floor).any():
        out |= line.value < seg.expand(low)
    if block.points.excluded is not None:
        out[np.flatnonzero(block.points.excluded)] = False
    dtype = bits_type(len(setting.rules.rules))
    bits = np.asarray(sum(1 << bit for bit, _ in rules), dtype=dtype)
    return np.asarray(np.where(out, bits, np.zeros((), dtype=dtype)))


def _fire(rules: Sequence[tuple[int, Rule]], z: Floats, block: Block, setting: Setting) -> Bits:
    start = None
    if any(r.gap == "skipped" or r.tie == "skipped" for _, r in rules):
        start = np.zeros(block.segments.n, dtype=bool)
        start[block.segments.starts] = True
    if len(rules) == len(setting.rules.rules):
        return find_signals(setting.rules.rules, z, block.link, limit=setting.sigmas, segment_start=start)
    # the few rules of a dependent panel keep the bits they have in the set
    out: Any = 0
    for bit, rule in rules:
        found = find_signals([rule], z, block.link, limit=setting.sigmas, segment_start=start)
        out = out | (found.astype(np.uint32) << np.uint32(bit))
    return np.asarray(np.zeros(len(z), dtype=np.uint8) if isinstance(out, int) else out)


def count_block(charted: Charted, setting: Setting) -> Counted:
    """One row a segment: limits, signals, evidence."""
    block, family = charted.block, setting.family
    seg, m = block.segments, len(block.segments)
    used = seg.lengths.astype(np.int64) if block.use is None else seg.counts(block.use)
    excluded = (
        np.zeros(m, dtype=np.int64) if block.points.excluded is None else seg.counts(block.points.excluded)
    )
    missing = np.zeros(m, dtype=np.int64)
    if block.use is not None:
        gone = np.isnan(block.points.value)
        if block.points.excluded is not None:
            gone &= ~block.points.excluded
        missing = seg.counts(gone)
    center, sigma, lower, upper, lowest, highest = _levels(charted, setting)

    together = charted.fired[0] != 0
    for bits in charted.fired[1:]:
        together |= bits != 0
    where = np.flatnonzero(together)
    which = seg.of(where)
    newest = np.full(m, -1, dtype=np.int64)
    newest[which] = where
    by_rule = np.zeros((len(setting.rules.rules), m), dtype=np.int64)
    here = charted.fired[0][where]
    for bits in charted.fired[1:]:
        here = here | bits[where]
    for bit in range(len(setting.rules.rules)):
        by_rule[bit] = np.bincount(which[(here >> bit) & 1 == 1], minlength=m)

    z = charted.z
    # one point tells for its segment where the lines are constant
    look = z[seg.starts] if family.panels[0].constant else z
    if block.use is None and not np.isnan(look).any():
        farthest = np.maximum(seg.maxima(z), -seg.minima(z))
    else:
        unseen = np.isnan(z)
        z = z.copy()
        z[np.flatnonzero(unseen)] = 0.0
        farthest = np.maximum(seg.maxima(z), -seg.minima(z))
        farthest[seg.counts(unseen) == seg.lengths] = np.nan
    deviation = z
    n_signals = np.bincount(which, minlength=m)
    judged = _judged(charted, setting, n_signals, farthest)
    if family.deviations is not None:
        z = np.nan_to_num(family.deviations(block, charted.parameters))
        if block.use is not None:
            z[~block.use] = 0.0
        deviation = z
    with np.errstate(invalid="ignore", divide="ignore"):
        if setting.frozen is not None:
            # against limits from elsewhere the series need not lie around the center line
            deviation = z - seg.expand(seg.sums(z) / used)
            if block.use is not None:
                deviation = np.where(block.use, deviation, 0.0)
        square = deviation * deviation
        squares = seg.sums(square)
        r1 = lag1_of(deviation, block.link, seg, squares)
        r1[(used < 3) | (not family.ordered)] = np.nan
        pairs = np.maximum(block.pairs(), 1)
        skewness = kurtosis = ties = spread = smallest = np.full(m, np.nan)
        band = 2.0 * RELATIVE_ERROR / np.sqrt(np.maximum(used - 1, 1))
        low, high = 1.0 - band, 1.0 + band
        if family.model_sigma:
            spread = seg.sums(moving_ranges(z, block.link)) / pairs / d2(2)
        if family.dispersion is not None:
            spread, low, high = family.dispersion(block, charted.parameters)
        if family.expected is not None:
            smallest = family.expected(block, charted.parameters)
        if not family.model_sigma and "sigma" in family.parameters:
            if family.deviations is None:
                skewness = seg.sums(square * deviation) / used / (squares / used) ** 1.5
            ties = seg.counts(block.link & (block.ranges() == 0.0)) / pairs
        if charted.scale is not None:
            kurtosis = seg.sums(square * square) / used / (squares / used) ** 2 - 3.0
            skewness = seg.sums(square * deviation) / used / (squares / used) ** 1.5
    return Counted(
        n=used,
        n_kept=block.n_kept().astype(np.int64),
        n_missing=missing,
        n_excluded=excluded,
        center=center,
        sigma=sigma,
        lower=lower,
        upper=upper,
        lowest=lowest,
        highest=highest,
        n_signals=n_signals,
        judged_signals=judged[0],
        judged_farthest=judged[1],
        chance=judged[2],
        size=_typical_size(block),
        by_rule=by_rule,
        newest=np.where(newest >= 0, newest - seg.starts, -1),
        farthest=farthest,
        lag1=r1,
        spread=spread,
        spread_low=low,
        spread_high=high,
        skewness=skewness,
        kurtosis=kurtosis,
        ties=ties,
        no_variation=_zero(charted),
        smallest_count=smallest,
        own=np.array([d.measured(block, charted.parameters) for d in family.doubts]).reshape(-1, m),
    )


def _typical_size(block: Block) -> Floats:
    """Mean size of the used points of each segment; NaN without sizes."""
    size, seg = block.points.size, block.segments
    if size is None:
        return np.full(len(seg), np.nan)
    used = ~np.isnan(size) if block.use is None else block.use & ~np.isnan(size)
    with np.errstate(invalid="ignore"):
        return np.asarray(seg.sums(np.where(used, size, 0.0)) / seg.counts(used))


def _judged(
    charted: Charted, setting: Setting, n_signals: NDArray[np.int64], farthest: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Signals and farthest point on the normal scale, and how many signals the law makes for a normal one."""
    block, family = charted.block, setting.family
    seg = block.segments
    if charted.own is not None:
        # they are the evidence themselves
        return n_signals, charted.own.p_value, charted.own.expected
    if family.law is None:
        return n_signals, farthest, np.ones(len(seg))
    law = family.law(block, charted.parameters)
    middle, random = normal_scores(law, seg)
    unseen = np.isnan(charted.z)
    for z in (middle, random):
        z[unseen] = np.nan
    start = np.zeros(seg.n, dtype=bool)
    start[seg.starts] = True
    rules = [r for _, r in panel_rules(setting, family.panels[0].independent)]
    fired = find_signals(rules, random, block.link, limit=setting.sigmas, segment_start=start)
    reach = np.nan_to_num(np.abs(middle))
    far = np.where(np.isnan(farthest), np.nan, seg.maxima(reach))
    # the unclipped limits: a clipped one would seem nearer than it is
    line = charted.lines[0]
    lower, upper = Panel(name="", independent=True).limits(line, setting.sigmas)
    chance = chance_ratio(
        rules, law, line.center, lower, upper, setting.sigmas, seg, block.use, scored=line.z is not None
    )
    return seg.counts(fired != 0), far, chance


def _zero(charted: Charted) -> Flags:
    """Segments whose sigma is exactly 0: no rule can judge them."""
    line = charted.lines[0]
    seg = charted.block.segments
    if "sigma" in charted.parameters:
        return np.asarray(charted.parameters["sigma"] == 0.0)
    top = seg.maxima(np.nan_to_num(line.sigma, nan=0.0))
    known = seg.counts(~np.isnan(line.sigma)) > 0
    return np.asarray((top == 0.0) & known)


def _levels(charted: Charted, setting: Setting) -> tuple[Floats, ...]:
    """Center, sigma and limits of the main panel of each segment, NaN where they vary; outermost limits."""
    panel, line, seg = setting.family.panels[0], charted.lines[0], charted.block.segments
    first = seg.starts
    if panel.constant:
        at = first
        vary = np.zeros(len(seg), dtype=bool)
        high = np.full(len(seg), np.nan)
    else:
        seen = ~np.isnan(line.sigma)
        low = seg.minima(np.where(seen, line.sigma, np.inf))
        high = seg.maxima(np.where(seen, line.sigma, -np.inf))
        vary = ~(high - low <= 1e-12 * np.abs(high))
        index = np.arange(seg.n)
        at = seg.minima(np.where(seen, index, seg.n).astype(np.float64)).astype(np.int64)
        at = np.where(at < seg.n, at, first)
    lower, upper = panel.limits(
        Lines(
            value=line.value[at],
            center=line.center[at],
            sigma=line.sigma[at],
            lower=None if line.lower is None else line.lower[at],
            upper=None if line.upper is None else line.upper[at],
            most=None if line.most is None else line.most[at],
        ),
        setting.sigmas,
    )
    center, sigma = line.center[at].copy(), line.sigma[at].copy()
    if charted.scale is not None and panel.level:
        center, lower, upper = (charted.scale.back(x) for x in (center, lower, upper))
    lowest, highest = lower.copy(), upper.copy()
    reach = setting.sigmas * high[vary]
    if charted.scale is not None or line.lower is not None or line.upper is not None:
        # not center -+ k sigma: where these vary nobody looks how far out they reach
        reach = np.full(len(reach), np.nan)
    lowest[vary], highest[vary] = center[vary] - reach, center[vary] + reach
    for level in (sigma, lower, upper):
        level[vary] = np.nan
    return center, sigma, lower, upper, lowest, highest
