"""Criteria by which subprocesses are selected: what is on record of each candidate, and its score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perfanalytics.baselines.measurement_systems.agreement_result import Agreement
from perfanalytics.baselines.measurement_systems.gauge_result import GaugeStudy
from perfanalytics.baselines.strata_result import Strata
from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.archive import Archive
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.series import Series
from perfanalytics.models.result import Model
from perfanalytics.models.sensitivity import Sensitivity
from perfanalytics.models.simulation.result import Simulation
from perfanalytics.practices.on_record import Found, Reader, lineage
from perfanalytics.practices.opp.tree_nodes import Analysis, analyses

if TYPE_CHECKING:
    import pandas as pd

#: The criteria, in the order of the table.
CRITERIA = ("objective", "stability", "data", "share", "quality")
#: Days of a month, on average.
MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subprocess that might be selected.

    Parameters
    ----------
    name : str
        The subprocess (or a measure, which then stands for itself).
    measure : str, optional
        The measure to watch it by. Default: the name when it is a measure, else the measures whose subprocess
        it is.
    factor : str, optional
        What it is called in models, strata and simulations of the outcome: a factor, an attribute, a step.
        Default: its measure, its name, or a factor whose role names the subprocess.
    """

    name: str
    _: KW_ONLY
    measure: str | None = None
    factor: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is on record for one criterion: a number, its score from 0 to 1 (NaN: nothing), and the words."""

    value: float = math.nan
    score: float = math.nan
    words: str = "nothing on record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What candidates are looked at for."""

    outcome: str
    series: Mapping[str, Series]
    quality: Mapping[str, DataQuality]
    frame: pd.DataFrame | None
    points: int
    per_month: float
    seed: int


def measures_of(archive: Archive, c: Candidate) -> tuple[str, ...]:
    """The measures a candidate is watched by.

    Raises
    ------
    UnknownNameError
        When the measure it names is not declared.
    """
    declared = archive.of_kind("measure")
    if c.measure is not None:
        if archive.measure(c.measure) is None:
            raise UnknownNameError("measure", c.measure, [m.name for m in declared])
        return (c.measure,)
    if archive.measure(c.name) is not None:
        return (c.name,)
    return tuple(m.name for m in declared if c.name in {p.name for p in lineage(archive, m.subprocess)})


