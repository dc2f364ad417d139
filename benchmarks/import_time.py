"""Time of the import and of ``--help``, beside a bare interpreter. Run: python benchmarks/import_time.py

Aims: import under 60 ms and help under 300 ms above a bare interpreter.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15


def milliseconds(*arguments: str) -> float:
    """Median wall time of a fresh interpreter with these arguments."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    bare = milliseconds("-c", "pass")
    rows = {
        "import perfanalytics": ("-c", "import perfanalytics"),
        "perfanalytics --help": ("-m", "perfanalytics", "--help"),
        "import numpy": ("-c", "import numpy"),
        "one control chart of 12 points": (
            "-c",
            "import perfanalytics as perf; perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4, 5, 6, 5, 4])",
        ),
    }
    print(f"bare interpreter {bare:.0f} ms; above it, median of {RUNS} runs:")
    for name, arguments in rows.items():
        print(f"  {name:32s} {milliseconds(*arguments) - bare:6.0f} ms")


if __name__ == "__main__":
    main()
