"""The panels of a chart and their lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perfanalytics.core.columns import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """One panel: what is plotted, its center line and the sigma of each point; arrays of shape (n,).

    ``lower`` and ``upper`` replace ``center -+ k sigma`` where limits are made otherwise; ``most`` is the
    largest value a point can have, where that differs from point to point; ``z`` the standardized points,
    where they are not the distance in sigma.
    """

    value: Floats
    center: Floats
    sigma: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    most: Floats | None = None
    z: Floats | None = None

    def standardized(self, limit: float, *, certain: bool = False) -> Floats:
        """Distance from the center line in sigma; given limits become ``-+ limit``, no sigma NaN.

        ``certain`` says that every sigma is known to be positive.
        """
        if self.z is not None:
            return self.z.copy()
        if self.lower is None and self.upper is None:
            z = self.value - self.center
            with np.errstate(invalid="ignore", divide="ignore"):
                z /= self.sigma
            if not certain:
                np.copyto(z, np.nan, where=np.isinf(z))
            return z
        out = np.full(len(self.value), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            for bound, sign in ((self.upper, 1.0), (self.lower, -1.0)):
                if bound is not None:
                    side = sign * (self.value - self.center) >= 0
                    z = sign * limit * (self.value - self.center) / (sign * (bound - self.center))
                    np.copyto(out, z, where=side & np.isfinite(z))
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One of the pictures of a chart.

    Parameters
    ----------
    name : str
        "individuals", "moving range", "p" ...
    independent : bool
        True where the points are independent in a stable process: all rules apply. Otherwise limits only.
    spread : bool
        True where the panel shows variation: more of it is a concern whatever the measure.
    floor, ceiling : float or None
        Limits are clipped here (0 and 1 for proportions).
    constant : bool
        True where center and sigma are the same for every point of a stage.
    main : bool
        True for a further panel that belongs to the main one (the lower of two one-sided statistics).
    axis : str
        What its axis is called, with ``{label}``, ``{name}`` and ``{unit}`` of the measure; "": the measure,
        or the name of the panel.
    level : bool
        True where the panel shows levels on the scale of the values: a transformation is taken back there.
    unitless : bool
        True where the panel shows a statistic without the unit of the measure.
    """

    name: str
    independent: bool
    spread: bool = False
    floor: float | None = None
    ceiling: float | None = None
    constant: bool = False
    main: bool = False
    axis: str = ""
    level: bool = False
    unitless: bool = False

    def limits(self, lines: Lines, sigmas: float) -> tuple[Floats, Floats]:
        """Lower and upper limit of each point, clipped; NaN where there is no limit."""
        lower = lines.center - sigmas * lines.sigma if lines.lower is None else lines.lower
        upper = lines.center + sigmas * lines.sigma if lines.upper is None else lines.upper
        if self.floor is not None:
            lower, upper = np.maximum(lower, self.floor), np.maximum(upper, self.floor)
        if self.ceiling is not None:
            lower, upper = np.minimum(lower, self.ceiling), np.minimum(upper, self.ceiling)
        if lines.most is not None:
            lower, upper = np.minimum(lower, lines.most), np.minimum(upper, lines.most)
        return lower, upper
