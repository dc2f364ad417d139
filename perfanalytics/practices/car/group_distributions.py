"""group_distributions(frame, value=, by=) -> GroupDistributions: histograms and box plots side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.order_statistics import quantile_ranks
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.table_columns import (
    MISSING,
    column,
    hash_of,
    measure_in,
    numbers,
    order_of,
    texts,
)

if TYPE_CHECKING:
    import pandas as pd

#: Quantiles of the boxes: whiskers, box and median.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FLOATS = ("mean", "sd", "least", "p5", "p25", "median", "p75", "p95", "largest", "median_low", "median_high")
#: Fewer values than this: a box says little.
FEW = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GroupDistributions(Result):
    """Distributions of a measure by group, over common bins: k groups, b bins.

    Attributes
    ----------
    measure : Measure
    by : str
    group : text array, shape (k,)
    n : int array, shape (k,)
    mean, sd, least, p5, p25, median, p75, p95, largest : float arrays, shape (k,)
        In the unit of the measure; quantiles by linear interpolation (type 7).
    median_low, median_high : float arrays, shape (k,)
        Interval of the median by order statistics (items independent); NaN for too few values.
    edges : float array, shape (b + 1,)
    counts : int array, shape (k, b)
    log : bool
        Bins of equal width on the log scale.
    n_missing : int
    confidence : float
    """

    kind: ClassVar[str] = "group_distributions"
    schema_version: ClassVar[int] = 1

    measure: Measure
    by: str
    group: NDArray[Any]
    n: NDArray[np.int64]
    mean: Floats
    sd: Floats
    least: Floats
    p5: Floats
    p25: Floats
    median: Floats
    p75: Floats
    p95: Floats
    largest: Floats
    median_low: Floats
    median_high: Floats
    edges: Floats
    counts: NDArray[np.int64]
    log: bool
    n_missing: int
    confidence: float

    def __post_init__(self) -> None:
        for name in ("group", "n", *_FLOATS, "edges", "counts"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: measure, by, groups, n, bins, scale, caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "by": self.by,
                    "groups": len(self.group),
                    "n": int(self.n.sum()),
                    "bins": len(self.edges) - 1,
                    "scale": "log" if self.log else "raw",
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a group: group, n, mean, sd, least, p5, p25, median, p75, p95, largest, median_low,
        median_high."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in ("group", "n", *_FLOATS)})

    def histogram_frame(self) -> pd.DataFrame:
        """One row a group and bin: group, low, high, count, share (of the group)."""
        import pandas as pd

        k, b = self.counts.shape
        return pd.DataFrame(
            {
                "group": np.repeat(self.group, b),
                "low": np.tile(self.edges[:-1], k),
                "high": np.tile(self.edges[1:], k),
                "count": self.counts.ravel(),
                "share": (self.counts / self.n[:, None]).ravel(),
            }
        )


def group_distributions(
    frame: object,
    *,
    value: str,
    by: str,
    measure: Measure | None = None,
    bins: int | None = None,
    scale: str | None = None,
    most: int = 30,
    confidence: float = 0.95,
) -> GroupDistributions:
    """Histograms over common bins and box plots of a measure by group.

    Parameters
    ----------
    frame : pandas DataFrame, or mapping of name to column
        One row an item. Rows without a value are left out and counted.
    value, by : str
        Columns of the values and of the groups. A missing group is a group of its own.
    measure : Measure, optional
        What the values mean; frames of the repository know it.
    bins : int, optional
        Number of bins; left out, by the rule of Freedman and Diaconis for the largest group, 5 to 60.
    scale : {"log", "raw"}, optional
        On which the bins are equally wide; as the measure declares when left out (log for durations and other
        positive measures without values of 0).
    most : int
        Groups shown, the largest; the others are left out and told.
    confidence : float
        Of the intervals of medians.

    Returns
    -------
    GroupDistributions
        To look at. Whether groups differ is asked by :func:`perfanalytics.compare_groups` and
        :func:`candidate_causes`.

    Raises
    ------
    InputError, UnknownNameError

    References
    ----------
    Freedman and Diaconis (1981), Zeitschrift fuer Wahrscheinlichkeitstheorie 57, 453-476 (width of bins).
    Tukey (1977), Exploratory Data Analysis, chapter 2 (box plots; here the whiskers are the 5th and 95th
    percentile).

    Examples
    --------
    >>> table = {"hours": [1, 2, 3, 10, 20, 30], "team": list("AAABBB")}
    >>> shown = group_distributions(table, value="hours", by="team")
    >>> shown.group.tolist(), shown.median.tolist(), shown.counts.sum(axis=1).tolist()
    (['A', 'B'], [2.0, 20.0], [3, 3])
    """
    if scale not in (None, "log", "raw"):
        raise UnknownNameError("scale", str(scale), ("log", "raw"))
    if bins is not None and (isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= 1000):
        raise InputError(f"bins= is a whole number from 1 to 1000, got {bins!r}")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"most= is a whole number of at least 1, got {most!r}")
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence lies between 0.5 and 1 (0.95 for 95%), got {confidence!r}")
    y = numbers(column(frame, value), value)
    keep = ~np.isnan(y)
    labels = texts(column(frame, by))
    if len(labels) != len(y) or not keep.any():
        raise InputError(f"no row has a value of {value!r}")
    names = [g for g in order_of(frame, by, labels) if (keep & (labels == g)).any()]
    sizes = {g: int((keep & (labels == g)).sum()) for g in names}
    left_out = sorted(names, key=lambda g: -sizes[g])[most:]
    names = [g for g in names if g not in left_out]
    taken = measure_in(frame, value, measure)
    groups = [np.sort(y[keep & (labels == g)]) for g in names]
    whole = np.concatenate(groups)
    if scale == "log" and (whole <= 0).any():
        raise InputError(f"scale='log' needs positive values; {int((whole <= 0).sum())} are not")
    log = scale == "log" or (scale is None and taken.scale in LOG_SCALES and bool((whole > 0).all()))
    edges = _edges(groups, whole, log, bins)
    made: dict[str, Any] = {"group": _texts(names), "n": np.array([len(g) for g in groups], dtype=np.int64)}
    made["mean"] = np.array([g.mean() for g in groups])
    made["sd"] = np.array([g.std(ddof=1) if len(g) > 1 else math.nan for g in groups])
    made["least"], made["largest"] = (np.array([g[k] for g in groups]) for k in (0, -1))
    quantiles = np.array([np.quantile(g, QUANTILES) for g in groups])
    made |= {n: quantiles[:, k].copy() for k, n in enumerate(("p5", "p25", "median", "p75", "p95"))}
    ends = [quantile_ranks(len(g), 0.5, confidence=confidence).bounds(g) for g in groups]
    ends = [(a, b) if np.isfinite([a, b]).all() else (math.nan, math.nan) for a, b in ends]
    made["median_low"], made["median_high"] = (np.array([e[k] for e in ends]) for k in (0, 1))
    counts = np.array([np.histogram(g, edges)[0] for g in groups], dtype=np.int64)
    return GroupDistributions(
        verdict=_verdict(made, by, taken),
        caveats=tuple(_doubts(made, sizes, left_out, int((~keep).sum()), len(y))),
        method=Method(
            "group_distributions",
            {
                "by": by,
                "bins": "Freedman and Diaconis" if bins is None else bins,
                "scale": "log" if log else "raw",
                "whiskers": "5th and 95th percentile",
                "quantiles": "linear interpolation (type 7)",
                "confidence": confidence,
                "most": most,
            },
            (
                "Freedman and Diaconis (1981), Z. Wahrscheinlichkeitstheorie 57",
                "Tukey (1977), EDA, chapter 2",
            ),
        ),
        provenance=Provenance(taken.name, data_hash=hash_of(y, labels), n=len(y)),
        measure=taken,
        by=by,
        edges=edges,
        counts=counts,
        log=log,
        n_missing=int((~keep).sum()),
        confidence=confidence,
        **made,
    )


def _edges(groups: list[Floats], whole: Floats, log: bool, bins: int | None) -> Floats:
    """Equally wide bins over all groups, on the scale of the figure."""
    low, high = float(whole.min()), float(whole.max())
    if low == high:
        return np.array([low * 0.9, low * 1.1] if log else [low - 0.5, low + 0.5])
    a, b = (math.log(low), math.log(high)) if log else (low, high)
    if bins is None:
        largest = max(groups, key=len)
        x = np.log(largest) if log else largest
        quarter = float(np.subtract(*np.quantile(x, [0.75, 0.25])))
        width = 2 * quarter / len(x) ** (1 / 3)
        bins = int(np.clip(math.ceil((b - a) / width), 5, 60)) if width > 0 else 10
    cuts = np.linspace(a, b, bins + 1)
    edges = np.exp(cuts) if log else cuts
    edges[0], edges[-1] = low, high
    return np.asarray(edges)


def _texts(values: list[str]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _verdict(m: dict[str, Any], by: str, measure: Measure) -> str:
    k = len(m["group"])
    medians = m["median"]
    low, high = int(np.argmin(medians)), int(np.argmax(medians))
    unit = measure.unit
    if k == 1:
        return f"A single group of {by}, {m['group'][0]}: median {number(float(medians[0]), unit)}."
    if medians[low] == medians[high]:
        same = number(float(medians[low]), unit)
        return f"The median of {measure.name} is {same} in {'both' if k == 2 else f'all {k}'} groups of {by}."
    return (
        f"Medians of {measure.name} in {k} groups of {by} reach from {number(float(medians[low]))} "
        f"({m['group'][low]}) to {number(float(medians[high]), unit)} ({m['group'][high]}); half of the "
        f"items of {m['group'][high]} lie between {number(float(m['p25'][high]))} and "
        f"{number(float(m['p75'][high]), unit)}."
    )


def _doubts(
    m: dict[str, Any], sizes: dict[str, int], left_out: list[str], missing: int, n: int
) -> Iterator[Caveat]:
    if missing:
        yield Caveat(
            "missing-rows", f"{missing:,} of {n:,} rows have no value.", {"missing": missing, "rows": n}
        )
    if MISSING in sizes:
        yield Caveat("missing-category", f"Items without a group stand as {MISSING}.", {"n": sizes[MISSING]})
    if left_out:
        items = sum(sizes[g] for g in left_out)
        yield Caveat(
            "groups-left-out",
            f"{len(left_out)} smaller groups with {items} items are not shown.",
            {"groups": len(left_out), "items": items},
        )
    few = [str(g) for g, c in zip(m["group"], m["n"], strict=True) if c < FEW]
    if few:
        yield Caveat(
            "too-few-items",
            f"Groups of fewer than {FEW} items: {', '.join(few[:8])}{' ...' if len(few) > 8 else ''}.",
            {"groups": len(few), "needed": FEW},
        )
