"""The register of improvement proposals: how far each is, and what its records lack."""

from __future__ import annotations

import datetime as dt

import pytest

import perfanalytics as perf
from perfanalytics.figures import improvement_register as figure
from tests.practices.opm_samples import back

D = dt.date
PROPOSAL = perf.Proposal(
    "Triage", originator="Desk", outcome="Slow", cost=10, expected_benefit=5, objective="fast",
    declared_on=D(2024, 1, 8),
)  # fmt: skip
GOAL = perf.Objective("fast", measure="hours", target=24, direction="at_most")
CRITERION = perf.SuccessCriterion(
    "asked", proposal="Triage", measure="hours", least_change=2, declared_on=D(2024, 2, 1)
)
PILOT = perf.Pilot(
    "trial", proposal="Triage", measure="hours", since=D(2024, 3, 1), until=D(2024, 5, 1),
    where={"team": "a"}, compared_with={"team": "b"},
)  # fmt: skip
CHOSEN = perf.Decision(
    "d", what="Do it", who="Board", decided_on=D(2024, 5, 10), subject="Triage", chosen=True
)
STAGE = perf.Deployment("first", proposal="Triage", since=D(2024, 6, 3), where={"team": "b"})


LAST = D(2024, 12, 31)


def registered(*records, on=LAST):
    return perf.improvement_register(perf.Archive.of([GOAL, *records], on=on))


@pytest.mark.parametrize(
    ("records", "on", "stage"),
    [
        ((PROPOSAL,), D(2024, 12, 31), "proposed"),
        ((PROPOSAL, CRITERION), D(2024, 12, 31), "criterion declared"),
        ((PROPOSAL, CRITERION, PILOT), D(2024, 2, 10), "criterion declared"),
        ((PROPOSAL, CRITERION, PILOT), D(2024, 3, 1), "in pilot"),
        ((PROPOSAL, CRITERION, PILOT), D(2024, 5, 1), "pilot over"),
        ((PROPOSAL, CRITERION, PILOT, CHOSEN), D(2024, 5, 11), "chosen"),
        ((PROPOSAL, CRITERION, PILOT, CHOSEN, STAGE), D(2024, 6, 2), "chosen"),
        ((PROPOSAL, CRITERION, PILOT, CHOSEN, STAGE), D(2024, 6, 3), "deployed"),
    ],
)
def test_how_far_a_proposal_is(records, on, stage):
    assert registered(*records, on=on).stage.tolist() == [stage]


def test_complete_records_lack_nothing():
    found = registered(PROPOSAL, CRITERION, PILOT, CHOSEN, STAGE)
    assert found.caveats == ()
    assert found.missing.tolist() == [""]
    assert found.verdict.endswith("Nothing is missing in their records.")
    assert found.decision.tolist() == ["chosen"]
    assert found.deployed_since[0].astype(object) == D(2024, 6, 3)
    assert back(found) == found


def replaced(record, **given):
    import dataclasses

    return dataclasses.replace(record, **given)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ((PROPOSAL,), "criterion-missing"),
        ((PROPOSAL, replaced(CRITERION, declared_on=D(2024, 3, 1)), PILOT), "criterion-after-pilot"),
        ((PROPOSAL, replaced(CRITERION, measure="cost"), PILOT), "pilot-of-another-measure"),
        ((PROPOSAL, CRITERION, replaced(PILOT, compared_with={})), "pilot-without-comparison"),
        ((PROPOSAL, CRITERION, replaced(PILOT, compared_with={"team": "a"})), "pilot-groups-overlap"),
        ((PROPOSAL, CRITERION, PILOT, STAGE), "deployed-undecided"),
        (
            (PROPOSAL, CRITERION, PILOT, STAGE, replaced(CHOSEN, decided_on=D(2024, 7, 1))),
            "deployed-undecided",
        ),
        ((PROPOSAL, CRITERION, CHOSEN), "deployed-without-pilot"),
        ((replaced(PROPOSAL, objective=None), CRITERION), "objective-missing"),
        ((replaced(PROPOSAL, objective="slow"), CRITERION), "objective-unknown"),
        ((replaced(PROPOSAL, cost=None), CRITERION), "cost-missing"),
        ((replaced(PROPOSAL, expected_benefit=None), CRITERION), "benefit-missing"),
    ],
)
def test_what_is_missing_is_said(records, code):
    found = registered(*records)
    assert code in found.caveat_codes
    assert found.missing[0]
    told = next(c for c in found.caveats if c.code == code)
    assert "Triage" in told.text


def test_nothing_on_record_is_said_and_drawn():
    found = registered()
    assert found.verdict == "No improvement proposal is on record."
    full = registered(PROPOSAL, CRITERION, PILOT, CHOSEN, STAGE)
    assert figure.info(full).stage == ("<b>deployed</b>",)
    assert perf.plot(full).data
    assert [title for title, _ in full.tables()] == ["Proposals", "Dates"]
