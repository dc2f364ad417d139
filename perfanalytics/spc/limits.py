"""Limits: the parameters of a chart, stage by stage, as an object that can be saved and carried on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result
from perfanalytics.spc.transforms import Transform
from perfanalytics.spc.wording import moment

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Limits(Result):
    """Limits of a chart: P panels, K stages.

    Parameters
    ----------
    chart : str
        Name of the chart type.
    measure : Measure
    sigmas : float
        Width of the limits in sigma.
    parameters : mapping of str to float array, shape (K,); (K, p) and (K, p, p) for several measures
        What the limits follow from ("center", "sigma"; "center", "sigma_z"): this is what is carried onto
        new data, where the limits are computed with the new denominators.
    panels : tuple of str, length P
    center, sigma, lower, upper : float arrays, shape (P, K)
        In the unit of the measure; NaN where they vary from point to point (or there are none).
    n : int array, shape (K,)
        Points the limits rest on.
    first, last : int arrays, shape (K,)
        First and last point of each stage (0-based).
    first_when, last_when : datetime64[us] arrays, shape (K,), or None
    labels : tuple of str, length K
        What each stage is called: value of the column, name of the event, date; "" for one without a name.
    data_from, data_until : datetime64[us] or None
        First and last point the limits of the last stage rest on; carried limits keep those of their data.
    valid_from, valid_until : date or None
        For which days the limits were agreed (both included); see :meth:`agreed`.
    agreed_by : str
        Who agreed to them; "" while nobody has.
    agreed_on : date or None
    transform : Transform or None
        The transformation of the values: ``parameters`` and ``sigma`` are on the transformed scale, center
        and limits of panels of levels in the unit of the measure.
    """

    kind: ClassVar[str] = "limits"
    schema_version: ClassVar[int] = 3

    chart: str
    measure: Measure
    sigmas: float
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    panels: tuple[str, ...]
    center: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    n: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    first_when: NDArray[Any] | None = None
    last_when: NDArray[Any] | None = None
    labels: tuple[str, ...] = ()
    data_from: np.datetime64 | None = None
    data_until: np.datetime64 | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    agreed_by: str = ""
    agreed_on: dt.date | None = None
    transform: Transform | None = None

    def __post_init__(self) -> None:
        if not self.labels:
            object.__setattr__(self, "labels", ("",) * len(self.n))
        for name in ("center", "sigma", "lower", "upper", "n", "first", "last", "first_when", "last_when"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(value))
        object.__setattr__(
            self, "parameters", {k: read_only(np.asarray(v)) for k, v in self.parameters.items()}
        )

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 had no labels of stages, no validity, and did not say which data the limits rest on."""
        return dict(fields)

    def agreed(
        self,
        *,
        by: str,
        on: dt.date,
        valid_from: dt.date | None = None,
        valid_until: dt.date | None = None,
    ) -> Limits:
        """The same limits, with who agreed to them, when, and for which days they hold.

        ``repo.save(limits.agreed(...), name=..., by=...)`` keeps them in versions. Charts that carry them on
        have the caveat ``limits-expired`` where points came after ``valid_until``.

        Parameters
        ----------
        by : str
            Who agreed: a person or a board.
        on : date
        valid_from, valid_until : date, optional
            Both included; None leaves that end open.

        Raises
        ------
        InputError
            Without a name, or when the validity ends before it begins.

        Examples
        --------
        >>> import datetime as dt
        >>> import perfanalytics as perf
        >>> limits = perf.control_chart([9, 11, 10, 12, 10, 9, 10, 11, 10, 12]).limits
        >>> limits.agreed(by="A. Meier", on=dt.date(2024, 5, 2), valid_until=dt.date(2024, 12, 31)).verdict
        'Center 10.4, limits 6.6 to 14.2, from 10 points. Agreed by A. Meier on 2 May 2024; valid until \
31 December 2024.'
        """
        if not isinstance(by, str) or not by.strip():
            raise InputError("limits are agreed by somebody: give by='who'")
        days = {"on": on, "valid_from": valid_from, "valid_until": valid_until}
        for name, day in days.items():
            if (
                not isinstance(day, dt.date | None)
                or isinstance(day, dt.datetime)
                or (name == "on" and not day)
            ):
                raise InputError(f"{name}= is a date (datetime.date(2024, 12, 31)), got {day!r}")
        if valid_from is not None and valid_until is not None and valid_until < valid_from:
            raise InputError(f"limits valid from {valid_from} cannot end on {valid_until}")
        told = [
            f"valid {word} {_day(day)}" for word, day in (("from", valid_from), ("until", valid_until)) if day
        ]
        span = " ".join(told).replace(" valid until", " until")
        said = f" Agreed by {by} on {_day(on)}{'; ' if told else ''}{span}."
        numbers = self.verdict.split(" Agreed by ")[0]
        return replace(
            self,
            verdict=numbers + said,
            agreed_by=by,
            agreed_on=on,
            valid_from=valid_from,
            valid_until=valid_until,
        )

    def summary(self) -> pd.DataFrame:
        """One row: the main panel in its last stage.

        Columns: those of :meth:`to_frame`, then data_from, data_until, valid_from, valid_until, agreed_by,
        agreed_on.
        """
        import pandas as pd

        frame = self.to_frame()
        frame = frame.iloc[[len(self.n) - 1]].reset_index(drop=True) if len(self.n) else frame
        m = len(frame)
        for name in ("data_from", "data_until"):
            frame[name] = np.full(m, getattr(self, name) or np.datetime64("NaT"), dtype="datetime64[us]")
        for name in ("valid_from", "valid_until", "agreed_by", "agreed_on"):
            frame[name] = pd.Series([getattr(self, name)] * m, dtype=object)
        return frame

    def to_frame(self) -> pd.DataFrame:
        """One row per panel and stage.

        Columns: panel, stage (0-based), label (of the stage), center, sigma, lower, upper (in the unit of
        the measure; NaN where they vary from point to point), n (points behind them), first, last (0-based
        points), first_when, last_when.
        """
        import pandas as pd

        p, k = len(self.panels), len(self.n)
        blank = np.full(k, "NaT", dtype="datetime64[us]")
        return pd.DataFrame(
            {
                "panel": np.repeat(np.array(self.panels, dtype=object), k),
                "stage": np.tile(np.arange(k), p),
                "label": list(self.labels) * p,
                "center": self.center.ravel(),
                "sigma": self.sigma.ravel(),
                "lower": self.lower.ravel(),
                "upper": self.upper.ravel(),
                "n": np.tile(self.n, p),
                "first": np.tile(self.first, p),
                "last": np.tile(self.last, p),
                "first_when": np.tile(blank if self.first_when is None else self.first_when, p),
                "last_when": np.tile(blank if self.last_when is None else self.last_when, p),
            }
        )


def _day(day: dt.date) -> str:
    return moment(np.datetime64(day))
