from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from perfanalytics.cli import main

PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", v = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "real"
value = "v"
when = "day"
item = "id"
attributes = ["team"]
[[chart]]
name = "daily"
measure = "m"
every = "day"
statistic = "mean"
by = "team"
"""


def write(folder, n, extra=()):
    rng = np.random.default_rng(3)
    days = np.datetime64("2024-01-01") + np.arange(60)
    rows = ["id,day,v,team"]
    for i in range(60):
        for team in ("A", "B"):
            value = rng.normal(10, 1)
            if i < n:
                rows.append(f"{team}{i},{days[i]},{value:.3f},{team}")
    rows += extra
    (folder / "s.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


@dataclass
class Out:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)

    def call(*arguments):
        code = 0
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return Out(code, said.out, said.err)

    return call


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    write(tmp_path, 40)
    return tmp_path


def test_new_signals_are_told_once_on_frozen_limits(folder, run):
    first = run("monitor", "plan.toml")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("limits frozen") == 2
    again = run("monitor", "plan.toml")
    assert again.returncode == 0
    assert "0 new points, 0 new signals" in again.stdout

    write(folder, 42, ["A99,2024-02-12,25,A"])
    third = run("monitor", "plan.toml", "--json")
    assert third.returncode == 3, third.stderr
    told = json.loads(third.stdout)
    assert {s["chart"] for s in told["signals"]} == {"daily: team=A"}
    (signal,) = [s for s in told["signals"] if s["panel"] == "individuals"]
    assert signal["when"].startswith("2024-02-12")
    assert signal["value"] == 25
    assert signal["direction"] == "concern"
    assert "beyond_limits" in signal["rules"]
    # the limits are still those of the first 40 days: 10 +- 3 sigma, not widened by the new point
    assert signal["center"] == pytest.approx(10, abs=0.5)
    assert signal["upper"] < 15

    fourth = run("monitor", "plan.toml")
    assert fourth.returncode == 0
    assert "0 new signals" in fourth.stdout


def test_a_missing_file_is_told_and_the_rest_is_monitored(folder, run):
    run("monitor", "plan.toml")
    (folder / "s.csv").unlink()
    out = run("monitor", "plan.toml")
    assert out.returncode == 1
    assert "load s: NOT DONE" in out.stderr
    assert "Traceback" not in out.stderr


def test_charts_draws_what_signals_behind_a_scorecard(folder, run):
    out = run("charts", "plan.toml")
    assert out.returncode == 2
    assert "makes it" in out.stderr
    write(folder, 42, ["A99,2024-02-12,25,A"])
    run("monitor", "plan.toml")
    out = run("charts", "plan.toml", "--report", "c.html")
    assert out.returncode == 0, out.stderr
    assert "Scorecard: 2 charts: 1 not stable; at the newest point 1 of concern" in out.stdout
    assert "daily: team=A: Not stable" in out.stdout
    assert "daily: team=B" not in out.stdout
    page = (folder / "c.html").read_text(encoding="utf-8")
    assert page.count('<script type="application/json"') == 2


def test_a_week_that_was_incomplete_is_judged_when_it_is_complete(folder, run):
    plan = PLAN.replace(
        'every = "day"\nstatistic = "mean"\nby = "team"', 'every = "week"\nstatistic = "count"'
    )
    (folder / "plan.toml").write_text(plan, encoding="utf-8")
    days = np.datetime64("2024-01-01") + np.arange(150)

    def rows(until, extra=0):
        busy = [f"{d}-{k},{d},1,A" for d in days[:until] for k in range(4 + int(str(d)[-1]) % 3)]
        return ["id,day,v,team", *busy, *(f"x{k},{days[128]},1,A" for k in range(extra))]

    def load(lines):
        (folder / "s.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    load(rows(126))  # 18 whole weeks
    assert run("monitor", "plan.toml").returncode == 0
    load(rows(129, extra=60))  # three days of the 19th week, one of them far too busy
    partial = run("monitor", "plan.toml")
    assert partial.returncode == 0, partial.stdout
    load(rows(133, extra=60))
    complete = run("monitor", "plan.toml")
    assert complete.returncode == 3, complete.stdout
    assert "2024-05-06" in complete.stdout


def test_a_failure_beside_them_hides_no_new_signals(folder, run):
    text = PLAN + '[[source]]\nname = "lost"\nfile = "lost.csv"\nkey = "id"\n'
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    assert run("monitor", "plan.toml").returncode == 1
    write(folder, 42, extra=["A99,2024-02-20,30.0,A"])
    told = run("monitor", "plan.toml", "--json")
    assert told.returncode == 3
    found = json.loads(told.stdout)
    assert found["signals"]
    assert [name for name, _ in found["failures"]] == ["load lost"]
