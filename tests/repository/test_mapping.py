"""Bulk runs: the same numbers whatever the blocks, resumable, complete or not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.errors import InputError, RepositoryError
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Method
from perfanalytics.repository import mapping
from perfanalytics.repository.repository import Repository
from perfanalytics.repository.source import Source, SourceMeasure
from repository.samples import DEFECTS, simple

COLUMNS = {"n": "integer", "mean": "float", "top": "boolean", "who": "text", "last": "time", "hash": "text"}


def summary(seen=None, fail_after=None, **parameters):
    """A bulk method that sees everything: the hash covers values, times and sizes."""

    def apply(batch):
        if seen is not None:
            seen.append((len(batch), len(batch.values)))
            if fail_after is not None and len(seen) > fail_after:
                raise ZeroDivisionError
        return {
            "n": batch.lengths,
            "mean": np.array([s.values.mean() if len(s) else np.nan for s in batch]),
            "top": np.array([bool(len(s)) and s.values.max() > 2 for s in batch]),
            "who": np.array(batch.ids, dtype=object),
            "last": np.array([s.when[-1] for s in batch], dtype="datetime64[us]"),
            "hash": np.array(batch.hashes(), dtype=object),
        }

    return BulkMethod(method=Method("summary", parameters), columns=COLUMNS, apply=apply)


@pytest.fixture
def many(repo):
    """40 series of very different lengths, 4,000 points in all."""
    rng = np.random.default_rng(7)
    group = np.sort(rng.integers(0, 40, 4000) // rng.integers(1, 9, 4000))
    repo.load(
        simple(
            rng.normal(size=4000),
            pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, 4000), unit="h"),
            group=group,
            half=group % 2 == 0,
        )
    )
    return repo


@pytest.mark.parametrize("block", [1, 16, 300, 100_000])
def test_blocks_and_ranges_do_not_matter(many, monkeypatch, block):
    monkeypatch.setattr(mapping, "RANGE", 700)
    seen = []
    selection = many.select("defects", by="group")
    run = mapping.run(many._engine, selection, summary(seen), progress=False, block=block)
    batch = many.batch("defects", by="group")
    frame = run.to_frame()
    assert frame["id"].tolist() == list(batch.ids)
    assert frame["hash"].tolist() == list(batch.hashes())
    assert frame["n"].tolist() == batch.lengths.tolist()
    assert frame["who"].tolist() == list(batch.ids)
    assert frame["last"].tolist() == [pd.Timestamp(s.when[-1]) for s in batch]
    assert frame["top"].tolist() == [bool(s.values.max() > 2) for s in batch]
    assert sum(n for _, n in seen) == 4000
    assert run.series == len(batch)
    if block < 4000:
        assert len(seen) > 1


@pytest.mark.parametrize(
    "asked", [{"every": "week"}, {"every": "day", "statistic": "median"}, {"where": {"half": True}}]
)
def test_any_selection_maps_as_it_reads(many, asked, monkeypatch):
    monkeypatch.setattr(mapping, "RANGE", 900)
    run = many.map(many.select("defects", by="group", **asked), summary(), progress=False)
    batch = many.batch("defects", by="group", **asked)
    assert run.to_frame()["hash"].tolist() == list(batch.hashes())
    assert run.to_frame()["id"].tolist() == list(batch.ids)


def test_an_interrupted_run_goes_on_and_shows_only_when_complete(many, monkeypatch):
    monkeypatch.setattr(mapping, "RANGE", 500)
    selection = many.select("defects", by="group")
    seen = []
    with pytest.raises(ZeroDivisionError):
        mapping.run(many._engine, selection, summary(seen, fail_after=3), progress=False, block=200)
    assert many.history().empty
    done = sum(n for n, _ in seen[:3])
    again, told = [], []
    run = mapping.run(
        many._engine, selection, summary(again), progress=lambda d, n: told.append((d, n)), block=200
    )
    assert sum(n for n, _ in again) == run.series - done
    assert told[-1] == (run.series, run.series)
    assert run.to_frame()["hash"].tolist() == list(many.batch("defects", by="group").hashes())
    history = many.history()
    assert history["kind"].tolist() == ["run"]
    assert history["name"].tolist() == [run.key]
    assert many.run(run.key).to_frame().equals(run.to_frame())
    # once more: nothing is computed
    third = []
    assert many.map(selection, summary(third), progress=False).key == run.key
    assert third == []


def test_the_key_names_method_selection_and_data(many):
    selection = many.select("defects", by="group")
    keys = {
        mapping.run_key(many._engine, selection, summary()),
        mapping.run_key(many._engine, selection, summary(other=1)),
        mapping.run_key(many._engine, many.select("defects", by="half"), summary()),
    }
    assert len(keys) == 3
    # a load that changes nothing does not make a new run, one that does makes one
    source = simple([1.0], ["2025-01-01"], group=[1], half=[False])
    again = Source("more", frame=source.frame, measures=source.measures)
    many.load(again)
    changed = mapping.run_key(many._engine, selection, summary())
    assert changed not in keys
    many.load(again)
    assert mapping.run_key(many._engine, selection, summary()) == changed


def test_exclusions_by_item_reach_the_method(repo):
    when = pd.date_range("2024-01-01", periods=6)
    repo.load(simple([1, 2, 3, 4, 5, 6], when, item=list("abcdef"), group=[1, 1, 1, 2, 2, 2]))
    repo.declare(Exclusion("wrong", item="e"))
    method = BulkMethod(
        method=Method("excluded"),
        columns={"left_out": "integer"},
        apply=lambda b: {"left_out": np.array([int(s.excluded()[0].sum()) for s in b])},
    )
    run = repo.map(repo.select("defects", by="group"), method, progress=False)
    assert run.to_frame()["left_out"].tolist() == [0, 1]


def test_an_empty_selection_and_misuse(many, tmp_path):
    run = many.map(many.select("defects", by="group", since="2030-01-01"), summary(), progress=False)
    assert run.series == 0
    assert list(run.to_frame().columns) == ["id", *COLUMNS]
    with pytest.raises(InputError, match="takes a selection"):
        many.map("defects", summary())
    with pytest.raises(InputError, match="bulk method"):
        many.map(many.select("defects"), len)
    bad = BulkMethod(method=Method("x"), columns={"id": "text"}, apply=lambda b: {})
    with pytest.raises(InputError, match="'id'"):
        many.map(many.select("defects"), bad)
    with pytest.raises(RepositoryError, match="no finished run"):
        many.run("x")


def test_a_finished_run_can_be_read_read_only(tmp_path):
    path = tmp_path / "r.duckdb"
    frame = pd.DataFrame({"v": [1.0, 5.0], "t": pd.date_range("2024-01-01", periods=2), "g": ["x", "y"]})
    measure = SourceMeasure(DEFECTS, value="v", when="t", attributes=("g",))
    with Repository.open(path) as repo:
        repo.load(Source("s", frame=frame, measures=(measure,)))
        key = repo.map(repo.select("defects", by="g"), summary(), progress=False).key
    with Repository.open(path, read_only=True) as repo:
        run = repo.map(repo.select("defects", by="g"), summary(), progress=False)
        assert run.key == key
        assert run.to_frame()["mean"].tolist() == [1.0, 5.0]
        with pytest.raises(RepositoryError, match="read-only"):
            repo.map(repo.select("defects"), summary(), progress=False)