class Judge:
    """Evidence of candidates, from an archive and what was given besides."""

    def __init__(self, archive: Archive, asked: Asked, candidates: Sequence[Candidate]) -> None:
        self.archive, self.asked = archive, asked
        self.reader = Reader(archive)
        self.made = analyses(archive, self.reader)
        self.measures = {c.name: measures_of(archive, c) for c in candidates}
        self.factors = {c.name: self._names(c) for c in candidates}
        self._shares = self._drop_one(candidates) if asked.frame is not None else None
        self._sensitivities: dict[str, Sensitivity] = {}
        self._results = self._about_outcome(candidates)

    def _names(self, c: Candidate) -> tuple[str, ...]:
        return (c.factor,) if c.factor is not None else tuple(dict.fromkeys((*self.measures[c.name], c.name)))

    def evidence(self, c: Candidate) -> tuple[Evidence, ...]:
        """One entry a criterion, in the order of :data:`CRITERIA`."""
        return self._objective(c), self._stability(c), self._data(c), self._share(c), self._quality(c)

    def _objective(self, c: Candidate) -> Evidence:
        """1 for a measure an objective is about, 0.5 for one that an analysis serving an objective uses."""
        objectives = {o.name: o for o in self.archive.of_kind("objective")}
        own = [o.name for o in objectives.values() if o.measure in self.measures[c.name]]
        if own:
            return Evidence(1.0, 1.0, f"measured by {_named(own)}")
        used = [a for a in self.made if a.objective in objectives and self._uses(a, c)]
        if used:
            names = list(dict.fromkeys(str(a.objective) for a in used))
            return Evidence(0.5, 0.5, f"used by {used[0].name!r}, which serves {_named(names)}")
        return Evidence(0.0, 0.0, "serves no objective")

    def _uses(self, a: Analysis, c: Candidate) -> bool:
        names = {*self.measures[c.name], *self.factors[c.name]}
        planned = set(a.planned.measures) if a.planned else set()
        of_models = {f for one in a.found for f in _factors_of(one.result)}
        return bool(names & (planned | of_models)) or a.measure in self.measures[c.name]

    def _stability(self, c: Candidate) -> Evidence:
        """The newest charts of its measures; 1 stable, 0 not; the worst counts."""
        charts = [
            f
            for a in self.made
            if a.sort == "chart" and a.measure in self.measures[c.name]
            for f in a.found
            if f.stable is not None
        ]
        if not charts:
            return Evidence(words="no chart on record")
        days = [f.last for f in charts if f.last is not None]
        newest = [f for f in charts if f.last == max(days)] if days else charts
        bad = [f for f in newest if f.stable is False]
        shown = (bad or newest)[0]
        told = f"{shown.stability} ({shown.saved.name!r})"
        told += f"; {len(bad)} of {len(newest)} charts" if bad and len(newest) > 1 else ""
        return Evidence(0.0 if bad else 1.0, 0.0 if bad else 1.0, told)

    def _data(self, c: Candidate) -> Evidence:
        """Points and points a month: of the series given, else of the newest chart or baseline."""
        best: tuple[int, float, str] | None = None
        for name in self.measures[c.name]:
            told = self._history(name)
            if told is not None and (best is None or told[0] > best[0]):
                best = told
        if best is None:
            return Evidence(words="no data on record")
        n, rate, origin = best
        timed = not math.isnan(rate)
        score = min(1.0, n / self.asked.points, rate / self.asked.per_month if timed else 0.0)
        often = f"{number(rate)} a month" if timed else "without times"
        return Evidence(rate, score, f"{count(n, 'point')}, {often} ({origin})")

    def _history(self, name: str) -> tuple[int, float, str] | None:
        given = self.asked.series.get(name)
        if given is not None:
            known = ~np.isnan(np.asarray(given.values, dtype=np.float64))
            n = int(known.sum())
            if given.when is None or n < 2:
                return (n, math.nan, "series given") if n else None
            when = np.asarray(given.when, dtype="datetime64[D]")[known]
            return n, _rate(n, int((when.max() - when.min()).astype(int)) + 1), "series given"
        for sort in ("baseline", "chart"):
            hits = [
                f
                for a in self.made
                if a.sort == sort and a.measure == name
                for f in a.found
                if f.n and f.first is not None and f.last is not None
            ]
            if hits:
                f = max(hits, key=lambda f: (f.last, f.n))
                assert f.first is not None
                assert f.last is not None
                assert f.n is not None
                return f.n, _rate(f.n, (f.last - f.first).days + 1), repr(f.saved.name)
        return None

    def _share(self, c: Candidate) -> Evidence:
        """Share of the outcome's variation; the score is relative to the largest share of the candidates."""
        if c.factor is None and self.asked.outcome in self.measures[c.name]:
            return Evidence(words="is the outcome itself")
        if self._shares is not None:
            value = self._shares.get(c.name, math.nan)
            if not math.isnan(value):
                return Evidence(value, value, f"R2 falls by {percent(value)} without it (data given)")
            return Evidence(words="not a column of the data given")
        for one in self._results:
            hit = self._share_in(one, c)
            if hit is not None:
                return hit
        return Evidence(words=f"no model of {self.asked.outcome!r} has it")

    def _about_outcome(self, candidates: Sequence[Candidate]) -> list[Found]:
        """Results that share out the variation of the outcome.

        First those that know most of the candidates, for shares out of one model can be compared; among them
        the newest, strata after models.
        """
        rank = {"sensitivity": 0, "simulation": 0, "model": 1, "strata": 2}
        hits = [
            self.reader.found(s)
            for s in self.archive.saved_of(*rank)
            if s.measure == self.asked.outcome or s.result_kind == "simulation"
        ]
        hits.sort(key=lambda f: f.saved.saved_at, reverse=True)

        def unknown(one: Found) -> int:
            known = set(_factors_of(one.result))
            return sum(not known & {c.name, *self.factors[c.name]} for c in candidates)

        return sorted(hits, key=lambda f: (unknown(f), rank[f.saved.result_kind]))

    def _share_in(self, one: Found, c: Candidate) -> Evidence | None:
        """The share a result gives to a candidate; None when it does not know it."""
        result, names = one.result, self.factors[c.name]
        if isinstance(result, Simulation):
            about = result.measure.name == self.asked.outcome or (
                result.objective is not None and result.objective.measure == self.asked.outcome
            )
            return self._at(result.driver, result.share, names, one, "total Sobol share") if about else None
        if isinstance(result, Strata):
            return self._at(result.attribute, result.epsilon_squared, names, one, "between its groups")
        if isinstance(result, Model):
            by_role = tuple(r.name for r in result.roles if r.subprocess == c.name)
            names = names if c.factor is not None else (*by_role, *names)
            if not {r.name for r in result.roles} & set(names):
                return None
            if one.saved.name not in self._sensitivities:
                self._sensitivities[one.saved.name] = result.sensitivity(n=256, seed=self.asked.seed)
            result = self._sensitivities[one.saved.name]
        assert isinstance(result, Sensitivity)
        # Sobol shares are of the expected outcome; together the factors explain of_items of single items
        return self._at(
            result.factor, result.total * result.of_items, names, one, "total Sobol share of items"
        )

    @staticmethod
    def _at(factor: Any, share: Any, names: Sequence[str], one: Found, how: str) -> Evidence | None:
        for name in names:
            hits = [k for k, f in enumerate(factor) if f == name]
            if hits:
                value = max(0.0, float(share[hits[0]]))
                return Evidence(value, value, f"{percent(value)} {how} ({name}, {one.saved.name!r})")
        return None

    def _drop_one(self, candidates: Sequence[Candidate]) -> dict[str, float]:
        """What R2 loses when a candidate's column is left out: least squares on all of them."""
        frame, outcome = self.asked.frame, self.asked.outcome
        assert frame is not None
        if outcome not in frame.columns:
            raise UnknownNameError("column of the data (the outcome)", outcome, map(str, frame.columns))
        columns = {
            c.name: next((n for n in self.factors[c.name] if n in frame.columns and n != outcome), None)
            for c in candidates
        }
        used = list(dict.fromkeys(n for n in columns.values() if n is not None))
        if not used:
            raise InputError("no candidate is a column of frame=: name it by Candidate(..., factor=COLUMN)")
        whole = frame[[outcome, *used]].dropna()
        measure = self.archive.measure(outcome)
        y = whole[outcome].to_numpy(dtype=np.float64)
        if measure is not None and measure.scale in LOG_SCALES:
            whole, y = whole[y > 0], np.log(y[y > 0])
        parts = {name: _design(whole[name]) for name in used}
        if len(y) <= 1 + sum(p.shape[1] for p in parts.values()) or np.ptp(y) == 0:
            raise InputError(
                f"frame= has {len(y)} usable rows of {outcome!r}: too few to share out its variation"
            )
        full = _r2(y, list(parts.values()))
        lost = {n: full - _r2(y, [p for name, p in parts.items() if name != n]) for n in used}
        return {c: max(0.0, lost[n]) for c, n in columns.items() if n is not None}

    def _quality(self, c: Candidate) -> Evidence:
        """The worst of what is on record: integrity of the data, gauge study, agreement."""
        found: list[tuple[float, str]] = []
        for name in self.measures[c.name]:
            given = self.asked.quality.get(name)
            saved = [self.archive.result(s.name) for s in self.archive.saved_of("data_quality", measure=name)]
            for result in [given] if given is not None else saved[-1:]:
                assert isinstance(result, DataQuality)
                wrong, look = (int(np.sum(result.standing == s)) for s in ("wrong", "look"))
                score = 0.0 if wrong else 0.5 if look else 1.0
                said = f"{count(wrong, 'check')} wrong" if wrong else f"{count(look, 'check')} to look at"
                found.append((score, f"data: {said}" if wrong or look else "data: nothing found"))
            systems = [
                f for a in self.made if a.sort == "measurement system" and a.measure == name for f in a.found
            ]
            found += [told for f in systems if (told := _system(f)) is not None]
        if not found:
            return Evidence(words="no check of the measurement on record")
        score = min(f[0] for f in found)
        return Evidence(score, score, "; ".join(dict.fromkeys(f[1] for f in found)))


