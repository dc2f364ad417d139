"""A service report from records and results made by hand: what is missing, who is told what."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.archive import Archive
from perfanalytics.core.improvement_records import CausalAnalysis, Cause
from perfanalytics.core.practice_records import Action
from perfanalytics.figures.service_report import draw, info
from perfanalytics.practices.qwm.work_review_rows import Kept
from perfanalytics.practices.service_reports.service_report import service_report_of
from perfanalytics.practices.service_reports.service_report_material import ReportMaterial
from perfanalytics.practices.service_reports.service_report_result import CONTENTS

SINCE, UNTIL = dt.date(2024, 4, 1), dt.date(2024, 7, 1)
MADE = perf.Measure("made", definition="d", unit="1", better="higher", scale="proportion")
GOAL = perf.Objective(
    "SLA",
    measure="made",
    statistic="share",
    target=0.9,
    direction="at_least",
    declared_on=dt.date(2024, 1, 2),
)
EVENTS = (
    perf.Event("Outage", when=dt.date(2024, 3, 30), until=dt.date(2024, 4, 2), what="power", why="PRB-1"),
    perf.Event("Mail only", when=dt.date(2024, 5, 1), what="w", where={"service": "Mail"}),
    perf.Event("Before", when=dt.date(2024, 3, 30), what="w"),
    perf.Event("After", when=dt.date(2024, 7, 1), what="w"),
    perf.Event("Of another measure", when=dt.date(2024, 5, 1), what="w", measure="other"),
    perf.Change("New triage", when=dt.date(2024, 6, 30), what="w"),
)
CAR = (
    CausalAnalysis("CAR-1", outcome="late", measure="made", opened_on=dt.date(2024, 5, 1)),
    CausalAnalysis("CAR-0", outcome="old", measure="made", closed_on=dt.date(2024, 3, 1), state="closed"),
    CausalAnalysis("CAR-2", outcome="elsewhere", measure="other"),
    CausalAnalysis("CAR-3", outcome="mail", measure="made", where={"service": "Mail"}),
    Cause("no decision tree", analysis="CAR-1", state="confirmed", root=True),
    Cause("new people", analysis="CAR-1", state="refuted"),
    Action("Write the tree", what="w", analysis="CAR-1"),
    Action("Not ours", what="w", analysis="CAR-2", owner="Ada"),
)


def kept(role, subject, result):
    return Kept(role=role, subject=subject, name=f"Desk: {role} {subject}", version=1, result=result)


def figures(values, **more):
    whole = {("", ""): perf.Series(values, measure=MADE)}
    parts = whole | {("service", "Mail"): perf.Series(values[:4], measure=MADE)}
    return perf.period_figures(parts, since=SINCE, until=UNTIL, **more)


def material(audience="operations", records=(), on=dt.date(2024, 7, 15), **more):
    given = {
        "performance": ("SLA",),
        "by": ("service",),
        "nonconformities": ("made",),
        "categories": ("service",),
        "where": {"service": "ERP"},
        "kept": (
            kept("performance", "SLA", figures([1, 0, 1, 1, 0, 1], objective=GOAL)),
            kept("nonconformity", "made", figures([1, 0, 1, 1, 0, 1], statistic="nonconforming")),
        ),
    }
    archive = Archive.of([MADE, GOAL, *records], on=on)
    return ReportMaterial(
        name="Desk", audience=audience, since=SINCE, until=UNTIL, archive=archive, **(given | more)
    )


def test_targets_are_told_with_what_they_rest_on():
    made = service_report_of(material())
    assert made.standings() == {"SLA": "missed"}
    assert made.verdict.startswith(
        "Desk, 2024-04-01 to 2024-06-30: 0 of 1 target met; missed: SLA (66.7% instead of at least 90%"
    )
    row = made.to_frame().query("quantity == 'reached'").iloc[0]
    assert row["number"] == pytest.approx(4 / 6)
    assert (row["source"], row["version"], row["field"]) == ("Desk: performance SLA", 1, "table: 0: value")
    table = dict(made.content_tables(1))
    assert table["By service"].to_dict("records")[0]["SLA"] == "75%, missed"
    assert table["Targets"].loc[0, "asked for"] == "share at least 90%"


def test_events_of_the_period_and_the_service():
    made = service_report_of(material(records=EVENTS))
    table = dict(made.content_tables(2))["Events"]
    assert table["event"].tolist() == ["Outage", "New triage"]
    assert made.statements[1] == "2 significant events: Outage, New triage."
    assert made.to_frame().query("subject == 'Outage' and quantity == 'why'")["text"].tolist() == ["PRB-1"]


def test_nonconformities_with_causes_and_actions():
    made = service_report_of(material(records=CAR))
    tables = dict(made.content_tables(4))
    assert tables["Causal analyses"]["analysis"].tolist() == ["CAR-1"]
    assert tables["Causal analyses"]["causes"].tolist() == ["no decision tree"]
    assert tables["Actions"].iloc[0, 0] == "Write the tree"
    assert len(tables["Actions"]) == 1
    assert tables["made by service"].to_dict("records")[0]["nonconforming"] == "1"
    assert (
        "A causal analysis looks into the missed target; 1 causal analysis is on record" in made.statements[3]
    )
    assert "missed-without-analysis" not in made.caveat_codes
    assert "action-without-owner" in made.caveat_codes


def test_a_miss_that_nobody_looks_into_is_said():
    made = service_report_of(material())
    assert "missed-without-analysis" in made.caveat_codes
    assert "No causal analysis looks into the missed target." in made.statements[3]


def test_customers_are_told_nothing_internal():
    told = service_report_of(material("customer", records=(*EVENTS, *CAR)))
    frame = told.to_frame()
    assert not frame["source_kind"].isin(["causal_analysis", "cause", "action"]).any()
    everything = json.dumps(told.to_record())
    for secret in ("CAR-1", "PRB-1", "decision tree", "Write the tree"):
        assert secret not in everything
    assert "By service" in dict(told.content_tables(1))


def test_management_gets_a_line_for_each_content():
    told = service_report_of(material("management", records=CAR))
    assert "By service" not in dict(told.content_tables(1))
    first, second = told.tables()
    assert first[0] == "Targets"
    assert second[1]["content"].tolist() == list(CONTENTS[1:6])
    assert "rests on" not in first[1].columns


def test_what_is_missing_is_said():
    bare = ReportMaterial(
        name="Desk", audience="management", since=SINCE, until=UNTIL,
        archive=Archive.of(on=dt.date(2024, 6, 1)), without_target=("made",), events=False,
    )  # fmt: skip
    made = service_report_of(bare)
    assert made.statements[:6] == (
        "No target is declared.",
        "Significant events are left out of this report.",
        "No measure of workload is declared.",
        "No measure of nonconformities is declared.",
        "There are too few data for trends.",
        "No measure of satisfaction or complaints is declared.",
    )
    assert made.caveat_codes == (
        "period-not-over", "no-targets", "no-workload-measure", "no-nonconformity-measure",
        "no-satisfaction-measure", "no-events", "no-target",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        (dt.date(2024, 7, 1), "target-declared-late"),
        (dt.date(2024, 5, 1), "target-declared-within"),
        (None, "target-undated"),
    ],
)
def test_targets_declared_late_are_said(declared, code):
    late = perf.Objective(
        "SLA", measure="made", statistic="share", target=0.9, direction="at_least", declared_on=declared
    )
    given = material()
    archive = Archive.of([MADE, late], on=given.archive.on)
    again = ReportMaterial(
        name="Desk", audience="operations", since=SINCE, until=UNTIL, archive=archive, performance=("SLA",)
    )
    assert code in service_report_of(again).caveat_codes
    assert code not in service_report_of(given).caveat_codes


def test_it_is_saved_and_read_back():
    made = service_report_of(material(records=(*EVENTS, *CAR)))
    assert perf.ServiceReport.from_record(json.loads(json.dumps(made.to_record()))) == made
    assert made.summary().loc[0, "missed"] == 1


def test_the_figure_has_an_axis_for_each_target():
    record = info(service_report_of(material()))
    assert record.target == ("SLA",)
    assert record.reached[0] == pytest.approx(4 / 6)
    assert np.isnan(record.before[0])
    assert (record.required[0], record.side[0], record.unit[0]) == (0.9, "at_least", "share")
    drawn = draw(service_report_of(material()))
    assert drawn["layout"]["xaxis"]["range"][1] <= 1.0
    perf.plot(service_report_of(material()))
