"""Causal analyses of the sample plan: from selection to verdict, in versions, on a page, by command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import perfanalytics as perf
from perfanalytics.cli import cli, main
from perfanalytics.core.errors import InputError, PlanError, UnknownNameError
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.pages.causal import find_analyses, review_causal_analysis
from perfanalytics.plan.reading import read_plan
from perfanalytics.practices.car.causal_review import SECTIONS

SAMPLE = Path(__file__).parents[2] / "sample_data"
#: What the two cases rest on.
NEEDED = (
    "Weekly median resolution time",
    "Resolution time*",
    "What drives resolution time?",
    "Weekly downtime of Mail",
    "Effect of the new triage",
    "Has Mail been down like in May again?",
    "Causes of slow resolution",
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("causal")
    for file in (*SAMPLE.glob("*.csv"), SAMPLE / "plan.toml"):
        shutil.copyfile(file, folder / file.name)
    done = perf.run_plan(folder / "plan.toml", only=NEEDED)
    assert not done.failures, [(i.name, i.error) for i in done.failures]
    return folder


@pytest.fixture(scope="module")
def triage(loaded) -> perf.CausalRun:
    return review_causal_analysis(
        "CAR-2024-02", plan=loaded / "plan.toml", report_to=loaded / "c2.html", held_by=["A. Meier"]
    )


def saved(folder: Path, name: str) -> perf.Result:
    with perf.Repository.open(folder / "service_desk.duckdb", read_only=True) as repo:
        return repo.result(name)


def test_the_new_triage_worked_and_the_truth_lies_in_the_interval(loaded):
    # truth of the sample data: 70% of the former resolution times
    made = saved(loaded, "Effect of the new triage")
    assert isinstance(made, perf.EffectEvaluation)
    assert (made.outcome, made.standing, made.analysis) == ("worked", "met", "CAR-2024-02")
    assert made.comparison.primary.low < 0.70 < made.comparison.primary.high
    assert made.without_events is not None
    assert abs(made.without_events.estimate - 0.70) < abs(made.comparison.primary.estimate - 0.70)
    assert [s.baseline for s in made.sides] == [
        "Resolution time before the new triage",
        "Resolution time since the new triage",
    ]
    assert made.change is not None
    assert made.change.name == "New triage"
    assert made.benefit is not None
    assert made.benefit.cost == 15_500 + 7_300
    assert made.benefit.expected == 30_000
    assert made.chart is not None
    assert made.chart == saved(loaded, "Weekly median resolution time")


def test_the_special_cause_has_not_come_back_but_that_says_little_yet(loaded):
    made = saved(loaded, "Has Mail been down like in May again?")
    assert isinstance(made, perf.Recurrence)
    assert (made.outcome, made.episodes_before, made.episodes_after) == ("cannot_tell", 1, 0)
    assert str(made.first[0]) == "2024-05-13"
    assert made.what == "Rehearsal of migrations"
    assert made.more_weeks == 19 * 27 - 25


def test_each_section_of_the_review_is_from_the_records(triage):
    review = triage.review
    assert review.outcome == "worked"
    assert review.analysis.name == "CAR-2024-02"
    sections = {s.section for s in review.sources}
    assert sections >= {1, 2, 3, 4, 5, 6}
    by_name = {s.name: s for s in review.sources}
    assert (
        by_name["What drives resolution time?"].why == "named in the evidence of 'Incidents are handed over'"
    )
    assert by_name["Resolution time, first quarter"].why == "named in the reason for selecting it"
    assert review.table("Signals")["when"].astype(str).tolist() == ["2024-05-13"]
    assert {"Less handing over", "Two more people in Network"} == {
        t.title.removeprefix("Proposal: ") for t in review.content if t.title.startswith("Proposal: ")
    }
    assert review.table("Actions")["days late"].tolist() == [3, 0]
    assert "proposal-incomplete" in review.caveat_codes
    assert "decision tree" in review.says[6]


def test_the_page_has_the_seven_sections_in_order_and_every_figure(triage, loaded):
    page = (loaded / "c2.html").read_text(encoding="utf-8")
    places = [page.index(f"{k}. {title}</h2>") for k, title in enumerate(SECTIONS, 1)]
    assert places == sorted(places)
    assert "A. Meier" in page
    assert "<script src=" not in page
    for s in triage.review.sources:
        if s.result_kind != "action_plan":
            assert f"(version {s.version})" in page
    assert page.count('<script type="application/json"') >= len(triage.review.sources) - 1
    assert "NOT DONE" not in page
    assert triage.not_done == {}


def test_a_diagram_that_the_plan_asks_for_stands_on_the_page_once(triage, loaded):
    diagrams = [s.name for s in triage.review.sources if s.result_kind == "cause_effect"]
    assert diagrams == ["Causes of slow resolution"]
    assert "Causes of slow resolution (version 1)" in (loaded / "c2.html").read_text(encoding="utf-8")
    trees = [s.name for s in triage.review.sources if s.result_kind == "why_tree"]
    assert trees == ["CAR-2024-02: why-tree"]


def test_a_diagram_of_the_plan_that_is_older_than_the_causes_is_not_shown(loaded, tmp_path):
    folder = tmp_path / "later"
    shutil.copytree(loaded, folder)
    plan = folder / "plan.toml"
    more = '\n[[cause]]\nname = "Nobody is on call"\nanalysis = "CAR-2024-02"\ncategory = "people"\n'
    plan.write_text(plan.read_text(encoding="utf-8") + more, encoding="utf-8")
    review = review_causal_analysis("CAR-2024-02", plan=plan).review
    diagrams = [s.name for s in review.sources if s.result_kind == "cause_effect"]
    assert diagrams == ["CAR-2024-02: cause-and-effect diagram"]


def test_what_is_missing_is_told_once(loaded, tmp_path):
    folder = tmp_path / "missing"
    shutil.copytree(loaded, folder)
    plan = folder / "plan.toml"
    more = """
