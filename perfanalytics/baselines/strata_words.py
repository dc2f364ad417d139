"""Split or pool, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.doubts import FEW
from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.result import Caveat

#: From this share of the variation of time between the strata on, they follow each other in time.
_FOLLOWS_TIME = 0.5


@dataclass(frozen=True, slots=True)
class Proposals:
    """For each attribute "split", "pool" or "undecided" with the reason, and the attributes to split by."""

    proposal: NDArray[Any]
    reason: NDArray[Any]
    proposed: tuple[str, ...]


def propose(
    table: Mapping[str, Any], order: Sequence[int], *, confidence: float, minimum_share: float
) -> Proposals:
    """Split where an attribute separates enough, pool where it is seen that it does not, else undecided."""
    alpha = 1 - confidence
    a = len(order)
    proposal, reason = np.empty(a, dtype=object), np.empty(a, dtype=object)
    proposed: list[str] = []
    for i in order:
        name = str(table["attribute"][i])
        share = float(table["epsilon_squared"][i])
        both = float(np.fmax(table["p_anova_holm"][i], table["p_kruskal_holm"][i]))
        separates = both <= alpha and not np.isnan(table["p_anova_holm"][i])
        enough = f"less than the {percent(minimum_share)} that a split is worth"
        if np.isnan(share):
            proposal[i], reason[i] = "undecided", "the values do not vary: nothing can be separated"
        elif not separates and float(table["share_high"][i]) >= minimum_share:
            proposal[i] = "undecided"
            reason[i] = (
                f"no difference shown ({_p(both)}), but up to {percent(float(table['share_high'][i]))} of "
                "the variation could lie between the groups"
            )
        elif not separates:
            proposal[i] = "pool"
            reason[i] = (
                f"no difference shown ({_p(both)}), and at most {percent(float(table['share_high'][i]))} of "
                f"the variation lies between the groups, {enough}"
            )
        elif share < minimum_share:
            proposal[i] = "pool"
            reason[i] = (
                f"the groups differ ({_p(both)}), but that is {percent(share)} of the variation, {enough}"
            )
        elif proposed and not _adds(table, i, alpha, minimum_share):
            proposal[i] = "pool"
            reason[i] = (
                f"separates {percent(share)} of the variation by itself, but within the groups of "
                f"{proposed[0]} only {percent(float(table['added_share'][i]))}"
            )
        else:
            proposal[i] = "split"
            reason[i] = f"separates {percent(share)} of the variation ({_p(both)})"
            if proposed:
                added = percent(float(table["added_share"][i]))
                reason[i] += f", and {added} of what is left within the groups of {proposed[0]}"
            proposed.append(name)
    return Proposals(proposal, reason, tuple(proposed))


def _adds(table: Mapping[str, Any], i: int, alpha: float, minimum_share: float) -> bool:
    return bool(table["added_share"][i] >= minimum_share and table["p_added_holm"][i] <= alpha)


def verdict_of(
    name: str,
    table: Mapping[str, Any],
    order: Sequence[int],
    found: Proposals,
    *,
    confidence: float,
    unit: str,
) -> str:
    """One or two sentences: split by what, or pool."""
    of = f"the variation of {f'the {unit} of ' if unit else ''}{name}"
    if np.isnan(np.asarray(table["epsilon_squared"], dtype=float)).all():
        return f"All values of {name} are equal: there is nothing to split by."
    if found.proposed:
        shares = {str(table["attribute"][i]): float(table["epsilon_squared"][i]) for i in order}
        told = _list(
            [f"{a} ({percent(shares[a])} of {of})" if k == 0 else a for k, a in enumerate(found.proposed)]
        )
        text = f"A split by {told} is proposed: pooled, one baseline would mix different processes."
    else:
        top = order[0]
        share = percent(float(table["epsilon_squared"][top]))
        if (found.proposal == "undecided").any():
            open_ones = _list([str(table["attribute"][i]) for i in order if found.proposal[i] == "undecided"])
            text = (
                f"No split is proposed yet: no attribute is shown to separate enough of {of}, but for "
                f"{open_ones} the data cannot rule it out."
            )
        else:
            text = (
                f"Pooling is proposed: none of the {count(len(order), 'attribute')} separates enough of {of} "
                f"({table['attribute'][top]}, the strongest, {share})."
            )
        return text
    pooled = [str(table["attribute"][i]) for i in order if found.proposal[i] == "pool"]
    if pooled:
        text += f" {_list(pooled)} {'adds' if len(pooled) == 1 else 'add'} too little."
    return text


def caveats_of(
    *,
    rows_missing: Mapping[str, int],
    lag1: float,
    r: float,
    n: int,
    dependence: str,
    order_share: float,
    split_by: Sequence[str],
    spread_p: float,
    negative: Sequence[str],
    small: int,
    strata: int,
    n_open: int,
    zeros: int,
    equal: float | None,
    confidence: float,
) -> list[Caveat]:
    """What a reader of the table must know."""
    out = []
    if equal is not None:
        text = f"All values compared are {equal:g}: there is no variation, and nothing to separate."
        out.append(Caveat("zero-variance", text, {"value": equal}))
    for attribute, missing in rows_missing.items():
        if missing:
            text = f"{attribute} is missing in {missing:,} of {n:,} rows, which are a group of their own."
            out.append(
                Caveat("attribute-missing", text, {"attribute": attribute, "missing": missing, "n": n})
            )
    if r > 0 and lag1 > 2 / np.sqrt(n):
        text = (
            f"Neighbouring values of a group are alike (lag-1 correlation {lag1:.2f}): the tests and "
            "intervals use effective sizes, an approximation."
        )
        out.append(Caveat("autocorrelated", text, {"lag1": lag1, "n": n}))
    elif dependence == "independent" and not np.isnan(lag1) and lag1 > 2 / np.sqrt(n):
        text = (
            f"Neighbouring values of a group are alike (lag-1 correlation {lag1:.2f}), but were taken as "
            "independent: groups are called different too easily."
        )
        out.append(Caveat("dependence-ignored", text, {"lag1": lag1, "n": n}))
    if order_share > _FOLLOWS_TIME:
        text = (
            f"The strata by {' and '.join(split_by)} follow each other in time ({percent(order_share)} of "
            "the order lies between them): a change of the process and a difference of strata cannot be "
            "told apart."
        )
        out.append(Caveat("strata-follow-time", text, {"share": order_share}))
    if spread_p <= 1 - confidence:
        text = (
            f"The strata differ in spread ({_p(spread_p)}, Brown-Forsythe): the shrunk intervals, made "
            "from one common spread, are too wide for some and too narrow for others."
        )
        out.append(Caveat("unequal-spread", text, {"p_value": spread_p}))
    for attribute in negative:
        text = f"The variance between the groups of {attribute} came out negative and is set to 0."
        out.append(Caveat("negative-component", text, {"attribute": attribute}))
    if small:
        text = (
            f"{small} of {count(strata, 'stratum').replace('stratums', 'strata')} have fewer than {FEW} "
            "values: their means are shrunk towards the whole (column weight), their own baselines are weak."
        )
        out.append(Caveat("small-strata", text, {"small": small, "strata": strata}))
    if zeros:
        text = (
            f"{zeros:,} of {n:,} values are 0 and have no logarithm: they are left out of the comparison "
            "of the groups, not of their baselines."
        )
        out.append(Caveat("zero-on-log-scale", text, {"zeros": zeros, "n": n}))
    if n_open:
        text = (
            f"{n_open:,} of {n:,} items are still open: in the comparison of the groups they count with "
            "their age so far, a lower bound."
        )
        out.append(Caveat("censored", text, {"open": n_open, "n": n}))
    return out


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
