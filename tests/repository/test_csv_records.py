from __future__ import annotations

import csv as csv_module
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfanalytics.core.errors import InputError
from perfanalytics.repository.csv_records import records
from perfanalytics.repository.duckdb_engine import DuckDBSandbox


def read(path, **changes):
    return list(records(path, **({"delimiter": ",", "quote": '"', "encoding": "utf-8"} | changes)))


def test_each_broken_record_is_found_on_its_line_and_the_others_survive(csv):
    path = csv(
        b'a,b,c\n1,"x,y",3\n2,"two\nlines",3\n\n3,only\n4,"unclosed,5\n5,w\x92x,6\n'
        b'6,"a ""q"" b",7\n7,a,b,c\n8,"bad"quote,1\n9,ok,""\n10,last,1'
    )
    found = read(path)
    good = {r.line: r.fields for r in found if r.error is None}
    assert good == {
        1: ("a", "b", "c"),
        2: ("1", "x,y", "3"),
        3: ("2", "two\nlines", "3"),
        9: ("6", 'a "q" b', "7"),
        12: ("9", "ok", ""),
        13: ("10", "last", "1"),
    }
    bad = {r.line: r.error for r in found if r.error}
    assert set(bad) == {6, 7, 8, 10, 11}
    assert bad[6] == "2 fields instead of 3"
    assert "broken quotes" in bad[7]
    assert "byte 0x92 is not utf-8" in bad[8]
    assert "cp1252" in bad[8]
    assert bad[10] == "4 fields instead of 3"
    assert "broken quotes" in bad[11]
    assert next(r.text for r in found if r.line == 10) == "7,a,b,c"


def test_encodings_compression_and_byte_order_marks(csv, tmp_path):
    text = "name;x\nMüller’s;1\n"
    assert read(csv(text, encoding="cp1252"), delimiter=";", encoding="cp1252")[1].fields == ("Müller’s", "1")
    assert read(csv(text, encoding="utf-16"), delimiter=";", encoding="utf-16")[1].fields == ("Müller’s", "1")
    assert read(csv(text, encoding="utf-8-sig"), delimiter=";")[0].fields == ("name", "x")
    packed = tmp_path / "x.csv"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read(packed, delimiter=";")[1].fields == ("Müller’s", "1")
    with pytest.raises(InputError, match="unknown encoding"):
        read(csv(text), encoding="utf-9")


def test_no_quotes_means_a_quote_is_a_character(csv):
    assert read(csv('a,b\n"1,2\n'), quote=None)[1].fields == ('"1', "2")


def test_a_quote_that_never_closes_costs_one_line(csv):
    lines = [f"{i},x" for i in range(20_000)]
    lines[10] = '10,"x'
    found = read(csv("a,b\n" + "\n".join(lines) + "\n"))
    assert [r.line for r in found if r.error] == [12]
    assert len(found) == 20_001


FIELD = st.text(alphabet='ab,;"\n\r \té’0', max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=12))
def test_both_readers_agree_on_whatever_was_written_properly(tmp_path, rows):
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv_module.writer(file, quoting=csv_module.QUOTE_ALL)
        writer.writerows([("a", "b", "c"), *rows])
    careful = [r.fields for r in read(path)][1:]
    assert careful == rows
    sandbox = DuckDBSandbox()
    bad = sandbox.read_csv("raw", str(path), names=["a", "b", "c"], delimiter=",", quote='"', gzip=False)
    if not bad:  # what the engine cannot read it leaves to the careful reader
        assert [r[:3] for r in sandbox.rows("SELECT * FROM raw ORDER BY _row")] == rows
    sandbox.close()
