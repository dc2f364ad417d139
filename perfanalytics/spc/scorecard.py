"""scorecard: many charts at a glance, a variation symbol and an assurance symbol for each.

Two questions a manager asks of every measure: is what we see now anything but noise (variation), and will
this process meet its target if it goes on like this (assurance)?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Method, Provenance, Result
from perfanalytics.spc.families import family_of
from perfanalytics.spc.result import ControlChart

if TYPE_CHECKING:
    import pandas as pd

VARIATION = ("concern", "improvement", "neutral", "common cause", "no data")
ASSURANCE = ("missed", "hit and miss", "met", "")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Scorecard(Result):
    """A line for each of m charts, the newest points of each for a small picture.

    Parameters
    ----------
    name, measure, unit, chart : tuples of str, length m
        What is charted; ``name`` is the name given, or the measure with the id of the series.
    when : datetime64[us] array, shape (m,)
        Newest point that is neither missing nor excluded; NaT where there are no times.
    value, center, lower, upper, target : float arrays, shape (m,)
        At that point, in the unit of the measure; NaN where there is none.
    variation : tuple of str, length m
        "concern" or "improvement" where a rule fires at the newest point, "neutral" where no direction is
        declared, else "common cause"; "no data".
    assurance : tuple of str, length m
        "met" where the whole range between the limits meets the target, "missed" where none of it does,
        "hit and miss" in between; "" without an objective for this statistic.
    stable : tuple of bool or None, length m
    n_signals : int array, shape (m,)
    p_value : float array, shape (m,)
        Evidence against stability.
    is_share : tuple of bool, length m
    recent, recent_center, recent_lower, recent_upper : float arrays, shape (m, k)
        The newest k points of the main panel, the newest last; NaN before the first.
    """

    kind: ClassVar[str] = "scorecard"
    schema_version: ClassVar[int] = 1

    name: tuple[str, ...]
    measure: tuple[str, ...]
    unit: tuple[str, ...]
    chart: tuple[str, ...]
    when: NDArray[Any]
    value: Floats
    center: Floats
    lower: Floats
    upper: Floats
    target: Floats
    variation: tuple[str, ...]
    assurance: tuple[str, ...]
    stable: tuple[bool | None, ...]
    n_signals: NDArray[np.int64]
    p_value: Floats
    is_share: tuple[bool, ...]
    recent: Floats
    recent_center: Floats
    recent_lower: Floats
    recent_upper: Floats

    def __post_init__(self) -> None:
        for field in ("when", "value", "center", "lower", "upper", "target", "n_signals", "p_value"):
            object.__setattr__(self, field, read_only(getattr(self, field)))
        for field in ("recent", "recent_center", "recent_lower", "recent_upper"):
            object.__setattr__(self, field, read_only(getattr(self, field)))

    def summary(self) -> pd.DataFrame:
        """One row: charts, not_stable, and how many of each variation and assurance."""
        import pandas as pd

        return pd.DataFrame(
            {
                "charts": [len(self.name)],
                "not_stable": [sum(s is False for s in self.stable)],
                **{v.replace(" ", "_"): [self.variation.count(v)] for v in VARIATION},
                **{a.replace(" ", "_"): [self.assurance.count(a)] for a in ASSURANCE if a},
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per chart: name, chart, variation, assurance, stable, n_signals, p_value, when, value,
        center, lower, upper, target, unit; what needs attention first.
        """
        import pandas as pd

        frame = pd.DataFrame(
            {
                "name": self.name,
                "chart": self.chart,
                "variation": self.variation,
                "assurance": self.assurance,
                "stable": list(self.stable),
                "n_signals": self.n_signals,
                "p_value": self.p_value,
                "when": self.when,
                "value": self.value,
                "center": self.center,
                "lower": self.lower,
                "upper": self.upper,
                "target": self.target,
                "unit": self.unit,
            }
        )
        return frame.iloc[self.order()].reset_index(drop=True)

    def order(self) -> NDArray[np.int64]:
        """Positions of the charts, what needs attention first: concern, missed, least stable."""
        rank = np.array([VARIATION.index(v) for v in self.variation])
        sure = np.array([ASSURANCE.index(a) for a in self.assurance])
        p = np.where(np.isnan(self.p_value), 2.0, self.p_value)
        return np.lexsort((np.arange(len(p)), p, sure, rank))


