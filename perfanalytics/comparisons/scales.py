"""The analysis scale: declared by the measure, decided from the before period where it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.result import Caveat

SCALES = ("raw", "log", "logit", "rank")
#: Skewness of the before period above which an undeclared positive measure is analysed on the log scale.
SKEWED = 1.0


@dataclass(frozen=True, slots=True)
class AnalysisScale:
    """A scale with how it was chosen, and the transformation."""

    name: str
    chosen: str
    caveats: tuple[Caveat, ...] = ()

    def forward(self, values: Floats) -> Floats:
        """Values on the analysis scale (ranks are made elsewhere: they need both sides)."""
        if self.name == "log":
            return np.asarray(np.log(values))
        if self.name == "logit":
            return np.asarray(np.log(values / (1.0 - values)))
        return values

    def back(self, effect: float) -> float:
        """A difference on the analysis scale as an effect: a ratio for logarithms."""
        return float(np.exp(effect)) if self.name in ("log", "logit") else effect


def analysis_scale(sides: Sides, asked: str | None) -> AnalysisScale:
    """The scale asked for, else the one the measure declares, else decided from the before period.

    Raises
    ------
    UnknownNameError, InputError
        For a scale that does not exist, or that the values do not allow.
    """
    values = sides.values
    if asked is not None:
        if asked not in SCALES:
            raise UnknownNameError("scale", str(asked), SCALES)
        if asked == "log" and (values <= 0).any():
            raise InputError(f"scale='log' needs positive values; {int((values <= 0).sum())} are not")
        if asked == "logit" and ((values <= 0) | (values >= 1)).any():
            raise InputError("scale='logit' needs shares strictly between 0 and 1")
        return AnalysisScale(asked, "asked for")
    declared = sides.measure.scale
    if declared in LOG_SCALES:
        return _log_if_possible(values, f"declared ({declared})")
    if declared == "ordinal":
        return AnalysisScale("rank", "declared (ordinal)")
    if declared is not None:
        return AnalysisScale("raw", f"declared ({declared})")
    before = sides.before.values
    skew = skewness(before)
    if skew > SKEWED and (before > 0).all():
        found = _log_if_possible(
            values, f"not declared; before period positive with skewness {skew:.2f}, above {SKEWED:g}"
        )
    else:
        found = AnalysisScale("raw", f"not declared; skewness of the before period {skew:.2f}")
    return found


def skewness(values: Floats) -> float:
    """Moment coefficient of skewness, 0 where there is no variation."""
    d = values - values.mean()
    second = float((d**2).mean())
    return float((d**3).mean() / second**1.5) if second > 0 else 0.0


def _log_if_possible(values: Floats, chosen: str) -> AnalysisScale:
    bad = int((values <= 0).sum())
    if not bad:
        return AnalysisScale("log", chosen)
    caveat = Caveat(
        "not-positive",
        f"{bad} of {len(values)} values are zero or negative, so that logarithms are impossible: "
        "the raw scale was used instead of the log scale.",
        {"not_positive": bad, "n": len(values)},
    )
    return AnalysisScale("raw", f"{chosen}, but {bad} values are not positive", (caveat,))
