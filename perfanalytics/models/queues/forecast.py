"""forecast_queue(...) -> QueueSimulation: from today's backlog into the weeks to come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import Series
from perfanalytics.models.queues.queue import check_objective, numbers_of
from perfanalytics.models.queues.recursion import ShiftEnd
from perfanalytics.models.queues.schedule import Servers, clock_of, describe, server_steps
from perfanalytics.models.queues.simulation import (
    REFERENCES,
    check_choices,
    columns,
    percentiles,
    quantiles,
    run,
    standing,
    used,
)
from perfanalytics.models.queues.simulation_result import (
    PATH,
    QueueSimulation,
    doubts,
    exact_share,
    over_runs,
    verdict,
)

Service = ArrayLike | Mapping[str, ArrayLike]


def forecast_queue(
    arrivals: ArrayLike,
    service: Service,
    *,
    servers: Servers,
    per: float,
    rng: np.random.Generator,
    start: Any = 0.0,
    backlog: ArrayLike = (),
    classes: Mapping[str, float] | None = None,
    backlog_classes: Sequence[str] | None = None,
    preemptive: bool = False,
    shift_end: ShiftEnd = "finish",
    forecast_cv: float = 0.0,
    within: float | None = None,
    target: float | None = None,
    of: str = "wait",
    runs: int = 200,
    confidence: float = 0.95,
    unit: str = "hours",
) -> QueueSimulation:
    """Simulate a queue from today's backlog: will the objective be met, and will the backlog go down?

    Parameters
    ----------
    arrivals : array_like, shape (k,)
        Expected arrivals in each of k intervals of length ``per``, the first from ``start`` on.
    service : array_like, shape (m,), or mapping of class to such
        Observed service times, in ``unit``; resampled.
    servers : int, or sequence of (time, number), or sequence of (Calendar, number)
        As in :func:`simulate_queue`.
    per : float
        Length of an interval, in ``unit``.
    rng : numpy.random.Generator
    start : datetime64 or float
        Now.
    backlog : array_like of datetime64 or float, shape (b,)
        When those came who are waiting now; before ``start``.
    classes : mapping of class to share, optional
        Shares of the arrivals, the most urgent class first.
    backlog_classes : sequence of str, shape (b,), optional
        Class of each of the backlog; needed with both ``backlog`` and ``classes``.
    preemptive, shift_end
        As in :func:`simulate_queue`.
    forecast_cv : float
        Coefficient of variation of the forecast: in each run all expectations are multiplied by one gamma
        variable of mean 1. 0 takes the forecast as known.
    within, target, of
        Objective of each run, over its backlog and arrivals together.
    runs : int
        Independent runs, at least 20.
    confidence : float
    unit : str

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Arrivals are a Poisson process whose rate is constant within an interval. Intervals of means are Student's
    t over runs; they say how well the simulation knows the mean, not how much runs differ: that is in
    ``run_levels`` and in the band of the path.

    Examples
    --------
    >>> import numpy as np, perfanalytics as perf
    >>> q = perf.forecast_queue([20, 20, 20], [1.0, 2.0, 3.0], servers=5, per=8.0,
    ...                         rng=np.random.default_rng(1), backlog=[-5.0] * 10,
    ...                         within=4.0, target=0.8, runs=50)
    >>> q.runs, 0.0 <= q.p_meets <= 1.0
    (50, True)
    """
    expected = numbers_of("arrivals", arrivals)
    if expected.ndim != 1 or not len(expected) or not (np.isfinite(expected).all() and (expected >= 0).all()):
        raise InputError("arrivals= are expected numbers of at least 0, one for each interval")
    if not 0 < per < math.inf:
        raise InputError(f"per= is the length of an interval, above 0, got {per}")
    if not isinstance(rng, np.random.Generator):
        raise InputError("rng= is a generator: numpy.random.default_rng(seed)")
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 20:
        raise InputError(f"runs= is a whole number of at least 20, got {runs!r}")
    if not 0 <= forecast_cv < math.inf:
        raise InputError(f"forecast_cv= is at least 0, got {forecast_cv}")
    check_objective(within, target)
    check_choices(of, shift_end, confidence)
    now = np.asarray(start)
    if now.ndim:
        raise InputError("start= is one time")
    clock = clock_of(now, unit)
    zero = float(clock.numbers("start=", now))
    until = zero + per * len(expected)
    old = clock.numbers("backlog", backlog)
    if (old > zero).any():
        raise InputError("backlog= are the arrivals before start=: some come after it")
    names, shares = _shares(classes)
    samples = _samples(service, names)
    old_rank = _old_ranks(backlog_classes, names, len(old))
    order = np.argsort(old, kind="stable")
    old, old_rank = old[order], old_rank[order]
    steps = server_steps(servers, clock, zero, until)
    path_at = np.linspace(zero, until, PATH)
    k = len(names)
    table = np.full((runs, k + 1, 5), np.nan)  # n, unserved, mean wait, mean time, level
    waiting, inside = np.empty((runs, PATH)), np.empty((runs, PATH))
    busy = np.empty(runs)
    pooled: list[Floats] = []
    ranks: list[NDArray[np.int64]] = []
    for r in range(runs):
        factor = rng.gamma(forecast_cv**-2, forecast_cv**2) if forecast_cv > 0 else 1.0
        counts = rng.poisson(expected * factor)
        fresh = zero + per * (np.repeat(np.arange(len(expected)), counts) + rng.random(int(counts.sum())))
        fresh.sort()
        arrive = np.concatenate([old, fresh])
        if not len(arrive):
            waiting[r] = inside[r] = busy[r] = 0.0
            table[r, :, :2] = 0
            continue
        rank = np.concatenate([old_rank, rng.choice(k, len(fresh), p=shares)])
        work = np.empty(len(arrive))
        for j, sample in enumerate(samples):
            mine = rank == j
            work[mine] = rng.choice(sample, int(mine.sum()))
        begin, end, spent = run(
            arrive,
            work,
            rank,
            steps,
            prioritized=k > 1,
            preemptive=preemptive,
            shift_end=shift_end,
            until=until,
        )
        waits = begin - arrive
        judged = (waits if of == "wait" else end - arrive) <= (math.nan if within is None else within)
        for g in range(k + 1):
            which = slice(None) if g == 0 else rank == g - 1
            w = waits[which]
            if len(w):
                table[r, g] = (
                    len(w),
                    np.isinf(w).sum(),
                    w.mean(),
                    (end - arrive)[which].mean(),
                    judged[which].mean(),
                )
            else:
                table[r, g, :2] = 0
        waiting[r], inside[r] = standing(arrive, begin, path_at), standing(arrive, end, path_at)
        busy[r] = used(begin, work, steps, spent, zero, until)
        pooled.append(waits)
        ranks.append(rank)
    if not pooled:
        raise InputError("no run had a single customer: arrivals= and backlog= are empty")
    waits, rank = np.concatenate(pooled), np.concatenate(ranks)
    rows = []
    for g in range(1 if k == 1 else k + 1):
        w = waits if g == 0 else waits[rank == g - 1]
        part = table[:, g]
        part = part[part[:, 0] > 0]
        if not len(w):
            rows.append((0, 0, *[math.nan] * 10))
            continue
        level: tuple[float, ...] = (math.nan,) * 3
        if within is not None:
            ends = over_runs(part[:, 4], confidence)
            level = float(part[:, 4].mean()), max(ends[0], 0.0), min(ends[1], 1.0)
        low, high = over_runs(part[:, 2], confidence)
        middle = float(part[:, 2].mean()), max(low, 0.0), high, float(part[:, 3].mean())
        rows.append((len(w), int(part[:, 1].sum()), *middle, *percentiles(w), *level))
    levels = table[:, 0, 4][table[:, 0, 0] > 0] if within is not None else np.empty(0)
    met = int((levels >= target).sum()) if target is not None else 0
    meets = (met / len(levels), *exact_share(met, len(levels), confidence)) if target is not None else None
    low, half, high = np.quantile(waiting, [0.05, 0.5, 0.95], axis=0)
    seen = columns(rows)
    found = QueueSimulation(
        verdict="",
        method=Method(
            "forecast_queue",
            {
                "arrivals": "Poisson, constant rate within an interval",
                "expected": expected.tolist(),
                "per": per,
                "start": str(start),
                "backlog": len(old),
                "service": "resampled from the observed times",
                "forecast_cv": forecast_cv,
                "servers": describe(steps),
                "changes_of_servers": len(steps.at) - 1,
                "priorities": list(names) if k > 1 else [],
                "shares": shares.tolist(),
                "preemptive": preemptive,
                "shift_end": shift_end,
                "within": within,
                "target": target,
                "of": of,
                "runs": runs,
                "rng": type(rng.bit_generator).__name__,
                "confidence": confidence,
                "intervals": "Student's t over runs",
            },
            REFERENCES,
        ),
        provenance=replace(Series(np.concatenate([*samples, old])).provenance(), n=sum(map(len, samples))),
        how="forecast",
        unit=unit,
        of=of,
        servers=describe(steps),
        n=len(waits),
        runs=runs,
        within=math.nan if within is None else float(within),
        target=math.nan if target is None else float(target),
        utilization=float(np.nanmean(busy)),
        p_meets=meets[0] if meets else math.nan,
        p_meets_low=meets[1] if meets else math.nan,
        p_meets_high=meets[2] if meets else math.nan,
        confidence=confidence,
        classes=read_only(np.array(["all", *names] if k > 1 else ["all"], dtype=object)),
        **seen,
        quantiles=read_only(quantiles(waits)),
        run_levels=read_only(levels),
        path_at=read_only(clock.times(path_at)),
        waiting=read_only(half),
        waiting_low=read_only(low),
        waiting_high=read_only(high),
        in_system=read_only(np.median(inside, axis=0)),
        waits=read_only(np.empty(0)),
        times=read_only(np.empty(0)),
    )
    growing = float(half[PATH // 2]), float(half[-1])
    caveats = doubts(
        unserved=int(seen["unserved"][0]),
        n=len(waits),
        lag1=math.nan,
        how="forecast",
        growing=growing,
        unit=unit,
    )
    if forecast_cv == 0:
        text = (
            "The expected arrivals are taken as known: a forecast that is off by 10% is not in these numbers."
        )
        caveats.append(Caveat("forecast-taken-as-known", text, {}))
    fewest = min(len(s) for s in samples)
    if fewest < 20:
        text = f"Only {fewest} observed service times to draw from: long ones may not be among them."
        caveats.append(Caveat("too-few-points", text, {"n": fewest, "needed": 20}))
    return replace(found, verdict=verdict(found), caveats=tuple(caveats))


def _shares(classes: Mapping[str, float] | None) -> tuple[list[str], Floats]:
    if classes is None:
        return ["all"], np.ones(1)
    if not isinstance(classes, Mapping) or not classes:
        raise InputError("classes= is a mapping of class to its share of the arrivals, the most urgent first")
    shares = np.array([float(v) for v in classes.values()])
    if not ((shares >= 0).all() and abs(shares.sum() - 1) < 1e-9):
        raise InputError(f"the shares of classes= must add up to 1, got {shares.sum():g}")
    return [str(c) for c in classes], shares / shares.sum()


def _samples(service: Service, names: list[str]) -> list[Floats]:
    if isinstance(service, Mapping):
        for name in service:
            if name not in names:
                raise UnknownNameError("class of service=", str(name), names)
        missing = [n for n in names if n not in service]
        if missing:
            raise InputError(f"service= has no times for class {missing[0]!r}")
        parts = [np.asarray(service[n], dtype=float) for n in names]
    else:
        parts = [np.asarray(service, dtype=float)] * len(names)
    for part in parts:
        if part.ndim != 1 or not len(part) or not (np.isfinite(part).all() and (part >= 0).all()):
            raise InputError("service= are observed times, finite and at least 0; give at least one")
    return parts


def _old_ranks(given: Sequence[str] | None, names: list[str], n: int) -> NDArray[np.int64]:
    if given is None:
        if n and len(names) > 1:
            raise InputError("backlog_classes= is needed: one class for each of the backlog")
        return np.zeros(n, dtype=np.int64)
    if len(given) != n:
        raise InputError(
            f"backlog_classes= needs one class for each of the {n} of the backlog, got {len(given)}"
        )
    for name in given:
        if str(name) not in names:
            raise UnknownNameError("class of backlog_classes=", str(name), names)
    return np.array([names.index(str(c)) for c in given], dtype=np.int64)
