"""The mess of real files: the counts of their README."""

from __future__ import annotations

import numpy as np
import pytest

from perfanalytics.core.errors import LoadError
from perfanalytics.core.measure import Measure
from perfanalytics.repository.source import EventLog, Source, SourceMeasure

TIMES = ("opened_at", "sys_created_at", "sys_updated_at", "resolved_at", "closed_at")


def file(folder, name):
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return path


def incidents(path, **changes):
    hours = Measure("hours", definition="Opened to resolved", unit="hours", better="lower", scale="duration")
    sla = Measure("sla", definition="Met the SLA", unit="1", better="higher", scale="proportion")
    settings = {
        "missing": ("?",),
        "columns": dict.fromkeys(TIMES, "time")
        | dict.fromkeys(("made_sla", "active"), "boolean")
        | dict.fromkeys(("sys_mod_count", "reassignment_count", "reopen_count"), "integer"),
        "formats": dict.fromkeys(TIMES, "%d/%m/%Y %H:%M"),
        "event_log": EventLog(
            "number",
            order=("sys_mod_count", "sys_updated_at"),
            time="sys_updated_at",
            reached={"first_closed": "incident_state = 'Closed'"},
        ),
        "measures": (
            SourceMeasure(
                hours,
                value="date_diff('minute', opened_at, resolved_at) / 60.0",
                when="opened_at",
                start="opened_at",
                known="resolved_at",
                item="number",
                attributes=("priority", "incident_state", "opened_by"),
                valid=(0, None),
            ),
            SourceMeasure(sla, value="made_sla", when="closed_at", item="number", attributes=("priority",)),
        ),
    }
    return Source("incidents", file=path, **(settings | changes))


def test_incidents(real_data, repo):
    source = incidents(file(real_data, "incidents_servicenow_uci.csv.gz"))
    report = repo.load(source)
    assert (report.read, report.rows, report.rejected, report.rejected_values) == (141_712, 24_918, 0, 0)
    assert report.open_items.tolist() == [1_556, 0]  # resolved_at unknown: open, not dropped
    hours = repo.series("hours")
    assert len(hours) == 24_918
    assert int(hours.censored.sum()) == 1_556
    assert str(hours.when[0]) == "2016-02-29T01:16:00.000000"  # 29/2/2016: day first
    assert hours.values[0] == pytest.approx(10 + 13 / 60)
    assert repo.frame("hours")["opened_by"].str.contains("  ").any()  # double spaces survive
    assert repo.load(source).unchanged == 24_918
    weeks = repo.series("sla", every="week", statistic="share")
    assert weeks.weights.sum() == 24_918
    assert (weeks.values * weeks.sizes).sum() == pytest.approx(repo.series("sla").values.sum())


def test_incidents_without_their_missing_marker_do_not_load(real_data, repo):
    source = incidents(file(real_data, "incidents_servicenow_uci.csv.gz"), missing=("",), max_rejected=0)
    with pytest.raises(LoadError, match=r"'\?' is not|is not a date and time in the form %d/%m/%Y %H:%M"):
        repo.load(source)
    assert repo.loads().empty


def test_a_stray_state_can_be_rejected_or_kept(real_data, repo):
    path = file(real_data, "incidents_servicenow_uci.csv.gz")
    strays = Measure("strays", definition="Rows with state -100", unit="rows", better="lower", scale="count")
    source = incidents(
        path,
        event_log=None,
        measures=(SourceMeasure(strays, value="1", when="sys_updated_at", where="incident_state = '-100'"),),
    )
    report = repo.load(source)
    assert report.rows == 141_712
    assert report.observations.tolist() == [5]


