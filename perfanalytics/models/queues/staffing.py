"""staffing(...) -> Staffing: how many servers a service level needs, interval by interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.queues import formulas
from perfanalytics.models.queues.erlang_a import erlang_a
from perfanalytics.models.queues.queue import check_objective, check_patience, numbers_of, tail

if TYPE_CHECKING:
    import pandas as pd

SYSTEMS = ("waiting", "loss")
#: Intervals shorter than this many service times are not in the steady state.
SHORT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Staffing(Result):
    """Servers needed in each interval. Times in ``unit``.

    Attributes
    ----------
    system : {"waiting", "loss"}
        Customers wait (Erlang C, with patience Erlang A) or are lost where all servers are busy (Erlang B).
    unit : str
    per, service, patience : float
        Length of an interval; mean service time; mean time after which a waiting customer gives up, infinite
        where nobody does.
    target, within : float
        The share that shall begin within this time.
    labels : text array, shape (k,)
        Names of the intervals.
    arrivals, load : float arrays, shape (k,)
        Arrivals in the interval; erlangs.
    servers, scheduled : int arrays, shape (k,)
        Servers needed at work; people to schedule with the shrinkage.
    service_level, one_fewer : float arrays, shape (k,)
        Share begun in time with these servers, and with one fewer.
    p_wait, p_abandon, mean_wait, occupancy : float arrays, shape (k,)
        Share that waits (is lost), share that gives up, mean wait, share of busy time.
    """

    kind: ClassVar[str] = "staffing"
    schema_version: ClassVar[int] = 2

    system: str
    unit: str
    per: float
    service: float
    patience: float
    target: float
    within: float
    labels: NDArray[Any]
    arrivals: Floats
    load: Floats
    servers: NDArray[np.int64]
    scheduled: NDArray[np.int64]
    service_level: Floats
    one_fewer: Floats
    p_wait: Floats
    p_abandon: Floats
    mean_wait: Floats
    occupancy: Floats

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """In version 1 nobody gave up."""
        return {"patience": math.inf, "p_abandon": read_only(np.zeros(len(fields["p_wait"])))} | fields

    def to_frame(self) -> pd.DataFrame:
        """One row per interval: interval, arrivals, load, servers, scheduled, service_level, one_fewer,
        p_wait, p_abandon, mean_wait, occupancy."""
        import pandas as pd

        names = ("arrivals", "load", "servers", "scheduled", "service_level", "one_fewer", "p_wait")
        columns = {n: getattr(self, n) for n in (*names, "p_abandon", "mean_wait", "occupancy")}
        return pd.DataFrame({"interval": self.labels} | columns)

    def summary(self) -> pd.DataFrame:
        """One row: system, unit, intervals, arrivals, service, target, within, servers_least, servers_most,
        patience, server_time (sum, in the unit), service_level, p_abandon (of all arrivals), mean_wait,
        occupancy, caveats, verdict."""
        import pandas as pd

        total = float(self.arrivals.sum())
        weight = self.arrivals / total if total else np.full(len(self.arrivals), 1 / len(self.arrivals))
        worked = float(self.servers.sum()) * self.per
        busy = float((self.servers * self.occupancy).sum() / max(1, self.servers.sum()))
        return pd.DataFrame(
            [
                {
                    "system": self.system,
                    "unit": self.unit,
                    "intervals": len(self.labels),
                    "arrivals": total,
                    "service": self.service,
                    "patience": self.patience,
                    "target": self.target,
                    "within": self.within,
                    "servers_least": int(self.servers.min()),
                    "servers_most": int(self.servers.max()),
                    "server_time": worked,
                    "service_level": float((weight * self.service_level).sum()),
                    "p_abandon": float((weight * self.p_abandon).sum()),
                    "mean_wait": float((weight * self.mean_wait).sum()),
                    "occupancy": busy,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


def staffing(
    *,
    arrivals: ArrayLike,
    service: float,
    per: float = 1.0,
    target: float = 0.8,
    within: float | None = None,
    system: str = "waiting",
    max_occupancy: float | None = None,
    max_mean_wait: float | None = None,
    max_abandoned: float | None = None,
    patience: float | None = None,
    shrinkage: float = 0.0,
    arrival_cv: float = 1.0,
    service_cv: float = 1.0,
    labels: Sequence[str] | None = None,
    unit: str = "seconds",
) -> Staffing:
    """The fewest servers that reach a service level, for one interval or many.

    Parameters
    ----------
    arrivals : float or array_like, shape (k,)
        Arrivals in each interval of length ``per``: a forecast.
    service : float
        Mean service time, in ``unit``.
    per : float
        Length of an interval, in ``unit`` (1800 for half hours in seconds).
    target : float
        Share that shall begin within ``within``; for a loss system the share that shall be served.
    within : float
        Time to begin, in ``unit``; 0 for at once. Needed unless ``system="loss"``.
    system : {"waiting", "loss"}
        Erlang C (customers wait) or Erlang B (customers who find all servers busy are lost).
    max_occupancy : float, optional
        Largest share of busy time people can stand (0.85).
    max_mean_wait : float, optional
        Largest mean wait, in ``unit``.
    max_abandoned : float, optional
        Largest share that gives up (0.05); needs ``patience``.
    patience : float, optional
        Mean time after which a waiting customer gives up, exponential, in ``unit``: Erlang A. Who gives up
        has not begun in time.
    shrinkage : float
        Share of paid time not at work (breaks, training, illness): ``scheduled = servers / (1 - shrinkage)``,
        rounded up.
    arrival_cv, service_cv : float
        Coefficients of variation; other than 1 by Allen and Cunneen's approximation.
    labels : sequence of str, optional
        Names of the intervals.
    unit : str

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Each interval is taken by itself, in its steady state (the stationary independent period-by-period
    method): the backlog of one is not carried into the next. Without ``patience`` nobody gives up; who gives
    up makes the queue shorter for the others, so that waits are shorter and fewer servers may do.

    References
    ----------
    Erlang (1917); Gans, Koole and Mandelbaum (2003), Manufacturing and Service Operations Management 5,
    section 4; Green, Kolesar and Whitt (2007), Production and Operations Management 16 (period by
    period).

    Examples
    --------
    >>> import perfanalytics as perf
    >>> s = perf.staffing(arrivals=100, per=1800, service=180, target=0.8, within=20)
    >>> int(s.servers[0]), round(float(s.service_level[0]), 3), round(float(s.mean_wait[0]), 1)
    (14, 0.888, 7.8)
    """
    demand = numbers_of("arrivals", arrivals)
    if demand.ndim != 1 or not len(demand) or not (np.isfinite(demand).all() and (demand >= 0).all()):
        raise InputError("arrivals= are finite numbers of at least 0, one for each interval")
    for name, value in (("service", service), ("per", per)):
        if not 0 < value < math.inf:
            raise InputError(f"{name}= is a time above 0, got {value}")
    if system not in SYSTEMS:
        raise UnknownNameError("system", str(system), SYSTEMS)
    if system == "loss":
        if within is not None or max_mean_wait is not None or (arrival_cv, service_cv) != (1.0, 1.0):
            raise InputError(
                "in a loss system nobody waits: within=, max_mean_wait= and cv= have no meaning there"
            )
        within = 0.0
    elif within is None:
        raise InputError("staffing needs within=: the time in which the share target= shall begin")
    check_objective(within, target)
    for name, most in (("max_occupancy", max_occupancy), ("max_mean_wait", max_mean_wait)):
        if most is not None and not 0 < most < (1.0 if name == "max_occupancy" else math.inf):
            raise InputError(f"{name}= lies above 0" + (" and below 1" if name == "max_occupancy" else ""))
    check_patience(patience)
    if patience is not None and (system == "loss" or (arrival_cv, service_cv) != (1.0, 1.0)):
        raise InputError(
            "patience= has a formula where customers wait, with arrival_cv=1 and service_cv=1 only"
        )
    if max_abandoned is not None and (patience is None or not 0 < max_abandoned < 1):
        raise InputError(
            f"max_abandoned= is a share between 0 and 1 (0.05), with patience=: got {max_abandoned}"
        )
    if not 0 <= shrinkage < 1:
        raise InputError(f"shrinkage= is a share of at least 0 and below 1, got {shrinkage}")
    if min(arrival_cv, service_cv) < 0:
        raise InputError("coefficients of variation are not negative")
    names = _labels(labels, len(demand))
    load = demand * service / per
    rows = []
    for a in load.tolist():
        # with impatient customers less than the load may do: no more are served in time than servers carry
        c = max(1, math.floor(a if patience is None else a * target))
        if a == 0:
            rows.append((0, 1.0, math.nan, 0.0, 0.0, 0.0, 0.0))
            continue
        while True:
            now = level(a, c, service, within, system, arrival_cv, service_cv, patience=patience)
            enough = now[0] >= target
            enough &= max_abandoned is None or now[4] <= max_abandoned
            enough &= max_occupancy is None or now[3] <= max_occupancy
            enough &= max_mean_wait is None or now[2] <= max_mean_wait
            if enough:
                break
            c += 1
        before = 0.0
        if c > 1:
            before = level(a, c - 1, service, within, system, arrival_cv, service_cv, patience=patience)[0]
        rows.append((c, now[0], before, *now[1:]))
    table = np.array(rows, dtype=float)
    servers = table[:, 0].astype(np.int64)
    # a hair off before rounding up: 14 / (1 - 0.3) is 20, not 20.000000000000004
    scheduled = np.ceil(servers / (1 - shrinkage) * (1 - 1e-12)).astype(np.int64)
    forever = patience is None
    caveats = _doubts(load, servers, service, per, arrival_cv, service_cv, forever)
    result: dict[str, Any] = {
        "system": system,
        "unit": unit,
        "per": float(per),
        "service": float(service),
        "patience": math.inf if patience is None else float(patience),
        "target": target,
        "within": float(within),
        "labels": read_only(np.array(names, dtype=object)),
        "arrivals": read_only(demand),
        "load": read_only(load),
        "servers": read_only(servers),
        "scheduled": read_only(scheduled),
        "service_level": read_only(table[:, 1]),
        "one_fewer": read_only(table[:, 2]),
        "p_wait": read_only(table[:, 3]),
        "p_abandon": read_only(table[:, 6]),
        "mean_wait": read_only(table[:, 4]),
        "occupancy": read_only(table[:, 5]),
    }
    return Staffing(
        verdict=_verdict(result, shrinkage),
        caveats=tuple(caveats),
        method=Method(
            "staffing",
            {
                "formula": "Erlang B"
                if system == "loss"
                else "Erlang A"
                if patience is not None
                else "Erlang C"
                if (arrival_cv, service_cv) == (1.0, 1.0)
                else "Allen-Cunneen",
                "intervals": "each by itself, in the steady state",
                "target": target,
                "within": within,
                "max_occupancy": max_occupancy,
                "max_mean_wait": max_mean_wait,
                "max_abandoned": max_abandoned,
                "patience": patience,
                "shrinkage": shrinkage,
                "arrival_cv": arrival_cv,
                "service_cv": service_cv,
            },
            ("Gans, Koole and Mandelbaum (2003), Manufacturing and Service Operations Management 5",),
        ),
        provenance=Provenance("", data_hash="", n=len(demand)),
        **result,
    )


def level(
    load: float,
    servers: int,
    service: float,
    within: float,
    system: str,
    arrival_cv: float,
    service_cv: float,
    *,
    patience: float | None = None,
) -> tuple[float, float, float, float, float]:
    """Service level, probability of waiting (being lost), mean wait, occupancy, share that gives up with so
    many servers."""
    if system == "loss":
        lost = formulas.erlang_b(load, servers)
        return 1 - lost, lost, 0.0, load * (1 - lost) / max(servers, 1), 0.0
    if patience is not None and servers > 0:
        a = erlang_a(load, servers, service, patience)
        busy = load * (1 - a.p_abandon) / servers
        return a.begun_within(within), a.p_wait, a.mean_wait, busy, a.p_abandon
    if servers <= load:
        return 0.0, 1.0, math.inf, 1.0, 0.0
    # constant times: nobody ever waits
    chance = formulas.erlang_c(load, servers) if arrival_cv or service_cv else 0.0
    wait = formulas.mean_wait(load, servers, service, arrival_scv=arrival_cv**2, service_scv=service_cv**2)
    return 1 - float(tail(chance, wait, np.asarray(within))), chance, wait, load / servers, 0.0


def _labels(labels: Sequence[str] | None, k: int) -> list[str]:
    if labels is None:
        return [str(i + 1) for i in range(k)]
    if isinstance(labels, str) or len(labels) != k:
        raise InputError(f"labels= are {k} names, one for each interval")
    return [str(name) for name in labels]


def _doubts(
    load: Floats,
    servers: NDArray[np.int64],
    service: float,
    per: float,
    arrival_cv: float,
    service_cv: float,
    forever: bool,
) -> list[Caveat]:
    out = []
    busy = float((load[servers > 0] / servers[servers > 0]).max()) if (servers > 0).any() else 0.0
    if len(load) > 1 and per < SHORT * service:
        text = (
            f"An interval is only {number(per / service)} service times long: the work of one interval "
            "lasts into "
            "the next, which the formula does not know. simulate_queue does."
        )
        out.append(Caveat("short-intervals", text, {"intervals_in_services": per / service}))
    if (arrival_cv, service_cv) != (1.0, 1.0):
        text = (
            "Arrivals or service are not exponential: waits are Allen and Cunneen's approximation, and "
            "those who "
            "wait are taken to wait an exponential time."
        )
        out.append(Caveat("approximation", text, {"arrival_cv": arrival_cv, "service_cv": service_cv}))
    if busy > 0.9 and forever:
        text = f"Servers are busy up to {percent(busy)} of the time: small errors of the forecast cost much."
        out.append(Caveat("nearly-full", text, {"occupancy": busy}))
    return out


def _verdict(r: dict[str, Any], shrinkage: float) -> str:
    # of the intervals that need most, the one with the highest load
    k = int(np.lexsort((r["load"], r["servers"]))[-1])
    servers = int(r["servers"][k])
    unit = r["unit"]
    if r["system"] == "loss":
        aim = f"serve {percent(r['target'])} of arrivals"
    elif r["within"] == 0:
        aim = f"begin {percent(r['target'])} at once"
    else:
        aim = f"begin {percent(r['target'])} within {number(r['within'], unit)}"
    reached = percent(float(r["service_level"][k]), fine=True)
    fewer = float(r["one_fewer"][k])
    less = f"; with one fewer {percent(fewer, fine=True)}" if servers > 1 and not math.isnan(fewer) else ""
    wait = f", mean wait {number(float(r['mean_wait'][k]), unit)}" if r["system"] == "waiting" else ""
    if math.isfinite(r["patience"]):
        wait += f", {percent(float(r['p_abandon'][k]))} give up"
    detail = f"({reached} reached{wait}, busy {percent(float(r['occupancy'][k]))} of the time{less})"
    if len(r["servers"]) == 1:
        text = f"To {aim}, {count(servers, 'server')} {'is' if servers == 1 else 'are'} needed {detail}."
    else:
        hours = number(float(r["servers"].sum()) * r["per"], unit)
        least, intervals = int(r["servers"].min()), len(r["servers"])
        need = f"{least} to {count(servers, 'server')} are needed over {intervals} intervals"
        most = "the most in interval"
        if least == servers:
            are = "is" if servers == 1 else "are"
            need = f"{count(servers, 'server')} {are} needed in each of {intervals} intervals"
            most = "busiest is interval"
        text = f"To {aim}, {need}, {hours} of work; {most} {r['labels'][k]} {detail}."
    if shrinkage:
        text += f" With {percent(shrinkage)} shrinkage schedule {int(r['scheduled'][k])}."
    return text
