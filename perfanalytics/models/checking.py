"""Checks of a model, each with a plain verdict: fine, look, or serious.

A verdict needs both: that a test finds something (p below 1%) and that it is large enough to matter. With
thousands of rows everything is significant, with twenty nothing is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.models.tabulating import Check
from perfanalytics.models.wording import varying

Floats = NDArray[np.float64]

#: A check that finds less than this p-value raises a doubt.
LEVEL = 0.01
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Influence:
    """Rows by how much they move the model: Cook's distance and DFBETAS of shape (n, p)."""

    cook: Floats
    dfbetas: Floats


def influence_of(
    x: Floats, residuals: Floats, leverage: Floats, inverse: Floats, variance: float
) -> Influence:
    """Cook's distance and DFBETAS from weighted rows and residuals.

    References
    ----------
    Cook (1977), Technometrics 19; Belsley, Kuh and Welsch (1980), Regression Diagnostics, eq. 2.7.
    """
    n, p = x.shape
    if variance <= 0:
        return Influence(np.zeros(n), np.zeros((n, p)))
    rest = np.maximum(1 - leverage, 1e-12)
    cook = residuals**2 / (p * variance) * leverage / rest**2
    without = np.maximum((n - p) * variance - residuals**2 / rest, 0.0) / max(n - p - 1, 1)
    change = (x @ inverse) * (residuals / rest)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = change / np.sqrt(np.outer(without, np.diag(inverse)))
    return Influence(np.asarray(cook), np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0))


def influence_check(found: Influence, rows: list[str], names: tuple[str, ...]) -> Check:
    """Rows that would change the model if they were left out."""
    worst = int(np.argmax(found.cook))
    size = float(found.cook[worst])
    verdict = "serious" if size > 1 else "look" if size > 0.5 else "fine"
    if verdict == "fine":
        return Check(
            "influence", size, NAN, verdict, f"No row moves the model much (Cook at most {size:.2g})."
        )
    far = np.flatnonzero(found.cook > 0.5)
    far = far[np.argsort(-found.cook[far], kind="stable")]
    told = []
    for k in far[:5].tolist():
        term = int(np.argmax(np.abs(found.dfbetas[k])))
        told.append(f"{rows[k]} ({names[term]} by {found.dfbetas[k, term]:+.1f} standard errors)")
    text = f"{count(len(far), 'row')} would change the model much if left out: {', '.join(told)}"
    return Check("influence", size, NAN, verdict, text + (" ..." if len(far) > 5 else "") + ".")


def influence_rows(found: Influence, most: int = 20) -> Floats:
    """The rows that move the model most: position, Cook, term moved most, its DFBETAS."""
    order = np.argsort(-found.cook, kind="stable")[:most]
    term = np.argmax(np.abs(found.dfbetas[order]), axis=1)
    return np.column_stack([order, found.cook[order], term, found.dfbetas[order, term]]).astype(np.float64)


def linearity_check(statistic: float, p_value: float, gained: float, how: str) -> Check:
    """Whether powers of the prediction explain what the terms left over; ``gained``: share of it."""
    if math.isnan(p_value):
        return Check("linearity", NAN, NAN, "fine", "Nothing to bend: no number is among the terms.")
    if p_value >= LEVEL:
        return Check("linearity", statistic, p_value, "fine", f"No bend that the terms miss ({how}).")
    verdict = "serious" if gained > 0.05 else "look"
    text = (
        f"Something bends that the terms do not ({how}, p = {p_value:.2g}); powers of the prediction explain "
        f"{percent(gained)} of what is left: try log(), a square, or an interaction."
    )
    return Check("linearity", statistic, p_value, verdict, text)


