"""Funnel plot: units (providers, teams) side by side, each against limits that belong to its size.

The points are units, not times: there are no runs and no stages, and ``stable`` says that no more units lie
outside than chance explains. Units usually differ a little for reasons nobody charts; with large sizes every
such difference is "significant". How much they differ is measured (phi, tau2) and said; allowing for it is a
choice (``adjust``), never made silently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import Segments
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.attributes import KINDS, tail_limits
from perfanalytics.spc.family import ChartFamily, OwnTests, one_column
from perfanalytics.spc.options import Asked, Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import LIMITS_ONLY, ON_LINE
from perfanalytics.spc.scores import Law, at_least, at_most
from perfanalytics.spc.wording import number, p_text, unit_of

#: Fewer units than this are not judged.
_FEWEST = 5
#: So many units outside are named in the verdict.
_NAMED = 5


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values, law = one_column(batch, "funnel"), str(options["law"])
    if law == "normal":
        if batch.weights is None:
            raise InputError(
                "a funnel of values (law 'normal') needs the precision of each: weights = 1 / "
                "standard error^2"
            )
        size = np.where((batch.weights > 0) & ~np.isnan(values), batch.weights, np.nan)
        return Points(
            offsets=batch.offsets,
            value=np.where(np.isnan(size), np.nan, values),
            size=size,
            columns={"counts": np.where(np.isnan(size), np.nan, values * size)},
            how={"values_read_as": "values with weights = 1 / standard error^2"},
            share=False,
        )
    if batch.sizes is None:
        raise InputError(
            "a funnel needs the size of each unit: give sizes= (values with standard errors: weights= and "
            "options={'law': 'normal'})"
        )
    try:
        counts, sizes, how = counts_and_sizes(batch, limit_one=law == "binomial")
    except InputError as error:
        if law == "binomial":
            raise InputError(f"{error}; rates per unit of size take options={{'law': 'poisson'}}") from error
        raise
    if (counts < 0).any():
        raise InputError(
            f"point {int(np.flatnonzero(counts < 0)[0])} is negative, and law {law!r} is one of counts: "
            "values with standard errors take options={'law': 'normal'}"
        )
    return Points(
        offsets=batch.offsets,
        value=counts / sizes,
        size=sizes,
        columns={"counts": counts},
        how={"values_read_as": how},
        share=law == "binomial",
    )


def _sigma(block: Block, center: Floats) -> Floats:
    """Standard error of each unit if it differs from the center by chance only; ``center`` a point."""
    size, law = block.points.size, block.asked.options["law"]
    assert size is not None
    with np.errstate(invalid="ignore", divide="ignore"):
        if law == "binomial":
            return np.asarray(np.sqrt(center * (1.0 - center) / size))
        return np.asarray(np.sqrt((center if law == "poisson" else 1.0) / size))


def _dispersion(block: Block, center: Floats) -> tuple[Floats, Floats]:
    """phi of the winsorized z-scores and tau2 of each segment, from the kept units.

    References
    ----------
    Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendix: phi with z-scores winsorized at
    their 10% and 90% quantiles, and tau2; without winsorizing tau2 is that of DerSimonian and Laird (1986),
    Controlled Clinical Trials 7, 177-188.
    """
    seg, q = block.segments, float(block.asked.options["winsorize"])
    keep = block.mask()
    sigma = _sigma(block, seg.expand(center))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (block.points.value - seg.expand(center)) / sigma
    keep = keep & np.isfinite(z)
    n = seg.counts(keep).astype(np.float64)
    low, high = _quantiles(seg, z, keep, q)
    w = np.where(keep, np.clip(z, seg.expand(low), seg.expand(high)), 0.0)
    weight = np.where(keep, 1.0 / np.where(keep, sigma, 1.0) ** 2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = seg.sums(w * w) / n
        total = seg.sums(weight)
        tau2 = (n * phi - (n - 1.0)) / (total - seg.sums(weight * weight) / total)
    few = n < 2
    return np.where(few, 1.0, phi), np.where(few, 0.0, np.maximum(tau2, 0.0))


def _quantiles(seg: Segments, z: Floats, keep: Any, q: float) -> tuple[Floats, Floats]:
    """The q and 1 - q quantile of the kept values of each segment (linear between order statistics)."""
    where = np.flatnonzero(keep)
    of, kept = seg.of(where), z[where]
    kept = kept[np.lexsort((kept, of))]
    n = np.bincount(of, minlength=len(seg))
    first = np.cumsum(n) - n
    out = []
    for share in (q, 1.0 - q):
        found = np.full(len(seg), np.nan)
        some = n > 0
        at = (n[some] - 1) * share
        below = np.floor(at).astype(np.int64)
        above = np.minimum(below + 1, n[some] - 1)
        a, b = kept[first[some] + below], kept[first[some] + above]
        found[some] = a + (at - below) * (b - a)
        out.append(found)
    return out[0], out[1]


def _usual(q: float) -> tuple[float, float]:
    """Mean of phi of normal z winsorized at their q and 1 - q quantile; standard deviation times sqrt(n).

    The quantiles are those of the units themselves, so that each unit beyond one moves it, too (the influence
    function of a winsorized mean: Huber, 1981, Robust Statistics, section 3.3).
    """
    if q <= 0:
        return 1.0, math.sqrt(2.0)
    c = float(-special.ndtri(q))
    density = math.exp(-c * c / 2.0) / math.sqrt(2.0 * math.pi)
    inside = 1.0 - 2.0 * q - 2.0 * c * density
    fourth = 3.0 * (1.0 - 2.0 * q) - 2.0 * (c**3 + 3.0 * c) * density
    outside = c * c + 2.0 * c * q / density
    variance = fourth + 2.0 * q * outside**2 - (inside + 2.0 * q * outside) ** 2
    return inside + 2.0 * q * c * c, math.sqrt(variance)


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    seg, size, target = block.segments, block.points.size, block.asked.options["target"]
    assert size is not None
    if target is None:
        with np.errstate(invalid="ignore", divide="ignore"):
            center = seg.sums(block.kept(block.points.columns["counts"])) / seg.sums(block.kept(size))
    else:
        center = np.full(len(seg), float(target))
    phi, tau2 = _dispersion(block, center)
    return {"center": center, "phi": phi, "tau2": tau2}


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    seg, law = block.segments, str(block.asked.options["law"])
    center = seg.expand(parameters["center"])
    if law == "binomial" and ((center < 0) | (center > 1)).any():
        raise InputError("the target of a funnel of shares lies between 0 and 1")
    if law == "poisson" and (center < 0).any():
        raise InputError("the target of a funnel of rates is not negative")
    sigma = _sigma(block, center)
    adjust = block.asked.options["adjust"]
    if block.asked.limits == "probability":
        if adjust != "none" or law == "normal":
            raise InputError(
                "probability limits are those of the binomial or Poisson law: with adjust, and for values, "
                "take limits='sigma'"
            )
        lower, upper = tail_limits(_law(block, parameters), block.asked.sigmas)
    else:
        if adjust == "multiplicative":
            sigma = sigma * np.sqrt(np.maximum(seg.expand(parameters["phi"]), 1.0))
        elif adjust == "additive":
            sigma = np.sqrt(sigma * sigma + seg.expand(parameters["tau2"]))
        lower, upper = center - block.asked.sigmas * sigma, center + block.asked.sigmas * sigma
    if law != "normal":
        lower, upper = np.maximum(lower, 0.0), np.maximum(upper, 0.0)
    if law == "binomial":
        lower, upper = np.minimum(lower, 1.0), np.minimum(upper, 1.0)
    return (Lines(value=block.points.value, center=center, sigma=sigma, lower=lower, upper=upper),)


def _law(block: Block, parameters: Mapping[str, Floats]) -> Law:
    center, size = block.segments.expand(parameters["center"]), block.points.size
    assert size is not None
    if block.asked.options["law"] == "binomial":
        return Law(kind="binomial", count=block.points.columns["counts"], a=size, b=center, scale=size)
    return Law(kind="poisson", count=block.points.columns["counts"], a=center * size, scale=size)


def _tests(block: Block, parameters: Mapping[str, Floats]) -> OwnTests:
    """Units outside, and how likely so many, or one so far out, are if all of them have one level."""
    seg, line = block.segments, _lines(block, parameters)[0]
    lower, upper = line.lower, line.upper
    assert lower is not None
    assert upper is not None
    use = np.isfinite(line.value) & np.isfinite(upper) & (line.sigma > 0)
    if block.use is not None:
        use &= block.use
    slack = ON_LINE * np.where(use, line.sigma, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        fired = (use & ((line.value > upper + slack) | (line.value < lower - slack))).astype(np.uint8)
        z = np.where(use, (line.value - line.center) / line.sigma, np.nan)
    if block.asked.options["law"] == "normal" or block.asked.options["adjust"] != "none":
        tail = 2.0 * special.ndtr(-np.abs(np.where(use, z, 0.0)))
        chance = np.full(seg.n, 2.0 * float(special.ndtr(-block.asked.sigmas)))
    else:
        law = _law(block, parameters)
        size = law.scale
        assert size is not None
        law = law.at(np.flatnonzero(use))
        tail, chance = np.ones(seg.n), np.zeros(seg.n)
        tail[use] = np.minimum(
            1.0,
            2.0 * np.minimum(at_most(law, np.floor(law.count)), at_least(law, np.ceil(law.count))),
        )
        over = np.floor((upper * size)[use] + 1e-9) + 1.0
        under = np.ceil((lower * size)[use] - 1e-9) - 1.0
        chance[use] = at_least(law, over) + at_most(law, under)
        z = np.where(use, np.sign(z) * -special.ndtri(np.clip(tail, 1e-300, 1.0) / 2.0), np.nan)
    n, signals = seg.counts(use).astype(np.float64), seg.counts(fired != 0)
    expected = seg.sums(np.where(use, chance, 0.0))
    smallest = seg.minima(np.where(use, tail, 1.0))
    far = -np.expm1(n * np.log1p(-np.minimum(smallest, 1.0 - 1e-16)))
    # at least so many of n, each with the mean chance: more spread than with a chance of its own, if anything
    mean = np.clip(expected / np.maximum(n, 1.0), 0.0, 1.0)
    some = np.maximum(signals, 1)
    many = np.where(signals > 0, special.betainc(some, np.maximum(n - some + 1.0, 1.0), mean), 1.0)
    p_value = np.where(n >= _FEWEST, np.minimum(1.0, 2.0 * np.minimum(far, many)), np.nan)
    return OwnTests(fired=fired, p_value=p_value, expected=expected, useful=n.astype(np.int64), tests=(), z=z)


def _spread(block: Block, parameters: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """sqrt(phi) of these units around the center, and between what it lies where only chance parts them."""
    n = np.maximum(block.n_kept(), 1.0)
    mean, deviation = _usual(float(block.asked.options["winsorize"]))
    phi = _dispersion(block, parameters["center"])[0]
    if block.asked.options["adjust"] != "none":
        phi = np.full(len(n), np.nan)
    band = 2.0 * deviation / np.sqrt(n)
    return np.sqrt(phi), np.sqrt(np.maximum(mean - band, 0.0)), np.sqrt(mean + band)


def _expected(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """Mean number expected in the rarer class of a unit."""
    seg, center, law = block.segments, parameters["center"], block.asked.options["law"]
    if law == "normal":
        return np.full(len(seg), np.nan)
    size = block.points.size
    assert size is not None
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = seg.sums(block.kept(np.nan_to_num(size))) / np.maximum(block.n_kept(), 1.0)
    return np.asarray(mean * (np.minimum(center, 1.0 - center) if law == "binomial" else center))


def _told(chart: Any) -> str:
    """Which units differ from the rest, how many would by chance, and whether the funnel is wide enough."""
    signals, n, share = chart.n_signals, chart.n_used, chart.is_share
    said, parameters = chart.method.parameters, chart.limits.parameters
    # a funnel of large units has a tiny sigma: three digits of the differences between units will do
    spread = max(float(np.nanmedian(chart.sigma[0])), float(np.nanstd(chart.value[0])) / 10.0)
    unit = unit_of(chart.measure)
    center = float(parameters["center"][-1])
    units = "unit" if n == 1 else "units"
    outside = f"{signals or 'none'} of {n} {units} lie{'s' if signals < 2 else ''} outside the limits"
    chance = f"{chart.expected_signals:.1f} expected by chance"
    if chart.stable is None:
        few = "1 unit is too few" if n == 1 else f"{n} units are too few"
        opening = f"Not judged: {few} to tell more than chance; {outside}"
    elif chart.stable:
        opening = f"No more units differ than chance explains: {outside} ({chance}, {p_text(chart.p_value)})"
    elif signals:
        opening = f"More units differ than chance explains: {outside} ({chance}, {p_text(chart.p_value)})"
    else:
        opening = f"One unit is farther out than chance explains ({p_text(chart.p_value)}), within its limits"
    out = np.flatnonzero(chart.fired[0] != 0)
    parts = []
    for word, where in (
        ("above", out[chart.value[0, out] > chart.center[0, out]]),
        ("below", out[chart.value[0, out] < chart.center[0, out]]),
    ):
        if len(where):
            parts.append(f"{len(where)} {word}{_names(chart, where)}")
    if signals and parts:
        opening += f": {', '.join(parts)}"
    what = "Target" if said.get("target") is not None else "Overall"
    text = f"{opening}. {what} {number(center, spread, share=share)}{unit}."
    phi, tau2, adjust = float(parameters["phi"][-1]), float(parameters["tau2"][-1]), said.get("adjust")
    how_much = f"phi {number(phi, phi)}"
    if adjust == "multiplicative":
        wider = math.sqrt(max(phi, 1.0))
        text += f" The limits are {wider:.2g} times as wide as chance alone makes them ({how_much})."
    elif adjust == "additive":
        tau = number(math.sqrt(tau2), math.sqrt(tau2), share=share)
        text += f" The limits allow for differences between units (standard deviation {tau}{unit})."
    elif "overdispersed" in chart.caveat_codes:
        text += f" The limits allow for chance alone, and the units vary more than that ({how_much})."
    return text


def _names(chart: Any, where: Any) -> str:
    """The labels of the units that are farthest out: " (A, B and 3 more)"."""
    if chart.labels is None:
        return ""
    far = np.abs((chart.value[0, where] - chart.center[0, where]) / chart.sigma[0, where])
    named = [str(chart.labels[k]) for k in where[np.argsort(-far, kind="stable")] if chart.labels[k]]
    if not named:
        return ""
    more = len(where) - min(len(named), _NAMED)
    listed = ", ".join(named[:_NAMED])
    return f" ({listed}{f' and {more} more' if more else ''})"


FUNNEL = ChartFamily(
    name="funnel",
    title="Units side by side (funnel plot)",
    panels=(Panel(name="unit", independent=False),),
    parameters=("center", "phi", "tau2"),
    estimators={
        "weighted_mean": "the target, or all counts / all sizes (values: mean weighted by precision); sigma "
        "of a unit from its size; phi = mean square of winsorized z, tau2 by moments"
    },
    modes={"weighted_mean": "own"},
    points=_points,
    estimate=_estimate,
    lines=_lines,
    expected=_expected,
    dispersion=_spread,
    own=_tests,
    own_rules=LIMITS_ONLY,
    optional={"phi": 1.0, "tau2": 0.0},
    options={
        "law": Option(
            default="binomial",
            text="shares with sizes, rates with sizes, or values with weights = 1 / standard error^2",
            choices=("binomial", "poisson", "normal"),
        ),
        "adjust": Option(
            default="none",
            text="how limits allow for overdispersion: not at all, sigma times sqrt(phi) (phi above 1), or "
            "sqrt(sigma^2 + tau2)",
            choices=("none", "multiplicative", "additive"),
        ),
        "target": Option(default=None, text="level the units are compared with; None: that of all together"),
        "winsorize": Option(
            default=0.1, text="share of z-scores pulled in at either end before phi", low=0.0, high=0.4
        ),
        "contour": Option(
            default=0.95,
            text="share of units within the inner pair of lines of the figure",
            low=0.0,
            high=0.9999,
            open=True,
        ),
    },
    limit_kinds=KINDS,
    needed=10,
    ordered=False,
    told=_told,
    references=(
        "Spiegelhalter (2005), Funnel plots for comparing institutional performance, Statistics in Medicine "
        "24, 1185-1202",
    ),
)


def contour(parameters: Mapping[str, float], asked: Asked, size: Floats) -> tuple[Floats, Floats]:
    """Lower and upper line of a funnel at these sizes.

    Probability limits of whole counts go in steps; their lines pass smoothly between the last count inside
    and the first one outside, so that exactly the units outside the limits lie outside the lines.

    Examples
    --------
    >>> chosen = FUNNEL.check({"law": "poisson"}, None, 2.0)
    >>> low, high = contour({"center": 4.0, "phi": 1.0, "tau2": 0.0}, chosen, np.array([1.0, 4.0]))
    >>> low.tolist(), high.tolist()
    ([0.0, 2.0], [8.0, 6.0])
    """
    n = len(size)
    points = Points(offsets=np.array([0, n]), value=np.zeros(n), size=size, columns={"counts": np.zeros(n)})
    block = Block(points, Segments(np.array([0]), n), None, asked)
    found = {name: np.array([parameters[name]]) for name in FUNNEL.parameters}
    line = _lines(block, found)[0]
    assert line.lower is not None
    assert line.upper is not None
    if asked.limits != "probability":
        return line.lower, line.upper
    law = _law(block, found)
    tail = float(special.ndtr(-asked.sigmas))
    lower = _between(law, line.lower * size, tail)
    upper = _between(law, line.upper * size, 1.0 - tail) + 1.0
    most = size if law.kind == "binomial" else np.full(n, np.inf)
    return np.maximum(lower, 0.0) / size, np.minimum(upper, most) / size


def _between(law: Law, count: Floats, p: float) -> Floats:
    """Where the straight line through P(X <= x) and P(X <= x - 1) passes p, x being the quantile at p."""
    x = np.round(count)
    at, before = at_most(law, x), at_most(law, x - 1.0)
    return np.asarray(x - np.clip((at - p) / np.maximum(at - before, 1e-300), 0.0, 1.0))


def asked_of(chart: Any) -> Asked:
    """What was chosen for a funnel, from its ``.method``."""
    said = chart.method.parameters
    return FUNNEL.check(
        {name: said[name] for name in FUNNEL.options}, str(said["limits"]).split(":")[0], chart.sigmas
    )
