"""Every entry of the catalogue is complete, and refers to what exists."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.practices.catalogue.entry import names_in
from perfanalytics.practices.catalogue.reading import AREAS, DATA, entries
from perfanalytics.practices.catalogue.trace import CLAUSES, ITIL, PRACTICES, PROCESSES
from perfanalytics.repository.selection import STATISTICS
from perfanalytics.repository.source import UNIT_SECONDS
from perfanalytics.spc.families import CHARTS

ENTRIES = entries()
BASES = {b.name: b for e in ENTRIES for b in e.base}
KINDS = {e.record.name: e.record for e in ENTRIES}
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
each_base = pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())

# words of SQL in the expressions; everything else that looks like a name is one
SQL = {"case", "when", "then", "else", "end", "is", "not", "null", "and", "or"}
SQL |= {"coalesce", "greatest", "date_diff"}


def test_there_are_about_sixty_in_every_area():
    assert 58 <= len(ENTRIES) <= 66
    assert len({e.area for e in ENTRIES}) == len(AREAS) == 14
    assert {p.stem for p in DATA.glob("*.toml")} == {*AREAS, "records"}


def test_names_and_titles_are_unique_and_readable():
    for what in ([e.name for e in ENTRIES], [e.title for e in ENTRIES]):
        assert [n for n, k in Counter(what).items() if k > 1] == []
    for name in (*(e.name for e in ENTRIES), *BASES, *KINDS):
        assert re.fullmatch(r"[a-z][a-z_]+[a-z]", name), name


def test_no_base_measure_or_record_is_there_for_nothing():
    written = [
        line for p in DATA.glob("*.toml") for line in p.read_text(encoding="utf-8").split("[[base]]")[1:]
    ]
    names = [re.search(r'name = "(\w+)"', text)[1] for text in written]
    assert Counter(names) == Counter(list(BASES)), "each base measure is written once and used"
    text = (DATA / "records.toml").read_text(encoding="utf-8")
    assert set(re.findall(r'^name = "(\w+)"', text, re.M)) == set(KINDS)
    for kind in KINDS.values():
        used = {c for b in BASES.values() if b.record is kind for c in b.columns}
        used |= {t for e in ENTRIES if e.record is kind for t in (e.when, e.start, e.known)}
        assert {c.name for c in kind.columns} - used - {*kind.key, *kind.attributes} == set(), kind.name


@each_entry
def test_definition_and_advice_are_complete(entry):
    assert len(entry.definition) >= 60
    assert entry.definition.endswith(".")
    assert len(re.findall(r"[.!?](?= |$)", entry.traps)) in (2, 3), "two or three sentences of traps"
    assert len(entry.keywords) >= 3
    assert all(k == k.strip() and k for k in entry.keywords)
    measure = entry.measure()  # raises for a direction or scale that is none
    assert measure.label.startswith(entry.name)
    if entry.scale == "proportion":
        assert entry.full_unit == "1"
    else:
        assert entry.unit not in ("", "1")
    if entry.start:
        assert entry.unit in UNIT_SECONDS
        assert entry.known
    assert bool(entry.per) == (bool(entry.denominator) and entry.scale != "proportion")


@each_entry
def test_chart_baseline_and_model_exist(entry):
    advice = entry.advice
    chart = dict(advice.chart)
    family = CHARTS[chart.pop("chart")]
    family.check(chart.pop("options", {}), chart.pop("limits", None), None)
    assert set(chart) <= {"every", "statistic", "subgroups", "transform"}
    assert ("every" in chart) == ("statistic" in chart)
    for asked in (advice.chart, advice.baseline):
        statistic = asked.get("statistic")
        assert statistic is None or statistic in STATISTICS
    if family.name in ("p", "laney_p"):
        assert (entry.scale, chart["statistic"]) == ("proportion", "share")
    if family.name in ("c", "u", "laney_u"):
        assert entry.scale == "count"
    if family.name in ("u", "laney_u", "i_prime", "p", "laney_p"):
        assert entry.denominator, "a denominator is what these charts are for"
    if advice.of_chart:
        # minutes of an agreed time are no trials
        assert entry.name == "service_availability"
        assert not advice.baseline
        assert not advice.percentiles
    else:
        assert advice.percentiles
        assert all(1 <= p <= 99 for p in advice.percentiles)
    assert advice.distribution in ("", *FAMILIES)
    assert callable(getattr(perf, advice.model))
    assert advice.factors


@each_entry
def test_the_trace_is_to_what_exists(entry):
    t = entry.trace
    for given, known in (
        (t.practices, PRACTICES),
        (t.clauses, CLAUSES),
        (t.processes, PROCESSES),
        (t.itil, ITIL),
    ):
        assert given
        assert len(set(given)) == len(given)
        assert set(given) <= set(known)


def test_the_lists_of_identifiers():
    """As many as the reference lists: nothing was added on the way."""
    assert Counter(p.split("-")[0] for p in PRACTICES) == {
        "OPP": 5,
        "QWM": 7,
        "CAR": 5,
        "OPM": 10,
        "MA": 8,
        "CAM": 5,
        "IRP": 2,
        "SD": 1,
        "SSM": 1,
    }
    assert (len(CLAUSES), len(PROCESSES), len(ITIL)) == (16, 29, 15)


def test_clauses_and_processes_that_need_measurement_are_covered():
    traced = {c for e in ENTRIES for c in e.trace.clauses}
    assert set(CLAUSES) - traced == set()
    assert {i for e in ENTRIES for i in e.trace.itil} == set(ITIL)
    processes = {p for e in ENTRIES for p in e.trace.processes}
    # what has no measure of its own here: internal audits, requirements, the catalogue of services itself
    assert set(PROCESSES) - processes == {"COM.05", "RAA.5", "SDB.1"}


@each_entry
def test_formulas_are_of_base_measures_of_one_record(entry):
    assert set(names_in(entry.formula)) == {b.name for b in entry.base}
    assert len({b.record.name for b in entry.base}) == 1
    assert entry.when in entry.record.times
    assert {entry.start, entry.known} - {""} <= set(entry.record.times)
    if entry.each:
        assert " / " in entry.formula


@each_base
def test_base_measures_are_defined_over_the_columns_of_their_record(base):
    assert len(base.definition) >= 15
    assert not base.definition.endswith(".")
    names = set(names_in(f"{base.value} {base.where}")) - SQL
    assert names == set(base.columns)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_records_say_what_a_row_and_a_column_is(kind):
    names = [c.name for c in kind.columns]
    assert len(set(names)) == len(names)
    assert {*kind.key, *kind.attributes} <= set(names)
    assert kind.row.startswith("one row per ")
    assert kind.times
    for c in kind.columns:
        assert c.type in ("text", "integer", "number", "boolean", "date", "time")
        assert c.definition


def test_an_entry_can_be_looked_at():
    entry = perf.catalogue().get("incident_reopen_rate")
    assert repr(entry) == (
        "CatalogueEntry(incident_reopen_rate: Resolved incidents that were opened again, share, p chart)"
    )
    page = entry._repr_html_()
    for text in (entry.definition, entry.traps, "incidents_reopened", "RAF.1", "8.1"):
        assert text in page
        assert text in re.sub(r"\s+", " ", entry.text())
    with pytest.raises(AttributeError):
        entry.title = "x"
    with pytest.raises(TypeError):
        entry.advice.chart["chart"] = "c"


def test_the_measure_of_an_entry_makes_a_chart():
    entry = perf.catalogue().get("incident_volume")
    series = perf.Series(np.arange(30) % 7 + 3.0, measure=entry.measure())
    made = perf.control_chart(series, chart=entry.advice.chart["chart"])
    assert made.measure.definition == entry.definition
