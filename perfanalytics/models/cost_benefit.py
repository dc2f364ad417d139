"""cost_benefit(...) -> CostBenefit: does an improvement pay, how soon, and how sure is that?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.factor_values import quantiles_of
from perfanalytics.models.simulation.distribution import Distribution

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Shares of runs that are kept of the cash flow.
LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
#: Values from which on they can stand for a distribution.
FEWEST_VALUES = 10
#: Roles of an amount, and how its sign enters.
ROLES = {"investment": -1.0, "running cost": -1.0, "benefit": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CostBenefit(Result):
    """Net present value of an improvement, with its uncertainty.

    Attributes
    ----------
    unit : str
        Of money.
    period : str
        "month", "quarter", "year" ...
    periods : int
        Horizon.
    rate : float
        Discount rate of one period.
    npv_mean, npv_low, npv_median, npv_high : float
        Net present value: mean, interval with ``confidence``, median.
    probability_pays : float
        Of a net present value above 0.
    mean_error : float
        Simulation standard error of ``npv_mean``.
    payback_median, payback_high : float
        Periods until the discounted cash flow has paid back the investment: median, and what a share of 90%
        of runs does not exceed; infinite where it does not within the horizon.
    probability_payback : float
        Of paying back within the horizon.
    benefit_cost_ratio : float
        Mean discounted benefits over mean discounted costs.
    amount, role : text arrays, shape (a,)
        Names, and "investment", "running cost" or "benefit".
    low_at, high_at : float arrays, shape (a,)
        P10 and P90 of the amount.
    npv_at_low, npv_at_high : float arrays, shape (a,)
        Net present value there, the others at their means; amounts in order of their swing.
    levels, cumulative : float arrays, shapes (5,), (5, periods + 1)
        Quantiles of the discounted cumulative cash flow at the end of each period.
    npv_quantiles : float array, shape (101,)
        Of the net present value, at 0%, 1% ... 100%.
    confidence : float
    runs, seed : int
    """

    kind: ClassVar[str] = "cost_benefit"

    unit: str
    period: str
    periods: int
    rate: float
    npv_mean: float
    npv_low: float
    npv_median: float
    npv_high: float
    probability_pays: float
    mean_error: float
    payback_median: float
    payback_high: float
    probability_payback: float
    benefit_cost_ratio: float
    amount: NDArray[Any]
    role: NDArray[Any]
    low_at: Floats
    high_at: Floats
    npv_at_low: Floats
    npv_at_high: Floats
    levels: Floats
    cumulative: Floats
    npv_quantiles: Floats
    confidence: float
    runs: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row per amount, the one that moves the result most first: amount, role, low_at, high_at,
        npv_at_low, npv_at_high, swing, unit."""
        import pandas as pd

        names = ("amount", "role", "low_at", "high_at", "npv_at_low", "npv_at_high")
        swing = np.abs(self.npv_at_high - self.npv_at_low)
        return pd.DataFrame({n: getattr(self, n) for n in names} | {"swing": swing, "unit": self.unit})

    def summary(self) -> pd.DataFrame:
        """One row: unit, period, periods, rate, npv_mean, npv_low, npv_median, npv_high, probability_pays,
        payback_median, payback_high, probability_payback, benefit_cost_ratio, runs, caveats, verdict."""
        import pandas as pd

        names = ("unit", "period", "periods", "rate", "npv_mean", "npv_low", "npv_median", "npv_high")
        more = ("probability_pays", "payback_median", "payback_high", "probability_payback")
        row = {n: getattr(self, n) for n in (*names, *more, "benefit_cost_ratio", "runs")}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])


