"""Multivariate EWMA: small lasting shifts of several measures, single rows or subgroups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.memory import Path, decayed, ewma_variance
from perfanalytics.spc.families.multivariate import (
    HOTELLING_T2,
    deviations,
    estimate,
    invertible,
    rows,
    whitened,
)
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.options import Asked, Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.schemes import design_mewma

#: Longest run length a limit can be designed for.
_LONGEST = 1e6


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    return rows(batch, "mewma")


@lru_cache(maxsize=256)
def _designed(p: int, lam: float, arl: float) -> float:
    return design_mewma(p=p, lam=lam, arl=arl)


def limit_of(asked: Asked, measures: int) -> float:
    """The limit of T2: the given one, or that of the wanted run length.

    Raises
    ------
    InputError
    """
    limit, arl = asked.options.get("limit"), asked.options.get("arl")
    if limit is not None:
        if arl is not None:
            raise InputError(
                "a mewma chart takes a limit of T2 or a run length (arl) it is made for, not both"
            )
        return float(limit)
    if arl is None:
        arl = 0.5 / float(special.ndtr(-asked.sigmas))
    if not 2.0 <= arl <= _LONGEST:
        raise InputError(
            f"the limit of a mewma chart is made for run lengths of 2 to {_LONGEST:,.0f} points; sigmas = "
            f"{asked.sigmas:g} means {arl:.3g}: give options={{'limit': ...}}"
        )
    return _designed(measures, float(asked.options["lam"]), float(arl))


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    lam = float(block.asked.options["lam"])
    path = Path(block)
    z = whitened(block, parameters)
    n, p = z.shape
    total = np.zeros(n)
    for j in range(p):
        smooth = decayed(lam * path.used(z[:, j]), 1.0 - lam, path.age)
        total += path.back(smooth * smooth, np.zeros(n))
    value = total / ewma_variance(block, path, lam, exact=block.asked.limits == "exact")
    value[np.isnan(block.points.value)] = np.nan
    known = np.repeat(invertible(parameters["covariance"]), block.segments.lengths)
    upper = np.where(known, limit_of(block.asked, p), np.nan)
    return (
        Lines(
            value=value,
            # mean and standard deviation of a chi2 of p degrees
            center=np.where(known, float(p), np.nan),
            sigma=np.where(known, np.sqrt(2.0 * p), np.nan),
            lower=np.where(known, 0.0, np.nan),
            upper=upper,
            # only far out is a signal: on the scale of a distance, the limit at k
            z=block.asked.sigmas * np.sqrt(value / upper),
        ),
    )


def _found(parameters: Mapping[str, Floats], asked: Asked) -> dict[str, Any]:
    return {"limit_of_t2": limit_of(asked, parameters["center"].shape[1])}


_MEWMA = ChartFamily(
    name="mewma",
    title="Several measures together, with memory (MEWMA)",
    panels=(
        Panel(
            name="T2 of the EWMA",
            independent=False,
            spread=True,
            floor=0.0,
            axis="T2 of the EWMA of {name}",
            unitless=True,
        ),
    ),
    parameters=HOTELLING_T2.parameters,
    estimators={"covariance": "means; sample covariance of single rows, pooled within subgroups"},
    modes={"covariance": "family"},
    points=_points,
    estimate=estimate,
    lines=_lines,
    deviations=deviations,
    optional=HOTELLING_T2.optional,
    options={
        "lam": Option(
            default=0.1, text="lambda, the weight of the newest point", low=0.0, high=1.0, open=True
        ),
        "arl": Option(
            default=None,
            text="points between false alarms the limit is made for; None: 1 / (2 Phi(-sigmas))",
            low=2.0,
            high=_LONGEST,
        ),
        "limit": Option(default=None, text="limit of T2 (h4 of Lowry et al.)", low=0.0, open=True),
    },
    limit_kinds={
        "exact": "limit of T2 for the wanted run length; covariance of the EWMA lambda / (2 - lambda) "
        "(1 - (1 - lambda)^(2 i)) S, i points so far; of means of subgroups with their sizes",
        "asymptotic": "limit of T2 for the wanted run length; covariance of the EWMA lambda / (2 - lambda) S "
        "at every point",
    },
    several=True,
    found=_found,
    needed=50,
    references=(
        "Lowry, Woodall, Champ and Rigdon (1992), Technometrics 34, 46-53",
        "Prabhu and Runger (1997), Journal of Quality Technology 29, 8-15 (limits)",
        "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 11.4",
    ),
)

MEWMA = replace(_MEWMA, subgrouped=replace(_MEWMA, grouped=True))

__all__ = ["MEWMA", "limit_of"]
