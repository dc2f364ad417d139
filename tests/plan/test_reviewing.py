"""The review of a work on the sample data: every value against the record it names; the second review."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import perfanalytics as perf
from perfanalytics.cli import cli, main
from perfanalytics.core.errors import InputError, PlanError, UnknownNameError
from perfanalytics.plan.pages.reviewing import WorkReviewRun, review_work
from perfanalytics.practices.qwm.work_review_result import SECTIONS

SAMPLE = Path(__file__).parents[2] / "sample_data"
WORK = "Mail service 2024"
FIRST, SECOND = dt.date(2024, 6, 30), dt.date(2024, 12, 31)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WorkReviewRun, WorkReviewRun]:
    """The sample plan run as far as the work needs it, then two reviews; the second one writes its page."""
    folder = tmp_path_factory.mktemp("reviewed")
    database = folder / "sample.duckdb"
    perf.run_plan(
        SAMPLE / "plan.toml",
        repository=database,
        report_to=folder / "plan.html",
        only=[
            "Resolution time, first quarter",
            "Resolution time by priority and hand-overs*",
            "Is more at the first line quicker?",
        ],
    )
    one = review_work(WORK, plan=SAMPLE / "plan.toml", repository=database, on=FIRST, held_by=["Ada", "Ben"])
    two = review_work(
        WORK, plan=SAMPLE / "plan.toml", repository=database, on=SECOND, report_to=folder / "review.html"
    )
    return database, one, two


def looked_up(source: Any, field: str) -> Any:
    """What a row says it was read from, found again here in its own way."""
    kind, _, rest = field.partition(": ")
    if rest:
        match kind:
            case "summary":
                return source.summary().to_dict("records")[0][rest]
            case "last":
                return getattr(source, rest)[-1]
            case "table":
                row, _, column = rest.partition(": ")
                return source.to_frame().to_dict("records")[int(row)][column]
            case "quantity":
                name, _, part = rest.partition(": ")
                table = source.to_frame().set_index("quantity").loc[name]
                return table[part or "estimate"]
    return getattr(source, field)


def as_told(value: Any) -> str | float:
    """A value as a row tells it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, dt.date | np.datetime64):
        return str(value)[:10]
    return value if isinstance(value, str) else float(value)


def sources(repo: perf.Repository, rows: pd.DataFrame) -> dict[tuple[str, str, int], Any]:
    """Every record and saved result that rows name, from the repository."""
    found = {}
    for kind, name, version in {tuple(r) for r in rows[["source_kind", "source", "version"]].to_numpy()}:
        if version:
            result = repo.result(name, version=int(version))
            assert result.kind == kind
            found[kind, name, version] = result
        else:
            found[kind, name, version] = next(r for r in repo.records(kind) if r.name == name)
    return found


@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("section", range(1, 8))
def test_every_value_is_that_of_the_record_it_names(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], which: int, section: int
) -> None:
    database, *runs = reviewed
    rows = runs[which - 1].review.to_frame()
    rows = rows[rows["section"] == section]
    if (which, section) == (1, 5):
        assert not len(rows)
        return
    assert len(rows)
    with perf.Repository.open(database, read_only=True) as repo:
        held = sources(repo, rows)
    checked = 0
    for row in rows.to_dict("records"):
        assert row["source"]  # nothing without a source
        if row["field"]:
            expected = as_told(
                looked_up(held[row["source_kind"], row["source"], row["version"]], row["field"])
            )
            said = row["text"] if np.isnan(row["number"]) else row["number"]
            assert said == expected or (expected != expected and said == ""), row
            checked += 1
    assert checked >= len(rows) / 3


