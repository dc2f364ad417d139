"""What a batch of charts is judged by: each segment against the stable charts of its kind.

Most kinds share the tables of :mod:`perfanalytics.spc.stability`. Charts of subgroups and charts with memory
have their own: stable normal series go through the very chart, with its estimator and options. Those of the
defaults are shipped (``stability_charts.json``, made by ``python -m perfanalytics.spc.evidence``), others are
simulated when first needed, with a fixed seed, and kept in memory. So are those of limits carried on: each
stable chart then has limits of its own, from as many other points as the real ones rest on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Segments
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families import CHARTS, family_of
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.kernel import Counted, Setting, chart_block, count_block
from perfanalytics.spc.options import Asked
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import BEYOND_LIMITS, LIMITS_ONLY, RULE_SETS, RuleSet
from perfanalytics.spc.stability import (
    LENGTHS,
    SEED,
    Reference,
    carried,
    gather,
    p_values,
    reference_for,
)

#: Subgroup sizes that have tables, each for sizes below the number beside it.
SIZES = ((2, 2.5), (3, 3.9), (5, np.inf))
#: Numbers of measures that have tables.
MEASURES = (2, 3, 4)
_TABLE = Path(__file__).with_name("stability_charts.json")
_RUNS, _BUDGET = 4000, 400_000


@dataclass(frozen=True, slots=True)
class Scheme:
    """What stable charts are simulated for; hashable.

    Parameters
    ----------
    chart, estimator : str
        ``estimator`` is "known" for limits that come from elsewhere.
    limits : str
    options : tuple of (name, value as JSON)
    size : int
        Values a subgroup; 0 for one value a point.
    base : int
        Other points that the limits rest on, as ``source`` estimates them; 0: none, the limits are known or
        those of the points themselves.
    source : str
    measures : int
        Measures of a point, where it is a row of several; 0 for one.
    """

    chart: str
    estimator: str
    limits: str
    options: tuple[tuple[str, str], ...] = ()
    size: int = 0
    base: int = 0
    source: str = ""
    measures: int = 0

    @property
    def key(self) -> str:
        """A text that names it."""
        parts = [
            self.chart,
            self.estimator,
            self.limits,
            *(f"{k}={v}" for k, v in self.options),
            str(self.size),
        ]
        if self.measures:
            parts.append(f"{self.measures} measures")
        if self.base:
            parts.append(f"from {self.base} points, {self.source}")
        return " ".join(parts)


def scheme_of(setting: Setting, size: int, base: int = 0, source: str = "") -> Scheme:
    """The scheme of a setting."""
    return Scheme(
        setting.family.name,
        "known" if setting.frozen is not None or base else setting.estimator,
        setting.asked.limits,
        tuple((k, json.dumps(v)) for k, v in sorted(setting.asked.options.items())),
        size,
        base,
        source,
        setting.measures,
    )


def simulate(
    scheme: Scheme, n: int, sets: tuple[RuleSet, ...], sigmas: float, runs: int, rng: np.random.Generator
) -> tuple[list[NDArray[np.int64]], Floats]:
    """Signalling points (one array a rule set) and farthest point of ``runs`` stable charts."""
    family = family_of(scheme.chart).of_size(scheme.size)
    asked = Asked(options={k: json.loads(v) for k, v in scheme.options}, limits=scheme.limits, sigmas=sigmas)
    asked = replace(asked, estimator=scheme.source or scheme.estimator)

    def draw(length: int) -> tuple[Points, Segments]:
        points = family.points(_stable(family, length, runs, scheme, rng), asked.options)
        return points, Segments(points.offsets[:-1], int(points.offsets[-1]))

    points, segments = draw(n)
    counts, farthest = [], np.empty(0)
    frozen: Mapping[str, Any] = {k: 0.0 if k == "center" else 1.0 for k in family.parameters}
    if family.several:
        p = scheme.measures
        frozen = {**family.optional, "center": np.zeros(p), "covariance": np.eye(p)}
    if family.known is not None:
        frozen = family.known(asked)
    given: dict[str, Floats] | None = None
    if scheme.base:
        # every chart on limits of its own, from other points of the same process
        elsewhere = Block(*draw(scheme.base), None, asked)
        given = family.estimate(elsewhere, scheme.source)
    for rules in sets:
        setting = Setting(
            family=family,
            rules=rules,
            asked=asked,
            estimator=scheme.estimator,
            frozen=frozen if scheme.estimator == "known" else None,
            measures=scheme.measures,
        )
        counted = count_block(chart_block(points, segments, setting, parameters=given), setting)
        counts.append(counted.n_signals)
        farthest = counted.farthest
    return counts, farthest


def _stable(family: ChartFamily, n: int, runs: int, scheme: Scheme, rng: np.random.Generator) -> SeriesBatch:
    size, p = scheme.size, scheme.measures
    if p:
        many = max(size, 1)
        rows = rng.standard_normal((runs * n * many, p))
        groups = np.repeat(np.arange(runs * n), many) if size else None
        return SeriesBatch(rows, np.arange(runs + 1) * n * many, ids=_names(runs), subgroups=groups)
    shape: Any = (runs * n, size) if size else runs * n
    values = rng.standard_normal(shape) if family.null is None else family.null(rng, shape)
    return SeriesBatch(values, np.arange(runs + 1) * n, ids=_names(runs))


@lru_cache(maxsize=8)
def _names(runs: int) -> tuple[str, ...]:
    return tuple(map(str, range(runs)))


def make_reference(
    scheme: Scheme, sets: tuple[RuleSet, ...], sigmas: float, lengths: tuple[int, ...], budget: int, runs: int
) -> list[Reference]:
    """What stable series show that went through the very chart."""
    seed = [SEED, *scheme.key.encode()]
    shared = np.random.default_rng(seed)

    def rng_for(n: int) -> np.random.Generator:
        # limits carried on: each length by itself, so that it does not matter which others are asked for
        return np.random.default_rng([*seed, n]) if scheme.base else shared

    def draw(n: int, part: int, rng: np.random.Generator) -> tuple[list[NDArray[np.int64]], Floats]:
        return simulate(scheme, n, sets, sigmas, part, rng)

    return gather(draw, len(sets), lengths, budget, runs, rng_for)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    if not _TABLE.exists():
        return {}
    with _TABLE.open(encoding="utf-8") as file:
        return dict(json.load(file))


@lru_cache(maxsize=64)
def _reference(scheme: Scheme, rules: RuleSet, sigmas: float, longest: int, shortest: int = 0) -> Reference:
    shipped = _table().get("schemes", {}).get(scheme.key, {})
    if (
        sigmas == shipped.get("sigmas")
        and rules.name in shipped["sets"]
        and RULE_SETS.get(rules.name) == rules
    ):
        one = shipped["sets"][rules.name]
        return Reference(
            lengths=np.asarray(LENGTHS, dtype=float),
            counts=np.asarray(one["counts"], dtype=float),
            farthest=np.asarray(shipped["farthest"], dtype=float),
            expected=np.asarray(one["expected"], dtype=float),
            made_by=f"table, at most {_table()['runs']} series a length",
        )
    # fewer rows than measures have no covariance
    least = max(shortest, scheme.measures + 2)
    lengths = tuple(k for k in LENGTHS if least <= k <= longest) or (least,)
    found = make_reference(scheme, (rules,), sigmas, lengths, 120_000, 1_500)[0]
    return replace(found, made_by="simulated when needed, at most 1500 series a length")


def _rules_that_matter(family: ChartFamily, rules: RuleSet) -> RuleSet:
    """Charts whose panels use the limits only need one table for all sets that have limits."""
    if any(p.independent for p in family.panels) or not any(r.is_limit for r in rules.rules):
        return rules
    return LIMITS_ONLY if any(r == BEYOND_LIMITS for r in rules.rules) else rules


def _own_reference(setting: Setting, scheme: Scheme, n: NDArray[np.int64]) -> Reference:
    rules = _rules_that_matter(setting.family, setting.rules)
    longest = next((k for k in LENGTHS if k >= int(n.max(initial=8))), LENGTHS[-1])
    if scheme.base:
        # made when needed: only the lengths around these charts
        least = int(n.min(initial=longest))
        shortest = max((k for k in LENGTHS if k <= least and k < longest), default=0)
        return _reference(scheme, rules, setting.sigmas, longest, shortest)
    if scheme.key in _table().get("schemes", {}):
        longest = LENGTHS[-1]
    return _reference(scheme, rules, setting.sigmas, longest)


def _any_size(setting: Setting, base: int | None) -> bool:
    """Whether the size of a subgroup does not matter: known limits, a chart of single values as well."""
    both = family_of(setting.family.name).subgrouped is setting.family
    return both and setting.frozen is not None and not base


def evidence(counted: Counted, setting: Setting, mode: str) -> tuple[Floats, Floats, str]:
    """p-value and expected signals of each segment, shape (m,), and where the reference comes from."""
    if mode == "own":
        return counted.judged_farthest, counted.chance, "own: exact for independent points"
    kind, base, source = carried(mode)
    if kind != "family":
        table = reference_for(mode, setting.rules, setting.sigmas, counted.n)
        p, expected = p_values(table, counted.n, counted.judged_signals, counted.judged_farthest)
        return p, expected * counted.chance, f"{mode}: {table.made_by}"
    m = len(counted.n)
    p, expected = np.full(m, np.nan), np.zeros(m)
    sizes: Mapping[int, NDArray[np.bool_]] = {0: np.ones(m, dtype=bool)}
    if setting.family.grouped and not _any_size(setting, base):
        sizes, low = {}, 0.0
        for size, below in SIZES:
            sizes[size] = (counted.size >= low) & (counted.size < below)
            low = below
    said = []
    for size, here in sizes.items():
        if not here.any():
            continue
        scheme = scheme_of(setting, size, base or 0, source or "")
        table = _own_reference(setting, scheme, counted.n[here])
        p[here], expected[here] = p_values(
            table, counted.n[here], counted.judged_signals[here], counted.judged_farthest[here]
        )
        said.append(f"{scheme.key}: {table.made_by}")
    return p, expected * counted.chance, "; ".join(said)


def main() -> None:
    """Make ``stability_charts.json``: some minutes on one core. ``--missing`` makes only what it lacks."""
    schemes: dict[str, Any] = dict(_table().get("schemes", {})) if "--missing" in sys.argv else {}
    for scheme, width, sets in shipped_schemes():
        if scheme.key in schemes:
            continue
        found = make_reference(scheme, sets, width, LENGTHS, _BUDGET, _RUNS)
        schemes[scheme.key] = {
            "sigmas": width,
            "farthest": np.round(found[0].farthest, 3).tolist(),
            "sets": {
                s.name: {
                    "counts": found[k].counts.astype(int).tolist(),
                    "expected": np.round(found[k].expected, 4).tolist(),
                }
                for k, s in enumerate(sets)
            },
        }
    made = {"seed": SEED, "runs": _RUNS, "schemes": schemes}
    _TABLE.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


def shipped_schemes() -> Iterator[tuple[Scheme, float, tuple[RuleSet, ...]]]:
    """What the table holds, with the width of the limits and the rule sets of each."""
    for one in CHARTS.values():
        asked = one.check(None, None, None)
        sets = tuple(RULE_SETS.values()) if any(p.independent for p in one.panels) else (LIMITS_ONLY,)
        for family in (one, one.subgrouped):
            if family is None or "family" not in family.modes.values():
                continue
            # where limits are known, subgroups of any size are as single values
            known = () if family.known_as or family is one.subgrouped else ("known",)
            for estimator in (family.default, *known):
                for size in [s for s, _ in SIZES] if family.grouped else [0]:
                    for measures in MEASURES[: 1 if size else None] if family.several else [0]:
                        setting = Setting(
                            family=family,
                            rules=LIMITS_ONLY,
                            asked=asked,
                            estimator=estimator,
                            frozen={} if estimator == "known" else None,
                            measures=measures,
                        )
                        yield scheme_of(setting, size), asked.sigmas, sets


if __name__ == "__main__":
    main()
