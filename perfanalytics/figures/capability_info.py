"""What the figure of a capability study shows: its arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.capability_result import Capability
from perfanalytics.figures.distribution import bars, scores

#: How many of the last subgroups (points) are drawn one by one.
LAST = 25


_INDICES = ("cp", "cpk", "pp", "ppk", "cpm", "z_bench_within", "z_bench_overall")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityInfo:
    """What is drawn.

    ``chart`` panels are in the result; ``last_x``, ``last`` the last points one by one; ``edges``, ``height``
    the histogram; ``curve_x``, ``within``, ``overall`` the fitted densities;
    ``values``, ``score``, ``line`` the probability plot; ``index``, ``estimate``, ``low``, ``high`` the
    indices.
    """

    last_x: NDArray[np.float64]
    last: NDArray[np.float64]
    edges: NDArray[np.float64]
    height: NDArray[np.float64]
    curve_x: NDArray[np.float64]
    within: NDArray[np.float64]
    overall: NDArray[np.float64]
    values: NDArray[np.float64]
    score: NDArray[np.float64]
    line: NDArray[np.float64]
    index: tuple[str, ...]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    limits: tuple[tuple[str, float], ...]


def info(result: Capability) -> CapabilityInfo:
    """The arrays of the figure."""
    x = result.values
    limits = tuple(
        (name, value)
        for name, value in (("lower", result.lower), ("target", result.target), ("upper", result.upper))
        if math.isfinite(value)
    )
    edges, height = bars(x, len(x))
    values, score = scores(x, None)
    ends = [float(x.min()), float(x.max()), *(v for _, v in limits)]
    pad = 0.05 * (max(ends) - min(ends)) or 0.5
    low = min(ends) - pad
    if float(x.min()) > 0:
        low = max(low, 1e-6 * float(x.max()))
    curve_x = np.linspace(low, max(ends) + pad, 400)
    within, overall, line = _densities(result, curve_x)
    rows = [n for n in _INDICES if not math.isnan(result.value(n))]
    if not rows:
        rows = [n for n in ("z_bench_overall",) if math.isfinite(result.value(n))]
    last = np.unique(result.subgroup)[-LAST:]
    shown = np.isin(result.subgroup, last)
    return CapabilityInfo(
        last_x=(result.subgroup[shown] + 1).astype(np.float64),
        last=x[shown],
        edges=edges,
        height=height,
        curve_x=curve_x,
        within=within,
        overall=overall,
        values=values,
        score=score,
        line=line,
        index=tuple(rows),
        estimate=np.array([result.value(n) for n in rows]),
        low=np.array([result.value(n, "low") for n in rows]),
        high=np.array([result.value(n, "high") for n in rows]),
        limits=limits,
    )


def _densities(
    result: Capability, x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Density within and overall, and normal score of the overall distribution, in the unit shown."""
    nothing = np.full(len(x), np.nan)
    if result.analysis == "attribute" or not result.sd_overall > 0:
        return nothing, nothing, nothing
    if result.analysis == "percentile":
        if result.fitted is None:
            return nothing, nothing, nothing
        upper = result.fitted.sf(x)
        with np.errstate(divide="ignore"):
            score = np.where(upper < 0.5, -special.ndtri(upper), special.ndtri(result.fitted.cdf(x)))
        return nothing, result.fitted.pdf(x), np.where(np.abs(score) < 6, score, np.nan)
    y = _forward(result, x)
    slope = np.gradient(y, x)

    def density(sd: float) -> NDArray[np.float64]:
        z = (y - result.mean) / sd
        return np.asarray(np.exp(-0.5 * z * z) / (sd * math.sqrt(2 * math.pi)) * slope)

    within = density(result.sd_within) if result.sd_within > 0 else nothing
    return within, density(result.sd_overall), np.asarray((y - result.mean) / result.sd_overall)


def _forward(result: Capability, x: NDArray[np.float64]) -> NDArray[np.float64]:
    p = result.transform
    with np.errstate(divide="ignore", invalid="ignore"):
        if result.distribution == "log":
            return np.log(np.where(x > 0, x, np.nan))
        if result.distribution == "box_cox":
            return np.asarray(special.boxcox(np.where(x > 0, x, np.nan), p["lambda"]))
        if result.distribution == "johnson":
            u = (x - p["xi"]) / p["lambda"]
            if p["su"]:
                return np.asarray(p["gamma"] + p["delta"] * np.arcsinh(u))
            inside = np.where((u > 0) & (u < 1), u, np.nan)
            return np.asarray(p["gamma"] + p["delta"] * (np.log(inside) - np.log1p(-inside)))
    return x
