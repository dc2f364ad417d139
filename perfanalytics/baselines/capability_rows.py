"""Rows of a capability study: indices of the normal distribution, shares seen outside the limits."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.baselines.capability_normal import Normal, table
from perfanalytics.baselines.capability_sample import Sample
from perfanalytics.baselines.families import NORMAL, families_of
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.intervals import Dependence, Effective, clopper_pearson, effective
from perfanalytics.baselines.rows import Row
from perfanalytics.baselines.specification import Specification
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError


def fitted_of(used: Sample, method: str, distribution: str) -> Fitted | None:
    """The distribution behind the indices; one that cannot be fitted is refused."""
    inflation = used.size.n / used.size.n_mean if used.size.n_mean > 0 else 1.0
    if method != "percentile":
        return fit_family(NORMAL, used.values, inflation=inflation)
    if distribution == "empirical":
        return None
    (family,) = families_of(distribution)
    made = fit_family(family, used.values, inflation=inflation, draws=199)
    if not made.converged:
        raise InputError(f"the {made.label} distribution could not be fitted: {made.why}")
    return made


def normal_rows(s: Sample, asked: Specification, *, confidence: float) -> list[Row]:
    """The indices of a normal distribution with their intervals."""

    def one(value: float) -> Floats:
        return np.array([value], dtype=np.float64)

    found = table(
        Normal(
            mean=one(s.mean),
            sd_within=one(s.sd_within),
            df_within=one(s.df_within),
            sd_overall=one(s.sd_overall),
            df_overall=one(s.size.df),
            n=one(s.size.n),
            n_effective=one(s.size.n_mean),
            variance_factor=one(s.size.variance_factor),
            lower=one(asked.lower),
            upper=one(asked.upper),
            target=one(asked.target),
        ),
        confidence=confidence,
    )
    return [
        Row(
            name,
            float(value[0]),
            float(low[0]),
            float(high[0]),
            confidence,
            method=_how(name, asked),
            unit="ppm" if name.startswith("ppm") else "",
        )
        for name, (value, low, high) in found.items()
    ]


def _how(name: str, asked: Specification) -> str:
    """How the interval was made, or why there is no index."""
    no_lower, no_upper = math.isnan(asked.lower), math.isnan(asked.upper)
    if name in ("cp", "pp"):
        return "none: one limit only" if no_lower or no_upper else "chi-square"
    if name == "cpm":
        return "none: no target" if math.isnan(asked.target) else "Boyles (1991)"
    if (name in ("cpl", "ppl") and no_lower) or (name in ("cpu", "ppu") and no_upper):
        return "none: no limit on this side"
    if name in ("cpl", "cpu", "cpk", "ppl", "ppu", "ppk"):
        return "Bissell (1990)"
    if no_lower or no_upper:
        return "normal; Z +- z sqrt(1/n + Z^2/(2 df))"
    return "normal; delta method on Z.bench"


def observed_rows(
    s: Sample, size: Effective, asked: Specification, dependence: Dependence, *, confidence: float
) -> list[Row]:
    """Shares of the values seen outside: exact binomial (effective number of items under dependence)."""
    rows = []
    seen = ~np.isnan(s.in_time)
    with np.errstate(invalid="ignore"):
        below = np.zeros(len(seen), dtype=bool) if math.isnan(asked.lower) else s.in_time < asked.lower
        above = np.zeros(len(seen), dtype=bool) if math.isnan(asked.upper) else s.in_time > asked.upper
    n = int(seen.sum())
    for suffix, flags in (("", below | above), ("_below", below), ("_above", above)):
        own = effective(np.where(seen, flags.astype(float), np.nan), dependence)
        rest = (own if not math.isnan(own.r1) else size).n_mean / n
        count = float(flags[seen].sum())
        low, high = clopper_pearson(count * rest, n * rest, confidence=confidence)
        how = "Clopper-Pearson, exact binomial"
        how += " for the effective number of items (approximation)" if rest < 1 else ""
        ends = (1e6 * low, 1e6 * high)
        name = f"ppm_observed{suffix}"
        rows.append(Row(name, 1e6 * count / n, *ends, confidence, method=how, unit="ppm"))
    return rows
