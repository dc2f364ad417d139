"""availability(starts, ends) -> Availability: agreed service time, breaks in service, MTBF, MTTR."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.calendars import Calendar
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Interval, Method, Result
from perfanalytics.core.series import Series
from perfanalytics.models.reliability.growth_tests import rate_interval
from perfanalytics.models.reliability.outages import Spans, hours, instants, union, without

if TYPE_CHECKING:
    import pandas as pd

REPAIRS = ("bootstrap", "lognormal", "exponential")
#: Fewer outages than this: intervals are rough.
FEW = 10
#: Outages are called uneven over the months below this p-value, where there are so many a month.
UNEVEN, LEAST_A_MONTH = 0.01, 3
Pair = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Availability(Result):
    """Availability from outages. Times in hours of agreed service time.

    Attributes
    ----------
    since, until : datetime64
        The period.
    n_items : int
        Units whose time is added up.
    service_time, down_time, planned_time : float
        Agreed service time without the planned outages, unplanned down time within it, planned outages.
    outages : int
        Unplanned breaks in service.
    availability, mtbf, mttr, mtbsi : float
        Share of the service time that was up; mean up time between failures, mean time to restore service,
        mean time between service incidents (their sum). NaN without an outage.
    availability_interval, mtbf_interval, mttr_interval : Interval
    confidence : float
    target, p_meets : float
        Objective, and the probability that a next period of the same length meets it; NaN where not asked.
    start : array of datetime64, shape (n,)
        Begin of each outage.
    down : float array, shape (n,)
        Its length.
    item : text array, shape (n,)
    months : array of datetime64[M], shape (m,)
    month_availability : float array, shape (m,)
        NaN where a month has no service time.
    """

    kind: ClassVar[str] = "availability"
    schema_version: ClassVar[int] = 1

    since: np.datetime64
    until: np.datetime64
    n_items: int
    service_time: float
    down_time: float
    planned_time: float
    outages: int
    availability: float
    mtbf: float
    mttr: float
    mtbsi: float
    availability_interval: Interval
    mtbf_interval: Interval
    mttr_interval: Interval
    confidence: float
    target: float
    p_meets: float
    start: NDArray[np.datetime64]
    down: Floats
    item: NDArray[Any]
    months: NDArray[np.datetime64]
    month_availability: Floats

    def to_frame(self) -> pd.DataFrame:
        """One row per outage: item, start, down (hours of service time)."""
        import pandas as pd

        return pd.DataFrame({"item": self.item, "start": self.start, "down": self.down})

    def by_month(self) -> pd.DataFrame:
        """One row per calendar month: month, availability."""
        import pandas as pd

        return pd.DataFrame(
            {"month": self.months.astype("datetime64[s]"), "availability": self.month_availability}
        )

    def summary(self) -> pd.DataFrame:
        """One row: since, until, n_items, service_time, down_time, planned_time, outages, availability, mtbf,
        mttr, each with _low and _high, mtbsi, target, p_meets, caveats, verdict."""
        import pandas as pd

        names = ("since", "until", "n_items", "service_time", "down_time", "planned_time", "outages")
        row: dict[str, Any] = {n: getattr(self, n) for n in names}
        for name in ("availability", "mtbf", "mttr"):
            interval = getattr(self, f"{name}_interval")
            row |= {name: getattr(self, name), f"{name}_low": interval.low, f"{name}_high": interval.high}
        row |= {"mtbsi": self.mtbsi, "target": self.target, "p_meets": self.p_meets}
        row |= {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, months, outages."""
        return ("Summary", self.summary()), ("Months", self.by_month()), ("Outages", self.to_frame())


