"""A changed definition of a measure is never mixed in without a word."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, LoadError
from perfanalytics.core.measure import Measure
from perfanalytics.repository.source import Source, SourceMeasure
from repository.samples import DEFECTS, HOURS

FIRST = pd.DataFrame({"k": ["a", "b"], "v": [1.0, 2.0], "t": pd.to_datetime(["2024-01-01", "2024-01-02"])})
SECOND = pd.DataFrame({"k": ["c"], "v": [3.0], "t": pd.to_datetime(["2024-01-03"])})


def source(frame, value="v", *, name="s", measure=HOURS, mode="append", **parts):
    return Source(
        name,
        frame=frame,
        key="k",
        mode=mode,
        measures=(SourceMeasure(measure, value=value, when="t", **parts),),
    )


def caveat(report, code):
    return next(c for c in report.caveats if c.code == code)


def test_loads_under_two_definitions_are_told_apart(repo):
    repo.load(source(FIRST))
    report = repo.load(source(SECOND, "v * 60"))
    doubt = caveat(report, "definition-changed")
    assert doubt.evidence == {"replaced": 0, "kept": 2}
    assert 'value: "v" -> v * 60' in doubt.text
    assert "2 of earlier loads stay under the old definition" in report.verdict
    series = repo.series("hours")
    assert series.values.tolist() == [1, 2, 180]
    told = series.selection["definitions"]
    assert told.startswith("2 definitions: 2 observations of source 's' by value = \"v\"; 1 observation")
    # a selection of one of them alone needs no word
    assert "definitions" not in repo.series("hours", since="2024-01-03").selection
    # the old file loaded again heals it
    healed = repo.load(source(FIRST, "v * 60"))
    assert caveat(healed, "definition-changed").evidence == {"replaced": 2, "kept": 0}
    series = repo.series("hours")
    assert series.values.tolist() == [60, 120, 180]
    assert "definitions" not in series.selection
    assert "definition-changed" not in repo.load(source(SECOND, "v * 60")).caveat_codes
    # and the history stays
    assert repo.series("hours", load_id=1).values.tolist() == [1, 2]


def test_the_same_file_under_another_expression_is_read_anew(repo):
    repo.load(source(FIRST))
    report = repo.load(source(FIRST, "v + 0"))  # the same numbers, another definition
    assert (report.unchanged, report.corrected.tolist()) == (2, [2])
    assert "2 observations were read anew" in report.verdict
    again = repo.load(source(FIRST, "v  +\n 0"))  # white space is no change
    assert (again.corrected.tolist(), again.caveat_codes) == ([0], ())
    assert repo._engine.rows("SELECT count(*) FROM observation") == [(4,)]


@pytest.mark.parametrize(
    "changed",
    [{"where": "v > 0"}, {"item": "k"}, {"known": "t"}, {"attributes": ("k",)}, {"censored": "v > 5"}],
)
def test_every_part_is_part_of_the_definition(repo, changed):
    repo.load(source(FIRST))
    assert repo.load(source(FIRST, **changed)).corrected.tolist() == [2]
    assert repo.load(source(FIRST, **changed)).corrected.tolist() == [0]


def test_white_space_inside_quotes_counts(repo):
    repo.load(source(FIRST, "CASE WHEN k = 'a b' THEN 0 ELSE v END"))
    assert repo.load(source(FIRST, "CASE WHEN k = 'a  b' THEN 0 ELSE v END")).corrected.tolist() == [2]


def test_another_source_may_read_the_measure_its_own_way_and_it_is_said_once(repo):
    repo.load(source(FIRST))
    other = SECOND.rename(columns={"v": "hours_taken"})
    report = repo.load(source(other, "hours_taken", name="other"))
    assert report.caveat_codes == ("definition-differs",)
    assert repo.load(source(other, "hours_taken", name="other")).caveat_codes == ()
    assert "of source 'other' by value" in repo.series("hours").selection["definitions"]


def test_values_in_two_units_are_never_mixed(repo):
    repo.load(source(FIRST))
    minutes = replace(HOURS, unit="minutes")
    with pytest.raises(LoadError, match=r"2 values of source 's' .* in 'hours': nothing was kept"):
        repo.load(source(SECOND, measure=minutes))
    with pytest.raises(LoadError, match="in 'hours'"):
        repo.load(source(SECOND, name="other", measure=minutes))
    with pytest.raises(InputError, match="would not convert them"):
        repo.declare(minutes)
    assert repo.series("hours").measure.unit == "hours"
    # a load that replaces all of them may change it
    report = repo.load(source(FIRST, "v * 60", measure=minutes))
    assert {"measure-changed", "definition-changed"} <= set(report.caveat_codes)
    assert repo.series("hours").values.tolist() == [60, 120]
    assert repo.series("hours").measure.unit == "minutes"
    assert repo.load(source(SECOND, "v * 60", measure=HOURS, mode="snapshot")).retired == 2


def test_a_measure_that_turns_round_is_said(repo):
    repo.load(source(FIRST))
    report = repo.load(source(SECOND, measure=replace(HOURS, better="higher", scale="positive")))
    doubt = caveat(report, "measure-changed")
    assert doubt.evidence == {"direction": "lower -> higher", "scale": "duration -> positive"}
    assert "direction lower -> higher" in report.verdict


def test_a_repository_from_before_definitions_were_kept(repo):
    repo.load(source(FIRST))
    repo._engine.execute("UPDATE observation SET definition_id = NULL")
    repo._engine.execute("DELETE FROM definition")
    report = repo.load(source(FIRST))
    assert (report.corrected.tolist(), report.caveat_codes) == ([0], ())


def test_the_measure_of_a_series_says_what_its_values_are(repo):
    sized = FIRST.assign(size_points=[2.0, 4.0])
    repo.load(source(sized, measure=DEFECTS, size="size_points"))
    repo.load(source(FIRST, name="plain"))
    count = repo.series("hours", every="week", statistic="count").measure
    assert (count.name, count.unit, count.scale, count.better) == ("hours", "items", "count", "unknown")
    assert count.definition.startswith("Number of observations of hours")
    rate = repo.series("defects", every="week")
    assert rate.selection["statistic"] == "rate"
    assert (rate.measure.unit, rate.values.tolist()) == ("defects per size_points", [0.5])
    assert rate.measure.better == DEFECTS.better
    assert repo.series("defects", every="week", statistic="sum").measure == DEFECTS
    assert repo.series("hours", every="week", statistic="rate").measure.unit == "hours per observation"
    repo.load(
        source(
            sized,
            name="computed",
            measure=Measure("density", definition="d", unit="defects", better="lower", scale="real"),
            size="size_points * 2",
        )
    )
    assert repo.series("density", every="week").measure.unit == "defects per unit of size"