def test_7digital_identical_rows_are_separate_items(real_data, repo):
    path = file(real_data, "features_7digital.csv.gz")
    cycle = Measure("cycle", definition="As recorded", unit="days", better="lower", scale="duration")
    source = Source(
        "features",
        file=path,
        missing=("NA", ""),
        columns={"Prioritised": "date", "Dev.Started": "date", "Done": "date", "Cycle.Time": "integer"},
        formats=dict.fromkeys(("Prioritised", "Dev.Started", "Done"), "%d/%m/%Y"),
        measures=(
            SourceMeasure(
                cycle,
                value='"Cycle.Time"',
                when="Done",
                attributes={"type": "Type", "size": "Size", "early": '"Dev.Started" < Prioritised'},
            ),
        ),
    )
    report = repo.load(source)
    assert (report.read, report.accepted, report.rejected) == (3_238, 3_238, 0)
    assert len(repo.series("cycle")) == 3_238
    frame = repo.frame("cycle")
    assert int(frame["size"].isna().sum()) == 1_544
    assert int(frame["type"].isna().sum()) == 1
    assert int(frame["early"].eq(True).sum()) == 45
    assert repo.load(source).unchanged == 3_238


def test_sip_tasks_in_their_own_encoding_and_in_the_wrong_one(real_data, repo):
    path = file(real_data, "sip_tasks.csv.gz")
    effort = Measure("effort", definition="Hours", unit="hours", better="unknown", scale="positive")
    when = "make_date(2004, 1, 1)"
    settings = {
        "columns": {"HoursActual": "number", "TaskNumber": "integer"},
        "measures": (SourceMeasure(effort, value="HoursActual", when=when, item="TaskNumber::varchar"),),
    }
    wrong = repo.load(Source("wrong", file=path, **settings))
    assert wrong.read == 12_299
    assert 0 < wrong.rejected <= 8
    assert wrong.rows == 12_299 - wrong.rejected
    assert all("declare encoding='cp1252'" in r for r in wrong.reasons)
    right = repo.load(Source("right", file=path, encoding="cp1252", **settings))
    assert (right.read, right.accepted, right.rejected) == (12_299, 12_299, 0)
    assert repo.frame("effort")["item"].nunique() == 10_266


def test_sip_dates(real_data, repo):
    path = file(real_data, "sip_task_dates.csv.gz")
    dates = ("EstimateOn", "StartedOn", "CompletedOn")
    days = Measure("days", definition="Started to completed", unit="days", better="lower", scale="duration")
    source = Source(
        "dates",
        file=path,
        columns=dict.fromkeys(dates, "date"),
        formats=dict.fromkeys(dates, "%d-%b-%y"),
        measures=(
            SourceMeasure(
                days,
                value="date_diff('day', StartedOn, CompletedOn)",
                when="CompletedOn",
                start="StartedOn",
                valid=(0, None),
            ),
        ),
    )
    report = repo.load(source)
    assert (report.read, report.rejected) == (12_299, 0)
    assert report.rejected_values == 2  # two tasks complete before they start


def test_lanl_duplicates_and_mangled_months(real_data, repo):
    path = file(real_data, "lanl_failures.csv.gz")
    repair = Measure("repair", definition="Down Time", unit="minutes", better="lower", scale="duration")
    settings = {
        "file": path,
        "missing": ("", "NA"),
        "formats": dict.fromkeys(("Prob Started", "Prob Fixed"), "%m/%d/%Y %H:%M"),
        "measures": (
            SourceMeasure(
                repair, value='"Down Time"', when='"Prob Started"', attributes={"system": "System"}
            ),
        ),
    }
    columns = {"Prob Started": "time", "Prob Fixed": "time", "Down Time": "integer", "System": "integer"}
    report = repo.load(Source("failures", columns=columns, **settings))
    assert (report.read, report.accepted, report.rejected) == (23_739, 23_739, 0)
    duplicates = repo.checks().set_index("check").loc["exact duplicate", "found"]
    assert duplicates >= 25
    # the mangled month-years are text; asked for as dates they are refused, not misread
    with pytest.raises(LoadError, match=r"is not a date in the form %b-%y"):
        repo.load(
            Source(
                "as dates",
                columns=columns | {"node install": "date"},
                **(settings | {"formats": settings["formats"] | {"node install": "%b-%y"}}),
            )
        )
    assert np.isfinite(repo.series("repair").values).all()
