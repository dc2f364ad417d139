"""Data every chart type can be fed with: the loops over CHARTS take theirs from here."""

from __future__ import annotations

import itertools

import numpy as np

import perfanalytics as perf
from perfanalytics.spc.families import CHARTS

MEASURE = perf.Measure("m", definition="d", unit="", better="lower", scale="real")
GROUPED = [name for name, family in CHARTS.items() if family.grouped]
BOTH = [name for name, family in CHARTS.items() if family.subgrouped is not None and not family.several]
#: What the loops over the charts ask for: every chart type, also with subgroups where it takes both.
KINDS = {
    **{name: {"chart": name} for name in CHARTS},
    **{f"{name} of subgroups": {"chart": name} for name in BOTH},
    "individuals, span 4": {"chart": "individuals", "options": {"span": 4}},
    "residual of order 2": {"chart": "residual", "options": {"order": 2}},
}
COUNTS = ("c", "g")
SHARES = ("p", "np", "laney_p", "funnel")
RATES = ("u", "laney_u")


def batch_for(chart, lengths, seed, *, missing=0.0, when=False, unequal=True):
    """A batch for a kind of chart; lengths are points (subgroups) of each series."""
    grouped = chart in GROUPED or chart.endswith(" of subgroups")
    chart = KINDS[chart]["chart"]
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    n = int(offsets[-1])
    gone = rng.random(n) < missing
    columns = {}
    if grouped:
        values = 10 + rng.standard_normal((n, 4))
        if unequal:
            values[rng.random((n, 4)) < 0.15] = np.nan
        values[gone] = np.nan
    elif chart in ("hotelling_t2", "mewma"):
        values = rng.multivariate_normal([10, 20, 30], [[4, 2, 0], [2, 3, 1], [0, 1, 2]], n)
        values[gone, rng.integers(0, 3)] = np.nan
    elif chart in SHARES or chart in RATES:
        size = rng.integers(5, 90, n).astype(float) if unequal else np.full(n, 40.0)
        values = rng.binomial(size.astype(int), 0.3).astype(float)
        columns["sizes"] = size
    elif chart in COUNTS:
        values = (rng.poisson(4, n) if chart == "c" else rng.geometric(0.1, n) - 1).astype(float)
    elif chart == "t":
        values = rng.exponential(5, n)
    elif chart == "i_prime":
        columns["sizes"] = rng.integers(2, 20, n).astype(float) if unequal else np.full(n, 4.0)
        values = columns["sizes"] * (10 + rng.standard_normal(n) / np.sqrt(columns["sizes"]))
    elif chart == "risk_adjusted_cusum":
        columns["covariates"] = {"risk": rng.beta(1, 5, n)}
        values = (rng.random(n) < columns["covariates"]["risk"]).astype(float)
    else:
        values = 10 + 2 * rng.standard_normal(n)
        if chart == "short_run":
            columns["subgroups"] = rng.choice(["A", "B"], n)
    if values.ndim == 1:
        values[gone] = np.nan
    if when:
        step = rng.choice([1, 1, 1, 2], n)
        at = [np.cumsum(step[a:b]) for a, b in itertools.pairwise(offsets.tolist())]
        columns["when"] = np.datetime64("2024-01-01") + np.concatenate([*at, []]).astype("timedelta64[D]")
        columns["expected_every"] = "day"
    return perf.SeriesBatch(
        values, offsets, measure=MEASURE, ids=[f"s{k}" for k in range(len(lengths))], **columns
    )


def series_for(chart, n, seed, **options):
    """One series for a chart type."""
    return batch_for(chart, [n], seed, **options)[0]
