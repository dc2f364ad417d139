"""QueueSimulation: what an exactly simulated queue gives, for a replay and for a forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent, span
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat, Result

if TYPE_CHECKING:
    import pandas as pd

#: Shares at which the distribution of waits is kept.
SHARES = np.linspace(0.0, 1.0, 1001)
#: Points of the paths.
PATH = 400
#: Batches of a batch-means interval.
BATCHES = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class QueueSimulation(Result):
    """A queue simulated customer by customer. Times in ``unit``.

    Attributes
    ----------
    how : {"replay", "forecast"}
        One path from given arrivals (intervals by batch means), or independent runs (intervals over runs).
    unit : str
    of : {"wait", "time"}
        What the objective is about: time until service begins, or until it ends.
    servers : str
        The servers in words.
    n, runs : int
        Customers (in all runs together), runs.
    within, target : float
        The objective; NaN where not asked.
    utilization : float
        Busy time over server time, from the start to the last arrival.
    p_meets, p_meets_low, p_meets_high : float
        Share of the runs that meet the objective, with its exact interval; NaN for a replay.
    confidence : float
    classes : text array, shape (k,)
        "all", then the classes, the most urgent first.
    class_n, unserved : int arrays, shape (k,)
        Customers; those to whom no server ever came.
    mean_wait, mean_wait_low, mean_wait_high, mean_time : float arrays, shape (k,)
    wait_p50, wait_p90, wait_p95 : float arrays, shape (k,)
    service_level, level_low, level_high : float arrays, shape (k,)
    quantiles : float array, shape (1001,)
        Waits at shares 0, 0.001, ..., 1 (all classes).
    run_levels : float array, shape (runs,)
        Service level of each run; empty without an objective.
    path_at : array, shape (p,)
        Instants or numbers.
    waiting, waiting_low, waiting_high : float arrays, shape (p,)
        Not yet begun: the median over runs and the range of 90% of them.
    in_system : float array, shape (p,)
        Not yet ended: the median over runs.
    waits, times : float arrays, shape (n,)
        Of each customer in order of arrival, for a replay; empty for a forecast.
    """

    kind: ClassVar[str] = "queue_simulation"
    schema_version: ClassVar[int] = 1

    how: str
    unit: str
    of: str
    servers: str
    n: int
    runs: int
    within: float
    target: float
    utilization: float
    p_meets: float
    p_meets_low: float
    p_meets_high: float
    confidence: float
    classes: NDArray[Any]
    class_n: NDArray[np.int64]
    unserved: NDArray[np.int64]
    mean_wait: Floats
    mean_wait_low: Floats
    mean_wait_high: Floats
    mean_time: Floats
    wait_p50: Floats
    wait_p90: Floats
    wait_p95: Floats
    service_level: Floats
    level_low: Floats
    level_high: Floats
    quantiles: Floats
    run_levels: Floats
    path_at: NDArray[Any]
    waiting: Floats
    waiting_low: Floats
    waiting_high: Floats
    in_system: Floats
    waits: Floats
    times: Floats

    def to_frame(self) -> pd.DataFrame:
        """One row per class, "all" first: class, n, unserved, mean_wait, mean_wait_low, mean_wait_high,
        mean_time, wait_p50, wait_p90, wait_p95, service_level, level_low, level_high."""
        import pandas as pd

        waits = (
            "mean_wait",
            "mean_wait_low",
            "mean_wait_high",
            "mean_time",
            "wait_p50",
            "wait_p90",
            "wait_p95",
        )
        names = (*waits, "service_level", "level_low", "level_high")
        columns = {n: getattr(self, n) for n in names}
        return pd.DataFrame({"class": self.classes, "n": self.class_n, "unserved": self.unserved} | columns)

    def path(self) -> pd.DataFrame:
        """The backlog in time: at, waiting, waiting_low, waiting_high, in_system."""
        import pandas as pd

        names = ("waiting", "waiting_low", "waiting_high", "in_system")
        return pd.DataFrame({"at": self.path_at} | {n: getattr(self, n) for n in names})

    def summary(self) -> pd.DataFrame:
        """One row: how, servers, unit, n, runs, utilization, the numbers of all classes together,
        most_waiting, waiting_at_end, within, target, p_meets, p_meets_low, p_meets_high, caveats, verdict."""
        import pandas as pd

        first = self.to_frame().drop(columns=["class", "n"]).iloc[0].to_dict()
        row = {n: getattr(self, n) for n in ("how", "servers", "unit", "of", "n", "runs", "utilization")}
        row |= {str(k): v for k, v in first.items()}
        row |= {
            "most_waiting": float(self.waiting.max()),
            "waiting_at_end": float(self.waiting[-1]),
        }
        row |= {n: getattr(self, n) for n in ("within", "target", "p_meets", "p_meets_low", "p_meets_high")}
        row |= {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, classes, the path of the backlog."""
        return ("Summary", self.summary()), ("Classes", self.to_frame()), ("Backlog", self.path())


