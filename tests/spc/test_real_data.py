"""Control charts of real data: English emergency departments by month (shared/data/README.md)."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

import perfanalytics as perf

MEASURE = perf.Measure(
    "within_four_hours", definition="type 1, under four hours", unit="1", better="higher", scale="proportion"
)


@pytest.fixture(scope="module")
def months(real_data):
    """Attendances and breaches of major departments, added up by month and by provider."""
    found: dict[tuple[str, str], list[int]] = {}
    with gzip.open(real_data / "nhs_ae_attendances.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["type"] == "1":
                for key in ((row["period"], ""), (row["period"], row["org_code"])):
                    sums = found.setdefault(key, [0, 0])
                    sums[0] += int(float(row["attendances"]))
                    sums[1] += int(float(row["breaches"]))
    return found


def series(months, provider):
    rows = sorted((p, v) for (p, o), v in months.items() if o == provider)
    when = np.array([p for p, _ in rows], dtype="datetime64[D]")
    sizes = np.array([v[0] for _, v in rows], dtype=float)
    met = sizes - [v[1] for _, v in rows]
    return perf.Series(met, sizes=sizes, when=when, measure=MEASURE, expected_every="month", id=provider)


def test_a_million_patients_a_month_are_not_binomial(months):
    """A p chart of a million a month signals everywhere, and says why; Laney's chart is what to use."""
    data = series(months, "")
    assert len(data) == 36
    p = perf.control_chart(data, chart="p")
    laney = perf.control_chart(data, chart="laney_p")
    sigma_z = next(c for c in p.caveats if c.code == "overdispersed").evidence["sigma_z"]
    assert sigma_z > 20
    assert p.n_signals > 30
    assert laney.n_signals < p.n_signals
    assert laney.limits.parameters["sigma_z"][0] == pytest.approx(sigma_z, rel=1e-10)
    # winters differ from summers: months are not independent, and the chart says so
    assert "autocorrelated" in laney.caveat_codes
    # recomputed from the sums
    total = data.values.sum() / data.sizes.sum()
    assert laney.center[0, 0] == pytest.approx(total, rel=1e-14)


def test_all_providers_in_one_call(months):
    providers = sorted({o for _, o in months if o})
    batch = perf.SeriesBatch.from_series({o: series(months, o) for o in providers})
    charts = perf.control_charts(batch, chart="laney_p")
    assert len(charts) == len(providers) > 100
    one = perf.control_chart(series(months, "RF4"), chart="laney_p")
    i = charts.ids.index("RF4")
    assert (charts.center[i], charts.n_signals[i]) == (one.center[0, 0], one.n_signals)
    assert one.verdict.split(":")[0] in ("Stable", "Not stable")