def _system(one: Found) -> tuple[float, str] | None:
    """Score and words of a gauge study or an agreement; None where it gives no score."""
    result = one.result
    if isinstance(result, GaugeStudy):
        scores = {"acceptable": 1.0, "marginal": 0.5, "unacceptable": 0.0}
        score = scores.get(result.standing)
        return None if score is None else (score, f"gauge study: {result.standing}")
    if isinstance(result, Agreement) and result.statistic != "bland_altman":
        value = float(result.value)
        if math.isnan(value):
            return None
        return min(1.0, max(0.0, value)), f"agreement ({result.statistic}): {number(value)}"
    return None


def _factors_of(result: object) -> tuple[str, ...]:
    """What a model of an outcome knows: factors, steps."""
    if isinstance(result, Model):
        return tuple(r.name for r in result.roles) + tuple(r.subprocess for r in result.roles if r.subprocess)
    if isinstance(result, Simulation):
        return tuple(str(d) for d in result.driver)
    if isinstance(result, Strata):
        return tuple(str(a) for a in result.attribute)
    return tuple(str(f) for f in result.factor) if isinstance(result, Sensitivity) else ()


def _rate(n: int, days: int) -> float:
    """Points a month."""
    return n / (days / MONTH)


def _design(column: pd.Series) -> Any:
    """Columns of a factor in a linear model: a number as it is, a category by its levels but the first."""
    if column.dtype.kind in "iufb":
        return column.to_numpy(dtype=np.float64)[:, None]
    levels = sorted(map(str, column.unique()))
    told = column.astype(str).to_numpy()
    return np.column_stack([told == level for level in levels[1:]] or [np.zeros(len(told))]).astype(
        np.float64
    )


def _r2(y: Any, parts: Sequence[Any]) -> float:
    x = np.column_stack([np.ones(len(y)), *parts])
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(1 - np.sum((y - fitted) ** 2) / np.sum((y - y.mean()) ** 2))


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"{n!r}" for n in names)
