"""Plans with measures of the catalogue pass the check and run, on made data and on the sample data."""

from __future__ import annotations

import csv
import datetime as dt
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import perfanalytics as perf
from perfanalytics.cli import cli
from perfanalytics.plan import objects
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan
from perfanalytics.practices.catalogue.bindings import proposed, read_bindings
from perfanalytics.practices.catalogue.entry import RecordKind
from perfanalytics.spc.result import ControlChart

ALL = perf.catalogue()
ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "sample_data"
BASES = SAMPLE / "catalogue.toml"
#: What the sample service desk does not measure.
MISSING = {
    "incident_response_time": {"minutes_to_respond"},
    "incident_backlog": {"incidents_open"},
    "request_fulfillment_time": {"hours_to_fulfill"},
    "error_repeat_rate": {"incidents_of_known_cause"},
    "change_lead_time": {"days_to_implement"},
    "change_incident_rate": {"changes_with_incident"},
    "transaction_response_time": {"response_seconds"},
    "recovery_time_ratio": {"recovery_hours", "recovery_objective_hours"},
    "security_incident_interval": {"days_between_security_incidents"},
    "defect_escape_rate": {"defects_escaped"},
    "schedule_performance": {"planned_value", "earned_value"},
}
RUNNABLE = [name for name in ALL.names if name not in MISSING]


def wrote(folder: Path, text: str) -> Path:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def series_and_charts(path: Path, data: Path):
    """Load the sources of a plan, then yield each chart table with its series."""
    plan = read_plan(path)
    assert list(check_plan(plan)) == []
    with perf.Repository.open(":memory:") as repo:
        for source in objects.sources(plan, data):
            repo.load(source)
        tables = {t.measure: t for t in plan.chart}
        assert set(tables) == {m.name for m in plan.measure}
        for name, t in tables.items():
            yield name, t, repo.series(name, every=t.every, statistic=t.statistic, subgroups=t.subgroups)


@pytest.fixture(scope="module")
def charts(tmp_path_factory) -> dict[str, ControlChart]:
    """Every measure of the sample data through its recommended chart."""
    path = wrote(tmp_path_factory.mktemp("sample"), ALL.plan(bases=BASES))
    made = {}
    for name, _, series in series_and_charts(path, SAMPLE):
        advice = dict(ALL.get(name).advice.chart)
        options = {k: advice[k] for k in ("chart", "limits", "transform", "options") if k in advice}
        made[name] = perf.control_chart(series, **options)
    return made


def test_what_the_sample_data_lack_is_said_by_base_measure():
    lacking = ALL.missing(BASES)
    assert set(lacking) == set(MISSING)
    for name, bases in MISSING.items():
        for base in bases:
            assert any(f"base measure '{base}'" in what for what in lacking[name]), name
        with pytest.raises(perf.InputError, match=f"base measure '{min(bases)}'|base measure '{max(bases)}'"):
            ALL.plan([name], bases=BASES)


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_recommended_chart_runs_on_the_sample_data(charts, name):
    made = charts[name]
    entry = ALL.get(name)
    assert made.chart == entry.advice.chart["chart"]
    assert made.n_used >= 11
    assert np.isfinite(made.center).any()
    assert (made.measure.better, made.measure.scale) == (entry.better, entry.scale)
    assert made.measure.definition == entry.definition


