"""Regression of 1 million rows and 10 columns in DuckDB: cross products against fetching and statsmodels.

Run ``python benchmarks/big_regression.py``. CPU seconds, best of 3; coefficients are compared with QR.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from perfanalytics.models.from_products import fit_products
from perfanalytics.repository.cross_products import products_of
from perfanalytics.repository.duckdb_engine import DuckDBEngine


def best(run: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of the fastest run."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def main(n: int = 1_000_000, k: int = 10) -> None:
    """Print the table."""
    rng = np.random.default_rng(1)
    x = rng.normal(50, 5, (n, k)) + rng.normal(0, 5, (n, 1))
    y = x @ np.linspace(-1, 1, k) + rng.normal(0, 3, n)
    engine = DuckDBEngine(":memory:")
    engine.put("big", {**{f"x{j}": x[:, j] for j in range(k)}, "y": y})
    names = [f"x{j}" for j in range(k)]
    kinds = dict.fromkeys([*names, "y"], "number")

    def ours() -> np.ndarray:
        made = products_of(
            engine, "SELECT * FROM big", (), response="y", logged=False, terms=names, kinds=kinds
        )
        return fit_products(made).coefficients

    def fetch() -> tuple[np.ndarray, np.ndarray]:
        got = engine.columns("SELECT * FROM big")
        return np.column_stack([np.ones(n), *(got[m] for m in names)]), got["y"]

    import statsmodels.api as sm

    matrix, response = fetch()
    truth = np.linalg.solve(*(lambda qr: (qr[1], qr[0].T @ response))(np.linalg.qr(matrix)))
    print(f"largest relative difference from QR: {np.max(np.abs(ours() / truth - 1)):.1e}")
    rows = {
        "cross products in DuckDB, two passes": best(ours),
        "fetching alone": best(fetch),
        "fetching and lstsq": best(lambda: np.linalg.lstsq(*fetch(), rcond=None)),
        "fetching and statsmodels OLS": best(lambda: sm.OLS(*fetch()[::-1]).fit(), 1),
    }
    for name, seconds in rows.items():
        print(f"{name:40s} {seconds:7.3f} s  {seconds / rows['cross products in DuckDB, two passes']:5.1f}x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
