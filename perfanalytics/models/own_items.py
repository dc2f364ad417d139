"""Items of one work group with their outcomes, as a model of the organization sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.models.prediction import read_new
from perfanalytics.models.preparing import refuse, refuse_response
from perfanalytics.models.result import Model

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OwnItems:
    """Items of a group: linear predictor of the organization's model, outcome (of shares and counts out of
    ``sizes`` the share), trials, weight, and whether the item lies outside the data of the model."""

    eta: Floats
    y: Floats
    sizes: Floats
    weights: Floats
    extrapolates: NDArray[np.bool_]

    def rows(self, own: NDArray[np.bool_]) -> OwnItems:
        """Some of the items."""
        return OwnItems(
            self.eta[own], self.y[own], self.sizes[own], self.weights[own], self.extrapolates[own]
        )


def own_items(model: Model, local: pd.DataFrame) -> OwnItems:
    """The items of the group that can be used; outcomes as the fit would take them.

    Raises
    ------
    InputError
        For an outcome the family does not know, or no complete item.
    """
    import pandas as pd

    name = model.response
    if pd.api.types.is_bool_dtype(local[name].dtype):
        local = local.assign(**{name: local[name].astype(float)})
    if not pd.api.types.is_numeric_dtype(local[name].dtype):
        raise InputError(f"the outcomes {name!r} of the local items must hold numbers")
    rows = read_new(model, local)
    observed = local[name].to_numpy(dtype=np.float64, na_value=np.nan)
    use = np.isfinite(rows.x).all(axis=1) & ~np.isnan(observed)
    refuse(local[use], name, np.isinf(local[name][use]), "infinite")
    if model.logged or model.family == "gamma":
        refuse(local[use], name, local[name][use] < 0, "negative", "it has no logarithm")
        use &= observed > 0
    sizes = model.columns.get("sizes")
    refuse_response(
        local[use] if sizes is None else local[use].assign(**{sizes: rows.sizes[use]}), name, model
    )
    if not use.any():
        raise InputError(
            "no local item is complete and within the levels of the model: nothing to calibrate on"
        )
    divided = model.family == "binomial" and not model.parameters.get("divided", 0.0)
    return OwnItems(
        eta=(rows.x @ model.coefficients + rows.offset)[use],
        y=(observed / rows.sizes if divided else observed)[use],
        sizes=rows.sizes[use],
        weights=rows.weights[use],
        extrapolates=rows.extrapolates[use],
    )
