"""The exact recursion of a queue: when each customer begins and ends, given arrivals and service times.

Three ways of the same thing, the fastest that applies: Lindley's equation for one server, vectorized; Kiefer
and Wolfowitz's workload vector as a heap of the times at which servers become free; and a loop over events
where priorities or a changing number of servers call for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats

ShiftEnd = Literal["finish", "pause"]


@dataclass(frozen=True, slots=True)
class Steps:
    """The number of servers in time: ``count[i]`` from ``at[i]`` on, none before ``at[0]``."""

    at: Floats
    count: NDArray[np.int64]

    def integral(self, since: float, until: float) -> float:
        """Server time between two instants."""
        edges = np.append(self.at, math.inf)
        spans = np.clip(edges[1:], since, until) - np.clip(edges[:-1], since, until)
        return float((spans * self.count).sum())


def one_server(arrive: Floats, service: Floats) -> Floats:
    """When each customer begins, one server, in order of arrival; shape (n,).

    References
    ----------
    Lindley (1952), Proceedings of the Cambridge Philosophical Society 48.

    Examples
    --------
    >>> one_server(np.array([0.0, 1.0, 5.0]), np.array([3.0, 1.0, 1.0])).tolist()
    [0.0, 3.0, 5.0]
    """
    before = np.concatenate([[0.0], np.cumsum(service)[:-1]])
    begin = before + np.maximum.accumulate(arrive - before)
    # the sum of all earlier services cancels to rounding: nobody begins before arriving
    return np.asarray(np.maximum(begin, arrive))


def many_servers(arrive: Floats, service: Floats, servers: int) -> Floats:
    """When each customer begins, ``servers`` identical servers, in order of arrival; shape (n,).

    References
    ----------
    Kiefer and Wolfowitz (1955), Transactions of the American Mathematical Society 78.

    Examples
    --------
    >>> many_servers(np.array([0.0, 1.0, 2.0]), np.array([3.0, 3.0, 1.0]), 2).tolist()
    [0.0, 1.0, 3.0]
    """
    free = [-math.inf] * servers
    heapify(free)
    begin: list[float] = []
    add = begin.append
    for a, s in zip(arrive.tolist(), service.tolist(), strict=True):
        first = free[0]
        start = a if a > first else first
        heapreplace(free, start + s)
        add(start)
    return np.array(begin)


def events(
    arrive: Floats,
    service: Floats,
    urgency: NDArray[np.int64],
    steps: Steps,
    *,
    preemptive: bool,
    shift_end: ShiftEnd,
    until: float,
) -> tuple[Floats, Floats, float]:
    """When each customer begins and ends, with priorities and a changing number of servers.

    Parameters
    ----------
    arrive, service : float arrays, shape (n,)
        ``arrive`` does not decrease.
    urgency : int array, shape (n,)
        0 is the most urgent; among equals the earlier arrival goes first.
    steps : Steps
    preemptive : bool
        Whether an arrival interrupts the least urgent service where all servers are busy; it is resumed
        later.
    shift_end : {"finish", "pause"}
        What happens to a service under way when the number of servers falls: it is finished, or goes back to
        the head of its class and is resumed.
    until : float
        Busy time is counted up to here.

    Returns
    -------
    begin, end : float arrays, shape (n,)
        First begin and end; infinite where no server ever came.
    busy : float
        Busy server time of the servers at work; overtime after a shift is not in it.
    """
    n = len(arrive)
    times, work, rank = arrive.tolist(), service.tolist(), urgency.tolist()
    changes, counts = steps.at.tolist(), steps.count.tolist()
    begin, end = [math.inf] * n, [math.inf] * n
    left = list(work)
    waiting: list[tuple[int, int]] = []
    running: dict[int, float] = {}  # customer -> when the service ends
    ending: list[tuple[float, int]] = []
    # a small surplus of "never" ends both lists
    times.append(math.inf)
    changes.append(math.inf)
    servers, step, i = 0, 0, 0
    busy = 0.0
    last = changes[0]

    def interrupt(moment: float) -> None:
        """Send the least urgent, latest customer in service back to wait."""
        victim = max(running, key=lambda c: (rank[c], c))
        left[victim] = running.pop(victim) - moment
        heappush(waiting, (rank[victim], victim))

    while True:
        while ending and running.get(ending[0][1]) != ending[0][0]:
            heappop(ending)  # interrupted since
        done = ending[0][0] if ending else math.inf
        now = min(done, times[i], changes[step])
        if now == math.inf:
            break
        if running and last < until:
            busy += min(len(running), servers) * (min(now, until) - last)
        last = now
        if done == now:
            customer = heappop(ending)[1]
            del running[customer]
            end[customer] = now
        elif changes[step] == now:
            servers = counts[step]
            step += 1
            if shift_end == "pause":
                while len(running) > servers:
                    interrupt(now)
        else:
            heappush(waiting, (rank[i], i))
            if preemptive and len(running) == servers > 0:
                worst = max(running, key=lambda c: (rank[c], c))
                if rank[worst] > rank[i]:
                    interrupt(now)
            i += 1
        while waiting and len(running) < servers:
            customer = heappop(waiting)[1]
            if begin[customer] == math.inf:
                begin[customer] = now
            finish = now + left[customer]
            running[customer] = finish
            heappush(ending, (finish, customer))
    return np.array(begin), np.array(end), busy
