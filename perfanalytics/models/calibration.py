"""calibrate(model, local) -> Calibration: a model of the organization, adapted to the data of one work "
"group."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.prediction import read_new
from perfanalytics.models.predictive import t_quantile
from perfanalytics.models.result import Model

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Family -> the conjugate pair behind its calibration.
PAIRS = {
    "gaussian": "normal-normal",
    "binomial": "beta-binomial",
    "poisson": "gamma-Poisson",
    "negative_binomial": "gamma-Poisson, counts divided by their dispersion",
    "gamma": "gamma with inverse gamma",
}
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
        on the other items of the group (leave one out).
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


@dataclass(frozen=True, slots=True)
class _Level:
    """Shift on the scale of the linear predictor: local, shrunken, its variance; weight; surprise."""

    local: float
    shift: float
    variance: float
    weight: float
    surprise: float


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
        For another family, a model without intercept, or no complete local item.

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
    if not (math.isfinite(prior_n) and prior_n > 0):
        raise InputError(f"prior_n= is a number of items above 0, got {prior_n}")
    place = np.flatnonzero(model.terms == "Intercept")
    if not len(place):
        raise InputError("a model without an intercept has no level to calibrate")
    if not isinstance(local, pd.DataFrame) or model.response not in local.columns:
        known = [str(c) for c in local.columns] if isinstance(local, pd.DataFrame) else []
        raise UnknownNameError("column of the response", model.response, known)
    rows = read_new(model, local)
    observed = local[model.response].to_numpy(dtype=np.float64, na_value=np.nan)
    use = np.isfinite(rows.x).all(axis=1) & np.isfinite(observed)
    if model.logged or model.family == "gamma":
        use &= observed > 0
    n = int(use.sum())
    if not n:
        raise InputError(
            "no local item is complete and within the levels of the model: nothing to calibrate on"
        )
    eta = (rows.x @ model.coefficients + rows.offset)[use]
    y, sizes = observed[use], rows.sizes[use]
    if model.family == "binomial" and not model.parameters.get("divided", 0.0):
        y = y / sizes
    level, sigma_local, sigma = _level(model, eta, y, sizes, prior_n)
    before, after = _errors(model, eta, y, sizes, prior_n)
    half = float(t_quantile(model.df_test, (1 + confidence) / 2)) * math.sqrt(level.variance)
    ratio = model.logged or model.link != "identity"
    back = np.exp if ratio else np.asarray
    numbers = [float(back(v)) for v in (level.local, level.shift, level.shift - half, level.shift + half)]
    made = _calibrated_model(model, int(place[0]), level, sigma, group, n, prior_n)
    doubts = _doubts(model, rows.extrapolates[use], n, level, len(local) - n)
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
        sigma_local=sigma_local,
        sigma=sigma,
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


def _level(
    model: Model, eta: Floats, y: Floats, sizes: Floats, prior_n: float
) -> tuple[_Level, float, float]:
    """Level of the group, its own spread, and the spread after shrinkage."""
    n = len(y)
    if model.family == "gaussian":
        residual = (np.log(y) if model.logged else y) - eta
        weight = n / (n + prior_n)
        local = float(residual.mean())
        own = float(((residual - local) ** 2).sum())
        sigma2 = (prior_n * model.sigma**2 + own) / (prior_n + n - 1) if prior_n + n > 1 else model.sigma**2
        sd = model.sigma * math.sqrt(1 / prior_n + 1 / n)
        level = _Level(local, weight * local, sigma2 / (n + prior_n), weight, local / sd)
        return level, math.sqrt(own / (n - 1)) if n > 1 else math.nan, math.sqrt(sigma2)
    if model.family == "binomial":
        p = special.expit(eta)
        trials, hits = float(sizes.sum()), float((y * sizes).sum())
        prior = float((p * sizes).sum()) / trials
        weight = trials / (trials + prior_n)
        # half a success where the group has none or only successes, for its own level only
        bare = (hits + 0.5) / (trials + 1) if hits in (0.0, trials) else hits / trials
        share = (prior_n * prior + hits) / (prior_n + trials)
        slope = float((p * (1 - p) * sizes).sum()) / trials
        variance = share * (1 - share) / (prior_n + trials + 1) / slope**2
        sd = math.sqrt(prior * (1 - prior) * (1 / (prior_n + 1) + 1 / trials))
        level = _Level(
            _logit_shift(eta, sizes, bare),
            _logit_shift(eta, sizes, share),
            variance,
            weight,
            (hits / trials - prior) / sd,
        )
        return level, math.nan, math.nan
    mu = np.exp(eta)
    if model.family == "gamma":
        ratio, shape = float(np.mean(y / mu)), model.parameters["shape"]
        weight = n / (n + prior_n)
        now = 1 + weight * (ratio - 1)
        sd = math.sqrt((1 / prior_n + 1 / n) / shape)
        return (
            _Level(math.log(ratio), math.log(now), 1 / (shape * (n + prior_n)), weight, (ratio - 1) / sd),
            math.nan,
            math.nan,
        )
    # counts: information of the group is its predicted count over the dispersion
    spread = 1.0
    if model.family == "negative_binomial":
        spread = float(np.sum(mu + mu**2 / model.parameters["shape"]) / mu.sum())
    information, hits = float(mu.sum()) / spread, float(y.sum()) / spread
    prior = prior_n * float(mu.mean()) / spread
    weight = information / (information + prior)
    now = (prior + hits) / (prior + information)
    bare = max(hits, 0.5 / spread) / information
    sd = math.sqrt(1 / prior + 1 / information)
    return (
        _Level(math.log(bare), math.log(now), 1 / (prior + hits), weight, (hits / information - 1) / sd),
        math.nan,
        math.nan,
    )


def _logit_shift(eta: Floats, sizes: Floats, share: float) -> float:
    """Shift on the log odds that gives the items this mean share, by bisection."""
    low, high = -40.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        reached = float((special.expit(eta + middle) * sizes).sum() / sizes.sum())
        low, high = (middle, high) if reached < share else (low, middle)
    return (low + high) / 2


def _errors(model: Model, eta: Floats, y: Floats, sizes: Floats, prior_n: float) -> tuple[float, float]:
    """Mean absolute error of typical values, before and (leaving each item out in turn) after."""
    n = len(y)

    def typical(at: Floats) -> Floats:
        if model.link == "logit":
            return np.asarray(special.expit(at))
        return np.asarray(np.exp(at) if model.logged or model.link == "log" else at)

    before = float(np.mean(np.abs(typical(eta) - y)))
    if n < 2:
        return before, math.nan
    chosen = np.arange(n) if n <= 500 else np.linspace(0, n - 1, 500).astype(int)
    after = []
    for k in chosen.tolist():
        others = np.arange(n) != k
        shift = _level(model, eta[others], y[others], sizes[others], prior_n)[0].shift
        after.append(abs(float(typical(eta[k : k + 1] + shift)[0]) - y[k]))
    return before, float(np.mean(after))


def _calibrated_model(
    model: Model, place: int, level: _Level, sigma: float, group: str, n: int, prior_n: float
) -> Model:
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
        sigma=sigma if model.family == "gaussian" else model.sigma,
        method=Method(model.method.name, parameters, model.method.references),
        verdict=f"Calibrated to {said}. {model.verdict}",
    )


def _doubts(
    model: Model, outside: NDArray[np.bool_], n: int, level: _Level, left_out: int
) -> tuple[Caveat, ...]:
    doubts = []
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
            f"{count(left_out, 'local item')} left out: a value is missing, or a level unknown to the model."
        )
        doubts.append(Caveat("items-left-out", text, {"items": left_out}))
    return tuple(doubts)


def _verdict(
    model: Model,
    group: str,
    n: int,
    level: _Level,
    numbers: list[float],
    ratio: bool,
    before: float,
    after: float,
) -> str:
    unit = model.measure.unit
    what = "odds" if model.link == "logit" else model.measure.name
    if ratio:
        local, own = numbers[0], numbers[1]
        said = f"{number(local)} times the {what} the model expects by its own data, {number(own)} times"
    else:
        ends = number(numbers[0], unit), number(numbers[1], unit)
        said = f"{ends[0]} from what the model expects by its own data, {ends[1]}"
    text = (
        f"{group} shows {said} after shrinkage: its {count(n, 'item')} count for "
        f"{percent(level.weight)}, the "
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
