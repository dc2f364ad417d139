"""simulate_queue(arrivals, service) -> QueueSimulation: what if other people had been at work?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Method
from perfanalytics.core.series import Series
from perfanalytics.models.queues.queue import check_objective, numbers_of
from perfanalytics.models.queues.recursion import ShiftEnd, Steps, events, many_servers, one_server
from perfanalytics.models.queues.schedule import Servers, clock_of, describe, server_steps
from perfanalytics.models.queues.simulation_result import (
    PATH,
    SHARES,
    QueueSimulation,
    batch_means,
    doubts,
    verdict,
)

REFERENCES = (
    "Kiefer and Wolfowitz (1955), Transactions of the American Mathematical Society 78",
    "Law (2015), Simulation Modeling and Analysis, section 9.5",
)


def simulate_queue(
    arrivals: ArrayLike,
    service: ArrayLike,
    *,
    servers: Servers,
    priority: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    preemptive: bool = False,
    shift_end: ShiftEnd = "finish",
    start: Any = None,
    warmup: int = 0,
    within: float | None = None,
    target: float | None = None,
    of: str = "wait",
    confidence: float = 0.95,
    unit: str = "hours",
    rng: np.random.Generator | None = None,
) -> QueueSimulation:
    """Replay arrivals through a queue, customer by customer: exact, with any shifts and priorities.

    Parameters
    ----------
    arrivals : array_like of datetime64 or float, shape (n,)
        When each customer came, in any order. Those before ``start`` are the backlog at the start.
    service : array_like of float, shape (n,) or (m,)
        Service time of each customer, in ``unit``; with another length than the arrivals, a sample to draw
        from with ``rng``.
    servers : int, or sequence of (time, number), or sequence of (Calendar, number)
        Constant; from each time on; or while each calendar is open (added up).
    priority : array_like, shape (n,), optional
        Class of each customer: numbers, the smallest the most urgent; or names, with ``classes``.
    classes : sequence, optional
        The values of ``priority``, the most urgent first.
    preemptive : bool
        Whether a more urgent arrival interrupts a service, which is resumed later.
    shift_end : {"finish", "pause"}
        Whether a service under way at the end of a shift is finished, or paused until the next one.
    start : datetime64 or float, optional
        Nobody works before; default the first arrival.
    warmup : int
        So many first customers are simulated but left out of the numbers.
    within, target : float, optional
        Objective: the share ``target`` begins (``of="wait"``) or is done (``of="time"``) within ``within``.
    of : {"wait", "time"}
    confidence : float
        Of the batch-means intervals.
    unit : str
        Of service times and results; "seconds", "minutes", "hours" or "days" with instants.
    rng : numpy.random.Generator, optional
        Needed where services are drawn.

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    One server in order of arrival is Lindley's equation, several are Kiefer and Wolfowitz's recursion, shifts
    and priorities a loop over events. The queue is emptied after the last arrival. Intervals are by 20 batch
    means: they take the path as a piece of a steady state.

    References
    ----------
    Lindley (1952); Kiefer and Wolfowitz (1955); Law (2015), Simulation Modeling and Analysis, section 9.5.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> q = perf.simulate_queue([0, 1, 2, 3], [3.0, 3.0, 3.0, 3.0], servers=2, within=1.0)
    >>> q.waits.tolist(), float(q.service_level[0])
    ([0.0, 0.0, 1.0, 1.0], 1.0)
    """
    clock = clock_of(arrivals, unit)
    arrive = clock.numbers("arrivals", arrivals)
    if arrive.ndim != 1 or not len(arrive):
        raise InputError("arrivals= are times, at least one")
    n = len(arrive)
    work = _services(service, n, rng)
    check_objective(within, target)
    check_choices(of, shift_end, confidence)
    if isinstance(warmup, bool) or not isinstance(warmup, int) or not 0 <= warmup < n:
        raise InputError(f"warmup= is a number of customers below the {n} arrivals, got {warmup!r}")
    rank, names = _ranks(priority, classes, n)
    if preemptive and len(names) < 2:
        raise InputError("preemptive=True needs priority= with at least two classes")
    begins_at = float(arrive.min()) if start is None else float(clock.numbers("start=", np.asarray(start)))
    order = np.argsort(arrive, kind="stable")
    arrive, work, rank = arrive[order], work[order], rank[order]
    steps = server_steps(servers, clock, begins_at, float(arrive[-1]))
    horizon = float(arrive[-1])
    begin, end, busy = run(
        arrive,
        work,
        rank,
        steps,
        prioritized=len(names) > 1,
        preemptive=preemptive,
        shift_end=shift_end,
        until=horizon,
    )
    waits, times = begin - arrive, end - arrive
    kept = slice(warmup, None)
    limit = math.nan if within is None else float(within)
    judged = (waits if of == "wait" else times)[kept] <= limit
    rows, lag1 = _class_rows(waits[kept], times[kept], judged, rank[kept], len(names), within, confidence)
    path_at = np.linspace(begins_at, max(horizon, begins_at), PATH)
    waiting = standing(arrive, begin, path_at)
    provenance = Series(np.concatenate([arrive, work])).provenance()
    back = np.empty(n, dtype=np.int64)
    back[order] = np.arange(n)
    found = QueueSimulation(
        verdict="",
        method=Method(
            "simulate_queue",
            {
                "recursion": "events"
                if busy is not None
                else "Lindley"
                if int(steps.count[0]) == 1
                else "Kiefer-Wolfowitz",
                "servers": describe(steps),
                "changes_of_servers": len(steps.at) - 1,
                "service": "drawn from the sample" if np.size(service) != n else "of each customer",
                "priorities": names if len(names) > 1 else [],
                "preemptive": preemptive,
                "shift_end": shift_end,
                "start": None if start is None else str(start),
                "warmup": warmup,
                "within": within,
                "target": target,
                "of": of,
                "confidence": confidence,
                "intervals": "20 batch means, Student's t",
            },
            REFERENCES,
        ),
        provenance=replace(provenance, n=n),
        how="replay",
        unit=unit,
        of=of,
        servers=describe(steps),
        n=n - warmup,
        runs=1,
        within=limit,
        target=math.nan if target is None else float(target),
        utilization=used(begin, work, steps, busy, begins_at, horizon),
        p_meets=math.nan,
        p_meets_low=math.nan,
        p_meets_high=math.nan,
        confidence=confidence,
        classes=read_only(np.array(["all", *names] if len(names) > 1 else ["all"], dtype=object)),
        **rows,
        quantiles=read_only(quantiles(waits[kept])),
        run_levels=read_only(np.array([judged.mean()]) if within is not None else np.empty(0)),
        path_at=read_only(clock.times(path_at)),
        waiting=read_only(waiting),
        waiting_low=read_only(waiting),
        waiting_high=read_only(waiting),
        in_system=read_only(standing(arrive, end, path_at)),
        waits=read_only(waits[back]),
        times=read_only(times[back]),
    )
    caveats = doubts(
        unserved=int(rows["unserved"][0]),
        n=n - warmup,
        lag1=lag1,
        how="replay",
        growing=(float(waiting[PATH // 2]), float(waiting[-1])),
        unit=unit,
    )
    return replace(found, verdict=verdict(found), caveats=tuple(caveats))


def run(
    arrive: Floats,
    work: Floats,
    rank: NDArray[np.int64],
    steps: Steps,
    *,
    prioritized: bool,
    preemptive: bool,
    shift_end: ShiftEnd,
    until: float,
) -> tuple[Floats, Floats, float | None]:
    """Begin and end of each customer by the fastest exact recursion; busy time up to ``until`` where
    counted."""
    if len(steps.at) == 1 and not prioritized:
        # in order of arrival, whoever came before the start is there when it opens
        there = np.maximum(arrive, steps.at[0])
        c = int(steps.count[0])
        begin = one_server(there, work) if c == 1 else many_servers(there, work, c)
        return begin, begin + work, None
    return events(arrive, work, rank, steps, preemptive=preemptive, shift_end=shift_end, until=until)


def used(begin: Floats, work: Floats, steps: Steps, busy: float | None, since: float, until: float) -> float:
    """Share of the server time from ``since`` to ``until`` that was busy."""
    offered = steps.integral(since, until)
    if offered <= 0:
        return math.nan
    if busy is None:
        busy = float((np.clip(begin + work, since, until) - np.clip(begin, since, until)).sum())
    return busy / offered


def standing(arrive: Floats, leave: Floats, at: Floats) -> Floats:
    """How many have come and not left at each instant; ``arrive`` is sorted."""
    come = np.searchsorted(arrive, at, side="right")
    gone = np.searchsorted(np.sort(leave), at, side="right")
    return np.asarray((come - gone).astype(float))


def quantiles(waits: Floats) -> Floats:
    """Waits at the stored shares, infinite ones included."""
    ordered = np.sort(waits)
    position = SHARES * (len(ordered) - 1)
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    part = position - below
    with np.errstate(invalid="ignore"):
        # inf - inf between two that were never served
        return np.asarray(np.where(part == 0, low, np.where(np.isinf(high), high, low + part * (high - low))))


def check_choices(of: str, shift_end: str, confidence: float) -> None:
    """Raise for names and levels that do not exist."""
    if of not in ("wait", "time"):
        raise UnknownNameError("objective (of=)", str(of), ("wait", "time"))
    if shift_end not in ("finish", "pause"):
        raise UnknownNameError("end of a shift (shift_end=)", str(shift_end), ("finish", "pause"))
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")


def _services(service: ArrayLike, n: int, rng: np.random.Generator | None) -> Floats:
    work = numbers_of("service", service)
    if work.ndim != 1 or not len(work) or not (np.isfinite(work).all() and (work >= 0).all()):
        raise InputError("service= are finite times of at least 0; leave items without one out")
    if len(work) == n:
        return work
    if rng is None:
        raise InputError(
            f"{n} arrivals and {len(work)} service times: give one each, or rng= to draw from the times "
            "as a sample"
        )
    return np.asarray(rng.choice(work, n))


def _ranks(
    priority: ArrayLike | None, classes: Sequence[str] | None, n: int
) -> tuple[NDArray[np.int64], list[str]]:
    if priority is None:
        if classes is not None:
            raise InputError("classes= names the values of priority=: give both")
        return np.zeros(n, dtype=np.int64), ["all"]
    given = np.asarray(priority)
    if given.shape != (n,):
        raise InputError(f"priority= needs one value for each of {n} arrivals, got shape {given.shape}")
    if classes is None:
        if given.dtype.kind not in "iufb" or (given.dtype.kind == "f" and np.isnan(given).any()):
            raise InputError("priority= of names needs classes=, the most urgent first")
        values, rank = np.unique(given, return_inverse=True)
        return rank.astype(np.int64), [f"{v:g}" if given.dtype.kind == "f" else str(v) for v in values]
    names = [str(c) for c in classes]
    found = {name: i for i, name in enumerate(names)}
    if len(found) < len(names):
        raise InputError("classes= must be different names")
    texts = [str(v) for v in given.tolist()]
    for text in texts:
        if text not in found:
            raise UnknownNameError("class of priority=", text, names)
    return np.array([found[t] for t in texts], dtype=np.int64), names


def _class_rows(
    waits: Floats,
    times: Floats,
    judged: NDArray[np.bool_],
    rank: NDArray[np.int64],
    k: int,
    within: float | None,
    confidence: float,
) -> tuple[dict[str, Any], float]:
    """The columns of all customers and of each class, and the correlation of batches of all."""
    groups = [slice(None), *[rank == j for j in range(k)]] if k > 1 else [slice(None)]
    rows, lag = [], math.nan
    for g, which in enumerate(groups):
        w, t, ok = waits[which], times[which], judged[which].astype(float)
        if not len(w):
            rows.append((0, 0, *[math.nan] * 10))
            continue
        low, high, lag1 = batch_means(w, confidence)
        lag = lag1 if g == 0 else lag
        level: tuple[float, ...] = (math.nan,) * 3
        if within is not None:
            ends = batch_means(ok, confidence)
            level = float(ok.mean()), max(ends[0], 0.0), min(ends[1], 1.0)
        p = percentiles(w)
        row = float(w.mean()), max(low, 0.0), high, float(t.mean())
        rows.append((len(w), int(np.isinf(w).sum()), *row, *p, *level))
    return columns(rows), lag


def percentiles(waits: Floats) -> tuple[float, float, float]:
    """Median, P90 and P95."""
    q = quantiles(waits)
    return float(q[500]), float(q[900]), float(q[950])


def columns(rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The columns of the result from one row a class."""
    names: tuple[str, ...] = (
        "class_n",
        "unserved",
        "mean_wait",
        "mean_wait_low",
        "mean_wait_high",
        "mean_time",
    )
    names += ("wait_p50", "wait_p90", "wait_p95", "service_level", "level_low", "level_high")
    table = np.array(rows, dtype=float).T
    whole = ("class_n", "unserved")
    return {
        name: read_only(column.astype(np.int64) if name in whole else column)
        for name, column in zip(names, table, strict=True)
    }
