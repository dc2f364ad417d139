# ruff: noqa: E501  (a mistake and what is said of it stand on one line)
"""Queues, capacity, reliability and defects of a plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

HEAD = """
[plan]
name = "p"
repository = "r.duckdb"
[[calendar]]
name = "office"
hours = { monday = "08:00-12:00", tuesday = "08:00-12:00", wednesday = "08:00-12:00" }
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { at = "time", hours = "number", class = "integer" }
formats = { at = "%Y-%m-%d %H:%M" }
[[measure]]
name = "handling"
source = "s"
definition = "Hours of handling"
unit = "hours"
better = "lower"
scale = "duration"
value = "hours"
when = "at"
start = "at"
item = "id"
attributes = ["class", "unit", "put_in", "found_in"]
"""
#: Monday to Wednesday, two weeks: 8:15 and 10:00 every day, and once at night.
ROWS = [
    (day, time)
    for day in ("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-08", "2024-01-09", "2024-01-10")
    for time in ("08:15", "10:00")
] + [("2024-01-02", "22:00")]


def _plan(folder: Path, *tables: str, still_open: bool = False) -> Path:
    lines = ["id,at,hours,class,unit,put_in,found_in"]
    for i, (day, time) in enumerate(ROWS):
        phases = ("design", "test") if i % 3 else ("test", "live")
        lines.append(f"{i},{day} {time},{1 + i % 3},{1 + i % 2},{'ab'[i % 2]},{','.join(phases)}")
    if still_open:
        lines.append("99,2024-01-10 09:00,,1,a,design,test")
    (folder / "s.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "plan.toml"
    path.write_text(HEAD + "".join(tables), encoding="utf-8")
    return path


def _results(path: Path) -> dict[str, perf.Result]:
    run = perf.run_plan(path, report_to=path.parent / "r.html")
    assert not run.failures, [i.error for i in run.failures]
    return {i.name: i.result for i in run.items if i.result is not None}


def test_formulas_take_numbers(tmp_path: Path) -> None:
    found = _results(
        _plan(
            tmp_path,
            """
[[queue]]
name = "desk"
arrivals = 6.8
service = 1
servers = 8
within = 1
service_level = 0.8
[[queue]]
name = "classes"
arrivals = [1, 2, 3.8]
service = 1
servers = 8
discipline = "priority"
classes = ["P1", "P2", "P3"]
[[staffing]]
name = "half hour"
arrivals = 100
per = 1800
service = 180
within = 20
unit = "seconds"
[[capacity]]
name = "quarter"
demand = [60, 70, 80, 90]
high = [66, 79, 92, 108]
periods = ["April", "May", "June", "July"]
service = 1.5
servers = 4
per = 40
max_utilization = 0.8
""",
        )
    )
    assert found["desk"] == perf.queue(arrivals=6.8, service=1.0, servers=8, within=1.0, target=0.8)
    assert found["classes"] == perf.queue(
        arrivals=[1, 2, 3.8], service=[1.0] * 3, servers=8, discipline="priority", classes=["P1", "P2", "P3"]
    )
    assert found["half hour"].servers.tolist() == [14]
    assert found["quarter"].exceeded == 3


def test_arrivals_are_counted_per_open_hour(tmp_path: Path) -> None:
    path = _plan(
        tmp_path,
        """
