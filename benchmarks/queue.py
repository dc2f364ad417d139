"""Queues: microseconds a customer of each recursion, over a floor, and milliseconds of the formulas.

The floor is drawing the random numbers of the arrivals and services.

python benchmarks/queue.py [customers]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

import perfanalytics as perf
from perfanalytics.models.queues.recursion import Steps, events, many_servers, one_server


def seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """Least CPU time of a call."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(1)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        return np.cumsum(rng.exponential(1 / 6.8, n)), rng.exponential(1, n)

    floor = seconds(draw)
    arrive, service = draw()
    rank = rng.integers(0, 3, n)
    zero = np.zeros(n, dtype=np.int64)
    steps = Steps(np.array([0.0]), np.array([8]))
    shifts = Steps(
        np.arange(0.0, arrive[-1], 8.0), np.resize([12, 8, 5], len(np.arange(0.0, arrive[-1], 8.0)))
    )
    end = float(arrive[-1])

    def loop(of: np.ndarray, at: Steps, *, preemptive: bool = False) -> object:
        return events(arrive, service, of, at, preemptive=preemptive, shift_end="pause", until=end)

    rows = {
        "drawing the numbers (floor)": floor,
        "one server (Lindley)": seconds(lambda: one_server(arrive, service / 8)),
        "8 servers (Kiefer-Wolfowitz)": seconds(lambda: many_servers(arrive, service, 8)),
        "8 servers, 3 priorities": seconds(lambda: loop(rank, steps), 1),
        "8 servers, 3 priorities, preemptive": seconds(lambda: loop(rank, steps, preemptive=True), 1),
        "5 to 12 servers in shifts, paused": seconds(lambda: loop(zero, shifts), 1),
        "simulate_queue, 8 servers, whole result": seconds(
            lambda: perf.simulate_queue(arrive, service, servers=8, within=1, target=0.8), 1
        ),
    }
    for name, s in rows.items():
        print(f"{name:42s} {s:7.2f} s {1e6 * s / n:7.3f} us a customer {s / floor:7.1f} x floor")
    q = seconds(lambda: perf.queue(arrivals=6.8, service=1, servers=8, within=1, target=0.8))
    s = seconds(lambda: perf.staffing(arrivals=np.full(48, 100.0), per=1800, service=180, within=20))
    print(f"queue(): {1000 * q:.2f} ms; staffing of 48 half hours: {1000 * s:.1f} ms")


if __name__ == "__main__":
    main()
