"""calibrate(model, local) -> Calibration: the organization's model, adapted to the data of one work group."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.conjugate import PAIRS, Level, errors_of, level_of
from perfanalytics.models.own_items import OwnItems, own_items
from perfanalytics.models.prediction import read_new
from perfanalytics.models.result import Model
from perfanalytics.models.wording import away, beside

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Local items below which a calibration is hardly one; standard deviations from which the group is another.
FEW, ANOTHER = 5, 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Calibration(Result):
    """How far a work group lies from the organization's model, and how much its own data count.

    Attributes
    ----------
    measure : Measure
    formula, family : str
    group : str
    n_local : int
        Items of the group.
    prior_n : float
        How many local items the organization's level is worth.
    weight : float
        Of the local data in the level, 0 to 1: the shrinkage.
    effect : {"difference", "ratio"}
        Whether levels are differences in the unit of the measure, or ratios to what the model predicts.
    local, calibrated, low, high : float
        Level of the group from its own data alone; after shrinkage towards the organization, with interval.
        A difference of 0 or a ratio of 1 is the organization's level.
    sigma_before, sigma_local, sigma : float
        Residual spread on the scale of the fit: of the organization, of the group's own data, after
        shrinkage; NaN for families whose spread follows their mean.
    error_before, error_after : float
        Mean absolute error of the group's items: by the organization's model, and by the model calibrated
        on the other items of the group (leave one out); of more than 500 items both on the same 500, evenly
        chosen.
    surprise : float
        The local level less the organization's, in standard deviations of what groups and chance give.
    confidence : float
    model : Model
        The calibrated model, ready to predict.
    """

    kind: ClassVar[str] = "calibration"

    measure: Measure
    formula: str
    family: str
    group: str
    n_local: int
    prior_n: float
    weight: float
    effect: str
    local: float
    calibrated: float
    low: float
    high: float
    sigma_before: float
    sigma_local: float
    sigma: float
    error_before: float
    error_after: float
    surprise: float
    confidence: float
    model: Model

    def to_frame(self) -> pd.DataFrame:
        """Three rows, "organization", "calibrated", "local data alone": source, level, low, high, sigma,
        weight (of the source in the calibrated level), error (mean absolute; NaN for the last), effect."""
        import pandas as pd

        none = 0.0 if self.effect == "difference" else 1.0
        return pd.DataFrame(
            {
                "source": ["organization", "calibrated", "local data alone"],
                "level": [none, self.calibrated, self.local],
                "low": [math.nan, self.low, math.nan],
                "high": [math.nan, self.high, math.nan],
                "sigma": [self.sigma_before, self.sigma, self.sigma_local],
                "weight": [1 - self.weight, math.nan, self.weight],
                "error": [self.error_before, self.error_after, math.nan],
                "effect": self.effect,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: measure, group, n_local, prior_n, weight, effect, local, calibrated, low, high,
        error_before, error_after, surprise, caveats, verdict."""
        import pandas as pd

        names = ("group", "n_local", "prior_n", "weight", "effect", "local", "calibrated", "low", "high")
        row: dict[str, Any] = {"measure": self.measure.name}
        row |= {n: getattr(self, n) for n in (*names, "error_before", "error_after", "surprise")}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])


