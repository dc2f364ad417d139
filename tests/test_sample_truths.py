"""The analyses of the sample plan find the truths hidden in the data, and no others."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perfanalytics.baselines.strata import strata
from perfanalytics.plan.running import run_plan
from perfanalytics.repository.repository import Repository

SAMPLE = Path(__file__).parents[1] / "sample_data"
SERVICES = ("ERP", "Intranet", "Mail", "Printing", "Télephonie")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    run = run_plan(
        SAMPLE / "plan.toml", data=SAMPLE, repository=folder / "r.duckdb", report_to=folder / "report.html"
    )
    assert not run.failures, [(i.name, i.error) for i in run.failures]
    return {i.name: i.result for i in run.items}


def beyond(chart):
    rows = chart.signals[chart.signals["rules"].str.contains("beyond_limits")]
    return {t.date() for t in rows["when"]}


def test_the_mess_is_rejected_and_counted(found):
    load = found["Load: incidents"]
    assert (load.read, load.rejected) == (9485, 10)
    assert set(load.to_frame()["count"]) == {6, 4}


def test_the_special_cause_is_found_on_every_chart_of_incidents(found):
    for name in ("Weekly SLA attainment, Laney p-prime chart", "Weekly median resolution time"):
        assert dt.date(2024, 5, 13) in beyond(found[name])
        assert not found[name].stable


def test_overdispersion_is_found_where_it_is(found):
    assert "overdispersed" in found["Weekly SLA attainment, p chart"].caveat_codes
    assert "overdispersed" not in found["Weekly success of changes"].caveat_codes


def test_nothing_is_found_in_the_success_of_changes(found):
    chart = found["Weekly success of changes"]
    assert chart.stable
    assert chart.to_frame()["center"].iloc[0] == pytest.approx(0.94, abs=0.012)


def test_only_mail_has_a_week_out_of_the_ordinary(found):
    charts = {s: found[f"Breaks in service: service={s}"] for s in SERVICES}
    assert beyond(charts["Mail"]) == {dt.date(2024, 5, 13)}
    assert {s for s, c in charts.items() if not c.stable} == {"Mail"}


def test_the_process_change_is_detected_and_its_size_covered(found):
    comparison = found["Did the new triage shorten resolution?"]
    assert comparison.outcome == "detected"
    assert comparison.primary.quantity == "ratio_of_geometric_means"
    assert comparison.primary.low < 0.70 < comparison.primary.high
    assert "autocorrelated" in comparison.caveat_codes


def test_the_autocorrelation_of_the_daily_level_is_seen(found):
    rho = found["Did the new triage shorten resolution?"].method.parameters["rho"]
    assert rho == pytest.approx(0.5, abs=0.15)


def test_the_drivers_of_the_duration_are_found_and_contact_type_is_not(found):
    rows = found["What drives resolution time?"].to_frame().set_index("term")
    moves = rows.loc["reassignment_count"]
    assert moves["ratio_low"] < 1.45 < moves["ratio_high"]
    network = rows.loc["C(assignment_group)[T.Network]"]
    assert network["ratio_low"] < 1.6 < network["ratio_high"]
    by_factor = rows.groupby("factor")["factor_p_value"].first()
    assert by_factor["C(priority)"] < 1e-6
    assert by_factor["C(assignment_group)"] < 1e-6
    assert by_factor["C(contact_type)"] > 0.05


def test_effort_grows_as_it_was_made_to(found):
    rows = found["Effort of work packages"].to_frame().set_index("term")
    slope = rows.loc["log(size_points)"]
    assert slope["low"] < 0.92 < slope["high"]
    simple = rows.loc["C(complexity)[T.simple]"]
    assert simple["ratio_low"] < 1 / 1.5 < simple["ratio_high"]
    assert rows.groupby("factor")["factor_p_value"].first()["C(team)"] > 0.05


def test_the_baseline_says_what_the_process_delivers(found):
    before = found["Resolution time before the new triage"]
    after = found["Resolution time since the new triage"]
    assert before["p50"].interval.contains(28.6)
    assert np.isclose(after["p50"].value / before["p50"].value, 0.70, atol=0.06)
    assert before.standing == "missed"
    assert "censored" in after.caveat_codes


def test_the_plan_splits_by_priority_and_says_that_baseline_and_model_no_longer_hold(found):
    by = found["Resolution time before the new triage: strata"]
    assert by.proposed == ("priority",)
    each = found["Resolution time before the new triage: by priority"]
    medians = each.column("median")
    assert (np.diff(medians) > 0).all()  # priority 1 to 4
    drift = found["Does the baseline before the new triage still hold?"]
    assert drift.rebaseline
    assert "New triage" in "; ".join(drift.reasons)
    errors = found["Does the model still hold since the new triage?"]
    assert errors.advice == "recalibrate"
    # outcomes are lower than predicted
    assert errors.bias < 0
    card = found["What drives resolution time?: review"]
    answers = card.to_frame().set_index("criterion")["answer"]
    assert answers["controllable factor"] == "yes"
    assert answers["stable data"] == "no"


def test_counts_of_size_differ_by_person_as_they_were_made_to():
    counts = pd.read_csv(SAMPLE / "size_counts.csv")
    cells = counts.pivot_table(index=["package", "turn"], columns="counter", values="size_points")
    higher = cells["Jon"] - (cells["Ines"] + cells["Kim"]) / 2
    half = 2.1 * higher.std() / np.sqrt(len(higher))
    assert abs(higher.mean() - 1.2) < half
    twice = counts.pivot_table(index=["package", "counter"], columns="turn", values="size_points")
    repeat = float((twice[1] - twice[2]).std() / np.sqrt(2))
    assert 0.37 < repeat < 0.63  # chi-square with 30 degrees of freedom, 95%


def test_strata_find_the_attributes_that_matter(tmp_path):
    run_plan(
        SAMPLE / "plan.toml",
        data=SAMPLE,
        repository=tmp_path / "r.duckdb",
        report_to=tmp_path / "r.html",
        only=["Weekly success of changes"],
    )
    with Repository.open(tmp_path / "r.duckdb") as repo:
        frame = repo.frame("resolution_hours", until="2024-09-02")
    by = ["priority", "assignment_group", "contact_type"]
    table = strata(frame, value="resolution_hours", by=by).summary().set_index("attribute")
    assert table.loc["priority", "proposal"] == "split"
    assert table.loc["assignment_group", "p_added_holm"] < 0.001  # Network takes 1.6 times as long
    assert table.loc["contact_type", "proposal"] == "pool"
