"""what_if(model, scenarios) -> WhatIf: what the outcome would be if factors were set otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent, span
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.models.conditional import chance_at, draw_luck, expected_at, law_of
from perfanalytics.models.factor_values import even_rows, infeasible, require_complete, set_values, today_rows
from perfanalytics.models.prediction import read_new
from perfanalytics.models.tabulating import bounds_of
from perfanalytics.models.what_if_result import WhatIf, best_scenario

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Draws of the parameters, items drawn in a scenario, levels of the quantiles that are kept.
DRAWS, ITEMS = 1000, 200_000
#: Fewest rows of the factors by default; rows that are evaluated at once.
ROWS, BLOCK = 500, 500
LEVELS = np.array([0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95])


def what_if(
    model: Any,
    scenarios: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
    *,
    today: Mapping[str, Any] | None,
    objective: Objective | None,
    at_most: float | None,
    at_least: float | None,
    mean_of: int | None,
    confidence: float,
    rows: int | None,
    seed: int,
) -> WhatIf:
    """See :meth:`perfanalytics.Model.what_if`."""
    named = _named(scenarios)
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if rows is not None and (not isinstance(rows, int | np.integer) or rows < 50):
        raise InputError(f"rows= is at least 50 rows of the factors, got {rows}")
    if mean_of is not None and not 1 <= mean_of <= 500:
        raise InputError(f"mean_of= is a number of items from 1 to 500, got {mean_of}")
    wanted = objective is not None or at_most is not None or at_least is not None
    bounds = None
    if wanted or (model.objective is not None and model.objective.statistic == "item"):
        bounds = bounds_of(model, objective, at_most, at_least)
        objective = objective if wanted else model.objective
    kept = max((len(v) for v in model.kept.values()), default=1)
    wanted_rows = max(ROWS, kept) if rows is None else int(rows)
    used = even_rows(model, wanted_rows if mean_of is None else max(wanted_rows, 20 * mean_of))
    rng = np.random.default_rng(seed)
    start = set_values(model, today_rows(model, used, rng), today or {}, where="today")
    require_complete(model, start)
    luck = draw_luck(model, DRAWS, rng)
    frames = [start, *(set_values(model, start, s, where=f"scenario {n!r}") for n, s in named.items())]
    found = [_one(model, f, luck, bounds, mean_of, confidence, seed) for f in frames]
    _add_sampling(found, min(used, kept) if kept > 1 else model.n, model.n, seed)
    tail = (1 - confidence) / 2
    columns: dict[str, Floats] = {}
    for name, key in (("mean", "expected"), ("probability", "chance")):
        columns |= _ends(name, [f[name] for f in found], [f[key] for f in found], tail)
    for name, of, key in (("difference", "mean", "expected"), ("gain", "probability", "chance")):
        change = [f[key] - found[0][key] for f in found]
        columns |= _ends(name, [f[of] - found[0][of] for f in found], change, tail)
    for name in ("item_low", "item_high", "average_low", "average_high", "extrapolates"):
        columns[name] = np.array([f[name] for f in found])
    off = [[], *(infeasible(model, s, f) for s, f in zip(named.values(), frames[1:], strict=True))]
    result = {
        "measure": model.measure,
        "objective": objective,
        "at_least": math.nan if bounds is None or bounds[0] == -math.inf else bounds[0],
        "at_most": math.nan if bounds is None or bounds[1] == math.inf else bounds[1],
        "scenarios": read_only(np.array(["today", *named], dtype=object)),
        "settings": read_only(np.array([_words(s) for s in (today or {}, *named.values())], dtype=object)),
        "levels": read_only(LEVELS),
        "quantiles": read_only(np.array([f["quantiles"] for f in found])),
        "mean_of": mean_of or 0,
        "why": read_only(np.array([f["why"] for f in found], dtype=object)),
        "feasible": read_only(np.array([not o for o in off])),
        "confidence": confidence,
        "rows": used,
        "draws": DRAWS,
        "seed": seed,
    } | {k: read_only(v) for k, v in columns.items()}
    caveats = _doubts(model, named, found, off)
    made = WhatIf(
        **result,
        verdict="",
        caveats=caveats,
        method=Method(
            "what_if",
            {
                "model": model.formula,
                "family": model.family,
                "today": _words(today or {}),
                "rows_of_factors": used,
                "rows_of_the_model": model.n,
                "parameter_draws": DRAWS,
                "seed": seed,
                "confidence": confidence,
                "factors_not_set": "as the data had them together",
                "distributions": "laid over the rows in the order of today's values",
                "random_numbers": "common to all scenarios",
            },
        ),
        provenance=model.provenance,
    )
    return replace(made, verdict=_verdict(made))


def _named(
    scenarios: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
) -> dict[str, Mapping[str, Any]]:
    if isinstance(scenarios, Mapping):
        named = dict(scenarios)
    else:
        listed = [(_words(s) if isinstance(s, Mapping) else str(k), s) for k, s in enumerate(scenarios)]
        named = dict(listed)
        if len(named) < len(listed):
            raise InputError("two scenarios set the same: leave one out, or give them names")
    if not named:
        raise InputError("what if what? Give at least one scenario: {'two reviewers': {'reviewers': 2}}")
    for name, settings in named.items():
        if not isinstance(settings, Mapping) or not settings:
            raise InputError(
                f"scenario {name!r} maps factors to values, {{'reviewers': 2}}, got {settings!r}; a "
                f"mapping of "
                "names to scenarios is {'two reviewers': {'reviewers': 2}}"
            )
        if name == "today":
            raise InputError("the scenario 'today' is always there; say how it differs with today={...}")
    return named


def _one(
    model: Any,
    frame: pd.DataFrame,
    luck: Any,
    bounds: tuple[float, float] | None,
    mean_of: int | None,
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    """What one scenario gives."""
    rows = read_new(model, frame)
    by_row, expected, chances, chance = _over_rows(model, frame, luck, bounds)
    draws = max(100, ITEMS // len(frame))
    items = np.asarray(model.simulate_items(frame, draws=draws, rng=seed))
    tail = (1 - confidence) / 2
    ends = np.quantile(items, [tail, 1 - tail])
    average = np.full(2, np.nan)
    if mean_of is not None:
        blocks = len(frame) // mean_of
        means = items[:, : blocks * mean_of].reshape(draws, blocks, mean_of).mean(axis=2)
        average = np.quantile(means, [tail, 1 - tail])
    outside = rows.extrapolates
    reasons = [w for w in rows.why.tolist() if w]
    return {
        "mean": float(by_row.mean()),
        "expected": expected,
        "by_row": by_row,
        "probability": float(chances.mean()),
        "chance": chance,
        "chances": chances,
        "quantiles": np.quantile(items, LEVELS),
        "item_low": ends[0],
        "item_high": ends[1],
        "average_low": average[0],
        "average_high": average[1],
        "extrapolates": float(outside.mean()),
        "why": max(set(reasons), key=reasons.count) if reasons and outside.any() else "",
    }


def _over_rows(
    model: Any, frame: pd.DataFrame, luck: Any, bounds: tuple[float, float] | None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Expected value of each row, its mean at each draw; the same of the probability (NaN without bounds)."""
    by_row, chances = [], []
    expected, chance = np.zeros(len(luck.steps)), np.zeros(len(luck.steps))
    for first in range(0, len(frame), BLOCK):
        law = law_of(model, frame.iloc[first : first + BLOCK])
        means = law.mean()
        by_row.append(means)
        expected += expected_at(law, luck).sum(axis=1) / len(frame)
        if bounds is None:
            chances.append(np.full(len(means), np.nan))
            continue
        chance += chance_at(law, luck, *bounds).sum(axis=1) / len(frame)
        above = law.cdf(bounds[1]) if bounds[1] < math.inf else np.ones(len(means))
        below = law.below(bounds[0]) if bounds[0] > -math.inf else np.zeros(len(means))
        chances.append(np.clip(above - below, 0.0, 1.0))
    if bounds is None:
        chance = np.full(len(luck.steps), np.nan)
    return np.concatenate(by_row), expected, np.concatenate(chances), chance


