"""portfolio(proposals, budget=): which improvements to choose, and how sure the choice is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.improvement_records import Proposal
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.models.cost_benefit import CostBenefit
from perfanalytics.models.factor_values import quantiles_of
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.practices.opm.benefit_result import LEVELS, PredictedBenefit
from perfanalytics.practices.opm.improvement_terms import text_array
from perfanalytics.practices.opm.portfolio_program import Pairs, Program, rules_of
from perfanalytics.practices.opm.portfolio_result import Portfolio

#: The best portfolio is looked for with every sum of costs as budget, or with so many even ones where there
#: are more than MOST_STEPS sums.
BUDGETS = 48
MOST_STEPS = 64
#: A choice that is the best in less than this share of draws is called close.
CLOSE = 0.8


def portfolio(
    proposals: Sequence[Proposal],
    *,
    budget: float,
    values: Mapping[str, Any] | None = None,
    costs: Mapping[str, float] | None = None,
    must: Sequence[str] = (),
    excludes: Pairs = (),
    requires: Pairs = (),
    periods: int = 3,
    rate: float = 0.0,
    unit: str = "EUR",
    confidence: float = 0.9,
    draws: int = 400,
    seed: int = 1,
) -> Portfolio:
    """Choose improvement proposals under a budget.

    Parameters
    ----------
    proposals : sequence of Proposal
    budget : float
        What the chosen ones may cost together.
    values : mapping of proposal to net present value, optional
        A ``PredictedBenefit`` with costs, a ``CostBenefit``, a number, or ``(low, likely, high)``. A proposal
        without one is worth what it states: ``expected_benefit`` in each of ``periods``, discounted, less its
        cost; and that is said.
    costs : mapping of proposal to money, optional
        What counts against the budget; default the cost stated in the proposal.
    must : sequence of str
        Proposals that are chosen whatever they are worth.
    excludes : sequence of (a, b)
        Not both.
    requires : sequence of (a, b)
        a only together with b.
    periods : int
        Horizon of the values that are only stated.
    rate : float
        Discount rate of one period, for these.
    unit : str
    confidence : float
    draws : int
        How often the values are drawn, each time with a best choice of its own.
    seed : int

    Returns
    -------
    Portfolio

    Raises
    ------
    InputError, UnknownNameError
        For proposals without cost or value, names that are no proposal, and rules that no choice can keep
        within the budget.

    Notes
    -----
    The expected net present value is maximized by integer programming (scipy's ``milp``, HiGHS): one 0/1
    variable a proposal, costs at most the budget, ``x_a + x_b <= 1`` for ``excludes``, ``x_a <= x_b`` for
    ``requires``. For the draws, and for other budgets, every choice is looked at where there are at most 12
    proposals. Values of different proposals are drawn independently, which is stated, not known; how often
    a proposal belongs to the best choice says how much hangs on the uncertainty of its value. Equal optima
    are told apart by the lower cost.

    References
    ----------
    Martello and Toth (1990), Knapsack Problems. Brealey, Myers and Allen (2020), Principles of Corporate
    Finance, 13th ed., 5.4 (capital rationing). Raiffa and Schlaifer (1961) (expected value of perfect
    information).

    Examples
    --------
    >>> ideas = [Proposal(n, originator="A", outcome="o", cost=c, expected_benefit=b)
    ...          for n, c, b in (("x", 50, 30), ("y", 40, 25), ("z", 30, 20))]
    >>> made = portfolio(ideas, budget=80, draws=10)
    >>> made.proposal[made.chosen].tolist(), made.value_mean
    (['x', 'z'], 70.0)
    """
    names, cost, laws, basis, doubts = _values(proposals, values or {}, costs or {}, periods, rate)
    _check(names, budget, draws, confidence, must, [*excludes, *requires])
    rows, upper = rules_of(names, excludes, requires)
    fixed = np.array([n in must for n in names], dtype=float)
    rng = np.random.default_rng(seed)
    shares = [(rng.permutation(draws) + rng.uniform(size=draws)) / draws for _ in names]
    sample = np.array([_drawn(law, u, n) for n, law, u in zip(names, laws, shares, strict=True)])
    mean = np.array([_mean_of(law, s) for law, s in zip(laws, sample, strict=True)])
    program = Program(cost, rows, upper, fixed)
    x = program.best(mean, budget)
    if x is None:
        raise InputError(_impossible(names, cost, must, excludes, requires, budget))
    each = program.best_of_each(sample, budget)
    worth = x @ sample
    possible = np.einsum("dk,kd->d", each, sample)
    tail = (1 - confidence) / 2
    top = max(budget, float(cost.sum())) * 1.02
    budgets = np.unique(np.append(_steps(cost, top), budget))
    found: dict[str, Any] = {
        "spent": float(x @ cost),
        "value_mean": float(x @ mean),
        "value_low": float(np.quantile(worth, tail)),
        "value_high": float(np.quantile(worth, 1 - tail)),
        "probability_pays": float(np.mean(worth > 0)) if x.any() else 0.0,
        "share_same": float(np.mean((each == x).all(axis=1))),
        "regret": float(np.mean(possible - worth)),
    }
    chosen = x > 0.5
    uncertain = bool((sample.max(axis=1) > sample.min(axis=1)).any())
    digest = hashlib.blake2b(sample.tobytes() + cost.tobytes(), digest_size=16).hexdigest()
    return Portfolio(
        verdict=_verdict(found, names, chosen, cost, budget, unit, confidence, uncertain),
        caveats=(*doubts, *_doubts(found, names, chosen, mean, each)),
        method=Method(
            "portfolio",
            {
                "maximized": "expected net present value, scipy.optimize.milp (HiGHS)",
                "budget": float(budget),
                "must": tuple(must),
                "excludes": tuple(tuple(p) for p in excludes),
                "requires": tuple(tuple(p) for p in requires),
                "dependence": "independent",
                "periods": periods,
                "rate": float(rate),
                "draws": draws,
                "seed": seed,
                "confidence": confidence,
            },
            ("Martello and Toth (1990), Knapsack Problems",),
        ),
        provenance=Provenance("net_present_value", data_hash=digest, n=len(names)),
        budget=float(budget),
        unit=unit,
        proposal=text_array(names),
        cost=cost,
        npv_mean=mean,
        npv_low=np.quantile(sample, tail, axis=1),
        npv_high=np.quantile(sample, 1 - tail, axis=1),
        basis=text_array(basis),
        chosen=chosen,
        share_chosen=each.mean(axis=0),
        rule=text_array(_rule(n, must, excludes, requires) for n in names),
        budgets=budgets,
        best=program.best_values(mean, budgets),
        confidence=confidence,
        draws=draws,
        seed=seed,
        **found,
    )


def _steps(cost: Floats, top: float) -> Floats:
    """Budgets at which another choice becomes possible, or an even grid where there are too many of them."""
    sums = np.zeros(1)
    for c in cost.tolist():
        sums = np.unique(np.round(np.append(sums, sums + c), 9))
        if len(sums) > MOST_STEPS:
            return np.linspace(0.0, top, BUDGETS)
    return np.append(sums, top)


def _values(
    proposals: Sequence[Proposal],
    values: Mapping[str, Any],
    costs: Mapping[str, float],
    periods: int,
    rate: float,
) -> tuple[list[str], Floats, list[Any], list[str], list[Caveat]]:
    names = [p.name for p in proposals]
    if not names:
        raise InputError("there is nothing to choose from: give one proposal or more")
    if len(set(names)) < len(names):
        raise InputError("each proposal is given once")
    for given in (values, costs):
        for name in given:
            if name not in names:
                raise UnknownNameError("proposal", name, names)
    if isinstance(periods, bool) or not isinstance(periods, int) or periods < 1 or not rate > -1:
        raise InputError(
            f"periods= is a whole number of at least 1 and rate= above -1, got {periods} and {rate}"
        )
    cost, laws, basis, stated = [], [], [], []
    for p in proposals:
        own = costs.get(p.name, p.cost)
        if own is None or not (math.isfinite(own) and own >= 0):
            raise InputError(
                f"what {p.name!r} costs is not known: state its cost, or give costs={{{p.name!r}: ...}}"
            )
        cost.append(float(own))
        if p.name in values:
            law, rests = _law(p.name, values[p.name])
        elif p.expected_benefit is None:
            raise InputError(
                f"what {p.name!r} is worth is not known: state its expected benefit, or give "
                f"values={{{p.name!r}: ...}}"
            )
        else:
            law = p.expected_benefit * sum((1 + rate) ** -t for t in range(1, periods + 1)) - own
            rests = "stated"
            stated.append(p.name)
        laws.append(law)
        basis.append(rests)
    doubts = []
    if stated:
        text = (
            f"The value of {', '.join(map(repr, stated))} is only stated, a single number: its "
            f"uncertainty is unknown."
        )
        doubts.append(Caveat("value-only-stated", text, {"n": len(stated)}))
    return names, np.array(cost), laws, basis, doubts


def _law(name: str, given: Any) -> tuple[Any, str]:
    """The distribution of a net present value, and what it rests on."""
    if isinstance(given, PredictedBenefit):
        if given.money is None:
            raise InputError(f"the predicted benefit of {name!r} has no costs: predict it with investment=")
        return given.money, given.basis
    if isinstance(given, CostBenefit):
        return given, "cost-benefit analysis"
    if isinstance(given, tuple) and len(given) == 3:
        low, likely, high = (float(v) for v in given)
        if not low <= likely <= high:
            raise InputError(f"{name}: (low, likely, high) are three numbers in their order, got {given}")
        return (low if low == high else Distribution.pert(low=low, mode=likely, high=high)), "assumed"
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise InputError(
            f"the value of {name!r} is a predicted benefit, a cost-benefit analysis, a number or (low, "
            f"likely, high), got {given!r}"
        )
    return float(given), "assumed"


def _drawn(law: Any, share: Floats, name: str) -> Floats:
    """Values at these shares of a distribution."""
    if isinstance(law, CostBenefit):
        return np.interp(share, LEVELS, law.npv_quantiles)
    return quantiles_of(law, share, name)


def _mean_of(law: Any, sample: Floats) -> float:
    if isinstance(law, CostBenefit):
        return law.npv_mean
    return float(law) if isinstance(law, float) else float(sample.mean())


def _check(
    names: list[str], budget: float, draws: int, confidence: float, must: Sequence[str], pairs: Pairs
) -> None:
    if isinstance(must, str):
        raise InputError("must= is a list of proposals")
    for name in (*must, *(n for p in pairs for n in p)):
        if name not in names:
            raise UnknownNameError("proposal", name, names)
    if not (math.isfinite(budget) and budget >= 0):
        raise InputError(f"the budget is an amount of money, not negative, got {budget}")
    if draws < 2 or not 0 < confidence < 1:
        raise InputError("draws= is at least 2, confidence lies between 0 and 1")


def _rule(name: str, must: Sequence[str], excludes: Pairs, requires: Pairs) -> str:
    said = ["must"] if name in must else []
    said += [f"excludes {b if a == name else a}" for a, b in excludes if name in (a, b)]
    return ", ".join([*said, *(f"requires {b}" for a, b in requires if a == name)])


def _impossible(
    names: list[str], cost: Floats, must: Sequence[str], excludes: Pairs, requires: Pairs, budget: float
) -> str:
    needed = dict.fromkeys(must)
    for _ in names:  # what the needed ones require is needed too
        needed |= dict.fromkeys(b for a, b in requires if a in needed)
    for a, b in excludes:
        if a in needed and b in needed:
            return f"{a!r} and {b!r} exclude each other, and both must be chosen: drop one of the rules"
    total = sum(float(cost[names.index(n)]) for n in needed)
    if total > budget:
        which = ", ".join(n for n in names if n in needed)
        return f"what must be chosen ({which}) costs {total:g}, more than the budget of {budget:g}"
    return "no choice keeps all rules within the budget: look at must=, excludes= and requires= together"


def _doubts(
    found: Mapping[str, float], names: list[str], chosen: NDArray[np.bool_], mean: Floats, each: Floats
) -> list[Caveat]:
    out = []
    if found["share_same"] < CLOSE:
        text = (
            f"The choice hangs on uncertain values: it is the best in only {percent(found['share_same'])} "
            "of the draws."
        )
        out.append(Caveat("choice-uncertain", text, {"share_same": found["share_same"]}))
    losing = [n for n, c, m in zip(names, chosen, mean, strict=True) if c and m < 0]
    if losing:
        text = (
            f"Chosen although it costs more than it brings, because a rule asks for it: {', '.join(losing)}."
        )
        out.append(Caveat("chosen-at-a-loss", text, {"n": len(losing)}))
    share = each.mean(axis=0)
    near = [n for n, c, s in zip(names, chosen, share, strict=True) if not c and s > 1 - CLOSE]
    if near:
        text = f"Not chosen, but belongs to the best choice in more than 20% of the draws: {', '.join(near)}."
        out.append(Caveat("near-miss", text, {"n": len(near)}))
    return out


def _verdict(
    found: Mapping[str, float],
    names: list[str],
    chosen: NDArray[np.bool_],
    cost: Floats,
    budget: float,
    unit: str,
    confidence: float,
    uncertain: bool,
) -> str:
    if budget * (1 + 1e-12) < cost.min():
        return (
            f"The budget of {number(budget, unit)} is less than the cheapest proposal costs "
            f"({number(float(cost.min()), unit)}): none can be chosen."
        )
    if not chosen.any():
        return f"No choice within the budget of {number(budget, unit)} is expected to bring what it costs."
    which = ", ".join(f"'{n}'" for n, c in zip(names, chosen, strict=True) if c)
    text = (
        f"Choose {which}: {number(found['spent'], unit)} of the {number(budget, unit)} are spent on "
        f"{int(chosen.sum())} of {count(len(names), 'proposal')}, and the net present value is "
        f"{number(found['value_mean'], unit)}"
    )
    if found["value_low"] == found["value_high"]:
        text += ", if each brings exactly what was said."
    else:
        text += (
            f" on average ({percent(confidence)} interval {number(found['value_low'])} to "
            f"{number(found['value_high'], unit)})."
        )
    if not uncertain:
        return text
    return f"{text} The same choice is the best in {percent(found['share_same'])} of the draws."
