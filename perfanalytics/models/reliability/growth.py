"""reliability_growth(failures) -> Growth: do failures become rarer, and how many faults are left?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Method, Result
from perfanalytics.core.series import Series
from perfanalytics.models.reliability.growth_doubts import corrected_trend, doubts, misfit
from perfanalytics.models.reliability.growth_fit import (
    JM,
    GrowthFit,
    fit_jm,
    fit_nhpp,
    one_step_ahead,
    without_counts,
)
from perfanalytics.models.reliability.growth_models import JM_REFERENCE, MODELS, Observed
from perfanalytics.models.reliability.growth_tests import Crow, crow, laplace, military_handbook

if TYPE_CHECKING:
    import pandas as pd

#: Models fitted when none are named.
ALL = (
    "goel_okumoto",
    "jelinski_moranda",
    "musa_okumoto",
    "delayed_s",
    "rayleigh",
    "weibull",
    "power_law",
    "poisson",
)
#: Pieces of the second half that are predicted out of sample.
STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Growth(Result):
    """Reliability growth: trend tests and fitted models, the lowest AICc first.

    Attributes
    ----------
    unit : str
    n : int
        Failures.
    end : float
        End of the observation.
    truncated : {"time", "failure"}
        Whether the observation ended at a time, or with the last failure.
    next_period : float
        Length of the period ahead that is predicted.
    confidence : float
    trend : {"growth", "none", "deterioration"}
        By Laplace's test at 1 - confidence, two-sided.
    laplace, laplace_p, handbook, handbook_p : float
        Statistics and p-values of the trend tests; NaN where one does not apply.
    times : float array, shape (n,), or None
    ends, counts : float arrays, shape (k,), or None
    fits : tuple of GrowthFit
        Rising AICc; those that did not converge last.
    """

    kind: ClassVar[str] = "growth"
    schema_version: ClassVar[int] = 1

    unit: str
    n: int
    end: float
    truncated: str
    next_period: float
    confidence: float
    trend: str
    laplace: float
    laplace_p: float
    handbook: float
    handbook_p: float
    times: Floats | None
    ends: Floats | None
    counts: Floats | None
    fits: tuple[GrowthFit, ...]

    def __getitem__(self, model: str) -> GrowthFit:
        """The fit of one model.

        Raises
        ------
        UnknownNameError
        """
        for f in self.fits:
            if f.model == model:
                return f
        raise UnknownNameError("model of this result", model, [f.model for f in self.fits])

    @property
    def best(self) -> GrowthFit | None:
        """The model with the lowest AICc; None where none converged."""
        return self.fits[0] if self.fits and self.fits[0].converged else None

    @property
    def best_ahead(self) -> GrowthFit | None:
        """The model that predicted the second half best, one step ahead; None where that was not computed."""
        known = [f for f in self.fits if math.isfinite(f.prequential)]
        return max(known, key=lambda f: f.prequential) if known else None

    def crow(self) -> Crow:
        """The power law with exact intervals and its unbiased shape.

        Raises
        ------
        InputError
            Where only counts are known.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> failures = [5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478]
        >>> g = perf.reliability_growth(failures, end=1500, models=("power_law",))
        >>> round(1 - g.crow().shape_unbiased, 4), round(g.crow().mtbf_unbiased, 3)
        (0.5165, 310.234)
        """
        if self.times is None:
            raise InputError("the exact power law needs the times of failures, not counts")
        data = Observed(self.n, self.end, self.times)
        return crow(data, failure_truncated=self.truncated == "failure", confidence=self.confidence)

    def to_frame(self) -> pd.DataFrame:
        """One row per model: model, converged, why, parameters (as text), log_likelihood, aicc, delta_aicc,
        prequential, fallbacks, total, remaining, remaining_low, remaining_high, mtbf, mtbf_low, mtbf_high,
        ahead, ahead_low, ahead_high."""
        import pandas as pd

        best = self.best
        rows = []
        for f in self.fits:
            shown = ", ".join(f"{n} = {e:.4g}" for n, e in zip(f.parameters, f.estimate, strict=True))
            row: dict[str, Any] = {
                "model": f.model,
                "converged": f.converged,
                "why": f.why,
                "parameters": shown,
            }
            row |= {"log_likelihood": f.log_likelihood, "aicc": f.aicc}
            row["delta_aicc"] = f.aicc - best.aicc if best and f.converged else math.nan
            for name in ("prequential", "fallbacks", "total", "remaining", "remaining_low", "remaining_high"):
                row[name] = getattr(f, name)
            for name in ("mtbf", "mtbf_low", "mtbf_high", "ahead", "ahead_low", "ahead_high"):
                row[name] = getattr(f, name)
            rows.append(row)
        return pd.DataFrame(rows)

    def summary(self) -> pd.DataFrame:
        """One row: unit, n, end, truncated, trend, laplace, laplace_p, handbook, handbook_p, best,
        best_ahead, remaining, remaining_low, remaining_high, mtbf, mtbf_low, mtbf_high, next_period, ahead,
        ahead_low, ahead_high (of the best), caveats, verdict."""
        import pandas as pd

        names = ("unit", "n", "end", "truncated", "trend", "laplace", "laplace_p", "handbook", "handbook_p")
        row: dict[str, Any] = {n: getattr(self, n) for n in names}
        best, ahead = self.best, self.best_ahead
        row |= {"best": best.model if best else None, "best_ahead": ahead.model if ahead else None}
        for name in ("remaining", "remaining_low", "remaining_high", "mtbf", "mtbf_low", "mtbf_high"):
            row[name] = getattr(best, name) if best else math.nan
        row["next_period"] = self.next_period
        for name in ("ahead", "ahead_low", "ahead_high"):
            row[name] = getattr(best, name) if best else math.nan
        row |= {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row])


def reliability_growth(
    failures: ArrayLike,
    *,
    of: str = "times",
    end: float | None = None,
    ends: ArrayLike | None = None,
    models: Sequence[str] = ALL,
    next_period: float | None = None,
    confidence: float = 0.95,
    out_of_sample: bool = True,
    unit: str = "hours",
) -> Growth:
    """Do failures become rarer, how many faults are left, and how many failures will the next period bring?

    Parameters
    ----------
    failures : array_like, shape (n,) or (k,)
        ``of="times"``: times of failures since the start, rising; ``of="intervals"``: times since the failure
        before; ``of="counts"``: failures (defects found) in each period.
    of : {"times", "intervals", "counts"}
    end : float, optional
        End of the observation, in ``unit``; without it the observation ended with the last failure.
    ends : array_like, shape (k,), optional
        Ends of the periods of counts; default 1, 2, ..., k.
    models : sequence of str
        "goel_okumoto", "jelinski_moranda", "musa_okumoto", "delayed_s", "rayleigh", "weibull", "power_law",
        "poisson" (a constant rate: no growth).
    next_period : float, optional
        Length of the period to predict; default a tenth of the observation, with counts the last period.
    confidence : float
    out_of_sample : bool
        Whether the second half is predicted piece by piece by each model fitted to all before.
    unit : str
        Of times: execution time, test hours, days, weeks.

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Time should be effort (execution time, test hours): calendar time in which nobody tested looks like
    growth. A model whose best fit is a limit (infinitely many faults) is marked as not converged, and nothing
    is claimed from it. A model that failures do not follow (counts in spans of equal expectation, p below 1%)
    carries the caveat ``does-not-fit``: the best is not always good. Intervals of remaining faults are
    profile likelihood, those of the power law exact; the range of the next period is Poisson with the
    uncertainty of its mean as a gamma variable.

    References
    ----------
    Musa, Iannino and Okumoto (1987), Software Reliability; Lyu (ed.) (1996), Handbook of Software Reliability
    Engineering, chapters 3 and 4; Rigdon and Basu (2000), Statistical Methods for the Reliability of
    Repairable Systems.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> days = [9, 12, 11, 4, 7, 2, 5, 8, 5, 7, 1, 6, 1, 9, 4, 1, 3, 3, 6, 1, 11, 33, 7, 91, 2, 1]
    >>> g = perf.reliability_growth(days, of="intervals", unit="days", out_of_sample=False)
    >>> [round(float(x), 5) for x in g["goel_okumoto"].estimate]
    [33.9935, 0.00579]
    """
    if of not in ("times", "intervals", "counts"):
        raise UnknownNameError("kind of failures (of=)", str(of), ("times", "intervals", "counts"))
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    chosen = tuple(models) if not isinstance(models, str) else (models,)
    for name in chosen:
        if name not in ALL:
            raise UnknownNameError("model of growth", str(name), ALL)
    if not chosen or len(set(chosen)) < len(chosen):
        raise InputError("models= are different names, at least one")
    data, at_failure = _observed(failures, of, end, ends)
    if next_period is None:
        next_period = data.end / 10
        if data.ends is not None:
            next_period = float(data.ends[-1] - (data.ends[-2] if len(data.ends) > 1 else 0.0))
    if not 0 < next_period < math.inf:
        raise InputError(f"next_period= is a time above 0, got {next_period}")
    fits = []
    for name in chosen:
        if name == JM and data.times is None:
            fits.append(without_counts(data, name))
            continue
        if name == JM:
            fitted = fit_jm(data, ahead=next_period, confidence=confidence)
        else:
            fitted = fit_nhpp(
                name, data, failure_truncated=at_failure, ahead=next_period, confidence=confidence
            )
        if out_of_sample:
            value, fallbacks = one_step_ahead(name, data, steps=STEPS)
            fitted = replace(fitted, prequential=value, fallbacks=fallbacks)
        fits.append(fitted)
    fits.sort(key=lambda f: (not f.converged, f.aicc))
    one = laplace(data, failure_truncated=at_failure)
    two = military_handbook(data, failure_truncated=at_failure)
    trend = "none"
    if one.p_value < 1 - confidence:
        trend = "growth" if one.statistic < 0 else "deterioration"
    values = data.times if data.times is not None else data.counts
    found = Growth(
        verdict="",
        method=Method(
            "reliability_growth",
            {
                "of": of,
                "truncated": "failure" if at_failure else "time",
                "models": list(chosen),
                "estimator": "maximum likelihood",
                "ranked_by": "AICc, failures as the sample size",
                "trend": "Laplace, two-sided",
                "remaining": "profile likelihood",
                "next_period": next_period,
                "out_of_sample": f"one step ahead, {STEPS} pieces" if out_of_sample else None,
                "confidence": confidence,
            },
            tuple(MODELS[m].reference if m != JM else JM_REFERENCE for m in chosen),
        ),
        provenance=Series(np.append(np.asarray(values, dtype=float), data.end)).provenance(),
        unit=unit,
        n=data.n,
        end=data.end,
        truncated="failure" if at_failure else "time",
        next_period=float(next_period),
        confidence=confidence,
        trend=trend,
        laplace=one.statistic,
        laplace_p=one.p_value,
        handbook=two.statistic,
        handbook_p=two.p_value,
        times=None if data.times is None else read_only(data.times),
        ends=None if data.ends is None else read_only(data.ends),
        counts=None if data.counts is None else read_only(data.counts),
        fits=tuple(fits),
    )
    return replace(found, verdict=_verdict(found), caveats=tuple(doubts(found)))


def _observed(
    failures: ArrayLike, of: str, end: float | None, ends: ArrayLike | None
) -> tuple[Observed, bool]:
    if np.asarray(failures).dtype.kind in "Mm":
        raise InputError("failures= are numbers, no instants: (times - start) / np.timedelta64(1, 'h')")
    try:
        values = np.asarray(failures, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"failures= are numbers: {error}") from error
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError("failures= are finite numbers, shape (n,)")
    if (values < 0).any():
        raise InputError(f"failure {int(np.argmax(values < 0))} is negative: times and counts are not")
    if of == "counts":
        if (values != np.floor(values)).any():
            raise InputError("counts of failures are whole numbers")
        if end is not None:
            raise InputError("end= belongs to times of failures; counts have ends=")
        stops = np.arange(1.0, len(values) + 1) if ends is None else np.asarray(ends, dtype=float)
        if (
            stops.shape != values.shape
            or not np.isfinite(stops).all()
            or (np.diff(stops, prepend=0.0) <= 0).any()
        ):
            raise InputError(f"ends= are the rising ends of {len(values)} periods, the first above 0")
        if values.sum() < 3:
            raise InputError(f"growth needs at least 3 failures, got {int(values.sum())}")
        return Observed(int(values.sum()), float(stops[-1]), None, stops, values), False
    if ends is not None:
        raise InputError("ends= belongs to counts of failures; times have end=")
    times = np.cumsum(values) if of == "intervals" else values
    if len(times) < 3:
        raise InputError(f"growth needs at least 3 failures, got {len(times)}")
    if (np.diff(times) < 0).any():
        k = int(np.argmax(np.diff(times) < 0)) + 1
        raise InputError(f"failure {k} comes before the one before it: times rise (of='intervals' for gaps?)")
    if times[0] <= 0:
        # log likelihoods of S-shaped models and of the power law have no value at time 0
        raise InputError(
            "the first failure is at time 0: times are counted from the start of the observation"
        )
    if end is not None and (not math.isfinite(end) or end < times[-1]):
        raise InputError(f"end={end:g} lies before the last failure ({times[-1]:g})")
    return Observed(len(times), float(times[-1] if end is None else end), times), end is None


def _verdict(g: Growth) -> str:
    found = misfit(g)
    silent = g.trend == "deterioration" or (g.trend == "growth" and (not g.best or g.best.model == "poisson"))
    if found is None or silent:
        return _statement(g)
    text = f" But the failures vary {number(found.dispersion)} times as much as the model lets them: its "
    text += "ranges are too narrow"
    p_value = corrected_trend(g, found)[1]
    if g.trend == "growth" and p_value >= 1 - g.confidence:
        text += f", and with that allowed for no growth is shown ({p_text(p_value)})"
    return f"{_statement(g)}{text}."


def _statement(g: Growth) -> str:
    test = f"Laplace {round(g.laplace, 2) + 0.0:g}, {p_text(g.laplace_p)}"
    best = g.best
    seen = f"{count(g.n, 'failure')} in {number(g.end, g.unit)}"
    if g.trend == "deterioration":
        return (
            f"No growth: after {seen}, failures become more frequent ({test}). "
            "Remaining faults are not given."
        )
    if g.trend == "none":
        low = f"; {_next(g, g['poisson'])}" if any(f.model == "poisson" for f in g.fits) else ""
        return f"No growth is shown: after {seen}, the rate of failures may be constant ({test}){low}."
    if best is None:
        return f"Failures become rarer ({test}), but none of the models could be fitted to {seen}."
    if best.model == "poisson":
        return (
            f"Failures become rarer ({test}), but no model of growth that could be fitted to {seen} is "
            "better than a constant rate: what the next period will bring is not given."
        )
    text = f"Failures become rarer ({test}). After {seen}, the {best.label} model (lowest AICc) "
    if math.isfinite(best.remaining):
        text += f"expects {number(best.remaining)} more in all ({_ends(g, best)}) and "
    else:
        least, most = best.mtbf_low, best.mtbf_high
        text += f"gives {number(best.mtbf, g.unit)} between failures now"
        if math.isfinite(least):
            text += f" ({percent(g.confidence)} interval {number(least)} to {number(most)})"
        text += " and "
    return text + _next(g, best).replace("expected: ", "") + "."


def _next(g: Growth, f: GrowthFit) -> str:
    some = f"{number(f.ahead)} in the next {number(g.next_period, g.unit)}"
    return some + (f" ({f.ahead_low:.0f} to {f.ahead_high:.0f})" if math.isfinite(f.ahead_low) else "")


def _ends(g: Growth, f: GrowthFit) -> str:
    high = number(f.remaining_high) if math.isfinite(f.remaining_high) else None
    if high is None:
        return f"{percent(g.confidence)} interval from {number(f.remaining_low)}, without upper end"
    return f"{percent(g.confidence)} interval {number(f.remaining_low)} to {high}"
