"""The formulas of queueing theory, as functions of numbers.

``load`` is the offered load in erlangs (arrival rate times mean service time), ``servers`` a whole number.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats


def erlang_b(load: float, servers: int) -> float:
    """Probability that an arrival finds all servers busy and is lost (M/M/c/c, in truth M/G/c/c).

    References
    ----------
    Erlang (1917); Jagers and van Doorn (1986), Probability in the Engineering and Informational Sciences 1
    (the recursion of the inverse, which neither overflows nor cancels).

    Examples
    --------
    >>> round(erlang_b(10.0, 14), 4)
    0.0568
    """
    if load == 0:
        return 0.0 if servers else 1.0
    inverse = 1.0
    for c in range(1, servers + 1):
        inverse = 1.0 + inverse * c / load
    return 1.0 / inverse


def erlang_c(load: float, servers: int) -> float:
    """Probability that an arrival must wait (M/M/c); 1 where the load reaches the servers.

    References
    ----------
    Gross, Shortle, Thompson and Harris (2008), Fundamentals of Queueing Theory, eq. 2.33.

    Examples
    --------
    >>> round(erlang_c(10.0, 14), 4)
    0.1741
    """
    if load >= servers:
        return 1.0
    b = erlang_b(load, servers)
    return b / (1.0 - load / servers * (1.0 - b))


def mean_wait(load: float, servers: int, service: float, *, arrival_scv: float, service_scv: float) -> float:
    """Mean wait in the queue: exact for M/M/c and M/G/1, Allen and Cunneen's approximation otherwise.

    Parameters
    ----------
    load, servers, service : float, int, float
        Erlangs, servers, mean service time.
    arrival_scv, service_scv : float
        Squared coefficients of variation of times between arrivals and of service times.

    References
    ----------
    Pollaczek (1930), Khinchine (1932) for M/G/1; Allen (1990), Probability, Statistics and Queueing Theory,
    section 5.6 (Allen-Cunneen); Kingman (1961) for G/G/1.

    Examples
    --------
    >>> round(mean_wait(6.8, 8, 1.0, arrival_scv=1.0, service_scv=1.0), 4)
    0.4771
    """
    if load >= servers:
        return math.inf
    if load == 0:
        return 0.0
    exponential = erlang_c(load, servers) * service / (servers - load)
    return exponential * (arrival_scv + service_scv) / 2


def limited_states(load: float, servers: int, capacity: int) -> Floats:
    """Probability of 0, 1, ... ``capacity`` customers in M/M/c/K, shape (K + 1,).

    References
    ----------
    Gross et al. (2008), eq. 2.44.

    Examples
    --------
    >>> limited_states(1.0, 1, 3).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    n = np.arange(capacity + 1)
    if load == 0:
        return np.asarray((n == 0).astype(float))
    busy = np.minimum(n, servers)
    logs = n * math.log(load) - special.gammaln(busy + 1) - (n - busy) * math.log(servers)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def limited_tail(states: Floats, servers: int, service: float, times: Floats) -> Floats:
    """P(wait > t) of the customers that are let in, M/M/c/K; shape of ``times``.

    References
    ----------
    Gross et al. (2008), section 2.5: an arrival that finds n in the system waits for n - c + 1 services.
    """
    entering = states[:-1] / states[:-1].sum()
    ahead = np.arange(servers, len(entering))
    if not len(ahead):
        return np.zeros(np.shape(times))
    x = np.asarray(times, dtype=float)[..., None] * servers / service
    return np.asarray((entering[ahead] * special.gammaincc(ahead - servers + 1.0, x)).sum(axis=-1))


def priority_waits(
    rates: Floats, services: Floats, scvs: Floats, servers: int, *, preemptive: bool
) -> tuple[Floats, Floats]:
    """Mean wait and probability of waiting of each class, the most urgent first; shape (k,) each.

    Parameters
    ----------
    rates, services, scvs : float arrays, shape (k,)
        Arrivals per unit of time, mean service time, squared coefficient of variation of service.
    servers : int
        With several servers all classes have the same exponential service (the caller checks).
    preemptive : bool
        Whether an arrival interrupts a less urgent service, which is resumed later. The wait is then the
        time in the system less the service itself.

    References
    ----------
    Cobham (1954), Operations Research 2; Kella and Yechiali (1985), Naval Research Logistics 32 (several
    servers, not preemptive); Buzen and Bondi (1983), Operations Research 31 (several servers, preemptive);
    Gross et al. (2008), section 3.4.
    """
    loads = rates * services / servers
    total = np.cumsum(loads)
    before = total - loads
    waits = np.full(len(rates), math.inf)
    chance = np.ones(len(rates))
    stable = total < 1
    if servers == 1:
        # mean work of the service under way that an arrival finds, by class
        residual = rates * services**2 * (1 + scvs) / 2
        if preemptive:
            found = np.cumsum(residual)
            extra = np.divide(services, 1 - before, out=np.full(len(rates), math.inf), where=before < 1)
            extra = extra - services
            chance = np.minimum(total, 1.0)
        else:
            found = np.full(len(rates), _busy_residual(residual, loads))
            extra = np.zeros(len(rates))
            chance = np.full(len(rates), min(float(total[-1]), 1.0))
        waits[stable] = found[stable] / ((1 - before[stable]) * (1 - total[stable])) + extra[stable]
        return waits, chance
    service = float(services[0])
    if not preemptive:
        all_busy = erlang_c(float(total[-1]) * servers, servers)
        chance = np.full(len(rates), all_busy)
        residual_wait = all_busy * service / servers
        waits[stable] = residual_wait / ((1 - before[stable]) * (1 - total[stable]))
        return waits, chance
    # the classes up to k see an M/M/c queue of their own: their total queue gives class k by difference
    queues = [0.0]
    for k in range(len(rates)):
        load = float(total[k]) * servers
        chance[k] = erlang_c(load, servers)
        if stable[k]:
            queues.append(
                float(np.cumsum(rates)[k]) * mean_wait(load, servers, service, arrival_scv=1, service_scv=1)
            )
            waits[k] = (queues[-1] - queues[-2]) / float(rates[k]) if rates[k] > 0 else math.nan
    return waits, chance


def _busy_residual(residual: Floats, loads: Floats) -> float:
    """Work under way that an arrival finds; where later classes starve, the server is always busy."""
    total = float(loads.sum())
    if total < 1:
        return float(residual.sum())
    served = np.cumsum(loads)
    share = np.where(served <= 1, 1.0, np.clip((1 - (served - loads)) / np.maximum(loads, 1e-300), 0, 1))
    return float((residual * share).sum())
