from __future__ import annotations

import pandas as pd

import perfanalytics as perf


def test_an_entry_of_words_and_tables_needs_no_result(tmp_path):
    table = pd.DataFrame({"action": ["train the desk"], "owner": ["ana"]})
    item = perf.ReportItem("Actions", None, verdict="One action is open.", extra=(("Actions", table),))
    page = perf.report([item], tmp_path / "r.html", title="t").read_text(encoding="utf-8")
    assert "One action is open." in page
    assert "train the desk" in page
    assert "Not done" not in page
    assert '<details class="method">' not in page
