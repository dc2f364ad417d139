"""Organizational performance management in a plan: what is checked, and what the sample plan gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.pages.improving import improvements_chapter
from perfanalytics.plan.reading import read_plan

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data" / "plan.toml"
ONLY = (
    "Capability by service",
    "What would the*",
    "How long must*",
    "Did the triage*",
    "Did the articles*",
    "What did the portal*",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("improvements")
    return perf.run_plan(
        SAMPLE, repository=folder / "sample.duckdb", report_to=folder / "report.html", only=ONLY
    )


def changed(tmp_path, old, new):
    """The sample plan with one text changed."""
    text = SAMPLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "plan.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_sample_plan_gives_what_it_asks_for(run):
    assert run.failures == ()
    found = {i.name: i.result for i in run.items if i.result is not None}
    card = found["Capability by service"]
    assert set(card.unit) == {"whole organization", "ERP", "Intranet", "Mail", "Printing", "Télephonie"}
    # the truths of the sample data: changes succeed in 94% of cases everywhere
    assert card.value[(card.objective == "Successful changes")].tolist() == pytest.approx(
        [0.937] * 6, abs=0.02
    )
    assert found["How long must Network try its articles?"].feasible is False
    triage = found["Did the triage meet its criterion?"]
    assert triage.standing == "met"  # resolution time really fell to 70%
    assert triage.comparison.method.name == "ar1_level_change"
    articles = found["Did the articles at Network meet their criterion?"]
    assert articles.standing == "not met"  # nothing was changed at Network
    assert articles.comparison.method.name == "difference_in_differences"
    portal = found["What did the portal really bring?"]
    assert portal.predicted == pytest.approx(0.04, abs=1e-3)
    assert portal.realized_low < 0 < portal.realized_high  # no effect is hidden in the data
    assert portal.compared_with.tolist()[1] == "ERP, Télephonie"


def test_the_chapter_of_proposals_comes_from_the_records(run):
    with perf.Repository.open(run.repository, read_only=True) as repo:
        items = improvements_chapter(repo.archive())
        assert [i.name for i in items] == ["Improvement proposals"]
        register = items[0].result
        assert set(register.proposal) >= {
            "Less handing over",
            "Knowledge base for Network",
            "Self-service portal",
        }
        stages = dict(zip(register.proposal, register.stage, strict=True))
        assert stages["Self-service portal"] == "deployed"
    assert improvements_chapter(perf.Archive.of([])) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('Network"\nexpected', 'Netwrk"\nexpected', "did you mean 'Articles"),
        ('"service"\nevery = "week"\ncosts', '"srvice"\nevery = "week"\ncosts', "did you mean 'service'"),
        ('costs = { "Incidents within 24 hours"', 'costs = { "Incidents in 24 hours"', "costs = 'Inc"),
        ("ratio = [0.6, 0.75, 1.0]", "ratio = [0.75, 0.6, 1.0]", "in their order"),
        ("worth = 60 ", "worth = { distribution = 'norml', mean = 60, sd = 5 } ", "norml"),
        ('proposals = ["Less handing over", ', 'proposals = ["Less handing", ', "Less handing"),
        ("expected = 0.6", "expected = 0.6\npower = 0.3", "power = 0.3 must lie above"),
        ('{ "Incidents within 24 hours" = 15', '{ "Incidents within 24 hours" = -15', "greater than"),
        ("budget = 45000", 'budget = 45000\nmust = ["Less handing over", "Self-service portal"]\n'
         'excludes = [["Self-service portal", "Less handing over"]]', "exclude each other, and both stand"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_any_data_are_touched(tmp_path, old, new, said):
    path = changed(tmp_path, old, new)
    try:
        mistakes = "\n".join(check_plan(read_plan(path)))
    except perf.PlanError as error:
        mistakes = str(error)
    assert said in mistakes
    assert "[[" in mistakes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ratio = [0.6, 0.75, 1.0]\n", "", "exactly one of source"),
        ("level = 48 ", "periodss = 48 ", "periodss"),
        ('scenario = "No hand-over"\n', "", ""),
        ("improvement = [0.0, 0.04, 0.08]", 'improvement = [0.0, 0.04, 0.08]\nscenario = "x"', "scenario "
                                                                                               "belongs to"),
    ],
)  # fmt: skip
def test_forms_that_cannot_be_meant_are_refused(tmp_path, old, new, said):
    path = changed(tmp_path, old, new)
    if not said:
        read_plan(path)  # the form is right; which scenario is meant is asked when the source is read
        return
    with pytest.raises(perf.PlanError, match=said):
        read_plan(path)
