"""The plans of examples/ on the real data, where they are: what the reports answer, asserted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.plan.running import run_plan

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def servicenow(real_data, tmp_path_factory):
    file = real_data / "incidents_servicenow_uci.csv.gz"
    if not file.is_file():
        pytest.skip(f"{file.name} is not here")
    folder = tmp_path_factory.mktemp("servicenow")
    run = run_plan(
        ROOT / "examples" / "servicenow" / "plan.toml",
        data=real_data,
        repository=folder / "r.duckdb",
        report_to=folder / "report.html",
    )
    assert not run.failures, [(i.name, i.error) for i in run.failures]
    return {i.name: i.result for i in run.items} | {"report": run.report, "repository": run.repository}


def test_every_incident_is_read_once(servicenow):
    load = servicenow["Load: incident log"]
    assert load.read == 141_712
    assert load.rejected == 0
    assert load.accepted == 24_918


def test_share_of_incidents_within_the_sla_is_per_incident(servicenow):
    # counted independently with pandas: last row of each incident; 93.5% would be the share of rows
    rows = servicenow["SLA attainment per incident"].to_frame().set_index("quantity")
    assert rows.loc["share", "estimate"] == pytest.approx(15_803 / 24_918, abs=1e-12)
    assert rows.loc["share", "low"] < 0.6342 < rows.loc["share", "high"]


def test_weekly_attainment_on_both_charts(servicenow):
    p, laney = (servicenow[f"Weekly SLA attainment, {c} chart"] for c in ("p", "Laney p-prime"))
    # pandas: share and count of the first four weeks
    frame = p.to_frame()
    assert frame["size"].head(4).tolist() == [1858, 2073, 1975, 1686]
    np.testing.assert_allclose(frame["value"].head(4), [0.440797, 0.042451, 0.344304, 0.607948], atol=5e-7)
    assert "overdispersed" in p.caveat_codes
    assert not p.stable
    assert not laney.stable
    assert (laney.to_frame()["upper"] - laney.to_frame()["lower"]).sum() > (
        frame["upper"] - frame["lower"]
    ).sum()
    below = laney.signals.loc[laney.signals["rules"].str.contains("beyond_limits"), "when"]
    assert np.datetime64("2016-03-07") in below.to_numpy()


def test_resolution_time_mean_median_and_tail(servicenow):
    # pandas: mean, median, 90% quantile of the hours, by month of opening
    rows = servicenow["Resolution time, March against April and May"].to_frame().set_index("quantity")
    for quantity, before, after in (
        ("difference_of_means", 240.838836, 139.519282),
        ("difference_of_medians", 71.183333, 3.5),
        ("difference_of_p90", 496.116667, 310.303333),
    ):
        assert rows.loc[quantity, "before"] == pytest.approx(before, abs=1e-4)
        assert rows.loc[quantity, "after"] == pytest.approx(after, abs=1e-4)
        assert rows.loc[quantity, "high"] < 0
    assert "drift-before" in servicenow["Resolution time, March against April and May"].caveat_codes


def test_the_special_cause_and_the_closing_dates(servicenow):
    daily = servicenow["Daily SLA attainment, Laney p-prime chart"].to_frame()
    signal = daily[daily["rules"].str.contains("beyond_limits") & (daily["direction"] == "concern")]["when"]
    assert {dt.date(2016, 3, d) for d in (7, 8, 9, 10, 11, 14, 15)} <= set(signal.dt.date)
    closings = servicenow["Closings per day"].to_frame()
    closings = closings[closings["panel"] == "individuals"].set_index("when")["value"]
    assert closings["2016-03-24"] == 3114
    assert closings["2016-03-11":"2016-03-23"].max() <= 11
    quick = (
        servicenow["SLA attainment of incidents resolved within a day"].to_frame().set_index("when")["value"]
    )
    assert quick["2016-03-07"] < 0.07
    assert quick["2016-03-28":].min() > 0.93


def test_what_explains_resolution_time(servicenow):
    model = servicenow["What explains resolution time?"]
    rows = model.to_frame()
    moves = rows.set_index("term").loc["reassignment_count"]
    assert 2.2 < moves["ratio_low"] < moves["ratio"] < moves["ratio_high"] < 2.4
    assert (rows["factor_p_value"] < 0.001).all()
    assert model.summary()["r2"].item() == pytest.approx(0.546, abs=0.001)


def test_the_report_holds_every_figure_and_opens_without_network(servicenow):
    page = servicenow["report"].read_text(encoding="utf-8")
    assert page.count('<script type="application/json"') >= 9
    assert "<script src=" not in page
    assert "<link" not in page


def test_saved_results_come_back_equal(servicenow):
    with perf.Repository.open(servicenow["repository"], read_only=True) as repo:
        for name, result in servicenow.items():
            if name in set(repo.history()["name"]):
                assert repo.result(name) == result


@pytest.fixture(scope="module")
def servicenow_cases(servicenow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    plan = ROOT / "examples" / "servicenow" / "plan.toml"
    return {
        name: perf.review_causal_analysis(
            name, plan=plan, repository=servicenow["repository"], report_to=folder / f"{name}.html"
        )
        for name in ("SN-01", "SN-02")
    }


def test_the_special_cause_goes_from_selection_to_verdict(servicenow, servicenow_cases):
    again = servicenow["Has SLA attainment broken down again?"]
    assert (again.outcome, again.episodes_before, again.episodes_after) == ("cannot_tell", 1, 0)
    assert [str(again.first[0]), str(again.last[0])] == ["2016-03-06", "2016-03-15"]
    # one episode in 24 days: (24 / (24 + n)) = 0.05 at 456 days; 67 have passed
    assert (again.periods_before, again.periods_after, again.more_periods) == (24, 67, 456 - 67)
    review = servicenow_cases["SN-01"].review
    assert review.says[3].startswith(
        "4 causes on record; confirmed: Incidents were closed late, The SLA is judged"
    )
    assert "refuted: Incidents were resolved more slowly" in review.says[3]
    why = {s.name: s.why for s in review.sources}
    assert why["Weekly SLA attainment, Laney p-prime chart"] == "named in the reason for selecting it"
    assert why["Closings per day"] == "named in the evidence of 'Incidents were closed late'"
    assert {"no-action", "proposal-not-decided", "no-objective", "no-participants"} <= set(
        review.caveat_codes
    )


def test_the_change_of_service_level_goes_from_selection_to_verdict(servicenow, servicenow_cases):
    effect = servicenow["Resolution time since April"]
    assert effect.outcome == "cannot_tell"
    assert np.isinf(effect.more_weeks)
    assert {"drift-before", "no-change", "no-action", "no-criterion"} <= set(effect.caveat_codes)
    # pandas: share of incidents resolved within 72 hours by month of opening
    on = effect.on_objective
    assert [on.before, on.after] == pytest.approx([0.502737, 0.727570], abs=1e-6)
    passed_on = servicenow["Hand-overs, March against April and May"].effect("difference_of_means")
    assert passed_on.high < 0
    # it changed about 25 March, not on 1 April
    when = servicenow["When did resolution time change?"]
    assert "2016-03-25" in when.verdict
    assert when.outcome == "detected"
    review = servicenow_cases["SN-02"].review
    assert {"Fewer hand-overs", "More incidents are solved at once"} <= set(
        review.says[3].replace(";", ",").replace("confirmed: ", "").split(", ")
    )
    page = servicenow_cases["SN-02"].report.read_text(encoding="utf-8")
    assert "More weeks do not change that" in page
    assert "7. Lesson and related analyses" in page
