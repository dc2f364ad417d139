"""organization_capability(objectives, batches): what the organization can do against its objectives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perfanalytics.baselines.wording import count, number
from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import check_every
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.core.series import SeriesBatch
from perfanalytics.practices.opm.deployment_stages import unit_of
from perfanalytics.practices.opm.improvement_terms import text_array
from perfanalytics.practices.opm.organization_cells import STATISTICS, WHOLE, Cell, cell
from perfanalytics.practices.opm.organization_result import NUMBERS, TEXTS, OrganizationCapability

if TYPE_CHECKING:
    pass

#: At least so many periods before anything is said of a cell.
FEWEST = 8


def organization_capability(
    objectives: Sequence[Objective],
    batches: Mapping[str, SeriesBatch],
    *,
    every: str = "week",
    costs: Mapping[str, float] | None = None,
    currency: str = "EUR",
    confidence: float = 0.95,
) -> OrganizationCapability:
    """Capability of the organization against its objectives: a scorecard of objectives by units.

    Parameters
    ----------
    objectives : sequence of Objective
        About single items (with a ``share``), or about the share, rate, mean, median or a percentile of a
        period.
    batches : mapping of measure to SeriesBatch
        The single observations of each measure by unit (service, group), with times; as
        ``repo.batch(measure, by="service")``.
    every : {"day", "week", "month", "quarter", "year"}
        The period whose value is judged, charted and predicted.
    costs : mapping of objective to money, optional
        What one item costs that misses its objective beyond what is allowed (items, shares and rates), or one
        unit of shortfall in a period (means, medians, percentiles).
    currency : str
    confidence : float

    Returns
    -------
    OrganizationCapability

    Raises
    ------
    InputError
        Without objectives, for a measure without batch, observations without times, sums and counts.

    Notes
    -----
    For an objective about items every item is 1 (meets the target) or 0. An item that is still open counts as
    missed when it is older than allowed, and is left out before that. Shares are those of all items of the
    period of the data, with the exact binomial interval of the effective number of items (overdispersion and
    autocorrelation between periods); others the mean of the period values with the t interval of the
    effective number of periods. The standing follows from the interval: met or missed when all of it lies on
    one side.

    The next period is predicted from the period values: t distribution around their mean with their spread,
    shares after the arcsine transformation, durations and positive measures after logarithms.
    ``expected_cost`` integrates the shortfall over that prediction: what the present process will cost on
    average, not only where its mean lies. Of an unstable process it is a description, not a prediction, and
    is marked so.

    Stability and trend are those of the control chart of the periods (Laney's p' chart for shares,
    individuals for others). "whole organization" pools all items; an objective that the whole meets and a
    unit does not is said.

    References
    ----------
    Anscombe (1948), Biometrika 35, 246-254 (arcsine). Hahn and Meeker (1991), Statistical Intervals, 4.7.

    Examples
    --------
    >>> from perfanalytics.core.measure import Measure
    >>> from perfanalytics.core.series import Series
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    >>> when = np.datetime64("2024-01-01") + np.arange(140)
    >>> rng = np.random.default_rng(1)
    >>> made = {f"service={s}": Series(np.exp(rng.normal(m, 0.5, 140)), measure=hours, when=when)
    ...         for s, m in (("Mail", 1.5), ("ERP", 2.3))}
    >>> fast = Objective("fast", measure="hours", target=10, direction="at_most", share=0.8)
    >>> card = organization_capability([fast], {"hours": SeriesBatch.from_series(made)}, costs={"fast": 20})
    >>> list(zip(card.unit.tolist(), card.standing.tolist()))
    [('whole organization', 'undecided'), ('ERP', 'missed'), ('Mail', 'met')]
    """
    check_every(every)
    if not objectives:
        raise InputError("there is nothing to judge: give one objective or more")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95), got {confidence}")
    prices = dict(costs or {})
    unknown = [n for n in prices if n not in {o.name for o in objectives}]
    if unknown:
        raise InputError(f"costs= names {unknown[0]!r}, which is none of the objectives")
    if any(not (math.isfinite(p) and p >= 0) for p in prices.values()):
        raise InputError("a cost is an amount of money, not negative")
    cells: list[Cell] = []
    for objective in objectives:
        batch = _batch(objective, batches)
        names = [None, *sorted(batch.ids)] if len(batch) > 1 else [*batch.ids]
        cells += [
            cell(
                objective,
                batch,
                name,
                label=WHOLE if name is None else unit_of(name),
                every=every,
                confidence=confidence,
                price=prices.get(objective.name),
                fewest=FEWEST,
            )
            for name in names
        ]
    columns: dict[str, Any] = {n: text_array(getattr(c, n) for c in cells) for n in TEXTS}
    columns |= {n: np.array([getattr(c, n) for c in cells], dtype=float) for n in NUMBERS}
    columns["n"] = np.array([c.n for c in cells], dtype=np.int64)
    used = [batches[m] for m in dict.fromkeys(o.measure for o in objectives)]
    return OrganizationCapability(
        verdict=_verdict(cells, every, currency),
        caveats=_doubts(cells, objectives, prices, confidence),
        method=Method(
            "organization_capability",
            {
                "every": every,
                "confidence": confidence,
                "costs": prices,
                "charts": "laney_p for shares, individuals for others",
                "next_period": "t distribution, shares after arcsine, durations after logarithms",
                "open_items": "missed when older than allowed, else left out",
                "fewest_periods": FEWEST,
            },
            ("Hahn and Meeker (1991), Statistical Intervals, 4.7",),
        ),
        provenance=Provenance(
            ", ".join(dict.fromkeys(b.measure.name for b in used)),
            data_hash=Method("+".join(b.data_hash() for b in used)).key,
            n=sum(len(b.values) for b in used),
            selection={m: b.selection for m, b in batches.items() if b in used},
            load_ids=tuple(sorted({i for b in used for i in b.load_ids})),
            clock=used[0].clock,
        ),
        every=every,
        currency=currency,
        confidence=confidence,
        **columns,
    )


def _batch(objective: Objective, batches: Mapping[str, SeriesBatch]) -> SeriesBatch:
    batch = batches.get(objective.measure)
    if batch is None:
        raise InputError(
            f"objective {objective.name!r} is about {objective.measure!r}: give "
            f"batches[{objective.measure!r}]"
        )
    if batch.when is None:
        raise InputError(f"the observations of {objective.measure!r} have no times: give them when=")
    known = objective.statistic in STATISTICS or (
        objective.statistic[:1] == "p" and objective.statistic[1:].isdigit()
    )
    if not known:
        raise InputError(
            f"objective {objective.name!r} is about the {objective.statistic} of a period, which grows "
            f"with the unit: judge {', '.join(STATISTICS)} or a percentile (p90)"
        )
    return batch


def _doubts(
    cells: Sequence[Cell], objectives: Sequence[Objective], prices: Mapping[str, float], confidence: float
) -> tuple[Caveat, ...]:
    out = []

    def told(found: Sequence[Cell]) -> str:
        return "; ".join(f"{c.objective}: {c.unit}" for c in found)

    unjudged = [c for c in cells if c.standing == "not judged"]
    if unjudged:
        text = (
            f"{count(len(unjudged), 'cell')} not judged: "
            + "; ".join(f"{c.objective}: {c.unit} ({c.why})" for c in unjudged)
            + "."
        )
        out.append(Caveat("cells-not-judged", text, {"n": len(unjudged)}))
    shaky = [c for c in cells if c.stability == "not stable"]
    if shaky:
        text = (
            f"{count(len(shaky), 'cell')} of {len(cells)} not stable, so their probabilities describe the "
            f"past only: {told(shaky)}."
        )
        out.append(Caveat("not-stable", text, {"n": len(shaky)}))
    for objective in objectives:
        own = [c for c in cells if c.objective == objective.name]
        whole = [c for c in own if c.unit == WHOLE]
        bad = [c for c in own if c.unit != WHOLE and c.standing == "missed"]
        if whole and whole[0].standing == "met" and bad:
            text = f"'{objective.name}' is met by the whole, but not by {', '.join(c.unit for c in bad)}."
            out.append(Caveat("hidden-by-the-whole", text, {"n": len(bad)}))
        if objective.statistic == "item" and objective.share is None:
            text = (
                f"'{objective.name}' does not say for which share of items it shall hold: it is not judged."
            )
            out.append(Caveat("objective-without-share", text))
    bare = [o.name for o in objectives if not o.serves]
    if bare:
        out.append(
            Caveat(
                "serves-nothing", f"No business objective is named for {', '.join(bare)}.", {"n": len(bare)}
            )
        )
    free = [o.name for o in objectives if o.name not in prices]
    if free:
        text = f"What missing them costs is not declared for {', '.join(free)}."
        out.append(Caveat("cost-not-declared", text, {"n": len(free)}))
    still = sum(c.open_left_out for c in cells if c.unit == WHOLE) or sum(c.open_left_out for c in cells)
    if still:
        text = (
            f"{count(still, 'open item')} younger than allowed left out: the newest periods look "
            f"better than they will."
        )
        out.append(Caveat("open-items", text, {"n": still}))
    judged = sum(c.standing != "not judged" and c.unit != WHOLE for c in cells)
    if judged > 20:
        text = (
            f"{judged} cells are judged one by one: were all of them just on target, about "
            f"{(1 - confidence) * judged:.0f} would be called met or missed by chance."
        )
        out.append(Caveat("many-cells", text, {"n": judged}))
    return tuple(out)


def _verdict(cells: Sequence[Cell], every: str, currency: str) -> str:
    units = [c for c in cells if c.unit != WHOLE] or list(cells)
    judged = [c for c in units if c.standing != "not judged"]
    if not judged:
        return f"None of {count(len(units), 'cell')} could be judged."
    n = {s: sum(c.standing == s for c in judged) for s in ("met", "undecided", "missed")}
    names = list(dict.fromkeys(c.objective for c in cells))
    text = (
        f"{count(len(names), 'objective')} in {count(len({c.unit for c in units}), 'unit')}: {n['met']} met, "
        f"{n['undecided']} undecided, {n['missed']} missed."
    )
    known = [c for c in judged if not math.isnan(c.expected_cost)]
    worst = max(known, key=lambda c: c.expected_cost) if known else None
    if worst is not None and worst.expected_cost > 0:
        total = sum(c.expected_cost for c in known)
        return (
            f"{text} Shortfalls are expected to cost {number(total, currency)} a {every}, the largest part "
            f"({number(worst.expected_cost, currency)}) in '{worst.objective}' of {worst.unit}."
        )
    low = [c for c in judged if not math.isnan(c.probability)]
    if low and n["met"] < len(judged):
        bad = min(low, key=lambda c: c.probability)
        text += (
            f" The next {every} is least likely to meet '{bad.objective}' in {bad.unit} "
            f"({bad.probability:.0%})."
        )
    return text
