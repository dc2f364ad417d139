"""capacity(...) -> Capacity: what a team can carry, and when the forecast exceeds it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.queues.queue import check_objective, check_servers, numbers_of
from perfanalytics.models.queues.staffing import level

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Capacity(Result):
    """The most arrivals that meet the objective, and the periods of a forecast that exceed them.

    Attributes
    ----------
    unit : str
    servers : int
    per, service : float
        Length of a period, mean service time.
    threshold : float
        Most arrivals in a period that still meet the objective.
    periods : array, shape (k,)
        Names or times of the periods of the forecast.
    demand, low, high : float arrays, shape (k,)
        Forecast and its interval (NaN where none is given).
    exceeded, earliest : int
        First period in which the forecast, or the upper end of its interval, exceeds the threshold; -1 for
        none.
    """

    kind: ClassVar[str] = "capacity_threshold"
    schema_version: ClassVar[int] = 1

    unit: str
    servers: int
    per: float
    service: float
    threshold: float
    periods: NDArray[Any]
    demand: Floats
    low: Floats
    high: Floats
    exceeded: int
    earliest: int

    def to_frame(self) -> pd.DataFrame:
        """One row per period: period, demand, low, high, threshold, headroom (share of the threshold left),
        exceeds, may_exceed."""
        import pandas as pd

        return pd.DataFrame(
            {
                "period": self.periods,
                "demand": self.demand,
                "low": self.low,
                "high": self.high,
                "threshold": self.threshold,
                "headroom": 1 - self.demand / self.threshold,
                "exceeds": self.demand > self.threshold,
                "may_exceed": np.fmax(self.high, self.demand) > self.threshold,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: servers, threshold, periods, largest_demand, exceeded_in, may_exceed_in, caveats,
        verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "servers": self.servers,
                    "threshold": self.threshold,
                    "periods": len(self.demand),
                    "largest_demand": float(self.demand.max()),
                    "exceeded_in": self._period(self.exceeded),
                    "may_exceed_in": self._period(self.earliest),
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def _period(self, k: int) -> str | None:
        return None if k < 0 else str(self.periods[k])


def capacity(
    demand: ArrayLike,
    *,
    service: float,
    servers: int,
    per: float = 1.0,
    within: float | None = None,
    target: float | None = None,
    max_utilization: float | None = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    periods: Sequence[Any] | None = None,
    arrival_cv: float = 1.0,
    service_cv: float = 1.0,
    unit: str = "hours",
) -> Capacity:
    """When does the demand forecast exceed what the team can carry?

    Parameters
    ----------
    demand : array_like, shape (k,)
        Forecast arrivals in each period of length ``per``.
    service : float
        Mean service time, in ``unit``.
    servers : int
    per : float
        Working time of a period, in ``unit``.
    within, target : float, optional
        Service level: the share ``target`` begins within ``within`` (Erlang C; Allen-Cunneen with other
        ``cv``).
    max_utilization : float, optional
        Largest share of busy time. At least one of the two objectives; with both the stricter counts.
    low, high : array_like, shape (k,), optional
        Interval of the forecast.
    periods : sequence, optional
        Names or times of the periods.
    arrival_cv, service_cv, unit
        As in :func:`staffing`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> import perfanalytics as perf
    >>> c = perf.capacity([60, 70, 80, 90], service=1.5, servers=4, per=40, max_utilization=0.8)
    >>> round(c.threshold, 1), c.exceeded
    (85.3, 3)
    """
    forecast = _forecast("demand", demand, None)
    ends = [
        np.full(len(forecast), np.nan) if v is None else _forecast(n, v, len(forecast))
        for n, v in (("low", low), ("high", high))
    ]
    if (ends[0] > forecast).any() or (ends[1] < forecast).any():
        raise InputError("low= lies at or below demand=, high= at or above it, in each period")
    check_servers(servers)
    for name, value in (("service", service), ("per", per)):
        if not 0 < value < math.inf:
            raise InputError(f"{name}= is a time above 0, got {value}")
    check_objective(within, target)
    if target is None and max_utilization is None:
        raise InputError("capacity for what? Give target= with within=, or max_utilization=")
    if max_utilization is not None and not 0 < max_utilization <= 1:
        raise InputError(f"max_utilization= is a share above 0 and at most 1, got {max_utilization}")
    most = (max_utilization if max_utilization is not None else 1.0) * servers
    if target is not None:
        assert within is not None
        least = 0.0
        top = most

        def meets(load: float) -> bool:
            return level(load, servers, service, within, "waiting", arrival_cv, service_cv)[0] >= target

        if not meets(top):
            for _ in range(100):
                middle = 0.5 * (least + top)
                least, top = (middle, top) if meets(middle) else (least, middle)
            most = least
    threshold = most * per / service
    named = np.array([str(p) for p in (periods if periods is not None else range(1, len(forecast) + 1))])
    if len(named) != len(forecast):
        raise InputError(f"periods= are {len(forecast)} names, one for each number of demand")
    beyond = np.flatnonzero(forecast > threshold)
    may = np.flatnonzero(np.fmax(ends[1], forecast) > threshold)
    fields: dict[str, Any] = {
        "unit": unit,
        "servers": int(servers),
        "per": float(per),
        "service": float(service),
        "threshold": threshold,
        "periods": read_only(named.astype(object)),
        "demand": read_only(forecast),
        "low": read_only(ends[0]),
        "high": read_only(ends[1]),
        "exceeded": int(beyond[0]) if len(beyond) else -1,
        "earliest": int(may[0]) if len(may) else -1,
    }
    caveats = []
    if high is None:
        text = (
            "The forecast is given without an interval: how early the threshold may be crossed is not known."
        )
        caveats.append(Caveat("no-interval", text, {}))
    return Capacity(
        verdict=_verdict(fields, within, target, max_utilization),
        caveats=tuple(caveats),
        method=Method(
            "capacity",
            {
                "within": within,
                "target": target,
                "max_utilization": max_utilization,
                "arrival_cv": arrival_cv,
                "service_cv": service_cv,
                "formula": "utilization"
                if target is None
                else "Erlang C"
                if (arrival_cv, service_cv) == (1.0, 1.0)
                else "Allen-Cunneen",
            },
            ("Gans, Koole and Mandelbaum (2003), Manufacturing and Service Operations Management 5",),
        ),
        provenance=Provenance("", data_hash="", n=len(forecast)),
        **fields,
    )


def _forecast(name: str, values: ArrayLike, n: int | None) -> Floats:
    array = numbers_of(name, values)
    if array.ndim != 1 or not len(array) or not (np.isfinite(array).all() and (array >= 0).all()):
        raise InputError(f"{name}= are finite numbers of at least 0, one for each period")
    if n is not None and len(array) != n:
        raise InputError(f"{name}= needs {n} numbers, one for each period, got {len(array)}")
    return array


def _verdict(
    r: dict[str, Any], within: float | None, target: float | None, max_utilization: float | None
) -> str:
    aims = []
    if target is not None:
        assert within is not None
        aims.append(f"{percent(target)} begun within {number(within, r['unit'])}")
    if max_utilization is not None:
        aims.append(f"at most {percent(max_utilization)} utilization")
    who = "1 server carries" if r["servers"] == 1 else f"{r['servers']} servers carry"
    text = (
        f"{who} at most {number(r['threshold'])} arrivals in {number(r['per'], r['unit'])} with "
        f"{' and '.join(aims)}. "
    )
    k, early = r["exceeded"], r["earliest"]
    if k >= 0:
        text += (
            f"The forecast exceeds that in period {r['periods'][k]} ({number(float(r['demand'][k]))} "
            "arrivals)"
        )
        text += f", perhaps already in period {r['periods'][early]}." if early < k else "."
    elif early >= 0:
        text += (
            f"The forecast stays below, but its interval exceeds that from period {r['periods'][early]} on."
        )
    else:
        left = 1 - float(r["demand"].max()) / r["threshold"]
        text += (
            f"The forecast stays below in every period; {percent(left)} of the capacity is left in "
            "the fullest."
        )
    return text
