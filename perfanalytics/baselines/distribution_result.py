"""DistributionFit: fitted distributions side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.numbers import PERCENTILES
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.order_statistics import quantile_ranks
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DistributionFit(Result):
    """Fitted distributions of one series, the best first; the values themselves are always kept.

    Attributes
    ----------
    measure : Measure
    n, n_censored : int
    confidence : float
    dependence : {"ar1", "independent"}
    n_effective : float
        Effective number of values behind the standard errors.
    values : float array, shape (n,)
    censored : bool array, shape (n,), or None
    fits : tuple of Fitted
        Rising AICc; those that did not converge last.
    """

    kind: ClassVar[str] = "distribution_fit"
    schema_version: ClassVar[int] = 1

    measure: Measure
    n: int
    n_censored: int
    confidence: float
    dependence: str
    n_effective: float
    values: NDArray[np.float64]
    censored: NDArray[np.bool_] | None
    fits: tuple[Fitted, ...]

    def __getitem__(self, family: str) -> Fitted:
        """The fit of one family.

        Raises
        ------
        UnknownNameError
        """
        for f in self.fits:
            if f.family == family:
                return f
        raise UnknownNameError("family of this fit", family, [f.family for f in self.fits])

    @property
    def best(self) -> Fitted | None:
        """The family with the lowest AICc; None where none converged. Whether it fits is another question."""
        return self.fits[0] if self.fits and self.fits[0].converged else None

    def ranking(self) -> pd.DataFrame:
        """One row per family.

        Columns: family, parameters (their number), log_likelihood, aicc, delta_aicc (above the best), bic,
        anderson_darling, p_value, p_how, distance, converged, why.
        """
        import pandas as pd

        best = self.fits[0].aicc if self.fits else math.nan
        rows = [
            (
                f.family,
                len(f.parameters),
                f.log_likelihood if f.converged else math.nan,
                f.aicc if f.converged else math.nan,
                f.aicc - best if f.converged and math.isfinite(best) else math.nan,
                f.bic if f.converged else math.nan,
                f.anderson_darling,
                f.p_value,
                f.p_how,
                f.distance,
                f.converged,
                f.why,
            )
            for f in self.fits
        ]
        names = ["family", "parameters", "log_likelihood", "aicc", "delta_aicc", "bic", "anderson_darling"]
        return pd.DataFrame(rows, columns=[*names, "p_value", "p_how", "distance", "converged", "why"])

    def quantiles(self) -> pd.DataFrame:
        """The percentiles of the values beside those of each family.

        Columns: family ("empirical" first), p, value, low, high (interval at ``confidence``).
        """
        import pandas as pd

        rows: list[tuple[str, float, float, float, float]] = []
        ordered = np.sort(self.values)
        km = None
        if self.censored is not None:
            km = kaplan_meier(self.values, self.censored, confidence=self.confidence)
        for p in (q / 100 for q in PERCENTILES):
            if km is not None:
                rows.append(("empirical", p, *km.quantile(p)))
                continue
            dependent = self.n_effective if self.n_effective < self.n else None
            ranks = quantile_ranks(self.n, p, confidence=self.confidence, n_effective=dependent)
            rows.append(("empirical", p, float(np.quantile(ordered, p)), *ranks.bounds(ordered)))
        for f in self.fits:
            for p in (q / 100 for q in PERCENTILES):
                if not f.converged:
                    rows.append((f.family, p, math.nan, math.nan, math.nan))
                    continue
                i = f.quantile_interval(p, confidence=self.confidence)
                rows.append((f.family, p, float(f.quantile(p)), i.low, i.high))
        return pd.DataFrame(rows, columns=["family", "p", "value", "low", "high"])

    def to_frame(self) -> pd.DataFrame:
        """One row per family and parameter: family, parameter, estimate, standard_error."""
        import pandas as pd

        rows = [
            (f.family, name, float(e), float(s))
            for f in self.fits
            for name, e, s in zip(f.parameters, f.estimate, f.standard_error, strict=True)
        ]
        return pd.DataFrame(rows, columns=["family", "parameter", "estimate", "standard_error"])

    def summary(self) -> pd.DataFrame:
        """One row: measure, n, n_censored, families, best, aicc, next_best, next_by (AICc), p_value, caveats,
        verdict."""
        import pandas as pd

        best = self.best
        second = self.fits[1] if len(self.fits) > 1 and self.fits[1].converged else None
        return pd.DataFrame(
            {
                "measure": [self.measure.name],
                "n": [self.n],
                "n_censored": [self.n_censored],
                "families": [len(self.fits)],
                "best": [best.family if best else None],
                "aicc": [best.aicc if best else math.nan],
                "next_best": [second.family if second else None],
                "next_by": [second.aicc - best.aicc if best and second else math.nan],
                "p_value": [best.p_value if best else math.nan],
                "caveats": [", ".join(self.caveat_codes)],
                "verdict": [self.verdict],
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Ranking, parameters, percentiles."""
        return (
            ("Families, best first", self.ranking()),
            ("Parameters", self.to_frame()),
            ("Percentiles", self.quantiles()),
        )
