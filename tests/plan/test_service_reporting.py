"""The service report of the sample plan: every number against pandas, audiences, periods, mistakes."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import perfanalytics as perf
from perfanalytics.cli import cli
from perfanalytics.core.errors import InputError, PlanError, UnknownNameError
from perfanalytics.practices.service_reports.service_report_result import CONTENTS

SAMPLE = Path(__file__).parents[2] / "sample_data"
PLAN = SAMPLE / "plan.toml"
BY = 'by = "service"\nperformance'


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample data, loaded."""
    folder = tmp_path_factory.mktemp("service")
    path = folder / "sample.duckdb"
    perf.run_plan(PLAN, repository=path, report_to=folder / "plan.html", only=["Weekly success of changes"])
    return path


@pytest.fixture(scope="module")
def reported(database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple]:
    """The report for each audience, with its page."""
    folder = tmp_path_factory.mktemp("pages")
    out = {}
    for audience in ("management", "customer", "operations"):
        page = folder / f"{audience}.html"
        done = perf.service_report(plan=PLAN, repository=database, report_to=page, audience=audience)
        out[audience] = done, page.read_text(encoding="utf-8")
    return out


def incidents() -> pd.DataFrame:
    """The last state of each incident, read by pandas alone."""
    log = pd.read_csv(SAMPLE / "incidents.csv", na_values=["?"], keep_default_na=False, dtype=str)
    for column in ("updated_at", "opened_at", "resolved_at"):
        log[column] = pd.to_datetime(log[column], format="%d/%m/%Y %H:%M", errors="coerce")
    log = log[log["updated_at"].notna() & (log["reassignment_count"] != "two")]
    last = log.sort_values("updated_at", kind="stable").groupby("number").last().reset_index()
    last["hours"] = (last["resolved_at"] - last["opened_at"]).dt.total_seconds() / 3600
    return last


def quarter(frame: pd.DataFrame, column: str, number: int) -> pd.DataFrame:
    return frame[pd.to_datetime(frame[column]).dt.quarter == number]


def value(report: perf.ServiceReport, table: str, subject: str, quantity: str) -> float:
    found = report.to_frame().query("table == @table and subject == @subject and quantity == @quantity")
    assert len(found) == 1
    return float(found["number"].iloc[0])


def test_shares_against_pandas(reported):
    report = reported["operations"][0].service_report
    for name, number in (("reached", 4), ("period before", 3)):
        closed = quarter(incidents(), "opened_at", number)
        closed = closed[closed["made_sla"].notna()]
        made = closed["made_sla"].str.lower().eq("true")
        assert value(report, "Targets", "SLA attainment", name) == pytest.approx(made.mean())
        changes = quarter(pd.read_csv(SAMPLE / "changes.csv"), "implemented_on", number)
        success = changes["successful"].eq("yes")
        assert value(report, "Targets", "Successful changes", name) == pytest.approx(success.mean())
    assert value(report, "Targets", "SLA attainment", "n") == len(
        quarter(incidents(), "opened_at", 4)["made_sla"].dropna()
    )


def test_items_still_open_against_a_product_limit(reported):
    report = reported["operations"][0].service_report
    all_of_it = incidents()
    end = max(
        all_of_it["updated_at"].max(), all_of_it["resolved_at"].max(), pd.Timestamp("2024-12-31 23:59:59")
    )
    items = quarter(all_of_it, "opened_at", 4)
    still = items["hours"].isna()
    hours = items["hours"].fillna((end - items["opened_at"]).dt.total_seconds() / 3600).to_numpy()
    alive, left = 1.0, len(hours)
    for t in np.unique(hours[hours <= 24]):
        at = hours == t
        alive *= 1 - int((at & ~still.to_numpy()).sum()) / left
        left -= int(at.sum())
    assert value(report, "Targets", "Incidents within 24 hours", "reached") == pytest.approx(1 - alive)


