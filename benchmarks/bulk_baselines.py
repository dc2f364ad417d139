"""10,000 baselines of 1,000 points: seconds, and the ratio to reading the ordered rows from the repository.

Run: python benchmarks/bulk_baselines.py [series] [points]

The floor is the ordered read of the same rows (ORDER BY in DuckDB, fetched as NumPy columns). Lognormal
durations with lag-1 correlation 0.3 and times, so that logarithms, effective sizes and order statistics all
have to be worked out. Each number is that of the single baseline, to the last bit (a test says so).
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

import perfanalytics as perf

#: What the baselines may take, in seconds of CPU (wall time depends on what else the machine does).
ALLOWED = 20.0


def series_of(m: int, n: int) -> perf.SeriesBatch:
    """Simulated durations of ``m`` series of ``n`` points."""
    rng = np.random.default_rng(20260101)
    y = rng.standard_normal((m, n))
    for t in range(1, n):
        y[:, t] = 0.3 * y[:, t - 1] + np.sqrt(1 - 0.09) * y[:, t]
    hours = perf.Measure(
        "hours", definition="Opened to closed, elapsed", unit="hours", better="lower", scale="duration"
    )
    when = np.datetime64("2020-01-01", "us") + np.arange(n) * np.timedelta64(3600, "s")
    return perf.SeriesBatch(
        np.exp(1.5 + 0.8 * y).ravel(),
        np.arange(m + 1) * n,
        measure=hours,
        ids=[f"s{i}" for i in range(m)],
        when=np.tile(when, m),
    )


def ordered_read(batch: perf.SeriesBatch) -> float:
    """Seconds to read the same rows in order of series and time."""
    import duckdb

    n, m = int(batch.lengths[0]), len(batch)
    columns = {"g": np.repeat(np.arange(m, dtype=np.int32), n), "t": batch.when, "v": batch.values}
    con = duckdb.connect()
    con.register("rows", columns)
    con.execute("CREATE TABLE observation AS SELECT * FROM rows")
    best = np.inf
    for _ in range(2):
        start = time.perf_counter()
        con.execute("SELECT g, t, v FROM observation ORDER BY g, t").fetchnumpy()
        best = min(best, time.perf_counter() - start)
    return float(best)


def main() -> int:
    m = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    batch = series_of(m, n)
    floor = ordered_read(batch)
    start, cpu = time.perf_counter(), time.process_time()
    made = perf.baselines_of(batch)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    start = time.perf_counter()
    for i in range(20):
        perf.baseline(batch[i])
    single = (time.perf_counter() - start) / 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{made.verdict}")
    print(
        f"ordered read {floor:.2f} s; baselines {seconds:.2f} s ({cpu:.2f} s CPU), {seconds / floor:.1f} "
        "times"
    )
    print(f"one by one {single * m:.0f} s; peak {peak:.0f} MB")
    allowed = ALLOWED * m * n / 1e7
    if cpu > allowed:
        print(f"too slow: {allowed:.1f} s allowed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