def _add_sampling(found: list[dict[str, Any]], distinct: int, n: int, seed: int) -> None:
    """Of a sample of the model's rows: its error goes into the draws, the same luck for all scenarios.

    A mean over m of n rows has the variance ``s^2 / m (1 - m / n)``; over all rows it has none.
    """
    if distinct >= n:
        return
    rng = np.random.default_rng([seed, 20260101])
    rows, draws = len(found[0]["by_row"]), len(found[0]["expected"])
    part = math.sqrt((1 - distinct / n) / distinct / rows)
    for first in range(0, rows, BLOCK):
        luck = rng.standard_normal((draws, min(BLOCK, rows - first)))
        for one in found:
            for key, each in (("expected", "by_row"), ("chance", "chances")):
                away = one[each][first : first + BLOCK] - one[each].mean()
                one[key] = one[key] + part * (luck @ away)


def _ends(name: str, value: list[float], draws: list[Floats], tail: float) -> dict[str, Floats]:
    at = np.array(draws)
    low, high = np.quantile(at, [tail, 1 - tail], axis=1)
    return {name: np.array(value), f"{name}_low": low, f"{name}_high": high}


def _words(settings: Mapping[str, Any]) -> str:
    """Settings in words.

    Examples
    --------
    >>> _words({"reviewers": 2, "team": "blue"})
    'reviewers = 2, team = blue'
    """
    out = []
    for name, given in settings.items():
        if isinstance(given, float | int) and not isinstance(given, bool):
            out.append(f"{name} = {given:g}")
        elif isinstance(given, Mapping):
            out.append(f"{name}: " + " / ".join(f"{percent(float(v))} {k}" for k, v in given.items()))
        elif isinstance(given, Result):
            out.append(f"{name} as in its {given.kind.replace('_', ' ')}")
        elif isinstance(given, list | tuple | np.ndarray):
            out.append(f"{name} from {len(given)} values")
        else:
            out.append(f"{name} = {given}" if isinstance(given, str | bool) else f"{name} ~ {given!r}")
    return ", ".join(out) or "as in the data"


