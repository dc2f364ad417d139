"""Many comparisons in one call: measures or strata, with p-values adjusted for their number."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.compare import compare
from perfanalytics.comparisons.many_result import NUMBERS, Comparisons
from perfanalytics.comparisons.multiplicity import ADJUSTMENTS, adjusted_p_values
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.words import number, percent, with_unit
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.data_hash import joined_hash
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.core.series import SeriesBatch

if TYPE_CHECKING:
    pass

#: Up to this many names are told one by one.
TOLD = 6


def adjust(
    comparisons: Mapping[str, Comparison] | Sequence[Comparison],
    *,
    method: str = "holm",
) -> Comparisons:
    """Put many comparisons side by side, their p-values adjusted for how many there are.

    Parameters
    ----------
    comparisons : mapping of name to Comparison, or sequence of Comparison
        One a measure or stratum, of one confidence; in a sequence each is named by its measure.
    method : {"holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"}
        The first three keep the chance of any false finding at 1 less the confidence; Benjamini and
        Hochberg's the expected share of false ones among the findings.

    Returns
    -------
    Comparisons
        Intervals are those of the single comparisons and are not adjusted.

    Raises
    ------
    InputError
        For no comparison, other things than comparisons, names that are not unique, different confidences.
    UnknownNameError
        For another method.

    Notes
    -----
    A comparison that is not attributable to the change keeps that outcome; it counts among the tests.
    Comparisons that allowed no test have no p-value and do not count.

    Examples
    --------
    >>> a, b = [5, 6, 7, 8, 6, 5, 7, 8], [7, 8, 9, 10, 8, 7, 9, 10]
    >>> found = adjust({"up": compare(a, b, order="none"), "same": compare(a, a, order="none")})
    >>> found.differs.tolist()
    [True, False]
    """
    return side_by_side(comparisons, method=method)


def side_by_side(comparisons: Mapping[str, Comparison] | Sequence[Comparison], *, method: str) -> Comparisons:
    """See :func:`adjust` (whose name :func:`compare_many` uses for an argument)."""
    named = _named(comparisons)
    if method not in ADJUSTMENTS:
        raise UnknownNameError("adjustment", str(method), ADJUSTMENTS)
    confidences = {c.confidence for c in named.values()}
    if len(confidences) > 1:
        raise InputError(f"comparisons of one confidence are adjusted together, got {sorted(confidences)}")
    confidence = confidences.pop()
    found = list(named.values())
    p = np.array([c.primary.p_value for c in found])
    adjusted = adjusted_p_values(p, method=method)
    level = (1 - confidence) * (1 + 1e-9)
    # tost's small p-value speaks for equivalence, not for a difference
    asks = np.array(
        [c.outcome not in ("equivalent", "not_inferior") or c.method.name != "tost" for c in found]
    )
    differs = (np.nan_to_num(adjusted, nan=1.0) <= level) & asks
    better = [_better(c) if d else "" for c, d in zip(found, differs.tolist(), strict=True)]
    numbers = {n: np.array([float(getattr(c.primary, n)) for c in found]) for n in NUMBERS[:-1]}
    return Comparisons(
        verdict=_verdict(named, adjusted, differs, better, method),
        caveats=_caveats(found, p),
        method=Method(
            "adjust",
            {
                "adjust": method,
                "keeps": ADJUSTMENTS[method],
                "confidence": confidence,
                "tests": int((~np.isnan(p)).sum()),
                "intervals": "each for itself, not adjusted",
                "methods": sorted({c.method.name for c in found}),
                "keys": [c.method.key for c in found],
            },
        ),
        provenance=_provenance(found),
        names=_texts(list(named)),
        measures=_texts([c.measure.name for c in found]),
        units=_texts([c.primary.unit for c in found]),
        methods=_texts([c.method.name for c in found]),
        quantities=_texts([c.primary.quantity for c in found]),
        forms=_texts([c.primary.form for c in found]),
        outcomes=_texts([c.outcome for c in found]),
        better=_texts(better),
        doubts=_texts([", ".join(c.caveat_codes) for c in found]),
        before=numbers["before"],
        after=numbers["after"],
        estimate=numbers["estimate"],
        low=numbers["low"],
        high=numbers["high"],
        statistic=numbers["statistic"],
        df=numbers["df"],
        p_value=numbers["p_value"],
        p_adjusted=adjusted,
        differs=differs,
        confidence=confidence,
        adjust=method,
    )


def compare_many(
    sides: Mapping[str, tuple[object, object]] | SeriesBatch,
    *,
    at: str | dt.date | None = None,
    adjust: str = "holm",
    method: str | None = None,
    measure: Measure | None = None,
    order: str | None = None,
    every: str | None = None,
    scale: str | None = None,
    confidence: float = 0.95,
    margin: float | None = None,
    rng: np.random.Generator | int | None = None,
) -> Comparisons:
    """Compare many measures or strata before and after in one call.

    Parameters
    ----------
    sides : mapping of name to (before, after), or SeriesBatch
        The two sides of each measure or stratum; or a batch of series, each cut at ``at``.
    at : date or ISO text, optional
        The change, for a batch.
    adjust : {"holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"}
    method, measure, order, every, scale, confidence, margin, rng :
        As for :func:`perfanalytics.compare`, the same for all.

    Returns
    -------
    Comparisons
        Strata with an empty side are left out and named in the caveat "empty-sides".

    Raises
    ------
    InputError
        When nothing can be compared, or arguments do not fit.

    Examples
    --------
    >>> a, b = [5, 6, 7, 8, 6, 5, 7, 8], [7, 8, 9, 10, 8, 7, 9, 10]
    >>> compare_many({"north": (a, b), "south": (a, a)}, order="none").outcomes.tolist()
    ['detected', 'undecided']
    """
    pairs, empty = _cut(sides, at)
    made = {
        name: compare(
            one,
            two,
            method=method,
            measure=measure,
            order=order,
            every=every,
            scale=scale,
            confidence=confidence,
            margin=margin,
            rng=rng,
        )
        for name, (one, two) in pairs.items()
    }
    found = side_by_side(made, method=adjust)
    if not empty:
        return found
    text = (
        f"{len(empty)} series lack a value on one side of the change, and are left out: {', '.join(empty)}."
    )
    doubt = Caveat("empty-sides", text, {"left_out": len(empty), "names": ", ".join(empty)})
    return replace(found, caveats=(*found.caveats, doubt))


def _cut(
    sides: Mapping[str, tuple[object, object]] | SeriesBatch, at: str | dt.date | None
) -> tuple[dict[str, tuple[object, object]], list[str]]:
    """The two sides by name, and the names of series that lack one."""
    if isinstance(sides, SeriesBatch):
        if at is None or sides.when is None:
            raise InputError("a batch of series with times is cut at the change: give at='2024-03-01'")
        instant(at, sides.clock)
        out: dict[str, tuple[object, object]] = {}
        empty = []
        for series in sides:
            one, two = series.between(None, at), series.between(at, None)
            name = series.id or str(len(out))
            if all((~np.isnan(s.values)).any() for s in (one, two)):
                out[name] = (one, two)
            else:
                empty.append(name)
        if not out:
            raise InputError(f"no series has values on both sides of {at}")
        return out, empty
    if at is not None:
        raise InputError("at= cuts a batch of series; a mapping names both sides already")
    if not isinstance(sides, Mapping) or not sides:
        raise InputError("many comparisons are given as a mapping of name to (before, after), or as a batch")
    for name, pair in sides.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"{name!r} needs its two sides, (before, after)")
    return {str(n): (p[0], p[1]) for n, p in sides.items()}, []


def _texts(values: Sequence[str]) -> NDArray[np.object_]:
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out


def _named(comparisons: Mapping[str, Comparison] | Sequence[Comparison]) -> dict[str, Comparison]:
    if isinstance(comparisons, Mapping):
        named = {str(k): v for k, v in comparisons.items()}
    elif isinstance(comparisons, Sequence) and not isinstance(comparisons, str):
        names = [c.measure.name if isinstance(c, Comparison) else "" for c in comparisons]
        if len(set(names)) < len(names) and all(isinstance(c, Comparison) for c in comparisons):
            raise InputError(
                "several comparisons are of one measure: name them, perf.adjust({'north': a, 'south': b})"
            )
        named = dict(zip(names, comparisons, strict=True))
    else:
        raise InputError(f"comparisons by name are adjusted, got {type(comparisons).__name__}")
    if not named:
        raise InputError("there is no comparison to adjust")
    for name, c in named.items():
        if not isinstance(c, Comparison):
            raise InputError(f"{name!r} is no comparison (perf.compare(...)), but {type(c).__name__}")
    return named


def _better(c: Comparison) -> str:
    e, better = c.primary, c.measure.better
    if better not in ("lower", "higher") or math.isnan(e.estimate) or e.estimate == e.null:
        return ""
    return "improvement" if (e.estimate < e.null) == (better == "lower") else "deterioration"


def _verdict(
    named: Mapping[str, Comparison],
    adjusted: Floats,
    differs: NDArray[np.bool_],
    better: list[str],
    method: str,
) -> str:
    tested = int((~np.isnan(adjusted)).sum())
    how = {
        "none": "without adjustment for their number",
        "benjamini_hochberg": "at the false discovery rate of Benjamini and Hochberg",
    }.get(method, f"after {method.capitalize()}'s adjustment")
    if not tested:
        return f"None of the {len(named)} comparisons allowed a test."
    count = int(differs.sum())
    if not count:
        return f"No difference is shown in any of {tested} comparisons {how}."
    order = np.argsort(np.where(differs, adjusted, np.inf), kind="stable")[: min(count, TOLD)]
    names = list(named)
    told = [_told(names[i], named[names[i]], better[i]) for i in order.tolist()]
    more = f" and {count - TOLD} more" if count > TOLD else ""
    return f"{count} of {tested} comparisons show a difference {how}: {'; '.join(told)}{more}."


def _told(name: str, c: Comparison, better: str) -> str:
    e = c.primary
    if e.form == "ratio":
        size = f"{number(e.estimate, 2, spread=abs(e.estimate - 1) / 10)} times"
    elif e.form == "probability":
        size = f"{percent(e.estimate)} higher after"
    elif e.form == "difference" and (c.measure.scale == "proportion" or "proportions" in e.quantity):
        size = f"{100 * e.estimate:+.1f} points"
    elif math.isnan(e.estimate):
        return name
    else:
        size = with_unit(("+" if e.estimate > 0 else "") + number(e.estimate), c.measure.unit)
    attributed = ", not attributable" if c.outcome == "not_attributable" else ""
    return f"{name} ({size}{', ' + better if better else ''}{attributed})"


def _caveats(found: Sequence[Comparison], p: Floats) -> tuple[Caveat, ...]:
    out = []
    untested = int(np.isnan(p).sum())
    if untested:
        text = f"{untested} of {len(p)} comparisons allowed no test and do not count in the adjustment."
        out.append(Caveat("untested", text, {"untested": untested, "of": len(p)}))
    counts: dict[str, int] = {}
    for c in found:
        for code in set(c.caveat_codes):
            counts[code] = counts.get(code, 0) + 1
    for code, n in sorted(counts.items()):
        out.append(Caveat(code, f"{n} of {len(found)} comparisons carry this doubt.", {"comparisons": n}))
    return tuple(out)


def _provenance(found: Sequence[Comparison]) -> Provenance:
    measures = sorted({c.measure.name for c in found})
    return Provenance(
        measures[0] if len(measures) == 1 else f"{len(measures)} measures",
        data_hash=joined_hash(c.provenance.data_hash for c in found),
        n=sum(c.provenance.n for c in found),
        load_ids=tuple(sorted({i for c in found for i in c.provenance.load_ids})),
        clock=found[0].provenance.clock,
    )