def scorecard(
    charts: Sequence[ControlChart] | Mapping[str, ControlChart],
    *,
    objectives: Sequence[Objective] = (),
    points: int = 24,
) -> Scorecard:
    """A scorecard over control charts.

    Parameters
    ----------
    charts : sequence of ControlChart, or mapping of name to ControlChart
        Of any measures and types; only the main panel counts. Without names they are called by their measure
        and the id of the series.
    objectives : sequence of Objective
        Used for charts of their measure when they speak of what is charted: an objective about the share or
        the median for charts of this statistic per period, one about items for charts of items.
    points : int
        Newest points kept for the small pictures.

    Returns
    -------
    Scorecard

    Raises
    ------
    InputError
        Without charts, for anything that is not a control chart, and for charts whose points are no times
        (funnel).

    References
    ----------
    NHS England (2021), Making data count: variation and assurance icons. Here a target on a limit counts as
    met; the newest used point decides on variation, as there.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> hours = perf.Measure("hours", definition="d", unit="h", better="lower", scale="real")
    >>> chart = perf.control_chart(perf.Series([9, 11, 10, 12, 10, 9, 10, 11, 10, 18], measure=hours))
    >>> goal = perf.Objective("fast", measure="hours", target=30, direction="at_most")
    >>> card = perf.scorecard([chart], objectives=[goal])
    >>> card.variation, card.assurance
    (('concern',), ('met',))
    """
    names = list(charts) if isinstance(charts, Mapping) else None
    charts = list(charts.values() if isinstance(charts, Mapping) else charts)
    if not charts or any(not isinstance(c, ControlChart) for c in charts):
        raise InputError("a scorecard takes one or more control charts")
    for chart in charts:
        if not family_of(chart.chart).ordered:
            raise InputError(f"a {chart.chart} has no newest point: leave it out of the scorecard")
    if points < 1:
        raise InputError(f"points= is the number of newest points kept, at least 1, got {points}")
    rows = [_row(c, objectives, points) for c in charts]
    columns = {key: [r[key] for r in rows] for key in rows[0]}
    if names is not None:
        columns["name"] = names
    texts = ("name", "measure", "unit", "chart", "variation", "assurance", "stable", "is_share")
    values: dict[str, Any] = {k: tuple(v) if k in texts else np.array(v) for k, v in columns.items()}
    concern, better = columns["variation"].count("concern"), columns["variation"].count("improvement")
    unstable = sum(s is False for s in columns["stable"])
    missed = columns["assurance"].count("missed")
    verdict = (
        f"{len(charts):,} chart{'s' if len(charts) > 1 else ''}: {unstable} not stable; at the newest point "
        f"{concern} of concern and "
        f"{better} improving" + (f"; {missed} will miss their target as they are." if missed else ".")
    )
    hashes = "+".join(c.provenance.data_hash for c in charts)
    return Scorecard(
        verdict=verdict,
        method=Method(
            "scorecard",
            {
                "points": points,
                "charts": tuple(sorted({c.chart for c in charts})),
                "newest": "decides on variation",
            },
            ("NHS England (2021), Making data count",),
        ),
        provenance=Provenance(
            ", ".join(sorted({c.measure.name for c in charts})),
            data_hash=Method(hashes).key,
            n=sum(c.provenance.n for c in charts),
            load_ids=tuple(sorted({i for c in charts for i in c.provenance.load_ids})),
            clock=charts[0].provenance.clock,
        ),
        **values,
    )


def _row(chart: ControlChart, objectives: Sequence[Objective], points: int) -> dict[str, Any]:
    value, center, lower, upper = chart.value[0], chart.center[0], chart.lower[0], chart.upper[0]
    used = np.flatnonzero(~np.isnan(value) & ~chart.excluded)
    at = int(used[-1]) if len(used) else -1
    no_time = np.datetime64("NaT", "us")
    row: dict[str, Any] = {
        "name": chart.measure.name + (f" [{chart.id}]" if chart.id else ""),
        "measure": chart.measure.name,
        "unit": chart.measure.unit,
        "chart": chart.chart,
        "when": chart.when[at] if chart.when is not None and at >= 0 else no_time,
        "value": value[at] if at >= 0 else np.nan,
        "center": center[at] if at >= 0 else np.nan,
        "lower": lower[at] if at >= 0 else np.nan,
        "upper": upper[at] if at >= 0 else np.nan,
        "variation": (str(chart.direction[0, at]) or "common cause") if at >= 0 else "no data",
        "stable": chart.stable,
        "n_signals": chart.n_signals,
        "p_value": chart.p_value,
        "is_share": chart.is_share,
    }
    objective = _objective(chart, objectives)
    row["target"] = np.nan if objective is None else objective.target
    row["assurance"] = (
        "" if objective is None or at < 0 else _assurance(objective, row["lower"], row["upper"])
    )
    for key, column in (
        ("recent", value),
        ("recent_center", center),
        ("recent_lower", lower),
        ("recent_upper", upper),
    ):
        newest = column[-points:]
        row[key] = np.concatenate([np.full(points - len(newest), np.nan), newest])
    return row


def _objective(chart: ControlChart, objectives: Sequence[Objective]) -> Objective | None:
    """The objective that speaks of what is charted."""
    selection = chart.provenance.selection
    charted = selection.get("statistic") if selection.get("every") else "item"
    for objective in objectives:
        if objective.measure == chart.measure.name and objective.statistic == charted:
            return objective
    return None


def _assurance(objective: Objective, lower: float, upper: float) -> str:
    """The target against the range a stable process stays in; no limit on a side is no bound there."""
    low = -np.inf if np.isnan(lower) else lower
    high = np.inf if np.isnan(upper) else upper
    worst, best = (high, low) if objective.direction == "at_most" else (low, high)
    if objective.met_by(worst):
        return "met"
    return "hit and miss" if objective.met_by(best) else "missed"
