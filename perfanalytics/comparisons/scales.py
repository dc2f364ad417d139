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
#: Values that are not positive are left out of logarithms when they are at most this share of their side ...
FEW_SHARE = 0.05
#: ... and at least this many positive values of it are left.
FEWEST_POSITIVE = 20


@dataclass(frozen=True, slots=True)
class AnalysisScale:
    """A scale with how it was chosen, and the transformation.

    ``left_out`` are the values before and after that have no logarithm; ``notes`` sentences for the verdict.
    """

    name: str
    chosen: str
    caveats: tuple[Caveat, ...] = ()
    left_out: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()

    def used(self, sides: Sides) -> Sides:
        """The sides as this scale can use them: without the values that have no logarithm."""
        if not any(self.left_out):
            return sides
        return sides.where(sides.before.values > 0, sides.after.values > 0)

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

    def levels(self, y: Floats) -> Floats:
        """Levels on the analysis scale in the unit of the measure: the way back of :meth:`forward`."""
        if self.name == "log":
            return np.asarray(np.exp(y))
        if self.name == "logit":
            return np.asarray(1 / (1 + np.exp(-y)))
        return y


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
        return _log_if_possible(sides, f"declared ({declared})")
    if declared == "ordinal":
        return AnalysisScale("rank", "declared (ordinal)")
    if declared is not None:
        return AnalysisScale("raw", f"declared ({declared})")
    before = sides.before.values
    skew = skewness(before)
    if skew > SKEWED and (before > 0).all():
        found = _log_if_possible(
            sides, f"not declared; before period positive with skewness {skew:.2f}, above {SKEWED:g}"
        )
    else:
        found = AnalysisScale("raw", f"not declared; skewness of the before period {skew:.2f}")
    return found


def skewness(values: Floats) -> float:
    """Moment coefficient of skewness, 0 where there is no variation."""
    d = values - values.mean()
    second = float((d**2).mean())
    return float((d**3).mean() / second**1.5) if second > 0 else 0.0


def _log_if_possible(sides: Sides, chosen: str) -> AnalysisScale:
    """Logarithms; without a few values that have none; the raw scale where these are many."""
    bad = [int((side.values <= 0).sum()) for side in (sides.before, sides.after)]
    sizes = [len(side.values) for side in (sides.before, sides.after)]
    total, n = sum(bad), sum(sizes)
    if not total:
        return AnalysisScale("log", chosen)
    evidence = {"not_positive": total, "before": bad[0], "after": bad[1], "n": n}
    are = "is" if total == 1 else "are"
    few = all(
        not b or (b <= FEW_SHARE * size and size - b >= FEWEST_POSITIVE)
        for b, size in zip(bad, sizes, strict=True)
    )
    if few:
        have = "has" if total == 1 else "have"
        was = "was" if total == 1 else "were"
        they = "it was" if total == 1 else "they were"
        text = (
            f"{total} of {n} values ({bad[0]} before, {bad[1]} after) {are} zero or negative and {have} no "
            f"logarithm: {they} left out of the analysis on the log scale. Mean, median, tail and spread "
            "include all values."
        )
        note = f"{total} of {n} values {are} zero or negative and {was} left out of the logarithms."
        return AnalysisScale(
            "log",
            f"{chosen}; {total} values that are not positive left out",
            (Caveat("not-positive", text, evidence | {"left_out": True}),),
            (bad[0], bad[1]),
            (note,),
        )
    text = (
        f"{total} of {n} values ({bad[0]} before, {bad[1]} after) {are} zero or negative, too many to leave "
        "them out of logarithms: the raw scale was used instead of the log scale."
    )
    note = (
        f"The log scale was not possible ({total} of {n} values {are} zero or negative), so the values were "
        "compared as they are."
    )
    caveat = Caveat("not-positive", text, evidence | {"left_out": False})
    return AnalysisScale("raw", f"{chosen}, but {total} values are not positive", (caveat,), notes=(note,))