def availability(
    starts: ArrayLike,
    ends: ArrayLike,
    *,
    since: Any,
    until: Any,
    items: ArrayLike | None = None,
    n_items: int | None = None,
    calendar: Calendar | None = None,
    planned: Pair | None = None,
    target: float | None = None,
    repair: str = "bootstrap",
    confidence: float = 0.95,
    draws: int = 4000,
    seed: int = 0,
) -> Availability:
    """Availability in agreed service time, MTBF, MTTR, and whether the next period will meet the target.

    Parameters
    ----------
    starts, ends : array_like of datetime64, shape (n,)
        Outages, in any order. An end of NaT is an outage that lasts still.
    since, until : datetime64
        The period; outages are cut to it.
    items : array_like of str, shape (n,), optional
        The unit each outage belongs to (server, site); outages of one unit that overlap are one, those of
        different units are not.
    n_items : int, optional
        Units in service, those without an outage included; needed with ``items``.
    calendar : Calendar, optional
        Agreed service time; without it around the clock.
    planned : (starts, ends), optional
        Planned outages (maintenance windows) of all units: neither service time nor down time.
    target : float, optional
        Availability to be met (0.999).
    repair : {"bootstrap", "lognormal", "exponential"}
        How the interval of MTTR is made.
    confidence : float
    draws, seed : int
        Of the bootstrap and of ``p_meets``.

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    ``availability = 1 - down_time / service_time``; MTBF = up time / outages, with the exact interval of a
    constant failure rate; the interval of the availability takes the down time as a compound Poisson sum, on
    the log scale, so that no form of repair times is assumed. An outage outside the agreed service time is no
    break in service. ``p_meets`` draws the number of outages (gamma-Poisson) and their lengths (bootstrap) of
    a next period of the same service time. All of them take outages as independent, at a constant rate; the
    caveat ``overdispersed`` says where they vary more from month to month (chi-square, p below 1%).

    References
    ----------
    Rigdon and Basu (2000), Statistical Methods for the Reliability of Repairable Systems; Zou, Huo and
    Taleban (2009), Environmetrics 20 (interval of a lognormal mean); Trivedi and Bobbio (2017), Reliability
    and Availability Engineering, section 3.6.

    Examples
    --------
    >>> import numpy as np, perfanalytics as perf
    >>> starts = np.array(["2024-01-05T10:00", "2024-01-20T00:00"], dtype="datetime64[m]")
    >>> ends = np.array(["2024-01-05T12:00", "2024-01-20T06:00"], dtype="datetime64[m]")
    >>> since, until = np.datetime64("2024-01-01"), np.datetime64("2024-01-31")
    >>> a = perf.availability(starts, ends, since=since, until=until)
    >>> round(a.availability, 5), a.mtbf, a.mttr
    (0.98889, 356.0, 4.0)
    """
    low, high = int(instants("since=", since)[0]), int(instants("until=", until)[0])
    if high <= low:
        raise InputError("until= lies at or before since=: the period is empty")
    if repair not in REPAIRS:
        raise UnknownNameError("interval of MTTR (repair=)", str(repair), REPAIRS)
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if target is not None and not 0 < target < 1:
        raise InputError(f"target= is a share between 0 and 1 (0.999), got {target}")
    if draws < 200:
        raise InputError(f"draws= is at least 200, got {draws}")
    begin, names, count_items, closed, still = _outages(starts, ends, items, n_items, high)
    inside = (closed > low) & (begin < high) & (closed > begin)
    outside = int(len(begin) - inside.sum())
    cut = int((inside & ((begin < low) | (closed > high))).sum())
    begin, closed, names = np.maximum(begin, low)[inside], np.minimum(closed, high)[inside], names[inside]
    taken = _planned(planned, low, high)
    period = Spans(np.array([low]), np.array([high]))
    planned_one = float(hours(taken, calendar).sum())
    agreed = float(hours(period, calendar)[0]) - planned_one
    if agreed <= 0:
        raise InputError("no agreed service time is left between since= and until=")
    all_start, all_down, all_name, pieces = [], [], [], []
    merged = free = 0
    for name in dict.fromkeys(names.tolist()):
        mine = names == name
        one = union(Spans(begin[mine], closed[mine]))
        merged += int(mine.sum()) - len(one.start)
        parts, origin = without(one, taken)
        length = hours(parts, calendar)
        lost_each = np.bincount(origin, weights=length, minlength=len(one.start))
        seen = lost_each > 0
        free += int((~seen).sum())
        all_start.append(one.start[seen])
        all_down.append(lost_each[seen])
        all_name += [name] * int(seen.sum())
        pieces.append(parts)
    start = np.concatenate(all_start) if all_start else np.empty(0, dtype=np.int64)
    down: Floats = np.concatenate(all_down) if all_down else np.empty(0)
    order = np.argsort(start, kind="stable")
    start, down = start[order], down[order]
    item = np.array(all_name, dtype=object)[order] if len(order) else np.empty(0, dtype=object)
    n = len(down)
    service, lost = agreed * count_items, float(down.sum())
    up = service - lost
    rng = np.random.default_rng(seed)
    months, by_month, agreed_by_month = _months(low, high, taken, pieces, calendar, count_items)
    rate = rate_interval(n, up, confidence, failure_truncated=False) if up > 0 else (math.nan, math.nan)
    p_meets = math.nan if target is None else _chance(down, service, target, rng, draws)
    found = Availability(
        verdict="",
        method=Method(
            "availability",
            {
                "service_time": "around the clock" if calendar is None else f"calendar {calendar.name}",
                "calendar": calendar,
                "planned": "taken out of service time and down time",
                "overlaps": "merged within a unit",
                "availability_interval": "compound Poisson, log scale",
                "mtbf_interval": "constant failure rate, chi-square",
                "mttr_interval": repair,
                "target": target,
                "confidence": confidence,
                "draws": draws,
                "seed": seed,
            },
            ("Rigdon and Basu (2000), Statistical Methods for the Reliability of Repairable Systems",),
        ),
        provenance=Series(np.append(down, service)).provenance(),
        since=np.datetime64(low, "us"),
        until=np.datetime64(high, "us"),
        n_items=count_items,
        service_time=service,
        down_time=lost,
        planned_time=planned_one * count_items,
        outages=n,
        availability=1 - lost / service,
        mtbf=up / n if n else math.nan,
        mttr=lost / n if n else math.nan,
        mtbsi=service / n if n else math.nan,
        availability_interval=_availability_interval(down, service, confidence),
        mtbf_interval=Interval(
            1 / rate[1] if rate[1] else math.inf,
            1 / rate[0] if rate[0] else math.inf,
            confidence=confidence,
            method="constant failure rate, chi-square",
        ),
        mttr_interval=_repair_interval(down, repair, confidence, rng, draws),
        confidence=confidence,
        target=math.nan if target is None else target,
        p_meets=p_meets,
        start=read_only(start.astype("datetime64[us]")),
        down=read_only(down),
        item=read_only(item),
        months=read_only(months),
        month_availability=read_only(by_month),
    )
    caveats = _doubts(found, agreed_by_month, merged=merged, outside=outside, cut=cut, free=free, still=still)
    return replace(found, verdict=_verdict(found), caveats=tuple(caveats))