def calibrate(
    model: Model,
    local: pd.DataFrame,
    *,
    prior_n: float,
    group: str = "local",
    confidence: float = 0.95,
) -> Calibration:
    """Adapt a model to the data of the work that shall use it.

    Parameters
    ----------
    model : Model
        Gaussian, gamma, binomial, Poisson or negative binomial, with an intercept. A mixed model knows its
        groups already: refit it with the new ones.
    local : DataFrame
        Items of the group with their outcomes; columns as for the fit.
    prior_n : float
        How many local items the organization's level is worth, above 0: the ratio of the variance within
        groups to that between groups (see :func:`prior_items`). Small where groups differ much.
    group : str
        Name of the group.
    confidence : float

    Returns
    -------
    Calibration
        Its ``.model`` predicts with the calibrated level and spread.

    Raises
    ------
    InputError
        For another family, a model without intercept, no complete local item, or outcomes that the family
        does not know (as for the fit).

    Notes
    -----
    Closed forms. With n local items, level and spread are shrunken with weight ``n / (n + prior_n)``:

    - gaussian: level of residuals (normal-normal); variance
      ``(prior_n sigma^2 + (n - 1) s^2) / (prior_n + n - 1)`` (scaled inverse chi-squared);
    - binomial: share of successes, Beta(prior_n p, prior_n (1 - p)) with p the model's mean share for the
      same items; n counts trials;
    - Poisson, negative binomial: ratio of observed to predicted counts, Gamma with mean 1 worth ``prior_n``
      items of the mean predicted count; counts are divided by their dispersion;
    - gamma: ratio of observed to predicted, inverse gamma with mean 1.

    Weights of the local items count as in the fit. The interval of the level is that of its posterior law: t
    with ``prior_n + n - 1`` degrees of freedom, beta, gamma, inverse gamma.

    References
    ----------
    Gelman, Carlin, Stern, Dunson, Vehtari and Rubin (2013), Bayesian Data Analysis, 3rd ed., sections 2.4 to
    2.6.

    Examples
    --------
    >>> import pandas as pd
    >>> from perfanalytics.models.model import fit
    >>> data = pd.DataFrame({"hours": [2.1, 3.9, 6.2, 7.8, 10.1, 12.2], "size": [1, 2, 3, 4, 5, 6]})
    >>> own = pd.DataFrame({"hours": [5.0, 7.1, 9.0], "size": [2, 3, 4]})
    >>> made = calibrate(fit("hours ~ size", data), own, prior_n=3)
    >>> made.weight, round(made.local, 2), round(made.calibrated, 2)
    (0.5, 0.99, 0.5)
    """
    import pandas as pd

    if not isinstance(model, Model):
        raise InputError(f"calibrate takes a model (perf.fit), got {type(model).__name__}")
    if model.family not in PAIRS:
        raise InputError(
            f"a {model.family} model is not calibrated in closed form: "
            + (
                "fit it again with the new group"
                if model.family == "mixed"
                else f"use one of {', '.join(PAIRS)}"
            )
        )
    if prior_n == math.inf:
        raise InputError(
            "prior_n= is infinite: the groups of the organization cannot be told apart, so its model holds "
            "for this one as it is"
        )
    if not (math.isfinite(prior_n) and prior_n > 0):
        raise InputError(f"prior_n= is a number of items above 0, got {prior_n}")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    place = np.flatnonzero(model.terms == "Intercept")
    if not len(place):
        raise InputError("a model without an intercept has no level to calibrate")
    if not isinstance(local, pd.DataFrame) or model.response not in local.columns:
        known = [str(c) for c in local.columns] if isinstance(local, pd.DataFrame) else []
        raise UnknownNameError("column of the response", model.response, known)
    own = own_items(model, local)
    n = len(own.y)
    level = level_of(model, own, prior_n, confidence)
    before, after = errors_of(model, own, prior_n)
    ratio = model.logged or model.link != "identity"
    back = np.exp if ratio else np.asarray
    numbers = [float(back(v)) for v in (level.local, level.shift, level.low, level.high)]
    made = _calibrated_model(model, int(place[0]), level, group, n, prior_n)
    doubts = _doubts(own, level, len(local) - n)
    return Calibration(
        measure=model.measure,
        formula=model.formula,
        family=model.family,
        group=group,
        n_local=n,
        prior_n=float(prior_n),
        weight=level.weight,
        effect="ratio" if ratio else "difference",
        local=numbers[0],
        calibrated=numbers[1],
        low=numbers[2],
        high=numbers[3],
        sigma_before=model.sigma if model.family == "gaussian" else math.nan,
        sigma_local=level.sigma_local,
        sigma=level.sigma,
        error_before=before,
        error_after=after,
        surprise=level.surprise,
        confidence=confidence,
        model=made,
        verdict=_verdict(model, group, n, level, numbers, ratio, before, after),
        caveats=doubts,
        method=Method(
            "calibration",
            {
                "model": model.formula,
                "family": model.family,
                "model_key": model.method.key,
                "pair": PAIRS[model.family],
                "prior_n": float(prior_n),
                "confidence": confidence,
            },
            ("Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., sections 2.4 to 2.6",),
        ),
        provenance=Provenance(model.measure.name, data_hash=model.provenance.data_hash, n=n),
    )


def prior_items(model: Model, frame: pd.DataFrame, *, by: str) -> float:
    """How many items the organization's level is worth, from how much its groups differ (``prior_n``).

    Parameters
    ----------
    model : Model
        Gaussian.
    frame : DataFrame
        Items of several groups, mostly those the model was fitted on.
    by : str
        Column of the group.

    Returns
    -------
    float
        Variance of residuals within groups over that between groups; infinite when groups cannot be told
        apart.

    Raises
    ------
    InputError
        For another family, or fewer than 3 groups with two items.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, section 3.6 (analysis of variance estimators).

    Examples
    --------
    >>> import pandas as pd
    >>> from perfanalytics.models.model import fit
    >>> hours, team = [1, 2, 1, 2, 5, 6, 5, 6, 9, 9, 8, 8.0], list("aaaabbbbcccc")
    >>> data = pd.DataFrame({"hours": hours, "one": [0, 1] * 6, "team": team})
    >>> round(prior_items(fit("hours ~ one", data), data, by="team"), 3)
    0.015
    """
    if model.family != "gaussian":
        raise InputError(
            f"prior_items is for gaussian models, not for family {model.family!r}: state prior_n="
        )
    for name in (by, model.response):
        if name not in frame.columns:
            raise UnknownNameError("column", name, [str(c) for c in frame.columns])
    rows = read_new(model, frame)
    y = frame[model.response].to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = (np.log(y) if model.logged else y) - rows.x @ model.coefficients - rows.offset
    use = np.isfinite(residual)
    groups = [g[np.isfinite(g)] for _, g in _grouped(frame[by].to_numpy()[use], residual[use])]
    groups = [g for g in groups if len(g)]
    if len(groups) < 3 or all(len(g) < 2 for g in groups):
        raise InputError(
            f"how much groups differ cannot be told from {count(len(groups), 'group')}: 3 are needed"
        )
    sizes = np.array([len(g) for g in groups], dtype=float)
    total = sizes.sum()
    within = sum(float(((g - g.mean()) ** 2).sum()) for g in groups) / (total - len(groups))
    center = float(np.concatenate(groups).mean())
    between = sum(len(g) * float(g.mean() - center) ** 2 for g in groups) / (len(groups) - 1)
    size = (total - (sizes**2).sum() / total) / (len(groups) - 1)
    tau2 = (between - within) / size
    return float(within / tau2) if tau2 > 0 else math.inf


def _grouped(names: NDArray[Any], values: Floats) -> list[tuple[Any, Floats]]:
    return [(name, values[names == name]) for name in dict.fromkeys(names.tolist())]


def _calibrated_model(model: Model, place: int, level: Level, group: str, n: int, prior_n: float) -> Model:
    """The model with the level (and spread) of the group; the doubt of its level is in the covariance."""
    coefficients, covariance = model.coefficients.copy(), model.covariance.copy()
    coefficients[place] += level.shift
    covariance[place, place] += level.variance
    said = f"{group}: {count(n, 'local item')}, weight {percent(level.weight)}"
    parameters = dict(model.method.parameters) | {
        "calibrated": said,
        "calibration_shift": level.shift,
        "calibration_prior_n": float(prior_n),
    }
    return replace(
        model,
        coefficients=read_only(coefficients),
        covariance=read_only(covariance),
        sigma=level.sigma if model.family == "gaussian" else model.sigma,
        method=Method(model.method.name, parameters, model.method.references),
        verdict=f"Calibrated to {said}. {model.verdict}",
    )


def _doubts(own: OwnItems, level: Level, left_out: int) -> tuple[Caveat, ...]:
    doubts, n, outside = [], len(own.y), own.extrapolates
    if n < FEW:
        text = f"Only {count(n, 'local item')}: the calibrated model is mostly the organization's."
        doubts.append(Caveat("few-local-items", text, {"n": n, "needed": FEW}))
    if abs(level.surprise) > ANOTHER:
        text = (
            f"The group lies {number(abs(level.surprise))} standard deviations from what groups of the "
            f"organization "
            "show: the model may not be about this work at all."
        )
        doubts.append(Caveat("another-population", text, {"surprise": level.surprise}))
    if outside.any():
        text = f"{count(int(outside.sum()), 'local item')} lie outside the data of the organization's model."
        doubts.append(Caveat("extrapolates", text, {"items": int(outside.sum())}))
    if left_out:
        text = (
            f"{count(left_out, 'local item')} left out: a value is missing, a level unknown to the model, or "
            "an outcome of 0 that has no logarithm."
        )
        doubts.append(Caveat("items-left-out", text, {"items": left_out}))
    return tuple(doubts)


def _verdict(
    model: Model,
    group: str,
    n: int,
    level: Level,
    numbers: list[float],
    ratio: bool,
    before: float,
    after: float,
) -> str:
    unit = model.measure.unit
    what = f"the odds of {model.measure.name} are" if model.link == "logit" else f"{model.measure.name} is"
    own, shrunken = (beside(v) if ratio else away(v, unit) for v in numbers[:2])
    text = (
        f"{group}: by its own data, {what} {own} what the model expects; after shrinkage {shrunken} it. "
        f"Its {count(n, 'item')} {'counts' if n == 1 else 'count'} for {percent(level.weight)}, the "
        "organization for the rest."
    )
    if math.isfinite(after) and model.link != "logit":
        if after < before:
            text += (
                f" The mean absolute error on its items falls from {number(before)} to {number(after, unit)}."
            )
        else:
            text += (
                f" That does not predict its items better: the mean absolute error was {number(before)}, it "
            )
            text += f"is {number(after, unit)}."
    return text
