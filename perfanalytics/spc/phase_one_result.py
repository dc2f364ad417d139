"""PhaseOne: the rounds of a phase I analysis, and the drafts of exclusions it proposes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionDraft:
    """A point that may be excluded once somebody has found its cause; see :meth:`because`.

    Parameters
    ----------
    point : int
        0-based.
    when : datetime or None
    label : str
    value : float
    """

    kind: ClassVar[str] = "exclusion-draft"

    point: int
    when: dt.datetime | None
    label: str
    value: float

    def because(self, reason: str, *, who: str, decided_on: dt.date) -> Exclusion:
        """The exclusion, now that its cause is known.

        Parameters
        ----------
        reason : str
            The cause that was found (and removed).
        who : str
            Who decided it.
        decided_on : date

        Raises
        ------
        InputError
            Without a cause, a person and a date.
        """
        if not isinstance(who, str) or not who.strip() or not isinstance(decided_on, dt.date):
            raise InputError(
                "an exclusion needs who decided it and when: because('cause', who=, decided_on=)"
            )
        if self.when is not None:
            return Exclusion(reason, when=self.when, who=who, decided_on=decided_on)
        return Exclusion(reason, point=self.point, who=who, decided_on=decided_on)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PhaseOne(Result):
    """A phase I analysis: n points, k proposed in r rounds.

    Parameters
    ----------
    chart, title, id : str
    measure : Measure
    value, center, lower, upper, new_center, new_lower, new_upper : float arrays, shape (n,)
        Main panel; the limits with all points, and without those proposed.
    when : datetime64[us] array, shape (n,), or None
    every : str or None
    is_share : bool
    excluded : bool array, shape (n,)
        Left out from the beginning, by exclusions that people recorded.
    point : int array, shape (k,)
        The proposed points, in order of round and place.
    round : int array, shape (k,)
        In which round (from 1) each lies beyond the limits.
    labels, panels, events : tuples of str, length k
        Label of the point; panels in which it lies beyond a limit; what was recorded near it.
    alone_center, alone_lower, alone_upper : float arrays, shape (k,)
        At the point, were it alone left out (NaN: no limit).
    alone_signals : int array, shape (k,)
        Points that would signal then.
    round_excluded, round_signals, round_beyond : int arrays, shape (r + 1,)
        Before any round and after each: points left out, points that signal, points beyond the limits.
    round_center, round_lower, round_upper : float arrays, shape (r + 1,)
        At the newest used point.
    further_signals : int
        Points of the last round that signal by other rules than the limits.
    drafts : tuple of ExclusionDraft, length k
    """

    kind: ClassVar[str] = "phase_one"
    schema_version: ClassVar[int] = 1

    chart: str
    title: str
    id: str
    measure: Measure
    value: Floats
    center: Floats
    lower: Floats
    upper: Floats
    new_center: Floats
    new_lower: Floats
    new_upper: Floats
    when: NDArray[Any] | None
    every: str | None
    is_share: bool
    excluded: NDArray[np.bool_]
    point: NDArray[np.int64]
    round: NDArray[np.int64]
    labels: tuple[str, ...]
    panels: tuple[str, ...]
    events: tuple[str, ...]
    alone_center: Floats
    alone_lower: Floats
    alone_upper: Floats
    alone_signals: NDArray[np.int64]
    round_excluded: NDArray[np.int64]
    round_signals: NDArray[np.int64]
    round_beyond: NDArray[np.int64]
    round_center: Floats
    round_lower: Floats
    round_upper: Floats
    further_signals: int
    drafts: tuple[ExclusionDraft, ...]

    def __post_init__(self) -> None:
        for name in self.__slots__:
            column = getattr(self, name)
            if isinstance(column, np.ndarray):
                object.__setattr__(self, name, read_only(column))

    def summary(self) -> pd.DataFrame:
        """One row.

        Columns: id, measure, chart, n, proposed, share, rounds, center, lower, upper (with all points, at the
        newest), new_center, new_lower, new_upper (without those proposed), caveats, verdict.
        """
        import pandas as pd

        used = int(np.count_nonzero(~np.isnan(self.value) & ~self.excluded))
        return pd.DataFrame(
            {
                "id": [self.id],
                "measure": [self.measure.name],
                "chart": [self.chart],
                "n": [used],
                "proposed": [len(self.point)],
                "share": [len(self.point) / used if used else np.nan],
                "rounds": [len(self.round_center) - 1],
                "center": [self.round_center[0]],
                "lower": [self.round_lower[0]],
                "upper": [self.round_upper[0]],
                "new_center": [self.round_center[-1]],
                "new_lower": [self.round_lower[-1]],
                "new_upper": [self.round_upper[-1]],
                "caveats": ["; ".join(self.caveat_codes)],
                "verdict": [self.verdict],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per proposed point.

        Columns: round, point (0-based), when, label, value, panels, events, alone_center, alone_lower,
        alone_upper, alone_signals.
        """
        import pandas as pd

        at = self.point
        blank = np.full(len(at), "NaT", dtype="datetime64[us]")
        return pd.DataFrame(
            {
                "round": self.round,
                "point": at,
                "when": blank if self.when is None else self.when[at],
                "label": list(self.labels),
                "value": self.value[at],
                "panels": list(self.panels),
                "events": list(self.events),
                "alone_center": self.alone_center,
                "alone_lower": self.alone_lower,
                "alone_upper": self.alone_upper,
                "alone_signals": self.alone_signals,
            }
        )

    def rounds_frame(self) -> pd.DataFrame:
        """One row before any round and one after each.

        Columns: round, excluded, beyond, signals, center, lower, upper.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "round": np.arange(len(self.round_center)),
                "excluded": self.round_excluded,
                "beyond": self.round_beyond,
                "signals": self.round_signals,
                "center": self.round_center,
                "lower": self.round_lower,
                "upper": self.round_upper,
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables a report shows."""
        return ("Points to look into", self.to_frame()), ("Rounds", self.rounds_frame())
