"""queue(...) -> Queue: a service point in the steady state, by formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.queues import formulas
from perfanalytics.models.queues.erlang_a import ErlangA, erlang_a

if TYPE_CHECKING:
    import pandas as pd

DISCIPLINES = ("fifo", "priority", "preemptive")
#: Above this share of busy time small errors in rates change the wait by much.
NEARLY_FULL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Queue(Result):
    """A queue in the steady state. Times in ``unit``, rates per ``unit``.

    Attributes
    ----------
    model : str
        Kendall's notation ("M/M/8", "M/M/4/10", "M/M/50+M", "M/G/1", "G/G/3").
    discipline : {"fifo", "priority", "preemptive"}
    exact : bool
        Whether the mean wait is exact under the assumptions.
    unit : str
    servers : int
    capacity : int or None
        Most customers in the system, those in service included; further ones are lost.
    patience : float
        Mean time after which a waiting customer gives up; infinite where nobody does.
    load, utilization : float
        Offered load in erlangs; share of busy time of a server.
    p_blocked : float
        Share of arrivals that are lost.
    p_abandon : float
        Share of arrivals that give up waiting.
    p_wait, mean_wait, mean_time, mean_queue, mean_in_system : float
        Of all classes together (of those let in): probability of waiting, mean wait, mean time in the system,
        mean number waiting, mean number in the system. Infinite where the queue grows without end. The wait
        of those who give up ends there and counts.
    within, target, service_level : float
        Objective: share ``target`` begun within ``within``; the share of all arrivals reached (who is turned
        away or gives up counts as missed). NaN where not asked.
    classes : text array, shape (k,)
        Names of the classes, the most urgent first; one, "all", without classes.
    class_arrivals, class_service, class_p_wait, class_wait : float arrays, shape (k,)
        Arrivals per unit of time, mean service, probability of waiting on arrival, mean wait. With
        ``discipline="preemptive"`` the wait is the time in the system less the service, interruptions
        included.
    """

    kind: ClassVar[str] = "queue"
    schema_version: ClassVar[int] = 2

    model: str
    discipline: str
    exact: bool
    unit: str
    servers: int
    capacity: int | None
    patience: float
    load: float
    utilization: float
    p_blocked: float
    p_abandon: float
    p_wait: float
    mean_wait: float
    mean_time: float
    mean_queue: float
    mean_in_system: float
    within: float
    target: float
    service_level: float
    classes: NDArray[Any]
    class_arrivals: Floats
    class_service: Floats
    class_p_wait: Floats
    class_wait: Floats

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """In version 1 nobody gave up."""
        return {"patience": math.inf, "p_abandon": 0.0} | fields

    def _impatient(self) -> ErlangA:
        return erlang_a(self.load, self.servers, float(self.class_service[0]), self.patience)

    def longer_than(self, times: ArrayLike) -> Floats:
        """P(wait > t) over all classes; shape of ``times``.

        Notes
        -----
        Exact for M/M/c, M/M/c/K and M/M/c+M in order of arrival; the wait of those who give up ends there.
        Otherwise those who wait are taken to wait an exponential time with the right mean.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> desk = perf.queue(arrivals=100, per=1800, service=180, servers=14, unit="seconds")
        >>> round(float(1 - desk.longer_than(20.0)), 3)
        0.888
        """
        t = np.asarray(times, dtype=float)
        if (t < 0).any():
            raise InputError("a wait is not negative: give times of at least 0")
        if math.isfinite(self.patience):
            return self._impatient().longer_than(t)
        if self.capacity is not None:
            states = formulas.limited_states(self.load, self.servers, self.capacity)
            return formulas.limited_tail(states, self.servers, float(self.class_service[0]), t)
        weight = self.class_arrivals / self.class_arrivals.sum()
        out = np.zeros(np.shape(t))
        for w, p, mean in zip(weight, self.class_p_wait, self.class_wait, strict=True):
            out = out + w * tail(float(p), float(mean), t)
        return np.asarray(out)

    def wait_percentile(self, share: float) -> float:
        """The wait that a share of the customers do not exceed, in ``unit``.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> round(perf.queue(arrivals=6.8, service=1, servers=8).wait_percentile(0.9), 2)
        1.45
        """
        if not 0 < share < 1:
            raise InputError(f"a share lies between 0 and 1 (0.9), got {share}")
        if float(self.longer_than(0.0)) <= 1 - share:
            return 0.0
        if not math.isfinite(self.mean_wait):
            return math.inf
        low, high = 0.0, max(self.mean_wait, 1e-12)
        while float(self.longer_than(high)) > 1 - share:
            low, high = high, 2 * high
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if float(self.longer_than(middle)) > 1 - share else (low, middle)
        return high

    def to_frame(self) -> pd.DataFrame:
        """One row per class: class, arrivals (per unit), service, load, p_wait, mean_wait, mean_time,
        mean_queue, mean_in_system."""
        import pandas as pd

        time = self.class_wait + self.class_service * (1 - self.p_abandon)
        let_in = self.class_arrivals * (1 - self.p_blocked)
        return pd.DataFrame(
            {
                "class": self.classes,
                "arrivals": self.class_arrivals,
                "service": self.class_service,
                "load": self.class_arrivals * self.class_service,
                "p_wait": self.class_p_wait,
                "mean_wait": self.class_wait,
                "mean_time": time,
                "mean_queue": let_in * self.class_wait,
                "mean_in_system": let_in * time,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: the attributes, with wait_p50, wait_p90, wait_p95 in the unit."""
        import pandas as pd

        names = ("model", "discipline", "exact", "unit", "servers", "capacity", "patience", "load")
        means = (
            "utilization",
            "p_blocked",
            "p_abandon",
            "p_wait",
            "mean_wait",
            "mean_time",
            "mean_queue",
            "mean_in_system",
        )
        row: dict[str, Any] = {n: getattr(self, n) for n in (*names, *means)}
        row |= {f"wait_p{p}": self.wait_percentile(p / 100) for p in (50, 90, 95)}
        row |= {n: getattr(self, n) for n in ("within", "target", "service_level")}
        row |= {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row])


