"""Extracts cut by closing or opening date: recognized where they are, not called where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from repository.test_real_data import file, incidents

import perfanalytics as perf
from perfanalytics.baselines.extract import missing_at_end, missing_at_start, opening_times

Array = np.ndarray[Any, Any]
HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
START = np.datetime64("2024-01-01", "us")


def process(
    seed: int, *, mean: float = 2.0, per_day: int = 10, span: int = 120, rho: float = 0.0
) -> tuple[Array, Array]:
    """When items began (days) and how long they take: lognormal, neighbours alike with ``rho``."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(per_day * (span + 60))
    begin = np.sort(rng.uniform(-60, span, n))
    e = rng.standard_normal(n)
    for t in range(1, n):
        e[t] = rho * e[t - 1] + np.sqrt(1 - rho * rho) * e[t]
    return begin, mean * np.exp(e - 0.5)


def cut(kind: str, begin: Array, took: Array, end: float = 120.0) -> tuple[Array, Array, Array]:
    opened = begin + took > end
    keep = {
        "all since the start": begin >= 0,
        "with what was waiting": begin + took >= 0,
        "followed to the end": begin >= 0,
        "closed": (begin + took >= 0) & ~opened,
        "opened and closed": (begin >= 0) & ~opened,
    }[kind]
    if kind != "followed to the end":
        took = np.where(opened, end - begin, took)
    else:
        opened = np.zeros(len(begin), bool)
    begin = begin[keep] - begin[keep].min()
    return begin * 86_400, took[keep] * 86_400, opened[keep]


@pytest.mark.parametrize("kind", ["closed", "opened and closed"])
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_missing_open_items_are_seen(kind: str, rho: float) -> None:
    seen = [missing_at_end(*cut(kind, *process(s, rho=rho))).cut for s in range(40)]
    assert np.mean(seen) >= 0.85


@pytest.mark.parametrize("kind", ["all since the start", "with what was waiting", "followed to the end"])
@pytest.mark.parametrize(("mean", "per_day"), [(2.0, 10), (3.0, 2)])
def test_whole_extracts_are_not_called_cut(kind: str, mean: float, per_day: int) -> None:
    called = []
    for seed in range(60):
        made = process(seed, mean=mean, per_day=per_day, rho=0.3)
        called.append(missing_at_end(*cut(kind, *made)).cut)
    assert np.mean(called) <= 0.05


def test_a_process_that_became_faster_is_not_called_cut() -> None:
    called = 0
    for seed in range(40):
        begin, took = process(seed)
        took = np.where(begin > 90, took / 2, took)
        called += missing_at_end(*cut("all since the start", begin, took)).cut
    assert called <= 3


def test_an_extract_by_opening_date_lacks_the_long_items_that_closed_first() -> None:
    by_opening = [missing_at_start(*cut("all since the start", *process(s))).cut for s in range(30)]
    waiting = [missing_at_start(*cut("with what was waiting", *process(s))).cut for s in range(30)]
    assert np.mean(by_opening) >= 0.9
    assert np.mean(waiting) <= 0.05


def series(kind: str, *, at: str, seed: int = 1) -> perf.Series:
    begin, took, opened = cut(kind, *process(seed))
    moment = begin if at == "opened" else begin + took
    order = np.argsort(moment, kind="stable")
    return perf.Series(
        took[order] / 3600,
        measure=HOURS,
        when=START + (moment[order] * 1e6).astype("timedelta64[us]"),
        censored=opened[order] if opened.any() else None,
        selection={"opened": "when" if at == "opened" else "when - value"},
    )


def test_a_baseline_says_so_in_a_caveat() -> None:
    cut_by_closing = perf.baseline(series("closed", at="opened"))
    caveat = next(c for c in cut_by_closing.caveats if c.code == "cut-by-closing-date")
    assert "selected by closing date" in caveat.text
    assert "The median falls from" in caveat.text
    assert caveat.evidence["open"] == 0
    assert caveat.evidence["expected_open"] > 8
    left_out = perf.baseline(series("opened and closed", at="opened"))
    assert "open-items-missing" in left_out.caveat_codes
    ordered_by_closing = perf.baseline(series("all since the start", at="closed"))
    assert "cut-by-opening-date" in ordered_by_closing.caveat_codes
    whole = perf.baseline(series("with what was waiting", at="opened"))
    assert not {"cut-by-closing-date", "open-items-missing", "cut-by-opening-date"} & set(whole.caveat_codes)


def test_bulk_baselines_say_the_same() -> None:
    one = series("closed", at="opened")
    batch = perf.SeriesBatch.from_series({"a": one, "b": one})
    made = perf.baselines_of(batch)
    assert made.caveats_of_series[0] == "; ".join(perf.baseline(batch[0]).caveat_codes)
    assert "cut-by-closing-date" in made.caveats_of_series[0]


def test_without_opening_times_nothing_is_said() -> None:
    made = series("closed", at="opened")
    bare = perf.Series(made.values, measure=HOURS, when=made.when)
    assert opening_times(bare) is None
    assert "cut-by-closing-date" not in perf.baseline(bare).caveat_codes
    named = perf.Series(made.values, measure=HOURS, when=made.when, covariates={"opened": made.when})
    assert "cut-by-closing-date" in perf.baseline(named).caveat_codes


def test_the_incident_log_lacks_what_began_before_it(real_data: Any) -> None:
    """Selected by opening date, with its open items: whole by opening, cut when put in order by closing."""
    path = file(real_data, "incidents_servicenow_uci.csv.gz")
    found = {}
    for when in ("opened_at", "resolved_at"):
        measure = perf.SourceMeasure(
            HOURS,
            value="date_diff('minute', opened_at, resolved_at) / 60.0",
            when=when,
            start="opened_at",
            known="resolved_at",
            item="number",
            valid=(0, None),
        )
        with perf.Repository.open(":memory:") as repo:
            repo.load(incidents(path, measures=(measure,)))
            own = repo.series("hours")
            found[when] = perf.baseline(own).caveat_codes
            assert own.selection["opened"] == ("when" if when == "opened_at" else "when - value")
    assert not {"cut-by-closing-date", "open-items-missing", "cut-by-opening-date"} & set(found["opened_at"])
    assert "cut-by-opening-date" in found["resolved_at"]
    assert not {"cut-by-closing-date", "open-items-missing"} & set(found["resolved_at"])
