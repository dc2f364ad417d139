"""One chart of 1,000 points and one of a million: milliseconds without and with the figure dict.

python benchmarks/single_chart.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

import perfanalytics as perf
from perfanalytics.figures.plot import figure_dict


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call, after one to warm up."""
    call()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return 1000 * statistics.median(found)


def main() -> None:
    rng = np.random.default_rng(1)
    for n, repeats in ((1_000, 200), (1_000_000, 5)):
        series = perf.Series(20 + rng.standard_normal(n))
        for rules in (perf.WESTERN_ELECTRIC, perf.NELSON):
            ms = milliseconds(lambda s=series, r=rules: perf.control_chart(s, rules=r), repeats)
            print(f"control_chart, {n:>9,} points, {rules.name:16s} {ms:9.2f} ms")
        if n == 1_000:
            chart = perf.control_chart(series, rules=perf.NELSON)
            ms = milliseconds(lambda c=chart: figure_dict(c), 200)
            print(f"figure dict,   {n:>9,} points, {'':16s} {ms:9.2f} ms")


if __name__ == "__main__":
    main()
