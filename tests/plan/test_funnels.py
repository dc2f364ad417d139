"""A funnel of a plan: one point for each value of an attribute."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.cli import main
from perfanalytics.core.series import SeriesBatch
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.funnels import units_of
from perfanalytics.plan.reading import read_plan

PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", ok = "number", calls = "number", hours = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "met"
source = "s"
definition = "1 when met"
unit = "1"
better = "higher"
scale = "proportion"
value = "ok"
when = "day"
item = "id"
attributes = ["team"]
[[measure]]
name = "met_of_calls"
source = "s"
definition = "calls met"
unit = "1"
better = "higher"
scale = "proportion"
value = "ok * calls"
size = "calls"
when = "day"
item = "id"
attributes = ["team"]
[[measure]]
name = "hours"
source = "s"
definition = "hours spent"
unit = "hours"
better = "lower"
scale = "duration"
value = "hours"
when = "day"
item = "id"
attributes = ["team"]
[[chart]]
name = "teams"
measure = "met"
chart = "funnel"
by = "team"
[[chart]]
name = "teams by calls"
measure = "met_of_calls"
chart = "funnel"
by = "team"
[[chart]]
name = "hours of teams"
measure = "hours"
chart = "funnel"
by = "team"
options = { law = "normal", adjust = "additive" }
[[chart]]
name = "daily"
measure = "met"
chart = "p"
every = "week"
statistic = "share"
"""


@pytest.fixture
def rows():
    rng = np.random.default_rng(11)
    out = []
    for k, (team, n) in enumerate((("A", 60), ("B", 120), ("C", 200), ("D", 90), ("E", 150), ("F", 80))):
        chance = 0.3 if team == "C" else 0.8
        for i in range(n):
            day = np.datetime64("2024-01-01") + (7 * i) // 5 % 120
            row = (f"{team}{i}", str(day), int(rng.random() < chance), int(rng.integers(1, 9)))
            out.append((*row, round(float(rng.gamma(4, 2 + 0.1 * k)), 3), team))
    return out


@pytest.fixture
def folder(tmp_path, monkeypatch, rows):
    text = "id,day,ok,calls,hours,team\n" + "\n".join(",".join(map(str, r)) for r in rows) + "\n"
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_points_are_the_units(folder, rows):
    run = perf.run_plan("plan.toml")
    assert run.failures == ()
    made = {i.name: i.result for i in run.items}
    teams = sorted({r[5] for r in rows})
    ok, calls, hours = (
        {t: np.array([r[j] for r in rows if r[5] == t], dtype=float) for t in teams} for j in (2, 3, 4)
    )
    funnel = made["teams"]
    assert funnel.labels.tolist() == teams
    np.testing.assert_allclose(funnel.value[0], [ok[t].mean() for t in teams], rtol=1e-12)
    assert funnel.sizes.tolist() == [len(ok[t]) for t in teams]
    assert "C" in funnel.verdict
    weighted = made["teams by calls"]
    np.testing.assert_allclose(
        weighted.value[0], [(ok[t] * calls[t]).sum() / calls[t].sum() for t in teams], rtol=1e-9
    )
    assert weighted.sizes.tolist() == [calls[t].sum() for t in teams]
    values = made["hours of teams"]
    np.testing.assert_allclose(values.value[0], [hours[t].mean() for t in teams], rtol=1e-12)
    np.testing.assert_allclose(
        values.sizes, [len(hours[t]) / hours[t].var(ddof=1) for t in teams], rtol=1e-12
    )
    assert "Units side by side" in (folder / "report.html").read_text(encoding="utf-8")


def called(*arguments):
    try:
        main(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_funnel_stands_beside_the_scorecard_and_is_not_monitored(folder, capsys):
    perf.run_plan("plan.toml")
    capsys.readouterr()
    assert called("charts", "plan.toml", "--report", "c.html") == 0
    told = capsys.readouterr().out
    assert told.startswith("Scorecard: 1 chart:")
    assert "\nteams: More units differ" in told
    called("monitor", "plan.toml")
    told = capsys.readouterr().out
    assert "teams: a funnel compares units, not times: it is not monitored" in told


def test_means_need_final_values():
    batch = SeriesBatch([1.0, 2.0, 3.0], [0, 2, 3], ids=["t=A", "t=B"], censored=[False, True, False])
    with pytest.raises(perf.InputError, match="still open"):
        units_of(batch, by=["t"], options={"law": "normal"})
    closed = SeriesBatch([1.0, 2.0, 3.0], [0, 2, 3], ids=["t=A", "t=B"])
    units = units_of(closed, by=["t"], options={"law": "normal"})
    assert np.isnan(units.values).tolist() == [False, True]


def test_a_funnel_is_over_all_the_time(tmp_path):
    path = tmp_path / "plan.toml"
    more = 'by = "team"\nevery = "week"\nstatistic = "share"'
    path.write_text(PLAN.replace('by = "team"', more, 1), encoding="utf-8")
    found = "\n".join(check_plan(read_plan(path)))
    assert "leave every out" in found
    assert "leave statistic out" in found
