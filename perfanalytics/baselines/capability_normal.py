"""The indices of normal processes: one call for one series or for thousands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from perfanalytics.baselines.capability_indices import (
    bissell_interval,
    cpm,
    expected_outside,
    mean_and_spread,
    potential_interval,
)
from perfanalytics.core.columns import Floats

#: Every quantity of the table, in its order.
QUANTITIES = (
    "cp", "cpl", "cpu", "cpk", "pp", "ppl", "ppu", "ppk", "cpm",
    "ppm_within", "ppm_within_below", "ppm_within_above", "z_bench_within",
    "ppm_overall", "ppm_overall_below", "ppm_overall_above", "z_bench_overall",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """What the indices follow from; arrays of shape (m,), limits NaN where there are none.

    Parameters
    ----------
    mean, sd_within, df_within, sd_overall, df_overall : float arrays
    n : float array
        Number of values.
    n_effective : float array
        Effective number of values behind the mean.
    variance_factor : float array
        What the overall variance is multiplied with under dependence; 1 for independent values.
    lower, upper, target : float arrays
    """

    mean: Floats
    sd_within: Floats
    df_within: Floats
    sd_overall: Floats
    df_overall: Floats
    n: Floats
    n_effective: Floats
    variance_factor: Floats
    lower: Floats
    upper: Floats
    target: Floats


def table(x: Normal, *, confidence: float) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Estimate, low and high of each of :data:`QUANTITIES`, arrays of shape (m,).

    Textbook estimates, NaN without variation; intervals are centered on the overall spread corrected for
    dependence.
    """
    x = replace(
        x,
        sd_within=np.where(x.sd_within > 0, x.sd_within, np.nan),
        sd_overall=np.where(x.sd_overall > 0, x.sd_overall, np.nan),
    )
    factor = np.sqrt(np.where(np.isfinite(x.variance_factor), x.variance_factor, 1.0))
    out: dict[str, tuple[Floats, Floats, Floats]] = {}
    sources = (
        (("cp", "cpl", "cpu", "cpk"), x.sd_within, x.sd_within, x.df_within),
        (("pp", "ppl", "ppu", "ppk"), x.sd_overall, x.sd_overall * factor, x.df_overall),
    )
    for names, sd, corrected, df in sources:
        plain = mean_and_spread(x.mean, sd, x.lower, x.upper)
        centers = mean_and_spread(x.mean, corrected, x.lower, x.upper)
        for name, value, center in zip(names, plain, centers, strict=True):
            if name in ("cp", "pp"):
                out[name] = (value, *potential_interval(center, df, confidence=confidence))
            else:
                out[name] = (value, *bissell_interval(center, df, x.n_effective, confidence=confidence))
    limits = (x.lower, x.upper, x.target)
    value, _, _ = cpm(x.mean, x.sd_overall, x.n - 1, *limits, confidence=confidence)
    _, low, high = cpm(x.mean, x.sd_overall * factor, x.df_overall, *limits, confidence=confidence)
    out["cpm"] = (value, low, high)
    for where, sd, corrected, df in (
        ("within", x.sd_within, x.sd_within, x.df_within),
        ("overall", x.sd_overall, x.sd_overall * factor, x.df_overall),
    ):
        first = expected_outside(x.mean, sd, df, x.n_effective, x.lower, x.upper, confidence=confidence)
        found = expected_outside(
            x.mean, corrected, df, x.n_effective, x.lower, x.upper, confidence=confidence
        )
        for part, suffix in (("outside", ""), ("below", "_below"), ("above", "_above")):
            _, low, high = found[part]
            out[f"ppm_{where}{suffix}"] = (1e6 * first[part][0], 1e6 * low, 1e6 * high)
        out[f"z_bench_{where}"] = (first["z_bench"][0], *found["z_bench"][1:])
    return {name: out[name] for name in QUANTITIES}
