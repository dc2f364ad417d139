"""Risk-adjusted CUSUM: outcomes (0 or 1) of cases that each have a risk of their own.

Two sums of log-likelihood ratios ask whether the odds of an event are some times those the risks say (more
events) or some fraction of them (fewer); beside them the variable life-adjusted display (VLAD): expected
minus observed events so far. The risks come from a model that was fitted elsewhere; the chart does not learn
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import Flags
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.memory import Path, one_sided
from perfanalytics.spc.family import ChartFamily, Doubt, OwnTests, one_column
from perfanalytics.spc.options import Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import LIMITS_ONLY, ON_LINE
from perfanalytics.spc.walks import beyond_in_all, ever_reaches
from perfanalytics.spc.wording import moment, nth, number, p_text

#: Fewer cases than this are not judged.
_FEWEST = 8
#: Fewer expected events than this cannot tell much.
_EVENTS = 5.0


def score(outcome: Floats, risk: Floats, odds: Floats | float) -> Floats:
    """Log-likelihood ratio of an outcome: odds of the event ``odds`` times those of its risk, against once.

    Parameters
    ----------
    outcome : float array
        0 or 1.
    risk : float array
        Between 0 and 1.
    odds : float

    References
    ----------
    Steiner, Cook, Farewell and Treasure (2000), Biostatistics 1, 441-452, eq. 2.2.

    Examples
    --------
    >>> score(np.array([0.0, 1.0]), np.array([0.1, 0.1]), 2.0).round(4).tolist()
    [-0.0953, 0.5978]
    """
    return np.asarray(outcome * np.log(odds) - np.log1p((odds - 1.0) * risk))


def shifted(risk: Floats, odds: Floats | float) -> Floats:
    """The risk whose odds are ``odds`` times as large.

    Examples
    --------
    >>> shifted(np.array([0.5]), 2.0).round(4).tolist()
    [0.6667]
    """
    return np.asarray(odds * risk / (1.0 + (odds - 1.0) * risk))


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values = one_column(batch, "risk_adjusted_cusum")
    seen = ~np.isnan(values)
    if (seen & (values != 0) & (values != 1)).any():
        k = int(np.flatnonzero(seen & (values != 0) & (values != 1))[0])
        raise InputError(f"point {k} is {values[k]:g}: the outcome of a case is 0 or 1")
    if "risk" in batch.covariates:
        risk, source = np.asarray(batch.covariates["risk"], dtype=np.float64), "covariate risk"
    elif batch.sizes is not None:
        risk, source = batch.sizes, "sizes (the expected number of events of each case)"
    else:
        raise InputError(
            "a risk_adjusted_cusum needs the risk of each case: give covariates={'risk': ...} (or sizes=, "
            "the expected number of its events)"
        )
    known = seen & ~np.isnan(risk)
    bad = known & ((risk <= 0) | (risk >= 1))
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        raise InputError(f"the risk of point {k} is {risk[k]:g}: a risk lies above 0 and below 1")
    risk = np.where(known, risk, np.nan)
    return Points(
        offsets=batch.offsets,
        value=np.where(known, values, np.nan),
        size=risk,
        how={"risks_from": source},
        share=False,
    )


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Odds of the process as a multiple of those of the given risks."""
    m = len(block.segments)
    if estimator == "as_given":
        return {"odds": np.ones(m)}
    seg, risk = block.segments, block.points.size
    assert risk is not None
    logit = np.where(np.isnan(risk), 0.0, special.logit(np.where(np.isnan(risk), 0.5, risk)))
    keep = block.mask()
    observed = seg.sums(np.where(keep, np.nan_to_num(block.points.value), 0.0))
    shift = np.zeros(m)
    # expected = observed: Newton on the logarithm of the odds, in steps of at most 1
    for _ in range(60):
        p = special.expit(logit + seg.expand(shift))
        gap = observed - seg.sums(np.where(keep, p, 0.0))
        slope = seg.sums(np.where(keep, p * (1.0 - p), 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            step = np.clip(gap / slope, -1.0, 1.0)
        shift = shift + np.where(np.isfinite(step), step, 0.0)
    some = (observed > 0) & (observed < seg.counts(keep))
    return {"odds": np.where(some, np.exp(shift), np.nan)}


def _risks(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    risk = block.points.size
    assert risk is not None
    return shifted(risk, block.segments.expand(parameters["odds"]))


def _intervals(block: Block) -> tuple[float, float]:
    """Decision interval of either side."""
    fewer = block.asked.options["h_fewer"]
    return block.asked.sigmas, block.asked.sigmas if fewer is None else float(fewer)


def _sums(
    block: Block, parameters: Mapping[str, Floats], path: Path, *, reset: bool
) -> tuple[Floats, Floats]:
    """Both sums at the used cases: of more events, of fewer events."""
    risk = path.used(_risks(block, parameters))
    outcome = path.used(np.nan_to_num(block.points.value))
    start = float(block.asked.options["head_start"])
    out = []
    for odds, h in zip(_odds(block), _intervals(block), strict=True):
        w = np.nan_to_num(score(outcome, risk, odds))
        y = one_sided(w, start * h, path.age)
        out.append(_restarted(w, y, path.age, h, start * h) if reset else y)
    return out[0], out[1]


def _odds(block: Block) -> tuple[float, float]:
    return float(block.asked.options["odds_more"]), float(block.asked.options["odds_fewer"])


def _restarted(w: Floats, y: Floats, age: NDArray[np.int64], h: float, start: float) -> Floats:
    """The sum begun anew after each point beyond ``h``: all stretches between two signals at once."""
    while True:
        over = np.flatnonzero(y > h + ON_LINE)
        # of each stretch only the first one is a signal; behind it a new stretch begins
        _, first = np.unique(over - age[over], return_index=True)
        begins = over[first] + 1
        begins = begins[begins < len(age)]
        begins = begins[age[begins] > 0]
        if not len(begins):
            return y
        starts = np.union1d(np.flatnonzero(age == 0), begins)
        age = np.arange(len(age)) - np.repeat(starts, np.diff(np.append(starts, len(age))))
        y = one_sided(w, start, age)


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    seg, path = block.segments, Path(block)
    reset = block.asked.options["after_signal"] == "restart"
    unknown = np.isnan(seg.expand(parameters["odds"]))
    missing = np.isnan(block.points.value) | unknown
    start = float(block.asked.options["head_start"])
    zero = np.where(unknown, np.nan, 0.0)
    out = []
    sums = _sums(block, parameters, path, reset=reset)
    for sign, h, y in zip((1.0, -1.0), _intervals(block), sums, strict=True):
        # + 0: no negative zero
        value = sign * path.back(y, np.full(seg.n, start * h)) + 0.0
        limit = np.where(unknown, np.nan, sign * h)
        lower, upper = (zero, limit) if sign > 0 else (limit, zero)
        out.append(
            Lines(
                value=np.where(missing, np.nan, value),
                center=zero,
                sigma=np.where(unknown, np.nan, h / block.asked.sigmas),
                lower=lower,
                upper=upper,
            )
        )
    gap = path.used(np.nan_to_num(_risks(block, parameters) - block.points.value))
    total = np.cumsum(gap)
    first = np.flatnonzero(path.age == 0)
    before = np.concatenate([[0.0], total])[first] if len(first) else np.empty(0)
    total = total - np.repeat(before, np.diff(np.append(first, len(total))))
    display = np.where(missing, np.nan, path.back(total, np.zeros(seg.n)))
    none = np.full(seg.n, np.nan)
    out.append(Lines(value=display, center=zero, sigma=none, lower=none, upper=none))
    return tuple(out)


def _deviations(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    risk = _risks(block, parameters)
    return np.asarray((block.points.value - risk) / np.sqrt(risk * (1.0 - risk)))


def _tests(block: Block, parameters: Mapping[str, Floats]) -> OwnTests:
    """Cases beyond a decision interval, and how likely sums so high are if the risks hold."""
    seg, path = block.segments, Path(block)
    lines = _lines(block, parameters)
    use = np.ones(seg.n, dtype=bool) if block.use is None else block.use
    use = use & ~np.isnan(seg.expand(parameters["odds"]))
    fired = []
    for line, h in zip(lines[:2], _intervals(block), strict=True):
        with np.errstate(invalid="ignore"):
            fired.append((use & (np.abs(line.value) > h + ON_LINE)).astype(np.uint8))
    m = len(seg)
    n = seg.counts(use)
    position, known = seg.of(np.flatnonzero(use)), path.used(use.astype(np.float64)) > 0
    age = path.age[known]
    risk = path.used(_risks(block, parameters))[known]
    free = _sums(block, parameters, path, reset=False)
    start = float(block.asked.options["head_start"])
    reset = block.asked.options["after_signal"] == "restart"
    tail, expected = np.ones(m), np.zeros(m)
    for k, (odds, h) in enumerate(zip(_odds(block), _intervals(block), strict=True)):
        top = np.zeros(m)
        np.maximum.at(top, position, free[k][known])
        steps = (score(np.zeros(len(risk)), risk, odds), score(np.ones(len(risk)), risk, odds))
        reached = ever_reaches(risk, steps, position, age, top, start * h)
        tail = np.minimum(tail, reached)
        beyond = beyond_in_all(risk, steps, position, age, h, start * h, restart=reset)
        expected[: len(beyond)] += beyond
    p_value = np.where(n >= _FEWEST, np.minimum(1.0, 2.0 * tail), np.nan)
    up, down = (line.value / line.sigma for line in lines[:2])
    z = np.where(-down > up, down, up)
    return OwnTests(
        fired=fired[0],
        more=(fired[1], np.zeros(seg.n, dtype=np.uint8)),
        p_value=p_value,
        expected=expected,
        useful=n.astype(np.int64),
        tests=(),
        z=np.where(use, z, np.nan),
    )


def _expected_events(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    risk = np.nan_to_num(_risks(block, parameters))
    use: Flags = np.ones(len(risk), dtype=bool) if block.use is None else block.use
    p = block.segments.sums(np.where(use, risk, 0.0))
    return np.asarray(np.minimum(p, block.segments.counts(use) - p))


def _few_text(events: float, n: int) -> str:
    return (
        f"Over its {n} cases only {events:.2g} events (or cases without one) are expected: such a chart "
        "cannot tell much yet."
    )


def _told(chart: Any) -> str:
    """Events against what was expected, and where a sum first left its decision interval."""
    seen = np.flatnonzero(~np.isnan(chart.value[2]) & ~chart.excluded)
    stages = chart.stage[seen]
    balance = 0.0
    for stage in np.unique(stages).tolist():
        balance += float(chart.value[2, seen[stages == stage][-1]])
    observed = _observed(chart, seen)
    facts = f"{observed:.0f} event{'' if observed == 1 else 's'}, {number(observed + balance, 1.0)} expected"
    n = len(seen)
    cases = f"{n:,} case{'' if n == 1 else 's'}"
    fired = (chart.fired[:2] != 0).any(axis=0)
    if chart.stable is None:
        are = "is" if n == 1 else "are"
        return f"Not judged: {cases} {are} too few to tell whether the risks hold; {facts}."
    p = p_text(chart.p_value)
    if not fired.any():
        if chart.stable:
            return f"Stable: neither sum of {cases} left its decision interval ({p}); {facts}."
        return (
            f"Not stable: a sum is higher than chance explains, within its decision interval ({p}); {facts}."
        )
    k = int(np.flatnonzero(fired)[0])
    where = f"on {moment(chart.when[k], chart.every)}" if chart.when is not None else f"at {nth(k)}"
    which = "more" if chart.fired[0, k] else "fewer"
    text = f"{which} events than the risks let expect, first signalled {where}"
    if chart.stable:
        return f"Stable: {text}, which happens in stable processes so long ({p}); {facts}."
    return f"Not stable: {text} ({p}); {facts}."


def _observed(chart: Any, seen: NDArray[np.int64]) -> float:
    """Events of the cases, from the display and the risks."""
    risk = shifted(chart.sizes[seen], chart.limits.parameters["odds"][chart.stage[seen]])
    total = 0.0
    for stage in np.unique(chart.stage[seen]).tolist():
        here = chart.stage[seen] == stage
        total += float(risk[here].sum() - chart.value[2, seen[here][-1]])
    return round(total)


RISK_ADJUSTED_CUSUM = ChartFamily(
    name="risk_adjusted_cusum",
    title="Outcomes of cases of unequal risk (risk-adjusted CUSUM)",
    panels=(
        Panel(name="more events", independent=False, floor=0.0, constant=True, axis="more events (log LR)"),
        Panel(
            name="fewer events",
            independent=False,
            ceiling=0.0,
            constant=True,
            main=True,
            axis="fewer events (log LR)",
        ),
        Panel(
            name="expected minus observed events", independent=False, axis="expected minus observed (VLAD)"
        ),
    ),
    parameters=("odds",),
    estimators={
        "as_given": "the risks as they were given",
        "calibrated": "the odds of all risks times one factor, so that as many events are expected as were "
        "observed in the cases behind the limits",
    },
    modes={"as_given": "own", "calibrated": "own"},
    points=_points,
    estimate=_estimate,
    lines=_lines,
    deviations=_deviations,
    own=_tests,
    own_rules=LIMITS_ONLY,
    doubts=(
        Doubt(
            code="few-expected-events",
            measured=_expected_events,
            holds=lambda events, n: np.asarray((events < _EVENTS) & (n > 0)),
            text=_few_text,
            name="expected",
        ),
    ),
    options={
        "odds_more": Option(
            default=2.0, text="odds ratio the upper sum looks for", low=1.0, high=1000.0, open=True
        ),
        "odds_fewer": Option(
            default=0.5, text="odds ratio the lower sum looks for", low=0.0, high=0.9999, open=True
        ),
        "h_fewer": Option(
            default=None, text="decision interval of the lower sum; None: sigmas", low=0.0, open=True
        ),
        "head_start": Option(
            default=0.0, text="where the sums start, as a share of the decision interval", low=0.0, high=0.99
        ),
        "after_signal": Option(
            default="go_on",
            text="whether a sum goes on or starts anew behind a signal",
            choices=("go_on", "restart"),
        ),
    },
    limit_kinds={
        "sigma": "decision interval h = sigmas; W+ = max(0, W+ + log-likelihood ratio of odds_more), W- the "
        "same for odds_fewer, drawn below 0"
    },
    sigmas=4.5,
    needed=0,
    told=_told,
    references=(
        "Steiner, Cook, Farewell and Treasure (2000), Biostatistics 1, 441-452",
        "Lovegrove, Valencia, Treasure, Sherlaw-Johnson and Gallivan (1997), Lancet 350, 1128-1130 (VLAD)",
    ),
)
