"""agreement: do people, or instruments, say the same of the same items?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np

from perfanalytics.baselines.measurement_systems import kappa
from perfanalytics.baselines.measurement_systems.agreement_result import Agreement
from perfanalytics.baselines.measurement_systems.agreement_rows import Found, Options
from perfanalytics.baselines.measurement_systems.attribute import attribute
from perfanalytics.baselines.measurement_systems.bland_altman import bland_altman
from perfanalytics.baselines.measurement_systems.krippendorff import krippendorff
from perfanalytics.baselines.measurement_systems.measured import icc, kendall
from perfanalytics.baselines.measurement_systems.ratings import Ratings, read_ratings
from perfanalytics.baselines.measurement_systems.reading import check_level, provenance, texts
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method

Statistic = Literal["fleiss", "cohen", "gwet", "krippendorff", "kendall", "icc", "bland_altman", "attribute"]
Weights = Literal["linear", "quadratic"]
RatingScale = Literal["nominal", "ordinal", "interval", "ratio"]

METHODS: dict[str, Callable[[Ratings, Options], Found]] = {
    "fleiss": kappa.fleiss,
    "cohen": kappa.cohen,
    "gwet": kappa.gwet,
    "krippendorff": krippendorff,
    "kendall": kendall,
    "icc": icc,
    "bland_altman": bland_altman,
    "attribute": attribute,
}
#: The ratings are numbers (or ranks), not categories.
_MEASURED = ("kendall", "icc", "bland_altman")


def agreement(
    ratings: object,
    *,
    item: str | None = None,
    rater: str | None = None,
    rating: str | None = None,
    method: Statistic = "fleiss",
    weights: Weights | None = None,
    scale: RatingScale | None = None,
    trial: str | None = None,
    standard: str | Sequence[Any] | None = None,
    categories: Sequence[Any] | None = None,
    margin: float | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
    measure: Measure | None = None,
) -> Agreement:
    """Measure how far raters agree.

    Parameters
    ----------
    ratings : DataFrame, mapping of columns, or matrix
        One row per rating, with ``item``, ``rater`` and ``rating`` named; or a matrix with items down and
        raters across (a DataFrame, an array, a mapping of rater to ratings), none of them named. None or NaN
        is missing.
    item, rater, rating : str, optional
        Columns of a long frame.
    method : {"fleiss", "cohen", "gwet", "krippendorff", "kendall", "icc", "bland_altman", "attribute"}
        Categories: "fleiss" (kappa of any number of raters, the default), "cohen" (kappa of pairs), "gwet"
        (AC1), "krippendorff" (alpha, any scale), "attribute" (share of items agreed on, with repeats and a
        standard).
        Numbers: "kendall" (W, orders), "icc" (six intraclass correlations), "bland_altman" (two
        instruments: bias and limits of agreement).
    weights : {"linear", "quadratic"}, optional
        Partial credit for near categories; "cohen" only.
    scale : {"nominal", "ordinal", "interval", "ratio"}, optional
        Of the ratings; "krippendorff" only, default "nominal".
    trial : str, optional
        Column with the number of the trial; "attribute" only.
    standard : str or sequence, optional
        The right answers: a column of a long frame, or a list with one for each item of a matrix; "attribute"
        only.
    categories : sequence, optional
        All categories, in order. Needed where the order matters and the categories are texts.
    margin : float, optional
        Differences up to this are of no consequence, in units of the ratings; "bland_altman" only.
    confidence : float
        Of the intervals, in (0, 1).
    draws, seed : int
        Of the bootstrap of "krippendorff".
    measure : Measure, optional
        What is rated; default the column of the ratings, or "ratings".

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        For fewer than 2 items or raters, an item rated twice by one rater, missing ratings where the method
        needs all, texts whose order is not known, an argument that is not the method's.
    UnknownNameError
        For a column, method, scale or kind of weights that does not exist.

    Notes
    -----
    Intervals take the items as a sample: Fleiss' kappa has the standard error that holds when kappa is not 0
    (that of 1971 does not; that of 1979 holds under chance alone and is used for the p-value). Weights
    and distances of categories that are numbers are those of the numbers, of texts those of their positions.

    References
    ----------
    Cohen (1960, 1968); Fleiss (1971); Fleiss, Nee and Landis (1979); Gwet (2008, 2021); Krippendorff (2011);
    Kendall and Gibbons (1990); Shrout and Fleiss (1979); Bland and Altman (1986); AIAG (2010). In full in
    ``.method``.

    Examples
    --------
    >>> said = {"Ann": ["bug", "bug", "wish", "wish"], "Bob": ["bug", "wish", "wish", "wish"]}
    >>> a = agreement(said, method="cohen")
    >>> a.value, a["observed agreement"].value
    (0.5, 0.75)
    """
    options = _options(method, weights, scale, trial, standard, categories, margin, confidence, draws, seed)
    read = read_ratings(
        ratings,
        item=item,
        rater=rater,
        rating=rating,
        trial=trial,
        standard=standard,
        categories=categories,
        measured=method in _MEASURED,
        ordered=weights is not None or options.scale != "nominal",
    )
    if options.scale in ("interval", "ratio"):
        _numeric(read)
    found = METHODS[method](read, options)
    measure = measure or Measure(rating or "ratings", definition="", unit="", better="unknown", scale=None)
    lines = found.lines

    def numbers(name: str) -> Any:
        return read_only(np.array([getattr(x, name) for x in lines], dtype=np.float64))

    return Agreement(
        verdict=f"{measure.name}: {found.words}",
        caveats=(*found.caveats, *_perfect(found, len(read.items))),
        method=Method(
            "agreement",
            {"method": method, "confidence": confidence, "categories": list(read.categories)}
            | dict(found.choices),
            found.references,
        ),
        provenance=provenance(
            measure.name,
            read.codes.size,
            read.codes,
            read.items,
            read.raters,
            read.categories,
            () if read.standard is None else read.standard,
        ),
        measure=measure,
        statistic=method,
        items=texts(read.items),
        raters=texts(read.raters),
        categories=texts(read.categories),
        ratings=read_only(read.codes),
        rater_of=read_only(np.asarray(read.rater_of, dtype=np.int64)),
        standard=None if read.standard is None else read_only(read.standard),
        n_missing=int(np.isnan(read.codes).sum()),
        quantity=texts([x.quantity for x in lines]),
        about=texts([x.about for x in lines]),
        estimate=numbers("estimate"),
        standard_error=numbers("standard_error"),
        low=numbers("low"),
        high=numbers("high"),
        p=numbers("p"),
        how=texts([x.how for x in lines]),
        headline=found.headline,
        confidence=confidence,
    )


def _perfect(found: Found, n: int) -> list[Caveat]:
    head = found.lines[found.headline]
    if head.quantity == "bias" or head.estimate != 1 or head.low != head.high:
        return []
    text = f"All ratings of the {n} items agree: the interval has no width, but other items may divide them."
    return [Caveat("perfect-agreement", text, {"n": n})]


def _numeric(read: Ratings) -> None:
    try:
        [float(c) for c in read.categories]
    except ValueError as error:
        raise InputError(
            "an interval or ratio scale needs ratings that are numbers; texts in order have scale='ordinal'"
        ) from error


def _options(
    method: str,
    weights: str | None,
    scale: str | None,
    trial: str | None,
    standard: object,
    categories: object,
    margin: float | None,
    confidence: float,
    draws: int,
    seed: int,
) -> Options:
    if method not in METHODS:
        raise UnknownNameError("method of agreement", str(method), METHODS)
    check_level(confidence)
    given = {
        "weights": (weights, ("cohen",)),
        "scale": (scale, ("krippendorff",)),
        "trial": (trial, ("attribute",)),
        "standard": (standard, ("attribute",)),
        "margin": (margin, ("bland_altman",)),
        "categories": (categories, tuple(m for m in METHODS if m not in _MEASURED)),
    }
    for name, (value, allowed) in given.items():
        if value is not None and method not in allowed:
            raise InputError(
                f"{name}= belongs to method {' or '.join(map(repr, allowed))}, not to {method!r}"
            )
    if weights is not None and weights not in get_args(Weights):
        raise UnknownNameError("kind of weights", str(weights), get_args(Weights))
    if scale is not None and scale not in get_args(RatingScale):
        raise UnknownNameError("scale of the ratings", str(scale), get_args(RatingScale))
    if margin is not None and not (math.isfinite(margin) and margin > 0):
        raise InputError(f"margin must be above 0, got {margin}")
    if draws < 100:
        raise InputError(f"draws must be at least 100, got {draws}")
    return Options(
        weights=weights or "none",
        scale=scale or "nominal",
        margin=margin,
        confidence=confidence,
        draws=draws,
        seed=seed,
    )
