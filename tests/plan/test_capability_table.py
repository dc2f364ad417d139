"""What a [[capability]] table asks for, and the fitted distribution of a [[baseline]] table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
by = "measurement group"
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
scale = "duration"
value = "v"
when = "day"
item = "id"
[[objective]]
name = "fast"
measure = "m"
target = 24
direction = "at_most"
share = 0.9
declared_on = 2023-12-01
[[baseline]]
name = "gamma"
measure = "m"
distribution = "gamma"
tolerance = "exact"
[[capability]]
name = "against the target"
measure = "m"
objective = "fast"
[[capability]]
name = "percentiles"
measure = "m"
upper = 24
distribution = "weibull"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    days = np.datetime64("2024-01-01") + np.arange(80)
    rows = [
        f"{i},{day},{v:.3f}" for i, (day, v) in enumerate(zip(days, rng.lognormal(1.5, 0.5, 80), strict=True))
    ]
    (tmp_path / "s.csv").write_text("\n".join(["id,day,v", *rows]) + "\n", encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_a_plan_asks_for_capability(plan: Path) -> None:
    items = {i.name: i for i in perf.run_plan(plan, report_to=plan.parent / "r.html").items}
    study = items["against the target"].result
    assert isinstance(study, perf.Capability)
    assert (study.upper, study.distribution, study.standing) == (24.0, "log", "met")
    assert items["against the target"].group == "Capability"
    assert items["percentiles"].result.fitted.family == "weibull"
    made = items["gamma"].result
    assert made.fitted.family == "gamma"
    assert made["tolerance limit, upper"].interval is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('upper = 24\ndistribution = "weibul"', "weibull"),
        ('upper = 24\nsigma = "moving_rang"', "moving_range"),
        ("upper = 24\nlower = 30", "must lie below"),
    ],
)
def test_mistakes_are_told(plan: Path, wrong: str, said: str) -> None:
    text = plan.read_text(encoding="utf-8").replace('upper = 24\ndistribution = "weibull"', wrong)
    plan.write_text(text, encoding="utf-8")
    assert said in " ".join(check_plan(read_plan(plan)))
