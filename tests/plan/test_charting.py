"""What a [[chart]] table can ask for: stages by a column, subgroups, phase I, agreed limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.cli import main
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

SAMPLE = Path(__file__).parents[2] / "sample_data" / "plan.toml"
PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
by = "measurement group"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", v = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "real"
value = "v"
when = "day"
item = "id"
attributes = ["version", "week"]
[[change]]
name = "new desk"
when = 2024-03-04
what = "second line merged into the first"
[[chart]]
name = "by version"
measure = "m"
stage_column = "version"
carry = 0
phase_one = true
[[chart]]
name = "weekly subgroups"
measure = "m"
chart = "xbar_s"
subgroups = "month"
stages = ["new desk"]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    rows = ["id,day,v,version,week"]
    for i in range(120):
        day = np.datetime64("2024-01-01") + i
        value = rng.normal(10 if i < 63 else 7, 1) + (9 if i == 20 else 0)
        rows.append(f"{i},{day},{value:.3f},{'2.0' if i < 63 else '2.1'},x")
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(*arguments):
    try:
        main(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_stages_by_a_column_carried_limits_and_phase_one(folder):
    run = perf.run_plan("plan.toml")
    assert run.failures == ()
    by_name = {i.name: i.result for i in run.items}
    chart = by_name["by version"]
    assert chart.limits.labels == ("2.0", "2.1")
    assert chart.carried_stage == 0
    assert "since 4 March 2024 (2.1)" in chart.verdict
    assert "beyond the limits of the first stage" in chart.verdict
    phase = by_name["by version: phase I"]
    assert 20 in phase.point.tolist()
    grouped = by_name["weekly subgroups"]
    assert grouped.labels.tolist() == ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert grouped.sizes.tolist() == [31, 29, 31, 29]
    assert grouped.limits.labels == ("", "new desk")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "phase I" in page


def test_limits_that_were_agreed_are_monitored_and_expire(folder, capsys):
    perf.run_plan("plan.toml", only=["by version"])
    options = [
        "--chart",
        "by version",
        "--by",
        "A. Meier",
        "--on",
        "2024-05-02",
        "--valid-until",
        "2024-04-20",
    ]
    assert called("agree", "plan.toml", *options) == 0
    assert "limits: by version, version 1: Center" in capsys.readouterr().out
    with perf.Repository.open("r.duckdb", read_only=True) as repo:
        assert repo.result("limits: by version").agreed_by == "A. Meier"
    called("monitor", "plan.toml", "--only", "by version")
    capsys.readouterr()
    called("monitor", "plan.toml", "--only", "by version")
    assert (
        "The limits were valid until 20 April 2024 (agreed by A. Meier); 9 points" in capsys.readouterr().out
    )
    text = PLAN.replace(
        'stage_column = "version"\ncarry = 0\nphase_one = true', 'limits_from = "limits: by version"'
    )
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    run = perf.run_plan("plan.toml", only=["by version"])
    assert "limits-expired" in run.items[-1].result.caveat_codes
    (folder / "plan.toml").write_text(
        text.replace("limits: by version", "limits: by versoin"), encoding="utf-8"
    )
    assert (
        "did you mean 'limits: by version'" in perf.run_plan("plan.toml", only=["by version"]).items[-1].error
    )


def test_agree_needs_charts_and_a_repository(folder, capsys):
    arguments = ["agree", "plan.toml", "--chart", "by version", "--by", "A"]
    assert called(*arguments) == 2
    assert "makes it" in capsys.readouterr().err
    perf.run_plan("plan.toml", only=["by version"])
    assert called("agree", "plan.toml", "--chart", "no such", "--by", "A") == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('stage_column = "version"', 'stage_column = "versoin"', "did you mean 'version'?"),
        ('subgroups = "month"', 'subgroups = "mnth"', "did you mean 'month'?"),
        ('subgroups = "month"', 'subgroups = "month"\nevery = "week"', "leave every = 'week' out"),
        ('stage_column = "version"\ncarry = 0', "carry = 0", "needs stages or a stage_column"),
        ("phase_one = true", 'phase_one = true\nchart = "ewma"', "take a Shewhart chart"),
        ("phase_one = true", 'covariates = ["x"]', "covariates: attribute of m 'x' is not known"),
    ],
)
def test_mistakes_are_found_without_data(tmp_path, old, new, expected):
    assert old in PLAN
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace(old, new), encoding="utf-8")
    assert expected in "\n".join(check_plan(read_plan(path)))


def test_limits_come_from_one_place(tmp_path):
    path = tmp_path / "plan.toml"
    text = PLAN.replace("phase_one = true", 'limits_from = "x"\nestimate = "moving_range"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(perf.PlanError, match="limits come from one place"):
        read_plan(path)


def test_charts_shows_phase_one_behind_the_charts_that_signal(folder, capsys):
    perf.run_plan("plan.toml")
    capsys.readouterr()
    assert called("charts", "plan.toml", "--report", "c.html") == 0
    told = capsys.readouterr().out
    assert told.startswith("Scorecard: 2 charts:")
    assert "by version: phase I: " in told


def test_recorded_events_travel_to_charts_from_repository_plan_and_bulk(tmp_path):
    """The sample data: the new triage of 2 September begins a stage, by its name, in all three."""
    name = "Weekly median resolution time"
    run = perf.run_plan(SAMPLE, repository=tmp_path / "r.duckdb", report_to=tmp_path / "r.html", only=[name])
    from_plan = next(i.result for i in run.items if i.name == name)
    assert from_plan.limits.labels == ("", "New triage")
    with perf.Repository.open(tmp_path / "r.duckdb") as repo:
        asked = {"every": "week", "statistic": "median"}
        series = repo.series("resolution_hours", **asked)
        assert {"New triage", "Mail migration"} <= {e.name for e in series.events}
        one = perf.control_chart(series, stages="New triage")
        np.testing.assert_array_equal(one.upper, from_plan.upper)
        assert "(New triage)" in one.verdict
        method = perf.method("control_charts", stages=["New triage"])
        rows = repo.map(
            repo.select("resolution_hours", by="priority", **asked), method, progress=False
        ).to_frame()
        assert set(rows["stages"]) == {2}
        batch = repo.batch("resolution_hours", by="priority", **asked)
        alone = perf.control_chart(batch[0], stages="New triage")
        assert rows["upper"][0] == alone.limits.upper[0, -1]
