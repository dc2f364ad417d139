from __future__ import annotations

import pandas as pd
import pytest

from perfanalytics.core.calendars import Calendar
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.repository.source import EventLog, Source, SourceMeasure, WorkingDuration
from repository.samples import HOURS, MET

WORK = Measure("work", definition="Working hours to done", unit="hours", better="lower", scale="duration")
LOG = pd.DataFrame(
    [
        # Friday to Monday; the order of the rows is not the order of the events
        ("a", 2, "waiting", "2024-05-17 16:30", "late"),
        ("a", 1, "new", "2024-05-17 16:00", "first"),
        ("a", 3, "active", "2024-05-20 08:30", "x"),
        ("a", 4, "done", "2024-05-20 10:00", "last"),
        ("b", 1, "new", "2024-05-20 09:00", "first"),
        ("b", 2, "done", "2024-05-20 09:30", "x"),
        ("b", 3, "active", "2024-05-20 09:40", "x"),
        ("b", 4, "done", "2024-05-21 09:30", "last"),
        ("c", 1, "new", "2024-05-22 08:00", "only"),
    ],
    columns=["k", "n", "state", "t", "note"],
).assign(t=lambda f: pd.to_datetime(f["t"]))
OFFICE = Calendar(
    "office",
    hours=dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), ("08:00", "18:00")),
)


def source(keep="last", durations=(), measures=(), **changes):
    log = EventLog(
        "k", order="n", keep=keep, time="t", reached={"began": "n = 1", "done_at": "state = 'done'"}
    )
    settings = {"frame": LOG, "event_log": log, "durations": durations, "measures": measures}
    return Source("log", **(settings | changes))


def attributes(repo, keep, *names):
    measure = SourceMeasure(MET, value="1", when="t", item="k", attributes=names)
    repo.load(source(keep, measures=(measure,)))
    return repo.frame("met").sort_values("item").set_index("item")


def test_one_row_an_item_the_last_word_wins(repo):
    frame = attributes(repo, "last", "state", "note", "began", "done_at")
    assert frame["note"].tolist() == ["last", "last", "only"]
    assert frame["state"].tolist() == ["done", "done", "new"]
    assert frame["began"].astype(str).tolist() == [
        "2024-05-17 16:00:00",
        "2024-05-20 09:00:00",
        "2024-05-22 08:00:00",
    ]
    # the first time it was reached, also when it was left again
    assert frame["done_at"].astype(str).tolist()[:2] == ["2024-05-20 10:00:00", "2024-05-20 09:30:00"]
    assert frame["done_at"].isna().tolist() == [False, False, True]


def test_the_first_row_or_both(repo):
    assert attributes(repo, "first", "note")["note"].tolist() == ["first", "first", "only"]


def test_both_bring_the_first_beside_the_last(repo):
    frame = attributes(repo, "both", "note", "first_note", "first_t")
    assert frame["note"].tolist() == ["last", "last", "only"]
    assert frame["first_note"].tolist() == ["first", "first", "only"]


def test_loading_counts_items_and_is_idempotent(repo):
    measures = (SourceMeasure(MET, value="state = 'done'", when="t", item="k"),)
    report = repo.load(source(measures=measures))
    assert (report.read, report.rows, report.accepted) == (9, 3, 3)
    assert repo.load(source(measures=measures)).unchanged == 3
    more = pd.concat(
        [LOG, pd.DataFrame([("c", 2, "done", pd.Timestamp("2024-05-23"), "last")], columns=LOG.columns)]
    )
    report = repo.load(source(measures=measures, frame=more))
    assert (report.accepted, report.updated, report.unchanged) == (0, 1, 2)
    assert repo.series("met", every="year").values.tolist() == [1.0]
    assert repo.series("met", load_id=1).values.tolist() == [1, 1, 0]


def test_working_durations_with_a_clock_that_stops(repo):
    measures = (
        SourceMeasure(HOURS, value="date_diff('minute', began, done_at) / 60.0", when="done_at", item="k"),
        SourceMeasure(WORK, value="working", when="done_at", item="k"),
    )
    plain = WorkingDuration("working", start="began", end="done_at", calendar=OFFICE)
    repo.load(source(durations=(plain,), measures=measures))
    frame = repo.frame(["hours", "work"]).set_index("item")
    assert frame.loc["a", "hours"] == 66.0
    assert frame.loc["a", "work"] == 4.0  # Friday 16 to 18, Monday 8 to 10
    stopped = WorkingDuration(
        "working", start="began", end="done_at", calendar=OFFICE, stopped=("waiting",), state="state"
    )
    report = repo.load(source(durations=(stopped,), measures=measures))
    # waiting from Friday 16:30 to Monday 8:30: two working hours less
    assert repo.series("work").values.tolist() == [0.5, 2.0]
    assert report.missing.tolist() == [1, 1]


def test_the_calendar_is_read_on_the_clock_of_the_source(repo):
    measures = (SourceMeasure(WORK, value="working", when="done_at", item="k"),)
    plain = WorkingDuration("working", start="began", end="done_at", calendar=OFFICE)
    repo.load(source(durations=(plain,), measures=measures, time_zone="Europe/Berlin"))
    series = repo.series("work")
    assert series.clock == "UTC"
    assert sorted(series.values.tolist()) == [0.5, 4.0]


def test_mistakes(repo):
    with pytest.raises(UnknownNameError, match="Known: k, n"):
        repo.load(source(event_log=EventLog("k", order="m")))
    with pytest.raises(UnknownNameError, match="state"):
        repo.load(source(event_log=EventLog("k", order="n", time="t", reached={"x": "stat = 'done'"})))
    with pytest.raises(UnknownNameError, match="waiting"):
        repo.load(
            source(
                durations=(WorkingDuration("w", start="t", end="t", calendar=OFFICE, stopped=("wating",)),)
            )
        )
    with pytest.raises(InputError, match="event log with time="):
        Source(
            "s",
            frame=LOG,
            durations=(WorkingDuration("w", start="t", end="t", calendar=OFFICE, stopped="x"),),
        )
    with pytest.raises(InputError, match="say which column it is with time="):
        EventLog("k", order="n", reached={"x": "true"})
    with pytest.raises(InputError, match="order="):
        EventLog("k", order=())
    with pytest.raises(UnknownNameError, match="first"):
        EventLog("k", order="n", keep="frist")
    with pytest.raises(InputError, match="leave key= out"):
        source(key="n")
    with pytest.raises(InputError, match="working time"):
        source(
            durations=(WorkingDuration("w", start="t", end="t", calendar=OFFICE),),
            measures=(SourceMeasure(HOURS, value="w", when="t", start="t"),),
        )
