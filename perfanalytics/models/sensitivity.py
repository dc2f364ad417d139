"""sensitivity(model) -> Sensitivity: what drives the outcome, by tornado and by shares of variance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent, span
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.models.conditional import draw_luck, expected_at, law_of
from perfanalytics.models.factor_values import (
    even_rows,
    require_complete,
    set_values,
    today_rows,
    typical_row,
)

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Draws of the parameters; share from which on a level can be an end of a bar; resamples of the shares.
DRAWS, RARE, RESAMPLES = 1000, 0.05, 200
#: Rank correlation of two factors from which shares of independent factors mislead.
DEPENDENT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sensitivity(Result):
    """What drives the expected outcome, the strongest factor first.

    Attributes
    ----------
    measure : Measure
    factor : text array, shape (f,)
    controllable : bool array, shape (f,)
    low_at, high_at : text arrays, shape (f,)
        Values between which the factor is moved: P10 and P90, of a category its levels with the lowest and
        the highest outcome (at least 5% of rows).
    low, high : float arrays, shape (f,)
        Expected outcome there, the others at their typical values.
    center : float
        Expected outcome with all factors at their typical values.
    swing, swing_low, swing_high : float arrays, shape (f,)
        ``high - low`` with its interval.
    first, total : float arrays, shape (f,)
        Sobol shares of the variance of the expected outcome: of the factor alone, and with all it acts
        together with. Factors are drawn independently of each other.
    first_low, first_high, total_low, total_high : float arrays, shape (f,)
        Their bootstrap intervals (simulation error).
    of_items : float
        Share of the variance of single items that all factors together explain; the rest is beyond them.
    confidence : float
    n, seed : int
        Sobol points.
    """

    kind: ClassVar[str] = "sensitivity"

    measure: Measure
    factor: NDArray[Any]
    controllable: NDArray[np.bool_]
    low_at: NDArray[Any]
    high_at: NDArray[Any]
    low: Floats
    high: Floats
    center: float
    swing: Floats
    swing_low: Floats
    swing_high: Floats
    first: Floats
    first_low: Floats
    first_high: Floats
    total: Floats
    total_low: Floats
    total_high: Floats
    of_items: float
    confidence: float
    n: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row per factor, the strongest first: factor, controllable, low_at, high_at, low, high, swing,
        swing_low, swing_high, first, first_low, first_high, total, total_low, total_high, confidence,
        unit."""
        import pandas as pd

        names: tuple[str, ...] = (
            "factor",
            "controllable",
            "low_at",
            "high_at",
            "low",
            "high",
            "swing",
            "swing_low",
        )
        names += ("swing_high", "first", "first_low", "first_high", "total", "total_low", "total_high")
        return pd.DataFrame(
            {n: getattr(self, n) for n in (*names, "confidence")} | {"unit": self.measure.unit}
        )

    def summary(self) -> pd.DataFrame:
        """One row: measure, unit, factors, strongest, center, of_items, caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "factors": len(self.factor),
                    "strongest": str(self.factor[0]),
                    "center": self.center,
                    "of_items": self.of_items,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


@dataclass(frozen=True, slots=True)
class _Marginal:
    """Observed values of one factor by their quantiles; categories by the position of their level."""

    values: Floats

    def ppf(self, share: Any) -> Floats:
        place = (np.asarray(share, dtype=float) * len(self.values)).astype(int)
        return np.asarray(self.values[np.minimum(place, len(self.values) - 1)])


def sensitivity(
    model: Any, *, today: Mapping[str, Any] | None, n: int, confidence: float, seed: int
) -> Sensitivity:
    """See :meth:`perfanalytics.Model.sensitivity`."""
    import pandas as pd

    if n < 64 or n & (n - 1):
        raise InputError(f"n= is a power of 2 from 64 on (Sobol points), got {n}")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    names = [r.name for r in model.roles]
    if not names:
        raise InputError("this model has no factors: there is nothing that could drive it")
    rng = np.random.default_rng(seed)
    rows = set_values(model, today_rows(model, even_rows(model, 2000), rng), today or {}, where="today")
    require_complete(model, rows)
    start = typical_row(model) | {
        k: rows[k].iloc[0] for k in rows.columns if k not in names or (today and k in today)
    }
    for name in today or {}:
        if name in names and name not in model.levels:
            start[name] = float(np.quantile(rows[name], 0.5, method="inverted_cdf"))
    luck = draw_luck(model, DRAWS, rng)
    tail = (1 - confidence) / 2
    found = []
    for name in names:
        ends = _ends(model, name, rows, start)
        pair = pd.DataFrame([start | {name: v} for v in ends])
        law = law_of(model, pair)
        at, moved = law.mean(), expected_at(law, luck)
        swing = np.quantile(moved[:, 1] - moved[:, 0], [tail, 1 - tail])
        found.append((ends, at, swing))
    codes = {n_: _codes(model, n_, rows) for n_ in names}
    shares = _sobol(model, names, codes, start, n, confidence, seed)
    swing = np.array([f[1][1] - f[1][0] for f in found])
    order = np.argsort(-np.abs(swing), kind="stable")
    factor = np.array(names, dtype=object)[order]
    said = [
        [str(v) if name in model.levels else number(v) for v in f[0]]
        for name, f in zip(names, found, strict=True)
    ]
    items = np.asarray(model.simulate_items(rows, draws=60, rng=seed))
    of_items = float(np.var(law_of(model, rows).mean()) / np.var(items))
    center = float(law_of(model, pd.DataFrame([start])).mean()[0])
    low, high = (np.array([f[1][k] for f in found])[order] for k in (0, 1))
    result = {
        "low": low,
        "high": high,
        "swing": swing[order],
        "swing_low": np.array([f[2][0] for f in found])[order],
        "swing_high": np.array([f[2][1] for f in found])[order],
    } | {k: v[order] for k, v in shares.items()}
    return Sensitivity(
        measure=model.measure,
        factor=read_only(factor),
        controllable=read_only(np.array([f in model.controllable for f in factor])),
        low_at=read_only(np.array([said[k][0] for k in order], dtype=object)),
        high_at=read_only(np.array([said[k][1] for k in order], dtype=object)),
        center=center,
        of_items=min(of_items, 1.0),
        confidence=confidence,
        n=n,
        seed=seed,
        verdict=_verdict(model, factor, result, [said[k] for k in order], min(of_items, 1.0)),
        caveats=_doubts(names, codes),
        method=Method(
            "sensitivity",
            {
                "model": model.formula,
                "family": model.family,
                "tornado": "P10 to P90, the others at typical values",
                "sobol_points": n,
                "factors": "drawn independently for the shares",
                "parameter_draws": DRAWS,
                "seed": seed,
                "confidence": confidence,
            },
            ("Saltelli et al. (2010), Computer Physics Communications 181, 259-270",),
        ),
        provenance=model.provenance,
        **{k: read_only(v) for k, v in result.items()},
    )


def _ends(model: Any, name: str, rows: pd.DataFrame, start: dict[str, Any]) -> list[Any]:
    """The two values a factor is moved between; where P10 is P90, its extremes."""
    import pandas as pd

    if name not in model.levels:
        low, high = np.quantile(rows[name], [0.1, 0.9], method="inverted_cdf").tolist()
        return [low, high] if high > low else [float(rows[name].min()), float(rows[name].max())]
    share = rows[name].value_counts(normalize=True)
    common = [v for v in model.levels[name] if share.get(v, 0.0) >= RARE] or [share.index[0]]
    at = law_of(model, pd.DataFrame([start | {name: v} for v in common])).mean()
    return [common[int(np.argmin(at))], common[int(np.argmax(at))]]


def _codes(model: Any, name: str, rows: pd.DataFrame) -> Floats:
    if name not in model.levels:
        return np.asarray(rows[name].to_numpy(dtype=float))
    place = {level: k for k, level in enumerate(model.levels[name])}
    return np.array([float(place[v]) for v in rows[name].tolist()])


def _sobol(
    model: Any,
    names: list[str],
    codes: dict[str, Floats],
    start: dict[str, Any],
    n: int,
    confidence: float,
    seed: int,
) -> dict[str, Floats]:
    """Shares by scipy; NaN when nothing varies."""
    import pandas as pd
    from scipy import stats

    seen: list[Floats] = []

    def outcome(x: Floats) -> Floats:
        frame = pd.DataFrame({k: [v] * x.shape[1] for k, v in start.items() if k not in names})
        for name, column in zip(names, x, strict=True):
            levels = model.levels.get(name)
            frame[name] = column if levels is None else [levels[int(v)] for v in column.tolist()]
        seen.append(law_of(model, frame).mean())
        return seen[-1][None, :]

    keys = ("first", "first_low", "first_high", "total", "total_low", "total_high")
    empty = dict.fromkeys(keys, np.full(len(names), np.nan))
    dists = [_Marginal(np.sort(codes[name])) for name in names]
    check = outcome(np.array([d.ppf(np.linspace(0.005, 0.995, 64)) for d in dists]))
    if np.ptp(check) == 0:
        return empty
    if len(names) == 1:
        # the only factor explains everything; scipy wants two
        return dict.fromkeys(keys, np.ones(1))
    found = stats.sobol_indices(func=outcome, n=n, dists=cast("Any", dists), rng=np.random.default_rng(seed))
    first, total = np.ravel(found.first_order), np.ravel(found.total_order)
    # scipy's own bootstrap takes its numbers from the global generator: resampled here with the seed
    _, one, two, mixed = seen
    many = _resampled(one, two, mixed.reshape(n, len(names)), np.random.default_rng(seed))
    low, high = np.quantile(many, [(1 - confidence) / 2, (1 + confidence) / 2], axis=1)
    values = (first, low[0], high[0], total, low[1], high[1])
    return dict(zip(keys, values, strict=True))


def _resampled(one: Floats, two: Floats, mixed: Floats, rng: np.random.Generator) -> Floats:
    """First-order and total shares of resampled runs, shape (2, resamples, factors)."""
    out = np.empty((2, RESAMPLES, mixed.shape[1]))
    n = len(one)
    for k in range(RESAMPLES):
        own = rng.integers(n, size=n)
        a, b, ab = one[own], two[own], mixed[own]
        center, variance = (a.mean() + b.mean()) / 2, np.var(np.concatenate([a, b]))
        out[0, k] = np.mean((b - center)[:, None] * (ab - a[:, None]), axis=0) / variance
        out[1, k] = np.mean((a[:, None] - ab) ** 2, axis=0) / 2 / variance
    return out


def _doubts(names: list[str], codes: dict[str, Floats]) -> tuple[Caveat, ...]:
    """Factors that move together: their shares cannot be told apart."""
    from scipy import stats

    pairs = []
    for i, one in enumerate(names):
        for two in names[i + 1 :]:
            if np.ptp(codes[one]) == 0 or np.ptp(codes[two]) == 0:
                continue
            r = float(stats.spearmanr(codes[one], codes[two]).statistic)
            if abs(r) >= DEPENDENT:
                pairs.append((one, two, r))
    if not pairs:
        return ()
    one, two, r = max(pairs, key=lambda p: abs(p[2]))
    text = (
        f"{one} and {two} move together (rank correlation {r:.2f}): each is moved here as if the other "
        f"stayed, "
        "which the data hardly show."
    )
    return (Caveat("dependent-factors", text, {"pairs": len(pairs), "largest": r}),)


def _verdict(
    model: Any, factor: NDArray[Any], found: dict[str, Floats], said: list[list[str]], items: float
) -> str:
    unit, name = model.measure.unit, str(factor[0])
    ends = sorted([float(found["swing_low"][0]), float(found["swing_high"][0])])
    change = span(ends[0], ends[1])
    text = (
        f"{name} drives {model.measure.name} most: from {said[0][0]} to {said[0][1]} the expected "
        f"outcome goes from "
        f"{number(float(found['low'][0]))} to {number(float(found['high'][0]), unit)} (change {change})."
    )
    if len(factor) > 1 and math.isfinite(found["total"][0]):
        best = int(np.argmax(found["total"]))
        text += (
            f" By shares of variance the strongest is {factor[best]} "
            f"({percent(float(found['total'][best]))})."
        )
    return f"{text} All factors together explain {percent(items)} of the variation of single items."
