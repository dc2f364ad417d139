"""Capability of the organization against its objectives. Numbers of R: tests/reference/opm.R."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures import organization_capability as figure
from perfanalytics.practices.opm.organization_cells import next_period, periods_of
from tests.practices.opm_samples import DURATION, MONDAY, SHARE, back


def items(chances, *, n=8, weeks=30, seed=1):
    """Items coded 0 and 1 by service, so many a week."""
    rng = np.random.default_rng(seed)
    when = (MONDAY + np.repeat(7 * np.arange(weeks), n)).astype("datetime64[us]")
    return perf.SeriesBatch.from_series(
        {
            f"service={name}": perf.Series(
                rng.binomial(1, p, n * weeks).astype(float), measure=SHARE, when=when
            )
            for name, p in chances.items()
        }
    )


GOAL = perf.Objective(
    "on time", measure="on_time", statistic="share", target=0.8, direction="at_least", serves="B"
)


def test_the_next_period_is_that_of_r():
    chance, short = next_period(
        np.array([0.82, 0.75, 0.9, 0.7, 0.85, 0.78, 0.88, 0.8]), 0.8, at_least=True, how="arcsine"
    )
    assert chance == pytest.approx(0.5743813196, rel=1e-8)
    assert short == pytest.approx(0.02854596564, rel=1e-4)


def test_services_that_meet_and_miss_are_told_apart():
    card = perf.organization_capability(
        [GOAL], {"on_time": items({"A": 0.95, "B": 0.6})}, costs={"on time": 10}
    )
    assert card.unit.tolist() == ["whole organization", "A", "B"]
    assert dict(zip(card.unit, card.standing, strict=True))["A"] == "met"
    assert dict(zip(card.unit, card.standing, strict=True))["B"] == "missed"
    b = card.unit.tolist().index("B")
    batch = items({"A": 0.95, "B": 0.6})
    assert card.value[b] == pytest.approx(float(batch["service=B"].values.mean()))
    assert card.items[b] == 8
    assert card.shortfall[b] == pytest.approx(0.8 - card.value[b])
    assert card.missed[b] == pytest.approx(8 * card.shortfall[b])
    assert card.cost_now[b] == pytest.approx(10 * card.missed[b])
    # over the variation of the weeks it costs at least what it costs at the mean (Jensen)
    assert card.expected_cost[b] >= card.cost_now[b] * 0.97
    assert card.shortfalls()["unit"].tolist() == ["B"]
    assert back(card) == card


def test_a_service_whose_every_item_meets_or_misses_is_judged_by_its_items():
    # the shares of weeks are then 1 or 0 only, and not numbers of items
    when = np.datetime64("2024-01-01") + np.arange(140)
    measure = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    fast = perf.Objective("fast", measure="hours", target=10, direction="at_most", share=0.8)
    made = {f"service={n}": perf.Series(np.full(140, v), measure=measure, when=when) for n, v in
            (("Mail", 2.0), ("ERP", 20.0))}  # fmt: skip
    card = perf.organization_capability([fast], {"hours": perf.SeriesBatch.from_series(made)})
    assert card.unit.tolist()[1:] == ["ERP", "Mail"]
    assert card.standing.tolist()[1:] == ["missed", "met"]
    assert card.value.tolist()[1:] == [0.0, 1.0]
    # exact binomial with 140 of 140
    assert card.low[2] == pytest.approx(0.025 ** (1 / 140))


def test_every_column_of_a_cell_is_in_a_table_that_fits_a_page():
    card = perf.organization_capability([GOAL], {GOAL.measure: items({"A": 0.95, "B": 0.6})})
    tables = dict(card.tables())
    cells = [frame for name, frame in tables.items() if name.startswith("Cells")]
    assert max(frame.shape[1] for frame in tables.values()) <= 13
    told = {column for frame in cells for column in frame.columns} | set(tables["Objectives"].columns)
    assert told >= set(card.to_frame().columns)


def test_what_costs_most_is_among_the_shortfalls():
    # just below its target and undecided, but of far the largest price
    card = perf.organization_capability(
        [GOAL], {GOAL.measure: items({"A": 0.95, "B": 0.78}, seed=4)}, costs={GOAL.name: 100}
    )
    assert card.standing.tolist()[1:] == ["met", "undecided"]
    assert card.shortfall[2] > 0
    assert card.shortfalls()["unit"].tolist() == ["B"]
    assert f"the largest part ({card.expected_cost[2]:.3g} EUR) in 'on time' of B" in card.verdict


def test_the_whole_hides_a_service():
    card = perf.organization_capability(
        [GOAL], {"on_time": items({"A": 0.97, "C": 0.98, "D": 0.97, "E": 0.96, "F": 0.62})}
    )
    assert card.standing[0] == "met"
    assert "hidden-by-the-whole" in card.caveat_codes


def test_objectives_about_items_count_what_is_still_open():
    when = (MONDAY + np.repeat(7 * np.arange(10), 4)).astype("datetime64[us]")
    values = np.tile([5.0, 8.0, 30.0, 12.0], 10)
    censored = np.zeros(40, dtype=bool)
    censored[-2:] = True  # 30 hours old: missed; 12 hours old: not known yet
    series = perf.Series(values, measure=DURATION, when=when, censored=censored)
    batch = perf.SeriesBatch.from_series({"service=A": series})
    fast = perf.Objective("fast", measure="hours", target=24, direction="at_most", share=0.5)
    found = periods_of(fast, batch, None, "week")
    assert found.open_left_out == 1
    assert found.values[:9].tolist() == [0.75] * 9
    assert found.values[9] == pytest.approx(2 / 3)
    card = perf.organization_capability([fast], {"hours": batch})
    assert card.unit.tolist() == ["A"]  # one unit is the whole
    assert "open-items" in card.caveat_codes


def test_rates_means_and_percentiles_are_those_of_the_periods():
    when = (MONDAY + 7 * np.repeat(np.arange(12), 2)).astype("datetime64[us]")
    count = perf.Measure("down", definition="Minutes down", unit="minutes", better="lower", scale="real")
    values, sizes = np.arange(24.0), np.tile([100.0, 300.0], 12)
    batch = perf.SeriesBatch.from_series(
        {"service=A": perf.Series(values, measure=count, when=when, sizes=sizes)}
    )
    rate = perf.Objective("down", measure="down", statistic="rate", target=0.06, direction="at_most")
    found = periods_of(rate, batch, None, "week")
    assert found.values[:2] == pytest.approx([1 / 400, 5 / 400])
    card = perf.organization_capability([rate], {"down": batch})
    assert card.value[0] == pytest.approx(values.sum() / sizes.sum())
    assert card.low[0] >= 0
    ninety = perf.Objective("p90", measure="hours", statistic="p90", target=20, direction="at_most")
    some = perf.SeriesBatch.from_series({"service=A": perf.Series(values + 1, measure=DURATION, when=when)})
    assert periods_of(ninety, some, None, "week").values[0] == pytest.approx(1.9)


def test_what_cannot_be_judged_is_said():
    few = items({"A": 0.9, "B": 0.9}, weeks=5)
    card = perf.organization_capability([GOAL], {"on_time": few})
    assert set(card.standing.tolist()) == {"not judged"}
    assert card.why[0] == "only 5 periods"
    assert "cells-not-judged" in card.caveat_codes
    assert "could be judged" in card.verdict
    open_goal = perf.Objective("fast", measure="on_time", target=1, direction="at_least")
    card = perf.organization_capability([open_goal], {"on_time": items({"A": 0.9})})
    assert {"objective-without-share", "serves-nothing"} <= set(card.caveat_codes)


def test_misuse_is_refused():
    batch = items({"A": 0.9})
    with pytest.raises(perf.InputError, match="one objective or more"):
        perf.organization_capability([], {})
    with pytest.raises(perf.InputError, match="give batches"):
        perf.organization_capability([GOAL], {})
    with pytest.raises(perf.InputError, match="none of the objectives"):
        perf.organization_capability([GOAL], {"on_time": batch}, costs={"fast": 1})
    total = perf.Objective("sum", measure="on_time", statistic="sum", target=3, direction="at_least")
    with pytest.raises(perf.InputError, match="grows with the unit"):
        perf.organization_capability([total], {"on_time": batch})
    with pytest.raises(perf.UnknownNameError, match="period"):
        perf.organization_capability([GOAL], {"on_time": batch}, every="fortnight")


def test_the_figure_shows_the_units_most_at_risk():
    chances = {f"S{k:02d}": 0.6 + 0.02 * k for k in range(20)}
    card = perf.organization_capability([GOAL], {"on_time": items(chances, weeks=12)})
    told = figure.info(card)
    assert len(told.columns) == figure.UNITS
    assert told.left_out == 21 - figure.UNITS
    assert any("S00" in c for c in told.columns)
    assert perf.plot(card).data
