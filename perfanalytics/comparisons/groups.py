"""compare_groups: do several groups differ, which from which, and by how much?"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from perfanalytics.comparisons.arguments import check_confidence, check_tail
from perfanalytics.comparisons.choices import check_choices
from perfanalytics.comparisons.group_methods import BLOCKED_POST_HOC, GROUP_METHODS, SHORT_NAMES, GroupMethod
from perfanalytics.comparisons.group_words import group_verdict
from perfanalytics.comparisons.grouped import Grouped, dependence_of_groups, read_grouped
from perfanalytics.comparisons.method import NAN, Effect
from perfanalytics.comparisons.multiplicity import ADJUSTMENTS
from perfanalytics.comparisons.posthoc import POST_HOC, SIMULTANEOUS, pair_effects
from perfanalytics.comparisons.result import Comparison, SideTable
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import MEASURED_SCALES, Measure
from perfanalytics.core.result import Method, Provenance


def compare_groups(
    frame: object,
    *,
    value: str,
    by: str | Sequence[str],
    block: str | None = None,
    sizes: str | None = None,
    when: str | None = None,
    method: str | None = None,
    post_hoc: str | None = None,
    adjust: str = "holm",
    measure: Measure | None = None,
    scale: str | None = None,
    confidence: float = 0.95,
    tail: float = 0.9,
    question: str = "",
    declared_on: dt.date | None = None,
    options: Mapping[str, object] | None = None,
) -> Comparison:
    """Compare several groups of items: do they differ, and which from which?

    Parameters
    ----------
    frame : pandas DataFrame, or mapping of name to column
        One row an item (or, with ``sizes``, a row of counts). Rows without a value or a group are left out
        and counted.
    value : str
        The column of values, in the unit of the measure.
    by : str, or two of them
        The column of groups; two factors for "two_way". Groups stand in the order of their categories, else
        by number or name; contrasts are the later less (or over) the earlier one.
    block : str, optional
        What belongs together (the same customer, week, ticket measured in every group): for "friedman" and
        "anova".
    sizes : str, optional
        Column of denominators: ``value`` then holds counts (or shares) of proportions.
    when : str, optional
        Column of times: rows are put in order, and autocorrelation within the groups is looked for.
    method : str, optional
        "anova", "welch_anova", "kruskal", "friedman", "two_way", "brown_forsythe", "levene", "bartlett",
        "fligner", "chi_square"; "tukey_hsd", "games_howell" and "dunn" stand for the method they belong to.
        Left out, it follows from the declared scale and what is given (see Notes), and is named in
        ``.method``.
    post_hoc : str, optional
        How pairs are compared: "tukey_hsd", "games_howell", "dunn", "pairwise_t" (pooled variance),
        "pairwise_welch", "pairwise_wilcoxon", "pairwise" (the same test), "none". Left out: the one that
        belongs to the method.
    adjust : {"holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"}
        For p-values of pairs that are not simultaneous by themselves (Tukey's and Games and Howell's are).
    measure : Measure, optional
        What the values mean.
    scale : {"raw", "log", "rank"}, optional
        As the measure declares when left out: log for durations and other positive measures, where the
        contrasts are ratios of geometric means.
    confidence, tail : float
    question, declared_on : str, date, optional
    options : mapping, optional
        Of "two_way": ``{"type": "2" or "3", "interaction": True or False}``.

    Returns
    -------
    Comparison
        ``groups`` instead of ``before`` and ``after``. The primary row is the test that all groups are alike
        (form "test"); then effect sizes, then one row a pair with ``contrast`` and ``p_adjusted``.

    Raises
    ------
    InputError
        For fewer than two groups, columns that do not fit, and methods that do not fit the data.
    UnknownNameError
        For a column, method, procedure, adjustment or scale that does not exist.

    Notes
    -----
    The default: with two factors "two_way"; an ordinal measure (or ``scale="rank"``) "friedman" with blocks
    and "kruskal" without; a proportion whose denominators are known "chi_square"; else "anova" with blocks
    and "welch_anova" without.

    Intervals of "tukey_hsd" and "games_howell" hold together at the confidence; those of other procedures
    hold each for itself, and only their p-values are adjusted.

    Examples
    --------
    >>> hours = {"hours": [31, 28, 35, 30, 24, 22, 25, 21, 40, 44, 39, 47],
    ...          "team": ["A"] * 4 + ["B"] * 4 + ["C"] * 4}
    >>> c = compare_groups(hours, value="hours", by="team")
    >>> c.method.name, c.outcome, [e.contrast for e in c.effects if e.p_adjusted <= 0.05]
    ('welch_anova', 'detected', ['B - A', 'C - A', 'C - B'])
    """
    check_confidence(confidence)
    check_tail(tail)
    if adjust not in ADJUSTMENTS:
        raise UnknownNameError("adjustment", str(adjust), ADJUSTMENTS)
    if method is not None and method not in GROUP_METHODS and method not in SHORT_NAMES:
        raise UnknownNameError("method for groups", str(method), {*GROUP_METHODS, *SHORT_NAMES})
    if sizes is not None and measure is not None and measure.scale in MEASURED_SCALES:
        raise InputError(
            f"{measure.name} is a measured quantity (scale {measure.scale!r}), so that its values with "
            "sizes= are no counts of a proportion: give the ratios as value= and leave sizes= out"
        )
    data = read_grouped(
        frame, value=value, by=by, block=block, sizes=sizes, when=when, measure=measure, scale=scale
    )
    asked, why = (method, "asked for") if method is not None else _default(data)
    name, belongs = SHORT_NAMES.get(asked, (asked, None))
    chosen = GROUP_METHODS[name]
    procedure = _procedure(chosen, data, belongs, post_hoc)
    _check(chosen, data)
    settings = check_choices(name, chosen.options, options)
    used = data if chosen.ranks else data.on_scale()
    _check_filled(used)
    found = chosen.run(used, confidence, settings)
    effects = list(found.effects)
    if procedure != "none":
        effects += _pairs(used, chosen, procedure, found.pairs, found.quantity, adjust, confidence)
    primary = effects[0]
    tested = not np.isnan(primary.p_value)
    outcome = "detected" if tested and primary.p_value <= (1 - confidence) * (1 + 1e-9) else "undecided"
    notes = () if chosen.ranks else data.notes
    parameters = {
        "chosen": why,
        "by": list(data.factors),
        "block": block,
        "order": f"times of {when!r}" if when is not None else "not given: rows taken as independent",
        "scale": "rank" if chosen.ranks and not chosen.counted else data.scale,
        "scale_chosen": data.scale_chosen,
        "confidence": confidence,
        "tail": tail,
        "post_hoc": procedure,
        "adjust": "simultaneous" if procedure in SIMULTANEOUS else adjust if procedure != "none" else "none",
        "intervals_of_pairs": "simultaneous" if procedure in SIMULTANEOUS else "each for itself",
        "decided_by": f"p-value of the test of all groups, at most {1 - confidence:.6g}",
        "quantiles": "linear interpolation (type 7)",
        **({"options": settings} if settings else {}),
        **found.parameters,
    }
    return Comparison(
        verdict=group_verdict(
            data,
            tuple(effects),
            outcome=outcome,
            title=chosen.title,
            statistic=found.statistic,
            confidence=confidence,
            notes=notes,
        ),
        caveats=(
            *(c for c in data.caveats if c.code != "not-positive" or not chosen.ranks),
            *found.caveats,
            *dependence_of_groups(data),
        ),
        method=Method(name, parameters, (*found.references, *_reference(procedure))),
        provenance=_provenance(data),
        measure=data.measure,
        outcome=outcome,
        effects=tuple(effects),
        confidence=confidence,
        tail=tail,
        question=question,
        declared_on=declared_on,
        groups=_tables(data, tail),
    )


def _default(data: Grouped) -> tuple[str, str]:
    if len(data.factors) == 2:
        return "two_way", "default for two factors"
    if data.scale == "rank":
        if data.block is not None:
            return "friedman", "default for an ordinal scale with blocks"
        return "kruskal", "default for an ordinal scale"
    if data.sizes is not None or (data.measure.scale == "proportion" and data.is_counted()):
        return "chi_square", "default for proportions"
    if data.block is not None:
        return "anova", "default for groups within blocks"
    return "welch_anova", f"default for groups of items on the {data.scale} scale"


def _procedure(chosen: GroupMethod, data: Grouped, belongs: str | None, asked: str | None) -> str:
    """How pairs are compared."""
    allowed = BLOCKED_POST_HOC if chosen.name == "anova" and data.block is not None else chosen.post_hoc
    if asked is None:
        return belongs or allowed[0]
    if asked not in POST_HOC:
        raise UnknownNameError("procedure (post_hoc=)", str(asked), POST_HOC)
    if belongs is not None and asked != belongs:
        raise InputError(f"method={belongs!r} already names the procedure; leave post_hoc={asked!r} out")
    if asked not in allowed:
        raise InputError(
            f"post_hoc={asked!r} does not belong to {chosen.name}; possible: {', '.join(allowed)}"
        )
    return asked


def _check(chosen: GroupMethod, data: Grouped) -> None:
    if chosen.two_factors != (len(data.factors) == 2):
        raise InputError(
            "two_way needs two factors, by=('team', 'priority')"
            if chosen.two_factors
            else f"{chosen.name} compares the groups of one factor; two factors are compared by 'two_way'"
        )
    if chosen.needs_block is True and data.block is None:
        raise InputError(f"{chosen.name} needs block=: the column that says which values belong together")
    if chosen.needs_block is False and data.block is not None:
        raise InputError(
            f"{chosen.name} knows no blocks: use method='anova' or 'friedman', or leave block= out"
        )
    if chosen.counted:
        return
    if data.sizes is not None:
        raise InputError("values with sizes= are proportions: they are compared by method='chi_square'")
    if data.scale == "rank" and not chosen.ranks:
        raise InputError(
            f"{chosen.name} compares values, not ranks: for an ordinal measure use method='kruskal' or "
            "'friedman'"
        )


def _check_filled(data: Grouped) -> None:
    empty = [n for n, g in zip(data.names[0], data.split(data.values), strict=True) if not len(g)]
    if empty:
        raise InputError(f"no usable value is left in: {', '.join(empty)}")


def _pairs(
    data: Grouped,
    chosen: GroupMethod,
    procedure: str,
    pairs: object,
    quantity: str,
    adjust: str,
    confidence: float,
) -> tuple[Effect, ...]:
    assert callable(pairs)
    found = pairs(procedure, confidence)
    if not found:
        return ()
    raw = procedure == "pairwise_wilcoxon"
    log = data.scale == "log" and not chosen.ranks
    what = ("hodges_lehmann_ratio" if log else "hodges_lehmann_shift") if raw else quantity
    unit = "ranks" if procedure == "dunn" else data.measure.unit
    how = POST_HOC[procedure] if procedure != "pairwise" else f"{chosen.title} of the pair"
    if procedure not in SIMULTANEOUS:
        how += f"; {adjust.replace('_', '-')} adjustment" if adjust != "none" else "; not adjusted"
    return pair_effects(
        found,
        data.names[0],
        quantity=what,
        unit=unit,
        scale="raw" if chosen.ranks or ("ratio" in quantity and "geometric" not in quantity) else data.scale,
        adjust=adjust,
        how=how,
    )


def _reference(procedure: str) -> tuple[str, ...]:
    known = {
        "tukey_hsd": "Kramer (1956), Biometrics 12",
        "games_howell": "Games and Howell (1976), J. Educational Statistics 1",
        "dunn": "Dunn (1964), Technometrics 6",
    }
    return (known[procedure],) if procedure in known else ()


def _tables(data: Grouped, tail: float) -> tuple[SideTable, ...]:
    """Every group as it was compared."""
    weight = np.ones(len(data.values)) if data.sizes is None else data.sizes
    return tuple(
        _table(name, data.values[rows], weight[rows], None if data.when is None else data.when[rows], tail)
        for name, rows in ((n, data.codes[0] == g) for g, n in enumerate(data.names[0]))
    )


def _table(name: str, values: Floats, weights: Floats, when: object, tail: float) -> SideTable:
    n = len(values)
    lag1 = NAN
    if when is not None and n:
        lag1 = float(lag1_autocorrelation(values, np.array([0, n]))[0])
    return SideTable(
        name=name,
        values=values,
        weights=weights,
        when=when,  # type: ignore[arg-type]
        n=n,
        periods=n,
        mean=float(np.average(values, weights=weights)) if n else NAN,
        median=float(np.median(values)) if n else NAN,
        tail=float(np.quantile(values, tail)) if n else NAN,
        sd=float(values.std(ddof=1)) if n > 1 else NAN,
        lag1=lag1,
        effective_n=float(n),
        share_meeting_objective=NAN,
    )


def _provenance(data: Grouped) -> Provenance:
    digest = hashlib.blake2b(digest_size=16)
    for column in (data.values, data.sizes, data.when, *data.codes, data.block):
        digest.update(b"-" if column is None else np.ascontiguousarray(column).tobytes())
    digest.update("\x1f".join(n for names in data.names for n in names).encode())
    return Provenance(
        data.measure.name,
        data_hash=digest.hexdigest(),
        n=len(data.values),
        clock="none" if data.when is None else "local",
    )
