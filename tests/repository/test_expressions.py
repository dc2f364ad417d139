from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, PerfAnalyticsError, UnknownNameError
from perfanalytics.repository.duckdb_engine import DuckDBSandbox
from perfanalytics.repository.expressions import Expressions
from perfanalytics.repository.source import EventLog, Source, SourceMeasure
from repository.samples import HOURS


@pytest.fixture
def checks():
    sandbox = DuckDBSandbox()
    sandbox.put("staged", {"a": np.arange(3), "b": np.arange(3.0)})
    sandbox.lock()
    yield Expressions(sandbox, ["a", "b", "Dev.Started", "t"])
    sandbox.close()


@pytest.mark.parametrize(
    "expression",
    [
        "a",
        "A + 1",
        "-b / nullif(a, 0)",
        '"Dev.Started"',
        "case when a = 1 then 'x' else null end",
        "a in (1, 2) and b between 0 and 1 or not (a is null)",
        "try_cast(a as double)",
        "date_diff('minute', t, t + interval 3 day) / 60.0",
        "extract(hour from t)",
        "lower(a) like '%x' or regexp_matches(a, '^x')",
        "coalesce(a, b, 0) -- with a comment",
        "round(ln(b), 2)",
        "date_trunc('week', t)",
        "a is distinct from b",
    ],
)
def test_expressions_over_the_columns_pass(checks, expression):
    assert checks.check(expression, where="test").strip('"') == expression.strip('"')


@pytest.mark.parametrize(
    "expression",
    [
        "read_text('/etc/passwd')",
        "(select content from read_text('/etc/passwd'))",
        "(select max(a) from staged)",
        "exists (select 1)",
        "array(select 1)",
        "a = any (select 1)",
        "(from staged)",
        "1) from staged where (true",
        "1), (2",
        "1); drop table staged; select (1",
        "1; select 2",
        "1 from staged",
        "copy staged to 'x.csv'",
        "attach 'x.db'",
        "install httpfs",
        "pragma database_list",
        "set threads = 1",
        "getenv('HOME')",
        "current_setting('threads')",
        "getvariable('x')",
        "current_date",
        "now()",
        "today()",
        "random()",
        "uuid()",
        "nextval('s')",
        "error('x')",
        "write_log('x')",
        "sleep_ms(1000)",
        "current_database()",
        "current_query()",
        "sum(a)",
        "count(*)",
        "row_number() over ()",
        "sum(a) over (order by b)",
        "*",
        "columns('a')",
        "?",
        "$1",
        "#1",
        "unnest([1, 2])",
        "list_transform([a], lambda x: x + 1)",
        "main.lower(a)",
        "query('select 1')",
        "staged.a",
        "staged",
        "",
        "   ",
        "a +",
        "((a)",
    ],
)
def test_everything_else_is_refused(checks, expression):
    with pytest.raises((InputError, UnknownNameError)):
        checks.check(expression, where="test")


def test_a_misspelt_column_gets_the_nearest(checks):
    with pytest.raises(UnknownNameError, match=r"Dev\.Started"):
        checks.check('"Dev.Startet"', where="measure x, when")


ATTACKS = [
    "read_text('/etc/passwd')",
    "(select count(*) from observation)",
    "getenv('HOME')",
    "1; attach 'x.db'",
    "(select count(*) from duckdb_settings())",
]


@pytest.mark.parametrize(
    "part", ["value", "when", "item", "size", "censored", "start", "known", "where", "attributes"]
)
def test_no_part_of_a_measure_lets_them_through(repo, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"v": [1.0, 2.0], "t": pd.to_datetime(["2024-05-01", "2024-05-02"])})
    for attack in ATTACKS:
        given = {"value": "v", "when": "t"} | {part: {"x": attack} if part == "attributes" else attack}
        with pytest.raises(PerfAnalyticsError):
            repo.load(Source("s", frame=frame, measures=(SourceMeasure(HOURS, **given),)))
    assert repo.loads().empty
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_nor_does_an_event_log(repo, attack):
    frame = pd.DataFrame({"k": ["a"], "n": [1], "t": pd.to_datetime(["2024-05-01"])})
    log = EventLog("k", order="n", time="t", reached={"x": attack})
    with pytest.raises(PerfAnalyticsError):
        repo.load(Source("s", frame=frame, event_log=log))


def test_the_bare_name_of_a_column_needs_no_quotes(checks):
    assert checks.check("Dev.Started", where="test") == '"Dev.Started"'
