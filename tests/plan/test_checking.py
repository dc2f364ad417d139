"""`perfanalytics check` finds, without data, what would stop a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

SAMPLE = Path(__file__).parents[2] / "sample_data" / "plan.toml"


def mistakes(tmp_path, old, new):
    text = SAMPLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "plan.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return "\n".join(check_plan(read_plan(path)))


def test_the_sample_plan_has_none():
    assert list(check_plan(read_plan(SAMPLE))) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('statistic = "median"', 'statistic = "medan"', "did you mean 'median'?"),
        (
            'statistic = "item"',
            'statistic = "itm"',
            "[[objective]] 'Incidents within 24 hours': statistic 'itm'",
        ),
        ('every = "week"\nstatistic = "median"', 'statistic = "median"', "needs every"),
        ('chart = "laney_p"', 'chart = "lany_p"', "did you mean 'laney_p'?"),
        ('rules = "nelson"', 'rules = "nelsen"', "did you mean 'nelson'?"),
        ('chart = "c"\n', 'chart = "c"\nestimate = "moving"\n', "estimate 'moving' is not known"),
        ('chart = "c"\n', 'chart = "c"\nlimits = "probabilty"\n', "did you mean 'probability'?"),
        ('chart = "c"\n', 'chart = "ewma"\noptions = { lambda = 0.1 }\n', "did you mean 'lam'?"),
        (
            'by = "service"',
            'by = "servce"',
            "by: attribute of breaks 'servce' is not known; did you mean 'service'?",
        ),
        ('every = "day"\n', 'every = "day"\nmethod = "welsh"\n', "did you mean 'welch'?"),
        ("C(priority) + reass", "C(prority) + reass", "did you mean 'priority'?"),
        ("resolution_hours ~ C", "resolution_hour ~ C", "explains 'resolution_hour', the measure is"),
        ("np.log(size_points)", "np.log(size_point)", "did you mean 'size_points'?"),
        ('controllable = ["reassignment_count"]', 'controllable = ["x"]', "controllable 'x' is not known"),
        (
            'file = "changes.csv"',
            'file = "changes.csv"\nencoding = "utf-9"',
            "encoding = 'utf-9' is not known",
        ),
        (
            'file = "changes.csv"',
            'file = "changes.csv"\ntime_zone = "Europe/Berln"',
            "time_zone = 'Europe/Berln'",
        ),
        ('chart = "c"\n', 'chart = "c"\nzone = "Berlin"\n', "zone = 'Berlin' is not known"),
        ('file = "changes.csv"', 'file = "changes.csv"\ndelimiter = ";;"', "must be one character"),
        ('{ implemented_on = "%Y-%m-%d" }', '{ implemented_on = "yyyy-mm-dd" }', "is no date format"),
        ('{ implemented_on = "%Y-%m-%d" }', '{ implemented = "%Y-%m-%d" }', "not declared a date or time"),
        ('monday = "07:00-18:00"', 'mon = "07:00-18:00"', "[[calendar]] 'office hours'"),
        ('monday = "07:00-18:00"', 'monday = "7-18"', "[[calendar]] 'office hours'"),
        (
            "until = 2024-09-02\nobjective",
            "since = 2025-01-01\nuntil = 2024-09-02\nobjective",
            "nothing is selected",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, old, new, expected):
    assert expected in mistakes(tmp_path, old, new)


def test_a_bad_date_is_told_once_and_in_words(tmp_path):
    from perfanalytics.core.errors import PlanError

    path = tmp_path / "plan.toml"
    path.write_text(
        SAMPLE.read_text(encoding="utf-8").replace("when = 2024-09-02", 'when = "soon"'), encoding="utf-8"
    )
    with pytest.raises(PlanError) as caught:
        read_plan(path)
    assert str(caught.value).count("expected a date like 2024-03-31") == 1
    assert "key 'when'" in str(caught.value)


def test_a_byte_order_mark_and_a_folder(tmp_path):
    from perfanalytics.core.errors import PlanError

    path = tmp_path / "plan.toml"
    path.write_text(SAMPLE.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read_plan(path).analyses()
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path)
