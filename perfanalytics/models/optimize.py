"""optimize(goals) -> Optimum: the best setting of the controllable factors, and how sure it is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent, span
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.models.conditional import Luck, chance_at, draw_luck, expected_at, law_of
from perfanalytics.models.factor_values import even_rows, is_whole, require_complete, set_values, today_rows
from perfanalytics.models.tabulating import bounds_of

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Candidate settings of the first round and of each narrower one, narrower rounds; draws; corners up to.
FIRST, NEXT, ROUNDS, DRAWS, CORNERS = 128, 24, 3, 200, 6


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective of an optimization: what shall become how good.

    Parameters
    ----------
    model : Model
        What predicts it.
    of : {"mean", "probability"}
        The expected value, or the probability that an item lies within ``at_least`` and ``at_most``.
    better : {"lower", "higher", "target"}, optional
        None: as the measure of the model says; a probability is better higher always.
    worst, best : float, optional
        Values of desirability 0 and 1 (``of="mean"``). None: the range that can be reached with the
        candidate settings. Of a probability 0 and 1.
    target : float, optional
        With ``better="target"``: desirability 1 there, 0 at ``worst`` (below) and ``best`` (above).
    at_most, at_least : float, optional
        Of a probability; None: the objective of the model.
    importance : float
        Exponent of this desirability in the whole, above 0.
    shape : float
        1: desirability rises in a straight line; more: only near the best; less: quickly.

    References
    ----------
    Derringer and Suich (1980), Journal of Quality Technology 12, 214-219.
    """

    model: Any
    _: KW_ONLY
    of: str = "mean"
    better: str | None = None
    worst: float | None = None
    best: float | None = None
    target: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    importance: float = 1.0
    shape: float = 1.0

    def __post_init__(self) -> None:
        if getattr(type(self.model), "kind", None) != "model":
            raise InputError(f"a goal is about a model (perf.fit), got {type(self.model).__name__}")
        if self.of not in ("mean", "probability"):
            raise UnknownNameError("kind of goal (of=)", str(self.of), ("mean", "probability"))
        if self.better not in (None, "lower", "higher", "target"):
            raise UnknownNameError("direction (better=)", str(self.better), ("lower", "higher", "target"))
        if self.of == "mean" and self._direction not in ("lower", "higher", "target"):
            raise InputError(
                f"nobody said which direction of {self.model.measure.name} is better: give better='lower' or "
                "'higher'"
            )
        if self._direction == "target" and self.of == "mean" and None in (self.target, self.worst, self.best):
            raise InputError("better='target' needs worst= (below), target= and best= (above)")
        if not (self.importance > 0 and self.shape > 0):
            raise InputError("importance and shape of a goal are above 0")

    @property
    def _direction(self) -> str:
        return self.better or str(self.model.measure.better)

    @property
    def name(self) -> str:
        """What it is about, in words."""
        what = "probability" if self.of == "probability" else "mean"
        return f"{what} of {self.model.measure.name}"

    def bounds(self) -> tuple[float, float]:
        """Range of items that meets the objective of a probability."""
        return bounds_of(self.model, None, self.at_most, self.at_least)