def test_the_numbers_are_those_of_the_files(charts):
    """Three of them computed by hand from the files."""
    with (SAMPLE / "service_weeks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def total(column: str, week: str) -> float:
        return sum(float(r[column]) for r in rows if r["week"] == week)

    first = "2024-01-01"
    assert charts["request_on_time"].value[0][0] == pytest.approx(
        total("requests_on_time", first) / total("requests_fulfilled", first)
    )
    assert charts["complaint_rate"].value[0][0] == pytest.approx(
        1000 * total("complaints", first) / total("users", first)
    )
    assert charts["demand_forecast_error"].value[0][0] == pytest.approx(
        total("requests_received", first) / total("requests_forecast", first) - 1
    )


def test_the_truths_of_the_weekly_figures_are_found(charts):
    def beyond(name: str) -> list[dt.date]:
        rows = charts[name].signals
        return [t.date() for t in rows.loc[rows["rules"].str.contains("beyond_limits"), "when"]]

    assert beyond("complaint_rate") == [dt.date(2024, 5, 13)]
    assert charts["supplier_on_time"].stable is False
    dependent = charts["request_backlog"]
    assert dependent.stable
    assert "coefficient 0.7" in dependent.verdict
    for name in ("problem_recurrence_rate", "cost_variance", "satisfied_share", "call_abandonment_rate"):
        assert charts[name].stable, name


def test_the_outage_is_seen_where_it_was(charts):
    for name in ("incident_resolution_time", "incident_target_attainment", "service_availability"):
        first = charts[name].signals["when"].iloc[0]
        assert first.date() == dt.date(2024, 5, 13), name


@pytest.mark.slow
def test_all_of_it_runs_as_a_plan(tmp_path):
    """Charts and baselines of every measure of the sample data, saved and reported."""
    path = wrote(tmp_path, ALL.plan(bases=BASES))
    run = perf.run_plan(path, data=SAMPLE)
    assert run.failures == ()
    names = {i.name for i in run.items}
    for entry in (ALL.get(n) for n in RUNNABLE):
        assert entry.title in names
        assert (f"{entry.title}: baseline" in names) == (not entry.advice.of_chart)


# --- made data: the files and columns that the catalogue proposes ------------------------------------


def value_of(kind: RecordKind, column: str, k: int, rng: np.random.Generator) -> str:
    """A field of made data: about three rows a day."""
    made = kind.column(column)
    day = dt.datetime(2024, 1, 1, 8) + dt.timedelta(hours=8 * k)
    if made.type in ("date", "time"):
        # later columns are later times; the last rows are still open
        place = kind.times.index(column)
        if place and k > 380:
            return ""
        at = day + dt.timedelta(hours=float(rng.exponential(30)) * place)
        return at.date().isoformat() if made.type == "date" else at.isoformat(timespec="seconds")
    if column in kind.key:
        return f"K{k:04d}"
    if made.type == "text":
        return ("trend analysis", "emergency", "A", "B")[int(rng.integers(4))]
    if made.type == "boolean":
        return "true" if rng.random() < 0.8 else "false"
    part = any(
        word in column for word in ("abandoned", "in_time", "deviating", "escaped", "breaks", "downtime")
    )
    if made.type == "integer":
        return str(int(rng.integers(0, 3)) if part else int(rng.integers(10, 30)))
    if column == "review_share":
        return f"{rng.random():.2f}"
    return f"{rng.uniform(0, 5) if part else rng.uniform(20, 40):.2f}"


def made_file(folder: Path, kind: RecordKind, names: list[str]) -> None:
    rng = np.random.default_rng(20240101)
    with (folder / f"{kind.name}.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(names)
        out.writerows([value_of(kind, c, k, rng) for c in names] for k in range(400))


def test_a_plan_with_all_measures_passes_the_check_and_runs_on_made_data(tmp_path):
    text = ALL.plan()
    path = wrote(tmp_path, text)
    kinds = {e.record.name: e.record for e in ALL}
    for source in tomllib.loads(text)["source"]:
        made_file(tmp_path, kinds[source["name"]], list(source["columns"]))
    done = []
    for name, t, series in series_and_charts(path, tmp_path):
        made = perf.control_chart(
            series, chart=t.chart, limits=t.limits, transform=t.transform, options=t.options
        )
        assert made.n_used >= 4, name
        done.append(name)
    assert done == list(ALL.names)


def test_init_writes_a_plan_that_runs_to_its_report(tmp_path):
    runner = CliRunner()
    plan = tmp_path / "desk.toml"
    names = "change_success_rate,incident_resolution_time"
    asked = ["init", str(plan), "--measures", names, "--measures", "defect_density"]
    told = runner.invoke(cli, asked)
    assert told.exit_code == 0, told.output
    text = plan.read_text(encoding="utf-8")
    for said in (
        "# one row per implemented change",
        "#   successful (boolean): true when",
        "# Traps: ",
        "# [[objective]]",
    ):
        assert said in text
    raw = tomllib.loads(text)
    assert [m["name"] for m in raw["measure"]] == [*names.split(","), "defect_density"]
    assert runner.invoke(cli, ["check", str(plan)]).exit_code == 0
    kinds = {e.record.name: e.record for e in ALL}
    for source in raw["source"]:
        made_file(tmp_path, kinds[source["name"]], list(source["columns"]))
    ran = runner.invoke(cli, ["run", str(plan), "--quiet"])
    assert ran.exit_code == 0, ran.output
    assert "Changes that succeeded: " in ran.output
    assert (tmp_path / "desk.html").is_file()


def test_init_says_what_it_leaves_out_and_refuses_what_is_missing(tmp_path):
    runner = CliRunner()
    plan = tmp_path / "all.toml"
    told = runner.invoke(cli, ["init", str(plan), "--measures", "all", "--bases", str(BASES)])
    assert told.exit_code == 0, told.output
    assert told.output.count("left out: ") == len(MISSING)
    raw = tomllib.loads(plan.read_text(encoding="utf-8"))
    assert len(raw["measure"]) == len(RUNNABLE)
    other = tmp_path / "other.toml"
    refused = runner.invoke(
        cli, ["init", str(other), "--measures", "incident_backlog", "--bases", str(BASES)]
    )
    assert isinstance(refused.exception, perf.InputError)
    assert "base measure 'incidents_open'" in str(refused.exception)
    unknown = runner.invoke(cli, ["init", str(other), "--measures", "incident_backlogs"])
    assert "did you mean 'incident_backlog'" in str(unknown.exception)
    both = runner.invoke(cli, ["init", str(other), "--measures", "all,incident_volume"])
    assert "unknown measure of the catalogue 'all'" in str(both.exception)
    alone = runner.invoke(cli, ["init", str(other), "--bases", str(BASES)])
    assert "--bases goes with --measures" in str(alone.exception)
    nothing = runner.invoke(cli, ["init", str(other), "--measures", ","])
    assert "no measure is left" in str(nothing.exception)
    assert not other.exists()


def test_the_command_lists_searches_and_shows():
    runner = CliRunner()
    every = runner.invoke(cli, ["catalogue"])
    assert every.output.endswith(f"{len(ALL)} measures\n")
    found = runner.invoke(cli, ["catalogue", "reopen", "--process", "RAF.1", "--clause", "8.1"])
    assert found.output.splitlines()[1].split()[0] == "incident_reopen_rate"
    shown = runner.invoke(cli, ["catalogue", "--show", "incident_reopen_rate"])
    assert "traps: It grows with the time users have to reopen" in shown.output
    listed = json.loads(runner.invoke(cli, ["catalogue", "--practice", "CAM-2.2", "--json"]).output)
    assert [e["name"] for e in listed] == list(ALL.search(practice="CAM-2.2").names)
    assert set(listed[0]["trace"]) == {"practices", "clauses", "processes", "itil"}
    mixed = runner.invoke(cli, ["catalogue", "reopen", "--show", "incident_reopen_rate"])
    assert "leave words and filters out" in str(mixed.exception)
    none = runner.invoke(cli, ["catalogue", "abandonned"])
    assert none.exit_code == 1
    assert "did you mean 'abandoned'" in none.output


# --- files of base measures --------------------------------------------------------------------------

FILE = """
[[source]]
name = "tickets"
file = "tickets.csv"
columns = {{ made = "time" }}

[[records]]
name = "incidents"
source = "tickets"
item = "id"
times = {{ opened_at = "made" }}
attributes = {{ priority = "prio" }}
base = {{ {base} }}
"""


def bases_file(folder: Path, base: str, **changed: str) -> Path:
    text = FILE.format(base=base)
    for old, new in changed.items():
        text = text.replace(old, new)
    path = folder / "bases.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_expressions_are_put_in_place_of_base_measures(tmp_path):
    path = bases_file(
        tmp_path, 'incidents_opened = "1", major_incidents_opened = "case when prio = 1 then 1 else 0 end"'
    )
    assert "major_incident_count" not in ALL.missing(path)
    raw = tomllib.loads(ALL.plan(["major_incident_count", "incident_volume"], bases=path, name="x"))
    major, volume = raw["measure"]
    assert major["value"] == "case when prio = 1 then 1 else 0 end"
    assert (volume["value"], volume["when"], volume["item"]) == ("1", "made", "id")
    assert volume["attributes"] == {"priority": "prio"}
    assert "size" not in volume
    assert raw["plan"]["repository"] == "x.duckdb"
    assert [s["name"] for s in raw["source"]] == ["tickets"]


def test_conditions_of_both_base_measures_hold(tmp_path):
    path = bases_file(
        tmp_path,
        'reassignments = { value = "moves - 1", where = "moves > 0" }, '
        'incidents_resolved = { value = "n", where = "state = \'incidents_resolved\'" }',
        opened_at='resolved_at = "done", opened_at',
    )
    measure = tomllib.loads(ALL.plan(["incident_reassignments"], bases=path))["measure"][0]
    assert measure["value"] == "moves - 1"
    assert measure["size"] == "n"
    assert measure["where"] == "(moves > 0) and (state = 'incidents_resolved')"
    assert measure["known"] == "done"


def test_a_difference_is_put_together_with_brackets():
    cost = read_bindings(BASES)["cost_periods"]
    text = ALL.plan(["cost_variance"], bases=BASES)
    measure = tomllib.loads(text)["measure"][0]
    assert measure["value"] == "(cost_actual - cost_planned)"
    assert measure["size"] == cost.base["cost_planned"].value
    each = proposed(ALL.get("recovery_time_ratio").record, [ALL.get("recovery_time_ratio")])
    assert each.missing(ALL.get("recovery_time_ratio")) == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {'name = "incidents"': 'name = "incident"'},
            "unknown kind of record in bases.toml 'incident': did you mean",
        ),
        ({'source = "tickets"': 'source = "tickts"'}, "did you mean 'tickets'"),
        ({"opened_at": "opend_at"}, "did you mean 'opened_at'"),
        ({"incidents_opened": "incident_opened"}, "did you mean 'incidents_opened'"),
        ({"priority": "urgency"}, "unknown attribute of records 'incidents'"),
        ({"item =": "items ="}, "did you mean 'item'"),
    ],
)
def test_mistakes_in_a_file_of_base_measures(tmp_path, changed, said):
    path = bases_file(tmp_path, 'incidents_opened = "1"', **changed)
    with pytest.raises(perf.UnknownNameError) as told:
        ALL.missing(path)
    assert said in str(told.value)


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(perf.PlanError, match="cannot be read"):
        ALL.missing(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("[[records", encoding="utf-8")
    with pytest.raises(perf.PlanError, match="not valid TOML"):
        ALL.missing(bad)
    path = bases_file(tmp_path, 'incidents_opened = "1"', **{'source = "tickets"\n': ""})
    with pytest.raises(perf.PlanError, match="has no 'source'"):
        ALL.missing(path)
    path.write_text(FILE.format(base="") + FILE.format(base="").split("columns")[1].split("\n", 1)[1])
    with pytest.raises(perf.PlanError, match="stands there twice"):
        ALL.missing(path)
    path = bases_file(tmp_path, 'incidents_opened = { vlue = "1" }')
    with pytest.raises(perf.PlanError, match="base measure 'incidents_opened'"):
        ALL.missing(path)
