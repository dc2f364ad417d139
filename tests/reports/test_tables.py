"""Tables of a report can be sorted, by numbers that are printed rounded; a scorecard explains its symbols."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

import perfanalytics as perf
from perfanalytics.figures.scorecard import ASSURANCE, LEGEND, VARIATION
from perfanalytics.reports.report import _sorted_by, _table

HOURS = perf.Measure("hours", definition="d", unit="h", better="lower", scale="real")


def test_a_rounded_number_keeps_what_it_is_sorted_by():
    frame = pd.DataFrame({"x": [1.23456, 1.23457, np.nan, 12000.0], "name": ["b", "a", "c", "d"]})
    html = _table(frame)
    assert "<table class=sortable>" in html
    assert "data-v=1.23456>1.235<" in html
    assert "data-v=12000.0>12,000<" in html
    assert re.search(r"<td></td>", html)
    assert _sorted_by("text") == _sorted_by(True) == _sorted_by(float("inf")) == ""


def test_short_tables_stay_as_they_are():
    assert "sortable" not in _table(pd.DataFrame({"x": [1, 2]}))


def test_a_scorecard_explains_every_symbol_and_shows_every_row(tmp_path):
    rng = np.random.default_rng(1)
    charts = [
        perf.control_chart(perf.Series(rng.normal(10, 1, 12), measure=HOURS, id=f"team {k}"))
        for k in range(520)
    ]
    page = perf.report({"Scorecard": perf.scorecard(charts)}, tmp_path / "s.html", title="t").read_text(
        "utf-8"
    )
    assert page.count("<tr>") == 521 + (0 if "more rows" not in page else 1)
    assert "more rows are in the saved result" not in page
    words = {symbol for symbol, _ in LEGEND}
    assert {word for *_, word in VARIATION.values()} <= words
    assert {word for word in ASSURANCE.values() if word} <= words
    for symbol, _ in LEGEND:
        assert f"<dt>{symbol}</dt>" in page
    assert "aria-live" in page
    assert not re.search(r"(src|href)=[\"']?https?:", page.split("plotly.js")[0])
