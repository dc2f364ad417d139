"""p-values adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError

#: name -> what it keeps
ADJUSTMENTS = {
    "holm": "family-wise error, any dependence (Holm 1979)",
    "hochberg": "family-wise error, independent or positively dependent (Hochberg 1988)",
    "bonferroni": "family-wise error, any dependence",
    "benjamini_hochberg": "false discovery rate, independent or positively dependent "
    "(Benjamini and Hochberg 1995)",
    "none": "nothing: every p-value stands alone",
}


def adjusted_p_values(p: Sequence[float] | Floats, *, method: str = "holm") -> Floats:
    """p-values adjusted for their number.

    Parameters
    ----------
    p : sequence of float
        NaN (no test) stays NaN and does not count.
    method : {"holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"}

    Returns
    -------
    float array of the same length

    Raises
    ------
    UnknownNameError
        For another method.
    InputError
        For p-values outside 0 and 1.

    References
    ----------
    Holm (1979), Scandinavian J. Statistics 6; Hochberg (1988), Biometrika 75; Benjamini and Hochberg (1995),
    J. Royal Statistical Society B 57; R ``p.adjust``.

    Examples
    --------
    >>> adjusted_p_values([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    >>> adjusted_p_values([0.01, 0.04, 0.03], method="benjamini_hochberg").round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    if method not in ADJUSTMENTS:
        raise UnknownNameError("adjustment", str(method), ADJUSTMENTS)
    given = np.asarray(p, dtype=float)
    known = ~np.isnan(given)
    if ((given[known] < 0) | (given[known] > 1)).any():
        raise InputError("p-values lie between 0 and 1")
    out = given.copy()
    x = given[known]
    m = len(x)
    if m == 0 or method == "none":
        return out
    order = np.argsort(x, kind="stable")
    ordered, rank = x[order], np.arange(1, m + 1)
    if method == "bonferroni":
        found = m * ordered
    elif method == "holm":
        found = np.maximum.accumulate((m + 1 - rank) * ordered)
    else:
        factor = (m + 1 - rank) if method == "hochberg" else m / rank
        found = np.minimum.accumulate((factor * ordered)[::-1])[::-1]
    back = np.empty(m)
    back[order] = np.minimum(found, 1.0)
    out[known] = back
    return out
