"""fit_distribution(series) -> DistributionFit: which family describes the values, and how well."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.distribution_result import DistributionFit
from perfanalytics.baselines.doubts import dependence_doubts, few_points
from perfanalytics.baselines.families import families_of
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.fitting import Threshold, fit_family
from perfanalytics.baselines.goodness import FEWEST_TESTED
from perfanalytics.baselines.intervals import Dependence, effective
from perfanalytics.baselines.wording import count, number
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import Series

#: Families tried when none are named.
ALL = ("normal", "lognormal", "weibull", "gamma", "exponential", "johnson")
#: A family whose p-value lies below this does not fit.
DOES_NOT_FIT = 0.05


def fit_distribution(
    series: object,
    *,
    family: str | Sequence[str] = ALL,
    threshold: Threshold = None,
    confidence: float = 0.95,
    dependence: Dependence | None = None,
    draws: int = 199,
    seed: int = 0,
) -> DistributionFit:
    """Fit distributions by maximum likelihood and rank them.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        Values; where ``censored``, lower bounds (items still open). Excluded points and gaps are left out.
    family : str or sequence of str
        "normal", "lognormal", "weibull", "gamma", "exponential", "johnson_su", "johnson_sb"; "johnson" stands
        for both.
    threshold : float or "fit", optional
        Where the values of lognormal, Weibull, gamma and exponential begin, in the unit of the measure.
        Default 0; "fit" estimates it (three parameters; complete values only).
    confidence : float
        Of the intervals of :meth:`DistributionFit.quantiles`.
    dependence : {"ar1", "independent"}, optional
        "ar1" (default with times) multiplies the variances of the parameters by values over effective values.
    draws, seed : int
        Parametric bootstrap behind the p-values of gamma and Johnson, which have no table; 0 draws: none.

    Returns
    -------
    DistributionFit

    Raises
    ------
    InputError
        Without values, with values of several columns, for impossible confidence or draws.
    UnknownNameError
        For a family that does not exist.

    Notes
    -----
    Families are ranked by AICc; the verdict says how close the next one is, and nothing is chosen in silence.
    A family that begins at its threshold is not fitted where a value lies on or below it. Two-parameter
    likelihoods have one peak; Johnson's families and fitted thresholds may have none, and then the fit is
    marked as not converged, with the reason. p-values take the values as independent: with alike neighbours
    they are too small.

    References
    ----------
    Lawless (2003), Statistical Models and Methods for Lifetime Data, chapters 4 and 5. Burnham and Anderson
    (2002), Model Selection, section 2.4 (AICc). D'Agostino and Stephens (1986), chapter 4. Johnson (1949),
    Biometrika 36.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> fit = perf.fit_distribution([1.0, 2, 3, 4, 5, 7, 9, 14], family=("normal", "weibull", "exponential"))
    >>> fit.best.family, [f.family for f in fit.fits]
    ('exponential', ['exponential', 'weibull', 'normal'])
    >>> round(float(fit["weibull"].quantile(0.9)), 2)
    11.04
    """
    series = as_series(series)
    if series.values.ndim != 1:
        raise InputError(f"a distribution is fitted to one column of values, got shape {series.values.shape}")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if draws and draws < 19:
        raise InputError(f"a p-value needs at least 19 draws (0 for none), got {draws}")
    if isinstance(threshold, str) and threshold != "fit":
        raise UnknownNameError("threshold", threshold, ("fit",))
    if dependence is None:
        dependence = "ar1" if series.when is not None else "independent"
    elif dependence not in ("ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    families = families_of(family if isinstance(family, str) else tuple(family))
    if not families:
        raise InputError("name at least one family, for example family='weibull'")
    gone, _ = series.excluded()
    used = ~np.isnan(series.values) & ~gone
    values = series.values[used]
    if not len(values):
        raise InputError("no value is left to fit: all points are missing or excluded")
    censored = None if series.censored is None else series.censored[used]
    censored = censored if censored is not None and censored.any() else None
    if censored is not None and censored.all():
        raise InputError("every value is censored: nothing can be said about how long items take")
    size = effective(np.where(used, series.values, np.nan), dependence)
    inflation = size.n / size.n_mean if size.n_mean > 0 else 1.0
    fits = [
        fit_family(
            f, values, censored=censored, threshold=threshold, inflation=inflation, draws=draws, seed=seed
        )
        for f in families
    ]
    fits.sort(key=lambda f: (not f.converged, f.aicc, len(f.parameters)))
    caveats = [*few_points(len(values)), *_doubts(series, values, censored, fits)]
    caveats += dependence_doubts(size, dependence)
    return DistributionFit(
        verdict=_verdict(series.measure, values, fits),
        caveats=tuple(caveats),
        method=Method(
            "fit_distribution",
            {
                "families": [f.name for f in families],
                "threshold": threshold,
                "estimator": "maximum likelihood",
                "standard_errors": "observed information, times values over effective values",
                "ranked_by": "AICc",
                "confidence": confidence,
                "dependence": dependence,
                "draws": draws,
                "seed": seed,
            },
            (
                "Lawless (2003), Statistical Models and Methods for Lifetime Data, chapters 4 and 5",
                "D'Agostino and Stephens (1986), Goodness-of-Fit Techniques, chapter 4",
            ),
        ),
        provenance=series.provenance(),
        measure=series.measure,
        n=len(values),
        n_censored=0 if censored is None else int(censored.sum()),
        confidence=confidence,
        dependence=dependence,
        n_effective=size.n_mean,
        values=read_only(values),
        censored=None if censored is None else read_only(censored),
        fits=tuple(fits),
    )


def misfit(fitted: Fitted) -> list[Caveat]:
    """A caveat where the values speak against a fitted distribution."""
    if not fitted.p_value < DOES_NOT_FIT:
        return []
    text = (
        f"The {fitted.label} distribution does not fit (Anderson-Darling p = {_p(fitted.p_value)}; "
        f"shares read from it are off by up to {100 * fitted.distance:.0f} percentage points): doubt what "
        "rests on it, the tails most of all. The distribution-free figures do not need it."
    )
    evidence = {"family": fitted.family, "p_value": fitted.p_value, "distance": fitted.distance}
    return [Caveat("distribution-does-not-fit", text, evidence)]


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.2g}"


def _doubts(
    series: Series, values: NDArray[np.float64], censored: NDArray[np.bool_] | None, fits: Sequence[Fitted]
) -> list[Caveat]:
    out = []
    if values.min() == values.max():
        text = f"All {count(len(values), 'value')} are {values[0]:g}: no distribution describes that."
        out.append(Caveat("zero-variance", text, {"value": float(values[0])}))
    good = [f for f in fits if f.converged]
    known = [f for f in good if not math.isnan(f.p_value)]
    if not good:
        text = "None of the families could be fitted: " + "; ".join(f"{f.label}: {f.why}" for f in fits) + "."
        out.append(Caveat("not-fitted", text, {}))
    elif known and len(known) == len(good) and max(f.p_value for f in known) < DOES_NOT_FIT:
        which = f"None of the {len(good)} families" if len(good) > 1 else f"The {good[0].label} distribution"
        text = (
            f"{which} {'fits' if len(good) > 1 else 'does not fit'} (the largest "
            f"Anderson-Darling p is {_p(max(f.p_value for f in known))}): use the values themselves, or "
            "look for several populations mixed."
        )
        out.append(Caveat("none-fits", text, {"p_value": max(f.p_value for f in known)}))
    if good and len(good) < len(fits):
        failed = [f for f in fits if not f.converged]
        text = "Not fitted: " + "; ".join(f"{f.label} ({f.why})" for f in failed) + "."
        out.append(Caveat("not-converged", text, {"families": ", ".join(f.family for f in failed)}))
    complete = values if censored is None else values[~censored]
    different = len(np.unique(complete))
    if len(complete) >= 20 and different < len(complete) / 4:
        text = (
            f"Only {different} different values among {len(complete)}: the rounding alone makes "
            "continuous distributions fit badly."
        )
        out.append(Caveat("rounded", text, {"different": different, "n": len(complete)}))
    if any("threshold" in f.parameters and f.family == "exponential" for f in good):
        text = "The fitted threshold of the exponential distribution is the smallest value, not regular."
        out.append(Caveat("not-regular", text, {}))
    if series.weights is not None:
        out.append(Caveat("weights-ignored", "The series has weights; each value counts the same here.", {}))
    return out


def _verdict(measure: Measure, values: NDArray[np.float64], fits: Sequence[Fitted]) -> str:
    good, n = [f for f in fits if f.converged], len(values)
    if n > 1 and values.min() == values.max():
        said = number(float(values[0]), measure.unit)
        return f"{measure.name}: all {count(n, 'value')} are {said}: no distribution describes that."
    if not good:
        return f"{measure.name}: none of the families could be fitted to {count(n, 'value')}."
    best = good[0]
    text = f"{measure.name}: "
    if len(good) == 1:
        text += f"the {best.label} distribution was fitted to {count(n, 'value')}."
    else:
        apart = good[1].aicc - best.aicc
        text += (
            f"of {len(good)} families the {best.label} distribution describes the {count(n, 'value')} best"
        )
        if apart < 2:
            close = sum(f.aicc - best.aicc < 2 for f in good) - 1
            others = "" if close == 1 else f" and {close - 1} more"
            text += f", but {good[1].label}{others} can hardly be told from it (AICc {apart:.1f} higher)."
        else:
            text += f"; {good[1].label} is next (AICc {apart:.1f} higher)."
    if n < FEWEST_TESTED:
        return f"{text} They are too few to say whether it fits."
    if math.isnan(best.p_value):
        return f"{text} How well it fits was not tested."
    if best.p_value < DOES_NOT_FIT:
        return f"{text} It does not fit (Anderson-Darling p = {_p(best.p_value)})."
    ninety = number(float(best.quantile(0.9)), measure.unit)
    return f"{text} It fits (Anderson-Darling p = {_p(best.p_value)}); nine in ten are at most {ninety}."
