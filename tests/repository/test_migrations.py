from __future__ import annotations

import pytest

from perfanalytics.core.errors import MigrationError, RepositoryError
from perfanalytics.repository import migrations
from perfanalytics.repository.duckdb_engine import DuckDBEngine
from perfanalytics.repository.repository import Repository

FIRST = (1, "0001_a.sql", "CREATE TABLE a (x INTEGER)")
SECOND = (2, "0002_b.sql", "ALTER TABLE a ADD COLUMN y INTEGER; CREATE TABLE b (z INTEGER)")
BROKEN = (2, "0002_b.sql", "CREATE TABLE b (z INTEGER); SELECT * FROM nothing")


@pytest.fixture
def engine():
    engine = DuckDBEngine(":memory:")
    yield engine
    engine.close()


def tables(engine):
    return {n for (n,) in engine.rows("SELECT table_name FROM information_schema.tables")}


def test_migrations_are_applied_once_and_recorded(engine):
    assert migrations.migrate(engine, [FIRST]) == ["0001_a.sql"]
    assert migrations.migrate(engine, [FIRST, SECOND]) == ["0002_b.sql"]
    assert migrations.migrate(engine, [FIRST, SECOND]) == []
    assert engine.rows("SELECT number, name FROM migration ORDER BY number") == [
        (1, "0001_a.sql"),
        (2, "0002_b.sql"),
    ]


def test_a_failing_migration_is_undone_the_ones_before_stay(engine):
    with pytest.raises(MigrationError, match=r"0002_b\.sql failed"):
        migrations.migrate(engine, [FIRST, BROKEN])
    assert tables(engine) == {"a", "migration"}
    assert migrations.migrate(engine, [FIRST, SECOND]) == ["0002_b.sql"]


def test_a_newer_file_and_a_changed_migration_are_refused(engine):
    migrations.migrate(engine, [FIRST, SECOND])
    with pytest.raises(MigrationError, match="newer version"):
        migrations.migrate(engine, [FIRST])
    with pytest.raises(MigrationError, match="is not the one"):
        migrations.migrate(engine, [(1, "0001_a.sql", "CREATE TABLE other (x INTEGER)"), SECOND])


def test_the_files_of_the_package_are_numbered_without_a_gap():
    found = migrations.available()
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))


def test_read_only_needs_an_up_to_date_file(tmp_path):
    path = tmp_path / "r.duckdb"
    with pytest.raises(RepositoryError, match="no repository"):
        Repository.open(path, read_only=True)
    DuckDBEngine(path).close()
    with pytest.raises(MigrationError, match="open it once for writing"):
        Repository.open(path, read_only=True)
    Repository.open(path).close()
    Repository.open(path, read_only=True).close()


def test_a_file_that_is_no_repository(tmp_path):
    path = tmp_path / "r.duckdb"
    path.write_text("this is a text, long enough to be looked at " * 1000)
    with pytest.raises(RepositoryError, match="is not a repository"):
        Repository.open(path)
    with pytest.raises(RepositoryError, match="folder"):
        Repository.open(tmp_path / "nowhere" / "r.duckdb")
    with pytest.raises(RepositoryError, match="it is a folder"):
        Repository.open(tmp_path)


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.parquet", "data.db", "data.duckdb"])
@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"SQLite format 3\x00" + bytes(4096)])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path, name, content, read_only):
    # DuckDB opens a CSV file in memory: everything loaded would be lost without a word
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RepositoryError, match="is not a repository"):
        Repository.open(path, read_only=read_only)
    assert path.read_bytes() == content


def test_a_database_with_other_tables_is_refused(tmp_path):
    path = tmp_path / "other.duckdb"
    engine = DuckDBEngine(path)
    engine.execute("CREATE TABLE invoice (x INTEGER)")
    engine.close()
    with pytest.raises(RepositoryError, match=r"tables of its own \(invoice\)"):
        Repository.open(path)


def test_a_path_is_never_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Repository.open("md:metrics").close()
    assert (tmp_path / "md:metrics").is_file()