def _outages(
    starts: ArrayLike, ends: ArrayLike, items: ArrayLike | None, n_items: int | None, high: int
) -> tuple[NDArray[np.int64], NDArray[Any], int, NDArray[np.int64], int]:
    begin, closed = instants("starts", starts), instants("ends", ends, missing=True)
    if begin.shape != closed.shape:
        raise InputError(f"starts and ends must have one length, got {len(begin)} and {len(closed)}")
    never = np.iinfo(np.int64).min
    still = (closed == never) & (begin < high)
    closed = np.where(closed == never, np.maximum(high, begin), closed)
    if (closed < begin).any():
        raise InputError(f"outage {int(np.argmax(closed < begin))} ends before it begins")
    if n_items is not None and (
        isinstance(n_items, bool) or not isinstance(n_items, int | np.integer) or n_items < 1
    ):
        raise InputError(f"n_items= is a whole number of at least 1, got {n_items!r}")
    if items is None:
        if n_items not in (None, 1):
            raise InputError("n_items= needs items=: which unit each outage belongs to")
        return begin, np.full(len(begin), "", dtype=object), 1, closed, int(still.sum())
    names = np.array([str(v) for v in np.asarray(items).ravel().tolist()], dtype=object)
    if len(names) != len(begin):
        raise InputError(f"items= needs one name for each of {len(begin)} outages, got {len(names)}")
    if n_items is None:
        raise InputError(
            "items= needs n_items=: how many units were in service, those without outage included"
        )
    if len(set(names.tolist())) > n_items:
        raise InputError(f"{len(set(names.tolist()))} different units have outages, n_items= says {n_items}")
    return begin, names, int(n_items), closed, int(still.sum())