def tail(p_wait: float, mean_wait: float, times: Floats) -> Floats:
    """P(wait > t) where those who wait, wait an exponential time; shape of ``times``."""
    if not math.isfinite(mean_wait):
        return np.ones(np.shape(times))
    if p_wait <= 0 or mean_wait <= 0:
        return np.zeros(np.shape(times))
    return np.asarray(p_wait * np.exp(-np.asarray(times) * p_wait / mean_wait))


def queue(
    *,
    arrivals: float | Sequence[float],
    service: float | Sequence[float],
    servers: int = 1,
    per: float = 1.0,
    capacity: int | None = None,
    patience: float | None = None,
    arrival_cv: float = 1.0,
    service_cv: float | Sequence[float] = 1.0,
    discipline: str = "fifo",
    classes: Sequence[str] | None = None,
    within: float | None = None,
    target: float | None = None,
    unit: str = "hours",
) -> Queue:
    """A queue in the steady state: waits, service level, utilization.

    Parameters
    ----------
    arrivals : float or sequence of float, shape (k,)
        Arrivals in ``per`` units of time; one number per class with priorities, the most urgent first.
    service : float or sequence of float, shape (k,)
        Mean service time, in ``unit``.
    servers : int
        Identical servers (people, agents, machines).
    per : float
        Length of the time the arrivals are counted in: 100 calls in 1800 seconds are ``arrivals=100,
        per=1800``.
    capacity : int, optional
        Most customers in the system, at least ``servers``; M/M/c/K. ``capacity=servers`` is Erlang's loss
        system.
    patience : float, optional
        Mean time after which a waiting customer gives up, exponential; M/M/c+M, Erlang A.
    arrival_cv, service_cv : float
        Coefficients of variation (standard deviation over mean) of times between arrivals and of service
        times: 1 for exponential, 0 for constant times.
    discipline : {"fifo", "priority", "preemptive"}
        In order of arrival; by class without, or with, interrupting the service under way.
    classes : sequence of str, optional
        Names of the classes.
    within, target : float, optional
        Objective: the share ``target`` begins within ``within``.
    unit : str
        Of all times.

    Raises
    ------
    InputError
        For impossible numbers, and combinations for which there is no formula.
    UnknownNameError
        For a discipline that does not exist.

    Notes
    -----
    M/M/c, M/M/c/K, M/M/c+M, M/G/1 and the priority queues are exact for the mean wait; G/G/c is Allen and
    Cunneen's approximation. A queue whose load reaches its servers grows without end: means are infinite,
    with a caveat. Without ``patience`` customers do not give up; with it there is always a steady state,
    because who would wait longest gives up, and a caveat says where the load exceeds the servers.

    References
    ----------
    Gross, Shortle, Thompson and Harris (2008), Fundamentals of Queueing Theory, chapters 2, 3 and 5. Allen
    (1990), Probability, Statistics and Queueing Theory, section 5.6. Mandelbaum and Zeltyn (2007), Service
    engineering in action: the Palm/Erlang-A queue.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> round(perf.queue(arrivals=6.8, service=1.0, servers=8).mean_wait, 4)
    0.4771
    >>> round(perf.queue(arrivals=0.8, service=1.0, service_cv=0.0).mean_wait, 2)
    2.0
    """
    rates, services, cvs = _columns(arrivals, service, service_cv, per)
    names = _names(classes, len(rates))
    check_servers(servers)
    if discipline not in DISCIPLINES:
        raise UnknownNameError("discipline", str(discipline), DISCIPLINES)
    if not 0 <= arrival_cv < math.inf:
        raise InputError(f"arrival_cv is a number of at least 0 (1 for random arrivals), got {arrival_cv}")
    check_objective(within, target)
    check_patience(patience)
    if patience is not None:
        _check_impatient(services, cvs, capacity, arrival_cv, discipline)
    _check_formula(rates, services, cvs, servers, capacity, arrival_cv, discipline)
    total = float(rates.sum())
    mean = float((rates * services).sum() / total)
    load = total * mean
    states = None
    impatient = None if patience is None else erlang_a(load, servers, mean, float(patience))
    if impatient is not None:
        exact, model = True, f"M/M/{servers}+M"
        waits = np.full(len(rates), impatient.mean_wait)
        chances = np.full(len(rates), impatient.p_wait)
    elif discipline == "fifo":
        second = float((rates * services**2 * (1 + cvs**2)).sum() / total)
        scv = max(second / mean**2 - 1, 0.0)
        if len(rates) == 1:
            scv = float(cvs[0]) ** 2
        chance = formulas.erlang_c(load, servers)
        wait = formulas.mean_wait(load, servers, mean, arrival_scv=arrival_cv**2, service_scv=scv)
        if capacity is not None:
            states = formulas.limited_states(load, servers, capacity)
            chance, wait = _limited(states, servers, total)
        exact = arrival_cv == 1 and (servers == 1 or abs(scv - 1) < 1e-12)
        if arrival_cv == scv == 0 and load < servers:
            # constant times: nobody ever waits
            chance, exact = 0.0, True
        waits, chances = np.full(len(rates), wait), np.full(len(rates), chance)
        model = _kendall(arrival_cv, scv, servers, capacity)
    else:
        preempt = discipline == "preemptive"
        waits, chances = formulas.priority_waits(rates, services, cvs**2, servers, preemptive=preempt)
        exact = True
        model = f"M/{'M' if (cvs == 1).all() and (services == services[0]).all() else 'G'}/{servers}"
    blocked = 0.0 if states is None else float(states[-1])
    lost = 0.0 if impatient is None else impatient.p_abandon
    weight = rates / total
    wait = float((weight * waits)[weight > 0].sum())
    let_in = total * (1 - blocked)
    utilization = min(let_in * (1 - lost) * mean / servers, 1.0)
    found = Queue(
        verdict="",
        method=Method(
            "queue",
            {
                "model": model,
                "discipline": discipline,
                "arrivals": rates.tolist(),
                "service": services.tolist(),
                "service_cv": cvs.tolist(),
                "arrival_cv": arrival_cv,
                "servers": servers,
                "capacity": capacity,
                "patience": patience,
                "mean_wait": "exact" if exact else "Allen-Cunneen approximation",
                "distribution": "exact"
                if discipline == "fifo" and model.startswith("M/M")
                else "those who wait, wait an exponential time with the right mean",
                "unit": unit,
            },
            ("Gross, Shortle, Thompson and Harris (2008), Fundamentals of Queueing Theory",),
        ),
        provenance=Provenance("", data_hash="", n=0),
        model=model,
        discipline=discipline,
        exact=exact,
        unit=unit,
        servers=servers,
        capacity=capacity,
        patience=math.inf if patience is None else float(patience),
        load=load,
        utilization=utilization,
        p_blocked=blocked,
        p_abandon=lost,
        p_wait=float((weight * chances).sum()),
        mean_wait=wait,
        mean_time=wait + (1 - lost) * mean,
        mean_queue=let_in * wait,
        mean_in_system=let_in * (wait + (1 - lost) * mean),
        within=math.nan if within is None else float(within),
        target=math.nan if target is None else float(target),
        service_level=math.nan,
        classes=read_only(np.array(names, dtype=object)),
        class_arrivals=read_only(rates),
        class_service=read_only(services),
        class_p_wait=read_only(chances),
        class_wait=read_only(waits),
    )
    level = math.nan
    if within is not None and impatient is not None:
        level = impatient.begun_within(float(within))
    elif within is not None:
        level = float((1 - found.longer_than(float(within))) * (1 - blocked))
    found = replace(found, service_level=level)
    return replace(found, verdict=_verdict(found), caveats=tuple(_doubts(found)))


