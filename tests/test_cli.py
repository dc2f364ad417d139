from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from perfanalytics.cli import cli, main

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"


def run(*arguments, check=None):
    out = subprocess.run(
        [sys.executable, "-m", "perfanalytics", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if check is not None:
        assert out.returncode == check, out.stdout + out.stderr
    return out


def test_every_command_is_documented():
    page = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        assert f"`perfanalytics {name}" in page, f"docs/plan.md does not name the command {name}"
        assert command.help
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0
    for option in cli.commands["run"].params:
        long = [o for o in option.opts if o.startswith("--")]
        assert not long or f"`{long[0]}" in page, f"docs/plan.md does not name {long}"


def test_init_check_and_misuse(tmp_path):
    plan = tmp_path / "plan.toml"
    assert "wrote" in run("init", plan, check=0).stdout
    assert "the plan is valid" in run("check", plan, check=0).stdout
    again = run("init", plan, check=2)
    assert "exists already" in again.stderr
    assert "Traceback" not in again.stderr
    assert "is not a date" in run("run", plan, "--since", "soon", check=2).stderr


def test_a_missing_source_file_is_told_and_the_rest_is_done(tmp_path):
    text = (SAMPLE / "plan.toml").read_text(encoding="utf-8")
    for name in ("changes.csv", "plan.toml"):
        (tmp_path / name).write_bytes((SAMPLE / name).read_bytes())
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    out = run(
        "run", tmp_path / "plan.toml", "--only", "Weekly success*", "--only", "Effort*", "--quiet", check=1
    )
    assert "NOT DONE" in out.stdout
    assert "incidents.csv" in out.stdout
    assert re.search(r"Weekly success of changes: Stable", out.stdout)
    assert "could not be done" in out.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Not done" in page


def test_only_that_matches_nothing_is_misuse(tmp_path):
    out = run(
        "run",
        SAMPLE / "plan.toml",
        "--only",
        "Weekly sucess of changes",
        "--repository",
        tmp_path / "r.duckdb",
        check=2,
    )
    assert "did you mean 'Weekly success of changes'" in out.stderr


def test_main_tells_mistakes_in_a_sentence(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["check", "nowhere.toml"])
    assert stop.value.code == 2
    assert "no plan at" in capsys.readouterr().err
