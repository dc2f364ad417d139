"""Run rules as data: what a pattern is, and the sets of rules people use.

A rule is a value, not code: a further set is a few more ``Rule(...)`` values. How rules are found is
in :mod:`perfanalytics.spc.signals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal, get_args

from perfanalytics.core.codec import from_record
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.segments import LONGEST_PATTERN

Pattern = Literal["beyond", "within", "trend", "alternating", "longest run", "crossings"]
#: Patterns that are judged over a whole stage, by the run chart: how long they may be depends on its length.
WHOLE = ("longest run", "crossings")
Side = Literal["same", "either", "both"]
Tie = Literal["ends", "skipped"]
Gap = Literal["breaks", "skipped"]
Mark = Literal["completing", "members"]

#: A point nearer than this many sigma to a line is on it; a smaller step is a tie. Only rounding is so small.
ON_LINE = 1e-9


@dataclass(frozen=True, slots=True)
class Rule:
    """One run rule.

    Parameters
    ----------
    name : str
        Identifier, used in tables and columns ("nine_on_one_side").
    count : int
        How many points make the pattern (the points of a trend, not its steps); 1 to 255.
    out_of : int, optional
        ``count`` out of so many consecutive points; by default ``count`` in a row.
    pattern : {"beyond", "within", "trend", "alternating", "longest run", "crossings"}
        Points beyond the zone, points within the zone, points that steadily rise or fall, or points
        that alternate up and down. The last two belong to the run chart, which judges whole stages.
    zone : float or None
        In sigma from the center line (0: on a side of it); None means the control limits of the chart.
    side : {"same", "either", "both"}
        For ``beyond``: all on the same side, on either side, or on either side with both occupied.
    tie : {"ends", "skipped"}
        What a point on the center line (side rules) or equal to its predecessor (trend, alternating) does.
    gap : {"breaks", "skipped"}
        What a missing or excluded point, or a missing period, does to the pattern.
    mark : {"completing", "members"}
        Mark the point that completes the pattern and each that continues it, or every member.

    Notes
    -----
    For ``k`` of ``m`` beyond a zone the marked point is itself beyond it, on the same side; a point beyond
    the limits counts; the window need not be full, so the rule can fire on the first ``k`` points. A point
    exactly on a line is not beyond it but within it.

    Raises
    ------
    InputError, UnknownNameError
        For counts that make no sense, or a word that is not one of the allowed values.

    References
    ----------
    Western Electric (1956), Statistical Quality Control Handbook; Nelson (1984), Journal of Quality
    Technology 16, 237-239.

    Examples
    --------
    >>> Rule("seven_trend", count=7, pattern="trend").text
    '7 points in a row steadily rising or falling'
    """

    kind: ClassVar[str] = "rule"

    name: str
    _: KW_ONLY
    count: int
    out_of: int | None = None
    pattern: Pattern = "beyond"
    zone: float | None = 0.0
    side: Side = "same"
    tie: Tie = "ends"
    gap: Gap = "breaks"
    mark: Mark = "completing"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise InputError(
                f"a rule is named like a column (letters, digits, underscores), got {self.name!r}"
            )
        for what, value, allowed in (
            ("pattern of a rule", self.pattern, Pattern),
            ("side of a rule", self.side, Side),
            ("tie of a rule", self.tie, Tie),
            ("gap of a rule", self.gap, Gap),
            ("mark of a rule", self.mark, Mark),
        ):
            if value not in get_args(allowed):
                raise UnknownNameError(what, str(value), get_args(allowed))
        if not 1 <= self.count <= self.window <= LONGEST_PATTERN:
            raise InputError(
                f"rule {self.name}: count and out_of must satisfy 1 <= count <= out_of <= {LONGEST_PATTERN}, "
                f"got {self.count} of {self.window}"
            )
        if self.pattern in ("trend", "alternating"):
            if self.out_of is not None and self.out_of != self.count:
                raise InputError(f"rule {self.name}: a {self.pattern} pattern has no out_of")
            if self.count < (2 if self.pattern == "trend" else 3):
                raise InputError(f"rule {self.name}: too few points for a {self.pattern} pattern")
        elif self.zone is not None and self.zone < 0:
            raise InputError(f"rule {self.name}: the zone is a distance in sigma, not negative")
        if self.pattern == "within" and self.zone is not None and self.zone == 0:
            raise InputError(f"rule {self.name}: no point lies within 0 sigma; give zone=")

    @property
    def window(self) -> int:
        """How many consecutive points the rule looks at."""
        return self.count if self.out_of is None else self.out_of

    @property
    def is_limit(self) -> bool:
        """True for "one point beyond the control limits", the one rule every kind of panel can use."""
        return self.pattern == "beyond" and self.zone is None and self.window == 1

    @property
    def text(self) -> str:
        """The rule in words."""
        where = "the control limits" if self.zone is None else f"{self.zone:g} sigma"
        some = (
            f"{self.count} of {self.window} points"
            if self.window > self.count
            else ("1 point" if self.count == 1 else f"{self.count} points in a row")
        )
        if self.pattern == "trend":
            return f"{some} steadily rising or falling"
        if self.pattern == "alternating":
            return f"{some} alternating up and down"
        if self.pattern == "longest run":
            return "a longer run on one side of the median than so many points lead one to expect"
        if self.pattern == "crossings":
            return "fewer crossings of the median than so many points lead one to expect"
        if self.pattern == "within":
            return f"{some} within {where} of the center line"
        side = {"same": " on one side", "either": "", "both": " with points on both sides"}[self.side]
        if self.zone == 0:
            return f"{some} on one side of the center line"
        return f"{some} beyond {where}{'' if self.count == 1 else side}"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A named set of rules.

    Parameters
    ----------
    name : str
    rules : sequence of Rule
        At most 32, with different names.
    reference : str
        Where the set is published.

    Examples
    --------
    >>> RuleSet("limits", [BEYOND_LIMITS]).names
    ('beyond_limits',)
    """

    kind: ClassVar[str] = "rule-set"

    name: str
    rules: tuple[Rule, ...]
    reference: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))
        if any(not isinstance(r, Rule) for r in self.rules):
            raise InputError("a set of rules holds Rule(...) values")
        if len(set(self.names)) != len(self.names):
            raise InputError(f"the rules of a set need different names, got {', '.join(self.names)}")
        if len(self.rules) > 32:
            raise InputError("a set holds at most 32 rules")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rules, in order."""
        return tuple(r.name for r in self.rules)

    @property
    def text(self) -> str:
        """The set in words."""
        return f"{self.name}: " + "; ".join(r.text for r in self.rules)


BEYOND_LIMITS = Rule("beyond_limits", count=1, zone=None)
TWO_OF_THREE = Rule("two_of_three_beyond_2_sigma", count=2, out_of=3, zone=2.0)
FOUR_OF_FIVE = Rule("four_of_five_beyond_1_sigma", count=4, out_of=5, zone=1.0)

#: The four zone tests of the Western Electric handbook (1956), pages 25 to 28.
WESTERN_ELECTRIC = RuleSet(
    "western_electric",
    (BEYOND_LIMITS, TWO_OF_THREE, FOUR_OF_FIVE, Rule("eight_on_one_side", count=8)),
    "Western Electric (1956), Statistical Quality Control Handbook, pages 25 to 28",
)

#: The eight tests of Nelson (1984), in his order.
NELSON = RuleSet(
    "nelson",
    (
        BEYOND_LIMITS,
        Rule("nine_on_one_side", count=9),
        Rule("six_trend", count=6, pattern="trend"),
        Rule("fourteen_alternating", count=14, pattern="alternating"),
        TWO_OF_THREE,
        FOUR_OF_FIVE,
        Rule("fifteen_within_1_sigma", count=15, pattern="within", zone=1.0),
        Rule("eight_beyond_1_sigma", count=8, zone=1.0, side="either"),
    ),
    "Nelson (1984), Journal of Quality Technology 16, 237-239",
)

#: Only the control limits: what moving-range and memory charts use.
LIMITS_ONLY = RuleSet("limits_only", (BEYOND_LIMITS,), "Shewhart (1931)")

_SIX_TREND = Rule("six_trend", count=6, pattern="trend")
_ALTERNATING = Rule("fourteen_alternating", count=14, pattern="alternating")
_WITHIN = Rule("fifteen_within_1_sigma", count=15, pattern="within", zone=1.0)
_BOTH_SIDES = Rule("eight_beyond_1_sigma_both_sides", count=8, zone=1.0, side="both")

#: Juran's tests: zones, nine on a side, a trend of six, eight outside one sigma with both sides occupied.
JURAN = RuleSet(
    "juran",
    (BEYOND_LIMITS, TWO_OF_THREE, FOUR_OF_FIVE, Rule("nine_on_one_side", count=9), _SIX_TREND, _BOTH_SIDES),
    "Juran and Godfrey (1999), Juran's Quality Handbook, 5th ed., section 45",
)

#: The criteria of the automotive manual: Nelson's tests with a run of seven.
AIAG = RuleSet(
    "aiag",
    (
        BEYOND_LIMITS,
        Rule("seven_on_one_side", count=7),
        _SIX_TREND,
        _ALTERNATING,
        TWO_OF_THREE,
        FOUR_OF_FIVE,
        _WITHIN,
        Rule("eight_beyond_1_sigma", count=8, zone=1.0, side="either"),
    ),
    "AIAG (2005), Statistical Process Control, 2nd ed., table II.1",
)

#: Montgomery's sensitizing rules 1 to 8; the last two of his ten are left to the eye.
MONTGOMERY = RuleSet(
    "montgomery",
    (
        BEYOND_LIMITS,
        TWO_OF_THREE,
        FOUR_OF_FIVE,
        Rule("eight_on_one_side", count=8),
        _SIX_TREND,
        _WITHIN,
        _ALTERNATING,
        _BOTH_SIDES,
    ),
    "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., table 5.1",
)

#: Making Data Count (NHS England): shift and trend of seven, two of three near a limit; all members marked.
NHS_MDC = RuleSet(
    "nhs_mdc",
    (
        BEYOND_LIMITS,
        Rule("seven_on_one_side", count=7, mark="members"),
        Rule("seven_trend", count=7, pattern="trend", mark="members"),
        Rule("two_of_three_beyond_2_sigma", count=2, out_of=3, zone=2.0, mark="members"),
    ),
    "NHS England (2019), Making Data Count; Reading and Parry (2021), R package NHSRplotthedots",
)

#: The five rules of the Institute for Healthcare Improvement.
IHI = RuleSet(
    "ihi",
    (BEYOND_LIMITS, Rule("eight_on_one_side", count=8), _SIX_TREND, TWO_OF_THREE, _WITHIN),
    "Provost and Murray (2011), The Health Care Data Guide, figure 4.5",
)

#: Anhoej's rules, which the run chart uses and no other: longest run, and crossings of the median.
ANHOEJ = RuleSet(
    "anhoej",
    (
        Rule("unusually_long_run", count=1, pattern="longest run"),
        Rule("unusually_few_crossings", count=1, pattern="crossings"),
    ),
    "Anhoej and Olesen (2014), Run charts revisited, PLoS ONE 9, e113825",
)

#: Wheeler's three rules for charts of individual values: nearer to a limit than to the center is 1.5 sigma.
WHEELER = RuleSet(
    "wheeler",
    (
        BEYOND_LIMITS,
        Rule("three_of_four_beyond_1_5_sigma", count=3, out_of=4, zone=1.5),
        Rule("eight_on_one_side", count=8),
    ),
    "Wheeler (2000), Understanding Variation, 2nd ed.",
)

RULE_SETS: dict[str, RuleSet] = {
    s.name: s
    for s in (
        WESTERN_ELECTRIC,
        NELSON,
        LIMITS_ONLY,
        JURAN,
        AIAG,
        MONTGOMERY,
        NHS_MDC,
        IHI,
        WHEELER,
    )
}


def as_rule_set(rules: object) -> RuleSet:
    """A RuleSet from a set, the name of one, a sequence of rules, or a saved record of these.

    Raises
    ------
    UnknownNameError
        For a name that is no set.
    InputError
        For anything else that is not a set of rules.

    Examples
    --------
    >>> as_rule_set("nelson") is NELSON, as_rule_set([BEYOND_LIMITS]).name
    (True, 'own')
    """
    if isinstance(rules, RuleSet):
        return rules
    if isinstance(rules, str):
        if rules not in RULE_SETS:
            raise UnknownNameError("set of rules", rules, RULE_SETS)
        return RULE_SETS[rules]
    if isinstance(rules, Rule):
        return RuleSet("own", (rules,))
    if isinstance(rules, Mapping):
        return as_rule_set(from_record(rules))
    if isinstance(rules, Iterable):
        own: list[Any] = [from_record(r) if isinstance(r, Mapping) else r for r in rules]
        return RuleSet("own", tuple(own))
    raise InputError("rules= takes a RuleSet, its name, or Rule(...) values")
