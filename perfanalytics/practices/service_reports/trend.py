"""trend(series) -> Trend: does a measure rise or fall, when neighbouring periods are alike?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, day, number, percent
from perfanalytics.comparisons.arguments import check_confidence
from perfanalytics.comparisons.classical import ljung_box, t_p_value
from perfanalytics.comparisons.levels import effective_periods, slope_design, whitened
from perfanalytics.comparisons.regression import fit_regression
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.periods import period_number
from perfanalytics.core.records import Change
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.core.series import Series

if TYPE_CHECKING:
    import pandas as pd

#: Fewer values than this: no test.
FEWEST = 8
SLOPE = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Trend(Result):
    """The straight line through a series whose neighbouring values may be alike.

    Attributes
    ----------
    measure : Measure
    scale : {"raw", "log"}
        On which the line is fitted; on the log scale the slope is a factor a period.
    every : str
        The period of the series ("week"); "point" without one.
    n : int
        Values used.
    first, last : datetime64 or None
    slope, slope_low, slope_high : float
        A period: in the unit of the measure, or (log) as a factor; with its confidence interval.
    at_first, at_last : float
        The line at both ends, in the unit of the measure.
    p_value, df : float
        Of the hypothesis that there is no slope (Satterthwaite degrees of freedom).
    naive_p_value : float
        The same as if the values were independent: what an ordinary regression would say.
    correlation, noise : float
        Of neighbouring periods, and the share of the variance that is noise.
    n_effective : float
        As many independent values tell as much about a mean.
    direction : {"rises", "falls", "none"}
        "none" where the interval of the slope holds "no change".
    good : bool or None
        Whether the direction is an improvement; None without one, or when nobody declared what is better.
    confidence : float
    """

    kind: ClassVar[str] = "trend"

    measure: Measure
    scale: str
    every: str
    n: int
    first: np.datetime64 | None
    last: np.datetime64 | None
    slope: float
    slope_low: float
    slope_high: float
    at_first: float
    at_last: float
    p_value: float
    df: float
    naive_p_value: float
    correlation: float
    noise: float
    n_effective: float
    direction: str
    good: bool | None
    confidence: float

    def summary(self) -> pd.DataFrame:
        """One row: measure, direction, good, slope with its interval, scale, every, p_value, naive_p_value,
        at_first, at_last, n, n_effective, correlation, first, last, caveats, verdict."""
        import pandas as pd

        row = {
            "measure": self.measure.name,
            "direction": self.direction,
            "good": self.good,
            "slope": self.slope,
            "slope_low": self.slope_low,
            "slope_high": self.slope_high,
            "scale": self.scale,
            "every": self.every,
            "p_value": self.p_value,
            "naive_p_value": self.naive_p_value,
            "at_first": self.at_first,
            "at_last": self.at_last,
            "n": self.n,
            "n_effective": self.n_effective,
            "correlation": self.correlation,
            "first": self.first,
            "last": self.last,
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def to_frame(self) -> pd.DataFrame:
        """One row an end of the line: end, when, level."""
        import pandas as pd

        ends = {"end": ["first", "last"], "when": [self.first, self.last]}
        return pd.DataFrame(ends | {"level": [self.at_first, self.at_last]})


def trend(series: object, *, scale: str | None = None, confidence: float = 0.95) -> Trend:
    """Whether a series has a straight trend, honest about neighbours that are alike.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        In order of time, one value a period. Gaps, excluded points and incomplete periods are left out; the
        denominators of shares and rates are weights.
    scale : {"raw", "log"}, optional
        Default by the declared scale of the measure: logarithms for durations and positive measures (where
        all values are positive), else the values as they are.
    confidence : float

    Returns
    -------
    Trend

    Raises
    ------
    InputError
        For fewer than 8 values, values without variation or exactly on a line, logarithms of values that are
        not positive.

    Notes
    -----
    Level and slope by restricted maximum likelihood, errors autoregressive of order 1 (with a noise term
    where it fits better), Satterthwaite's degrees of freedom: the machinery of ``perf.interrupted``. An
    ordinary regression takes a slow wave for a trend: with a lag-1 correlation of 0.6 it finds one in about a
    third of weekly series of a year that have none.

    References
    ----------
    Brockwell and Davis (2016), Introduction to Time Series and Forecasting, section 6.6 (regression with
    ARMA errors). Satterthwaite (1946), Biometrics Bulletin 2.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> found = perf.trend([5, 7, 6, 8, 7, 9, 8, 11, 9, 11, 10, 12])
    >>> found.direction, round(found.slope, 2)
    ('rises', 0.52)
    """
    series = as_series(series)
    check_confidence(confidence)
    if series.values.ndim != 1:
        raise InputError("a trend is of one measure: the values have several columns")
    if scale not in (None, "raw", "log"):
        raise InputError(f"scale= is 'raw' or 'log', got {scale!r}")
    used = _used(series)
    values, weights = series.values[used], _weights(series, used)
    n = len(values)
    if n < FEWEST:
        raise InputError(f"a trend needs at least {FEWEST} values, there {'is' if n == 1 else 'are'} {n}")
    scale = scale or _scale(series.measure, values)
    if scale == "log" and (values <= 0).any():
        raise InputError(f"scale='log' needs positive values; {int((values <= 0).sum())} are not")
    y = np.log(values) if scale == "log" else values
    time = _time(series)[used]
    naive = _least_squares(y, time, weights)
    gap = np.diff(time, prepend=np.nan)
    gap[0] = np.inf
    design = slope_design(
        y[None], time=time[None], gap=gap[None], weights=None if weights is None else weights[None]
    )
    fitted = fit_regression(design, SLOPE)
    found = fitted.contrast(SLOPE, confidence)
    center = time.mean()
    ends = [float(fitted.beta @ [1.0, t - center]) for t in (time[0], time[-1])]
    back = math.exp if scale == "log" else float
    rho, noise = float(fitted.fit.rho[0]), float(fitted.fit.noise[0])
    direction = "none" if found.low <= 0 <= found.high else ("rises" if found.estimate > 0 else "falls")
    white = ljung_box(whitened(design, fitted.fit), fitted=1 if noise == 0 else 2)
    made = Trend(
        verdict="",
        caveats=tuple(_doubts(series, used, white.p_value, rho)),
        method=Method(
            "trend",
            {
                "errors": "AR(1), REML" + (" with noise" if noise > 0 else ""),
                "degrees_of_freedom": "Satterthwaite",
                "scale": scale,
                "weights": "denominators" if weights is not None else "none",
                "confidence": confidence,
            },
            ("Brockwell and Davis (2016), Introduction to Time Series and Forecasting, section 6.6",),
        ),
        provenance=series.provenance(),
        measure=series.measure,
        scale=scale,
        every=series.expected_every or "point",
        n=n,
        first=None if series.when is None else series.when[used][0],
        last=None if series.when is None else series.when[used][-1],
        slope=back(found.estimate),
        slope_low=back(found.low),
        slope_high=back(found.high),
        at_first=back(ends[0]),
        at_last=back(ends[1]),
        p_value=found.p_value,
        df=found.df,
        naive_p_value=naive,
        correlation=rho,
        noise=noise,
        n_effective=float(effective_periods(n, np.array(rho), np.array(noise))),
        direction=direction,
        good=_good(series.measure, direction),
        confidence=confidence,
    )
    return replace(made, verdict=_verdict(made))


def _used(series: Series) -> NDArray[np.bool_]:
    """Points of the line: no gaps, nothing excluded, no period that the data cover only in part."""
    excluded, _ = series.excluded()
    used = ~np.isnan(series.values) & ~excluded
    incomplete = series.covariates.get("incomplete")
    if incomplete is not None:
        used &= ~np.asarray(incomplete, dtype=bool)
    if series.sizes is not None:
        used &= series.sizes > 0
    return used


def _weights(series: Series, used: NDArray[np.bool_]) -> Floats | None:
    return None if series.sizes is None else np.asarray(series.sizes[used], dtype=float)


def _scale(measure: Measure, values: Floats) -> str:
    return "log" if measure.scale in LOG_SCALES and bool((values > 0).all()) else "raw"


def _time(series: Series) -> Floats:
    """Number of the period of each point; its position where the series has no rhythm."""
    if series.when is None or series.expected_every is None:
        return np.arange(len(series), dtype=float)
    return np.asarray(period_number(series.when, series.expected_every), dtype=float)


def _least_squares(y: Floats, time: Floats, weights: Floats | None) -> float:
    """The p-value of an ordinary (weighted) regression; what cannot be fitted is refused."""
    root = np.ones(len(y)) if weights is None else np.sqrt(weights / weights.mean())
    x = np.column_stack([np.ones(len(y)), time - time.mean()]) * root[:, None]
    beta, *_ = np.linalg.lstsq(x, y * root, rcond=None)
    rest = y * root - x @ beta
    df = len(y) - 2
    spread = float(rest @ rest)
    if spread <= 1e-24 * float((y * root) @ (y * root)):
        raise InputError("the values do not vary about a straight line: there is nothing to test a trend by")
    se = math.sqrt(spread / df * float(np.linalg.inv(x.T @ x)[1, 1]))
    return float(t_p_value(float(beta[1]) / se, df))


def _good(measure: Measure, direction: str) -> bool | None:
    if direction == "none" or measure.better not in ("lower", "higher"):
        return None
    return (direction == "rises") == (measure.better == "higher")


def _doubts(series: Series, used: NDArray[np.bool_], white: float, rho: float) -> Iterator[Caveat]:
    n = int(used.sum())
    if n < 20:
        yield Caveat("too-few-points", f"Only {n} values: a trend is hardly seen in fewer than 20.", {"n": n})
    if white < 0.01:
        text = (
            f"The residuals are still correlated (Ljung-Box {p_text(white)}): the interval may be too narrow."
        )
        yield Caveat("correlated-residuals", text, {"p_value": white})
    if rho > 0.9:
        text = f"Neighbours are so alike (correlation {rho:.2f}) that a trend and a slow wave look the same."
        yield Caveat("near-random-walk", text, {"correlation": rho})
    if series.when is None:
        return
    first, last = series.when[used][0], series.when[used][-1]
    inside = [e.name for e in series.events if isinstance(e, Change) and first < _moment(e) <= last]
    if inside:
        text = f"A change lies within these data ({', '.join(inside)}): a step looks like a trend."
        yield Caveat("change-within", text, {"changes": len(inside)})


def _moment(change: Change) -> np.datetime64:
    when = change.when
    aware = isinstance(when, dt.datetime) and when.tzinfo is not None
    return instant(when, "UTC" if aware else "local")


def _verdict(t: Trend) -> str:
    share = t.measure.scale == "proportion"
    unit = "" if share else t.measure.unit

    def said(value: float) -> str:
        return percent(value, fine=True) if share else number(value, unit)

    span = f" from {day(t.first)} to {day(t.last)}" if t.first is not None and t.last is not None else ""
    what = t.measure.name if t.measure.is_named else "The series"
    periods = count(t.n, t.every)
    if t.direction == "none":
        text = f"{what}: no trend is visible{span} ({periods}, {p_text(t.p_value)})."
        if t.naive_p_value < 1 - t.confidence:
            text += (
                f" A regression that takes the {t.every}s as independent would claim one "
                f"({p_text(t.naive_p_value)})."
            )
        return text
    how = {True: ", an improvement", False: ", not wanted", None: ""}[t.good]
    return (
        f"{what} {t.direction}{how}{span}: the line goes from {said(t.at_first)} to {said(t.at_last)} "
        f"({periods}, {p_text(t.p_value)})."
    )
