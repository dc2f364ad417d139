from __future__ import annotations

import datetime as dt

import pytest

from perfanalytics.core.errors import InputError, RepositoryError, UnknownNameError
from perfanalytics.core.improvement_records import Proposal
from perfanalytics.core.practice_records import Action, Decision, Review
from perfanalytics.core.records import Change, Event, Exclusion, Objective, Process
from perfanalytics.repository.load_report import LoadReport
from perfanalytics.repository.repository import Repository
from repository.samples import simple, tickets

RECORDS = (
    Objective(
        "fast", measure="hours", target=24, direction="at_most", share=0.9, declared_on=dt.date(2024, 1, 1)
    ),
    Process("incidents", version="2", valid_from=dt.date(2024, 1, 1)),
    Change("tool", when=dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC), what="new tool", where={"team": "North"}),
    Event("flood", when=dt.date(2024, 2, 1), until=dt.date(2024, 2, 3), what="office closed"),
    Exclusion("wrong entry", item="b", measure="hours"),
    Proposal("bot", originator="ana", outcome="faster", cost=1000.0),
    Action("train", what="train the desk", due=dt.date(2024, 5, 1)),
    Review("q1", subject="hours", held_on=dt.date(2024, 4, 1), participants=("ana", "bo"), results=("h",)),
    Decision("go", what="roll out", who="cio", decided_on=dt.date(2024, 4, 2)),
)


def test_every_kind_of_record_comes_back_as_it_was(tmp_path):
    path = tmp_path / "r.duckdb"
    with Repository.open(path) as repo:
        repo.declare(*RECORDS)
    with Repository.open(path, read_only=True) as repo:
        for record in RECORDS:
            assert repo.records(record.kind) == (record,)


def test_declaring_again_changes_nothing_a_change_is_a_new_version(repo):
    repo.declare(*RECORDS)
    repo.declare(*RECORDS)
    assert repo._engine.rows("SELECT count(*), max(version) FROM record") == [(9, 1)]
    from dataclasses import replace

    repo.declare(
        replace(RECORDS[0], target=20), Objective("cheap", measure="cost", target=1, direction="at_most")
    )
    assert [o.target for o in repo.records("objective")] == [20, 1]
    repo.declare(replace(RECORDS[4], reason="typing mistake"))
    assert [e.reason for e in repo.records("exclusion")] == ["typing mistake"]
    assert repo._engine.rows("SELECT version FROM record WHERE name = 'fast' ORDER BY version") == [
        (1,),
        (2,),
    ]


def test_what_a_plan_no_longer_names_is_withdrawn_with_its_history(repo):
    fast, cheap = (Objective(n, measure="hours", target=1, direction="at_most") for n in ("fast", "cheap"))
    by_hand = Objective("by hand", measure="hours", target=2, direction="at_most")
    repo.declare(by_hand)
    assert repo.declare_plan("desk", [fast, cheap]) == ()
    assert repo.declare_plan("other", [fast]) == ()  # alike: it stays with the plan that declared it first
    assert repo.declare_plan("desk", [fast]) == (("objective", "cheap"),)
    assert repo.declare_plan("desk", [fast]) == ()
    assert [o.name for o in repo.records("objective")] == ["by hand", "fast"]
    assert repo.archive().withdrawn == {"objective": ("cheap",)}
    told = repo.record_history("objective", "cheap")
    assert told["version"].tolist() == [1, 2]
    assert told["withdrawn"].tolist() == [False, True]
    assert told["plan"].tolist() == ["desk", "desk"]
    assert told["target"].tolist() == [1, 1]
    # named again, it is in force again
    assert repo.declare_plan("desk", [fast, cheap]) == ()
    assert [o.name for o in repo.records("objective")] == ["by hand", "fast", "cheap"]
    assert repo.record_history("objective", "cheap")["withdrawn"].tolist() == [False, True, False]
    assert repo.archive().withdrawn == {}
    assert len(repo.record_history("objective", "fast")) == 1
    # the review of a plan declares a change without naming the plan: it stays the record of the plan
    repo.declare(Objective("cheap", measure="hours", target=3, direction="at_most"))
    assert repo.declare_plan("desk", [fast]) == (("objective", "cheap"),)


def test_a_record_is_withdrawn_by_hand(repo):
    repo.declare(*RECORDS)
    repo.withdraw("objective", "fast")
    assert repo.records("objective") == ()
    with pytest.raises(UnknownNameError):
        repo.withdraw("objective", "fast")
    with pytest.raises(UnknownNameError, match="did you mean 'objective'"):
        repo.withdraw("objectives", "fast")
    repo.declare(*RECORDS)
    assert len(repo.records("objective")) == 1


def test_declaring_is_all_or_nothing(repo):
    with pytest.raises(InputError, match="takes records"):
        repo.declare(RECORDS[0], "no record")
    assert repo.records("objective") == ()
    with pytest.raises(UnknownNameError, match="did you mean 'objective'"):
        repo.records("objectives")


def test_results_are_saved_in_versions_and_come_back_equal(tmp_path, csv):
    from repository.samples import CSV

    path = tmp_path / "r.duckdb"
    with Repository.open(path) as repo:
        first = repo.load(tickets(csv(CSV)))
        second = repo.load(tickets(csv(CSV)))
        assert repo.save(first, name="load of May", by="ana") == 1
        assert repo.save(second, name="load of May", by="bo", note="again") == 2
        assert repo.save(first, name="other", by="ana") == 1
    with Repository.open(path, read_only=True) as repo:
        assert repo.result("load of May") == second
        assert repo.result("load of May", version=1) == first
        assert isinstance(repo.result("other"), LoadReport)
        history = repo.history("load of May")
        assert history["version"].tolist() == [1, 2]
        assert history["saved_by"].tolist() == ["ana", "bo"]
        assert history["note"].tolist() == ["", "again"]
        assert history["verdict"].tolist() == [first.verdict, second.verdict]
        assert len(repo.history()) == 3
        with pytest.raises(UnknownNameError, match="did you mean 'load of May'"):
            repo.result("load of may?")
        with pytest.raises(UnknownNameError, match="Known: 1, 2"):
            repo.result("load of May", version=3)
        with pytest.raises(UnknownNameError):
            repo.history("nothing")
        with pytest.raises(RepositoryError, match="read-only"):
            repo.save(first, name="x", by="ana")
        with pytest.raises(RepositoryError, match="read-only"):
            repo.declare(RECORDS[0])
        with pytest.raises(RepositoryError, match="read-only"):
            repo.load(simple([1], ["2024-01-01"]))


def test_only_results_are_saved(repo):
    with pytest.raises(InputError, match="only results"):
        repo.save(3, name="x", by="ana")
    with pytest.raises(InputError, match="needs a name"):
        repo.save(repo.load(simple([1], ["2024-01-01"])), name=" ", by="ana")
    assert repo.history().empty
