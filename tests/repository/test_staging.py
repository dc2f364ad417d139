"""From text to types: what fits, what is rejected, with line, column, reason and text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, LoadError, UnknownNameError
from perfanalytics.repository.duckdb_engine import DuckDBSandbox
from perfanalytics.repository.reading import read
from perfanalytics.repository.source import Source, SourceMeasure
from perfanalytics.repository.staging import stage
from repository.samples import CSV, DEFECTS, tickets


def staged(source):
    """The typed rows, the rejects and the clock."""
    sandbox = DuckDBSandbox()
    raw = read(source, sandbox)
    clock = stage(source, raw, sandbox)
    columns = sandbox.columns("SELECT * EXCLUDE (_bad) FROM typed ORDER BY _row")
    sandbox.close()
    return columns, raw, clock


def one_column(csv, values, kind, **settings):
    text = "x,n\n" + "".join(f"{v},{i}\n" for i, v in enumerate(values))
    settings = {"columns": {"x": kind, "n": "integer"}} | settings
    columns, raw, _ = staged(Source("s", file=csv(text), **settings))
    good = dict(zip(columns["n"].tolist(), columns["x"].tolist(), strict=True))
    return good, {r.line: r for r in raw.rejects}


def test_typed_columns_and_missing_markers(csv):
    columns, raw, clock = staged(tickets(csv(CSV)))
    assert raw.rejects == []
    assert clock == "local"
    assert columns["h"].tolist()[:3] == [2.5, 24.0, 144.0]
    assert np.isnan(columns["h"][3])
    assert columns["opened"][0] == np.datetime64("2024-05-01T08:00")  # day first, as declared
    assert np.isnat(columns["closed"][3])
    assert columns["ok"].tolist() == [True, False, False, None]
    assert columns["prio"].tolist() == [1, 2, 3, 1]
    assert columns["team"].tolist() == ["North", "South", "North", "South"]


def test_integers_are_not_rounded_and_not_guessed(csv):
    good, bad = one_column(csv, ["1", " 2 ", "-3", "+4", "1.5", "1e3", "x", ""], "integer")
    assert {k: v for k, v in good.items() if v == v} == {0: 1, 1: 2, 2: -3, 3: 4}
    assert np.isnan(good[7])
    assert set(bad) == {6, 7, 8}
    assert bad[6].reason == "'1.5' is not a whole number"
    assert bad[6].column == "x"
    assert bad[6].original == "1.5,4"


def test_numbers_are_finite_and_of_the_declared_mark(csv):
    good, bad = one_column(csv, ["1.5", ".5", "5.", "-1e-3", "nan", "inf", "1_000", "0x1"], "number")
    assert good == {0: 1.5, 1: 0.5, 2: 5.0, 3: -0.001}
    assert set(bad) == {6, 7, 8, 9}
    good, bad = one_column(csv, ['"1,5"', '"-,5"', "7", "1.5", '"1.000,5"'], "number", decimal=",")
    assert good == {0: 1.5, 1: -0.5, 2: 7.0}
    assert bad[5].reason == "'1.5' is not a number with a decimal comma"


def test_booleans(csv):
    good, bad = one_column(csv, ["true", "No", "1", "F", "maybe", "2"], "boolean")
    assert good == {0: True, 1: False, 2: True, 3: False}
    assert set(bad) == {6, 7}


def test_dates_are_read_as_declared_or_not_at_all(csv):
    good, bad = one_column(
        csv, ["5/3/2016", "31/12/2016", "12/31/2016", "2016-03-05"], "date", formats={"x": "%d/%m/%Y"}
    )
    assert [str(v)[:10] for v in good.values()] == ["2016-03-05", "2016-12-31"]
    assert bad[4].reason == "'12/31/2016' is not a date in the form %d/%m/%Y"
    good, bad = one_column(
        csv, ["02-Nov-04", "5/3/2016", "x"], "date", formats={"x": ("%d-%b-%y", "%d/%m/%Y")}
    )
    assert [str(v)[:10] for v in good.values()] == ["2004-11-02", "2016-03-05"]
    assert "%d-%b-%y or %d/%m/%Y" in bad[4].reason


def test_without_a_format_times_are_iso(csv):
    good, bad = one_column(
        csv,
        [
            "2024-05-01",
            "2024-05-01 10:30",
            "2024-05-01T10:30:15.25",
            "03/01/2024",
            "2024-02-30",
            "2024-05-01T10:30+02:00",
        ],
        "time",
    )
    assert [str(np.datetime64(v, "us")) for v in good.values()] == [
        "2024-05-01T00:00:00.000000",
        "2024-05-01T10:30:00.000000",
        "2024-05-01T10:30:15.250000",
    ]
    # an offset that would be ignored is rejected
    assert set(bad) == {5, 6, 7}
    assert "declare formats=" in bad[5].reason
    assert bad[7].reason.endswith("has an offset from UTC, the column is otherwise without")


def test_iso_times_with_an_offset_need_no_format(csv):
    times = [
        "2024-05-01T10:00:00Z",
        "2024-05-01 10:00+02:00",
        "2024-05-01T10:00-0330",
        "2024-05-01T10:00:00.25 +02",
        "2024-05-01T10:00z",
        "2024-05-01T10:00",
        "2024-05-01",
        "2024-05-32T10:00Z",
    ]
    good, bad = one_column(csv, times, "time")
    assert [str(np.datetime64(v, "ms"))[11:] for v in good.values()] == [
        "10:00:00.000",
        "08:00:00.000",
        "13:30:00.000",
        "08:00:00.250",
        "10:00:00.000",
    ]
    assert {line: r.reason.split("' ")[1][:14] for line, r in bad.items()} == {
        7: "has no offset ",
        8: "has no offset ",
        9: "is not a date ",
    }
    # a column without any time says nothing about the clock
    text = "t,u,n\n2024-05-01T10:00:00Z,,1\n2024-05-01T10:00:00Z,,2\n"
    columns, _, clock = staged(
        Source("s", file=csv(text), columns={"t": "time", "u": "time", "n": "integer"})
    )
    assert clock == "UTC"
    assert np.isnat(columns["u"].astype("datetime64[us]")).all()


def test_times_with_an_offset_are_stored_in_utc(csv):
    text = "t,n\n2024-05-01T10:00:00+02:00,1\n2024-05-01T10:00:00Z,2\n"
    source = Source(
        "s", file=csv(text), columns={"t": "time", "n": "integer"}, formats={"t": "%Y-%m-%dT%H:%M:%S%z"}
    )
    columns, _, clock = staged(source)
    assert clock == "UTC"
    assert [str(t) for t in columns["t"]] == ["2024-05-01T08:00:00.000000", "2024-05-01T10:00:00.000000"]


def test_wall_times_of_a_zone_that_do_not_exist_or_exist_twice_are_rejected(csv):
    times = [
        "2024-01-15 12:00",
        "2024-07-15 12:00",
        "2024-03-31 02:30",
        "2024-10-27 02:30",
        "2024-10-27 03:00",
    ]
    good, bad = one_column(csv, times, "time", time_zone="Europe/Berlin")
    assert [str(np.datetime64(v, "m")) for v in good.values()] == [
        "2024-01-15T11:00",
        "2024-07-15T10:00",
        "2024-10-27T02:00",
    ]
    assert "does not exist in Europe/Berlin" in bad[4].reason
    assert "exists twice in Europe/Berlin" in bad[5].reason
    # half an hour of daylight saving on Lord Howe Island
    good, bad = one_column(
        csv, ["2024-04-07 01:45", "2024-04-07 02:15"], "time", time_zone="Australia/Lord_Howe"
    )
    assert "exists twice" in bad[2].reason
    assert len(good) == 1


def test_a_source_must_not_mix_times_with_and_without_a_zone(csv):
    frame = pd.DataFrame(
        {"a": pd.to_datetime(["2024-05-01 10:00+02:00"]), "b": pd.to_datetime(["2024-05-01 10:00"])}
    )
    with pytest.raises(InputError, match="time_zone="):
        staged(Source("s", frame=frame))
    columns, _, clock = staged(Source("s", frame=frame, time_zone="Europe/Berlin"))
    assert clock == "UTC"
    assert str(columns["a"][0])[:16] == str(columns["b"][0])[:16] == "2024-05-01T08:00"
    with pytest.raises(UnknownNameError, match="did you mean 'Europe/Berlin'") as caught:
        staged(Source("s", frame=frame, time_zone="Europe/Berln"))
    assert len(caught.value.known) <= 5


def test_a_frame_keeps_its_types(tmp_path):
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [1.5, np.nan],
            "c": pd.Categorical(["x", "y"]),
            "s": ["a", None],
            "b": [True, False],
            "t": pd.to_datetime(["2024-05-01", None]),
            "n": ["12", "x"],
        }
    )
    columns, raw, _ = staged(Source("s", frame=frame, columns={"n": "integer"}, max_rejected=1))
    assert columns["i"].tolist() == [1]
    assert columns["c"].tolist() == ["x"]
    assert columns["n"].tolist() == [12]
    assert (raw.rejects[0].line, raw.rejects[0].original) == (2, "x")
    frame.to_parquet(tmp_path / "x.parquet")
    columns, raw, _ = staged(Source("s", file=tmp_path / "x.parquet"))
    assert raw.read == 2
    assert np.isnan(columns["f"][1])
    assert columns["s"].tolist() == ["a", None]


def test_both_readers_of_csv_give_the_same(csv):
    """A file with a broken line is read by the careful reader, without it by the engine."""
    clean, _, _ = staged(tickets(csv(CSV)))
    careful, raw, _ = staged(tickets(csv(CSV + "e;broken\n")))
    assert [r.reason for r in raw.rejects] == ["2 fields instead of 7"]
    assert raw.rejects[0].line == 6
    for name, column in clean.items():
        assert column.astype(str).tolist() == careful[name].astype(str).tolist()


def test_lines_count_quoted_line_ends(csv):
    text = 'a,x\n"two\nlines",1\n\n"three\n\nlines",oops\nz,2\n'
    _, raw, _ = staged(Source("s", file=csv(text), columns={"x": "integer"}))
    assert [(r.line, r.original) for r in raw.rejects] == [(5, '"three\n\nlines",oops')]


def test_windows_bytes_in_a_file_declared_utf8(csv):
    text = "a;x\nit’s;1\nplain;2\n"
    columns, raw, _ = staged(Source("s", file=csv(text, encoding="cp1252"), delimiter=";", max_rejected=1))
    assert columns["a"].tolist() == ["plain"]
    assert raw.rejects[0].line == 2
    assert "declare encoding='cp1252'" in raw.rejects[0].reason
    assert raw.rejects[0].original == "it\\x92s;1"
    columns, raw, _ = staged(Source("s", file=csv(text, encoding="cp1252"), delimiter=";", encoding="cp1252"))
    assert columns["a"].tolist() == ["it’s", "plain"]


def test_mistakes_in_the_declaration(csv, tmp_path):
    path = csv(CSV)
    with pytest.raises(UnknownNameError, match="did you mean 'opened'"):
        staged(Source("s", file=path, delimiter=";", columns={"opend": "time"}))
    with pytest.raises(LoadError, match="there is no file"):
        staged(Source("s", file=tmp_path / "none.csv"))
    with pytest.raises(LoadError, match="is empty"):
        staged(Source("s", file=csv("", name="empty.csv")))
    with pytest.raises(InputError, match="two columns"):
        staged(Source("s", file=csv("a,A\n1,2\n", name="twice.csv")))
    with pytest.raises(LoadError, match="no Parquet"):
        staged(Source("s", file=csv("a,A\n1,2\n", name="x.parquet")))
    with pytest.raises(InputError, match="mixes types"):
        staged(Source("s", frame=pd.DataFrame({"x": [1, "a"]}, dtype=object)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either file= or frame="),
        ({"file": "x.csv", "frame": pd.DataFrame()}, "either file= or frame="),
        ({"file": "x.xlsx"}, "format of x.xlsx"),
        ({"file": "x.csv", "columns": {"a": "int"}}, "integer"),
        ({"file": "x.csv", "formats": {"a": "%Y"}}, "declare it in columns="),
        ({"file": "x.csv", "mode": "replace"}, "append, snapshot"),
        ({"file": "x.csv", "max_rejected": 5}, "share between 0 and 1"),
        ({"file": "x.csv", "delimiter": "||"}, "single characters"),
        ({"file": "x.csv", "decimal": "'"}, "decimal mark"),
    ],
)
def test_a_source_that_contradicts_itself(settings, message):
    with pytest.raises((InputError, UnknownNameError), match=message):
        Source("s", **settings)


def test_open_items_need_a_unit_of_time():
    with pytest.raises(InputError, match="unit of time"):
        SourceMeasure(DEFECTS, value="x", when="t", start="s")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("quote", ['"', None])
def test_line_ends_byte_order_marks_and_quotes(csv, end, mark, quote):
    text = mark + end.join(["a,n", "x,1", "", "y,2", "z,3"]) + end
    columns, raw, _ = staged(Source("s", file=csv(text), columns={"n": "integer"}, quote=quote))
    assert raw.rejects == []
    assert raw.names == ["a", "n"]
    assert raw.read == 3
    assert columns["a"].tolist() == ["x", "y", "z"]
    assert columns["n"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rejected_lines_are_found_whatever_the_line_ends(csv, end):
    text = end.join(["a,n", "x,1", "", "y,no", '"z', 'z",no']) + end
    _, raw, _ = staged(Source("s", file=csv(text), columns={"n": "integer"}))
    assert [(r.line, r.original) for r in raw.rejects] == [(4, "y,no"), (5, f'"z{end}z",no')]


def test_one_column_and_empty_fields(csv):
    columns, raw, _ = staged(Source("s", file=csv("n\n1\n\n2\n"), columns={"n": "integer"}))
    assert columns["n"].tolist() == [1, 2]
    columns, raw, _ = staged(Source("s", file=csv('a,b\n"",\nx,y\n'), missing=("NA",)))
    assert columns["a"].tolist() == ["", "x"]
    assert columns["b"].tolist() == ["", "y"]
    columns, raw, _ = staged(Source("s", file=csv("a,b\n")))
    assert raw.read == 0


def test_a_file_without_its_last_line_end_and_one_with_nul(csv):
    columns, _, _ = staged(Source("s", file=csv("a,b\n1,2\n3,4")))
    assert columns["b"].tolist() == ["2", "4"]