def desirability(
    y: Floats, *, better: str, worst: float, best: float, target: float | None = None, shape: float = 1.0
) -> Floats:
    """Derringer and Suich's desirability, 0 to 1.

    Examples
    --------
    >>> desirability(np.array([10.0, 15.0, 30.0]), better="lower", worst=20, best=10).tolist()
    [1.0, 0.5, 0.0]
    >>> desirability(np.array([1.0, 2.0, 3.5]), better="target", worst=1, best=4, target=2).tolist()
    [0.0, 1.0, 0.25]
    """
    if better == "target":
        assert target is not None
        up, down = (y - worst) / (target - worst), (best - y) / (best - target)
        return np.asarray(np.clip(np.where(y <= target, up, down), 0.0, 1.0) ** shape)
    if best == worst:
        return np.ones_like(y)
    return np.asarray(np.clip((y - worst) / (best - worst), 0.0, 1.0) ** shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Optimum(Result):
    """The best setting that was found, and what the uncertainty of the parameters makes of it.

    Attributes
    ----------
    factors : text array, shape (f,)
    setting : text array, shape (f,)
        Best setting of each controllable factor.
    low, high : text arrays, shape (f,)
        Of a number: interval of the best setting over draws of the parameters; of a category: the levels
        that are best in a draw, joined.
    share : float array, shape (f,)
        Of a category: share of draws in which this level is best; NaN for numbers.
    feasible_low, feasible_high : float arrays, shape (f,)
        Range that was searched; NaN for categories.
    goals : text array, shape (g,)
    today, today_low, today_high : float arrays, shape (g,)
        Of each goal without any setting.
    outcome, outcome_low, outcome_high : float arrays, shape (g,)
        Of each goal at the best setting.
    desirability : float array, shape (g,)
    whole, whole_today, whole_low, whole_high : float
        Weighted geometric mean of the desirabilities at the best setting, without it, and its interval.
    regret : float
        Mean loss of desirability against the best setting of each draw: what not knowing them costs.
    candidates, draws, seed : int
    confidence : float
    unit : text array, shape (g,)
    """

    kind: ClassVar[str] = "optimum"

    factors: NDArray[Any]
    setting: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    share: Floats
    feasible_low: Floats
    feasible_high: Floats
    goals: NDArray[Any]
    today: Floats
    today_low: Floats
    today_high: Floats
    outcome: Floats
    outcome_low: Floats
    outcome_high: Floats
    desirability: Floats
    whole: float
    whole_today: float
    whole_low: float
    whole_high: float
    regret: float
    candidates: int
    draws: int
    seed: int
    confidence: float
    unit: NDArray[Any]

    def settings(self) -> dict[str, Any]:
        """Factor -> best setting (number or text), as a scenario for ``what_if``."""
        out: dict[str, Any] = {}
        for name, text, low in zip(self.factors, self.setting, self.feasible_low, strict=True):
            out[str(name)] = str(text) if math.isnan(low) else float(text)
        return out

    def to_frame(self) -> pd.DataFrame:
        """One row per goal: goal, today, today_low, today_high, outcome, outcome_low, outcome_high,
        desirability, confidence, unit."""
        import pandas as pd

        names = ("today", "today_low", "today_high", "outcome", "outcome_low", "outcome_high", "desirability")
        columns = {"goal": self.goals} | {n: getattr(self, n) for n in (*names, "confidence", "unit")}
        return pd.DataFrame(columns)

    def setting_frame(self) -> pd.DataFrame:
        """One row per controllable factor: factor, setting, low, high, share, feasible_low, feasible_high."""
        import pandas as pd

        names = ("setting", "low", "high", "share", "feasible_low", "feasible_high")
        return pd.DataFrame({"factor": self.factors} | {n: getattr(self, n) for n in names})

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The summary, the goals, the settings."""
        return ("Summary", self.summary()), ("Goals", self.to_frame()), ("Settings", self.setting_frame())

    def summary(self) -> pd.DataFrame:
        """One row: settings, desirability, desirability_low, desirability_high, desirability_today, regret,
        candidates, draws, caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "settings": ", ".join(
                        f"{k} = {v}" for k, v in zip(self.factors, self.setting, strict=True)
                    ),
                    "desirability": self.whole,
                    "desirability_low": self.whole_low,
                    "desirability_high": self.whole_high,
                    "desirability_today": self.whole_today,
                    "regret": self.regret,
                    "candidates": self.candidates,
                    "draws": self.draws,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


@dataclass(frozen=True, slots=True)
class _Space:
    """What may be set: ranges of numbers (whole or not) and levels of categories."""

    numbers: dict[str, tuple[float, float]]
    whole: frozenset[str]
    levels: dict[str, tuple[Any, ...]]

    def points(
        self, n: int, rng: np.random.Generator, around: dict[str, Any] | None, width: float
    ) -> list[dict[str, Any]]:
        """Candidates spread evenly (Latin hypercube), around one setting when given."""
        out: list[dict[str, Any]] = [{} for _ in range(n)]
        for name, (low, high) in self.numbers.items():
            u = (rng.permutation(n) + rng.uniform(size=n)) / n
            if around is None:
                at = low + u * (high - low)
            else:
                at = np.clip(float(around[name]) + (u - 0.5) * width * (high - low), low, high)
            for one, v in zip(out, at.tolist(), strict=True):
                one[name] = float(round(v)) if name in self.whole else v
        for name, levels in self.levels.items():
            for k, one in enumerate(out):
                one[name] = (
                    around[name] if around is not None else levels[(k + int(rng.integers(n))) % len(levels)]
                )
        return out

    def corners(self) -> list[dict[str, Any]]:
        """All ends with all levels (numbers beyond the sixth stay in the middle)."""
        choices: list[list[Any]] = [
            [low, high] if k < CORNERS else [(low + high) / 2]
            for k, (low, high) in enumerate(self.numbers.values())
        ]
        choices += [list(v) for v in self.levels.values()]
        names = [*self.numbers, *self.levels]
        every = itertools.islice(itertools.product(*choices), 512)
        return [dict(zip(names, values, strict=True)) for values in every]


def optimize(
    goals: Sequence[Goal],
    *,
    within: Mapping[str, Any] | None,
    today: Mapping[str, Any] | None,
    confidence: float,
    rows: int,
    seed: int,
) -> Optimum:
    """See :meth:`perfanalytics.models.result.Model.optimize`."""
    if not goals:
        raise InputError("optimize needs at least one goal")
    rng = np.random.default_rng(seed)
    space = _space(goals, within or {})
    starts, lucks = [], []
    for goal in goals:
        own = {k: v for k, v in (today or {}).items() if k in _columns(goal.model)}
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
        if not any(name in _columns(g.model) for g in goals):
            raise UnknownNameError(
                "factor in today", str(name), [c for g in goals for c in _columns(g.model)]
            )

    def values(setting: dict[str, Any]) -> tuple[Floats, Floats]:
        """Each goal at the estimates, shape (g,), and at the draws, shape (g, draws)."""
        at, drawn = [], []
        for goal, start, luck in zip(goals, starts, lucks, strict=True):
            own = {k: v for k, v in setting.items() if k in _columns(goal.model)}
            one, many = _value(goal, set_values(goal.model, start, own, where="the search"), luck)
            at.append(one)
            drawn.append(many)
        return np.array(at), np.array(drawn)

    tried: list[dict[str, Any]] = []
    found: list[tuple[Floats, Floats]] = []

    def try_all(settings: list[dict[str, Any]]) -> None:
        for setting in settings:
            if setting not in tried:
                tried.append(setting)
                found.append(values(setting))

    try_all(space.corners())
    try_all(space.points(FIRST, rng, None, 1.0))
    ends = _scales(goals, np.array([f[0] for f in found]))
    for k in range(ROUNDS):
        whole = _whole(goals, ends, np.array([f[0] for f in found]))
        try_all(space.points(NEXT, rng, tried[int(np.argmax(whole))], 0.3 / 3**k))
    at, drawn = np.array([f[0] for f in found]), np.array([f[1] for f in found])
    best = int(np.argmax(_whole(goals, ends, at)))
    now, now_drawn = values({})
    whole_drawn = _whole(goals, ends, np.moveaxis(drawn, 1, 2))
    return _result(
        goals,
        ends,
        space,
        tried,
        best,
        at[best],
        drawn[best],
        now,
        now_drawn,
        whole_drawn,
        confidence,
        seed,
        rows,
    )


def _columns(model: Any) -> tuple[str, ...]:
    return (*(r.name for r in model.roles), *model.columns.values())


def _space(goals: Sequence[Goal], within: Mapping[str, Any]) -> _Space:
    """What may be set: the controllable factors of all models, narrowed by ``within``."""
    numbers: dict[str, tuple[float, float]] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    whole = set()
    every = list(dict.fromkeys(n for g in goals for n in g.model.controllable))
    if not every:
        raise InputError(
            "no factor of the model is controllable: name what can be set with "
            "perf.fit(..., controllable=[perf.Factor('reviewers', low=1, high=4)])"
        )
    for name in within:
        if name not in every:
            raise UnknownNameError("controllable factor (within=)", str(name), every)
    for name in every:
        model = next(g.model for g in goals if name in g.model.controllable)
        given = within.get(name, model.feasible(name))
        if name in model.levels:
            given = (given,) if isinstance(given, str) else tuple(given)
            bad = [v for v in given if v not in model.levels[name]]
            if bad and name in within:
                raise InputError(
                    f"{name} {bad[0]!r} was not in the data of the model: nothing can be said of it"
                )
            levels[name] = tuple(v for v in given if v in model.levels[name])
            continue
        low, high = (float(v) for v in ((given, given) if isinstance(given, int | float) else given))
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise InputError(f"the range of {name!r} is (low, high) with low <= high, got {given!r}")
        if is_whole(model, name):
            whole.add(name)
            low, high = math.ceil(low), math.floor(high)
        numbers[name] = (float(low), float(high))
    return _Space(numbers, frozenset(whole), levels)


def _value(goal: Goal, frame: pd.DataFrame, luck: Luck) -> tuple[float, Floats]:
    law = law_of(goal.model, frame)
    if goal.of == "mean":
        return float(law.mean().mean()), expected_at(law, luck).mean(axis=1)
    low, high = goal.bounds()
    above = law.cdf(high) if high < math.inf else np.ones(len(frame))
    below = law.below(low) if low > -math.inf else np.zeros(len(frame))
    return float(np.mean(above - below)), chance_at(law, luck, low, high).mean(axis=1)


def _scales(goals: Sequence[Goal], seen: Floats) -> list[tuple[float, float]]:
    """Worst and best of each goal: given, or what can be reached."""
    out = []
    for k, goal in enumerate(goals):
        if goal.of == "probability":
            out.append((0.0 if goal.worst is None else goal.worst, 1.0 if goal.best is None else goal.best))
            continue
        low, high = float(seen[:, k].min()), float(seen[:, k].max())
        worst, best = (high, low) if goal._direction == "lower" else (low, high)
        out.append((worst if goal.worst is None else goal.worst, best if goal.best is None else goal.best))
    return out


def _each(goal: Goal, ends: tuple[float, float], y: Floats) -> Floats:
    better = "higher" if goal.of == "probability" else goal._direction
    return desirability(y, better=better, worst=ends[0], best=ends[1], target=goal.target, shape=goal.shape)


def _whole(goals: Sequence[Goal], ends: list[tuple[float, float]], y: Floats) -> Floats:
    """Weighted geometric mean over the goals (last axis)."""
    total = sum(g.importance for g in goals)
    logs = np.zeros(y.shape[:-1])
    with np.errstate(divide="ignore"):
        for k, goal in enumerate(goals):
            logs = logs + goal.importance / total * np.log(_each(goal, ends[k], y[..., k]))
    return np.asarray(np.exp(logs))


def _result(
    goals: Sequence[Goal],
    ends: list[tuple[float, float]],
    space: _Space,
    tried: list[dict[str, Any]],
    best: int,
    at: Floats,
    drawn: Floats,
    now: Floats,
    now_drawn: Floats,
    whole_drawn: Floats,
    confidence: float,
    seed: int,
    rows: int,
) -> Optimum:
    tail = [(1 - confidence) / 2, (1 + confidence) / 2]
    winners = [tried[k] for k in np.argmax(whole_drawn, axis=0).tolist()]
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
            setting.append(str(value))
            both = ", ".join(str(v) for v in space.levels[name] if chosen.count(v) / len(chosen) >= tail[0])
            low.append(both)
            high.append(both)
            share.append(chosen.count(value) / len(chosen))
    out = np.quantile(drawn, tail, axis=1)
    was = np.quantile(now_drawn, tail, axis=1)
    own = whole_drawn[best]
    spread = np.quantile(own, tail)
    whole = float(_whole(goals, ends, at))
    regret = float(np.mean(whole_drawn.max(axis=0) - own))
    before = float(_whole(goals, ends, now))
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
            np.array([float(_each(g, e, v)) for g, e, v in zip(goals, ends, at, strict=True)])
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
        verdict=_verdict(goals, settings, at, out, now, confidence),
        caveats=_doubts(goals, space, tried[best], whole),
        method=Method(
            "optimize",
            {
                "models": [g.model.formula for g in goals],
                "goals": goal_names,
                "scales": [[float(v) for v in e] for e in ends],
                "importance": [g.importance for g in goals],
                "candidates": len(tried),
                "search": "corners, Latin hypercube, three narrower rounds around the best",
                "rows_of_factors": rows,
                "parameter_draws": DRAWS,
                "seed": seed,
                "confidence": confidence,
            },
            ("Derringer and Suich (1980), Journal of Quality Technology 12, 214-219",),
        ),
        provenance=goals[0].model.provenance,
    )


def _doubts(goals: Sequence[Goal], space: _Space, best: dict[str, Any], whole: float) -> tuple[Caveat, ...]:
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