def check_servers(servers: int) -> None:
    """Raise unless ``servers`` is a whole number of at least 1."""
    if isinstance(servers, bool) or not isinstance(servers, int | np.integer) or servers < 1:
        raise InputError(f"servers= is a whole number of at least 1, got {servers!r}")


def check_patience(patience: float | None) -> None:
    """Raise unless ``patience`` is a time above 0, or none."""
    if patience is not None and not 0 < patience < math.inf:
        raise InputError(f"patience= is the mean time until a waiting customer gives up, above 0: {patience}")


def check_objective(within: float | None, target: float | None) -> None:
    """Raise for an impossible objective."""
    if within is not None and not 0 <= within < math.inf:
        raise InputError(f"within= is a time of at least 0, got {within}")
    if target is not None and not 0 < target < 1:
        raise InputError(f"target= is a share between 0 and 1 (0.8 for 80%), got {target}")
    if target is not None and within is None:
        raise InputError("target= is the share begun within a time: give within= too")


def _columns(
    arrivals: float | Sequence[float],
    service: float | Sequence[float],
    service_cv: float | Sequence[float],
    per: float,
) -> tuple[Floats, Floats, Floats]:
    if not 0 < per < math.inf:
        raise InputError(f"per= is the length of time the arrivals are counted in, above 0, got {per}")
    rates = numbers_of("arrivals", arrivals) / per
    if rates.ndim != 1 or not len(rates):
        raise InputError("arrivals= is one number, or one number per class")
    if not (np.isfinite(rates).all() and (rates >= 0).all() and rates.sum() > 0):
        raise InputError("arrivals= are finite numbers, at least 0, and not all 0")
    out = [rates]
    for name, value, least in (("service", service, 1e-300), ("service_cv", service_cv, 0.0)):
        column = numbers_of(name, value)
        if len(column) not in (1, len(rates)) or column.ndim != 1:
            raise InputError(f"{name}= is one number or one per class ({len(rates)}), got {len(column)}")
        if not (np.isfinite(column).all() and (column >= least).all()):
            raise InputError(f"{name}= is a finite number {'above' if least else 'of at least'} 0")
        out.append(np.array(np.broadcast_to(column, rates.shape)))
    return out[0], out[1], out[2]


