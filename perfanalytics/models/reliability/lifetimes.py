"""lifetimes(times) -> Lifetimes: how long units live, with those still alive; does age make them fail?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Interval, Method, Result
from perfanalytics.core.series import Series

if TYPE_CHECKING:
    import pandas as pd

#: Families of lifetimes.
LIFETIME_FAMILIES = ("weibull", "lognormal", "exponential")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Lifetimes(Result):
    """A fitted law of lifetimes beside the Kaplan-Meier curve.

    Attributes
    ----------
    measure : Measure
    n, n_failed : int
    family : str
    fit : Fitted
    mttf, mttf_low, mttf_high : float
        Mean time to failure; delta method on the log scale.
    shape, shape_low, shape_high : float
        Weibull's shape: above 1 units wear out, below 1 early failures prevail. NaN for other families.
    km_times, km_survival, km_low, km_high : float arrays, shape (k,)
        Kaplan-Meier with log-log intervals.
    censored_at : float array, shape (c,)
        Ages of those still alive.
    confidence : float
    """

    kind: ClassVar[str] = "lifetimes"
    schema_version: ClassVar[int] = 1

    measure: Measure
    n: int
    n_failed: int
    family: str
    fit: Fitted
    mttf: float
    mttf_low: float
    mttf_high: float
    shape: float
    shape_low: float
    shape_high: float
    km_times: Floats
    km_survival: Floats
    km_low: Floats
    km_high: Floats
    censored_at: Floats
    confidence: float

    def reliability(self, time: float) -> tuple[float, Interval]:
        """Share of units that live longer than ``time``, with its interval.

        Raises
        ------
        InputError
        """
        if not 0 < time < math.inf:
            raise InputError(f"a lifetime is above 0, got {time}")
        dead, interval = self.fit.share_interval(upper=time, confidence=self.confidence)
        turned = Interval(
            1 - interval.high, 1 - interval.low, confidence=self.confidence, method=interval.method
        )
        return 1 - dead, turned

    def to_frame(self) -> pd.DataFrame:
        """One row per failure time: time, survival, low, high (Kaplan-Meier), fitted."""
        import pandas as pd

        return pd.DataFrame(
            {
                "time": self.km_times,
                "survival": self.km_survival,
                "low": self.km_low,
                "high": self.km_high,
                "fitted": self.fit.sf(self.km_times),
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: measure, unit, family, n, n_failed, mttf, mttf_low, mttf_high, shape, shape_low,
        shape_high, b10, b10_low, b10_high, median, median_low, median_high, caveats, verdict."""
        import pandas as pd

        row: dict[str, Any] = {"measure": self.measure.name, "unit": self.measure.unit}
        names = (
            "family",
            "n",
            "n_failed",
            "mttf",
            "mttf_low",
            "mttf_high",
            "shape",
            "shape_low",
            "shape_high",
        )
        row |= {n: getattr(self, n) for n in names}
        for name, p in (("b10", 0.1), ("median", 0.5)):
            i = self.fit.quantile_interval(p, confidence=self.confidence)
            row |= {name: float(self.fit.quantile(p)), f"{name}_low": i.low, f"{name}_high": i.high}
        row |= {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row])