def _doubts(
    model: Any, named: Mapping[str, Mapping[str, Any]], found: list[dict[str, Any]], off: list[list[str]]
) -> tuple[Caveat, ...]:
    doubts = []
    base = found[0]["extrapolates"]
    for name, one in zip(named, found[1:], strict=True):
        if one["extrapolates"] > max(base, 0.01):
            text = (
                f"Scenario {name!r} lies outside the data of the model in {percent(one['extrapolates'])} "
                f"of its "
                f"rows ({one['why']}): there the model guesses."
            )
            doubts.append(Caveat("extrapolates", text, {"scenario": name, "share": one["extrapolates"]}))
    for name, bad in zip(named, off[1:], strict=True):
        if bad:
            text = f"Scenario {name!r} sets what is not feasible: {'; '.join(bad)}."
            doubts.append(Caveat("not-feasible", text, {"scenario": name}))
    passive = sorted({c for s in named.values() for c in s if c not in model.controllable})
    if passive:
        text = (
            f"Nobody declared {', '.join(passive)} as controllable: the scenario says what would be expected "
            "if it were so, not what setting it would do."
        )
        doubts.append(Caveat("not-controllable", text, {"factors": ", ".join(passive)}))
    return tuple(doubts)


def _verdict(result: WhatIf) -> str:
    best, unit = best_scenario(result), result.measure.unit
    many = len(result.scenarios) - 1
    if best is None:
        if math.isnan(float(result.probability[0])) and result.measure.better not in ("lower", "higher"):
            k = int(np.argmax(np.abs(result.difference)))
            told = span(float(result.difference_low[k]), float(result.difference_high[k]), unit)
            return (
                f"Scenario {str(result.scenarios[k])!r} changes the expected {result.measure.name} by "
                f"{number(float(result.difference[k]), unit)} ({percent(result.confidence)} interval {told})."
            )
        which = f"None of the {many} scenarios" if many > 1 else f"Scenario {str(result.scenarios[1])!r}"
        verb = "can" if many > 1 else "cannot"
        return f"{which} {verb} be told to be better than today."
    name = repr(str(result.scenarios[best]))
    most = f", the most of {many} scenarios" if many > 1 else ""
    if math.isnan(float(result.probability[0])):
        text = (
            f"Scenario {name} would bring the expected {result.measure.name} from "
            f"{number(float(result.mean[0]))} to {number(float(result.mean[best]), unit)}{most} (difference "
            f"{span(float(result.difference_low[best]), float(result.difference_high[best]), unit)}, "
            f"{percent(result.confidence)} interval)."
        )
    else:
        ends = (100 * float(result.gain_low[best]), 100 * float(result.gain_high[best]))
        text = (
            f"Scenario {name} would raise the probability that an item is {_bounds_words(result)} from "
            f"{percent(float(result.probability[0]))} to "
            f"{percent(float(result.probability[best]))}{most} (a gain "
            f"of {span(ends[0], ends[1])} percentage points, {percent(result.confidence)} "
            f"interval)."
        )
    if result.extrapolates[best] > 0.01:
        text += " It lies outside the data of the model in part, so the model guesses there."
    return text


def _bounds_words(result: WhatIf) -> str:
    unit = result.measure.unit
    if math.isnan(result.at_least):
        return f"at most {number(result.at_most, unit)}"
    if math.isnan(result.at_most):
        return f"at least {number(result.at_least, unit)}"
    return f"between {number(result.at_least)} and {number(result.at_most, unit)}"