def batch_means(values: Floats, confidence: float) -> tuple[float, float, float]:
    """Interval of a steady-state mean from one path, and the correlation of neighbouring batches.

    The path is cut into 20 batches of equal length whose means are taken as independent and normal.

    References
    ----------
    Law (2015), Simulation Modeling and Analysis, section 9.5.3.

    Examples
    --------
    >>> low, high, _ = batch_means(np.tile([0.0, 1.0, 0.5, 0.25, 0.75], 20), 0.95)
    >>> low, high
    (0.5, 0.5)
    """
    size = len(values) // BATCHES
    if size < 5 or not np.isfinite(values).all():
        return math.nan, math.nan, math.nan
    # the first customers fill no whole batch
    means = values[len(values) - size * BATCHES :].reshape(BATCHES, size).mean(axis=1)
    # the interval is one of the mean of all, the first ones included
    center, spread = float(values.mean()), float(means.std(ddof=1))
    half = float(special.stdtrit(BATCHES - 1, (1 + confidence) / 2)) * spread / math.sqrt(BATCHES)
    off = means - means.mean()
    lag1 = float((off[1:] * off[:-1]).sum() / (off**2).sum()) if spread > 0 else 0.0
    return center - half, center + half, lag1


def over_runs(values: Floats, confidence: float) -> tuple[float, float]:
    """Interval of a mean from independent runs (Student's t)."""
    known = values[np.isfinite(values)]
    if len(known) < 2 or len(known) < len(values):
        return math.nan, math.nan
    half = float(
        special.stdtrit(len(known) - 1, (1 + confidence) / 2) * known.std(ddof=1) / math.sqrt(len(known))
    )
    return float(known.mean()) - half, float(known.mean()) + half


def exact_share(k: int, n: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share."""
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1 - tail))
    return low, high


def verdict(q: QueueSimulation) -> str:
    """What a meeting is told."""
    each = f"{count(q.n, 'customer')}" if q.how == "replay" else f"{q.runs:,} simulated runs"
    text = f"With {q.servers}, {each}"
    mean, low, high = float(q.mean_wait[0]), float(q.mean_wait_low[0]), float(q.mean_wait_high[0])
    if math.isfinite(mean):
        between = f" ({percent(q.confidence)} interval {span(low, high)})" if math.isfinite(low) else ""
        verb = "wait" if q.how == "replay" else "give a wait of"
        text += (
            f" {verb} {number(mean, q.unit)} on average{between}, 90% at most "
            f"{number(float(q.wait_p90[0]), q.unit)}"
        )
    else:
        text += ": the mean wait cannot be given, since not everybody is served"
    if math.isnan(q.utilization):
        text += "; nobody was at work before the last arrival."
    else:
        text += f"; servers are busy {percent(q.utilization)} of the time."
    if not math.isnan(q.within):
        what = "begin" if q.of == "wait" else "are done"
        share = percent(float(q.service_level[0]), fine=True)
        text += f" {share} {what} within {number(q.within, q.unit)}"
        if not math.isnan(q.p_meets):
            ends = f"{percent(q.p_meets_low)} to {percent(q.p_meets_high)}"
            text += (
                f"; the objective of {percent(q.target)} is met with probability {percent(q.p_meets)} "
                f"({ends})"
            )
        elif not math.isnan(q.target):
            text += f": the objective of {percent(q.target)} {_judged(q)}"
        text += "."
    end = float(q.waiting[-1])
    text += f" At the end {number(end)} are waiting, at most {number(float(q.waiting.max()))} on the way."
    return text


def _judged(q: QueueSimulation) -> str:
    low, high = float(q.level_low[0]), float(q.level_high[0])
    level = float(q.service_level[0])
    if math.isfinite(low) and low <= q.target <= high:
        return f"is {'met' if level >= q.target else 'missed'} here, but undecided in the long run"
    return "is met" if level >= q.target else "is missed"


def doubts(
    *, unserved: int, n: int, lag1: float, how: str, growing: Sequence[float], unit: str
) -> list[Caveat]:
    """Caveats of a simulated queue; ``growing`` is the number waiting at the middle and at the end."""
    out = []
    if unserved:
        text = (
            f"{count(unserved, 'customer')} of {n:,} were never served: nobody was at work after their "
            "arrival."
        )
        out.append(Caveat("unserved", text, {"unserved": unserved, "n": n}))
    if how == "replay" and n < 5 * BATCHES:
        text = f"Only {n} customers: too few for an interval from batches of one path."
        out.append(Caveat("too-few-points", text, {"n": n, "needed": 5 * BATCHES}))
    if how == "replay" and lag1 > 2 / math.sqrt(BATCHES):
        text = (
            f"Neighbouring batches are alike (correlation {lag1:.2f}): the path is too short, or the load "
            "changes in "
            "time, and the interval is too narrow."
        )
        out.append(Caveat("batches-alike", text, {"lag1": lag1}))
    middle, end = growing
    # where demand exceeds what the servers can carry, twice as many wait at the end as half way
    if end > 1.5 * middle + 10:
        text = (
            f"The queue grows: {number(middle)} waiting half way, {number(end)} at the end. There is no "
            "steady state "
            "that an average could describe."
        )
        out.append(Caveat("backlog-grows", text, {"middle": middle, "end": end}))
    return out
