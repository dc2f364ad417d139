"""How fast the repository loads, loads again, reads and maps, and how much memory that takes.

Run: ``python benchmarks/repository_load.py [--rows 1000000] [--series 1000]``. Loads a frame of random
observations, then prints seconds and, for the bulk run, the ratio of its CPU time to that of the ordered
read of the same observations. The issue asks for 10,000,000 rows in 10,000 series.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import perfanalytics as perf
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.result import Method

VALUE = perf.Measure("value", definition="Random", unit="1", better="unknown", scale="real")


def timed(what: str, function: Callable[[], Any]) -> Any:
    """Run, print wall and CPU seconds, give back what came out."""
    wall, cpu = time.perf_counter(), time.process_time()
    out = function()
    print(f"{what:<46}{time.perf_counter() - wall:8.2f} s wall {time.process_time() - cpu:8.2f} s CPU")
    return out


def source(rows: int, series: int) -> perf.Source:
    """Observations in order of time, the series mixed."""
    rng = np.random.default_rng(1)
    group = rng.integers(0, series, rows)
    frame = pa.table(
        {
            "value": rng.normal(size=rows),
            "t": pa.array(np.datetime64("2020-01-01", "us") + np.sort(rng.integers(0, 10**14, rows))),
            "group": pa.array(group),
            "half": pa.array(group % 2),
        }
    )
    measure = perf.SourceMeasure(VALUE, value="value", when="t", attributes=("group", "half"))
    return perf.Source("random", frame=frame, measures=(measure,))


def moments(batch: perf.SeriesBatch) -> dict[str, Any]:
    """Mean and mean moving range of every series: the least a chart needs."""
    starts, lengths = batch.offsets[:-1], batch.lengths
    total = np.add.reduceat(batch.values, starts) / lengths
    moving = np.abs(np.diff(batch.values, prepend=batch.values[0]))
    moving[starts] = 0.0
    return {"mean": total, "moving_range": np.add.reduceat(moving, starts) / np.maximum(lengths - 1, 1)}


def peak() -> float:
    """Peak memory of this process in MB (its own: ru_maxrss would start from that of its parent)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def read(path: str, what: str) -> None:
    """One way to go through all observations, in a process of its own, so that peaks do not mix."""
    with perf.Repository.open(path) as repo:
        list(repo._engine.stream("SELECT 1 AS one", points=1))  # imports out of the way
        if what == "floor":
            sql = "SELECT series_id, time, value FROM observation ORDER BY series_id, time"
            pieces = repo._engine.stream(sql, points=1 << 16)
            timed("ordered read alone, streamed", lambda: sum(len(p["value"]) for p in pieces))
        else:
            method = BulkMethod(
                method=Method("moments"), columns={"mean": "float", "moving_range": "float"}, apply=moments
            )
            asked = {"every": "week", "statistic": "mean"} if what == "weeks" else {}
            selection = repo.select("value", by="group", **asked)
            timed(f"map over every series ({what})", lambda: repo.map(selection, method, progress=False))
    print(f"{'':<46}{peak():8.0f} MB peak")


def main() -> None:
    """Load, load again, read, map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--read", nargs=2, metavar=("PATH", "WHAT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(*given.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "load.duckdb")
        records = source(given.rows, given.series)
        print(f"{given.rows:,} observations in {given.series:,} series")
        with perf.Repository.open(path) as repo:
            timed("load", lambda: repo.load(records))
            timed("load the same again", lambda: repo.load(records))
            timed("one series", lambda: repo.series("value", where={"group": 7}))
            timed("all as one series by week", lambda: repo.series("value", every="week"))
            timed("batch by half", lambda: repo.batch("value", by="half"))
        print(f"{'':<46}{peak():8.0f} MB peak, {Path(path).stat().st_size / 1e6:.0f} MB file")
        for what in ("floor", "observations", "weeks"):
            subprocess.run([sys.executable, __file__, "--read", path, what], check=True)


if __name__ == "__main__":
    main()