def cost_benefit(
    *,
    investment: Mapping[str, Any],
    benefits: Mapping[str, Any],
    running_costs: Mapping[str, Any] | None = None,
    periods: int,
    rate: float = 0.0,
    starts: int = 1,
    ramp: int = 0,
    period: str = "year",
    unit: str = "EUR",
    confidence: float = 0.9,
    runs: int = 20_000,
    seed: int = 1,
) -> CostBenefit:
    """Net present value and payback of an improvement.

    Parameters
    ----------
    investment : mapping of name to amount
        Spent once, now. An amount is a number; ``(low, likely, high)``, a PERT distribution; a
        ``perf.Distribution``; a baseline, a fitted distribution or values (draws of a model).
    benefits, running_costs : mapping of name to amount
        In each period.
    periods : int
        Horizon, from 1 on.
    rate : float
        Discount rate of one period (0.08 a year; of a month about 0.08 / 12), above -1.
    starts : int
        Period at the end of which the first benefit comes, from 1 on. Running costs begin in period 1.
    ramp : int
        Periods over which benefits grow evenly to their full amount.
    period, unit : str
        What a period and an amount is called.
    confidence : float
    runs, seed : int

    Returns
    -------
    CostBenefit

    Raises
    ------
    InputError
        Without investment or benefits, for a horizon that ends before the first benefit, an amount that is
        none, or names used twice.

    Notes
    -----
    Amounts are drawn once a run (a benefit that is overestimated is so in every period), independently of
    each other: a stated assumption. Each amount's draws are spread evenly over its distribution (Latin
    hypercube). What a benefit is worth in money is not for this function to say.

    References
    ----------
    Brealey, Myers and Allen (2020), Principles of Corporate Finance, 13th ed., chapters 2, 5 and 10. Malcolm,
    Roseboom, Clark and Fazar (1959), Operations Research 7, 646-669 (PERT).

    Examples
    --------
    >>> made = cost_benefit(investment={"tool": 100}, benefits={"hours saved": 60}, periods=2, rate=0.1)
    >>> round(made.npv_mean, 4), made.payback_median                       # 60/1.1 + 60/1.21 - 100
    (4.1322, 2.0)
    """
    groups = {"investment": investment, "running cost": running_costs or {}, "benefit": benefits}
    _check(groups, periods, rate, starts, ramp, confidence, runs)
    rng = np.random.default_rng(seed)
    names, roles, draws, low_high = [], [], [], []
    for role, amounts in groups.items():
        for name, given in amounts.items():
            source = _source(name, given)
            share = (rng.permutation(runs) + rng.uniform(size=runs)) / runs
            names.append(str(name))
            roles.append(role)
            draws.append(quantiles_of(source, share, f"{role} {name!r}"))
            low_high.append(quantiles_of(source, np.array([0.1, 0.9]), str(name)))
    amount = np.array(draws)
    flows = _factors(roles, periods, starts, ramp)
    discount = (1 + rate) ** -np.arange(periods + 1.0)
    worth = flows @ discount
    npv = worth @ amount
    cumulative = np.cumsum(np.einsum("ar,at->rt", amount, flows * discount), axis=1)
    payback = _payback(cumulative)
    means = amount.mean(axis=1)
    base = float(worth @ means)
    ends = np.array(low_high)
    at = [base + worth * (ends[:, k] - means) for k in (0, 1)]
    order = np.argsort(-np.abs(at[1] - at[0]), kind="stable")
    tail = (1 - confidence) / 2
    pays = float(np.mean(npv > 0))
    own = np.array([r == "benefit" for r in roles])
    costs = -float((worth * means)[~own].sum())
    result = {
        "npv_mean": float(npv.mean()),
        "npv_low": float(np.quantile(npv, tail)),
        "npv_median": float(np.median(npv)),
        "npv_high": float(np.quantile(npv, 1 - tail)),
        "probability_pays": pays,
        "mean_error": float(npv.std(ddof=1) / math.sqrt(runs)),
        "payback_median": float(np.quantile(payback, 0.5, method="inverted_cdf")),
        "payback_high": float(np.quantile(payback, 0.9, method="inverted_cdf")),
        "probability_payback": float(np.mean(np.isfinite(payback))),
        "benefit_cost_ratio": float((worth * means)[own].sum()) / costs if costs else math.inf,
    }
    name_of = np.array(names, dtype=object)[order]
    swing = float(np.abs(at[1] - at[0]).max())
    doubts = []
    if not swing:
        text = "Every amount is a single number: how sure the result is cannot be said."
        doubts.append(Caveat("no-uncertainty", text, {"amounts": len(names)}))
    digest = hashlib.blake2b(amount.tobytes(), digest_size=16).hexdigest()
    return CostBenefit(
        unit=unit,
        period=period,
        periods=periods,
        rate=float(rate),
        amount=read_only(name_of),
        role=read_only(np.array(roles, dtype=object)[order]),
        low_at=read_only(ends[order, 0]),
        high_at=read_only(ends[order, 1]),
        npv_at_low=read_only(at[0][order]),
        npv_at_high=read_only(at[1][order]),
        levels=read_only(LEVELS),
        cumulative=read_only(np.quantile(cumulative, LEVELS, axis=0)),
        npv_quantiles=read_only(np.quantile(npv, np.linspace(0, 1, 101))),
        confidence=confidence,
        runs=runs,
        seed=seed,
        verdict=_verdict(result, str(name_of[0]), swing, unit, period, periods, confidence),
        caveats=tuple(doubts),
        method=Method(
            "cost_benefit",
            {
                "periods": periods,
                "rate": float(rate),
                "starts": starts,
                "ramp": ramp,
                "amounts": {str(n): repr(_source(n, g[n])) for g in groups.values() for n in g},
                "dependence": "independent",
                "runs": runs,
                "seed": seed,
                "confidence": confidence,
            },
            ("Brealey, Myers and Allen (2020), Principles of Corporate Finance, chapters 2, 5, 10",),
        ),
        provenance=Provenance("net_present_value", data_hash=digest, n=runs),
        **result,
    )


