"""What the factors of a model are: together as the data had them, and what a scenario makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.distribution_result import DistributionFit
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.result import Baseline
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.series import Series
from perfanalytics.models.formula import plain_level
from perfanalytics.models.simulation.distribution import Distribution

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


def columns_known(model: Any) -> tuple[str, ...]:
    """Columns that a scenario may set: of the formula, offset, exposure, sizes, groups and weights."""
    own = tuple(name for role, name in model.columns.items() if role != "time")
    return tuple(dict.fromkeys((*(r.name for r in model.roles), *own)))


def today_rows(model: Any, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the factors as the model saw them together, each nearly equally often, in random order.

    Raises
    ------
    InputError
        When the model keeps no rows of its factors.
    """
    kept = _kept_rows(model)
    n = len(kept) if len(kept.columns) else 1
    place = np.floor((np.arange(rows) + rng.uniform()) * n / rows).astype(int) % n
    rows_of: pd.DataFrame = kept.iloc[rng.permutation(place)].reset_index(drop=True)
    return rows_of


def _kept_rows(model: Any) -> pd.DataFrame:
    kept: pd.DataFrame = model.factor_frame()
    if not len(kept.columns) and model.roles:
        raise InputError(
            "this model keeps no rows of its factors (made from sums, or saved by an earlier version): fit a "
            "sample of the rows with perf.fit"
        )
    return kept


def even_rows(model: Any, rows: int) -> int:
    """At least so many rows that each of the model's rows comes equally often, where it has fewer."""
    n = max((len(v) for v in model.kept.values()), default=1)
    return n * math.ceil(rows / n) if n < rows else rows


def set_values(model: Any, frame: pd.DataFrame, settings: Mapping[str, Any], *, where: str) -> pd.DataFrame:
    """The rows with some columns set.

    A number or level is set in every row. A distribution, a baseline, values, or (levels) a mapping of level
    to share is laid over the rows: numbers in the order of today's values, so that a factor that moves with
    others goes on doing so; levels, and columns that today has not, at random.

    Raises
    ------
    UnknownNameError
        For a column the model does not know.
    InputError
        For a level the model does not know, shares that do not sum to 1, or something that is no value.
    """
    known = columns_known(model)
    out = frame.copy()
    for name, given in settings.items():
        if name not in known:
            raise UnknownNameError(f"factor in {where} (columns of the model):", str(name), known)
        # the luck belongs to the column, not to the scenario: the same in each of them
        rng = np.random.default_rng([20260101, *name.encode()])
        if name in model.levels:
            out[name] = _levels(name, given, model.levels[name], len(frame), rng, where)
        elif name == model.columns.get("groups"):
            out[name] = given
        else:
            out[name] = _numbers(name, given, out, rng, where)
    return out


def require_complete(model: Any, frame: pd.DataFrame) -> None:
    """Raise when a column that a prediction needs is neither in the data nor set.

    Raises
    ------
    InputError
    """
    for role in ("offset", "exposure"):
        name = model.columns.get(role)
        if name is not None and name not in frame.columns:
            raise InputError(f"the model needs {name!r} ({role}=): say what it is, today={{{name!r}: ...}}")


def _levels(
    name: str, given: Any, levels: tuple[Any, ...], n: int, rng: np.random.Generator, where: str
) -> list[Any]:
    shares = given if isinstance(given, Mapping) else None
    if shares is None and isinstance(given, list | tuple | np.ndarray):
        values = [plain_level(v) for v in given]
        shares = {v: values.count(v) / len(values) for v in dict.fromkeys(values)} if values else {}
    if shares is None:
        shares = {given: 1.0}
    found = {plain_level(k): float(v) for k, v in shares.items()}
    for level in found:
        if level not in levels:
            raise InputError(
                f"{where}: {name} {level!r} was not in the data of the model, nothing can be said; it had "
                + ", ".join(map(str, levels[:12]))
            )
    total = math.fsum(found.values())
    if not found or min(found.values()) < 0 or abs(total - 1) > 1e-6:
        raise InputError(f"{where}: the shares of {name} are not negative and sum to 1, got {total:g}")
    names = list(found)
    ends = np.cumsum([found[k] for k in names])[:-1]
    return [names[k] for k in np.searchsorted(ends, _even(n, rng), side="right").tolist()]


