"""Finding measures: by word, process, clause and practice."""

from __future__ import annotations

import pytest

import perfanalytics as perf

ALL = perf.catalogue()


def test_words_are_parts_of_words_and_all_must_occur():
    assert ALL.search("reopen").names[0] == "incident_reopen_rate"
    assert ALL.search("SLA Incident").names == ALL.search("incident sla").names
    assert "incident_target_attainment" in ALL.search("sla incident")
    assert ALL.search("").names == ALL.names
    assert set(ALL.search("backlog incident").names) <= set(ALL.search("backlog").names)


def test_hits_in_names_and_keywords_come_first():
    found = ALL.search("MTBF")
    assert found.names[0] == "time_between_breaks"


def test_by_process_clause_and_practice():
    problems = ALL.search(process="RAF.3")
    assert all("RAF.3" in e.trace.processes for e in problems)
    assert len(problems) == sum("RAF.3" in e.trace.processes for e in ALL)
    assert ALL.search(process="raf.3").names == problems.names
    assert all("service desk / incident" in e.trace.itil for e in ALL.search(process="incident"))
    assert set(ALL.search(process="RAF").names) >= set(problems.names)
    assert all("8.2" in e.trace.clauses for e in ALL.search(clause="8.2"))
    under = ALL.search(clause="4.5")
    assert under.names == tuple(e.name for e in ALL if any(c.startswith("4.5.") for c in e.trace.clauses))
    assert "8.1" not in {c for e in ALL.search(clause="9") for c in e.trace.clauses if c[0] == "9"}
    assert all("CAM-2.2" in e.trace.practices for e in ALL.search(practice="CAM-2.2"))
    assert len(ALL.search(practice="OPP")) == len(ALL)
    both = ALL.search("repair", process="availability", clause="6.3.3")
    assert both.names == ("outage_length", "service_availability")[: len(both)]


def test_a_search_within_a_search():
    assert ALL.search(clause="8.1").search("reopen").names == ALL.search("reopen", clause="8.1").names


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"process": "RAF.33"}, "did you mean 'RAF.3'"),
        ({"process": ""}, "unknown process"),
        ({"clause": "8.9"}, "unknown clause '8.9'"),
        ({"clause": "0"}, "unknown clause"),
        ({"practice": "OPP-1.7"}, "did you mean 'OPP-1"),
    ],
)
def test_identifiers_that_are_none(asked, said):
    with pytest.raises(perf.UnknownNameError, match=said.replace(".", r"\.")):
        ALL.search(**asked)


def test_nothing_found_gives_the_nearest_word():
    found = ALL.search("abandonned")
    assert len(found) == 0
    assert found.hint == "abandoned"
    assert repr(found) == "no measures; did you mean 'abandoned'?"
    assert "abandoned" in found._repr_html_()
    assert list(found.to_frame().columns) == list(ALL.to_frame().columns)
    # every word occurs, but not together
    assert repr(ALL.search("reopen vulnerability")) == "no measures"


def test_unknown_names_give_the_nearest():
    with pytest.raises(perf.UnknownNameError, match="did you mean 'defect_density'"):
        ALL.get("defects_density")


def test_tables():
    frame = ALL.to_frame()
    assert len(frame) == len(ALL)
    assert frame["name"].tolist() == list(ALL.names)
    assert not frame.isna().any().any()
    assert "defect_density" in ALL
    assert "x" not in ALL
    page = ALL._repr_html_()
    assert all(f"<code>{name}</code>" in page for name in ALL.names)
    assert repr(ALL).count("\n") == len(ALL) - 1
    assert ALL.text().endswith(f"{len(ALL)} measures")