def _check(
    groups: Mapping[str, Mapping[str, Any]],
    periods: int,
    rate: float,
    starts: int,
    ramp: int,
    confidence: float,
    runs: int,
) -> None:
    for role in ("investment", "benefit"):
        if not groups[role]:
            raise InputError(f"cost_benefit needs at least one {role}: {{'name': amount}}")
    every = [str(n) for g in groups.values() for n in g]
    twice = [n for n in dict.fromkeys(every) if every.count(n) > 1]
    if twice:
        raise InputError(f"{twice[0]!r} names two amounts: give each a name of its own")
    whole = (periods, starts, ramp, runs)
    if any(isinstance(v, bool) or not isinstance(v, int | np.integer) for v in whole):
        raise InputError(f"periods, starts, ramp and runs are whole numbers, got {whole}")
    if periods < 1 or not 1 <= starts <= periods or ramp < 0:
        raise InputError(
            f"periods= is at least 1, starts= lies within it and ramp= is not negative, got "
            f"periods={periods}, "
            f"starts={starts}, ramp={ramp}"
        )
    if not (math.isfinite(rate) and rate > -1):
        raise InputError(f"rate= is the discount rate of one period (0.08 for 8%), above -1, got {rate}")
    if not 0 < confidence < 1 or runs < 100:
        raise InputError("confidence lies between 0 and 1, runs= is at least 100")


def _source(name: str, given: Any) -> Any:
    """Three numbers are low, likely and high of a PERT distribution."""
    if isinstance(given, tuple) and len(given) == 3:
        low, likely, high = (float(v) for v in given)
        if low == high:
            return low
        return Distribution.pert(low=low, mode=likely, high=high)
    if isinstance(given, bool) or (isinstance(given, int | float) and not math.isfinite(given)):
        raise InputError(f"the amount of {name!r} is a finite number, got {given}")
    if isinstance(given, int | float) and given < 0:
        raise InputError(
            f"the amount of {name!r} is negative: the sign comes with its role, so what saves money is a "
            f"benefit and what costs is an investment or a running cost; got {given:g}"
        )
    if isinstance(given, list | tuple | np.ndarray):
        values = np.asarray(given, dtype=np.float64)
        if not np.isfinite(values).all():
            raise InputError(f"the values of {name!r} are finite")
        if len(values) < FEWEST_VALUES:
            raise InputError(
                f"{name!r}: {count(len(values), 'value')} do not make a distribution; low, likely and high "
                "are a tuple of three, (80, 100, 150)"
            )
    return given


def _factors(roles: list[str], periods: int, starts: int, ramp: int) -> Floats:
    """What share of each amount flows in each period, with its sign, shape (a, periods + 1)."""
    out = np.zeros((len(roles), periods + 1))
    t = np.arange(periods + 1.0)
    grown = np.clip((t - starts + 1) / (ramp + 1), 0.0, 1.0)
    for k, role in enumerate(roles):
        if role == "investment":
            out[k, 0] = ROLES[role]
        elif role == "running cost":
            out[k, 1:] = ROLES[role]
        else:
            out[k] = ROLES[role] * grown
            out[k, 0] = 0.0
    return out


def _payback(cumulative: Floats) -> Floats:
    """End of the first period from which on the cumulative flow stays at 0 or above; infinite if never."""
    paid = cumulative >= -1e-9 * np.abs(cumulative).max(axis=1, keepdims=True)
    stays = np.flip(np.logical_and.accumulate(np.flip(paid, axis=1), axis=1), axis=1)
    return np.where(stays.any(axis=1), stays.argmax(axis=1).astype(float), np.inf)


def _verdict(
    found: Mapping[str, float],
    top: str,
    swing: float,
    unit: str,
    period: str,
    periods: int,
    confidence: float,
) -> str:
    text = (
        f"The net present value over {count(periods, period)} is {number(found['npv_mean'], unit)} on "
        f"average ({percent(confidence)} interval {number(found['npv_low'])} to "
        f"{number(found['npv_high'], unit)}); it pays "
        f"with a probability of {percent(found['probability_pays'])}."
    )
    median = found["payback_median"]
    if math.isfinite(median):
        text += f" The investment is typically paid back by the end of {period} {median:.0f}."
    else:
        text += f" Typically the investment is not paid back within {count(periods, period)}."
    return text + (f" It hangs most on '{top}'." if swing else "")
