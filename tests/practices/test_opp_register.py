"""Registers: periods, ages, agreement and reviews against dates counted by hand."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest
from opp_samples import BUSINESS, HOURS, PROCESSES, newest, objective, planned, series

import perfanalytics as perf
from perfanalytics.core.archive import Saved

JUNE = newest("2024-06-30")


def archive(records=(), results=None, **more):
    made = {"Base": perf.baseline(series(), objective=objective(), process=PROCESSES[0])}
    return perf.Archive.of(
        [HOURS, BUSINESS, objective(), *PROCESSES, *records], made | (results or {}), **more
    )


def test_a_row_says_what_is_on_record():
    book = perf.register(archive(newest=JUNE), "baseline")
    row = book.to_frame().iloc[0]
    assert (row["measure"], row["process"], row["process_version"], row["process_from"]) == (
        "hours",
        "Incident management",
        "3",
        "recorded",
    )
    assert (str(row["first"])[:10], str(row["last"])[:10], row["n"]) == ("2024-01-01", "2024-02-29", 60)
    # 29 February to 30 June: 31 + 30 + 31 + 30 days
    assert row["age"] == 122
    assert row["stale"] == "its data end 122 days before the newest (2024-06-30)"
    assert (row["standing"], row["stability"], row["agreed"]) == ("met", "stable", "")
    # 180 days after 29 February
    assert str(row["next_review"])[:10] == "2024-08-27"
    assert book.verdict == "1 baseline in 1 version, 1 in force: 1 stale, 1 not agreed."
    assert book.caveat_codes == ("baseline-stale", "not-agreed")
    assert "'fast': met" in book.text()
    assert perf.Register.from_record(json.loads(json.dumps(book.to_record()))) == book


def test_a_review_or_a_decision_moves_the_next_review():
    held = perf.Review("R1", subject="Base", held_on=dt.date(2024, 5, 1))
    agreed = perf.Decision("d", what="x", who="Board", decided_on=dt.date(2024, 4, 1), subject="Base")
    other = perf.Review("R2", subject="Something else", held_on=dt.date(2024, 6, 1), results=("Base",))
    # as the review of a work names what was before it
    of_work = perf.Review("R3", subject="W", held_on=dt.date(2024, 6, 2), results=("Base, version 1",))
    when = {
        (agreed, of_work): "2024-07-02",
        (agreed,): "2024-05-01",
        (agreed, held): "2024-05-31",
        (agreed, held, other): "2024-07-01",
    }
    for records, day in when.items():
        book = perf.register(archive(records, newest=JUNE), "baseline", review_every=30)
        assert str(book.next_review[0]) == day
        assert ("review-due" in book.caveat_codes) == (day <= "2024-06-30")
        assert book.agreed[0] == "Board, 2024-04-01"


def test_declined_is_not_agreed():
    no = perf.Decision(
        "d", what="x", who="Board", decided_on=dt.date(2024, 4, 1), subject="Base", chosen=False
    )
    book = perf.register(archive([no], newest=newest()), "baseline")
    assert book.agreed[0] == "not agreed: Board, 2024-04-01"
    assert "not-agreed" in book.caveat_codes


def test_versions_and_what_supersedes():
    moment = dt.datetime(2024, 3, 1)
    made = {1: perf.baseline(series(20)), 2: perf.baseline(series(40))}
    two = perf.Archive(
        records={"measure": (HOURS,)},
        saved=tuple(
            Saved(
                "B",
                k,
                result_kind="baseline",
                measure="hours",
                verdict="v",
                saved_at=moment,
                by="me",
                note="n",
            )
            for k in (1, 2)
        ),
        on=dt.date(2024, 2, 9),
        read=lambda name, version: made[version or 2],
    )
    book = perf.register(two, "baseline")
    assert (book.version.tolist(), book.newest.tolist()) == ([1, 2], [False, True])
    assert (book.n.tolist(), book.age.tolist()) == ([20, 40], [20, 0])
    assert np.isnat(book.next_review[0])
    assert not np.isnat(book.next_review[1])
    assert (book.saved_by[1], book.note[1], str(book.saved_on[1])) == ("me", "n", "2024-03-01")
    assert len(book.tables()) == 2
    assert "1 baseline in 2 versions, 1 in force" in book.verdict
    tables = dict(book.tables())
    assert tables["Newest versions"]["version"].tolist() == [2]
    assert tables["Older versions"]["version"].tolist() == [1]
    # narrow enough for a page; to_frame() has the rest
    assert "agreed" not in tables["Older versions"]
    assert {"saved by", "saved on"} <= set(tables["Older versions"])


def test_strata_are_superseded_with_their_baseline():
    old = {
        "Old": perf.baseline(series(30), objective=objective()),
        "Old: by team": perf.baselines_of({"a": series(20), "b": series(25)}, objective=objective()),
        "New": perf.baseline(series(29, start="2024-02-01"), objective=objective()),
    }
    plans = [planned(n, "baseline", measure="hours", objective="fast") for n in ("Old", "New")]
    book = perf.register(
        perf.Archive.of([HOURS, objective(), *plans], old, newest=newest()), "baseline", stale_after=10
    )
    assert dict(zip(book.name, book.superseded_by, strict=True)) == {
        "New": "",
        "Old": "New",
        "Old: by team": "New",
    }
    assert (book.stale == "").all()


def test_models_and_simulations_stand_together():
    frame = series().to_frame().assign(hours=series().values, size=np.arange(60))
    made = {
        "Model": perf.fit("hours ~ size", frame, measure=HOURS, objective=objective()),
        "Simulation": perf.simulate(perf.step("a", perf.Distribution.gamma(mean=2, sd=1)), runs=200, rng=1),
    }
    book = perf.register(perf.Archive.of([HOURS, objective(), *PROCESSES], made, newest=JUNE), "model")
    assert book.sort.tolist() == ["model", "simulation"]
    # neither says from which days its data are, and that is said
    assert np.isnan(book.age).all()
    assert "period-not-recorded" in book.caveat_codes
    assert book.process_from.tolist() == ["declared", ""]
    assert perf.plot(book).layout.annotations[0].text.startswith("period of its data not on record")


def test_limits_say_who_agreed_and_until_when():
    limits = perf.control_chart(series()).limits
    agreed = limits.agreed(by="Board", on=dt.date(2024, 3, 1), valid_until=dt.date(2024, 12, 31))
    book = perf.register(
        perf.Archive.of([HOURS], {"limits: a": limits, "limits: b": agreed}, newest=newest()), "limits"
    )
    assert book.agreed.tolist() == ["", "Board, 2024-03-01, valid until 2024-12-31"]
    assert str(book.last[0]) == "2024-02-29"
    assert book.caveat_codes == ("not-agreed",)


def test_errors_of_predictions_make_a_model_stale():
    rng = np.random.default_rng(3)
    frame = series().to_frame().assign(hours=series().values, size=rng.normal(size=60))
    model = perf.fit("hours ~ size", frame, measure=HOURS)
    new = frame.head(40).assign(hours=frame["hours"].head(40) * 5)
    outcomes = dict(enumerate(new["hours"].tolist()))
    errors = perf.prediction_errors(
        perf.predictions(model, new.reset_index(drop=True)).with_outcomes(outcomes)
    )
    assert errors.advice in ("recalibrate", "retire")
    held = {"Model": model, "Errors": errors}
    book = perf.register(perf.Archive.of([HOURS], held, newest=newest()), "model")
    assert book.stale.tolist() == [f"its predictions say: {errors.advice} it ('Errors')"]


def test_an_empty_register():
    book = perf.register(perf.Archive.of([], on=dt.date(2024, 1, 1)), "model")
    assert book.verdict == "No models are saved."
    assert len(book.to_frame()) == 0
    assert perf.plot(book) is not None
    assert perf.Register.from_record(json.loads(json.dumps(book.to_record()))) == book


def test_misuse():
    empty = perf.Archive.of([], on=dt.date(2024, 1, 1))
    with pytest.raises(perf.UnknownNameError, match="did you mean 'baseline'"):
        perf.register(empty, "baselines")
    with pytest.raises(perf.InputError, match="review_every counts days"):
        perf.register(empty, "model", review_every=0)


def test_weeks_end_with_their_last_day():
    from perfanalytics.practices.on_record import period

    shares = perf.Series(
        np.full(4, 0.5),
        measure=replace(HOURS, name="share", scale="proportion", unit="1"),
        when=np.array(["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"], dtype="datetime64[D]"),
        sizes=np.full(4, 20.0),
        selection={"every": "week", "statistic": "share", "as_of": "2024-01-25T12:00:00"},
    )
    assert period(perf.control_chart(shares, chart="p")) == (dt.date(2024, 1, 1), dt.date(2024, 1, 25))
    assert period(perf.control_chart(series())) == (dt.date(2024, 1, 1), dt.date(2024, 2, 29))
