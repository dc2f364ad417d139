"""The correlation of neighbours that a planned study counts with: given, or known to a stored result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat, Result

#: Days of each period.
DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "quarter": 91.31, "year": 365.25}


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation of neighbouring periods, and where it comes from."""

    rho: float
    source: str = "given"
    caveats: tuple[Caveat, ...] = ()


def known_correlation(rho: object, every: str | None) -> Correlation:
    """A number as it is; of a baseline or comparison, the correlation it found, not below 0.

    Of a comparison with drift plus independent noise, the AR(1) correlation under which a mean varies as
    much.

    Raises
    ------
    InputError
        For results that know no correlation.

    Examples
    --------
    >>> known_correlation(0.4, None).rho
    0.4
    """
    if isinstance(rho, bool) or not isinstance(rho, Result | int | float):
        raise InputError(f"rho is a number, a baseline or a comparison, got {type(rho).__name__}")
    if not isinstance(rho, Result):
        return Correlation(float(rho))
    parameters: dict[str, Any] = dict(rho.method.parameters)
    if rho.kind == "baseline":
        found, apart = _of_baseline(rho, parameters), _spacing(getattr(rho, "when", None))
    elif rho.kind == "comparison" and "rho" in parameters:
        found = equivalent_ar1(float(parameters["rho"]), float(parameters.get("noise_share", 0.0)))
        apart = DAYS.get(str(parameters.get("every", "")).split(" ", 1)[0])
    else:
        raise InputError(
            f"this {rho.kind} ({rho.method.name}) knows no correlation of neighbouring periods: take a "
            "baseline in order of time, a comparison by a series method, or give rho= as a number"
        )
    caveats: tuple[Caveat, ...] = ()
    if every in DAYS and apart is not None and not 0.6 < apart / DAYS[every] < 1.7:
        text = (
            f"The correlation is that of neighbours {apart:.3g} days apart, the study counts {every}s: "
            "periods of another length are correlated otherwise."
        )
        caveats = (Caveat("other-periods", text, {"days_apart": apart, "planned": every}),)
    name = str(getattr(getattr(rho, "measure", None), "name", "")) or "values"
    return Correlation(max(found, 0.0), f"{rho.kind} of {name}", caveats)


def equivalent_ar1(rho: float, noise: float) -> float:
    """The AR(1) correlation whose long-run variance is that of correlation (1 - noise) rho ** k.

    Examples
    --------
    >>> round(equivalent_ar1(0.5, 0.0), 12), round(equivalent_ar1(0.9, 0.5), 12)
    (0.5, 0.818181818182)
    """
    factor = 1.0 + 2.0 * (1.0 - noise) * rho / (1.0 - rho)
    return (factor - 1.0) / (factor + 1.0)


def _spacing(when: Any) -> float | None:
    """Days between neighbours, the median."""
    if when is None or len(when) < 2:
        return None
    return float(np.median(np.diff(when.astype("datetime64[s]").astype(np.int64)))) / 86400


def _of_baseline(baseline: Result, parameters: dict[str, Any]) -> float:
    if parameters.get("dependence") != "ar1":
        raise InputError(
            "this baseline takes its values as independent and knows no correlation: make it with "
            'dependence="ar1", or give rho= as a number'
        )
    return float(parameters["lag1_used"])
