"""What may be set together: the controllable factors of some models, and candidates among their settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.factor_values import is_whole

#: Numbers of which all combinations of their ends are candidates; candidates of that kind at most.
CORNERS, MOST_CORNERS = 6, 512


@dataclass(frozen=True, slots=True)
class SettingSpace:
    """What may be set: ranges of numbers (whole or not) and levels of categories."""

    numbers: dict[str, tuple[float, float]]
    whole: frozenset[str]
    levels: dict[str, tuple[Any, ...]]

    def points(self, n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
        """Candidates spread evenly (Latin hypercube)."""
        out: list[dict[str, Any]] = [{} for _ in range(n)]
        for name, (low, high) in self.numbers.items():
            at = low + (rng.permutation(n) + rng.uniform(size=n)) / n * (high - low)
            for one, v in zip(out, at.tolist(), strict=True):
                one[name] = float(round(v)) if name in self.whole else v
        for name, levels in self.levels.items():
            for one, k in zip(out, (rng.permutation(n) % len(levels)).tolist(), strict=True):
                one[name] = levels[k]
        return out

    def corners(self) -> list[dict[str, Any]]:
        """All ends with all levels (numbers beyond the sixth stay in the middle)."""
        choices: list[list[Any]] = [
            [low, high] if k < CORNERS else [self._middle(name)]
            for k, (name, (low, high)) in enumerate(self.numbers.items())
        ]
        choices += [list(v) for v in self.levels.values()]
        names = [*self.numbers, *self.levels]
        every = itertools.islice(itertools.product(*choices), MOST_CORNERS)
        return [dict(zip(names, values, strict=True)) for values in every]

    def _middle(self, name: str) -> float:
        middle = sum(self.numbers[name]) / 2
        return float(math.floor(middle)) if name in self.whole else middle

    def neighbours(self, setting: dict[str, Any], step: float) -> list[dict[str, Any]]:
        """One factor moved: a number up and down by a share of its range, a category to each other level."""
        out = []
        for name, (low, high) in self.numbers.items():
            move = step * (high - low)
            move = max(1.0, float(round(move))) if name in self.whole else move
            ends = min(setting[name] + move, high), max(setting[name] - move, low)
            out += [setting | {name: to} for to in ends if to != setting[name]]
        for name, levels in self.levels.items():
            out += [setting | {name: v} for v in levels if v != setting[name]]
        return out

    def further(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        """The same move once more, within the ranges."""
        out = dict(after)
        for name, (low, high) in self.numbers.items():
            out[name] = min(max(2 * after[name] - before[name], low), high)
        return out


def space_of(models: Sequence[Any], within: Mapping[str, Any]) -> SettingSpace:
    """The controllable factors of all models, narrowed by ``within``; what several models know lies in all.

    Raises
    ------
    InputError, UnknownNameError
        Without a controllable factor, or for a range that is none.
    """
    every = list(dict.fromkeys(n for m in models for n in m.controllable))
    if not every:
        raise InputError(
            "no factor of the model is controllable: name what can be set with "
            "perf.fit(..., controllable=[perf.Factor('reviewers', low=1, high=4)])"
        )
    for name in within:
        if name not in every:
            raise UnknownNameError("controllable factor (within=)", str(name), every)
    numbers: dict[str, tuple[float, float]] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    whole = set()
    for name in every:
        own = [m for m in models if name in m.controllable]
        if len({name in m.levels for m in own}) > 1:
            raise InputError(f"{name!r} is a number in one model and a category in another")
        if name in own[0].levels:
            levels[name] = _levels_of(own, name, within)
            continue
        numbers[name] = _range_of(own, name, within)
        if any(is_whole(m, name) for m in own):
            whole.add(name)
            low, high = (float(v) for v in (math.ceil(numbers[name][0]), math.floor(numbers[name][1])))
            if low > high:
                raise InputError(
                    f"{name} was a whole number wherever it was seen, and there is none between "
                    f"{numbers[name][0]:g} and {numbers[name][1]:g}"
                )
            numbers[name] = (low, high)
    return SettingSpace(numbers, frozenset(whole), levels)


def _levels_of(models: Sequence[Any], name: str, within: Mapping[str, Any]) -> tuple[Any, ...]:
    known = [v for v in models[0].levels[name] if all(v in m.levels[name] for m in models)]
    if name in within:
        given = within[name]
        given = tuple(given) if isinstance(given, list | tuple | set | frozenset) else (given,)
        bad = [v for v in given if v not in known]
        if bad:
            raise InputError(f"{name} {bad[0]!r} was not in the data of the model: nothing can be said of it")
    else:
        given = tuple(v for v in models[0].feasible(name) if all(v in m.feasible(name) for m in models))
    found = tuple(v for v in given if v in known)
    if not found:
        raise InputError(f"no level of {name!r} is feasible in all models")
    return found


def _range_of(models: Sequence[Any], name: str, within: Mapping[str, Any]) -> tuple[float, float]:
    if name in within:
        given = within[name]
        pair = (given, given) if isinstance(given, int | float) else given
        try:
            low, high = (float(v) for v in pair)
        except (TypeError, ValueError) as error:
            raise InputError(f"within= of {name!r} is a number or (low, high), got {given!r}") from error
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise InputError(f"the range of {name!r} is (low, high) with low <= high, got {given!r}")
        return low, high
    ends = [m.feasible(name) for m in models]
    low, high = max(float(e[0]) for e in ends), min(float(e[1]) for e in ends)
    if low > high:
        raise InputError(
            f"no value of {name!r} is feasible in all models: give within={{{name!r}: (low, high)}}"
        )
    return low, high