def variance_check(
    statistic: float, p_value: float, fitted: Floats, residuals: Floats, logged: bool
) -> Check:
    """Whether residuals vary alike everywhere; told by the upper and the lower third of predictions."""
    if math.isnan(p_value):
        return Check("variance", NAN, NAN, "fine", "Not to be judged.")
    third = max(len(fitted) // 3, 1)
    order = np.argsort(fitted, kind="stable")
    low, high = (float(np.sqrt(np.mean(residuals[part] ** 2))) for part in (order[:third], order[-third:]))
    ratio = high / low if low > 0 else math.inf
    if p_value >= LEVEL:
        return Check(
            "variance", statistic, p_value, "fine", "Residuals vary alike everywhere (Breusch-Pagan)."
        )
    much = max(ratio, 1 / ratio if ratio > 0 else math.inf)
    remedy = "" if logged else " A logarithmic response often helps."
    text = (
        f"Residuals in the upper third of predictions vary {varying(ratio)} those in the lower third "
        f"(Breusch-Pagan p = {p_value:.2g}): intervals for items are too narrow where they vary more. "
        f"errors='robust' mends the tests, not these intervals.{remedy}"
    )
    return Check("variance", statistic, p_value, "serious" if much > 2 else "look", text)


def normality_check(z: Floats, what: str) -> Check:
    """Skewness and tails of standardized residuals, together (Jarque and Bera 1987)."""
    n = len(z)
    centered = z - z.mean()
    spread = float(np.mean(centered**2))
    if n < 8 or spread == 0:
        return Check("normality", NAN, NAN, "fine", "Too few rows to judge the shape of the residuals.")
    skew = float(np.mean(centered**3)) / spread**1.5
    tails = float(np.mean(centered**4)) / spread**2 - 3
    statistic = n / 6 * (skew**2 + tails**2 / 4)
    p_value = float(special.chdtrc(2, statistic))
    if p_value >= LEVEL or (abs(skew) < 0.5 and abs(tails) < 1):
        text = f"Shape of the residuals as {what} has it, near enough for intervals of items."
        return Check("normality", statistic, p_value, "fine", text)
    verdict = "serious" if abs(skew) > 1 or tails > 3 else "look"
    text = (
        f"Residuals are {'skewed' if abs(skew) >= 0.5 else 'not skewed'} ({skew:.1f}) with "
        f"{'heavier' if tails > 0 else 'lighter'} tails than {what} has (excess kurtosis {tails:.1f}): "
        "intervals of the mean hardly suffer, intervals and probabilities of single items do."
    )
    return Check("normality", statistic, p_value, verdict, text)


def durbin_watson(x: Floats, residuals: Floats) -> tuple[float, float]:
    """Durbin-Watson statistic of rows in their order, and the p-value of positive autocorrelation.

    The p-value is normal, with the exact mean and variance of the statistic for these rows.

    References
    ----------
    Durbin and Watson (1950), Biometrika 37, section 4 (moments).
    """
    n, p = x.shape
    total = float(residuals @ residuals)
    if total == 0 or n - p < 3:
        return NAN, NAN
    statistic = float(np.sum(np.diff(residuals) ** 2)) / total
    q = np.linalg.qr(x / np.where((s := np.sqrt(np.sum(x**2, axis=0))) > 0, s, 1.0))[0]
    aq = 2 * q
    aq[0] -= q[0]
    aq[-1] -= q[-1]
    aq[:-1] -= q[1:]
    aq[1:] -= q[:-1]
    inner = q.T @ aq
    # traces of M A and (M A)^2, where A has 2 (n - 1) on its diagonal in all and 6 n - 8 in its square
    first = 2.0 * (n - 1) - float(np.trace(inner))
    second = (6.0 * n - 8) - 2 * float(np.sum(aq * aq)) + float(np.sum(inner * inner.T))
    mean = first / (n - p)
    variance = 2 / ((n - p) * (n - p + 2)) * (second - first * mean)
    return statistic, float(special.ndtr((statistic - mean) / math.sqrt(variance)))


def ljung_box(z: Floats, lags: int) -> tuple[float, float]:
    """Ljung-Box statistic and p-value of residuals in their order.

    References
    ----------
    Ljung and Box (1978), Biometrika 65, eq. 1.
    """
    n, centered = len(z), z - z.mean()
    total = float(centered @ centered)
    if total == 0 or lags < 1:
        return NAN, NAN
    r = np.array([float(centered[k:] @ centered[:-k]) / total for k in range(1, lags + 1)])
    statistic = n * (n + 2) * float(np.sum(r**2 / (n - np.arange(1, lags + 1))))
    return statistic, float(special.chdtrc(lags, statistic))


def independence_checks(
    x: Floats, residuals: Floats, order: NDArray[np.int64] | None, errors: str
) -> tuple[list[Check], float]:
    """Durbin-Watson and Ljung-Box, with one conclusion of both; the lag-1 correlation of residuals.

    Two tests look at the same question: what is said rests on the smaller of their p-values, doubled
    (Bonferroni), so that the chance of a false doubt is that of one test.
    """
    if order is None:
        text = "Not judged: without time= nothing is known of the order of the rows."
        return [Check("independence in time", NAN, NAN, "look", text)], NAN
    e, n = residuals[order], len(residuals)
    lag1 = float(lag1_autocorrelation(e, np.array([0, n]))[0])
    lags = max(min(10, n // 5), 1)
    found = (durbin_watson(x[order], e), ljung_box(e, lags))
    p_values = [p for _, p in found if not math.isnan(p)]
    both = min(len(p_values) * min(p_values), 1.0) if p_values else NAN
    names = "independence in time: Durbin-Watson", f"independence in time: Ljung-Box, {lags} lags"
    if not both < LEVEL:
        said = f" (both tests in time together: p = {both:.2g})." if p_values else ": nothing is left over."
        texts = tuple(
            f"No sure sign that {what}{said}"
            for what in ("neighbours in time are alike", f"rows up to {lags} apart in time go together")
        )
        return [Check(m, *f, "fine", t) for m, f, t in zip(names, found, texts, strict=True)], lag1
    text = _time_words(e, lag1, lags, both)
    if errors != "hac":
        text += " errors='hac' mends the tests, not the cause."
    verdict = "serious" if abs(lag1) > 0.3 else "look"
    return [Check(m, *f, verdict, text) for m, f in zip(names, found, strict=True)], lag1


def _time_words(e: Floats, lag1: float, lags: int, p_value: float) -> str:
    """What goes together in time: neighbours, neighbours that alternate, or rows farther apart."""
    n, tests = len(e), f"both tests in time together: p = {p_value:.2g}"
    cause = "something that changes with time is missing"
    if lag1 > 2 / math.sqrt(n):
        return (
            f"Residuals of neighbours in time are alike (lag-1 correlation {lag1:.2f}; {tests}): standard "
            f"errors are too small, and {cause}."
        )
    if lag1 < -2 / math.sqrt(n):
        return (
            f"Residuals of neighbours in time alternate (lag-1 correlation {lag1:.2f}; {tests}): standard "
            f"errors are off, and {cause}."
        )
    z = e - e.mean()
    r = [float(z[k:] @ z[:-k]) / float(z @ z) for k in range(1, lags + 1)]
    far = int(np.argmax(np.abs(r)))
    return (
        f"Residuals {count(far + 1, 'row')} apart in time go together (correlation {r[far]:.2f}; {tests}): "
        f"standard errors are off, and {cause}."
    )


def in_time(timed: list[Check]) -> Check | None:
    """The check that found something in time, if one did."""
    return next((c for c in timed if c.verdict != "fine" and not math.isnan(c.p_value)), None)


def collinearity_check(vif: dict[str, float]) -> Check:
    """Whether terms say the same."""
    if not vif:
        return Check("collinearity", NAN, NAN, "fine", "One term: nothing to share.")
    worst = max(vif, key=lambda k: vif[k])
    size = vif[worst]
    if size <= 10:
        return Check(
            "collinearity", size, NAN, "fine", f"Terms say different things (VIF at most {size:.2g})."
        )
    text = (
        f"{worst} says nearly the same as the other terms (variance inflation {number(size)}): their "
        "separate effects cannot be told apart; predictions inside the data are not harmed."
    )
    return Check("collinearity", size, NAN, "serious" if size > 100 else "look", text)


def dispersion_check(pearson: float, df: float, family: str) -> Check:
    """Whether counts vary more than their law lets them."""
    ratio = pearson / df
    p_value = float(special.chdtrc(df, pearson))
    if p_value >= LEVEL:
        low = float(special.chdtr(df, pearson))
        if low < LEVEL and ratio < 0.8:
            text = f"Items vary {varying(ratio)} the law expects: intervals are too wide."
            return Check("overdispersion", ratio, p_value, "look", text)
        text = f"Items vary as the law expects (their variance is {percent(ratio)} of its)."
        return Check("overdispersion", ratio, p_value, "fine", text)
    remedy = {
        "poisson": "use family='negative_binomial'",
        "binomial": "items of one row are alike, or a factor is missing; errors='robust' mends the tests",
    }.get(family, "a factor is missing, or the law is another one")
    text = f"Items vary {varying(ratio)} the law lets them: intervals are too narrow; {remedy}."
    return Check("overdispersion", ratio, p_value, "serious" if ratio > 1.5 else "look", text)


def extrapolation_check(leverage: Floats, p: int) -> Check:
    """How lonely the farthest row is."""
    ratio = float(leverage.max()) / (p / len(leverage))
    text = "New rows outside the data, or farther from them than every row here, are marked in predictions"
    if leverage.max() > 0.9 and ratio > 3:
        text = (
            f"At least one row alone decides about a term (leverage {leverage.max():.2f}): what is said of "
            "such items rests on it. " + text
        )
        return Check("extrapolation", float(leverage.max()), NAN, "look", text + ".")
    return Check("extrapolation", float(leverage.max()), NAN, "fine", text + ".")


def influence_table(model: Any) -> Any:
    """See :meth:`perfanalytics.models.result.Model.influence`."""
    import pandas as pd

    found = model.arrays.get("influence", np.zeros((0, 4)))
    labels = model.arrays.get("influence_labels", np.zeros(0, dtype=object))
    return pd.DataFrame(
        {
            "row": labels,
            "cook": found[:, 1],
            "term": [str(model.terms[int(k)]) for k in found[:, 2]],
            "dfbetas": found[:, 3],
        }
    )