def test_workload_satisfaction_and_nonconformities_against_pandas(reported):
    report = reported["operations"][0].service_report
    weeks = pd.read_csv(SAMPLE / "service_weeks.csv")
    for name, number in (("in the period", 4), ("period before", 3)):
        w = quarter(weeks, "week", number)
        assert value(report, "Workload", "requests_received", name) == w["requests_received"].sum()
        score = w["score_sum"].sum() / w["surveys_returned"].sum()
        assert value(report, "Satisfaction", "satisfaction_score", name) == pytest.approx(score)
        assert value(report, "Satisfaction", "complaints", name) == w["complaints"].sum()
        opened = quarter(incidents(), "opened_at", number)
        assert value(report, "Workload", "incidents_opened", name) == len(opened)
        breaks = quarter(pd.read_csv(SAMPLE / "availability.csv"), "day", number)
        assert value(report, "Nonconformities", "breaks", name) == breaks["breaks"].sum()
    late = quarter(incidents(), "opened_at", 4)
    late = late[late["made_sla"].str.lower().eq("false")]
    for attribute in ("service", "priority", "assignment_group"):
        for category, n in late[attribute].value_counts().items():
            assert value(report, f"made_sla by {attribute}", str(category), "nonconforming") == n
            share = value(report, f"made_sla by {attribute}", str(category), "share of all")
            assert share == pytest.approx(n / len(late))


def test_services_against_pandas(reported):
    report = reported["customer"][0].service_report
    closed = quarter(incidents(), "opened_at", 4)
    closed = closed[closed["made_sla"].notna()]
    by = closed["made_sla"].str.lower().eq("true").groupby(closed["service"]).mean()
    table = dict(report.content_tables(1))["By service"].set_index("service")["SLA attainment"]
    assert set(table.index) == set(by.index)
    for service, share in by.items():
        told = float(re.match(r"[\d.]+", table[service])[0])
        assert told == pytest.approx(100 * share, abs=0.051)
        assert table[service].endswith("met" if share >= 0.85 else "missed")


def test_trends_against_the_functions(reported, database):
    report = reported["operations"][0].service_report
    with perf.Repository.open(database, read_only=True) as repo:
        series = repo.series(
            "made_sla", every="week", statistic="share", since=dt.date(2024, 1, 1), until=dt.date(2025, 1, 1)
        )
        found = perf.trend(series)
        saved = repo.result("Service desk: trend: made_sla")
        chart = repo.result("Service desk: chart: made_sla")
    assert (saved.slope, saved.p_value) == (found.slope, found.p_value)
    assert value(report, "Trends", "made_sla", "p") == found.p_value
    inside = (chart.when >= np.datetime64("2024-10-01")) & (chart.when < np.datetime64("2025-01-01"))
    signals = int(((chart.direction[0] != "") & inside).sum())
    assert value(report, "Trends", "made_sla", "signals in the period") == signals


def test_every_row_names_a_saved_result_or_a_record(reported, database):
    frame = reported["operations"][0].service_report.to_frame()
    with perf.Repository.open(database, read_only=True) as repo:
        for kind, name, version in {tuple(r) for r in frame[["source_kind", "source", "version"]].to_numpy()}:
            if version:
                assert repo.result(name, version=version).kind == kind
            else:
                assert name in {r.name for r in repo.records(kind)}


def test_pages_by_audience(reported):
    management, customer, operations = (reported[a][1] for a in ("management", "customer", "operations"))
    assert "What was found" not in management
    assert management.count("<section ") == 1
    for title in CONTENTS[1:6]:
        assert title in management
        assert f"{title}</h3>" in customer
    assert CONTENTS[6] not in customer
    assert f"{CONTENTS[6]}</h3>" in operations
    assert customer.count('class="figure"') == 1 + 3 + 2  # targets, charts of three promises and two opinions
    assert operations.count('class="figure"') >= 1 + 8 + 8
    assert "no-year-before" in management


def test_a_report_is_kept_in_versions(database):
    once = perf.service_report(plan=PLAN, repository=database)
    again = perf.service_report(plan=PLAN, repository=database)
    assert (again.name, again.version) == (once.name, once.version)
    assert again.name == "service report: Service desk, management"
    other = perf.service_report(
        plan=PLAN, repository=database, since=dt.date(2024, 4, 1), until=dt.date(2024, 7, 1),
        where={"service": "Mail"},
    )  # fmt: skip
    assert other.version == once.version + 1
    assert other.service_report.statements[1] == "1 significant event: Mail migration."
    assert other.service_report.where == {"service": "Mail"}
    with perf.Repository.open(database, read_only=True) as repo:
        assert repo.result(once.name, version=once.version) == once.service_report