[[staffing]]
name = "hours"
arrivals = { measure = "handling", calendar = "office", by = "hour" }
service = { measure = "handling" }
within = 1
[[staffing]]
name = "days"
arrivals = { measure = "handling", calendar = "office", by = "weekday" }
service = { distribution = "gamma", mean = 0.5, sd = 0.25 }
within = 60
unit = "minutes"
[[queue]]
name = "whole"
arrivals = { measure = "handling", calendar = "office" }
service = 1
servers = 4
[[queue]]
name = "by class"
arrivals = { measure = "handling", calendar = "office", by = "class" }
service = 1
servers = 4
discipline = "priority"
""",
    )
    run = perf.run_plan(path, report_to=tmp_path / "r.html")
    assert not run.failures
    items = {i.name: i for i in run.items}
    title, seen = items["hours"].extra[0]
    assert title == "Arrivals as observed"
    assert seen["interval"].tolist() == ["08:00", "09:00", "10:00", "11:00"]
    assert seen["arrivals"].tolist() == [7, 0, 6, 0]  # who came at night counts at the next opening
    assert seen["open_hours"].tolist() == [6.0] * 4
    assert set(seen["waited_for_opening"]) == {1}
    hours = [1 + i % 3 for i in range(len(ROWS))]
    cv = np.std(hours, ddof=1) / np.mean(hours)
    direct = perf.staffing(
        arrivals=[7 / 6, 0, 1, 0],
        service=float(np.mean(hours)),
        within=1,
        service_cv=float(cv),
        labels=["08:00", "09:00", "10:00", "11:00"],
        unit="hours",
    )
    assert items["hours"].result.service_level == pytest.approx(direct.service_level)
    assert items["hours"].result.servers.tolist() == direct.servers.tolist()
    days = items["days"].extra[0][1]
    assert days["interval"].tolist() == ["Monday", "Tuesday", "Wednesday"]
    assert days["per_hour"].tolist() == pytest.approx([4 / 8, 4 / 8, 5 / 8])
    assert items["days"].result.load.tolist() == pytest.approx(
        [0.5 * 0.5 / 60, 0.5 * 0.5 / 60, 0.625 * 0.5 / 60]
    )
    assert items["whole"].result == perf.queue(arrivals=13 / 24, service=1.0, servers=4)
    assert items["by class"].result == perf.queue(
        arrivals=[7 / 24, 6 / 24], service=[1.0, 1.0], servers=4, discipline="priority", classes=["1", "2"]
    )
    assert items["whole"].group == "Queues and capacity"


def test_replay_and_forecast(tmp_path: Path) -> None:
    path = _plan(
        tmp_path,
        """
[[queue_replay]]
name = "as it was"
measure = "handling"
until = 2024-01-10
servers = [{ calendar = "office", servers = 2 }]
shift_end = "pause"
priority = "class"
within = 4
service_level = 0.8
[[queue_replay]]
name = "quicker"
measure = "handling"
service = { distribution = "gamma", mean = 0.5, sd = 0.2 }
servers = 1
[[queue_forecast]]
name = "next days"
arrivals = [2, 2, 3]
per = 4
service = [1, 2, 3]
servers = 2
backlog = [1, 5, 30]
within = 4
service_level = 0.8
runs = 20
seed = 5
""",
    )
    found = _results(path)
    rows = [r for r in sorted(ROWS) if r[0] < "2024-01-10"]
    order = [ROWS.index(r) for r in rows]
    office = perf.Calendar(
        "office", hours=dict.fromkeys(("monday", "tuesday", "wednesday"), ("08:00", "12:00"))
    )
    direct = perf.simulate_queue(
        np.array([f"{d}T{t}" for d, t in rows], dtype="datetime64[us]"),
        [1.0 + i % 3 for i in order],
        servers=[(office, 2)],
        shift_end="pause",
        priority=[1 + i % 2 for i in order],
        within=4,
        target=0.8,
    )
    assert found["as it was"] == direct
    assert found["quicker"].n == 13
    assert found["next days"] == perf.forecast_queue(
        [2, 2, 3],
        [1, 2, 3],
        servers=2,
        per=4.0,
        rng=np.random.default_rng(5),
        backlog=[-1, -5, -30],
        within=4,
        target=0.8,
        runs=20,
    )


def test_open_items_are_a_backlog_and_no_service_times(tmp_path: Path) -> None:
    path = _plan(
        tmp_path,
        """
[[queue_replay]]
name = "replay"
measure = "handling"
servers = 2
[[queue_forecast]]
name = "forecast"
arrivals = [2]
per = 4
service = 1
servers = 2
backlog = { measure = "handling" }
runs = 20
""",
        still_open=True,
    )
    run = perf.run_plan(path, report_to=tmp_path / "r.html")
    (failed,) = run.failures
    assert failed.name == "replay"
    assert "still open: their service times are not known" in failed.error
    # it came an hour before the newest event of the data
    assert run.items[-1].result == perf.forecast_queue(
        [2], [1.0], servers=2, per=4.0, rng=np.random.default_rng(1), backlog=[-1.0], runs=20
    )


def test_reliability_from_tables_and_from_observations(tmp_path: Path) -> None:
    days = [9, 12, 11, 4, 7, 2, 5, 8, 5, 7, 1, 6, 1, 9, 4, 1, 3, 3, 6, 1, 11, 33, 7, 91, 2, 1]
    path = _plan(
        tmp_path,
        f"""
