"""Ten thousand figures as JSON: what drawing costs beside the shortest JSON that holds the same lines.

    python benchmarks/figures_json.py                    # 10,000 charts of 60 points
    python benchmarks/figures_json.py --charts 1000 --points 1000

The floor writes values, center line and limits of the same charts with ``json.dumps``, nothing else. Making
the charts is timed by itself (benchmarks/single_chart.py, benchmarks/bulk_charts.py) and not part of either.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

import perfanalytics as perf
from perfanalytics.figures.as_json import figure_json
from perfanalytics.figures.plot import figure_dict


def seconds(call: Callable[[], int], repeats: int) -> tuple[float, int]:
    """Median CPU seconds of a call, and what it gave."""
    found, given = [], 0
    for _ in range(repeats):
        start = time.process_time()
        given = call()
        found.append(time.process_time() - start)
    return statistics.median(found), given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--charts", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    days = np.datetime64("2024-01-01") + np.arange(given.points)
    # a hundred different charts, drawn again and again: memory stays small
    charts = [
        perf.control_chart(
            perf.Series(20 + rng.standard_normal(given.points), when=days, expected_every="day", id=str(k))
        )
        for k in range(min(100, given.charts))
    ]
    order = [charts[k % len(charts)] for k in range(given.charts)]

    def floor() -> int:
        size = 0
        for c in order:
            lines = (c.value, c.center, c.lower, c.upper)
            size += len(json.dumps([[str(d) for d in days], *(np.nan_to_num(y).tolist() for y in lines)]))
        return size

    def dicts() -> int:
        return sum(len(figure_dict(c)["data"]) for c in order)

    def texts() -> int:
        return sum(len(figure_json(figure_dict(c))) for c in order)

    for call in (floor, dicts, texts):
        order, kept = order[:50], order
        call()
        order = kept
    least, size = seconds(floor, given.repeats)
    made, _ = seconds(dicts, given.repeats)
    told, whole = seconds(texts, given.repeats)
    print(f"{given.charts:,} figures of {given.points:,} points, medians of {given.repeats} runs\n")
    print(f"{'':44s} {'CPU s':>7s} {'ratio':>6s} {'MB':>7s}")
    for name, took, length in (
        ("values and limits by json.dumps (floor)", least, size),
        ("figures as dicts", made, 0),
        ("figures as JSON", told, whole),
    ):
        print(f"{name:44s} {took:7.2f} {took / least:6.2f} {length / 1e6:7.1f}")


if __name__ == "__main__":
    main()
