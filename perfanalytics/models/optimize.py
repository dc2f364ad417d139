"""optimize(goals) -> Optimum: the best setting of the controllable factors, and how sure it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent, span
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method
from perfanalytics.models.conditional import draw_luck
from perfanalytics.models.factor_values import (
    columns_known,
    even_rows,
    require_complete,
    set_values,
    today_rows,
)
from perfanalytics.models.goals import Goal, desirability_of, scales_of, value_of, whole_of
from perfanalytics.models.optimum import Optimum
from perfanalytics.models.setting_space import SettingSpace, space_of
from perfanalytics.models.wording import listed

Floats = NDArray[np.float64]

#: Candidates spread over the ranges, draws of the parameters.
FIRST, DRAWS = 128, 200
#: First and smallest step of the search (shares of a range), and settings it tries at most; steps around the
#: settings that are best in single draws, and how many of these.
STEP, SMALLEST, MOST, AROUND, WINNERS = 0.2, 0.001, 600, (0.08, 0.03, 0.01), 6


def optimize(
    goals: Sequence[Goal],
    *,
    within: Mapping[str, Any] | None,
    today: Mapping[str, Any] | None,
    confidence: float,
    rows: int,
    seed: int,
) -> Optimum:
    """See :meth:`perfanalytics.Model.optimize`."""
    if not goals:
        raise InputError("optimize needs at least one goal")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if rows < 10:
        raise InputError(f"rows= is at least 10 rows of the factors, got {rows}")
    rng = np.random.default_rng(seed)
    space = space_of([g.model for g in goals], within or {})
    starts, lucks = [], []
    for goal in goals:
        own = {k: v for k, v in (today or {}).items() if k in columns_known(goal.model)}
        start = set_values(
            goal.model,
            today_rows(goal.model, even_rows(goal.model, rows), np.random.default_rng(seed)),
            own,
            where="today",
        )
        require_complete(goal.model, start)
        starts.append(start)
        lucks.append(draw_luck(goal.model, DRAWS, rng))
    for name in today or {}:
        if not any(name in columns_known(g.model) for g in goals):
            raise UnknownNameError(
                "factor in today", str(name), [c for g in goals for c in columns_known(g.model)]
            )

    def values(setting: dict[str, Any]) -> tuple[Floats, Floats]:
        """Each goal at the estimates, shape (g,), and at the draws, shape (g, draws)."""
        at, drawn = [], []
        for goal, start, luck in zip(goals, starts, lucks, strict=True):
            own = {k: v for k, v in setting.items() if k in columns_known(goal.model)}
            one, many = value_of(goal, set_values(goal.model, start, own, where="the search"), luck)
            at.append(one)
            drawn.append(many)
        return np.array(at), np.array(drawn)

    tried = Tried(goals, values)
    tried.add(space.corners())
    tried.add(space.points(FIRST, rng))
    climb(tried, space)
    for step in AROUND:
        often = Counter(tried.best_in_draws().tolist()).most_common(WINNERS)
        for k, _ in often:
            tried.add(space.neighbours(tried.settings[k], step))
    now, now_drawn = values({})
    doubts = unsure(tried, now_drawn, confidence)
    return _result(goals, space, tried, now, now_drawn, doubts, confidence, seed, rows)


@dataclass(slots=True)
class Tried:
    """Candidates and what they give: each goal at the estimates, shape (g,), and at draws, (g, draws)."""

    goals: Sequence[Goal]
    values: Callable[[dict[str, Any]], tuple[Floats, Floats]]
    settings: list[dict[str, Any]] = field(default_factory=list)
    at: list[Floats] = field(default_factory=list)
    drawn: list[Floats] = field(default_factory=list)

    def add(self, settings: Sequence[dict[str, Any]]) -> None:
        """Those that were not tried yet."""
        for setting in settings:
            if setting not in self.settings:
                at, drawn = self.values(setting)
                self.settings.append(setting)
                self.at.append(at)
                self.drawn.append(drawn)

    def scales(self) -> list[tuple[Floats, Floats]]:
        """Worst and best of each goal: given, or the range of what was tried."""
        return scales_of(self.goals, np.array(self.at))

    def best(self) -> int:
        """The best candidate at the estimates."""
        return int(np.argmax(whole_of(self.goals, self.scales(), np.array(self.at))))

    def whole_in_draws(self) -> Floats:
        """Desirability of each candidate at each draw, on its own scale: shape (candidates, draws)."""
        drawn = np.array(self.drawn)
        return whole_of(self.goals, scales_of(self.goals, drawn), np.moveaxis(drawn, 1, 2))

    def best_in_draws(self) -> NDArray[np.int64]:
        """The best candidate at each draw; of equally good ones the one that is best at the estimates."""
        whole, best = self.whole_in_draws(), self.best()
        return np.where(whole[best] >= whole.max(axis=0) - 1e-12, best, np.argmax(whole, axis=0))


def climb(tried: Tried, space: SettingSpace) -> None:
    """Move from the best candidate one factor at a time, and further where that helped; halve the step.

    References
    ----------
    Hooke and Jeeves (1961), Journal of the ACM 8, 212-229.
    """
    step, most = STEP, len(tried.settings) + MOST
    while step >= SMALLEST and len(tried.settings) < most:
        before = tried.settings[tried.best()]
        tried.add(space.neighbours(before, step))
        after = tried.settings[tried.best()]
        if after == before:
            step /= 2
        else:
            tried.add([space.further(before, after)])


def unsure(tried: Tried, now_drawn: Floats, confidence: float) -> tuple[Caveat, ...]:
    """Goals that the best setting may not improve, and factors whose setting may not matter.

    Judged by what changes in draws of the parameters, the same draws on both sides: a factor whose
    coefficient may be 0 is moved to one end of its range all the same, and shall not pass for a gain.
    """
    best, out = tried.best(), []
    names = list(tried.settings[best])
    ends = [
        _better(g, b) - _better(g, n)
        for g, b, n in zip(tried.goals, tried.drawn[best], now_drawn, strict=True)
    ]
    tail = (1 - confidence) / 2
    for goal, gain, drawn, now in zip(tried.goals, ends, tried.drawn[best], now_drawn, strict=True):
        low, high = (float(v) for v in np.quantile(gain, [tail, 1 - tail]))
        if low > 0:
            continue
        change = [float(v) for v in np.quantile(drawn - now, [tail, 1 - tail])]
        evidence = {"goal": goal.name, "change_low": change[0], "change_high": change[1]}
        text = (
            f"That this setting improves the {goal.name} on today is not sure: the change is "
            f"{_change_words(goal, *change)} ({percent(confidence)} interval)."
        )
        out.append(Caveat("gain-not-sure", text, evidence | {"gain_low": low, "gain_high": high}))
    for name in names if len(names) > 1 else []:
        _, without = tried.values({k: v for k, v in tried.settings[best].items() if k != name})
        moved = [
            np.quantile(_better(g, b) - _better(g, w), tail)
            for g, b, w in zip(tried.goals, tried.drawn[best], without, strict=True)
        ]
        if max(moved) <= 0:
            value = _value(tried.settings[best][name])
            text = (
                f"Nothing shows that setting {name} to {value} helps: left as it is today, the goals may be "
                "met as well."
            )
            out.append(Caveat("setting-not-sure", text, {"factor": name}))
    return tuple(out)


def _better(goal: Goal, y: Floats) -> Floats:
    """The value of a goal, turned so that more is better."""
    if goal.of == "probability" or goal.direction == "higher":
        return y
    return -y if goal.direction == "lower" else -np.abs(y - float(goal.target or 0.0))


def _change_words(goal: Goal, low: float, high: float) -> str:
    if goal.of == "probability":
        return f"{span(100 * low, 100 * high)} percentage points"
    return span(low, high, goal.model.measure.unit)


def _value(setting: Any) -> str:
    return f"{setting:.6g}" if isinstance(setting, float) else str(setting)


def _result(
    goals: Sequence[Goal],
    space: SettingSpace,
    search: Tried,
    now: Floats,
    now_drawn: Floats,
    doubts: tuple[Caveat, ...],
    confidence: float,
    seed: int,
    rows: int,
) -> Optimum:
    tail = [(1 - confidence) / 2, (1 + confidence) / 2]
    tried, best, ends, whole_drawn = search.settings, search.best(), search.scales(), search.whole_in_draws()
    at, drawn = search.at[best], search.drawn[best]
    winners = [tried[k] for k in search.best_in_draws().tolist()]
    names = [*space.numbers, *space.levels]
    setting, low, high, share = [], [], [], []
    for name in names:
        value = tried[best][name]
        if name in space.numbers:
            ends_of = np.quantile([w[name] for w in winners], tail, method="inverted_cdf")
            setting.append(f"{value:.6g}")
            low.append(f"{ends_of[0]:.6g}")
            high.append(f"{ends_of[1]:.6g}")
            share.append(math.nan)
        else:
            chosen = [w[name] for w in winners]
            setting.append(value)
            both = ", ".join(str(v) for v in space.levels[name] if chosen.count(v) / len(chosen) >= tail[0])
            low.append(both)
            high.append(both)
            share.append(chosen.count(value) / len(chosen))
    out = np.quantile(drawn, tail, axis=1)
    was = np.quantile(now_drawn, tail, axis=1)
    own = whole_drawn[best]
    spread = np.quantile(own, tail)
    whole = float(whole_of(goals, ends, at))
    regret = float(np.mean(whole_drawn.max(axis=0) - own))
    before = float(whole_of(goals, ends, now))
    settings = ", ".join(f"{n} = {s}" for n, s in zip(names, setting, strict=True))
    goal_names = [g.name for g in goals]
    units = ["1" if g.of == "probability" else g.model.measure.unit for g in goals]
    limits = [space.numbers.get(n, (math.nan, math.nan)) for n in names]
    return Optimum(
        factors=read_only(np.array(names, dtype=object)),
        setting=read_only(np.array(setting, dtype=object)),
        low=read_only(np.array(low, dtype=object)),
        high=read_only(np.array(high, dtype=object)),
        share=read_only(np.array(share)),
        feasible_low=read_only(np.array([v[0] for v in limits])),
        feasible_high=read_only(np.array([v[1] for v in limits])),
        goals=read_only(np.array(goal_names, dtype=object)),
        today=read_only(now),
        today_low=read_only(was[0]),
        today_high=read_only(was[1]),
        outcome=read_only(at),
        outcome_low=read_only(out[0]),
        outcome_high=read_only(out[1]),
        desirability=read_only(
            np.array([float(desirability_of(g, e, v)) for g, e, v in zip(goals, ends, at, strict=True)])
        ),
        whole=whole,
        whole_today=before,
        whole_low=float(spread[0]),
        whole_high=float(spread[1]),
        regret=regret,
        candidates=len(tried),
        draws=DRAWS,
        seed=seed,
        confidence=confidence,
        unit=read_only(np.array(units, dtype=object)),
        verdict=_verdict(goals, settings, at, out, now, confidence) + _not_sure(doubts),
        caveats=(*_doubts(goals, space, tried[best], whole), *doubts),
        method=Method(
            "optimize",
            {
                "models": [g.model.formula for g in goals],
                "goals": goal_names,
                "scales": [[float(v) for v in e] for e in ends],
                "importance": [g.importance for g in goals],
                "candidates": len(tried),
                "search": "corners, Latin hypercube, pattern search; around what is best in draws",
                "rows_of_factors": rows,
                "parameter_draws": DRAWS,
                "seed": seed,
                "confidence": confidence,
            },
            (
                "Derringer and Suich (1980), Journal of Quality Technology 12, 214-219",
                "Hooke and Jeeves (1961), Journal of the ACM 8, 212-229 (pattern search)",
            ),
        ),
        provenance=goals[0].model.provenance,
    )


def _doubts(
    goals: Sequence[Goal], space: SettingSpace, best: dict[str, Any], whole: float
) -> tuple[Caveat, ...]:
    doubts = []
    for name, (low, high) in space.numbers.items():
        for goal in goals:
            seen = goal.model.ranges.get(name)
            if seen is not None and not seen[0] <= best[name] <= seen[1]:
                text = (
                    f"The best {name} ({best[name]:g}) lies outside the data ({seen[0]:g} to "
                    f"{seen[1]:g}): there the "
                    "model guesses."
                )
                doubts.append(Caveat("extrapolates", text, {"factor": name, "value": best[name]}))
                break
        if best[name] in (low, high) and low < high:
            end = "upper" if best[name] == high else "lower"
            text = (
                f"The best {name} is the {end} end of its range ({best[name]:g}): the range decides, not "
                f"the data."
            )
            doubts.append(Caveat("at-the-end-of-range", text, {"factor": name, "value": best[name]}))
    if whole == 0:
        doubts.append(Caveat("no-acceptable-setting", "No setting makes every goal acceptable.", {}))
    return tuple(doubts)


def _verdict(
    goals: Sequence[Goal], settings: str, at: Floats, out: Floats, now: Floats, confidence: float
) -> str:
    parts = []
    for k, goal in enumerate(goals):
        if goal.of == "probability":
            ends = f"{percent(float(out[0, k]))} to {percent(float(out[1, k]))}"
            parts.append(
                f"the {goal.name} meeting its objective {percent(float(now[k]))} -> "
                f"{percent(float(at[k]))} ({ends})"
            )
        else:
            unit = goal.model.measure.unit
            told = span(float(out[0, k]), float(out[1, k]), unit)
            parts.append(f"the {goal.name} {number(float(now[k]))} -> {number(float(at[k]), unit)} ({told})")
    return (
        f"Best setting found: {settings}; from today to there, {' and '.join(parts)}, "
        f"{percent(confidence)} intervals."
    )


def _not_sure(doubts: tuple[Caveat, ...]) -> str:
    """What of the gain is not sure, for the end of the verdict."""
    goals = [str(d.evidence["goal"]) for d in doubts if d.code == "gain-not-sure"]
    factors = [str(d.evidence["factor"]) for d in doubts if d.code == "setting-not-sure"]
    text = ""
    if goals:
        text += f" That this is better than today is not sure for the {' and the '.join(goals)}."
    if factors:
        text += f" Nothing shows that the setting of {listed(factors)} helps."
    return text
