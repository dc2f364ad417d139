"""Erlang A (M/M/c+M): customers who give up after an exponential patience."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.models.queues.formulas import erlang_b

#: Longest queue (in states) that is summed.
LONGEST = 5_000_000
#: Probability of the states left out.
LEFT_OUT = 1e-16


@dataclass(frozen=True, slots=True)
class ErlangA:
    """A steady state with impatient customers.

    Parameters
    ----------
    servers : int
    service, patience : float
        Mean service time, mean patience.
    p_wait, p_abandon, mean_wait : float
        Share of the arrivals that wait, that give up; mean time in the queue over all arrivals, ended by
        the service or by giving up.
    waiting : float array, shape (j,)
        Probability that all servers are busy and 0, 1, ... customers wait.
    """

    servers: int
    service: float
    patience: float
    p_wait: float
    p_abandon: float
    mean_wait: float
    waiting: Floats

    def longer_than(self, times: Floats) -> Floats:
        """P(time in the queue > t), whether it ends with the service or by giving up; shape of ``times``.

        The wait offered to who finds j customers waiting is a sum of exponential times with rates
        ``c / service + k / patience``, k = 0 ... j: minus the logarithm of a Beta(x, j + 1) variable, times
        the patience, x = c patience / service.
        """
        x = self.servers * self.patience / self.service
        t = np.asarray(times, dtype=float)
        left = np.exp(-t / self.patience)
        j = np.arange(len(self.waiting))
        offered = (self.waiting * special.betainc(x, j + 1.0, left[..., None])).sum(axis=-1)
        return np.asarray(left * offered)

    def begun_within(self, time: float) -> float:
        """Share of all arrivals that begin service within ``time``; who gives up has not."""
        x = self.servers * self.patience / self.service
        j = np.arange(len(self.waiting))
        # E[exp(-V / patience); V <= t] of the same Beta variable
        stay = x / (x + j + 1) * special.betaincc(x + 1, j + 1.0, math.exp(-time / self.patience))
        return float(1 - self.p_wait + (self.waiting * stay).sum())


def erlang_a(load: float, servers: int, service: float, patience: float) -> ErlangA:
    """The steady state of M/M/c+M: there is always one, also where the load exceeds the servers.

    Raises
    ------
    InputError
        Where the queue would be millions long.

    References
    ----------
    Palm (1957), Tele 1957 (English edition); Riordan (1962), Stochastic Service Systems; Garnett, Mandelbaum
    and Reiman (2002), Manufacturing and Service Operations Management 4; Mandelbaum and Zeltyn (2007),
    Service engineering in action: the Palm/Erlang-A queue.

    Examples
    --------
    Gans, Koole and Mandelbaum (2003): 48 calls a minute of one minute, 50 agents, patience two minutes.

    >>> calls = erlang_a(48.0, 50, 60.0, 120.0)
    >>> round(calls.p_abandon, 3), round(calls.mean_wait, 1)
    (0.031, 3.7)
    """
    x, y = servers * patience / service, load * patience / service
    if load == 0:
        return ErlangA(servers, service, patience, 0.0, 0.0, 0.0, np.zeros(1))
    many = math.ceil(max(y - x, 0.0) + 12 * math.sqrt(max(y, 1.0)) + 50)
    if many > LONGEST:
        raise InputError(
            f"patience= of {patience:g} with so many arrivals makes queues of millions: take a shorter "
            "patience, or leave it out where nobody gives up"
        )
    # weights of 0, 1, ... waiting, relative to none
    logs = np.append(0.0, np.cumsum(np.log(y / (x + np.arange(1.0, many)))))
    weights = np.exp(logs - logs.max())
    enough = int(np.flatnonzero(weights > LEFT_OUT * weights.max())[-1]) + 1
    shape = weights[:enough] / weights[:enough].sum()
    log_sum = float(logs.max()) + math.log(float(weights[:enough].sum()))
    blocked = erlang_b(load, servers)
    # P(all busy) = E_B A / (1 + (A - 1) E_B) with A the sum of the weights
    p_wait = 1.0
    if blocked < 1:
        odds = math.log(1 - blocked) - math.log(blocked) - log_sum
        p_wait = float(special.expit(-odds))
    waiting = p_wait * shape
    queue = float((np.arange(enough) * waiting).sum())
    rate = load / service
    return ErlangA(servers, service, patience, p_wait, queue / patience / rate, queue / rate, waiting)