def _planned(planned: Pair | None, low: int, high: int) -> Spans:
    if planned is None:
        return Spans(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    if not isinstance(planned, tuple) or len(planned) != 2:
        raise InputError("planned= is a pair (starts, ends) of two arrays")
    a, b = instants("planned starts", planned[0]), instants("planned ends", planned[1])
    if a.shape != b.shape or (b < a).any():
        raise InputError("planned= are starts and ends of one length, no end before its start")
    a, b = np.maximum(a, low), np.minimum(b, high)
    return union(Spans(a[b > a], b[b > a]))


def _months(
    low: int, high: int, taken: Spans, pieces: list[Spans], calendar: Calendar | None, n_items: int
) -> tuple[NDArray[np.datetime64], Floats, Floats]:
    """Months, the share of each that was up, and its agreed hours."""
    first, last = (np.datetime64(t, "us").astype("datetime64[M]") for t in (low, high - 1))
    months = np.arange(first, last + 1)
    edges = np.append(months, last + 1).astype("datetime64[us]").astype(np.int64)
    edges = np.clip(edges, low, high)

    def within(spans: Spans) -> Floats:
        """Hours in each month: a difference of the hours before each edge."""
        before = []
        for edge in edges.tolist():
            cut = Spans(np.minimum(spans.start, edge), np.minimum(spans.end, edge))
            before.append(float(hours(cut, calendar).sum()) if len(cut.start) else 0.0)
        return np.diff(np.array(before))

    agreed = within(Spans(np.array([low]), np.array([high]))) - within(taken)
    whole = Spans(
        np.concatenate([p.start for p in pieces]) if pieces else np.empty(0, dtype=np.int64),
        np.concatenate([p.end for p in pieces]) if pieces else np.empty(0, dtype=np.int64),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1 - within(whole) / (agreed * n_items)
    return months, np.where(agreed > 1e-9, share, np.nan), agreed


def _availability_interval(down: Floats, service: float, confidence: float) -> Interval:
    method = "compound Poisson sum of down times, log scale"
    n = len(down)
    if n == 0:
        # no outage: nothing is known of their length
        return Interval(math.nan, 1.0, confidence=confidence, method=method)
    z = float(special.ndtri((1 + confidence) / 2))
    factor = math.exp(min(z * math.sqrt(float((down**2).sum())) / float(down.sum()), 700.0))
    lost = float(down.sum()) / service
    return Interval(max(1 - lost * factor, 0.0), 1 - lost / factor, confidence=confidence, method=method)


def _repair_interval(
    down: Floats, repair: str, confidence: float, rng: np.random.Generator, draws: int
) -> Interval:
    n = len(down)
    nothing = math.nan, math.nan
    tail = (1 - confidence) / 2
    if repair == "exponential":
        total = 2 * float(down.sum())
        ends = (
            (total / special.chdtri(2 * n, tail), total / special.chdtri(2 * n, 1 - tail)) if n else nothing
        )
        how = "exponential repair times, chi-square"
    elif repair == "lognormal":
        how = "lognormal repair times, Zou, Huo and Taleban"
        ends = _lognormal_mean(down, confidence) if n > 1 else nothing
    else:
        how = "bootstrap of log mean, Student"
        ends = nothing
        if n > 1 and float(down.std()) > 0:
            # the ratio of mean and its error is steadier on the log scale: repair times are skewed
            center = math.log(float(down.mean()))
            error = float(down.std(ddof=1)) / math.sqrt(n) / float(down.mean())
            t = np.empty(draws)
            for k in range(draws):
                sample = down[rng.integers(0, n, n)]
                spread = float(sample.std(ddof=1)) / math.sqrt(n) / float(sample.mean())
                t[k] = (math.log(float(sample.mean())) - center) / spread if spread > 0 else 0.0
            a, b = np.quantile(t, [tail, 1 - tail])
            ends = math.exp(center - float(b) * error), math.exp(min(center - float(a) * error, 700.0))
    return Interval(float(ends[0]), float(ends[1]), confidence=confidence, method=how)


def _lognormal_mean(values: Floats, confidence: float) -> tuple[float, float]:
    """Interval of the mean of lognormal values (Zou, Huo and Taleban 2009, equation 7)."""
    logs = np.log(values)
    n, s2 = len(logs), float(logs.var(ddof=1))
    tail = (1 - confidence) / 2
    z = float(special.ndtri(1 - tail))
    center = float(logs.mean()) + s2 / 2
    below = (s2 / 2) * (1 - (n - 1) / float(special.chdtri(n - 1, tail)))
    above = (s2 / 2) * ((n - 1) / float(special.chdtri(n - 1, 1 - tail)) - 1)
    error = z * z * s2 / n
    low, high = center - math.sqrt(error + below**2), center + math.sqrt(error + above**2)
    return math.exp(low), math.exp(min(high, 700.0))


def _chance(down: Floats, service: float, target: float, rng: np.random.Generator, draws: int) -> float:
    """Share of drawn next periods whose availability reaches the target."""
    n = len(down)
    if n == 0:
        return math.nan
    allowed = (1 - target) * service
    # Jeffreys' gamma for the rate, so that few outages say little
    numbers = rng.poisson(rng.gamma(n + 0.5, 1.0, draws))
    lost = np.array([float(down[rng.integers(0, n, k)].sum()) for k in numbers.tolist()])
    return float((lost <= allowed).mean())


def _verdict(a: Availability) -> str:
    share = _nines(a.availability)
    items = f" of {count(a.n_items, 'unit')}" if a.n_items > 1 else ""
    text = f"Availability {share}"
    if a.outages == 0:
        text += f": no outage in {number(a.service_time, 'hours')} of service time{items}."
        if not math.isnan(a.target):
            text += f" The target of {_nines(a.target)} is met."
        return text
    i = a.availability_interval
    text += (
        f" ({percent(a.confidence)} interval {_nines(i.low)} to {_nines(i.high)}) in "
        f"{number(a.service_time, 'hours')} of service time{items}: {count(a.outages, 'outage')}, "
        f"{number(a.mtbf, 'hours')} up between them, {number(a.mttr, 'hours')} to restore service on average."
    )
    if not math.isnan(a.target):
        met = "met" if a.availability >= a.target else "missed"
        text += (
            f" The target of {_nines(a.target)} is {met}; a next period meets it with probability "
            f"{percent(a.p_meets)}."
        )
    return text


def _nines(share: float) -> str:
    """An availability with two digits after the nines."""
    if math.isnan(share):
        return "unknown"
    if share >= 1:
        return "100%"
    places = max(2, 1 - math.floor(math.log10(max(1 - share, 1e-12))) - 1)
    text = f"{100 * share:.{min(places, 8)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def _unevenness(a: Availability, agreed: Floats) -> Caveat | None:
    """Outages that vary more from month to month than a constant rate lets them."""
    months = agreed > 1e-9
    k = int(months.sum())
    if a.outages < FEW or k < 3 or a.outages < LEAST_A_MONTH * k:
        return None
    place = (a.start.astype("datetime64[M]") - a.months[0]).astype(int)
    seen = np.bincount(place, minlength=len(agreed))[months]
    expected = a.outages * agreed[months] / agreed[months].sum()
    statistic = float(((seen - expected) ** 2 / expected).sum())
    p_value = float(special.chdtrc(k - 1, statistic))
    if p_value >= UNEVEN:
        return None
    times = statistic / (k - 1)
    text = (
        f"Outages vary {number(times)} times as much from month to month as at a constant rate: they come in "
        "clusters, or their rate changes. The intervals of MTBF and availability are too narrow."
    )
    return Caveat("overdispersed", text, {"dispersion": times, "p_value": p_value, "months": k})


def _doubts(
    a: Availability, agreed: Floats, *, merged: int, outside: int, cut: int, free: int, still: int
) -> list[Caveat]:
    out = []
    if a.outages < FEW:
        text = f"Only {count(a.outages, 'outage')}: intervals are rough below {FEW}."
        out.append(Caveat("too-few-points", text, {"n": a.outages, "needed": FEW}))
    uneven = _unevenness(a, agreed)
    if uneven:
        out.append(uneven)
    if merged:
        text = f"{count(merged, 'outage')} overlapped another of the same unit and became part of it."
        out.append(Caveat("overlaps-merged", text, {"merged": merged}))
    if outside:
        text = f"{count(outside, 'outage')} outside the period or of no length are not counted."
        out.append(Caveat("outside-period", text, {"outside": outside}))
    if cut:
        text = f"{count(cut, 'outage')} cut to the period at its ends: MTTR knows only the part inside."
        out.append(Caveat("cut-at-the-ends", text, {"cut": cut}))
    if free:
        text = f"{count(free, 'outage')} entirely outside the agreed service time are no breaks in service."
        out.append(Caveat("outside-service-time", text, {"outages": free}))
    if still:
        text = f"{count(still, 'outage')} without an end are counted up to the end of the period."
        out.append(Caveat("still-down", text, {"outages": still}))
    if a.outages >= FEW and float(a.down.max()) > 0.5 * a.down_time:
        text = f"One outage of {number(float(a.down.max()), 'hours')} is more than half of all down time."
        out.append(Caveat("one-outage-dominates", text, {"longest": float(a.down.max())}))
    return out