def numbers_of(name: str, value: ArrayLike) -> Floats:
    """One number or several, shape (k,); raise for what is none."""
    try:
        return np.atleast_1d(np.asarray(value, dtype=float))
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}= is a number, or a sequence of numbers: {error}") from error


def _names(classes: Sequence[str] | None, k: int) -> list[str]:
    if classes is None:
        return ["all"] if k == 1 else [f"class {i + 1}" for i in range(k)]
    names = [str(c) for c in classes]
    if isinstance(classes, str) or len(names) != k or len(set(names)) != k:
        raise InputError(f"classes= are {k} different names, one for each number of arrivals")
    return names


def _check_formula(
    rates: Floats,
    services: Floats,
    cvs: Floats,
    servers: int,
    capacity: int | None,
    arrival_cv: float,
    discipline: str,
) -> None:
    alike = bool((services == services[0]).all() and (cvs == 1).all())
    if capacity is not None:
        if isinstance(capacity, bool) or not isinstance(capacity, int | np.integer) or capacity < servers:
            raise InputError(f"capacity= is a whole number of at least the servers ({servers}): {capacity!r}")
        if discipline != "fifo" or arrival_cv != 1 or not alike:
            raise InputError(
                "a limited capacity has a formula for random arrivals, exponential service and order of "
                "arrival "
                "only: use simulate_queue for other cases"
            )
    if discipline != "fifo":
        if len(rates) < 2:
            raise InputError("priorities need the arrivals of at least two classes, the most urgent first")
        if arrival_cv != 1:
            raise InputError("priorities have formulas for random arrivals (arrival_cv=1) only")
        if servers > 1 and not alike:
            raise InputError(
                "priorities with several servers have a formula only where all classes have the same "
                "exponential "
                "service: use simulate_queue for other cases"
            )


def _check_impatient(
    services: Floats, cvs: Floats, capacity: int | None, arrival_cv: float, discipline: str
) -> None:
    alike = bool((services == services[0]).all() and (cvs == 1).all())
    if capacity is not None or discipline != "fifo" or arrival_cv != 1 or not alike:
        raise InputError(
            "customers who give up (patience=) have a formula for random arrivals, exponential service, "
            "order of arrival and no limit of the queue only"
        )


