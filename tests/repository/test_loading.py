"""Loading: idempotent, corrections keep the history, all or nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, LoadError, UnknownNameError
from perfanalytics.core.result import Result
from perfanalytics.repository.repository import Repository
from perfanalytics.repository.source import Source, SourceMeasure
from repository.samples import CSV, DEFECTS, HOURS, MET, simple, tickets

ROOT = Path(__file__).parents[2]


def counts(report):
    return {n: getattr(report, n) for n in ("accepted", "updated", "unchanged", "retired", "rejected")}


def test_a_first_load(repo, csv):
    report = repo.load(tickets(csv(CSV)), by="ana")
    assert counts(report) == {"accepted": 4, "updated": 0, "unchanged": 0, "retired": 0, "rejected": 0}
    assert report.rows == report.read == 4
    assert report.verdict == ("tickets.csv: 4 rows read; 4 new; none rejected. Items still open: 1 of hours.")
    per = report.measures_frame().set_index("measure")
    assert per.loc["hours", ["observations", "open_items", "missing"]].tolist() == [4, 1, 0]
    # the open ticket has neither value nor time for `met`: said, not silent
    assert per.loc["met", ["observations", "open_items", "missing"]].tolist() == [3, 0, 1]
    assert report.caveat_codes == ("values-missing",)
    loads = repo.loads()
    assert loads.loc[0, ["source", "loaded_by", "read"]].tolist() == ["tickets", "ana", 4]
    assert [m.name for m in repo.measures()] == ["hours", "met"]
    assert repo.attributes("hours") == {"team": 2, "prio": 3}


def test_a_report_survives_being_saved(repo, csv):
    report = repo.load(tickets(csv(CSV + "e;x;?;?;?;?;?\n"), max_rejected=0.5))
    assert Result.from_record(json.loads(json.dumps(report.to_record()))) == report
    assert report.summary().shape == (1, 11)
    assert report.to_frame()["count"].tolist() == [1]


def test_loading_the_same_again_changes_nothing(repo, csv):
    path = csv(CSV)
    repo.load(tickets(path))
    before = repo.series("hours").data_hash()
    report = repo.load(tickets(path))
    assert counts(report) == {"accepted": 0, "updated": 0, "unchanged": 4, "retired": 0, "rejected": 0}
    assert report.verdict.startswith("tickets.csv: 4 rows read; nothing new")
    assert repo.loads()["changed"].tolist() == [True, False]
    assert repo.series("hours").data_hash() == before
    assert repo.series("hours").load_ids == (1,)
    # written in another way (quotes, another file name), it is still the same content
    other = CSV.replace("North", '"North"')
    assert counts(repo.load(tickets(csv(other, name="other.csv"))))["unchanged"] == 4


def test_a_correction_changes_what_changed_and_keeps_the_old(repo, csv):
    repo.load(tickets(csv(CSV)))
    report = repo.load(tickets(csv(CSV.replace(";24;", ";20;"))))
    assert counts(report) == {"accepted": 0, "updated": 1, "unchanged": 3, "retired": 0, "rejected": 0}
    assert report.corrected.tolist() == [1, 0]
    closed = {"until": "2024-05-10"}
    assert repo.series("hours", **closed).values.tolist() == [2.5, 20.0, 144.0]
    assert repo.series("hours", load_id=1, **closed).values.tolist() == [2.5, 24.0, 144.0]
    assert repo.series("hours", **closed).load_ids == (1, 2)
    # and back again
    repo.load(tickets(csv(CSV)))
    assert repo.series("hours", **closed).values.tolist() == [2.5, 24.0, 144.0]
    assert repo.series("hours", load_id=2, **closed).values.tolist() == [2.5, 20.0, 144.0]


def test_absence_retires_only_in_a_snapshot(repo, csv):
    short = "\n".join(line for line in CSV.splitlines() if not line.startswith("b;")) + "\n"
    repo.load(tickets(csv(CSV)))
    assert counts(repo.load(tickets(csv(short))))["retired"] == 0
    assert len(repo.series("met")) == 3
    report = repo.load(tickets(csv(short), mode="snapshot"))
    assert report.retired == 1
    assert report.withdrawn.tolist() == [1, 1]
    assert len(repo.series("met")) == 2
    assert len(repo.series("met", load_id=2)) == 3
    # it comes back
    assert counts(repo.load(tickets(csv(CSV), mode="snapshot")))["accepted"] == 1
    assert len(repo.series("met")) == 3


def test_without_a_key_identical_rows_are_separate_items(repo):
    values, when = [3.0, 3.0, 4.0], ["2024-05-01", "2024-05-01", "2024-05-02"]
    assert counts(repo.load(simple(values, when)))["accepted"] == 3
    assert counts(repo.load(simple(values, when)))["unchanged"] == 3
    # one more of the same is a new record; the order of the rows does not matter
    report = repo.load(simple([4.0, 3.0, 3.0, 3.0], [when[2], *[when[0]] * 3]))
    assert counts(report)["accepted"] == 1
    assert repo.series("defects").values.tolist() == [3.0, 3.0, 3.0, 4.0]


def test_a_repeated_and_a_missing_key_are_rejected(repo, csv):
    path = csv(CSV + "a;1/5/2024 08:00;?;?;?;?;?\n?;1/5/2024 08:00;?;?;?;?;?\n")
    report = repo.load(tickets(path, max_rejected=0.5))
    rejected = repo.rejected(report.load_id)
    assert rejected[["line", "column", "reason"]].to_numpy().tolist() == [
        [6, "id", "repeats the key of line 2"],
        [7, "id", "the key is missing"],
    ]
    assert rejected["original"][0] == "a;1/5/2024 08:00;?;?;?;?;?"


def test_impossible_values_are_rejected_one_by_one(repo, csv):
    path = csv(CSV.replace(";144;", ";-5;"))
    report = repo.load(tickets(path, max_rejected=0.5))
    assert report.rejected == 0
    assert report.rejected_values == 1
    assert report.rows == 4
    rejected = repo.rejected().iloc[0]
    assert (rejected["line"], rejected["measure"]) == (4, "hours")
    assert rejected["reason"] == "the value -5 is below the valid 0 hours"
    assert len(repo.series("met")) == 3


@pytest.mark.parametrize(
    ("value", "size", "reason"),
    [
        (5.0, 4.0, "more than its denominator"),
        (1.0, np.nan, "has no denominator"),
        (1.0, -1.0, "negative denominator"),
    ],
)
def test_denominators_are_checked(repo, value, size, reason):
    source = simple([1.0, value], ["2024-05-01", "2024-05-02"], measure=MET, size=[4.0, size])
    report = repo.load(Source("s", frame=source.frame, measures=source.measures, max_rejected=1))
    assert reason in report.reasons[0]
    assert len(repo.series("met")) == 1


def test_too_many_rejected_rows_stop_the_load(repo, csv):
    repo.load(tickets(csv(CSV)))
    bad = CSV + "e;not a date;?;?;?;?;?\n"
    with pytest.raises(LoadError, match=r"1 of 5 rows \(20\.0%\) are rejected.*line 6") as caught:
        repo.load(tickets(csv(bad)))
    assert "nothing was kept" in str(caught.value)
    assert len(repo.loads()) == 1
    assert repo.rejected().empty
    assert counts(repo.load(tickets(csv(bad), max_rejected=0.2)))["rejected"] == 1


def test_rejections_are_told_in_the_order_of_the_lines(repo, csv):
    text = CSV.replace("b;2/5/2024 08:00;", "b;31/4/2024 08:00;") + "a;x\n"
    report = repo.load(tickets(csv(text), max_rejected=0.5))
    # the broken line 6 is found first, the date of line 3 comes first
    assert repo.rejected()["line"].tolist() == [3, 6]
    told = next(c.text for c in report.caveats if c.code == "rows-rejected")
    assert "the first: '31/4/2024 08:00' is not a date" in told
    assert "(line 3)" in told
    with pytest.raises(LoadError, match="The first is line 3"):
        repo.load(tickets(csv(text), max_rejected=0))


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_not_loaded(repo, csv, part):
    import gzip

    rows = "".join(f"{i};1/5/2024 08:00;1/5/2024 10:00;{i};yes;North;1\n" for i in range(5000))
    whole = gzip.compress((CSV.splitlines(keepends=True)[0] + rows).encode())
    path = csv(whole[: int(len(whole) * part)], name="log.csv.gz")
    with pytest.raises(LoadError, match=r"log\.csv\.gz"):
        repo.load(tickets(path))
    with pytest.raises(LoadError, match=r"log\.csv\.gz"):
        repo.load(tickets(path, encoding="cp1252"))  # the careful reader
    assert repo.measures() == ()


def test_mistakes_in_expressions_and_types_keep_nothing(repo, csv):
    path = csv(CSV)

    def measure(**given):
        return (SourceMeasure(DEFECTS, **({"value": "h", "when": "closed"} | given)),)

    with pytest.raises(UnknownNameError, match="closed"):
        repo.load(tickets(path, measures=measure(when="close")))
    with pytest.raises(InputError, match="value must be a number"):
        repo.load(tickets(path, measures=measure(value="team")))
    with pytest.raises(InputError, match="when must be a date or time"):
        repo.load(tickets(path, measures=measure(when="team")))
    with pytest.raises(InputError, match="Could not convert"):
        repo.load(tickets(path, measures=measure(value="team::double")))
    with pytest.raises(UnknownNameError, match="team"):
        repo.load(tickets(path, key="teem"))
    assert repo.loads().empty
    assert repo.measures() == ()


def test_a_new_measure_on_the_same_rows_is_added(repo, csv):
    path = csv(CSV)
    repo.load(tickets(path))
    more = (*tickets(path).measures, SourceMeasure(DEFECTS, value="1", when="opened"))
    report = repo.load(tickets(path, measures=more))
    assert report.unchanged == 4
    assert report.added.tolist() == [0, 0, 4]
    assert len(repo.series("defects")) == 4


def test_an_attribute_that_is_added_later(repo, csv):
    path = csv(CSV)
    few = (SourceMeasure(HOURS, value="h", when="closed", attributes=("team",)),)
    repo.load(tickets(path, measures=few))
    more = (SourceMeasure(HOURS, value="h", when="closed", attributes={"team": "team", "high": "prio = 1"}),)
    report = repo.load(tickets(path, measures=more))
    assert report.corrected.tolist() == [3]
    assert repo.batch("hours", by="high").ids == ("high=false", "high=true")
    # the first definition again: the attribute is then missing
    repo.load(tickets(path, measures=few))
    assert repo.batch("hours", by="high").ids == ("high=(missing)",)
    with pytest.raises(LoadError, match="give it the same type"):
        repo.load(
            tickets(
                path, measures=(SourceMeasure(HOURS, value="h", when="closed", attributes={"team": "prio"}),)
            )
        )


def test_one_measure_from_two_sources_on_one_clock(repo):
    first = simple([1.0], ["2024-05-01"])
    second = simple([2.0], ["2024-04-01"])
    repo.load(first)
    repo.load(Source("other", frame=second.frame, measures=second.measures))
    assert repo.series("defects").values.tolist() == [2.0, 1.0]
    with pytest.raises(LoadError, match="wall times"):
        repo.load(Source("third", frame=second.frame, measures=second.measures, time_zone="UTC"))
    assert len(repo.loads()) == 2


def test_a_changed_definition_is_a_new_version_of_the_measure(repo):
    repo.load(simple([1.0], ["2024-05-01"]))
    from dataclasses import replace

    repo.load(simple([1.0], ["2024-05-01"], measure=replace(DEFECTS, definition="Defects found in review")))
    assert [m.definition for m in repo.measures()] == ["Defects found in review"]
    assert repo._engine.rows("SELECT count(*) FROM record WHERE kind = 'measure'") == [(2,)]


DYING = """
import os, signal, sys
import pandas as pd
from perfanalytics.repository import merging, repository
from repository.samples import simple
done = merging._merge_observations
def die(*arguments):
    done(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
merging._merge_observations = die
with repository.Repository.open(sys.argv[1]) as repo:
    repo.load(simple(list(range(5000)), pd.date_range("2024-01-01", periods=5000, freq="h")))
"""


def test_a_load_that_dies_half_way_leaves_the_repository_as_it_was(tmp_path):
    path = tmp_path / "r.duckdb"
    with Repository.open(path) as repo:
        repo.load(simple([1.0, 2.0], ["2024-05-01", "2024-05-02"]))
    died = subprocess.run(
        [sys.executable, "-c", DYING, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    with Repository.open(path) as repo:
        assert repo.series("defects").values.tolist() == [1.0, 2.0]
        assert len(repo.loads()) == 1
        assert counts(repo.load(simple([1.0, 3.0], ["2024-05-01", "2024-05-02"])))["accepted"] == 1


def test_the_wide_frame_of_an_analyst(repo):
    frame = pd.DataFrame({"when it was": pd.date_range("2024-01-01", periods=3), "value": [1, 2, 3]})
    source = Source(
        "wide", frame=frame, measures=(SourceMeasure(DEFECTS, value="value", when='"when it was"'),)
    )
    assert repo.load(source).verdict == "The frame: 3 rows read; 3 new; none rejected."
