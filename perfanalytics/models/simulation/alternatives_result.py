"""ProcessComparison: several ways to compose a process, run with the same random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.models.simulation.parts import Part

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ProcessComparison(Result):
    """Alternative processes beside each other; the first is the reference.

    Attributes
    ----------
    measure : Measure
    objective : Objective or None
    processes : tuple of Part
    names : text array, shape (a,)
    best : str or None
        The alternative with the highest probability of meeting the objective (without one: the lowest mean);
        None when it cannot be told from the next best.
    runs, seed, resamples : int
    confidence : float
    dependence : {"independent", "one common factor", "pairs"}
    mean, sd, p50, p90 : float arrays, shape (a,)
    probability : float array, shape (a,)
        Of meeting the objective; NaN without one.
    difference, difference_low, difference_high : float arrays, shape (a,)
        Of the means, less the reference, with simulation error.
    gain, gain_low, gain_high : float arrays, shape (a,)
        Of the probabilities, less the reference.
    difference_input_low, difference_input_high, gain_input_low, gain_input_high : float arrays, shape (a,)
        The same from the sample sizes of the inputs; NaN without ``resamples``.
    better_runs : float array, shape (a,)
        Share of runs in which the alternative takes less than the reference.
    variance_ratio : float array, shape (a,)
        Variance of the difference with common random numbers over that with separate ones.
    levels, quantiles : float arrays, shape (m,), (a, m)
        Of the total of each alternative.
    """

    kind: ClassVar[str] = "process_comparison"

    measure: Measure
    objective: Objective | None
    processes: tuple[Part, ...]
    names: NDArray[Any]
    best: str | None
    runs: int
    seed: int
    resamples: int
    confidence: float
    dependence: str
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    p50: NDArray[np.float64]
    p90: NDArray[np.float64]
    probability: NDArray[np.float64]
    difference: NDArray[np.float64]
    difference_low: NDArray[np.float64]
    difference_high: NDArray[np.float64]
    gain: NDArray[np.float64]
    gain_low: NDArray[np.float64]
    gain_high: NDArray[np.float64]
    difference_input_low: NDArray[np.float64]
    difference_input_high: NDArray[np.float64]
    gain_input_low: NDArray[np.float64]
    gain_input_high: NDArray[np.float64]
    better_runs: NDArray[np.float64]
    variance_ratio: NDArray[np.float64]
    levels: NDArray[np.float64]
    quantiles: NDArray[np.float64]

    def to_frame(self) -> pd.DataFrame:
        """One row per alternative.

        alternative, process, mean, sd, p50, p90, probability; difference, difference_low, difference_high
        (of the means, less the reference), difference_input_low, difference_input_high; gain, gain_low,
        gain_high (of the probabilities), gain_input_low, gain_input_high; better_runs, variance_ratio,
        confidence, unit.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "alternative": self.names,
                "process": [str(p) for p in self.processes],
                "mean": self.mean,
                "sd": self.sd,
                "p50": self.p50,
                "p90": self.p90,
                "probability": self.probability,
                "difference": self.difference,
                "difference_low": self.difference_low,
                "difference_high": self.difference_high,
                "difference_input_low": self.difference_input_low,
                "difference_input_high": self.difference_input_high,
                "gain": self.gain,
                "gain_low": self.gain_low,
                "gain_high": self.gain_high,
                "gain_input_low": self.gain_input_low,
                "gain_input_high": self.gain_input_high,
                "better_runs": self.better_runs,
                "variance_ratio": self.variance_ratio,
                "confidence": self.confidence,
                "unit": self.measure.unit,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: the alternatives, the best of them, the objective."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "alternatives": len(self.names),
                    "reference": self.names[0],
                    "best": self.best,
                    "objective": self.objective.name if self.objective else None,
                    "runs": self.runs,
                    "dependence": self.dependence,
                    "resamples": self.resamples,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )
