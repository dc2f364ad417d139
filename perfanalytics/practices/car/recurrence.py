"""evaluate_recurrence(chart, at=...) -> Recurrence: has a special cause come back since something was done?

A special cause ends by itself, so that before against after says nothing about an action. What can be counted
is how often it came before and how often since: the evidence of a time without it.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.comparisons.known_correlation import DAYS
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.spc.result import ControlChart

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Recurrence(Result):
    """How often a special cause came before a day and since.

    Attributes
    ----------
    analysis : str
    measure : Measure
    outcome : {"worked", "did_not", "cannot_tell"}
    at : date
        From when on it should not come back.
    what : str
        What was done on this day; "" where nothing is on record.
    period : str
        "week", "day" ...; "period" where the chart does not say.
    periods_before, periods_after : int
        Points of the chart on both sides.
    first, last : datetime64[D] arrays, shape (k,)
        First and last point of each episode: neighbouring signals on the bad side are one.
    side : text array, shape (k,)
        "before" or "after".
    extreme : float array, shape (k,)
        The value farthest from the center line.
    rules : text array, shape (k,)
        That fired.
    rate_ratio, low, high : float
        Episodes a period since over before; exact interval with ``confidence``.
    p_value : float
        One-sided: as few episodes since, were they as frequent as before.
    more_periods, more_weeks : float
        Without another episode, until it can be told; 0 where it is told, NaN where nobody can say.
    confidence : float
    """

    kind: ClassVar[str] = "recurrence"

    analysis: str
    measure: Measure
    outcome: str
    at: dt.date
    what: str
    period: str
    periods_before: int
    periods_after: int
    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    side: NDArray[Any]
    extreme: NDArray[np.float64]
    rules: NDArray[Any]
    rate_ratio: float
    low: float
    high: float
    p_value: float
    more_periods: float
    more_weeks: float
    confidence: float

    def __post_init__(self) -> None:
        for name in ("first", "last", "side", "extreme", "rules"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def episodes_before(self) -> int:
        """Episodes before the day."""
        return int(np.count_nonzero(self.side == "before"))

    @property
    def episodes_after(self) -> int:
        """Episodes since."""
        return int(np.count_nonzero(self.side == "after"))

    def summary(self) -> pd.DataFrame:
        """One row: analysis, measure, outcome, at, what, period, periods_before, periods_after,
        episodes_before, episodes_after, rate_ratio, low, high, p_value, more_weeks, caveats, verdict."""
        import pandas as pd

        names = ("analysis", "outcome", "at", "what", "period", "periods_before", "periods_after")
        more = ("episodes_before", "episodes_after", "rate_ratio", "low", "high", "p_value", "more_weeks")
        row = {"measure": self.measure.name} | {n: getattr(self, n) for n in (*names, *more)}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row an episode: first, last, side, extreme, unit, rules."""
        import pandas as pd

        names = ("first", "last", "side", "extreme", "rules")
        frame = pd.DataFrame({n: getattr(self, n) for n in names})
        frame.insert(4, "unit", self.measure.unit)
        return frame

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The episodes, then the summary."""
        return ("Episodes", self.to_frame()), ("Summary", self.summary())


def evaluate_recurrence(
    chart: ControlChart,
    *,
    at: dt.date,
    what: str = "",
    analysis: str = "",
    beyond_limits_only: bool = True,
    least: float | None = None,
    apart: int = 1,
    confidence: float = 0.95,
) -> Recurrence:
    """Whether a special cause has come back since a day: episodes on a control chart, before and since.

    Parameters
    ----------
    chart : ControlChart
        With times; its limits those of the process without the special cause, where that can be had.
    at : date
        From this day on it should not come back.
    what : str
        What was done (an action, a change); "" where nothing is on record.
    analysis : str
        The causal analysis it belongs to.
    beyond_limits_only : bool
        Count points beyond the limits only; else every signal. Points on the better side never count.
    least : float, optional
        A point counts only where it is at least as bad as this, in the unit of the measure: beyond it lies
        what is meant, not every chance signal of a long chart.
    apart : int
        Signals at most so many points apart are one episode: 1 means neighbours, 3 lets a weekend between
        them pass.
    confidence : float
        1 less the false-alarm rate of the verdict.

    Returns
    -------
    Recurrence

    Raises
    ------
    InputError
        For a chart without times, and a day with no points on one side.

    Notes
    -----
    *Did not work*: at least as frequent since as before, and more than
    chance gives on a chart of this length. Given k episodes in all, those since have a binomial law with the
    share of periods since, were they as frequent as before; the interval of the ratio of the rates is that of
    Clopper and Pearson for this share. Without another episode it takes ``n1 (alpha^(-1/k1) - 1)`` periods
    until that is no chance, k1 the episodes in n1 periods before: after a single one 19 times as long as
    before.

    References
    ----------
    Przyborowski and Wilenski (1940), Biometrika 31, 313-323.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> rng = np.random.default_rng(1)
    >>> hours = perf.Measure("hours", definition="Hours", unit="hours", better="lower", scale="real")
    >>> values = rng.normal(10, 1, 60)
    >>> values[12] = 25.0
    >>> weeks = np.datetime64("2024-01-01") + 7 * np.arange(60)
    >>> chart = perf.control_chart(perf.Series(values, measure=hours, when=weeks, expected_every="week"))
    >>> made = evaluate_recurrence(chart, at=dt.date(2024, 5, 6))
    >>> made.outcome, made.episodes_before, made.episodes_after, made.more_weeks
    ('cannot_tell', 1, 0, 300.0)
    """
    if chart.when is None:
        raise InputError("a chart without times does not say which points came since")
    if isinstance(apart, bool) or not isinstance(apart, int) or apart < 1:
        raise InputError(f"apart is a whole number of points, at least 1, got {apart!r}")
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence lies between 0.5 and 1 (0.95), got {confidence}")
    days = chart.when.astype("datetime64[D]")
    used = ~np.isnan(chart.value[0])
    since = days >= np.datetime64(at)
    n1, n2 = int(np.count_nonzero(used & ~since)), int(np.count_nonzero(used & since))
    if n1 == 0 or n2 == 0:
        raise InputError(f"the chart has {n1} points before {at} and {n2} since: both sides need some")
    signal = _signals(chart, beyond_limits_only, least)
    runs = _runs(signal, used, since, apart)
    k1 = sum(1 for a, _ in runs if not since[a])
    k2 = len(runs) - k1
    share = n2 / (n1 + n2)
    p = float(special.bdtr(k2, k1 + k2, share)) if runs else math.nan
    ratio, low, high = _ratio(k1, k2, n1, n2, confidence)
    chance = _by_chance(chart, k2, n2, n1 + n2)
    outcome = _outcome(k1, k2, p, ratio, chance, confidence)
    more = _more(k1, k2, n1, n2, confidence) if outcome == "cannot_tell" else 0.0
    period = chart.every or "period"
    weeks = more * DAYS[period] / 7 if period in DAYS else math.nan
    away = np.abs(chart.value[0] - chart.center[0])
    tops = [a + int(np.nanargmax(away[a:b])) for a, b in runs]
    names = [
        ", ".join(dict.fromkeys(r.name for i in range(a, b) for r in chart.rules_at(0, i))) for a, b in runs
    ]
    return Recurrence(
        verdict=_verdict(outcome, k1, k2, n1, n2, p, more, weeks, period, at, what),
        caveats=_doubts(chart, k1, k2, what, chance, confidence),
        method=Method(
            "evaluate_recurrence",
            {
                "chart": chart.chart,
                "counted": "points beyond the limits" if beyond_limits_only else "every signal",
                "least": least,
                "side": "the worse one, as the measure declares",
                "episode": f"signals at most {count(apart, 'point')} apart are one",
                "test": "conditional binomial, one-sided",
                "confidence": confidence,
            },
            ("Przyborowski and Wilenski (1940), Biometrika 31, 313-323",),
        ),
        provenance=Provenance(
            chart.measure.name,
            data_hash=chart.provenance.data_hash,
            n=chart.provenance.n,
            selection=chart.provenance.selection,
            load_ids=chart.provenance.load_ids,
            clock=chart.provenance.clock,
        ),
        analysis=analysis,
        measure=chart.measure,
        outcome=outcome,
        at=at,
        what=what,
        period=period,
        periods_before=n1,
        periods_after=n2,
        first=np.array([days[a] for a, _ in runs], dtype="datetime64[D]"),
        last=np.array([days[b - 1] for _, b in runs], dtype="datetime64[D]"),
        side=np.array(["after" if since[a] else "before" for a, _ in runs], dtype=object),
        extreme=np.array([chart.value[0][t] for t in tops], dtype=float),
        rules=np.array(names, dtype=object),
        rate_ratio=ratio,
        low=low,
        high=high,
        p_value=p,
        more_periods=more,
        more_weeks=weeks,
        confidence=confidence,
    )


def _signals(chart: ControlChart, beyond_only: bool, least: float | None) -> NDArray[np.bool_]:
    """Signals of the first panel that are no improvement, excluded points with their cause too."""
    value, bad = chart.value[0], chart.direction[0] != "improvement"
    with np.errstate(invalid="ignore"):
        beyond = (value > chart.upper[0]) | (value < chart.lower[0])
        if chart.measure.better in ("lower", "higher"):
            worse = value > chart.center[0] if chart.measure.better == "lower" else value < chart.center[0]
            beyond &= worse
        found = beyond if beyond_only else beyond | ((chart.fired[0] != 0) & bad)
        if least is not None:
            found = found & (value <= least if chart.measure.better == "higher" else value >= least)
    return np.asarray(found)


def _runs(
    signal: NDArray[np.bool_], used: NDArray[np.bool_], since: NDArray[np.bool_], apart: int
) -> list[tuple[int, int]]:
    """[start, stop) of signals that belong together; gaps do not count, the day parts them."""
    out: list[tuple[int, int]] = []
    place = np.cumsum(used)  # points that are not missing, counted
    for i in np.flatnonzero(signal & used).tolist():
        if out:
            first, stop = out[-1]
            if place[i] - place[stop - 1] <= apart and since[first] == since[i]:
                out[-1] = (first, i + 1)
                continue
        out.append((i, i + 1))
    return out


def _ratio(k1: int, k2: int, n1: int, n2: int, confidence: float) -> tuple[float, float, float]:
    """Rate since over rate before, with the interval from Clopper and Pearson's for the share since."""
    if k1 + k2 == 0:
        return math.nan, math.nan, math.nan
    alpha = (1 - confidence) / 2
    low = 0.0 if k2 == 0 else float(special.betaincinv(k2, k1 + 1, alpha))
    high = 1.0 if k1 == 0 else float(special.betaincinv(k2 + 1, k1, 1 - alpha))

    def odds(share: float) -> float:
        return math.inf if share >= 1 else share / (1 - share) * n1 / n2

    return (math.inf if k1 == 0 else k2 / n2 / (k1 / n1)), odds(low), odds(high)


def _by_chance(chart: ControlChart, k2: int, n2: int, n: int) -> float:
    """The probability of so many signals since on a chart of a stable process; 1 without any."""
    expected = chart.expected_signals * n2 / n
    if k2 == 0 or math.isnan(expected):
        return 1.0 if k2 == 0 else 0.0
    return float(special.pdtrc(k2 - 1, expected)) if expected > 0 else 0.0


def _outcome(k1: int, k2: int, p: float, ratio: float, chance: float, confidence: float) -> str:
    if k1 + k2 and p <= 1 - confidence:
        return "worked"
    return "did_not" if k2 and ratio >= 1 and chance <= 1 - confidence else "cannot_tell"


def _more(k1: int, k2: int, n1: int, n2: int, confidence: float) -> float:
    """Periods without another episode until the verdict is "worked"."""
    if k1 == 0:
        return math.nan
    alpha, n = 1 - confidence, n2
    if k2 == 0:
        n = math.ceil(n1 * (alpha ** (-1 / k1) - 1) - 1e-9)
    else:
        while special.bdtr(k2, k1 + k2, n / (n1 + n)) > alpha:
            n += max(1, n // 200)
    return float(max(0, n - n2))


def _doubts(
    chart: ControlChart, k1: int, k2: int, what: str, chance: float, confidence: float
) -> tuple[Caveat, ...]:
    doubts = []
    if k2 and chance > 1 - confidence:
        text = (
            f"{count(k2, 'episode')} since may be chance: on a chart of this length so many come with a "
            f"probability of {percent(chance)} from a stable process. least= says how bad counts."
        )
        doubts.append(Caveat("may-be-chance", text, {"episodes": k2, "probability": chance}))
    if not what:
        text = "No action is on record: that it has not come back is then nobody's merit."
        doubts.append(Caveat("no-action", text))
    if k1 == 1:
        text = "It came once before: how often it comes is hardly known."
        doubts.append(Caveat("one-episode", text, {"episodes": 1}))
    if k1 == 0:
        text = "No point before the day signals for the worse: there is nothing that could come back."
        doubts.append(Caveat("no-episode", text))
    if len(chart.limits.n) > len(chart.panels):
        text = "The chart has several stages: an episode is one by the limits of its own stage."
        doubts.append(Caveat("several-stages", text))
    return tuple(doubts)


def _verdict(
    outcome: str,
    k1: int,
    k2: int,
    n1: int,
    n2: int,
    p: float,
    more: float,
    weeks: float,
    period: str,
    at: dt.date,
    what: str,
) -> str:
    head = {
        "worked": "It has not come back as it did",
        "did_not": "It did not work",
        "cannot_tell": "It cannot be told yet",
    }[outcome]
    told = f"{count(k1, 'episode')} in {count(n1, period)} before {at}"
    told += f", {k2 or 'none'} in {count(n2, period)} since"
    told += f" ('{what}')" if what else ""
    if k1 + k2 == 0:
        return f"{head}: no special cause for the worse is on the chart."
    text = f"{head}: {told} (as few by chance, were it as frequent as before: {p_text(p)})."
    if outcome == "cannot_tell" and more and not math.isnan(more):
        span = (
            f"{count(math.ceil(weeks), 'more week')}"
            if not math.isnan(weeks)
            else count(int(more), f"more {period}")
        )
        text += f" It would take {span} without another one to be sure."
    if outcome == "did_not":
        text += (
            f" That is {number(k2 / n2 * n1 / k1) if k1 else 'more'} times as often as before." if k1 else ""
        )
    return text