def lifetimes(
    times: object,
    *,
    censored: ArrayLike | None = None,
    family: str = "weibull",
    confidence: float = 0.95,
) -> Lifetimes:
    """Fit a law of lifetimes with units still alive, beside the Kaplan-Meier curve.

    Parameters
    ----------
    times : Series, list or array, shape (n,)
        Age at failure; where ``censored``, the age reached so far. All above 0.
    censored : array_like of bool, shape (n,), optional
        True for units still alive; a series brings its own.
    family : {"weibull", "lognormal", "exponential"}
    confidence : float

    Raises
    ------
    InputError, UnknownNameError

    References
    ----------
    Meeker and Escobar (1998), Statistical Methods for Reliability Data, chapters 3 and 8; Lawless (2003).

    Examples
    --------
    >>> import perfanalytics as perf
    >>> hours = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386] + [500] * 10
    >>> fit = perf.lifetimes(hours, censored=[False] * 10 + [True] * 10)
    >>> round(fit.shape, 4), round(float(fit.fit.estimate[1]), 2)
    (1.7208, 606.53)
    """
    if family not in LIFETIME_FAMILIES:
        raise UnknownNameError("family of lifetimes", str(family), LIFETIME_FAMILIES)
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    series = as_series(times)
    if series.values.ndim != 1:
        raise InputError(f"lifetimes are one column of values, got shape {series.values.shape}")
    if censored is not None:
        if series.censored is not None:
            raise InputError("the series says already which values are censored: leave censored= out")
        series = Series(series.values, measure=series.measure, censored=censored)
    gone, _ = series.excluded()
    used = ~np.isnan(series.values) & ~gone
    values = series.values[used]
    alive = np.zeros(len(values), dtype=bool) if series.censored is None else series.censored[used]
    if len(values) < 2:
        raise InputError(f"lifetimes need at least 2 values, got {len(values)}")
    if (values <= 0).any():
        raise InputError(f"lifetimes are above 0: value {int(np.argmax(values <= 0))} is not")
    failed = int((~alive).sum())
    if failed < 1:
        raise InputError("no unit has failed: nothing can be said about how long they live")
    fitted = fit_family(FAMILIES[family], values, censored=alive if alive.any() else None, draws=0)
    if not fitted.converged:
        raise InputError(f"the {fitted.label} distribution could not be fitted: {fitted.why}")
    km = kaplan_meier(values, alive, confidence=confidence)
    z = float(special.ndtri((1 + confidence) / 2))
    mttf = _mean(family, fitted.estimate)
    spread = fitted.standard_error_of(lambda e: math.log(_mean(family, e)))
    shape = (math.nan,) * 3
    if family == "weibull":
        k = fitted.parameters.index("shape")
        at = float(fitted.estimate[k])
        half = z * float(fitted.standard_error[k]) / at
        shape = at, at * math.exp(-half), at * math.exp(half)
    caveats = []
    if failed < 10:
        text = f"Only {count(failed, 'failure')} among {len(values)} units: about 10 are needed for a fit."
        caveats.append(Caveat("too-few-points", text, {"failed": failed, "needed": 10}))
    longest = float(values.max())
    if alive.any() and mttf > longest:
        text = (
            "The mean time to failure lies beyond the oldest unit "
            f"({number(longest, series.measure.unit)}): it rests "
            "on the form of the distribution."
        )
        caveats.append(Caveat("extrapolates", text, {"mttf": mttf, "oldest": longest}))
    if fitted.distance > 1.36 / math.sqrt(failed):
        text = f"The fitted curve is off the Kaplan-Meier curve by up to {percent(fitted.distance)}."
        caveats.append(Caveat("distribution-does-not-fit", text, {"distance": fitted.distance}))
    unit = series.measure.unit
    verdict = (
        f"{failed} of {len(values)} units failed; the {fitted.label} law gives a mean time to failure of "
        f"{number(mttf, unit)} ({percent(confidence)} interval {number(mttf * math.exp(-z * spread))} to "
        f"{number(mttf * math.exp(z * spread))}), and 10% fail by "
        f"{number(float(fitted.quantile(0.1)), unit)}."
    )
    if family == "weibull":
        if shape[1] > 1:
            verdict += f" Units wear out: shape {number(shape[0])}."
        elif shape[2] < 1:
            verdict += f" Early failures prevail: shape {number(shape[0])}."
        else:
            verdict += (
                f" Age may not matter: shape {number(shape[0])} ({number(shape[1])} to {number(shape[2])})."
            )
    return Lifetimes(
        verdict=verdict,
        caveats=tuple(caveats),
        method=Method(
            "lifetimes",
            {
                "family": family,
                "estimator": "maximum likelihood, censored",
                "curve": "Kaplan-Meier, log-log interval",
                "confidence": confidence,
            },
            ("Meeker and Escobar (1998), Statistical Methods for Reliability Data",),
        ),
        provenance=series.provenance(),
        measure=series.measure,
        n=len(values),
        n_failed=failed,
        family=family,
        fit=fitted,
        mttf=mttf,
        mttf_low=mttf * math.exp(-z * spread),
        mttf_high=mttf * math.exp(z * spread),
        shape=shape[0],
        shape_low=shape[1],
        shape_high=shape[2],
        km_times=read_only(km.times),
        km_survival=read_only(km.survival),
        km_low=read_only(km.low),
        km_high=read_only(km.high),
        censored_at=read_only(np.sort(values[alive])),
        confidence=confidence,
    )


def _mean(family: str, estimate: Floats) -> float:
    """Mean lifetime of a fitted family."""
    named = dict(zip(FAMILIES[family].parameters, estimate.tolist(), strict=True))
    if family == "weibull":
        return float(named["scale"] * special.gamma(1 + 1 / named["shape"]))
    if family == "lognormal":
        return math.exp(min(named["meanlog"] + named["sdlog"] ** 2 / 2, 700.0))
    return float(named["scale"])