def _numbers(name: str, given: Any, frame: pd.DataFrame, rng: np.random.Generator, where: str) -> Any:
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        if not math.isfinite(float(given)):
            raise InputError(f"{where}: {name} is a finite number, got {given}")
        return float(given)
    share = _even(len(frame), rng)
    if name in frame.columns:
        now = frame[name].to_numpy(dtype=float)
        # ties are broken at random, the same way in every scenario
        order = np.lexsort((rng.uniform(size=len(now)), now))
        share[order] = (np.arange(len(now)) + 0.5) / len(now)
    return quantiles_of(given, share, f"{where}: {name}")


def _even(n: int, rng: np.random.Generator) -> Floats:
    """Shares spread evenly over 0 to 1, in random order."""
    return np.asarray((rng.permutation(n) + 0.5) / n)


def quantiles_of(given: Any, share: Floats, what: str) -> Floats:
    """Quantiles of something that has a distribution.

    Raises
    ------
    InputError
        When it has none.

    Examples
    --------
    >>> quantiles_of([1.0, 2.0, 3.0, 4.0], np.array([0.1, 0.6]), "hours").tolist()
    [1.0, 3.0]
    """
    if isinstance(given, Distribution):
        return given.quantile_at(np.asarray(special.ndtri(share)))
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        return np.full(len(share), float(given))
    if isinstance(given, DistributionFit):
        best = next((f for f in given.fits if f.converged), None)
        if best is None:
            raise InputError(f"{what}: no distribution of this fit converged")
        return np.asarray(best.quantile(share))
    if isinstance(given, Fitted):
        return np.asarray(given.quantile(share))
    if isinstance(given, Baseline):
        if given.values_are == "open items" and given.fitted is not None:
            return np.asarray(given.fitted.quantile(share))
        if given.values_are == "open items":
            raise InputError(f"{what}: some values of this baseline are not final, and it has no fit")
        values = given.values / given.sizes if given.sizes is not None else given.values
    elif isinstance(given, Series):
        values = given.values
    else:
        try:
            values = np.asarray(given, dtype=float)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{what}: give a number, perf.Distribution, a baseline, a fitted distribution or values, got "
                f"{type(given).__name__}"
            ) from error
    values = np.asarray(values, dtype=float).ravel()
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        raise InputError(f"{what}: there is no value to draw from")
    return np.asarray(values[np.minimum((share * len(values)).astype(int), len(values) - 1)])


def typical_row(model: Any) -> dict[str, Any]:
    """Each factor at its typical value: the (lower) median of numbers, the most frequent level.

    Raises
    ------
    InputError
        When the model keeps no rows of its factors.
    """
    kept = _kept_rows(model)
    out: dict[str, Any] = {}
    for name in kept.columns:
        if name in model.levels:
            out[name] = kept[name].value_counts().index[0]
        else:
            out[name] = float(np.quantile(kept[name], 0.5, method="inverted_cdf"))
    return out


def is_whole(model: Any, name: str) -> bool:
    """Whether a number was whole wherever it was seen."""
    if name not in model.kept:
        return False
    values = np.asarray(model.kept[name], dtype=float)
    return bool(np.all(values == np.round(values)))


def infeasible(model: Any, settings: Mapping[str, Any], frame: pd.DataFrame) -> list[str]:
    """What of a scenario lies outside the declared feasible range of a controllable factor."""
    out = []
    for role in model.roles:
        if role.name not in settings or not role.controllable:
            continue
        allowed = model.feasible(role.name)
        if role.name in model.levels:
            bad = [v for v in dict.fromkeys(frame[role.name].tolist()) if v not in allowed]
            out += [f"{role.name} {v!r}" for v in bad]
        elif role.low is not None or role.high is not None:
            low, high = allowed
            values = frame[role.name].to_numpy(dtype=float)
            if values.min() < low - 1e-9 or values.max() > high + 1e-9:
                worst = values.min() if values.min() < low - 1e-9 else values.max()
                out.append(f"{role.name} {worst:g} (feasible: {low:g} to {high:g})")
    return out
