from __future__ import annotations

from click.testing import CliRunner

import perfanalytics as perf
from perfanalytics.cli import cli


def test_export_writes_tables_and_json(tmp_path):
    database = tmp_path / "r.duckdb"
    with perf.Repository.open(database) as repo:
        repo.declare(perf.Action("train", what="train the desk", owner="ana"))
        repo.save(perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4]), name="chart", by="ana")
    told = CliRunner().invoke(cli, ["export", str(database), "--to", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    assert told.output.startswith("5 files written")
    assert {p.name for p in (tmp_path / "out").rglob("*") if p.is_file()} == {
        "action.csv",
        "records.json",
        "results.csv",
        "chart-1.json",
        "chart-1.csv",
    }
