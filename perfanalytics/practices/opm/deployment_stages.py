"""The stages of a deployment: their units, what they are compared with, and their effects."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.comparisons.difference_in_differences import difference_in_differences
from perfanalytics.comparisons.levels import FEWEST
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import Deployment
from perfanalytics.core.series import Series, SeriesBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEffect:
    """One stage; ``center`` and ``se`` on the scale, of higher values (not of better ones).

    Parameters
    ----------
    name : str
    since, until : date
        ``until`` is the end of the comparison, not included.
    units, controls : tuple of str
        Ids in the batch.
    comparison : Comparison or None
        None where it cannot be evaluated; ``why`` says it.
    level : float
        Mean of the units in the periods before.
    """

    name: str
    since: dt.date
    until: dt.date
    units: tuple[str, ...]
    controls: tuple[str, ...]
    comparison: Comparison | None
    why: str
    level: float
    cost: float | None
    n_before: int
    n_after: int
    center: float = math.nan
    se: float = math.nan
    df: float = math.nan

    def effect(self, sign: float, scale: str) -> dict[str, float]:
        """Improvement in the unit of the measure, and the row of the comparison."""
        names = ("improvement", "low", "high", "effect", "effect_low", "effect_high", "p_value")
        if self.comparison is None:
            return dict.fromkeys(names, math.nan)
        e = self.comparison.primary
        values = (e.estimate, e.low, e.high)
        made = [sign * (self.level * (v - 1) if scale == "log" else v) for v in values]
        return dict(zip(names, (made[0], min(made[1:]), max(made[1:]), *values, e.p_value), strict=True))


def unit_of(series_id: str) -> str:
    """The values in an id.

    Examples
    --------
    >>> unit_of("service=Mail"), unit_of("team=a, priority=3"), unit_of("ERP")
    ('Mail', 'a, 3', 'ERP')
    """
    return ", ".join(part.partition("=")[2] or part for part in series_id.split(", "))


def stage_effects(
    batch: SeriesBatch,
    deployments: Sequence[Deployment],
    *,
    units: Mapping[str, Sequence[str]] | None,
    scale: str,
    confidence: float,
    on: dt.date | None,
) -> list[StageEffect]:
    """Each stage against the units that were not deployed yet, the first stage first.

    Raises
    ------
    InputError
    """
    if not deployments:
        raise InputError("there is no stage: give one deployment or more")
    if batch.when is None:
        raise InputError("stages begin at dates: the series need when=")
    proposals = sorted({d.proposal for d in deployments})
    if len(proposals) > 1:
        raise InputError(
            f"the stages belong to several proposals ({', '.join(proposals)}): evaluate one at a time"
        )
    stages = sorted(deployments, key=lambda d: d.since)
    members = {d.name: _members(d, batch.ids, units) for d in stages}
    everywhere = [u for ids in members.values() for u in ids]
    twice = sorted({u for u in everywhere if everywhere.count(u) > 1})
    if twice:
        raise InputError(f"{unit_of(twice[0])!r} is in two stages: each unit is deployed once")
    end = batch.when.max().astype("datetime64[D]").item() + dt.timedelta(days=1)
    if on is not None:
        end = min(end, on + dt.timedelta(days=1))
    return [_stage(batch, stages, k, members, end, scale, confidence) for k in range(len(stages))]


def _members(d: Deployment, ids: Sequence[str], units: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    """The series a stage is about."""
    if units is not None and d.name in units:
        found = tuple(units[d.name])
        unknown = [u for u in found if u not in ids]
        if unknown:
            raise InputError(
                f"stage {d.name!r}: the batch has no series {unknown[0]!r}; it has {', '.join(ids)}"
            )
        return found
    matching = tuple(i for i in ids if _matches(i, d.where))
    if not matching:
        raise InputError(
            f"stage {d.name!r}: no series of the batch is where it says ({dict(d.where)}); it has "
            f"{', '.join(ids)}"
        )
    return matching


def _matches(series_id: str, where: Mapping[str, Any]) -> bool:
    known = dict(part.partition("=")[::2] for part in series_id.split(", "))
    for name, wanted in where.items():
        values = wanted if isinstance(wanted, tuple | list) else (wanted,)
        if known.get(name) not in {str(v) for v in values}:
            return False
    return True


def _stage(
    batch: SeriesBatch,
    stages: Sequence[Deployment],
    k: int,
    members: Mapping[str, tuple[str, ...]],
    end: dt.date,
    scale: str,
    confidence: float,
) -> StageEffect:
    """One stage: how long it is compared, with what, and what came of it."""
    own = stages[k]
    later = sorted({d.since for d in stages if own.since < d.since < end})
    until: dt.date = end
    controls: tuple[str, ...] = ()
    for stop in [*later, end]:
        deployed = {u for d in stages if d.since < stop for u in members[d.name]}
        left = tuple(i for i in batch.ids if i not in deployed)
        if not left:
            break
        until, controls = stop, left
        if _periods(batch, members[own.name], own.since, stop) >= FEWEST:
            break
    found: dict[str, Any] = {
        "name": own.name,
        "since": own.since,
        "until": until,
        "units": members[own.name],
        "controls": controls,
        "cost": own.cost,
    }
    treated, level = _together([batch[u] for u in members[own.name]], own.since, until, scale)
    n_before = int((~np.isnan(treated.between(None, own.since).values)).sum()) if len(treated) else 0
    n_after = int((~np.isnan(treated.between(own.since, None).values)).sum()) if len(treated) else 0
    found |= {"level": level, "n_before": n_before, "n_after": n_after, "comparison": None}
    if own.since >= end:
        return StageEffect(**found, why="it begins after the data end")
    if not controls:
        return StageEffect(**found, why="every unit was deployed by then: nothing is left to compare with")
    if min(n_before, n_after) < FEWEST:
        return StageEffect(
            **found,
            why=f"{n_before} periods before and {n_after} after it: at least {FEWEST} on each side are "
            f"needed",
        )
    try:
        comparison = difference_in_differences(
            treated,
            [batch[c].between(None, until) for c in controls],
            at=own.since,
            scale=scale,
            confidence=confidence,
        )
    except InputError as error:
        return StageEffect(**found, why=str(error))
    e = comparison.primary
    low, center, high = (math.log(v) if scale == "log" else v for v in (e.low, e.estimate, e.high))
    df = e.df if math.isfinite(e.df) else 1e6
    se = (high - low) / (2 * float(special.stdtrit(df, (1 + confidence) / 2)))
    return StageEffect(**(found | {"comparison": comparison}), why="", center=center, se=se, df=df)


def _periods(batch: SeriesBatch, ids: Sequence[str], since: dt.date, until: dt.date) -> int:
    """Periods with a value that the units have between two days."""
    times: set[Any] = set()
    for i in ids:
        part = batch[i].between(since, until)
        assert part.when is not None
        times |= set(part.when[~np.isnan(part.values)].tolist())
    return len(times)


def _together(parts: Sequence[Series], since: dt.date, until: dt.date, scale: str) -> tuple[Series, float]:
    """The mean of several units, each less its own level before, and that level in the unit of it."""
    parts = [p.between(None, until) for p in parts]
    used: list[tuple[Any, Any]] = []
    levels, own = [], []
    for p in parts:
        assert p.when is not None
        excluded, _ = p.excluded()
        use = ~np.isnan(p.values) & ~excluded & ((p.values > 0) | (scale == "raw"))
        y = np.log(p.values[use]) if scale == "log" else p.values[use]
        before = p.when[use] < np.datetime64(since)
        if not before.any():
            continue
        levels.append(float(y[before].mean()))
        own.append(float(p.values[use][before].mean()))
        used.append((p.when[use], y))
    first = parts[0]
    if not used:
        return Series([], measure=first.measure, when=np.array([], dtype="datetime64[us]")), math.nan
    if len(parts) == 1:
        return first, own[0]
    grand = float(np.mean(levels))
    total: dict[Any, list[float]] = {}
    for (when, y), level in zip(used, levels, strict=True):
        for t, v in zip(when, y, strict=True):
            total.setdefault(t, []).append(v - level)
    order = sorted(total)
    values = np.array([float(np.mean(total[t])) for t in order]) + grand
    made = Series(
        np.exp(values) if scale == "log" else values,
        measure=first.measure,
        when=np.array(order, dtype="datetime64[us]"),
        expected_every=first.expected_every,
        clock=first.clock,
    )
    return made, float(np.mean(own))
