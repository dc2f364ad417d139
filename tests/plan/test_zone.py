"""A plan can cut its periods in the zone of its readers."""

from __future__ import annotations

from perfanalytics.plan.running import run_plan

PLAN = """
[plan]
name = "p"
[[source]]
name = "s"
file = "s.csv"
key = "id"
time_zone = "Europe/Berlin"
columns = { at = "time", v = "number" }
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "real"
value = "v"
when = "at"
item = "id"
[[chart]]
name = "own zone"
measure = "m"
every = "day"
statistic = "mean"
[[chart]]
name = "utc"
measure = "m"
every = "day"
statistic = "mean"
zone = "UTC"
"""


def test_days_are_those_of_the_zone(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    rows = [f"{d},2024-07-{d:02d}T00:30:00,{d}" for d in range(2, 22)]
    (tmp_path / "s.csv").write_text("\n".join(["id,at,v", *rows]) + "\n", encoding="utf-8")
    run = run_plan(tmp_path / "plan.toml")
    assert not run.failures, [i.error for i in run.failures]
    first = {i.name: str(i.result.when[0])[:10] for i in run.items if i.group == "Control charts"}
    assert first == {"own zone": "2024-07-02", "utc": "2024-07-01"}
