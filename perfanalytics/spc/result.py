"""ControlChart: what a control chart holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Exclusion
from perfanalytics.core.result import Result
from perfanalytics.core.segments import Flags
from perfanalytics.spc.direction import directions
from perfanalytics.spc.families import family_of
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.rules import Rule, RuleSet
from perfanalytics.spc.stability import FALSE_ALARMS
from perfanalytics.spc.transforms import Transform

if TYPE_CHECKING:
    import pandas as pd

_ARRAYS = (
    "value", "center", "sigma", "lower", "upper", "fired", "stage", "excluded", "when", "labels", "sizes",
    "stage_p_value", "stage_expected", "carried_center", "carried_lower", "carried_upper",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTest:
    """One test of a whole stage (run chart).

    Parameters
    ----------
    stage : int
        0-based.
    name : str
        "longest run", "crossings of the median" (Anhoej); "clustering", "mixtures", "trends", "oscillation"
        (Minitab).
    useful : int
        Points of the stage that lie off the median.
    statistic : float
        Length of the longest run, crossings, or number of runs.
    bound : float
        Largest longest run and fewest crossings expected; for Minitab's tests the expected number of runs.
    p_value : float
    signal : bool
        Beyond the bound; for Minitab's tests a p-value below 0.05.
    """

    kind: ClassVar[str] = "stage-test"

    stage: int
    name: str
    useful: int
    statistic: float
    bound: float
    p_value: float
    signal: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ControlChart(Result):
    """A control chart of one series: P panels, n points.

    Parameters
    ----------
    chart : str
        Name of the chart type.
    title : str
        What the chart type is called in a heading.
    id : str
        Id of the series.
    measure : Measure
    panels : tuple of str, length P
        The main panel first.
    value, center, sigma, lower, upper : float arrays, shape (P, n)
        In the unit of the measure (shares between 0 and 1); NaN where there is none.
    fired : unsigned integer array, shape (P, n)
        Bit ``r`` is set where rule ``r`` of ``rules`` fired.
    rules : RuleSet
    sigmas : float
        Width of the limits in sigma.
    stage : int array, shape (n,)
        0-based stage of each point.
    excluded : bool array, shape (n,)
    exclusions : tuple of Exclusion
        The records, each naming one point by its position.
    when, labels, sizes : arrays of shape (n,), or None
    every : str or None
        The rhythm of the series ("week").
    events : tuple of Event or Change
    limits : Limits
        Center, sigma and limits by panel and stage; also usable as ``estimate=``.
    is_share : bool
        True where values are shares, told in percent.
    stable : bool or None
        Whether the chart shows no more than stable charts of its length do; None where it was not judged.
    p_value, expected_signals : float
        The evidence behind ``stable``; the number of signalling points expected of a stable process.
    tests : tuple of StageTest
        Tests of whole stages, for charts that make such (run chart).
    n_used : int
        Points that are neither missing nor excluded.
    stage_p_value, stage_expected : float arrays, shape (K,)
        The same evidence for each stage by itself: p-value (NaN where not judged) and expected signals.
    carried_stage : int or None
        The stage whose limits are also shown over later stages (``carry=``).
    carried_center, carried_lower, carried_upper : float arrays, shape (P, n), or None
        Those limits; NaN before they end in the stage they belong to.
    transform : Transform or None
        The transformation of the values. Value, center and limits of panels of levels are in the unit of the
        measure (the center is then a typical value near the median, no mean); ``sigma``, and panels of spread
        or cumulative sums, are on the transformed scale, which the name of such a panel says.
    """

    kind: ClassVar[str] = "control_chart"
    schema_version: ClassVar[int] = 4

    chart: str
    title: str
    id: str
    measure: Measure
    panels: tuple[str, ...]
    value: Floats
    center: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    fired: NDArray[Any]
    rules: RuleSet
    sigmas: float
    stage: NDArray[np.int64]
    excluded: Flags
    exclusions: tuple[Exclusion, ...] = ()
    when: NDArray[Any] | None = None
    labels: NDArray[Any] | None = None
    sizes: Floats | None = None
    every: str | None = None
    events: tuple[Event | Change, ...] = ()
    limits: Limits
    is_share: bool
    stable: bool | None
    p_value: float
    expected_signals: float
    tests: tuple[StageTest, ...] = ()
    n_used: int
    stage_p_value: Floats = field(default_factory=lambda: np.empty(0))
    stage_expected: Floats = field(default_factory=lambda: np.empty(0))
    carried_stage: int | None = None
    carried_center: Floats | None = None
    carried_lower: Floats | None = None
    carried_upper: Floats | None = None
    transform: Transform | None = None

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(value))

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 had no tests of whole stages, version 2 no evidence by stage and no carried limits."""
        stages = len(fields["limits"].n)
        if "stage_p_value" not in fields:
            # of one stage it is that of the chart; of several it was not kept
            known = stages == 1
            fields = fields | {
                "stage_p_value": np.full(stages, fields["p_value"] if known else np.nan),
                "stage_expected": np.full(stages, fields["expected_signals"] if known else np.nan),
            }
        return {"tests": ()} | fields

    @property
    def stage_stable(self) -> tuple[bool | None, ...]:
        """Whether each stage is stable by itself; None where it was not judged.

        The p-value of a stage times the number of judged stages is compared with the false-alarm rate, so
        that the whole chart is stable exactly where every judged stage is.
        """
        many = int(np.count_nonzero(~np.isnan(self.stage_p_value)))
        return tuple(
            None if np.isnan(p) else bool(min(1.0, many * p) > FALSE_ALARMS) for p in self.stage_p_value
        )

    def spread(self, panel: int) -> Floats:
        """Sigma in the unit the panel is drawn in; NaN where it differs from place to place (transformed)."""
        if self.transform is not None and family_of(self.chart).panels[panel].level:
            return np.full(len(self.stage), np.nan)
        return np.asarray(self.sigma[panel])

    def carried_frame(self) -> pd.DataFrame:
        """The limits of an earlier stage over the points behind it (``carry=``): one row per panel and point.

        Columns: panel, point, when, value, center, lower, upper (of the carried stage), beyond (whether a
        used point lies beyond them). Without carried limits it is empty.
        """
        import pandas as pd

        names = ("panel", "point", "when", "value", "center", "lower", "upper")
        if self.carried_stage is None or self.carried_center is None:
            return pd.DataFrame({name: [] for name in (*names, "beyond")})
        p = len(self.panels)
        frame = self.to_frame()[list(names)]
        for name in ("center", "lower", "upper"):
            frame[name] = getattr(self, f"carried_{name}").ravel()
        frame["beyond"] = self.beyond_carried().ravel()
        behind = np.tile(np.asarray(self.stage) > self.carried_stage, p)
        return frame[behind].reset_index(drop=True)

    def beyond_carried(self) -> Flags:
        """Used points beyond the carried limits, shape (P, n); all False without such limits."""
        if self.carried_upper is None or self.carried_lower is None:
            return np.zeros(self.value.shape, dtype=bool)
        with np.errstate(invalid="ignore"):
            out = (self.value > self.carried_upper) | (self.value < self.carried_lower)
        return np.asarray(out & ~self.excluded)

    def tests_frame(self) -> pd.DataFrame:
        """One row per stage and test: stage, test, useful, statistic, bound, p_value, signal."""
        import pandas as pd

        names = ("stage", "test", "useful", "statistic", "bound", "p_value", "signal")
        rows = [(t.stage, t.name, t.useful, t.statistic, t.bound, t.p_value, t.signal) for t in self.tests]
        return pd.DataFrame(rows, columns=list(names))

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables a report shows: limits and signals; every point is in :meth:`to_frame`."""
        tests = (("Tests of whole stages", self.tests_frame()),) if self.tests else ()
        limits, signals = self.limits.to_frame(), self.signals
        return ("Limits", limits), *tests, ("Signals", signals), ("Summary", self.summary())

    @property
    def n_signals(self) -> int:
        """Points at which at least one rule fired, in any panel."""
        return int(np.count_nonzero((self.fired != 0).any(axis=0)))

    @property
    def signals(self) -> pd.DataFrame:
        """The rows of :meth:`to_frame` at which a rule fired."""
        frame = self.to_frame()
        return frame[frame["rules"] != ""].reset_index(drop=True)

    @property
    def direction(self) -> NDArray[Any]:
        """ "improvement", "concern", "neutral" where a rule fired, "" elsewhere; shape (P, n)."""
        return directions(
            family_of(self.chart).panels, self.rules, self.fired, self.value, self.center, self.measure.better
        )

    def rules_at(self, panel: int, point: int) -> tuple[Rule, ...]:
        """The rules that fired at a point of a panel (both 0-based)."""
        bits = int(self.fired[panel, point])
        return tuple(r for bit, r in enumerate(self.rules.rules) if bits >> bit & 1)

    def summary(self) -> pd.DataFrame:
        """One row.

        Columns: id, measure, chart, n (used points), n_excluded, center, sigma, lower, upper (last stage; NaN
        where they vary), stages, n_signals, expected_signals, stable, p_value, caveats (codes, "; " between),
        verdict.
        """
        import pandas as pd

        frame = self.limits.to_frame()
        frame = frame[frame["panel"] == self.panels[0]]
        level = {
            k: float(frame[k].iloc[-1]) if len(frame) else np.nan
            for k in ("center", "sigma", "lower", "upper")
        }
        return pd.DataFrame(
            {
                "id": [self.id],
                "measure": [self.measure.name],
                "chart": [self.chart],
                "n": [self.n_used],
                "n_excluded": [int(np.count_nonzero(self.excluded))],
                **level,
                "stages": [len(self.limits.n)],
                "n_signals": [self.n_signals],
                "expected_signals": [self.expected_signals],
                "stable": [self.stable],
                "p_value": [self.p_value],
                "caveats": ["; ".join(self.caveat_codes)],
                "verdict": [self.verdict],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per panel and point.

        Columns, always: panel, point (0-based), when, label, value, size, center, sigma, lower, upper, stage
        (0-based), excluded, reason, rules (names that fired, ", " between them, "" for none), direction
        ("improvement", "concern", "neutral", "" where nothing fired). Values and limits in the unit of the
        measure, shares between 0 and 1; with ``transform`` sigma is that of the transformed values.
        """
        import pandas as pd

        p, n = self.value.shape
        reason = np.full(n, "", dtype=object)
        for e in self.exclusions:
            reason[e.point] = e.reason
        names = {
            bits: ", ".join(r.name for bit, r in enumerate(self.rules.rules) if bits >> bit & 1)
            for bits in np.unique(self.fired).tolist()
        }
        blank = np.full(n, None, dtype=object)
        no_time = np.full(n, "NaT", dtype="datetime64[us]")
        return pd.DataFrame(
            {
                "panel": np.repeat(np.array(self.panels, dtype=object), n),
                "point": np.tile(np.arange(n), p),
                "when": np.tile(no_time if self.when is None else self.when, p),
                "label": np.tile(blank if self.labels is None else self.labels, p),
                "value": self.value.ravel(),
                "size": np.tile(np.full(n, np.nan) if self.sizes is None else self.sizes, p),
                "center": self.center.ravel(),
                "sigma": self.sigma.ravel(),
                "lower": self.lower.ravel(),
                "upper": self.upper.ravel(),
                "stage": np.tile(self.stage, p),
                "excluded": np.tile(self.excluded, p),
                "reason": np.tile(reason, p),
                "rules": np.array([names[b] for b in self.fired.ravel().tolist()], dtype=object),
                "direction": self.direction.ravel(),
            }
        )
