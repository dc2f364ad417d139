"""Individuals of unequal weight or kind: I' (normalised by the denominator) and Z-MR (by product)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import breaks_of, moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import d2, d3
from perfanalytics.spc.family import ChartFamily, one_column
from perfanalytics.spc.options import Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points

#: Mean and standard deviation of |Z|.
_MEAN, _SD = math.sqrt(2.0 / math.pi), math.sqrt(1.0 - 2.0 / math.pi)


def _ratios(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values = one_column(batch, "i_prime")
    sizes = batch.sizes if batch.sizes is not None else batch.weights
    if sizes is None:
        raise InputError("an i_prime chart needs the denominator of each value: give sizes=")
    told = str(batch.selection.get("statistic") or "")
    kind = str(options["values"])
    if told in ("share", "rate", "mean", "median") or batch.sizes is None:
        # the repository says that these are ratios; weights belong to means
        kind = "ratios"
    size = np.where((sizes > 0) & ~np.isnan(values), sizes, np.nan)
    return Points(
        offsets=batch.offsets,
        value=values / size if kind == "totals" else np.where(np.isnan(size), np.nan, values),
        size=size,
        how={"values_read_as": kind},
    )


def _precision(block: Block) -> Floats:
    """sqrt(1 / n_i + 1 / n_(i-1)): what a difference of neighbours is divided by; NaN at the first point."""
    size = block.points.size
    assert size is not None
    with np.errstate(invalid="ignore"):
        return np.sqrt(1.0 / size + 1.0 / np.append(np.nan, size[:-1]))


def _normalized(block: Block) -> Floats:
    """Differences of linked neighbours over the square root of 1 / n_i + 1 / n_(i-1), 0 elsewhere."""
    out = moving_ranges(block.points.value, block.link)
    some = np.flatnonzero(block.link)
    out[some] /= _precision(block)[some]
    return out


def _prime_estimate(block: Block, estimator: str) -> dict[str, Floats]:
    seg, size = block.segments, block.points.size
    assert size is not None
    kept = block.kept(np.nan_to_num(size))
    ranges = _normalized(block)
    ranges[~block.keep_link] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        center = seg.sums(np.nan_to_num(block.points.value) * kept) / seg.sums(kept)
        sigma = seg.sums(ranges) / block.kept_pairs() / _MEAN
    sigma[block.n_kept() < 2] = np.nan
    return {"center": center, "sigma": sigma}


def _prime_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    seg, size = block.segments, block.points.size
    assert size is not None
    ranges = _normalized(block)
    ranges[breaks_of(block.link)] = np.nan
    sigma = parameters["sigma"]
    return (
        Lines(
            value=block.points.value,
            center=seg.expand(parameters["center"]),
            sigma=seg.expand(sigma) / np.sqrt(size),
        ),
        Lines(value=ranges, center=seg.expand(_MEAN * sigma), sigma=seg.expand(_SD * sigma)),
    )


I_PRIME = ChartFamily(
    name="i_prime",
    title="Individuals of unequal denominators (I')",
    panels=(
        Panel(name="ratio", independent=True),
        Panel(name="normalized moving range", independent=False, spread=True, floor=0.0, constant=True),
    ),
    parameters=("center", "sigma"),
    estimators={
        "moving_range": "all totals / all denominators; sigma of one unit = mean of |x_i - x_(i-1)| / "
        "sqrt(1 / n_i + 1 / n_(i-1)) over sqrt(2 / pi); sigma of a point = that / sqrt(n_i)"
    },
    modes={"moving_range": "moving_range"},
    points=_ratios,
    estimate=_prime_estimate,
    lines=_prime_lines,
    options={
        "values": Option(
            default="totals",
            text="whether values are totals (to be divided by their sizes) or ratios already",
            choices=("totals", "ratios"),
        )
    },
    references=("Taylor (2017), Statistical Procedures for the Medical Device Industry, STAT-08",),
)


def _products(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values = one_column(batch, "short_run")
    if batch.subgroups is None:
        raise InputError("a short_run chart needs the product of each value: give subgroups=")
    names, code = np.unique(np.array([str(x) for x in batch.subgroups.tolist()]), return_inverse=True)
    columns = {"product": code.astype(np.float64)}
    for what in ("targets", "spreads"):
        given = options[what]
        if given is not None:
            unknown = [n for n in names.tolist() if n not in given]
            if unknown:
                raise InputError(f"{what} of a short_run chart lacks product {unknown[0]!r}")
            columns[what] = np.array([float(given[n]) for n in names.tolist()])[code]
    return Points(offsets=batch.offsets, value=values, columns=columns)


def _by_product(block: Block, x: Floats, count: Floats) -> Floats:
    """Mean of ``x`` over the counted points of each product in each segment, one value a point."""
    code = block.points.columns["product"].astype(np.int64)
    many = int(code.max(initial=0)) + 1
    group = np.repeat(np.arange(len(block.segments)), block.segments.lengths) * many + code
    size = len(block.segments) * many
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, x * count, size) / np.bincount(group, count, size)
    return np.asarray(mean[group])


def _before(block: Block, keep: Floats) -> tuple[Floats, Floats]:
    """Difference to the kept point of the same product before, and 1 where there is one (in the segment)."""
    code = block.points.columns["product"].astype(np.int64)
    segment = np.repeat(np.arange(len(block.segments)), block.segments.lengths)
    where = np.flatnonzero(keep)
    order = where[np.lexsort((where, code[where], segment[where]))]
    same = (np.diff(code[order]) == 0) & (np.diff(segment[order]) == 0)
    out, has = np.zeros(block.segments.n), np.zeros(block.segments.n)
    out[order[1:][same]] = np.abs(np.diff(block.points.value[order]))[same]
    has[order[1:][same]] = 1.0
    return out, has


def _none(block: Block, estimator: str) -> dict[str, Floats]:
    return {}


def _z_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    seg, x = block.segments, block.points.value
    columns, how = block.points.columns, block.asked.options["sigma"]
    keep = block.mask().astype(np.float64)
    target = columns.get("targets")
    if target is None:
        target = _by_product(block, np.nan_to_num(x), keep)
    sigma = columns.get("spreads")
    if sigma is None:
        ranges, has = _before(block, keep)
        with np.errstate(invalid="ignore", divide="ignore"):
            if how == "relative":
                ranges = ranges / np.abs(target)
            if how == "by_product":
                sigma = _by_product(block, ranges, has) / d2(2)
            else:
                sigma = seg.expand(seg.sums(np.nan_to_num(ranges) * has) / seg.sums(has)) / d2(2)
            if how == "relative":
                sigma = sigma * np.abs(target)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(sigma > 0, (x - target) / sigma, np.nan)
    ranges = np.abs(np.diff(z, prepend=np.nan))
    ranges[breaks_of(block.link)] = np.nan
    # limits where a product has a sigma
    one = np.where(np.isfinite(sigma) & (sigma > 0), 1.0, np.nan)
    zero = np.where(np.isnan(one), np.nan, 0.0)
    return (
        Lines(value=z, center=zero, sigma=one),
        Lines(value=ranges, center=d2(2) * one, sigma=d3(2) * one),
    )


SHORT_RUN = ChartFamily(
    name="short_run",
    title="Short runs of several products (Z-MR)",
    panels=(
        Panel(name="z", independent=True, axis="z (sigma of the product)", unitless=True),
        Panel(
            name="moving range of z",
            independent=False,
            spread=True,
            floor=0.0,
            axis="moving range of z",
            unitless=True,
        ),
    ),
    parameters=(),
    estimators={
        "moving_range": "z = (x - target of its product) / sigma; target = mean of the product unless given; "
        "sigma = mean moving range between values of one product / d2"
    },
    modes={"moving_range": "moving_range"},
    points=_products,
    estimate=_none,
    lines=_z_lines,
    options={
        "targets": Option(default=None, text="target of each product", by_name=True),
        "spreads": Option(default=None, text="sigma of each product", by_name=True, low=0.0, open=True),
        "sigma": Option(
            default="by_product",
            text="sigma of each product by itself, one pooled for all, or one relative to the target",
            choices=("by_product", "pooled", "relative"),
        ),
    },
    varies="they belong to products with two or more values",
    references=("Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 10.1",),
)

__all__ = ["I_PRIME", "SHORT_RUN"]
