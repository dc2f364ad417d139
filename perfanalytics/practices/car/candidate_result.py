"""CandidateCauses: the result, one entry a candidate and one a level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("candidate", "sort", "contrast", "standing")
_FLOATS = (
    "f", "df1", "df2", "p_value", "p_value_adjusted", "share", "f_beside", "p_beside", "p_beside_adjusted",
    "added_share", "effect", "effect_low", "effect_high", "adjusted", "adjusted_low", "adjusted_high",
)  # fmt: skip
OF_LEVELS = (
    "level_effect", "level_low", "level_high", "level_adjusted", "level_adjusted_low", "level_adjusted_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CandidateCauses(Result):
    """Candidate causes of an outcome, from the one that explains most on: k candidates, l levels.

    Attributes
    ----------
    measure : Measure
    n, n_missing, n_censored : int
        Items used; rows without a value (or time); items still open among those used.
    scale : {"log", "raw"}
        On which they are compared: on the log scale effects are ratios, else differences.
    periods : int
        Periods within which items may be alike; 0 without times.
    every : str
    candidate, sort : text arrays, shape (k,)
        ``sort`` is "levels", "ordered" (a number of few values, tested as levels) or "number".
    levels : int array, shape (k,)
        Levels after rare ones were put together; 0 for numbers.
    f, df1, df2, p_value, p_value_adjusted : float arrays, shape (k,)
        Of the test of the candidate alone.
    share : float array, shape (k,)
        Share of the variation that the candidate explains alone (adjusted for its number of levels).
    f_beside, p_beside, p_beside_adjusted, added_share : float arrays, shape (k,)
        The same beside all other candidates: what it explains that the others do not.
    contrast : text array, shape (k,)
        What the effect is of: a level against the items of all others, or "each 1 more" of a number.
    effect, effect_low, effect_high : float arrays, shape (k,)
    adjusted, adjusted_low, adjusted_high : float arrays, shape (k,)
        The same effect with the others held fixed.
    standing : text array, shape (k,)
        "explains" (alone and beside the others), "alone only", "beside others" (only once
        the others are held fixed), "nothing shown", or "not separable".
    level_of : int array, shape (l,)
        Position of the candidate.
    level : text array, level_n : int array, shape (l,)
    level_effect, level_low, level_high : float arrays, shape (l,)
    level_adjusted, level_adjusted_low, level_adjusted_high : float arrays, shape (l,)
        Each level against the items of all other levels; intervals of a candidate hold together.
    whole_share : float
        Share of the variation that all candidates explain together.
    confidence : float
    """

    kind: ClassVar[str] = "candidate_causes"
    schema_version: ClassVar[int] = 1

    measure: Measure
    n: int
    n_missing: int
    n_censored: int
    scale: str
    periods: int
    every: str
    candidate: NDArray[Any]
    sort: NDArray[Any]
    levels: NDArray[np.int64]
    f: Floats
    df1: Floats
    df2: Floats
    p_value: Floats
    p_value_adjusted: Floats
    share: Floats
    f_beside: Floats
    p_beside: Floats
    p_beside_adjusted: Floats
    added_share: Floats
    contrast: NDArray[Any]
    effect: Floats
    effect_low: Floats
    effect_high: Floats
    adjusted: Floats
    adjusted_low: Floats
    adjusted_high: Floats
    standing: NDArray[Any]
    level_of: NDArray[np.int64]
    level: NDArray[Any]
    level_n: NDArray[np.int64]
    level_effect: Floats
    level_low: Floats
    level_high: Floats
    level_adjusted: Floats
    level_adjusted_low: Floats
    level_adjusted_high: Floats
    whole_share: float
    confidence: float

    def __post_init__(self) -> None:
        for name in (*_TEXTS, *_FLOATS, "levels", "level_of", "level", "level_n", *OF_LEVELS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: measure, n, periods, scale, candidates, explaining (their names), share (of all together),
        caveats, verdict."""
        import pandas as pd

        explaining = [str(c) for c, s in zip(self.candidate, self.standing, strict=True) if s == "explains"]
        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "n": self.n,
                    "periods": self.periods,
                    "scale": self.scale,
                    "candidates": len(self.candidate),
                    "explaining": ", ".join(explaining),
                    "share": self.whole_share,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a candidate: candidate, standing, sort, levels, share, p_value, p_value_adjusted, contrast,
        effect, effect_low, effect_high, added_share, p_beside, p_beside_adjusted, adjusted, adjusted_low,
        adjusted_high, f, df1, df2, f_beside."""
        import pandas as pd

        names = [
            "candidate",
            "standing",
            "sort",
            "levels",
            "share",
            "p_value",
            "p_value_adjusted",
            "contrast",
        ]
        names += ["effect", "effect_low", "effect_high", "added_share", "p_beside", "p_beside_adjusted"]
        names += ["adjusted", "adjusted_low", "adjusted_high", "f", "df1", "df2", "f_beside"]
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def levels_frame(self) -> pd.DataFrame:
        """One row a level: candidate, level, n, effect, effect_low, effect_high, adjusted, adjusted_low,
        adjusted_high: the level against the items of all others."""
        import pandas as pd

        columns: dict[str, Any] = {"candidate": self.candidate[self.level_of], "level": self.level}
        columns["n"] = self.level_n
        plain = ("effect", "effect_low", "effect_high", "adjusted", "adjusted_low", "adjusted_high")
        return pd.DataFrame(columns | {a: getattr(self, b) for a, b in zip(plain, OF_LEVELS, strict=True)})

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, candidates, levels."""
        return (
            ("Summary", self.summary()),
            ("Candidates", self.to_frame()),
            ("Levels against all others", self.levels_frame()),
        )
