"""DataQuality: what the integrity checks found in the data of one measure."""

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

_ARRAYS = (
    "check", "meaning", "standing", "found", "of", "share", "p_value", "example", "digit_seen",
    "digit_expected", "period", "volume",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DataQuality(Result):
    """Integrity of the data of one measure.

    Attributes
    ----------
    measure : Measure
    n : int
        Current observations.
    check, meaning, standing, example : text arrays, shape (k,)
        ``standing`` is "wrong" (cannot be), "look" (unusual, may be right), "note" (says how the data are),
        or "fine" (looked for and not found).
    found, of : int arrays, shape (k,)
        How many observations (or values, periods), of how many looked at.
    share, p_value : float arrays, shape (k,)
        ``p_value`` NaN where nothing was tested.
    digit_step : float
        The steps in which values are recorded, in the unit of the measure; NaN where there are none.
    digit_seen, digit_expected : float arrays, shape (10,) or (0,)
        Values by their last digit in that step, and what neighbouring values let expect.
    every : str
        The period of the volume.
    period : datetime64[us] array, shape (p,)
    volume : int array, shape (p,)
        Observations a period.
    changed_at : datetime64 or None
        When the volume changed, where it did.
    """

    kind: ClassVar[str] = "data_quality"

    measure: Measure
    n: int
    check: NDArray[Any]
    meaning: NDArray[Any]
    standing: NDArray[Any]
    found: NDArray[np.int64]
    of: NDArray[np.int64]
    share: Floats
    p_value: Floats
    example: NDArray[Any]
    digit_step: float
    digit_seen: Floats
    digit_expected: Floats
    every: str
    period: NDArray[np.datetime64]
    volume: NDArray[np.int64]
    changed_at: np.datetime64 | None

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: measure, n, how many checks are wrong, to be looked at, noted, fine; verdict."""
        import pandas as pd

        counts = {s: int(np.sum(self.standing == s)) for s in ("wrong", "look", "note", "fine")}
        return pd.DataFrame([{"measure": self.measure.name, "n": self.n, **counts, "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row a check: check, standing, found, of, share, p_value, meaning, example."""
        import pandas as pd

        names = ("check", "standing", "found", "of", "share", "p_value", "meaning", "example")
        return pd.DataFrame({name: getattr(self, name) for name in names})
