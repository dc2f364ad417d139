"""Ten thousand control charts: what they cost beside the ordered read alone.

    python benchmarks/bulk_charts.py                 # 10,000 series of 1,000 points, 3 repeats
    python benchmarks/bulk_charts.py --series 1000 --points 200 --repeats 1
    python benchmarks/bulk_charts.py --chart ewma    # also xbar_r (five values a subgroup), p, laney_p, cusum

Every variant runs in a process of its own, the variants in turn, so that a busy machine hits all of them
alike; the ratio is that of the medians of their CPU times. Reading is one ordered query over (series, time),
streamed in ranges of series, the incomplete last series carried over. The file is plain DuckDB, its rows as
loads leave them: clustered on (series, time) or, with --shuffled, in the order of arrival.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHARTS = ("individuals", "xbar_r", "p", "laney_p", "ewma", "cusum")
VARIANTS = {
    "read": "ordered read alone",
    "charts": "read + limits + all 8 Nelson rules",
    "read-gaps": "ordered read of the series with gaps",
    "charts-gaps": "the same with gaps (2%) and an exclusion in every series",
    "charts-saved": "read + limits + rules + hashing + saving",
}
REPOSITORY = {
    "repo-read": "a repository: ordered read alone",
    "repo-map": "repo.map: limits + rules + hashing + saving",
}
RANGE = 1 << 22
FLOOR = {"charts": "read", "charts-gaps": "read-gaps", "charts-saved": "read", "repo-map": "repo-read"}


def make(path: Path, series: int, points: int, shuffled: bool) -> None:
    import duckdb

    with duckdb.connect(str(path)) as con:
        con.execute("SET enable_progress_bar = false")
        for table, value in (
            ("plain", "v"),
            ("gaps", "CASE WHEN hash(s, t, 7) % 50 = 0 THEN NULL ELSE v END"),
        ):
            # a normal value from twelve uniform ones, the same on every machine
            uniform = " + ".join(f"(hash(s, t, {k}) % 1000003) / 1000003.0" for k in range(12))
            con.execute(
                f"CREATE TABLE {table} AS SELECT CAST(s AS INTEGER) AS series_id, "
                "TIMESTAMP '2020-01-01' + t * INTERVAL 1 HOUR AS happened, "
                f"{value} AS value FROM (SELECT s, t, 20 + {uniform} - 6 AS v "
                f"FROM range({series}) a(s), range({points}) b(t)) "
                + ("ORDER BY hash(s, t, 99)" if shuffled else "ORDER BY s, t")
            )


def ordered_batches(path: str, table: str, rows: int = 1 << 17) -> Iterator[tuple[Any, Any, Any]]:
    """(series_id, at, value) as numpy arrays, batch after batch of the one ordered query."""
    import duckdb

    con = duckdb.connect(path, read_only=True)
    con.execute("SET enable_progress_bar = false")
    many, total = con.execute(f"SELECT max(series_id) + 1, count(*) FROM {table}").fetchall()[0]
    # about four million points are sorted at a time, as repo.map does: memory does not grow with the table
    step = max(1, int(many * RANGE / total))
    for low in range(0, many, step):
        cursor = con.cursor()
        reader = cursor.sql(
            f"SELECT series_id, happened, value FROM {table} "
            f"WHERE series_id BETWEEN {low} AND {low + step - 1} ORDER BY series_id, happened"
        ).to_arrow_reader(rows)
        for batch in reader:
            ids, happened, value = (batch.column(k) for k in range(3))
            yield (
                ids.to_numpy(),
                happened.to_numpy(zero_copy_only=False),
                value.to_numpy(zero_copy_only=False),
            )
        cursor.close()
    con.close()


def blocks_of_series(batches: Iterator[tuple[Any, Any, Any]]) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Blocks of whole series. A series cut by the end of a batch is mended, and goes with others."""
    import numpy as np

    def joined(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    waiting: list[tuple[Any, ...]] = []
    mended: list[tuple[Any, ...]] = []
    for columns in batches:
        ids, begin = columns[0], 0
        if waiting:
            if waiting[0][0][0] == ids[0]:
                begin = int(np.searchsorted(ids, ids[0], side="right"))
                waiting.append(tuple(c[:begin] for c in columns))
            if begin == len(ids):
                continue
            mended.append(joined(waiting))
            if sum(len(part[0]) for part in mended) > 1 << 16:
                yield _cut(joined(mended))
                mended = []
        last = int(np.searchsorted(ids, ids[-1]))
        if last > begin:
            yield _cut(tuple(c[begin:last] for c in columns))
        waiting = [tuple(c[last:] for c in columns)]
    if waiting:
        yield _cut(joined([*mended, joined(waiting)]))


def _cut(columns: tuple[Any, ...]) -> tuple[Any, Any, Any, Any]:
    import numpy as np

    ids, at, value = columns
    starts = np.append(0, np.flatnonzero(ids[1:] != ids[:-1]) + 1)
    return ids[starts], np.append(starts, len(ids)), at, value


def peak() -> float:
    """Peak memory of this process in MB (its own: ru_maxrss would start from that of its parent)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        / 1024
    )


def make_repository(path: Path, plain: Path) -> None:
    """The same rows loaded into a repository."""
    import duckdb

    import perfanalytics as perf

    with duckdb.connect(str(plain), read_only=True) as con:
        con.execute("SET enable_progress_bar = false")
        frame = con.sql("SELECT value, happened, series_id FROM plain").to_arrow_table()
    measure = perf.Measure("value", definition="sum of uniforms", unit="1", better="unknown", scale="real")
    column = perf.SourceMeasure(measure, value="value", when="happened", attributes=("series_id",))
    with perf.Repository.open(path) as repo:
        repo.load(perf.Source("bulk", frame=frame, measures=(column,)))


def run_repository(variant: str, path: str) -> dict[str, float]:
    """The read of a repository alone, or ``repo.map`` with hashing and saving."""
    import perfanalytics as perf

    charts = points = 0
    with perf.Repository.open(path) as repo:
        list(repo._engine.stream("SELECT 1 AS one", points=1))
        selection = repo.select("value", by="series_id")
        method = perf.method("control_charts", rules="nelson")
        before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        if variant == "repo-read":
            sql = "SELECT series_id, time, value FROM observation ORDER BY series_id, time"
            for block in repo._engine.stream(sql, points=1 << 16):
                points += len(block["value"])
        else:
            charts = repo.map(selection, method, progress=False).series
        after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": time.perf_counter() - clock,
        "peak_mb": peak(),
        "charts": charts,
        "points": points,
    }


def columns_for(chart: str, value: Any, offsets: Any) -> dict[str, Any]:
    """The same values as the chart takes them: counts of 50 for shares, five neighbours a subgroup."""
    import numpy as np

    columns: dict[str, Any] = {"values": value, "offsets": offsets}
    if chart in ("p", "laney_p"):
        columns |= {"values": np.rint(value), "sizes": np.full(len(value), 50.0)}
    if chart == "xbar_r":
        position = np.arange(len(value)) - np.repeat(offsets[:-1], np.diff(offsets))
        columns["subgroups"] = position // 5
    return columns


def run(variant: str, path: str, save_to: str, chart: str) -> dict[str, float]:
    """One variant, measured: CPU and wall seconds without the imports, peak memory of the process in MB."""
    import duckdb  # noqa: F401
    import numpy as np
    import pyarrow as pa

    from perfanalytics.core.records import Exclusion
    from perfanalytics.core.series import SeriesBatch
    from perfanalytics.spc.charts import bulk_method
    from perfanalytics.spc.charts_columns import columns_of
    from perfanalytics.spc.prepared import prepare

    asked = {"chart": chart, "rules": "nelson", "estimate": None, "stages": (), "sigmas": None}
    table = "gaps" if variant.endswith("gaps") else "plain"
    method = bulk_method(chart=chart, rules="nelson")
    saved: list[dict[str, Any]] = []
    charts = points = signals = 0
    # the first to_numpy imports pandas: a second that is neither reading nor charting
    pa.array(np.zeros(2, dtype="datetime64[us]")).to_numpy(zero_copy_only=False)
    warm = SeriesBatch(**columns_for(chart, np.arange(20) % 7.0, np.array([0, 20])), ids=["warm"])
    # the tables of stable charts are read (or, for a chart of one's own, simulated) once
    columns_of(warm, prepare(warm, exclude=(), **asked))
    before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    source = ordered_batches(path, table)
    if variant.startswith("read"):
        for ids, _, _ in source:
            points += len(ids)
    else:
        for ids, offsets, at, value in blocks_of_series(source):
            names = [str(i) for i in ids.tolist()]
            out = [Exclusion("outage", point=17, series=s) for s in names] if table == "gaps" else []
            batch = SeriesBatch(**columns_for(chart, value, offsets), ids=names, when=at, exclusions=out)
            if variant == "charts-saved":
                columns = method(batch)
                saved.append({"id": np.array(names, dtype=object), **columns})
            else:
                columns, _ = columns_of(batch, prepare(batch, exclude=(), **asked), hashed=False)
            charts += len(batch)
            points += len(value)
            signals += int(columns["n_signals"].sum())
        if saved:
            _save(saved, save_to)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": time.perf_counter() - clock,
        "peak_mb": peak(),
        "charts": charts,
        "points": points,
        "signals": signals,
    }


def _save(saved: list[dict[str, Any]], path: str) -> None:
    import duckdb
    import numpy as np
    import pyarrow as pa

    rows = pa.table({k: np.concatenate([s[k] for s in saved]) for k in saved[0]})  # noqa: F841 (read by DuckDB)
    with duckdb.connect(path) as con:
        con.execute("CREATE OR REPLACE TABLE charts AS SELECT * FROM rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--chart", choices=CHARTS, default="individuals")
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--repository", action="store_true", help="also through Repository.map")
    parser.add_argument("--one", choices=sorted(VARIANTS | REPOSITORY), help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        if given.one in REPOSITORY:
            print(json.dumps(run_repository(given.one, given.file + ".repo")))
        else:
            print(json.dumps(run(given.one, given.file, given.file + ".saved", given.chart)))
        return
    variants = VARIANTS | (REPOSITORY if given.repository else {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bulk.duckdb"
        make(path, given.series, given.points, given.shuffled)
        if given.repository:
            make_repository(Path(f"{path}.repo"), path)
        found: dict[str, list[dict[str, float]]] = {v: [] for v in variants}
        for _ in range(given.repeats):
            for variant in variants:
                command = [
                    sys.executable,
                    __file__,
                    "--one",
                    variant,
                    "--file",
                    str(path),
                    "--chart",
                    given.chart,
                ]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found[variant].append(json.loads(done.stdout))
    size = f"{given.series:,} series of {given.points:,} points"
    print(f"{given.chart}: {size}, medians of {given.repeats} runs\n")
    print(f"{'variant':58s} {'CPU s':>7s} {'wall s':>7s} {'ratio':>6s} {'peak MB':>8s}")
    cpu = {v: statistics.median(r["cpu"] for r in runs) for v, runs in found.items()}
    for variant, runs in found.items():
        ratio = f"{cpu[variant] / cpu[FLOOR[variant]]:6.2f}" if variant in FLOOR else f"{1:6.2f}"
        wall, peak = (statistics.median(r[k] for r in runs) for k in ("wall", "peak_mb"))
        print(f"{variants[variant]:58s} {cpu[variant]:7.2f} {wall:7.2f} {ratio} {peak:8.0f}")


if __name__ == "__main__":
    main()
