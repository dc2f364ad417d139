"""What a batch of charts is judged by: each segment against the stable charts of its kind.

Most kinds share the tables of :mod:`perfanalytics.spc.stability`. Charts of subgroups and charts with memory
have their own: stable normal series go through the very chart, with its estimator and options. Those of the
defaults are shipped (``stability_charts.json``, made by ``python -m perfanalytics.spc.evidence``), others are
simulated when first needed, with a fixed seed, and kept in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from perfanalytics.spc.rules import BEYOND_LIMITS, LIMITS_ONLY, RULE_SETS, RuleSet
from perfanalytics.spc.stability import (
    LENGTHS,
    SEED,
    Reference,
    gather,
    p_values,
    reference_for,
)

#: Subgroup sizes that have tables, each for sizes below the number beside it.
SIZES = ((2, 2.5), (3, 3.9), (5, np.inf))
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
    """

    chart: str
    estimator: str
    limits: str
    options: tuple[tuple[str, str], ...] = ()
    size: int = 0

    @property
    def key(self) -> str:
        """A text that names it."""
        return " ".join(
            [self.chart, self.estimator, self.limits, *(f"{k}={v}" for k, v in self.options), str(self.size)]
        )


def scheme_of(setting: Setting, size: int) -> Scheme:
    """The scheme of a setting."""
    return Scheme(
        setting.family.name,
        "known" if setting.frozen is not None else setting.estimator,
        setting.asked.limits,
        tuple((k, json.dumps(v)) for k, v in sorted(setting.asked.options.items())),
        size,
    )


def simulate(
    scheme: Scheme, n: int, sets: tuple[RuleSet, ...], sigmas: float, runs: int, rng: np.random.Generator
) -> tuple[list[NDArray[np.int64]], Floats]:
    """Signalling points (one array a rule set) and farthest point of ``runs`` stable charts."""
    family = family_of(scheme.chart)
    batch = _stable(family, n, runs, scheme.size, rng)
    asked = Asked(options={k: json.loads(v) for k, v in scheme.options}, limits=scheme.limits, sigmas=sigmas)
    points = family.points(batch, asked.options)
    segments = Segments(points.offsets[:-1], int(points.offsets[-1]))
    counts, farthest = [], np.empty(0)
    frozen = {k: 0.0 if k == "center" else 1.0 for k in family.parameters}
    if family.known is not None:
        frozen = family.known(asked)
    for rules in sets:
        setting = Setting(
            family=family,
            rules=rules,
            asked=replace(asked, estimator=scheme.estimator),
            estimator=scheme.estimator,
            frozen=frozen if scheme.estimator == "known" else None,
        )
        counted = count_block(chart_block(points, segments, setting), setting)
        counts.append(counted.n_signals)
        farthest = counted.farthest
    return counts, farthest


def _stable(family: ChartFamily, n: int, runs: int, size: int, rng: np.random.Generator) -> SeriesBatch:
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
    shared = np.random.default_rng([SEED, *scheme.key.encode()])

    def draw(n: int, part: int, rng: np.random.Generator) -> tuple[list[NDArray[np.int64]], Floats]:
        return simulate(scheme, n, sets, sigmas, part, rng)

    return gather(draw, len(sets), lengths, budget, runs, lambda n: shared)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    if not _TABLE.exists():
        return {}
    with _TABLE.open(encoding="utf-8") as file:
        return dict(json.load(file))


@lru_cache(maxsize=64)
def _reference(scheme: Scheme, rules: RuleSet, sigmas: float, longest: int) -> Reference:
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
    lengths = tuple(k for k in LENGTHS if k <= longest)
    found = make_reference(scheme, (rules,), sigmas, lengths, 120_000, 1_500)[0]
    return Reference(
        lengths=found.lengths,
        counts=found.counts,
        farthest=found.farthest,
        expected=found.expected,
        made_by="simulated when needed, at most 1500 series a length",
    )


def _rules_that_matter(family: ChartFamily, rules: RuleSet) -> RuleSet:
    """Charts whose panels use the limits only need one table for all sets that have limits."""
    if any(p.independent for p in family.panels) or not any(r.is_limit for r in rules.rules):
        return rules
    return LIMITS_ONLY if any(r == BEYOND_LIMITS for r in rules.rules) else rules


def _own_reference(setting: Setting, size: int, n: NDArray[np.int64]) -> Reference:
    rules = _rules_that_matter(setting.family, setting.rules)
    scheme = scheme_of(setting, size)
    longest = next((k for k in LENGTHS if k >= int(n.max(initial=8))), LENGTHS[-1])
    if scheme.key in _table().get("schemes", {}):
        longest = LENGTHS[-1]
    return _reference(scheme, rules, setting.sigmas, longest)


def evidence(counted: Counted, setting: Setting, mode: str) -> tuple[Floats, Floats, str]:
    """p-value and expected signals of each segment, shape (m,), and where the reference comes from."""
    if mode == "own":
        return counted.judged_farthest, counted.chance, "own: exact for independent points"
    if mode != "family":
        table = reference_for(mode, setting.rules, setting.sigmas, counted.n)
        p, expected = p_values(table, counted.n, counted.judged_signals, counted.judged_farthest)
        return p, expected * counted.chance, f"{mode}: {table.made_by}"
    m = len(counted.n)
    p, expected = np.full(m, np.nan), np.zeros(m)
    kinds: Mapping[int, NDArray[np.bool_]] = {0: np.ones(m, dtype=bool)}
    if setting.family.grouped:
        kinds, low = {}, 0.0
        for size, below in SIZES:
            kinds[size] = (counted.size >= low) & (counted.size < below)
            low = below
    said = []
    for size, here in kinds.items():
        if not here.any():
            continue
        table = _own_reference(setting, size, counted.n[here])
        p[here], expected[here] = p_values(
            table, counted.n[here], counted.judged_signals[here], counted.judged_farthest[here]
        )
        said.append(f"{scheme_of(setting, size).key}: {table.made_by}")
    return p, expected * counted.chance, "; ".join(said)


def main() -> None:
    """Make ``stability_charts.json``: some minutes on one core."""
    schemes: dict[str, Any] = {}
    for family in CHARTS.values():
        if "family" not in family.modes.values():
            continue
        asked = family.check(None, None, None)
        sets = tuple(RULE_SETS.values()) if any(p.independent for p in family.panels) else (LIMITS_ONLY,)
        grouped = family.grouped
        for estimator in (family.default, "known"):
            for size in [s for s, _ in SIZES] if grouped else [0]:
                setting = Setting(
                    family=family,
                    rules=LIMITS_ONLY,
                    asked=asked,
                    estimator=estimator,
                    frozen={} if estimator == "known" else None,
                )
                scheme = scheme_of(setting, size)
                found = make_reference(scheme, sets, asked.sigmas, LENGTHS, _BUDGET, _RUNS)
                schemes[scheme.key] = {
                    "sigmas": asked.sigmas,
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


if __name__ == "__main__":
    main()
