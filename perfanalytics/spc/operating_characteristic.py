"""operating_characteristic: how probable it is that a chart does not see a change at one point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Method, Provenance, Result

if TYPE_CHECKING:
    import pandas as pd

_CHARTS = ("xbar", "p", "c")
#: What ``at`` is, by chart: for axes, tables and sentences.
AT = {"xbar": "shift of the mean (sigma of one value)", "p": "share", "c": "mean count"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OperatingCharacteristic(Result):
    """Operating characteristic of a chart.

    Parameters
    ----------
    chart : {"xbar", "p", "c"}
    size : int
        Values in a subgroup (xbar), items in a sample (p); 1 for c.
    lower, upper : float
        The limits: in sigma of the mean (xbar), as shares (p), as counts (c).
    at : float array, shape (s,)
        Shift in sigma of one value (xbar), true share (p), true mean count (c).
    missed : float array, shape (s,)
        Probability that one point lies within the limits (beta).
    arl : float array, shape (s,)
        Points until the first one beyond the limits, on average: 1 / (1 - beta).
    """

    kind: ClassVar[str] = "operating_characteristic"
    schema_version: ClassVar[int] = 1

    chart: str
    size: int
    lower: float
    upper: float
    at: Floats
    missed: Floats
    arl: Floats

    def __post_init__(self) -> None:
        for name in ("at", "missed", "arl"):
            object.__setattr__(self, name, read_only(np.asarray(getattr(self, name), dtype=np.float64)))

    def summary(self) -> pd.DataFrame:
        """One row: chart, size, lower, upper, and the ``at`` of which half the points are missed."""
        import pandas as pd

        return pd.DataFrame(
            {
                "chart": [self.chart],
                "size": [self.size],
                "lower": [self.lower],
                "upper": [self.upper],
                "half_missed_at": [half_missed(self.at, self.missed)],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per value: at, missed, seen (1 - missed), arl (points)."""
        import pandas as pd

        return pd.DataFrame(
            {"at": self.at, "missed": self.missed, "seen": 1.0 - self.missed, "arl": self.arl}
        )


def half_missed(at: Floats, missed: Floats) -> float:
    """The largest ``at`` at which half the points are missed, between the values given; NaN if never."""
    down = np.flatnonzero((missed[:-1] >= 0.5) & (missed[1:] < 0.5))
    if not len(down):
        return math.nan
    i = down[-1]
    share = (missed[i] - 0.5) / (missed[i] - missed[i + 1])
    return float(at[i] + share * (at[i + 1] - at[i]))


def operating_characteristic(
    chart: Literal["xbar", "p", "c"],
    *,
    size: int = 1,
    center: float = 0.0,
    sigmas: float = 3.0,
    at: ArrayLike | None = None,
) -> OperatingCharacteristic:
    """Operating characteristic (OC) curve of an xbar, p or c chart with known limits.

    Parameters
    ----------
    chart : {"xbar", "p", "c"}
    size : int
        Values in a subgroup (xbar), items in a sample (p).
    center : float
        Share (p) or mean count (c) the limits are drawn around; not used for xbar.
    sigmas : float
        Width of the limits in sigma.
    at : array_like of float, optional
        Where the curve is computed: shift of the mean in sigma of one value (xbar), true share (p), true
        mean count (c). By default 101 values from no change to where nearly every point is beyond.

    Returns
    -------
    OperatingCharacteristic

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    ``beta = Phi(L - d sqrt(n)) - Phi(-L - d sqrt(n))`` for xbar; for p and c the exact binomial or Poisson
    probability of a count from the lower to the upper limit, both included: a point on a limit is inside.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 6.2.6, 7.2.3 and 7.3.

    Examples
    --------
    >>> operating_characteristic("xbar", size=5, at=[0, 1, 2]).missed.round(4).tolist()
    [0.9973, 0.7775, 0.0705]
    """
    if chart not in _CHARTS:
        raise UnknownNameError("chart with an operating characteristic", str(chart), _CHARTS)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InputError(f"size= is a whole number of at least 1, got {size!r}")
    if isinstance(sigmas, bool) or not isinstance(sigmas, int | float) or not 0 < sigmas < 100:
        raise InputError(f"sigmas= is the width of the limits in sigma, a positive number; got {sigmas!r}")
    if chart == "p" and not 0 < center < 1:
        raise InputError(f"center= is the share a p chart is drawn around, between 0 and 1; got {center!r}")
    if chart == "c" and not 0 < center < math.inf:
        raise InputError(f"center= is the mean count a c chart is drawn around, above 0; got {center!r}")
    root = math.sqrt(size)
    if chart == "xbar":
        lower, upper = -float(sigmas), float(sigmas)
        values = _values(at, 0.0, (sigmas + 3.0) / root, math.inf)
        missed = special.ndtr(upper - values * root) - special.ndtr(lower - values * root)
    elif chart == "p":
        spread = sigmas * math.sqrt(center * (1 - center) / size)
        lower, upper = max(center - spread, 0.0), min(center + spread, 1.0)
        values = _values(at, 0.0, min(1.0, center + 3 * spread), 1.0)
        first, last = _whole(lower * size, upper * size)
        missed = special.bdtr(min(last, size), size, values)
        if first > 0:
            missed = missed - special.bdtr(first - 1, size, values)
    else:
        spread = sigmas * math.sqrt(center)
        lower, upper = max(center - spread, 0.0), center + spread
        values = _values(at, 0.0, center + 3 * spread, math.inf)
        first, last = _whole(lower, upper)
        missed = special.pdtr(last, values)
        if first > 0:
            missed = missed - special.pdtr(first - 1, values)
    missed = np.clip(missed, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        arl = 1.0 / (1.0 - missed)
    half = half_missed(values, missed)
    name = {"xbar": f"xbar chart of {size}", "p": f"p chart of {size}", "c": "c chart"}[chart]
    where = {
        "xbar": f"a shift of {half:.2g} sigma",
        "p": f"a share of {100 * half:.3g}%",
        "c": f"a mean count of {half:.3g}",
    }[chart]
    verdict = (
        f"Half the points of this {name} miss {where}; a larger change is seen sooner."
        if math.isfinite(half)
        else f"The values given do not show which change this {name} misses half the time."
    )
    return OperatingCharacteristic(
        verdict=verdict,
        method=Method(
            "operating_characteristic",
            {"chart": chart, "size": size, "center": float(center), "sigmas": float(sigmas),
             "on_a_limit": "a point on a limit is inside"},
            ("Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., 6.2.6, 7.2.3, 7.3",),
        ),
        provenance=Provenance("", data_hash="", n=0),
        chart=chart,
        size=size,
        lower=lower,
        upper=upper,
        at=values,
        missed=missed,
        arl=arl,
    )  # fmt: skip


def _values(at: ArrayLike | None, low: float, high: float, most: float) -> Floats:
    if at is None:
        return np.linspace(low, high, 101)
    values = np.atleast_1d(np.asarray(at, dtype=np.float64))
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise InputError("at= is one or several finite numbers")
    if (values < low).any() or (values > most).any():
        raise InputError(f"at= goes from {low:g} to {most:g} on this chart")
    return values


def _whole(lower: float, upper: float) -> tuple[int, int]:
    """Smallest and largest whole number within the limits, within rounding."""
    return math.ceil(lower - 1e-9), math.floor(upper + 1e-9)
