"""Baseline: the result, with its table of quantities."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.drift import Drift, judge_drift
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.baselines.wording import adequacy_text
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective, Process
from perfanalytics.core.result import Estimate, Interval, Result
from perfanalytics.core.series import Series

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Baseline(Result):
    """A process performance baseline.

    Attributes
    ----------
    measure : Measure
    process : Process or None
        Process and version that was in use.
    n, n_missing, n_excluded, n_censored : int
        Points used; gaps and periods without denominator; points excluded with a cause; items still open
        (among those used).
    first, last : datetime64 or None
        Period of the points used.
    values, when, sizes, censored : arrays, shape (n,), or None
        The points used (shares, rates, ratios: divided by their sizes).
    values_are : {"numbers", "shares", "rates", "ratios", "open items"}
        "ratios" are those of a measured quantity (minutes, money) to its sizes, "rates" those of counts.
    scale : {"raw", "log", "share", "rate", "ratio"}
        On which the parametric intervals are made.
    dependence : {"ar1", "independent"}
    lag1, n_effective : float
        Lag-1 correlation on that scale (as seen) and effective number of values.
    quantity, how, unit : text arrays, shape (q,)
    estimate, low, high, confidence, achieved : float arrays, shape (q,)
        The table of :meth:`to_frame`.
    stable : bool or None
        Verdict of the control chart; None when there are too few points for one.
    stability : str
        The verdict in words.
    signals : int
        Points that signal on the chart.
    center_line, lower_limit, upper_limit : float
        Natural process limits, in the unit of the measure.
    objective : Objective or None
    standing : {"met", "missed", "undecided"} or None
        Against the objective; None without one, or when it names no share of items.
    points_to_halve : int
        How many more points would halve the interval of the center; -1 when nobody can say.
    fitted : Fitted or None
        Distribution fitted by maximum likelihood (of the declared scale, or the one asked for), with its
        goodness of fit; None for shares, rates, ratios, ordinal values, and where it cannot be had.
    """

    kind: ClassVar[str] = "baseline"
    schema_version: ClassVar[int] = 2

    measure: Measure
    process: Process | None
    n: int
    n_missing: int
    n_excluded: int
    n_censored: int
    first: np.datetime64 | None
    last: np.datetime64 | None
    values: NDArray[np.float64]
    when: NDArray[np.datetime64] | None
    sizes: NDArray[np.float64] | None
    censored: NDArray[np.bool_] | None
    values_are: str
    scale: str
    dependence: str
    lag1: float
    n_effective: float
    quantity: NDArray[Any]
    how: NDArray[Any]
    unit: NDArray[Any]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: NDArray[np.float64]
    achieved: NDArray[np.float64]
    stable: bool | None
    stability: str
    signals: int
    center_line: float
    lower_limit: float
    upper_limit: float
    objective: Objective | None
    standing: str | None
    points_to_halve: int
    fitted: Fitted | None

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 had no fitted distribution."""
        return {"fitted": None} | fields

    def __getitem__(self, quantity: str) -> Estimate:
        """One quantity with its interval ("median" is "p50").

        Raises
        ------
        UnknownNameError
        """
        name = "p50" if quantity == "median" else quantity
        found = np.flatnonzero(self.quantity == name)
        if not len(found):
            raise UnknownNameError("quantity of this baseline", quantity, self.quantity.tolist())
        k = int(found[0])
        interval = None
        if not math.isnan(self.low[k]):
            achieved = float(self.achieved[k])
            interval = Interval(
                float(self.low[k]),
                float(self.high[k]),
                confidence=float(self.confidence[k]),
                method=str(self.how[k]),
                achieved=None if math.isnan(achieved) else achieved,
            )
        return Estimate(quantity, float(self.estimate[k]), unit=str(self.unit[k]), interval=interval)

    def as_series(self) -> Series:
        """The values behind the baseline as a series, for charts, comparisons and further baselines.

        ``perf.compare(one, other)`` and every function that takes a series take a baseline as it is. Gaps and
        excluded points are gone, events are not kept.
        """
        statistic = {"shares": "share", "rates": "rate", "ratios": "rate"}.get(self.values_are)
        selection = {"statistic": statistic} if statistic and self.sizes is not None else {}
        return Series(
            self.values,
            measure=self.measure,
            when=self.when,
            sizes=self.sizes,
            censored=self.censored,
            selection=selection,
            load_ids=self.provenance.load_ids,
            clock=self.provenance.clock if self.when is not None else None,
        )

    def drift(
        self,
        new: object,
        *,
        confidence: float = 0.95,
        process: Process | str | None = None,
        valid_until: dt.date | None = None,
        seed: int = 20260101,
    ) -> Drift:
        """Whether new data still fit this baseline, and whether it should be made anew.

        Parameters
        ----------
        new : Series, list, array, pandas Series or Baseline
            Of the same measure; points up to the last of the baseline are left out. Changes among its events
            that took effect in the new period are reasons to make the baseline anew.
        confidence : float
            Joint level of the tests (Holm): sound data are called drifted about as often as 1 less this.
        process : Process or str, optional
            The process now; another name or version is a reason.
        valid_until : date, optional
            The day until which the baseline was agreed to be good.
        seed : int
            Of the permutations behind the shape.

        Returns
        -------
        Drift

        Raises
        ------
        InputError
            For another measure or unit, no new value, sides of which only one has times or sizes.

        Notes
        -----
        Location: ``perf.compare``; with fewer than 8 new values their mean against the prediction interval.
        Spread: Brown-Forsythe. Shape: Anderson-Darling of standardized values, by permuted blocks. Share
        outside: new values outside the distribution-free prediction interval, by the beta-binomial law. Share
        meeting the objective: score test. All with effective sizes where neighbours depend on each other.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> rng = np.random.default_rng(1)
        >>> made = perf.baseline(rng.normal(10, 1, 100))
        >>> made.drift(rng.normal(10, 1, 40)).still_fits, made.drift(rng.normal(12, 1, 40)).still_fits
        (True, False)
        """
        return judge_drift(
            self, new, confidence=confidence, process=process, valid_until=valid_until, seed=seed
        )

    @property
    def adequacy(self) -> str:
        """How wide the interval of the center is, and how many more points would halve it."""
        text = self.summary()["adequacy"].iloc[0]
        assert isinstance(text, str)
        return text

    def _adequacy(self, center: float, low: float, high: float) -> str:
        periods = self.values_are in ("shares", "rates", "ratios")
        return adequacy_text(center, low, high, self.measure.unit, self.points_to_halve, periods=periods)

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity: quantity, estimate, low, high, confidence, achieved, method, unit.

        ``confidence`` is the level asked for (for "next item" and "next period" the coverage),
        ``achieved`` the level really reached where it differs.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "quantity": self.quantity,
                "estimate": self.estimate,
                "low": self.low,
                "high": self.high,
                "confidence": self.confidence,
                "achieved": self.achieved,
                "method": self.how,
                "unit": self.unit,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row; ``center`` is the mean, pooled share or rate, or the median of open and ordinal items."""
        import pandas as pd

        def value(quantity: str, part: str = "estimate") -> float:
            found = np.flatnonzero(self.quantity == quantity)
            return float(getattr(self, part)[found[0]]) if len(found) else math.nan

        center = {"shares": "share", "rates": "rate", "ratios": "rate", "open items": "p50"}.get(
            self.values_are, "mean"
        )
        center = "p50" if self.measure.scale == "ordinal" else center
        ahead = "next period" if self.values_are in ("shares", "rates", "ratios") else "next item"
        row = {
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "process": self.process.name if self.process else None,
            "version": self.process.version if self.process else None,
            "first": self.first,
            "last": self.last,
            "n": self.n,
            "n_missing": self.n_missing,
            "n_excluded": self.n_excluded,
            "n_censored": self.n_censored,
            "scale": self.scale,
            "lag1": self.lag1,
            "n_effective": self.n_effective,
            "center": value(center),
            "center_low": value(center, "low"),
            "center_high": value(center, "high"),
            "median": value("p50"),
            "sd": value("sd"),
            "p10": value("p10"),
            "p90": value("p90"),
            "lower_limit": self.lower_limit,
            "upper_limit": self.upper_limit,
            "next_low": value(ahead, "low"),
            "next_high": value(ahead, "high"),
            "stable": self.stable,
            "signals": self.signals,
            "objective": self.objective.name if self.objective else None,
            "share_meeting": value(SHARE_MEETING),
            "share_meeting_low": value(SHARE_MEETING, "low"),
            "share_meeting_high": value(SHARE_MEETING, "high"),
            "standing": self.standing,
            "points_to_halve": self.points_to_halve,
            "adequacy": self._adequacy(value(center), value(center, "low"), value(center, "high")),
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])