def test_values_that_were_computed_follow_from_those_they_rest_on(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, one, two = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        for run in (one, two):
            rows = run.review.to_frame()
            computed = rows[(rows["field"] == "") & (rows["table"] == "Predictions")]
            for row in computed.to_dict("records"):
                found = repo.result(row["source"], version=row["version"])
                met = found.probability >= 0.5
                expected = ("met" if met else "missed") if found.n_ahead == 0 else (
                    "on course" if found.probability >= 0.7 else "at risk"
                )  # fmt: skip
                assert row["text"] == expected
            late = rows[rows["quantity"] == "days overdue"]
            for row in late.to_dict("records"):
                action = next(a for a in repo.records("action") if a.name == row["source"])
                assert row["number"] == max(0, (run.review.on - action.due).days)


def test_changes_are_those_between_the_two_reviews(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    _, one, two = reviewed
    assert (two.review.previous, two.review.previous_on) == (one.version, FIRST)
    table = dict(two.review.section_tables(5))["Changes"].set_index("what")
    for name in two.review.work.objectives:
        assert table.loc[f"{name}: state", "then"] == one.review.value("Predictions", name, "state")
        assert table.loc[f"{name}: state", "now"] == two.review.value("Predictions", name, "state")
        assert two.review.value("Changes", f"{name}: probability", "then") == one.review.value(
            "Predictions", name, "probability"
        )
    # the special cause of May is behind, the new triage of September made it faster
    assert two.review.value("Changes", "Incident resolution: resolution_hours: stable", "now") == "yes"
    assert "Unchanged" in dict(two.review.section_tables(5))


def test_what_the_first_review_predicted_is_held_against_what_came(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, one, two = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        since = repo.series("made_sla", where={"service": "Mail"}, since=dt.date(2024, 4, 1), as_of=SECOND)
        known = repo.series("made_sla", where={"service": "Mail"}, since=dt.date(2024, 4, 1), as_of=FIRST)
    name, table = "Mail: SLA attainment", "Predictions of the last review"
    n = len(since) - len(known)
    assert two.review.value(table, name, "n since") == n
    seen = (since.values.sum() - known.values.sum()) / n
    assert two.review.value(table, name, "seen since") == pytest.approx(seen)
    low, high = (two.review.value(table, name, f"predicted {end}") for end in ("low", "high"))
    assert two.review.value(table, name, "came true") == ("yes" if low <= seen <= high else "no")
    assert two.review.value(table, name, "probability then") == one.review.value(
        "Predictions", name, "probability"
    )
    assert two.review.value(table, name, "outcome") == "met"
    assert "of 3 predictions of the review of 2024-06-30 came true" in two.review.verdict


def test_only_what_was_known_then_is_used(reviewed: tuple[Path, WorkReviewRun, WorkReviewRun]) -> None:
    database, one, _ = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        for name, version in one.saved.items():
            result = repo.result(name, version=version)
            last = getattr(result, "last", None)
            if last is not None:
                assert last <= np.datetime64("2024-07-01"), name
            events = {e.name for e in getattr(result, "events", ())}
            assert "New triage" not in events, name  # of September
    # closed on 5 July: open and overdue on 30 June
    assert one.review.value("Actions open and due", "Rehearse the migration", "days overdue") == 16
    # the integrity checks look at the own observations, as they were known
    with perf.Repository.open(database, read_only=True) as repo:
        for measure in ("made_sla", "resolution_hours", "downtime"):
            own = repo.series(measure, where={"service": "Mail"}, since=dt.date(2024, 4, 1), as_of=FIRST)
            checked = repo.result(f"{WORK}: data quality: {measure}", version=1)
            assert checked.n == len(own.values) == one.review.value("Data", measure, "checked")
            assert dict(checked.provenance.selection)["where"] == {"service": ("Mail",)}
    assert "known-not-declared" not in one.review.caveat_codes
    # single items 0 and 1 are not charted by the baseline: the chart of their weeks says it
    with perf.Repository.open(database, read_only=True) as repo:
        shares = repo.result(f"{WORK}: prediction: Mail: SLA attainment", version=1)
    assert "not-stable" in shares.caveat_codes


def test_every_review_is_kept(reviewed: tuple[Path, WorkReviewRun, WorkReviewRun]) -> None:
    database, one, two = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        assert repo.result(f"review: {WORK}", version=1) == one.review
        assert repo.result(f"review: {WORK}", version=2) == two.review
        held = {r.name: r for r in repo.records("review")}
    first = held[f"{WORK} {FIRST}"]
    assert (first.subject, first.held_on, first.participants) == (WORK, FIRST, ("Ada", "Ben"))
    assert first.results[0] == f"review: {WORK}, version 1"
    assert f"{WORK}: chart: made_sla, version 1" in first.results
    assert f"{WORK}: chart: made_sla, version 2" in held[f"{WORK} {SECOND}"].results
    assert "no-participants" in two.review.caveat_codes
    assert "no-participants" not in one.review.caveat_codes


def test_the_same_review_again_keeps_nothing_new(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, one, _ = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        before = len(repo.history())
    again = review_work(
        WORK, plan=SAMPLE / "plan.toml", repository=database, on=FIRST, held_by=["Ada", "Ben"]
    )
    assert again.saved == one.saved
    with perf.Repository.open(database, read_only=True) as repo:
        # only that a review of a later day is on record already is new
        assert len(repo.history()) == before + 1
    assert set(again.review.caveat_codes) - set(one.review.caveat_codes) == {"review-out-of-order"}


def test_the_page_has_the_sections_in_order(reviewed: tuple[Path, WorkReviewRun, WorkReviewRun]) -> None:
    _, _, two = reviewed
    assert two.report is not None
    page = two.report.read_text(encoding="utf-8")
    body = page[page.index("<main>") :]
    heads = re.findall(r"<h2>(.*?)</h2>", body)
    wanted = ["In short", *(f"{k}. {title}" for k, title in enumerate(SECTIONS, 1))]
    assert heads[: len(wanted)] == wanted
    for text in ("Mail: half within 24 hours", "NOBODY", "Risk matrix", "Predictions of the last review"):
        assert text in body


def changed_plan(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = (SAMPLE / "plan.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_alternatives_for_composing_the_process_stand_beside_the_risks(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, one, two = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        compared = repo.result("Is more at the first line quicker?").to_frame()
    table = dict(two.review.section_tables(6))["Alternatives"]
    assert table["mean"].tolist() == pytest.approx(compared["mean"].tolist())
    assert "Alternatives" not in dict(one.review.section_tables(6))  # it rests on data of the whole year


def test_what_rests_on_later_data_is_not_used(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], tmp_path: Path
) -> None:
    database, _, _ = reviewed
    plan = changed_plan(
        tmp_path,
        ('attributes = ["service"]\nvalid = [0, 1440]', 'attributes = ["service"]\nvalid = [0, 1440]'),
        ("least_probability = 0.7\n", ""),
        (
            'where = { service = "Mail" }\nsince = 2024-04-01',
            'where = { service = "Mail" }\nsince = 2024-01-01',
        ),
    )
    made = review_work(WORK, plan=plan, repository=database, on=dt.date(2024, 2, 29)).review
    told = {c.code: c.text for c in made.caveats}
    not_used = " ".join(c.text for c in made.caveats if c.code == "model-not-used")
    assert "rests on data up to 2024-03-31, after the day of the review (2024-02-29)" in not_used
    assert "rests on data up to 2024-03-29, after the day of the review" in told["baseline-not-used"]
    assert "no-threshold" in told
    assert made.value("Predictions", "Mail: half within 24 hours", "from") == "own data"
    assert made.value("Predictions", "Mail: half within 24 hours", "state") == "no threshold declared"


def test_conflicts_and_missing_attributes_are_said(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], tmp_path: Path
) -> None:
    database, _, _ = reviewed
    more = """
[[objective]]
name = "Mail: thorough"
measure = "downtime"
statistic = "rate"
target = 0.02
direction = "at_least"

[[objective]]
name = "Working hours"
measure = "working_hours"
statistic = "mean"
target = 8
direction = "at_most"

[[work]]
name = "Contradictory"
where = { service = "Mail" }
since = 2024-04-01
objectives = ["Mail: downtime", "Mail: thorough", "Working hours"]
subprocesses = ["Change management", "Development"]
borrowed = ["nothing of the kind"]
models = ["nor this"]
"""
    path = changed_plan(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    made = review_work("Contradictory", plan=path, repository=database).review
    told = {c.code: "" for c in made.caveats}
    for c in made.caveats:
        told[c.code] += c.text
    assert "both cannot be" in told["objectives-conflict"]
    assert "working_hours" in told["no-own-data"]
    assert "service" in told["no-own-data"]
    assert "nothing of the kind" in told["baseline-not-used"]
    assert "nor this" in told["model-not-used"]
    assert {"objective-undated", "no-end", "no-business-objective"} <= set(told)
    # objectives about other measures: the measures of the subprocess are charted all the same
    assert made.value("Stability", "Change management: change_success", "stable now") in ("yes", "no")


def test_interim_objectives_and_alternatives_come_from_simulations_on_record(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], tmp_path: Path
) -> None:
    database, _, _ = reviewed
    path = changed_plan(tmp_path)
    more = """
[[work]]
name = "Composed"
where = { service = "Mail" }
since = 2024-04-01
objectives = ["Mail: half within 24 hours"]
derived = { "Mail: half within 24 hours" = "How long it takes" }
models = ["How long it takes"]
"""
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    goal = perf.Objective(
        "Mail: half within 24 hours", measure="resolution_hours", target=24, direction="at_most", share=0.5
    )
    resolve = perf.step("Incident resolution", perf.Distribution.lognormal(median=15, sigma=0.5))
    inform = perf.step("inform", perf.Distribution.lognormal(median=2, sigma=0.3))
    now = perf.sequence(resolve, inform)
    hours = perf.Measure(
        "resolution_hours", definition="Total", unit="hours", better="lower", scale="duration"
    )
    simulated = perf.simulate(now, runs=2000, rng=1, objective=goal, measure=hours, sensitivity=0)
    ways = {"as it is": now, "without informing": resolve}
    compared = perf.compare_processes(ways, runs=2000, rng=1, objective=goal, measure=hours)
    with perf.Repository.open(database) as repo:
        repo.save(simulated, name="How long it takes", by="test")
        repo.save(compared, name="Ways to resolve", by="test")
    made = review_work("Composed", plan=path, repository=database).review
    name = "Mail: half within 24 hours"
    assert made.value("Interim objectives", name, "derived from") == "How long it takes"
    milestone = simulated.interim().set_index("part").loc["Incident resolution", "milestone"]
    assert made.value("Interim objectives", name, "derived value") == pytest.approx(milestone)
    assert made.value("Alternatives", "Ways to resolve: without informing", "gain") == compared.gain[1]
    one = made.value("Other predictions", "How long it takes", "probability of one item")
    assert one == simulated["probability"].value
    assert made.value("Predictions", name, "from") == "own data"


def test_when_more_data_are_loaded_the_next_review_sees_them(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], tmp_path: Path
) -> None:
    """A repository that only has the data until June says the same as a later one asked for June."""
    _, one, two = reviewed
    more = """
[[work]]
name = "Mail downtime"
where = { service = "Mail" }
since = 2024-04-01
until = 2024-12-31
objectives = ["Mail: downtime"]
least_probability = 0.7
"""
    path = changed_plan(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    lines = (SAMPLE / "availability.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    day = lines[0].strip().split(",").index("day")
    own = tmp_path / "own.duckdb"

    def load(rows: list[str]) -> None:
        (tmp_path / "availability.csv").write_text("".join(rows), encoding="utf-8")
        perf.run_plan(path, repository=own, report_to=tmp_path / "p.html", only=["Breaks in service"])

    load([lines[0], *(line for line in lines[1:] if line.split(",")[day] <= "2024-06-30")])
    first = review_work("Mail downtime", plan=path, repository=own)
    assert first.review.on == FIRST
    for quantity in ("probability", "so far", "of n", "n ahead", "expected high"):
        then = one.review.value("Predictions", "Mail: downtime", quantity)
        assert first.review.value("Predictions", "Mail: downtime", quantity) == then
    load(lines)
    second = review_work("Mail downtime", plan=path, repository=own)
    assert (second.review.on, second.review.previous_on) == (SECOND, FIRST)
    assert second.review.value("Changes", "Mail: downtime: state", "now") == "met"
    for quantity in ("n since", "seen since", "came true"):
        assert second.review.value("Predictions of the last review", "Mail: downtime", quantity) == (
            two.review.value("Predictions of the last review", "Mail: downtime", quantity)
        )


def test_command_line(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, _, _ = reviewed
    page = tmp_path / "review.html"
    asked = ["review", WORK, "--plan", str(SAMPLE / "plan.toml"), "--repository", str(database)]
    done = CliRunner().invoke(
        cli, [*asked, "--report", str(page), "--on", "2024-09-30", "--held-by", "Ada, Ben"]
    )
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Mail service 2024 on 2024-09-30: 3 objectives")
    assert "action-without-owner" in done.output
    assert page.exists()
    with pytest.raises(SystemExit) as stopped:
        main(["review", "Mail servce 2024", *asked[2:]])
    assert stopped.value.code == 2
    assert "did you mean 'Mail service 2024'" in capsys.readouterr().err


def test_misuse(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no repository at .*perfanalytics run"):
        review_work(WORK, plan=SAMPLE / "plan.toml", repository=tmp_path / "none.duckdb")
    with pytest.raises(PlanError, match="no plan at"):
        review_work(WORK, plan=tmp_path / "plan.toml")
    with perf.Repository.open(tmp_path / "empty.duckdb"):
        pass
    with pytest.raises(UnknownNameError, match="work"):
        review_work("Nothing", plan=SAMPLE / "plan.toml", repository=tmp_path / "empty.duckdb")


def test_a_period_that_is_over_has_no_doubts_about_what_comes(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, _, _ = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        for version, expected in ((1, True), (2, False)):
            made = repo.result(f"{WORK}: prediction: Mail: half within 24 hours", version=version)
            assert ("not-stable" in made.caveat_codes) is expected
            assert made.is_over is not expected


def test_a_review_before_any_data_judges_nothing(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun], tmp_path: Path
) -> None:
    database, _, _ = reviewed
    copied = tmp_path / "early.duckdb"
    copied.write_bytes(database.read_bytes())
    early = review_work(WORK, plan=SAMPLE / "plan.toml", repository=copied, on=dt.date(2024, 3, 1))
    assert "No chart could be judged." in early.review.verdict
    assert "unstable" not in early.review.verdict
    assert "not-yet-declared" in early.review.caveat_codes
    assert "declared-after-data" not in early.review.caveat_codes
    assert "no-own-data" in early.review.caveat_codes


def test_outcomes_without_a_day_on_which_they_became_known_are_told(tmp_path: Path) -> None:
    """Without known=, what came to light after the day of the review cannot be kept out."""
    days = pd.date_range("2024-01-01", periods=60)
    table = pd.DataFrame({"id": range(60), "opened": days, "hours": np.tile([3.0, 8, 30, 5, 12], 12)})
    table.to_csv(tmp_path / "items.csv", index=False)
    text = """
[plan]
name = "p"
repository = "p.duckdb"
[[process]]
name = "Desk"
[[source]]
name = "items"
file = "items.csv"
key = "id"
columns = { opened = "time", hours = "number" }
[[measure]]
name = "hours"
source = "items"
definition = "Hours from opened to resolved"
unit = "hours"
better = "lower"
scale = "duration"
subprocess = "Desk"
value = "hours"
when = "opened"
item = "id"
[[objective]]
name = "fast"
measure = "hours"
target = 24
direction = "at_most"
share = 0.5
by = 2024-02-29
declared_on = 2023-12-01
[[work]]
name = "W"
objectives = ["fast"]
subprocesses = ["Desk"]
since = 2024-01-01
until = 2024-02-29
declared_on = 2023-12-01
"""
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    perf.run_plan(tmp_path / "plan.toml")
    half = review_work("W", plan=tmp_path / "plan.toml", on=dt.date(2024, 1, 31))
    assert "known-not-declared" in half.review.caveat_codes
    end = review_work("W", plan=tmp_path / "plan.toml", on=dt.date(2024, 2, 29))
    assert "known-not-declared" not in end.review.caveat_codes


def test_the_objective_tree_says_of_a_work_what_its_review_says(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, _, two = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        tree = perf.objective_tree(repo.archive())
    came = {"met": "met", "not met": "missed"}
    for name in ("Mail: SLA attainment", "Mail: half within 24 hours", "Mail: downtime"):
        assert came[tree.state_of(name)] == two.review.value("Predictions", name, "state")
    gaps = set(zip(tree.gap_code.tolist(), tree.gap_subject.tolist(), strict=True))
    assert ("objective-overdue", "Mail: half within 24 hours") in gaps
    assert ("objective-overdue", "Mail: downtime") not in gaps
    # what the review charted serves the objectives of the work
    assert not [s for c, s in gaps if c == "chart-without-objective" and s.startswith(WORK)]
    # a model of resolution hours does not predict downtime
    assert ("objective-without-model", "Mail: downtime") in gaps
    assert ("objective-without-model", "Mail: half within 24 hours") not in gaps


def test_the_marks_of_a_narrow_axis_are_told_apart(
    reviewed: tuple[Path, WorkReviewRun, WorkReviewRun],
) -> None:
    database, _, _ = reviewed
    with perf.Repository.open(database, read_only=True) as repo:
        wide, narrow = (
            repo.result(f"{WORK}: prediction: Mail: half within 24 hours", version=v) for v in (1, 2)
        )
    assert perf.plot(wide).layout.xaxis.tickformat == ".0%"
    assert perf.plot(narrow).layout.xaxis.tickformat == ".1%"  # 48% against 50%
