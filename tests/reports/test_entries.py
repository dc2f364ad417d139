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


def _broken(result):
    raise ZeroDivisionError("no room for 0 points")


def test_a_figure_that_cannot_be_drawn_leaves_the_rest_of_the_report(tmp_path, monkeypatch):
    from perfanalytics.figures import plot

    charts = {"first": perf.control_chart([5.0, 4, 6, 5, 12, 5, 6, 4]), "second": perf.baseline([1.0, 2, 4])}
    whole = perf.report(charts, tmp_path / "whole.html", title="t").read_text(encoding="utf-8")
    assert "could not be drawn" not in whole
    drawn = plot.load
    broken = plot.FIGURES["control_chart"]
    monkeypatch.setattr(plot, "load", lambda name: _broken if name == broken else drawn(name))
    page = perf.report(charts, tmp_path / "part.html", title="t").read_text(encoding="utf-8")
    assert "The figure could not be drawn (ZeroDivisionError: no room for 0 points)." in page
    assert charts["first"].verdict in page
    assert "Limits" in page
    assert page.count('<div class="figure"') == whole.count('<div class="figure"') - 1
    assert page.count("could not be drawn") == 1


def test_a_further_figure_that_fails_leaves_the_first_one(tmp_path, monkeypatch):
    from perfanalytics.reports import report

    chart = perf.control_chart([5.0, 4, 6, 5, 12, 5, 6, 4])

    def refused(result):
        raise perf.InputError("there is no process to draw.")

    monkeypatch.setattr(report, "further_figures", refused)
    page = report.report([chart], tmp_path / "r.html", title="t").read_text(encoding="utf-8")
    assert page.count('<div class="figure"') == 1
    assert "The figure could not be drawn (there is no process to draw). Verdict and numbers do" in page