[[availability]]
name = "up"
measure = "handling"
where = {{ unit = "a" }}
since = 2024-01-01
until = 2024-01-11
calendar = "office"
planned = [{{ since = 2024-01-03T00:00:00, until = 2024-01-04T00:00:00 }}]
target = 0.9
[[lifetimes]]
name = "alive"
measure = "handling"
[[growth]]
name = "stated"
intervals = {days}
unit = "days"
models = ["goel_okumoto", "poisson"]
[[growth]]
name = "times"
measure = "handling"
since = 2024-01-01
until = 2024-01-11
unit = "hours"
models = ["poisson"]
[[growth]]
name = "counts"
measure = "handling"
every = "day"
models = ["poisson"]
[[containment]]
name = "stated matrix"
phases = ["design", "code", "operation"]
counts = [[40, 20, 5], [0, 60, 10], [0, 0, 2]]
[[containment]]
name = "observed matrix"
phases = ["design", "test", "live"]
measure = "handling"
injected = "put_in"
found = "found_in"
release = "unit"
""",
    )
    found = _results(path)
    outages = [(f"{d}T{t}", 1 + i % 3) for i, (d, t) in enumerate(ROWS) if i % 2 == 0]
    starts = np.array([s for s, _ in outages], dtype="datetime64[us]")
    office = perf.Calendar(
        "office", hours=dict.fromkeys(("monday", "tuesday", "wednesday"), ("08:00", "12:00"))
    )
    day = np.array(["2024-01-03", "2024-01-04"], dtype="datetime64[us]")
    assert found["up"] == perf.availability(
        starts,
        starts + np.array([h for _, h in outages]) * np.timedelta64(1, "h"),
        since=np.datetime64("2024-01-01", "us"),
        until=np.datetime64("2024-01-11", "us"),
        calendar=office,
        planned=(day[:1], day[1:]),
        target=0.9,
    )
    assert found["alive"].n == len(ROWS)
    goel = found["stated"]["goel_okumoto"].estimate
    assert [round(float(x), 2) for x in goel] == [33.99, 0.01]
    assert found["times"].n == 13
    assert found["times"].end == 240.0
    assert found["counts"].n == 13
    assert found["counts"].unit == "days"
    matrix = [[40, 20, 5], [0, 60, 10], [0, 0, 2]]
    assert found["stated matrix"] == perf.containment(matrix, phases=["design", "code", "operation"])
    counts = np.zeros((2, 3, 3), dtype=int)
    for i in range(len(ROWS)):
        counts[(i % 2, 0, 1) if i % 3 else (i % 2, 1, 2)] += 1
    assert found["observed matrix"] == perf.containment(counts, phases=["design", "test", "live"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[[queue]]\nname = "q"\narrivals = "many"\nservice = 1', "arrivals: expected a number, a list of numbers or"),
        ('[[queue]]\nname = "q"\narrivals = { mesure = "handling" }\nservice = 1', "key 'mesure' is not known; did you mean 'measure'"),
        ('[[queue]]\nname = "q"\narrivals = 1\nservice = { distribution = "gama", mean = 1, sd = 1 }', "service: distribution 'gama' is not known; did you mean 'gamma'"),
        ('[[queue]]\nname = "q"\narrivals = { measure = "handlin" }\nservice = 1', "did you mean 'handling'"),
        ('[[queue]]\nname = "q"\narrivals = 1\nservice = { measure = "handlin" }', "did you mean 'handling'"),
        ('[[queue]]\nname = "q"\narrivals = { measure = "handling", calendar = "ofice" }\nservice = 1', "did you mean 'office'"),
        ('[[queue]]\nname = "q"\narrivals = { measure = "handling", by = "clas" }\nservice = 1\ndiscipline = "priority"', "did you mean 'class'"),
        ('[[queue]]\nname = "q"\narrivals = [1, 2]\nservice = 1', "is for one class"),
        ('[[queue]]\nname = "q"\narrivals = 1\nservice = 1\nservice_level = 0.8', "needs within"),
        ('[[staffing]]\nname = "q"\narrivals = 1\nservice = 1', "within is missing"),
        ('[[staffing]]\nname = "q"\narrivals = { measure = "handling", by = "our" }\nservice = 1\nwithin = 1', "did you mean 'hour'"),
        ('[[staffing]]\nname = "q"\narrivals = { measure = "handling" }\nper = 2\nservice = 1\nwithin = 1', "leave per and labels out"),
        ('[[capacity]]\nname = "q"\ndemand = [1, 2]\nhigh = [2]\nservice = 1\nservers = 1', "high has 1 entries, demand 2"),
        ('[[queue_replay]]\nname = "q"\nmeasure = "handling"\nservers = [{ calendar = "ofice", servers = 1 }]', "did you mean 'office'"),
        ('[[queue_replay]]\nname = "q"\nmeasure = "handling"\nservers = [{ calendr = "office", servers = 1 }]', "did you mean 'calendar'"),
        ('[[queue_replay]]\nname = "q"\nmeasure = "handling"\nservers = 1\npriority = "clas"', "did you mean 'class'"),
        ('[[queue_forecast]]\nname = "q"\narrivals = [1]\nper = 1\nservice = 1\nservers = 1\nbacklog = { measure = "handling", where = { clas = 1 } }', "did you mean 'class'"),
        ('[[availability]]\nname = "q"\nmeasure = "handling"\nsince = 2024-01-01\nuntil = 2024-02-01\nitems = "unit"', "n_items"),
        ('[[availability]]\nname = "q"\nmeasure = "handling"\nsince = 2024-01-01\nuntil = 2024-02-01\nitems = "unt"\nn_items = 2', "did you mean 'unit'"),
        ('[[availability]]\nname = "q"\nmeasure = "handling"\nsince = 2024-01-01\nuntil = 2024-02-01\ncalendar = "offic"', "did you mean 'office'"),
        ('[[growth]]\nname = "q"\ncounts = [3, 2]\nevery = "week"', "every belongs to measure"),
        ('[[growth]]\nname = "q"\ncounts = [3, 2]\nmodels = ["goel_okumto"]', "did you mean 'goel_okumoto'"),
        ('[[growth]]\nname = "q"\nmeasure = "handling"', "count from a beginning: give since"),
        ('[[growth]]\nname = "q"', "failures come from one of measure, times, intervals, counts; given: none"),
        ('[[containment]]\nname = "q"\nphases = ["a", "b"]\ncounts = [[1, 2]]', "needs 2 rows and 2 columns"),
        ('[[containment]]\nname = "q"\nphases = ["a", "b"]', "give either counts"),
        ('[[containment]]\nname = "q"\nphases = ["a", "b"]\nmeasure = "handling"\ninjected = "put_inn"\nfound = "found_in"', "did you mean 'put_in'"),
        ('[[lifetimes]]\nname = "q"\nmeasure = "handling"\nfamily = "weibul"', "did you mean 'weibull'"),
    ],
)  # fmt: skip
def test_mistakes_are_told(tmp_path: Path, table: str, said: str) -> None:
    path = _plan(tmp_path, table)
    try:
        told = "\n".join(check_plan(read_plan(path)))
    except perf.PlanError as error:
        told = str(error)
    assert said in told
    assert f"{table.split(']]')[0]}]]" in told


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    path = _plan(
        tmp_path,
        """
[[queue]]
name = "units"
arrivals = 1
service = { measure = "handling" }
unit = "minutes"
[[containment]]
name = "phases"
phases = ["design", "live"]
measure = "handling"
injected = "put_in"
found = "found_in"
[[staffing]]
name = "nobody"
arrivals = { measure = "handling", calendar = "office", since = 2024-01-05, until = 2024-01-08 }
service = 1
within = 1
[[growth]]
name = "too early"
measure = "handling"
since = 2025-01-01
""",
    )
    run = perf.run_plan(path, report_to=tmp_path / "r.html")
    errors = {i.name: i.error for i in run.failures}
    assert "the service times are in hours, the queue in minutes" in errors["units"]
    assert "values that are no phases: test" in errors["phases"]
    assert "no observations of handling" in errors["nobody"]
    assert "no observations of handling" in errors["too early"]
