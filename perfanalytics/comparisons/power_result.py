"""Power: the plan of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Power(Result):
    """The plan of a comparison: effect, sample sizes and power, and how they trade.

    Parameters
    ----------
    test : str
    solved : {"power", "sample_size", "effect"}
        What was asked for; the others were given.
    effect : float
        In the terms of ``effect_name``.
    effect_name : str
    n_before, n_after : float
        Values (periods; exposure for rates; pairs; values a group) of each side. Equal to each other for
        tests of one sample and of groups.
    power, alpha : float
    rho : float
        Correlation of neighbours the sizes allow for.
    every : str or None
        What a value stands for ("week").
    at_effect, power_at_effect : float arrays, shape (81,)
        Power of these sample sizes over the effect: the operating characteristic, the other way up.
    at_n, power_at_n : float arrays, shape (81,)
        Power of this effect over the number of values after (and before, where that was not fixed).
    """

    kind: ClassVar[str] = "power"
    schema_version: ClassVar[int] = 1

    test: str
    solved: str
    effect: float
    effect_name: str
    n_before: float
    n_after: float
    power: float
    alpha: float
    rho: float
    every: str | None
    at_effect: Floats
    power_at_effect: Floats
    at_n: Floats
    power_at_n: Floats

    def __post_init__(self) -> None:
        for name in ("at_effect", "power_at_effect", "at_n", "power_at_n"):
            object.__setattr__(self, name, read_only(np.asarray(getattr(self, name), dtype=np.float64)))

    def summary(self) -> pd.DataFrame:
        """One row: test, solved, effect, effect_name, n_before, n_after, power, alpha, rho, every."""
        import pandas as pd

        names = (
            "test",
            "solved",
            "effect",
            "effect_name",
            "n_before",
            "n_after",
            "power",
            "alpha",
            "rho",
            "every",
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def to_frame(self) -> pd.DataFrame:
        """Both curves, one row a point: curve ("effect", "n"), at, power, missed (1 - power)."""
        import pandas as pd

        curve = ["effect"] * len(self.at_effect) + ["n"] * len(self.at_n)
        power = np.concatenate([self.power_at_effect, self.power_at_n])
        return pd.DataFrame(
            {
                "curve": curve,
                "at": np.concatenate([self.at_effect, self.at_n]),
                "power": power,
                "missed": 1 - power,
            }
        )
