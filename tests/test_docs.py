"""Every Python block of the documentation runs, page by page, in one namespace a page."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import perfanalytics as perf
from perfanalytics.spc.families import CHARTS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_examples_run(page, tmp_path, monkeypatch):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    if not blocks:
        pytest.skip(f"{page.name} has no examples")
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "docs"}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page.name} block {number}", "exec"), namespace)


def test_the_chart_of_the_walk_through_can_be_added(monkeypatch):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"^   ```python\n(.*?)^   ```", text, re.MULTILINE | re.DOTALL)
    assert code is not None
    namespace: dict[str, object] = {"__name__": "walk_through"}
    exec(compile(textwrap.dedent(code.group(1)), "CONTRIBUTING.md", "exec"), namespace)
    family = namespace["MEDIAN_INDIVIDUALS"]
    monkeypatch.setitem(CHARTS, family.name, family)
    chart = perf.control_chart([9, 11, 10, 12, 10, 9, 10, 11, 10, 18], chart=family.name)
    # by hand: median 10, median moving range 1, d4 = sqrt(2) z(0.75) = 0.9538726
    assert chart.center[0, 0] == 10.0
    assert chart.upper[0, 0] == pytest.approx(10 + 3 / 0.9538726, rel=1e-6)
    assert chart.signals["point"].tolist() == [9, 9]
    assert perf.plot(chart).data
