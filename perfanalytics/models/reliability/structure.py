"""structure(parts) -> Structure: the availability of a system from that of its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Interval, Method, Provenance, Result
from perfanalytics.models.reliability.availability import Availability

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Structure(Result):
    """A system of independent parts, so many of which are needed.

    Attributes
    ----------
    need : int
        Parts that must be up: all in series, one in parallel, k of n.
    parts : text array, shape (n,)
    part_availability, part_error : float arrays, shape (n,)
        Availability of each part and its standard error (0 where it is taken as known).
    importance : float array, shape (n,)
        Birnbaum's: how much the system gains for each unit of availability of the part.
    share_of_loss : float array, shape (n,)
        Share of the system's unavailability that a perfect part would take away.
    availability, error : float
    interval : Interval
    """

    kind: ClassVar[str] = "structure"
    schema_version: ClassVar[int] = 1

    need: int
    parts: NDArray[Any]
    part_availability: Floats
    part_error: Floats
    importance: Floats
    share_of_loss: Floats
    availability: float
    error: float
    interval: Interval

    def to_frame(self) -> pd.DataFrame:
        """One row per part: part, availability, std_error, importance, share_of_loss."""
        import pandas as pd

        return pd.DataFrame(
            {
                "part": self.parts,
                "availability": self.part_availability,
                "std_error": self.part_error,
                "importance": self.importance,
                "share_of_loss": self.share_of_loss,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: parts, need, availability, low, high, downtime_per_year (hours), caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "parts": len(self.parts),
                    "need": self.need,
                    "availability": self.availability,
                    "low": self.interval.low,
                    "high": self.interval.high,
                    "downtime_per_year": (1 - self.availability) * 8766,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


def structure(
    parts: Mapping[str, float | Availability | Structure],
    *,
    need: int | str = "all",
    confidence: float = 0.95,
) -> Structure:
    """Availability of parts in series (all needed), in parallel (any) or k of n.

    Parameters
    ----------
    parts : mapping of name to float, Availability or Structure
        A number is taken as known; a result brings its uncertainty; structures nest.
    need : {"all", "any"} or int
        How many parts must be up.
    confidence : float

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Parts fail and are repaired independently: a common cause (power, network, the same change) makes a
    parallel system much worse than this. The interval is by the delta method on the logit scale.

    References
    ----------
    Barlow and Proschan (1975), Statistical Theory of Reliability and Life Testing; Birnbaum (1969), in
    Multivariate Analysis II (importance).

    Examples
    --------
    >>> import perfanalytics as perf
    >>> web = perf.structure({"web 1": 0.99, "web 2": 0.99, "web 3": 0.99}, need=2)
    >>> service = perf.structure({"web": web, "database": 0.995})
    >>> round(web.availability, 6), round(service.availability, 6)
    (0.999702, 0.994703)
    """
    if not isinstance(parts, Mapping) or not parts:
        raise InputError("parts= is a mapping of name to availability, at least one")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    n = len(parts)
    if isinstance(need, str):
        if need not in ("all", "any"):
            raise UnknownNameError("number needed (need=)", need, ("all", "any"))
        k = n if need == "all" else 1
    elif isinstance(need, bool) or not isinstance(need, int | np.integer) or not 1 <= need <= n:
        raise InputError(f"need= is 'all', 'any' or a whole number from 1 to {n}, got {need!r}")
    else:
        k = int(need)
    values, errors = np.array([_value(name, p) for name, p in parts.items()]).T
    up = at_least(values, k)
    importance = np.empty(n)
    gain = np.empty(n)
    for i in range(n):
        one, zero = values.copy(), values.copy()
        one[i], zero[i] = 1.0, 0.0
        importance[i] = at_least(one, k) - at_least(zero, k)
        gain[i] = at_least(one, k) - up
    known = np.isfinite(errors)
    error = math.sqrt(float(((importance * errors)[known] ** 2).sum())) if known.all() else math.nan
    low, high = _interval(up, error, confidence)
    down = 1 - up
    names = [str(p) for p in parts]
    share = gain / down if down > 0 else np.zeros(n)
    caveats = []
    inside = [p for p in parts.values() if isinstance(p, Structure)]
    if k < n or any("independence-assumed" in p.caveat_codes for p in inside):
        text = "Parts are taken to fail independently: a common cause would make the system worse than this."
        caveats.append(Caveat("independence-assumed", text, {"parts": n, "need": k}))
    if not (errors > 0).any() and known.all():
        text = "The availabilities of all parts are taken as known: the interval knows no uncertainty."
        caveats.append(Caveat("parts-taken-as-known", text, {"parts": n}))
    if not known.all():
        text = f"The uncertainty of {', '.join(np.array(names)[~known])} is not known: there is no interval."
        caveats.append(Caveat("no-interval", text, {}))
    words = {n: "in series", 1: "in parallel"}.get(k, f"of which {k} are needed") if n > 1 else "alone"
    worst = int(np.argmax(share))
    verdict = (
        f"{n} part{'s' if n > 1 else ''} {words}: available {number(100 * up, spread=down * 10)}% of the "
        "time, "
        f"{number(down * 8766, 'hours')} down a year"
    )
    if error > 0:
        verdict += (
            f" ({percent(confidence)} interval {number((1 - high) * 8766)} to {number((1 - low) * 8766)})"
        )
    if n > 1 and k > 1:
        verdict += (
            f". {names[worst]} matters most: a perfect one would take away "
            f"{percent(float(share[worst]))} of it"
        )
    return Structure(
        verdict=verdict + ".",
        caveats=tuple(caveats),
        method=Method(
            "structure",
            {"need": k, "parts": names, "independence": True, "confidence": confidence},
            ("Barlow and Proschan (1975), Statistical Theory of Reliability and Life Testing",),
        ),
        provenance=Provenance("", data_hash="", n=n),
        need=k,
        parts=read_only(np.array(names, dtype=object)),
        part_availability=read_only(values),
        part_error=read_only(errors),
        importance=read_only(importance),
        share_of_loss=read_only(share),
        availability=up,
        error=error,
        interval=Interval(low, high, confidence=confidence, method="delta method, logit scale"),
    )


def at_least(up: Floats, k: int) -> float:
    """Probability that at least k of independent parts are up.

    Examples
    --------
    >>> round(at_least(np.array([0.9, 0.9, 0.9]), 2), 3)
    0.972
    """
    # of the parts that are down: few and small probabilities, so that 1 - p keeps its digits
    p = np.ones(1)
    for a in up.tolist():
        p = np.convolve(p, [a, 1 - a])
    return float(min(max(1 - p[len(up) - k + 1 :].sum(), 0.0), 1.0))


def _value(name: str, part: float | Availability | Structure) -> tuple[float, float]:
    if isinstance(part, Structure):
        return part.availability, part.error
    if isinstance(part, Availability):
        down = float(part.down.sum())
        error = math.sqrt(float((part.down**2).sum())) / part.service_time if down > 0 else math.nan
        return part.availability, error
    if isinstance(part, bool) or not isinstance(part, int | float | np.floating) or not 0 <= part <= 1:
        raise InputError(f"part {name!r} is an availability from 0 to 1 or a result, got {part!r}")
    return float(part), 0.0


def _interval(up: float, error: float, confidence: float) -> tuple[float, float]:
    if not math.isfinite(error):
        return math.nan, math.nan
    if error == 0 or not 0 < up < 1:
        return up, up
    z = float(special.ndtri((1 + confidence) / 2))
    center, half = math.log(up / (1 - up)), z * error / (up * (1 - up))
    return float(special.expit(center - half)), float(special.expit(center + half))
