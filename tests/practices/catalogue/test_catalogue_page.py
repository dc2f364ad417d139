"""The tables of docs/catalogue.md are those of the catalogue."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_holds_the_newest_tables():
    spec = importlib.util.spec_from_file_location(
        "catalogue_page", ROOT / "scripts" / "write_catalogue_page.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert script.page(text) == text, "run scripts/write_catalogue_page.py"
    assert script.tables().count("\n| `") == len(script.perf.catalogue())
