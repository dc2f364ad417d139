"""The sample data are what their script makes, and hold what their README says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_sample_data", SAMPLE / "make.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_script_writes_the_committed_bytes(make, tmp_path):
    make.write(tmp_path)
    for name in make.FILES:
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_the_readme_counts_the_rows():
    page = (SAMPLE / "README.md").read_text(encoding="utf-8")
    for file in sorted(SAMPLE.glob("*.csv")):
        name = file.stem
        rows = len(file.read_text(encoding="utf-8").splitlines()) - 1
        assert f"| {rows:,} |" in page, (name, rows)
