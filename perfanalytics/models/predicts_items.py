"""What a fitted model predicts of new items: a range, the probability of an objective, draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Objective
from perfanalytics.models.predicting import predictive_of
from perfanalytics.models.prediction import NewRows, read_new
from perfanalytics.models.predictive import Predictive
from perfanalytics.models.tabulating import bounds_of

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class PredictsItems:
    """Predictions of :class:`perfanalytics.Model`, the same for all families."""

    __slots__ = ()

    def predict(self, new: pd.DataFrame | Mapping[str, Any], *, confidence: float = 0.95) -> pd.DataFrame:
        """What the model expects for new rows.

        Parameters
        ----------
        new : DataFrame or mapping of column to values (or to one value: one row)
            With the columns on the right side of the formula, and those of ``offset=`` and ``exposure=``;
            where there is one of ``weights=``, ``sizes=`` and ``groups=``, it is used.
        confidence : float
            Of both intervals, in (0, 1).

        Returns
        -------
        DataFrame, one row per new row (same index)
            - estimate: the typical (median) value, in the unit of the measure; of counts and shares the mean;
            - mean, mean_low, mean_high: the expected value and its confidence interval. On the log scale
              the median is multiplied by the smearing factor (Duan 1983), taken as known, of a mixed model
              also by the mean of the lognormal law of the level of a group;
            - item_low, item_high: prediction interval for one new item, with the uncertainty of the
              parameters in it: Student's t (gaussian, mixed), quadrature over the parameters (gamma,
              binomial, Poisson, negative binomial; whole numbers where items are), quantiles calibrated on
              items left out (quantile);
            - confidence;
            - extrapolates: True where the row lies outside the data; why: in which way. A level that the
              data did not have, a missing or infinite value, and an exposure, weight or size that is none
              give NaN. A group that a mixed model does not know is predicted as a new one.

        Raises
        ------
        UnknownNameError
            When a column is missing.

        References
        ----------
        Duan (1983), JASA 78, 605-610 (smearing).
        """
        import pandas as pd

        if not 0 < confidence < 1:
            raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
        rows, law = _law(self, new)
        low, high = law.mean_interval(confidence)
        return pd.DataFrame(
            {
                "estimate": law.typical(),
                "mean": law.mean(),
                "mean_low": low,
                "mean_high": high,
                "item_low": law.quantile((1 - confidence) / 2),
                "item_high": law.quantile((1 + confidence) / 2),
                "confidence": confidence,
                "extrapolates": rows.extrapolates,
                "why": rows.why,
            },
            index=rows.index,
        )

    def probability(
        self,
        new: pd.DataFrame | Mapping[str, Any],
        *,
        objective: Objective | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> pd.DataFrame:
        """Probability that a new item meets an objective.

        Parameters
        ----------
        new : DataFrame or mapping of column to values
        objective : Objective, optional
            About single items. Without it and without a bound: the objective of the model.
        at_most, at_least : float, optional
            Bounds in the unit of the measure, instead of an objective; both together make a range.

        Returns
        -------
        DataFrame, one row per new row (same index)
            probability (of the same law as the item interval: the uncertainty of the parameters is in it),
            at_least, at_most (the bounds), extrapolates, why.

        Raises
        ------
        InputError
            Without any bound, with both an objective and a bound, or an objective about another measure.
        """
        import pandas as pd

        low, high = bounds_of(self, objective, at_most, at_least)
        rows, law = _law(self, new)
        typical = law.mean()
        above = law.cdf(high) if high < math.inf else np.ones(len(typical))
        under = law.below(low) if low > -math.inf else np.zeros(len(typical))
        return pd.DataFrame(
            {
                "probability": np.where(np.isnan(typical), np.nan, np.clip(above - under, 0.0, 1.0)),
                "at_least": np.nan if low == -math.inf else low,
                "at_most": np.nan if high == math.inf else high,
                "extrapolates": rows.extrapolates,
                "why": rows.why,
            },
            index=rows.index,
        )

    def simulate_items(
        self, new: pd.DataFrame | Mapping[str, Any], *, draws: int = 1000, rng: np.random.Generator | int
    ) -> Floats:
        """Draws of new items, with the uncertainty of the parameters and of single items in them.

        Parameters
        ----------
        new : DataFrame or mapping of column to values
            As for :meth:`predict`; one new item a row.
        draws : int
            How many times all items are drawn. One draw of the parameters serves all rows of a draw, so that
            sums and maxima over items are right.
        rng : Generator or int
            A generator, or a seed. The same seed and number of rows give the same luck: differences between
            two calls are then those of the rows (common random numbers).

        Returns
        -------
        float array, shape (draws, rows)
            In the unit of the measure; NaN where a row cannot be predicted. A share of draws p has a Monte
            Carlo standard error of ``sqrt(p (1 - p) / draws)``.

        Raises
        ------
        InputError
            When draws is not a positive whole number, or rng neither a generator nor a seed.

        Examples
        --------
        >>> import pandas as pd
        >>> from perfanalytics.models.model import fit
        >>> data = pd.DataFrame({"hours": [2.1, 3.9, 6.2, 7.8, 10.1, 12.2], "size": [1, 2, 3, 4, 5, 6]})
        >>> items = fit("hours ~ size", data).simulate_items({"size": [2, 5]}, draws=200, rng=1)
        >>> items.shape
        (200, 2)
        """
        if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
            raise InputError(f"draws is a positive whole number, got {draws!r}")
        if not isinstance(rng, np.random.Generator | int | np.integer):
            raise InputError(f"rng is a numpy Generator or a whole number as seed, got {type(rng).__name__}")
        _, law = _law(self, new)
        return law.draw(int(draws), np.random.default_rng(rng))


def _law(model: Any, new: pd.DataFrame | Mapping[str, Any]) -> tuple[NewRows, Predictive]:
    rows = read_new(model, new)
    return rows, predictive_of(model, rows)
