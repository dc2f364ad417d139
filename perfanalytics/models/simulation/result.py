"""Simulation: the result of running a composed process many times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Estimate, Interval, Result
from perfanalytics.models.simulation.correlation import Dependence
from perfanalytics.models.simulation.engine import prepare
from perfanalytics.models.simulation.interim import interim_objectives
from perfanalytics.models.simulation.parts import Part

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Simulation(Result):
    """A composed process, run many times.

    Attributes
    ----------
    measure : Measure
        Of the total.
    process : Part
    objective : Objective or None
    standing : {"met", "missed", "undecided"} or None
        Of an objective that names a share of items: by the interval of the inputs where it was asked for,
        else by that of the simulation.
    runs, seed : int
    confidence : float
        Of all intervals.
    dependence : {"independent", "one common factor", "pairs"}
    loadings : float array, shape (k,)
    matrix : float array, shape (k, k), or None
        Of the normal scores of the steps.
    quantity, how, unit : text arrays, shape (q,)
    estimate, low, high : float arrays, shape (q,)
        With the interval of the simulation error.
    input_low, input_high : float arrays, shape (q,)
        Interval from the sample sizes of the inputs; NaN without ``resamples``.
    kept_p, kept : float arrays, shape (m,)
        Quantiles of the total at many shares; first and last are the smallest and the largest.
    edges, counts : float arrays, shape (b + 1,), (b,)
        Histogram between the 0.05% and the 99.9% point.
    step_name, step_origin : text arrays, shape (k,)
    step_visits, step_mean, step_exact : float arrays, shape (k,)
        How often a step is done, what it takes in all, and the exact mean of that.
    driver, driver_kind : text arrays, shape (d,)
        Steps, decisions and the common factor, the strongest first.
    rank_correlation, first, first_error, share, share_error : float arrays, shape (d,)
        Rank correlation with the total; share of the variance alone (first order) and with all it acts
        together with (total), with standard errors.
    check, check_exact, check_simulated, check_error : arrays, shape (c,)
        Closed forms and what the simulation gave, with its standard error.
    resamples, sensitivity : int
        Sets of resampled inputs; runs behind the drivers.
    """

    kind: ClassVar[str] = "simulation"

    measure: Measure
    process: Part
    objective: Objective | None
    standing: str | None
    runs: int
    seed: int
    confidence: float
    dependence: str
    loadings: NDArray[np.float64]
    matrix: NDArray[np.float64] | None
    quantity: NDArray[Any]
    how: NDArray[Any]
    unit: NDArray[Any]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    input_low: NDArray[np.float64]
    input_high: NDArray[np.float64]
    kept_p: NDArray[np.float64]
    kept: NDArray[np.float64]
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    step_name: NDArray[Any]
    step_origin: NDArray[Any]
    step_visits: NDArray[np.float64]
    step_mean: NDArray[np.float64]
    step_exact: NDArray[np.float64]
    driver: NDArray[Any]
    driver_kind: NDArray[Any]
    rank_correlation: NDArray[np.float64]
    first: NDArray[np.float64]
    first_error: NDArray[np.float64]
    share: NDArray[np.float64]
    share_error: NDArray[np.float64]
    check: NDArray[Any]
    check_exact: NDArray[np.float64]
    check_simulated: NDArray[np.float64]
    check_error: NDArray[np.float64]
    resamples: int
    sensitivity: int

    def __getitem__(self, quantity: str) -> Estimate:
        """One quantity with the interval of its simulation error ("mean", "sd", "p90", "probability").

        Raises
        ------
        UnknownNameError
        """
        name = "p50" if quantity == "median" else quantity
        found = np.flatnonzero(self.quantity == name)
        if not len(found):
            raise UnknownNameError("quantity of this simulation", quantity, self.quantity.tolist())
        k = int(found[0])
        interval = Interval(
            float(self.low[k]), float(self.high[k]), confidence=self.confidence, method=str(self.how[k])
        )
        return Estimate(quantity, float(self.estimate[k]), unit=str(self.unit[k]), interval=interval)

    def probability(self, *, at_most: float | None = None, at_least: float | None = None) -> Estimate:
        """Probability of a total of at most, or at least, or between, with its simulation error.

        From the quantiles that are kept, linearly between them.

        Raises
        ------
        InputError
            Without a bound.
        """
        if at_most is None and at_least is None:
            raise InputError("probability of what? Give at_most= or at_least=")
        above = 1.0 if at_most is None else float(self._cdf(at_most))
        below = 0.0 if at_least is None else float(self._cdf(np.nextafter(at_least, -np.inf)))
        value = max(above - below, 0.0)
        low, high = exact_share(value * self.runs, self.runs, self.confidence)
        how = "exact binomial, simulation error only"
        return Estimate(
            "probability", value, interval=Interval(low, high, confidence=self.confidence, method=how)
        )

    def interim(
        self, *, target: float | None = None, share: float | None = None, runs: int = 2**16
    ) -> pd.DataFrame:
        """Interim objectives for the parts of a sequence, derived backwards from the final one.

        Parameters
        ----------
        target : float, optional
            What the total shall be at most; default that of the objective.
        share : float, optional
            With which probability; default the share of the objective.
        runs : int
            Of their own, with the seed of the simulation.

        Returns
        -------
        DataFrame, one row per part
            part; mean; budget: all parts take their budgets at the same percentile (``budget_percentile``),
            and the budgets add up to the target; cumulative_budget; milestone: the most that may have been
            used up when the part is done so that the target is still met with probability ``share``; kept:
            the probability that the milestone is met. NaN where the target cannot be met like that.

        Raises
        ------
        InputError
            Without target or share, or when the process is no sequence.

        Notes
        -----
        For independent parts a milestone is the target less the ``share`` quantile of what is left; with
        correlated steps it comes from the probability given what was used (a moving average over a fiftieth
        of the runs). NaN: that probability is out of reach, however little was used.
        """
        if target is None:
            if self.objective is not None and self.objective.direction != "at_most":
                raise InputError("interim objectives share out what the total may be at most: give target=")
            if self.objective is None:
                raise InputError("interim objectives need target= (what the total shall be at most)")
            target = self.objective.target
        if share is None:
            share = None if self.objective is None else self.objective.share
            if share is None:
                raise InputError("interim objectives need share= (0.9: met by nine in ten)")
        if not 0 < share < 1:
            raise InputError(f"share lies between 0 and 1 (0.9), got {share}")
        return interim_objectives(self._plan(), float(target), share, runs=runs, seed=self.seed)

    def drivers(self) -> pd.DataFrame:
        """One row per step, decision and common factor, the strongest first.

        driver, kind, rank_correlation, first, first_se, total, total_se (shares of the variance).
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "driver": self.driver,
                "kind": self.driver_kind,
                "rank_correlation": self.rank_correlation,
                "first": self.first,
                "first_se": self.first_error,
                "total": self.share,
                "total_se": self.share_error,
            }
        )

    def steps(self) -> pd.DataFrame:
        """One row per step: step, source, visits (times done on average), mean (in all), exact_mean, unit."""
        import pandas as pd

        return pd.DataFrame(
            {
                "step": self.step_name,
                "source": self.step_origin,
                "visits": self.step_visits,
                "mean": self.step_mean,
                "exact_mean": self.step_exact,
                "unit": self.measure.unit,
            }
        )

    def checks(self) -> pd.DataFrame:
        """One row per closed form: quantity, exact, simulated, se, standard_errors (how far apart)."""
        import pandas as pd

        with np.errstate(invalid="ignore", divide="ignore"):
            apart = (self.check_simulated - self.check_exact) / self.check_error
        return pd.DataFrame(
            {
                "quantity": self.check,
                "exact": self.check_exact,
                "simulated": self.check_simulated,
                "se": self.check_error,
                "standard_errors": apart,
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity: quantity, estimate, low, high (simulation error), input_low, input_high
        (sample sizes of the inputs), confidence, method, unit."""
        import pandas as pd

        return pd.DataFrame(
            {
                "quantity": self.quantity,
                "estimate": self.estimate,
                "low": self.low,
                "high": self.high,
                "input_low": self.input_low,
                "input_high": self.input_high,
                "confidence": self.confidence,
                "method": self.how,
                "unit": self.unit,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: what the process takes, the probability of meeting the objective, what drives it."""
        import pandas as pd

        def value(quantity: str, part: str = "estimate") -> float:
            found = np.flatnonzero(self.quantity == quantity)
            return float(getattr(self, part)[found[0]]) if len(found) else math.nan

        row = {
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "process": str(self.process),
            "steps": len(self.step_name),
            "runs": self.runs,
            "dependence": self.dependence,
            "mean": value("mean"),
            "sd": value("sd"),
            "p10": value("p10"),
            "median": value("p50"),
            "p90": value("p90"),
            "p95": value("p95"),
            "objective": self.objective.name if self.objective else None,
            "probability": value("probability"),
            "probability_low": value("probability", "low"),
            "probability_high": value("probability", "high"),
            "input_low": value("probability", "input_low"),
            "input_high": value("probability", "input_high"),
            "standing": self.standing,
            "strongest_driver": self.driver[0] if len(self.driver) else None,
            "driver_share": float(self.share[0]) if len(self.driver) else math.nan,
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables a report shows, each with its title."""
        return (
            ("Summary", self.summary()),
            ("Distribution", self.to_frame()),
            ("What drives it", self.drivers()),
            ("Steps", self.steps()),
            ("Checks against closed forms", self.checks()),
        )

    def _cdf(self, x: float) -> float:
        if x >= self.kept[-1]:
            return 1.0
        if x < self.kept[0]:
            return 0.0
        right = int(np.searchsorted(self.kept, x, side="right"))
        a, b = float(self.kept[right - 1]), float(self.kept[right])
        p, q = float(self.kept_p[right - 1]), float(self.kept_p[right])
        return p + (q - p) * ((x - a) / (b - a) if b > a else 1.0)

    def _plan(self) -> Any:
        return prepare(self.process, Dependence(self.loadings, self.matrix, self.dependence))


def exact_share(successes: float, n: int, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson interval of a share.

    Examples
    --------
    >>> [round(v, 4) for v in exact_share(8, 10, 0.95)]
    [0.4439, 0.9748]
    """
    half = (1 - confidence) / 2
    low = float(special.betaincinv(successes, n - successes + 1, half)) if successes > 0 else 0.0
    high = float(special.betaincinv(successes + 1, n - successes, 1 - half)) if successes < n else 1.0
    return low, high