[[causal_analysis]]
name = "CAR-X"
outcome = "Late"

[[cause]]
name = "Habit"
analysis = "CAR-X"

[[action]]
name = "Talk"
what = "Talk about it"
analysis = "CAR-X"
"""
    plan.write_text(plan.read_text(encoding="utf-8") + more, encoding="utf-8")
    review_causal_analysis("CAR-X", plan=plan, report_to=folder / "x.html")
    page = (folder / "x.html").read_text(encoding="utf-8")
    causes = page[page.index("4. Causes</h2>") : page.index("5. Proposals and actions</h2>")]
    assert "no root cause is named" in causes
    assert "No cause is named as the one to be removed" not in causes
    planned = page[page.index("5. Proposals and actions</h2>") : page.index("6. Effect</h2>")]
    assert planned.count("without an owner") == 1
    assert "Actions without an owner" not in planned


def test_shifts_are_set_beside_the_changes_that_the_page_lists(loaded):
    run = review_causal_analysis("CAR-2024-01", plan=loaded / "plan.toml")
    found = saved(loaded, "CAR-2024-01: shifts beside what is on record")
    listed = run.review.table("Changes and events on record")["what"].str.split(":").str[0]
    assert set(listed) <= set(found.record.tolist())
    assert "nearest: Rehearsal of migrations" in found.verdict


def test_the_review_is_kept_once_and_told_as_a_record(triage, loaded):
    again = review_causal_analysis("CAR-2024-02", plan=loaded / "plan.toml")
    assert (again.name, again.version) == (triage.name, triage.version)
    assert again.review == triage.review
    assert again.report is None
    with perf.Repository.open(loaded / "service_desk.duckdb", read_only=True) as repo:
        archive = repo.archive()
        held = [r for r in archive.of_kind("review") if r.subject == "CAR-2024-02"]
        assert len(held) == 1
        assert held[0].results[0] == f"{triage.name}, version {triage.version}"
        assert repo.result(triage.name) == triage.review


def test_the_commands_write_the_page_and_find_analyses(loaded, monkeypatch):
    monkeypatch.chdir(loaded)
    done = CliRunner().invoke(cli, ["causal", "CAR-2024-01"])
    assert done.exit_code == 0, done.output
    assert "action-overdue" in done.output
    assert (loaded / "causal-CAR-2024-01.html").is_file()
    found = CliRunner().invoke(cli, ["analyses", "--cause", "rehearsed"])
    assert found.exit_code == 0
    assert "CAR-2024-01" in found.output
    assert "CAR-2024-02" not in found.output
    assert "It cannot be told yet" in found.output
    parent = CliRunner().invoke(
        cli, ["analyses", "--in", "service_desk.duckdb", "--subprocess", "Incident management"]
    )
    assert "CAR-2024-02" in parent.output
    assert "It worked" in parent.output
    nothing = CliRunner().invoke(cli, ["analyses", "volcano"])
    assert nothing.exit_code == 1
    assert "No causal analysis" in nothing.output
    with pytest.raises(SystemExit) as stopped:
        main(["causal", "CAR-9"])
    assert stopped.value.code == 2


def test_a_plan_is_searched_without_a_repository(tmp_path):
    shutil.copyfile(SAMPLE / "plan.toml", tmp_path / "plan.toml")
    found = find_analyses(tmp_path / "plan.toml", cause="decision tree")
    assert found.analysis.tolist() == ["CAR-2024-02"]
    assert found.effect.tolist() == [""]
    with pytest.raises(InputError, match="perfanalytics run"):
        review_causal_analysis("CAR-2024-01", plan=tmp_path / "plan.toml")


def test_an_analysis_that_is_not_declared_is_told_with_the_nearest(loaded):
    with pytest.raises(UnknownNameError, match="CAR-2024-01"):
        review_causal_analysis("CAR-2024-10", plan=loaded / "plan.toml")


HEAD = """
[plan]
name = "small"
[[source]]
name = "s"
file = "s.csv"
[[measure]]
name = "hours"
source = "s"
definition = "Hours"
unit = "hours"
better = "lower"
scale = "duration"
value = "hours"
when = "day"
[[causal_analysis]]
name = "C1"
outcome = "Too slow"
[[chart]]
name = "Weekly"
measure = "hours"
every = "week"
statistic = "median"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[effect]]\nname = "e"\nmeasure = "hours"', "say where before ends"),
        (
            '[[effect]]\nname = "e"\nmeasure = "hours"\nat = 2024-01-01\nbaselines = ["a"]',
            "baselines are two",
        ),
        ('[[effect]]\nname = "e"\nmeasure = "hours"\nat = "Nothing"', "at = 'Nothing' is not declared"),
        (
            '[[effect]]\nname = "e"\nmeasure = "hours"\nat = 2024-01-01\ncausal_analysis = "C2"',
            "causal_analysis = 'C2' is not declared; known: C1",
        ),
        ('[[effect]]\nname = "e"\nmeasure = "hours"\nat = 2024-01-01\nvalue = [3, 2, 1]', "in their order"),
        (
            '[[effect]]\nname = "e"\nmeasure = "hours"\nat = 2024-01-01\nmethod = "welsh"',
            "did you mean 'welch'?",
        ),
        ('[[recurrence]]\nname = "r"\nchart = "Weakly"\nat = 2024-01-01', "did you mean 'Weekly'?"),
    ],
)
def test_mistakes_in_the_tables_are_told(tmp_path, text, said):
    path = tmp_path / "plan.toml"
    path.write_text(f"{HEAD}\n{text}\n", encoding="utf-8")
    try:
        told = "\n".join(check_plan(read_plan(path)))
    except PlanError as error:
        told = str(error)
    assert said in told
