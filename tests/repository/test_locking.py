"""Several processes: one writer, many readers, and clear words otherwise."""

from __future__ import annotations

import subprocess
import sys

import pytest

from perfanalytics.core.errors import RepositoryError, RepositoryLockedError
from perfanalytics.repository.repository import Repository
from repository.samples import simple

HOLD = """
import sys
from perfanalytics.repository.repository import Repository
with Repository.open(sys.argv[1], read_only=sys.argv[2] == "read") as repo:
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "r.duckdb"
    with Repository.open(path) as repo:
        repo.load(simple([1.0], ["2024-01-01"]))
    return path


@pytest.fixture
def held(path):
    """Another process that has the repository open."""
    started = []

    def hold(how):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "open\n"
        return process

    yield hold
    for process in started:
        process.communicate("\n", timeout=30)


@pytest.mark.parametrize("read_only", [False, True])
def test_beside_a_writer_nobody_gets_in(path, held, read_only):
    process = held("write")
    with pytest.raises(RepositoryLockedError, match=rf"in use by process {process.pid}") as caught:
        Repository.open(path, read_only=read_only)
    assert caught.value.__suppress_context__  # no stack trace of the engine


def test_readers_share(path, held):
    held("read")
    with Repository.open(path, read_only=True) as repo:
        assert repo.series("defects").values.tolist() == [1.0]
    with pytest.raises(RepositoryLockedError):
        Repository.open(path)


def test_in_one_process(path):
    with Repository.open(path), pytest.raises(RepositoryLockedError, match="already open in this process"):
        Repository.open(path, read_only=True)
    with Repository.open(path, read_only=True) as repo:
        assert "read-only" in repr(repo)


def test_the_same_file_opened_twice_for_writing_in_one_process(path):
    with Repository.open(path) as first:
        with Repository.open(path) as second:
            first.load(simple([1.0, 2.0], ["2024-01-01", "2024-01-02"]))
            assert second.series("defects").values.tolist() == [1.0, 2.0]
        assert len(first.series("defects")) == 2  # closing one does not close the other


def test_two_writes_at_the_same_moment(path):
    with Repository.open(path) as first, Repository.open(path) as second:
        with first._engine.transaction():
            first._engine.execute("UPDATE load SET loaded_by = 'x'")
            with pytest.raises(RepositoryError, match="at the same time"), second._engine.transaction():
                second._engine.execute("UPDATE load SET loaded_by = 'y'")
        assert second.loads()["loaded_by"].tolist() == ["x"]


def test_a_closed_repository_says_so(path):
    repo = Repository.open(path)
    repo.close()
    repo.close()
    for ask in (
        repo.measures,
        repo.loads,
        repo.checks,
        lambda: repo.series("defects"),
        lambda: repo.load(simple([1.0], ["2024-01-01"])),
        lambda: repo.declare(),
    ):
        with pytest.raises(RepositoryError, match="was closed: open it again"):
            ask()