def test_command(database, tmp_path):
    page = tmp_path / "report.html"
    asked = ["service-report", "Service desk", "--plan", str(PLAN), "--repository", str(database)]
    asked += [
        "--report",
        str(page),
        "--where",
        "service=Mail",
        "--where",
        "service=ERP",
        "--audience",
        "customer",
    ]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    assert "kept as: service report: Service desk, customer" in done.output
    assert "service one of Mail, ERP" in page.read_text(encoding="utf-8")
    wrong = CliRunner().invoke(cli, [*asked, "--where", "Mail"])
    assert "'Mail' is not ATTRIBUTE=VALUE" in str(wrong.exception)


def test_misuse(database, tmp_path):
    with pytest.raises(UnknownNameError, match="service report"):
        perf.service_report("Service disk", plan=PLAN, repository=database)
    with pytest.raises(UnknownNameError, match="audience"):
        perf.service_report(plan=PLAN, repository=database, audience="customers")
    with pytest.raises(InputError, match="belong together"):
        perf.service_report(plan=PLAN, repository=database, since=dt.date(2024, 1, 1))
    with pytest.raises(InputError, match="has no day"):
        perf.service_report(
            plan=PLAN, repository=database, since=dt.date(2024, 2, 1), until=dt.date(2024, 1, 1)
        )
    # a part that no measure knows is a slip, and no report of it is kept
    with pytest.raises(UnknownNameError, match=r"'Nope'.*Mail"):
        perf.service_report(plan=PLAN, repository=database, where={"service": "Nope"})
    with pytest.raises(InputError, match="no repository"):
        perf.service_report(plan=PLAN, repository=tmp_path / "none.duckdb")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["SLA attainment"', '["SLA atainment"', "did you mean 'SLA attainment'"),
        ('= ["incidents_opened"', '= ["incident_opened"', "did you mean 'incidents_opened'"),
        (BY, 'by = "servce"\nperformance', "by: attribute"),
        ('categories = ["service"', 'categories = ["servise"', "categories: attribute"),
        ('nonconformities = ["made_sla"', 'nonconformities = ["resolution_hours"', "counts nothing that"),
        (BY, 'where = { team = "a" }\nperformance', "where: attribute of made_sla 'team'"),
        (BY, 'period = "quarter"\nperformance', "the period is given once"),
        (BY, 'statistics = { made_sla = "meen" }\nperformance', "did you mean 'mean'"),
        ("until = 2025-01-01\nby", "until = 2024-01-01\nby", "is not before until"),
    ],
)  # fmt: skip
def test_mistakes_in_the_table_are_told(tmp_path, old, new, said):
    text = PLAN.read_text(encoding="utf-8")
    assert text.count(old) == 1
    plan = tmp_path / "plan.toml"
    plan.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PlanError, match=re.escape(said)):
        perf.service_report(plan=plan, repository=tmp_path / "x.duckdb")


def test_a_table_by_quarters(database, tmp_path):
    text = PLAN.read_text(encoding="utf-8")
    plan = tmp_path / "plan.toml"
    for file in SAMPLE.glob("*.csv"):
        shutil.copy(file, tmp_path)
    plan.write_text(
        text.replace("since = 2024-10-01\nuntil = 2025-01-01\nby", 'period = "quarter"\nby'), encoding="utf-8"
    )
    made = perf.service_report(plan=plan, repository=database, on=dt.date(2024, 11, 15)).service_report
    assert (made.since, made.until, made.on) == (
        dt.date(2024, 7, 1),
        dt.date(2024, 10, 1),
        dt.date(2024, 11, 15),
    )
    assert "New triage" in made.statements[1]


def test_a_plan_without_service_reports(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.read_text(encoding="utf-8").partition("[[service_report]]")[0], encoding="utf-8")
    with pytest.raises(PlanError, match="declares no"):
        perf.service_report(plan=plan)
