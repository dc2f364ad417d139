from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.core import codec
from perfanalytics.core.errors import InputError, UnknownNameError
from repository.samples import simple

DAY = dt.date(2024, 3, 1)
RECORDS = (
    perf.BusinessObjective("Quick service", owner="CIO", declared_on=DAY),
    perf.PlannedAnalysis("Weekly hours", what="chart", measure="hours", objective="fast", measures=("a",)),
    perf.Work("Desk", where={"team": "North", "priority": [1, 2]}, since=DAY, objectives=["fast"]),
    perf.Risk("late", what="too late", objective="fast", probability=0.3, cost=100.0, raised_on=DAY),
    perf.CausalAnalysis("CAR-1", outcome="slow week", measure="hours", participants=["ana"], since=DAY),
    perf.Cause("no triage", analysis="CAR-1", because_of="slow", category="method", root=True),
    perf.FailureMode("lost call", effect="late", cause="no log", severity=7, occurrence=3, detection=5),
    perf.Proposal("bot", originator="ana", outcome="faster", cost=1000.0, analysis="CAR-1"),
    perf.SuccessCriterion("faster", proposal="bot", measure="hours", least_ratio=0.9, declared_on=DAY),
    perf.Pilot("trial", proposal="bot", measure="hours", since=DAY, until=dt.date(2024, 4, 1)),
    perf.Deployment("stage 1", proposal="bot", since=DAY, where={"team": "North"}),
    perf.Action("train", what="train", work="Desk", due=DAY, change="New triage"),
    perf.Decision("go", what="roll out", who="board", decided_on=DAY, chosen=True),
)


def test_records_of_the_practices_are_kept_in_versions_and_never_overwritten(tmp_path):
    with perf.Repository.open(tmp_path / "r.duckdb") as repo:
        repo.declare(*RECORDS)
        repo.declare(*RECORDS)
        repo.declare(replace(RECORDS[11], state="done", closed_on=DAY))
        for record in (*RECORDS[:11], RECORDS[12]):
            assert repo.records(record.kind) == (record,)
        told = repo.record_history("action", "train")
        assert told["version"].tolist() == [1, 2]
        assert told["state"].tolist() == ["open", "done"]
        assert json.loads(repo.record_history("work").loc[0, "where"]) == {
            "$map": {"team": "North", "priority": [1, 2]}
        }
        assert repo.record_history("review").empty
        with pytest.raises(UnknownNameError, match="did you mean 'action'"):
            repo.record_history("actions")


def test_an_archive_has_records_results_and_the_last_day_of_the_data(repo):
    repo.load(simple([1.0, 2.0, 3.0], ["2024-01-01", "2024-01-02", "2024-01-05"]))
    name = repo.measures()[0].name
    chart = perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4])
    repo.declare(*RECORDS)
    repo.save(chart, name="chart", by="ana", note="first")
    repo.save(chart, name="chart", by="bo")
    archive = repo.archive()
    assert archive.on == dt.date(2024, 1, 5)
    assert archive.newest[name] == dt.datetime(2024, 1, 5)
    assert archive.get("work", "Desk") == RECORDS[2]
    assert archive.measure(name) == repo.measures()[0]
    assert archive.measure("nothing") is None
    assert [s.version for s in archive.versions("chart")] == [1, 2]
    assert [(s.version, s.by) for s in archive.saved_of("control_chart")] == [(2, "bo")]
    assert archive.saved_of("baseline") == ()
    assert archive.result("chart", version=1) == chart
    assert repo.archive(on=DAY).on == DAY
    with pytest.raises(UnknownNameError, match="did you mean 'Desk'"):
        archive.get("work", "Dest")


def test_an_archive_can_be_made_by_hand():
    chart = perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4])
    archive = perf.Archive.of(RECORDS, {"chart": chart}, on=DAY)
    assert archive.on == DAY
    assert archive.result("chart") is chart
    assert archive.saved_of("control_chart", measure=chart.provenance.measure)[0].name == "chart"
    with pytest.raises(UnknownNameError):
        archive.result("nothing")


def test_everything_is_exported_as_tables_and_json(repo, tmp_path):
    chart = perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4])
    repo.declare(*RECORDS)
    repo.save(chart, name="A chart / one", by="ana")
    repo.save(chart, name="A chart: one", by="ana")
    written = repo.export(tmp_path / "out")
    assert all(path.is_file() for path in written)
    kept = json.loads((tmp_path / "out" / "records.json").read_text())
    assert {codec.from_record(entry["record"]) for entry in kept if entry["kind"] == "risk"} == {RECORDS[3]}
    assert len(kept) == len(RECORDS)
    assert pd.read_csv(tmp_path / "out" / "action.csv")["what"].tolist() == ["train"]
    results = sorted((tmp_path / "out" / "results").glob("*.json"))
    assert len(results) == 2
    for path in results:
        assert codec.from_record(json.loads(path.read_text())["result"]) == chart
    with pytest.raises(InputError, match="not empty"):
        repo.export(tmp_path / "out")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: perf.Risk("r", what="w", probability=1.2), "between 0 and 1"),
        (lambda: perf.Risk("r", what="w", cost=-1), "not negative"),
        (lambda: perf.Risk("r", what="w", state="gone"), "Known: closed"),
        (lambda: perf.Work("w", since=DAY, until=DAY), "ends"),
        (lambda: perf.Work("w", where={"team": {"a": 1}}), "where says"),
        (
            lambda: perf.FailureMode("f", effect="e", cause="c", severity=11, occurrence=1, detection=1),
            "1 to 10",
        ),
        (
            lambda: perf.SuccessCriterion("c", proposal="p", measure="m", declared_on=DAY),
            "exactly one of",
        ),
        (
            lambda: perf.SuccessCriterion("c", proposal="p", measure="m", declared_on=DAY, target=1.0),
            "belong together",
        ),
        (lambda: perf.Pilot("p", proposal="p", measure="m", since=DAY, until=DAY), "ends"),
        (lambda: perf.Cause("", analysis="a"), "needs name"),
        (lambda: perf.PlannedAnalysis("a", what=" "), "needs what"),
    ],
)
def test_records_that_make_no_sense_are_refused(make, said):
    with pytest.raises((InputError, UnknownNameError), match=said):
        make()
