"""What a comparison method must supply: :class:`ComparisonMethod`, and the rows it gives: :class:`Effect`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat

Role = Literal["primary", "secondary", "companion"]
Form = Literal["difference", "ratio", "probability", "size", "test"]
#: A named statistic ("median", "p90", "sd") or a function of an array of values.
Statistic = str | Callable[[Floats], float]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Effect:
    """One row of a comparison.

    Parameters
    ----------
    quantity : str
        What is estimated, in snake case: "difference_of_means", "ratio_of_geometric_means", ...
    role : {"primary", "secondary", "companion"}
        The answer to the question; the other sides of it; checks that are never the answer.
    before, after : float
        The two sides' values, in the unit of the measure; NaN where there are none.
    estimate, low, high : float
        After minus before, after over before, or the probability that a value after is higher; NaN where
        a test gives no estimate.
    statistic, df, p_value : float
        Test statistic, its degrees of freedom (inf for a normal statistic), two-sided p-value.
    form : {"difference", "ratio", "probability", "size", "test"}
        What the estimate is; no effect is 0, 1, 0.5 and 0 for the first four. A size is an effect size of
        several groups, such as a share of the variation.
    unit : str
        Unit of estimate, low and high; "" for ratios, probabilities and tests.
    method : str
        How estimate and interval were made.
    contrast : str
        Which groups are compared, "B - A" or "B / A"; empty for two sides and for all groups at once.
    p_adjusted : float
        p-value adjusted for the number of comparisons it stands among; NaN where it stands alone.

    Examples
    --------
    >>> Effect("difference_of_means", role="primary", estimate=-2.0, low=-3.0, high=-1.0).excludes_null
    True
    """

    kind: ClassVar[str] = "effect"

    quantity: str
    _: KW_ONLY
    role: Role
    before: float = NAN
    after: float = NAN
    estimate: float = NAN
    low: float = NAN
    high: float = NAN
    statistic: float = NAN
    df: float = NAN
    p_value: float = NAN
    form: Form = "difference"
    unit: str = ""
    method: str = ""
    contrast: str = ""
    p_adjusted: float = NAN

    @property
    def null(self) -> float:
        """The value that means no effect."""
        return {"difference": 0.0, "ratio": 1.0, "probability": 0.5, "size": 0.0, "test": NAN}[self.form]

    @property
    def excludes_null(self) -> bool:
        """Whether the interval leaves "no effect" out."""
        return self.low > self.null or self.high < self.null


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller asked for, the same for every method."""

    confidence: float = 0.95
    tail: float = 0.9
    margin: float | None = None
    objective: Objective | None = None
    declared_on: dt.date | None = None
    scale: str | None = None
    season: str | None = None
    #: the options of the method, defaults filled in
    chosen: Mapping[str, Any] = field(default_factory=dict)
    #: for methods that draw; the same generator then serves the resampled intervals
    rng: np.random.Generator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a method gives back.

    Parameters
    ----------
    effects : tuple of Effect
        The primary first, then whatever else the method computes itself. Common quantities that are not
        among them are added by :func:`perfanalytics.compare` with resampled intervals.
    tested : bool
        False when there were too few values for a test.
    doubts : tuple of str
        Reasons why a difference could not be attributed to the change, as parts of a sentence.
    equivalence : (low, high), optional
        Interval of level 1 - 2 alpha (two one-sided tests), to be held against the margin.
    effective : (before, after)
        Effective sample sizes.
    block : int
        Block length, in periods, for the resampled intervals.
    center_se, center_df : float
        Standard error and degrees of freedom of the center on the analysis scale, on which the resampled
        intervals are calibrated.
    scale : {"raw", "log", "logit", "rank"}
        The analysis scale.
    residuals : (before, after), optional
        Whitened residuals of the periods, for the control charts of the sides.
    rank_half : float, optional
        Half the width of the interval of the probability of superiority, where the method knows it.
    notes : tuple of str
        Sentences that belong into the verdict: what the caller must know to read the numbers right.
    parameters : mapping
        Choices and fitted values, for ``.method``.
    paired : bool
        The points of the sides belong together one by one and are resampled together.
    omit : tuple of str
        Common quantities that make no sense here and are not to be added.
    outcome, verdict : str
        Of methods that answer another question than "is there a difference" (equivalence) or decide by
        something other than the p-value (a posterior); else empty.
    """

    effects: tuple[Effect, ...]
    tested: bool = True
    doubts: tuple[str, ...] = ()
    equivalence: tuple[float, float] | None = None
    effective: tuple[float, float] = (NAN, NAN)
    block: int = 1
    center_se: float = NAN
    center_df: float = NAN
    scale: str = "raw"
    residuals: tuple[Floats, Floats] | None = None
    rank_half: float | None = None
    caveats: tuple[Caveat, ...] = ()
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    paired: bool = False
    omit: tuple[str, ...] = ()
    outcome: str = ""
    verdict: str = ""


class ComparisonMethod(Protocol):
    """A method of comparing two sides; one file (or one family) in ``methods/``, listed in ``METHODS``.

    Attributes
    ----------
    name : str
        The name for ``method=``.
    title : str
        For tables and figures.
    assumes_order : bool
        True for methods that use the order in time; such a method refuses sides without order.
    reads : {"values", "shares", "rates"}
        "shares": counts with sizes, or items coded 0 and 1, are proportions also where the measure does not
        say so. "rates": counts, with sizes as their exposure.
    paired : bool
        True where each value before belongs to one after (see :mod:`.pairs`).
    one_sample : bool
        True for methods that also compare with a given value: a number instead of the side before.
    options : mapping of name to Choice
        What can be chosen with ``options=``.
    """

    name: str
    title: str
    assumes_order: bool = False
    reads: Literal["values", "shares", "rates"] = "values"
    paired: bool = False
    one_sample: bool = False
    options: Mapping[str, Choice] = MappingProxyType({})

    def __call__(self, sides: Sides, options: Options) -> Answer:
        """Compare the sides."""
        ...
