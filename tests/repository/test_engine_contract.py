"""What any storage engine must do. To test another engine: subclass EngineContract, supply ``engine``."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from perfanalytics.core.errors import RepositoryError
from perfanalytics.repository.duckdb_engine import DuckDBEngine


class EngineContract:
    @pytest.fixture
    def engine(self, tmp_path):
        raise NotImplementedError

    def reopened(self, engine, *, read_only=False):
        raise NotImplementedError

    def test_rows_bind_parameters(self, engine):
        evil = "x'; DROP TABLE t; --"
        engine.execute("CREATE TABLE t (a VARCHAR)")
        engine.execute("INSERT INTO t VALUES (?)", [evil])
        assert engine.rows("SELECT a FROM t WHERE a = ?", [evil]) == [(evil,)]

    def test_columns_mark_what_is_missing(self, engine):
        engine.execute("CREATE TABLE t (i INTEGER, f DOUBLE, s VARCHAR, t TIMESTAMP, b BOOLEAN)")
        engine.execute(
            "INSERT INTO t VALUES (1, 1.5, 'x', '2024-05-01 10:00', true), (NULL, NULL, NULL, NULL, NULL)"
        )
        columns = engine.columns("SELECT * FROM t")
        assert columns["i"][0] == 1
        assert np.isnan(columns["i"][1])
        assert np.isnan(columns["f"][1])
        assert columns["s"].tolist() == ["x", None]
        assert columns["t"].dtype == np.dtype("datetime64[us]")
        assert columns["t"][0] == np.datetime64("2024-05-01T10:00")
        assert np.isnat(columns["t"][1])
        assert columns["b"].tolist() == [True, None]

    def test_columns_of_an_empty_answer_keep_their_names(self, engine):
        engine.execute("CREATE TABLE t (i INTEGER, s VARCHAR)")
        columns = engine.columns("SELECT * FROM t")
        assert list(columns) == ["i", "s"]
        assert [len(c) for c in columns.values()] == [0, 0]

    def test_put_gives_back_what_it_was_given(self, engine):
        data = {
            "n": np.arange(3),
            "x": np.array([0.1, np.inf, -0.0]),
            "s": np.array(["a", None, "ü"], dtype=object),
            "t": np.array(["2024-01-01", "2024-01-02", "2024-01-03"], dtype="datetime64[us]"),
        }
        engine.put("incoming", data)
        back = engine.columns("SELECT * FROM incoming")
        for name, column in data.items():
            assert back[name].tolist() == column.tolist()

    def test_append_casts_and_keeps_the_order_of_the_columns(self, engine):
        engine.execute('CREATE TABLE t (a INTEGER, "b c" VARCHAR)')
        columns = {"b c": np.array(["x", None], dtype=object), "a": np.array([1.0, 2.0])}
        engine.append("t", columns, {"a": "INTEGER", "b c": "VARCHAR"})
        assert engine.rows("SELECT * FROM t ORDER BY a") == [(1, "x"), (2, None)]

    def test_stream_gives_all_rows_in_order_in_pieces(self, engine):
        engine.execute("CREATE TABLE t AS SELECT range AS i, range * 0.5 AS v FROM range(100000)")
        pieces = list(engine.stream("SELECT i, v FROM t WHERE i >= ? ORDER BY i", [10], points=2048))
        assert len(pieces) > 5
        assert np.array_equal(np.concatenate([p["i"] for p in pieces]), np.arange(10, 100000))
        assert max(len(p["i"]) for p in pieces) < 50_000

    def test_stream_goes_on_while_others_write(self, engine):
        engine.execute("CREATE TABLE t AS SELECT range AS i FROM range(50000)")
        seen = 0
        for number, piece in enumerate(engine.stream("SELECT i FROM t ORDER BY i", points=2048)):
            with engine.transaction():
                engine.execute(f"CREATE TABLE written_{number} AS SELECT 1 AS one")
            seen += len(piece["i"])
        assert seen == 50000

    def test_a_transaction_is_all_or_nothing(self, engine):
        with engine.transaction():
            engine.execute("CREATE TABLE kept AS SELECT 1 AS a")

        def half_way():
            with engine.transaction():
                engine.execute("CREATE TABLE lost AS SELECT 1 AS a")
                engine.execute("INSERT INTO kept VALUES (2)")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half_way()
        assert engine.rows("SELECT a FROM kept") == [(1,)]
        names = {n for (n,) in engine.rows("SELECT table_name FROM information_schema.tables")}
        assert "lost" not in names

    def test_what_was_committed_is_there_after_reopening(self, engine):
        with engine.transaction():
            engine.execute("CREATE TABLE kept AS SELECT TIMESTAMP '2024-05-01' AS t")
        again = self.reopened(engine, read_only=True)
        assert again.rows("SELECT t FROM kept") == [(dt.datetime(2024, 5, 1),)]
        with pytest.raises(RepositoryError, match="read-only"), again.transaction():
            pass
        again.close()

    def test_python_variables_are_no_tables(self, engine):
        hidden = {"a": np.arange(3)}
        assert len(hidden["a"]) == 3
        with pytest.raises(Exception, match="hidden"):
            engine.rows("SELECT * FROM hidden")

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_text('{file}')",
            "SELECT * FROM read_csv('{file}')",
            "SELECT * FROM '{file}'",
            "SELECT * FROM glob('*')",
            "COPY staged TO '{file}.out'",
            "ATTACH '{file}.db'",
            "EXPORT DATABASE '{file}.dir'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "RESET enable_external_access",
        ],
    )
    def test_a_locked_sandbox_reaches_nothing(self, engine, tmp_path, sql):
        file = tmp_path / "secret.csv"
        file.write_text("a\n1\n")
        sandbox = engine.sandbox()
        sandbox.put("staged", {"a": np.arange(3)})
        sandbox.lock()
        assert sandbox.rows("SELECT sum(a) FROM staged") == [(3,)]
        with pytest.raises(Exception, match=r"(?i)disabled|locked|permission|cannot"):
            sandbox.execute(sql.format(file=file))
        assert not (tmp_path / "secret.csv.out").exists()
        sandbox.close()

    def test_a_sandbox_does_not_see_the_repository(self, engine):
        engine.execute("CREATE TABLE secret AS SELECT 1 AS a")
        sandbox = engine.sandbox()
        with pytest.raises(Exception, match="secret"):
            sandbox.rows("SELECT * FROM secret")
        assert sandbox.arrow("SELECT 1 AS a").num_rows == 1
        sandbox.close()

    def test_a_sandbox_reads_csv_as_text_in_order(self, engine, tmp_path):
        file = tmp_path / "x.csv"
        file.write_text('a,b\n1,"x, y"\n2,03/01/2024\n3,\n')
        sandbox = engine.sandbox()
        bad = sandbox.read_csv("raw", str(file), names=["a", "b"], delimiter=",", quote='"', gzip=False)
        assert bad == 0
        assert sandbox.rows("SELECT * FROM raw ORDER BY _row") == [
            ("1", "x, y", 1),
            ("2", "03/01/2024", 2),
            ("3", "", 3),
        ]
        file.write_text("a,b\n1\n")
        assert (
            sandbox.read_csv("raw2", str(file), names=["a", "b"], delimiter=",", quote='"', gzip=False) == 1
        )
        sandbox.close()


class TestDuckDBEngine(EngineContract):
    @pytest.fixture
    def engine(self, tmp_path):
        engine = DuckDBEngine(tmp_path / "engine.duckdb")
        yield engine
        engine.close()

    def reopened(self, engine, *, read_only=False):
        engine.close()
        return DuckDBEngine(engine.path, read_only=read_only)