def _kendall(arrival_cv: float, scv: float, servers: int, capacity: int | None) -> str:
    letter = {0.0: "D", 1.0: "M"}
    text = f"{letter.get(arrival_cv, 'G')}/{letter.get(round(scv, 12), 'G')}/{servers}"
    return text if capacity is None else f"{text}/{capacity}"


def _limited(states: Floats, servers: int, rate: float) -> tuple[float, float]:
    """Probability of waiting and mean wait of those let in."""
    waiting = np.maximum(np.arange(len(states)) - servers, 0)
    let_in = 1 - float(states[-1])
    chance = float(states[servers:-1].sum()) / let_in if len(states) - 1 > servers else 0.0
    return chance, float((waiting * states).sum()) / (rate * let_in)


def _verdict(q: Queue) -> str:
    servers = f"{q.servers} server" + ("" if q.servers == 1 else "s")
    load = number(q.load)
    if not math.isfinite(q.mean_wait):
        if q.discipline != "fifo" and math.isfinite(float(q.class_wait[0])):
            starved = [str(c) for c, w in zip(q.classes, q.class_wait, strict=True) if not math.isfinite(w)]
            return (
                f"The load of {load} erlangs is more than {servers} can carry: the queue of "
                f"{', '.join(starved)} "
                "grows without end."
            )
        return f"The load of {load} erlangs is more than {servers} can carry: the queue grows without end."
    text = (
        f"{servers[0].upper()}{servers[1:]} carry a load of {load} erlangs, busy {percent(q.utilization)} "
        "of the "
        f"time; {percent(q.p_wait)} of customers wait, {number(q.mean_wait, q.unit)} on average over all."
    ).replace("1 server carry", "1 server carries")
    if q.p_blocked > 0:
        text += f" {percent(q.p_blocked)} are turned away."
    if math.isfinite(q.patience):
        text += f" {percent(q.p_abandon)} give up."
    if not math.isnan(q.service_level):
        began = "at once" if q.within == 0 else f"within {number(q.within, q.unit)}"
        if q.discipline == "preemptive":
            began = f"and go on with at most {number(q.within, q.unit)} of waiting"
        text += f" {percent(q.service_level, fine=True)} begin {began}"
        if not math.isnan(q.target):
            text += (
                f": the objective of {percent(q.target)} is "
                f"{'met' if q.service_level >= q.target else 'missed'}"
            )
        text += "."
    if q.discipline != "fifo":
        first, last = float(q.class_wait[0]), float(q.class_wait[-1])
        text += (
            f" {q.classes[0]} waits {number(first, q.unit)}, {q.classes[-1]} {number(last, q.unit)} "
            "on average."
        )
    return text


def _doubts(q: Queue) -> list[Caveat]:
    out = []
    if not math.isfinite(q.mean_wait):
        text = (
            f"The load is {number(q.load)} erlangs for {q.servers} servers: there is no steady state. How "
            "fast "
            "the backlog grows is a question for simulate_queue."
        )
        out.append(Caveat("overloaded", text, {"load": q.load, "servers": q.servers}))
    elif math.isfinite(q.patience):
        if q.load >= q.servers:
            text = (
                f"The load is {number(q.load)} erlangs for {q.servers} servers: only those who give up "
                f"({percent(q.p_abandon)}) keep the queue from growing without end."
            )
            out.append(Caveat("overloaded", text, {"load": q.load, "servers": q.servers}))
    elif q.utilization > NEARLY_FULL and q.capacity is None:
        text = (
            f"Servers are busy {percent(q.utilization)} of the time: a few percent more arrivals multiply "
            "the "
            "wait, and the steady state takes very long to come about."
        )
        out.append(Caveat("nearly-full", text, {"utilization": q.utilization}))
    if q.discipline == "preemptive":
        text = (
            "The wait is the time in the system less the service: the time for which a service is "
            "interrupted is in it. simulate_queue counts the wait until a service first begins."
        )
        out.append(Caveat("interruptions-in-wait", text, {}))
    if not q.exact:
        text = (
            "Neither arrivals nor service are exponential: the mean wait is Allen and Cunneen's "
            "approximation, good "
            "to some 10% under heavy load and less under light load."
        )
        if q.method.parameters["arrival_cv"] == 1:
            text = text.replace("Neither arrivals nor service are", "Service is not")
        out.append(Caveat("approximation", text, {"utilization": q.utilization}))
    return out
