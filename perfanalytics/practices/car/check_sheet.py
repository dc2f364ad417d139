"""check_sheet(frame, rows=, columns=) -> CheckSheet: a tally, and where it stands out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import number
from perfanalytics.comparisons.multiplicity import adjusted_p_values
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import Every, period_number, period_start
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.table_columns import MISSING, column, hash_of, moments, order_of, texts

if TYPE_CHECKING:
    import pandas as pd

_CELLS = ("counts", "expected", "residual", "p_value", "p_adjusted", "stands_out")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CheckSheet(Result):
    """A check sheet: r rows (what was seen) by c columns (when or where).

    Attributes
    ----------
    rows, columns : str
        What they are of.
    row, column : text arrays, shapes (r,) and (c,)
    counts : int array, shape (r, c)
    expected, residual : float arrays, shape (r, c)
        Expected if rows and columns had nothing to do with each other; standardized (adjusted) residual.
    p_value, p_adjusted : float arrays, shape (r, c)
        Of each cell, two-sided; adjusted over all cells (Holm).
    stands_out : bool array, shape (r, c)
    statistic, df, p_whole : float
        Chi-squared test of the whole table; NaN where there is a single row or column.
    n : int
    confidence : float
    """

    kind: ClassVar[str] = "check_sheet"
    schema_version: ClassVar[int] = 1

    rows: str
    columns: str
    row: NDArray[Any]
    column: NDArray[Any]
    counts: NDArray[np.int64]
    expected: Floats
    residual: Floats
    p_value: Floats
    p_adjusted: Floats
    stands_out: NDArray[np.bool_]
    statistic: float
    df: float
    p_whole: float
    n: int
    confidence: float

    def __post_init__(self) -> None:
        for name in ("row", "column", *_CELLS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: rows, columns, n, statistic, df, p_value, stand_out (cells), caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "rows": self.rows,
                    "columns": self.columns,
                    "n": self.n,
                    "statistic": self.statistic,
                    "df": self.df,
                    "p_value": self.p_whole,
                    "stand_out": int(self.stands_out.sum()),
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: row, column, count, expected, residual, p_value, p_adjusted, stands_out."""
        import pandas as pd

        r, c = self.counts.shape
        columns: dict[str, Any] = {"row": np.repeat(self.row, c), "column": np.tile(self.column, r)}
        columns["count"] = self.counts.ravel()
        columns |= {name: getattr(self, name).ravel() for name in _CELLS[1:]}
        return pd.DataFrame(columns)

    def sheet(self, *, marks: bool = False) -> pd.DataFrame:
        """The sheet as people know it, with totals; with ``marks`` as tally marks (||||/ is five)."""
        import pandas as pd

        whole = np.vstack([self.counts, self.counts.sum(axis=0)])
        whole = np.column_stack([whole, whole.sum(axis=1)])
        cells = [[tally(int(v)) if marks else int(v) for v in line] for line in whole]
        made = pd.DataFrame(cells, columns=[*(str(c) for c in self.column), "total"])
        made.insert(0, self.rows, [*(str(r) for r in self.row), "total"])
        return made

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, the sheet with marks, the cells."""
        return (
            ("Summary", self.summary()),
            ("Check sheet", self.sheet(marks=True)),
            ("Cells", self.to_frame()),
        )


def tally(count: int) -> str:
    """Tally marks; a number from 26 on.

    Examples
    --------
    >>> tally(7), tally(0), tally(30)
    ('||||/ ||', '', '30')
    """
    if count > 25:
        return str(count)
    return " ".join(["||||/"] * (count // 5) + (["|" * (count % 5)] if count % 5 else []))


def check_sheet(
    frame: object, *, rows: str, columns: str, every: Every | None = None, confidence: float = 0.95
) -> CheckSheet:
    """A check sheet: how often what was seen when (or where), and which cells stand out.

    Parameters
    ----------
    frame : pandas DataFrame, or mapping of name to column
        One row for each thing seen.
    rows : str
        Column of what was seen.
    columns : str
        Column of where or when: categories, or times with ``every``.
    every : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Period of the times in ``columns``; periods without anything are columns too.
    confidence : float
        Cells stand out at 1 less this, adjusted for their number.

    Returns
    -------
    CheckSheet

    Raises
    ------
    InputError
        For no row, or more than 400 columns.
    UnknownNameError
        For a column or period that does not exist.

    Notes
    -----
    A cell stands out when its standardized residual ``(count - expected) / sqrt(expected (1 - row share)
    (1 - column share))`` is larger than chance, adjusted over all cells. Things seen are taken as independent
    of each other: what comes in bursts stands out too often.

    References
    ----------
    Haberman (1973), Biometrics 29, 205-220 (adjusted residuals); R ``chisq.test(x)$stdres``.

    Examples
    --------
    >>> seen = {"what": ["paper"] * 30 + ["toner"] * 30,
    ...         "shift": ["day", "night"] * 15 + ["day"] * 28 + ["night"] * 2}
    >>> sheet = check_sheet(seen, rows="what", columns="shift")
    >>> sheet.counts.tolist(), round(float(sheet.residual[0, 1]), 2), bool(sheet.stands_out[0, 1])
    ([[15, 15], [28, 2]], 3.72, True)
    """
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence lies between 0.5 and 1 (0.95 for 95%), got {confidence!r}")
    what = texts(column(frame, rows))
    lost = 0
    if every is None:
        where = texts(column(frame, columns))
        names = order_of(frame, columns, where)
        code = np.array([names.index(v) for v in where.tolist()], dtype=np.int64)
    else:
        times = moments(column(frame, columns), columns)
        known = ~np.isnat(times)
        lost = int((~known).sum())
        what = what[known]
        period = period_number(times[known], every)
        code = period - (period.min() if len(period) else 0)
        starts = period_start(np.arange(period.min(), period.max() + 1) if len(period) else period, every)
        names = [_moment(s, every) for s in starts]
    if len(what) != len(code) or not len(code):
        raise InputError(f"no row has both {rows!r} and {columns!r}")
    if len(names) > 400:
        raise InputError(f"{columns!r} has {len(names)} columns: give a longer period (every=)")
    labels = [v for v in order_of(frame, rows, texts(column(frame, rows))) if v in set(what.tolist())]
    place = {v: k for k, v in enumerate(labels)}
    counts = np.zeros((len(labels), len(names)), dtype=np.int64)
    np.add.at(counts, (np.array([place[v] for v in what.tolist()]), code), 1)
    cells = _cells(counts)
    p_adjusted = adjusted_p_values(cells["p_value"].ravel(), method="holm").reshape(counts.shape)
    with np.errstate(invalid="ignore"):
        stands_out = p_adjusted <= (1 - confidence) * (1 + 1e-9)
    statistic, df, p = _whole(counts, cells["expected"])
    made: dict[str, Any] = {
        "rows": rows, "columns": columns, "row": _texts(labels), "column": _texts(names), "counts": counts,
        **cells, "p_adjusted": p_adjusted, "stands_out": stands_out, "statistic": statistic, "df": df,
        "p_whole": p, "n": int(counts.sum()), "confidence": confidence,
    }  # fmt: skip
    return CheckSheet(
        verdict=_verdict(made),
        caveats=tuple(_doubts(made, lost)),
        method=Method(
            "check_sheet",
            {"rows": rows, "columns": columns, "every": every, "confidence": confidence, "adjust": "holm"},
            ("Haberman (1973), Biometrics 29, 205-220",),
        ),
        provenance=Provenance(rows, data_hash=hash_of(what, code, _texts(names)), n=len(what)),
        **made,
    )


def _cells(counts: NDArray[np.int64]) -> dict[str, Floats]:
    n = counts.sum()
    one, two = counts.sum(axis=1, keepdims=True) / n, counts.sum(axis=0, keepdims=True) / n
    expected = n * one * two
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = (counts - expected) / np.sqrt(expected * (1 - one) * (1 - two))
    residual[~np.isfinite(residual)] = math.nan
    return {"expected": expected, "residual": residual, "p_value": 2 * special.ndtr(-np.abs(residual))}


def _whole(counts: NDArray[np.int64], expected: Floats) -> tuple[float, float, float]:
    used = expected > 0
    df = float((np.count_nonzero(counts.sum(axis=1)) - 1) * (np.count_nonzero(counts.sum(axis=0)) - 1))
    if df < 1:
        return math.nan, df, math.nan
    statistic = float(((counts[used] - expected[used]) ** 2 / expected[used]).sum())
    return statistic, df, float(special.chdtrc(df, statistic))


def _moment(start: np.datetime64, every: str) -> str:
    unit = {"hour": "h", "day": "D", "week": "D", "month": "M", "quarter": "M", "year": "Y"}[every]
    return str(start.astype(f"datetime64[{unit}]")).replace("T", " ")


def _texts(values: list[str]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _verdict(m: dict[str, Any]) -> str:
    whole = m["counts"].sum(axis=1)
    most = int(np.argmax(whole))
    text = f"{m['n']:,} in all, most of {m['row'][most]} ({int(whole[most]):,})."
    if math.isnan(m["p_whole"]):
        return f"{text} With a single row or column nothing can stand out."
    out = np.argwhere(m["stands_out"])
    if not len(out):
        return (
            f"{text} No cell stands out from what its row and column lead to expect ({p_text(m['p_whole'])})."
        )
    order = sorted(out.tolist(), key=lambda c: -abs(m["residual"][c[0], c[1]]))
    said = []
    for i, j in order[:3]:
        expected = number(float(m["expected"][i, j]))
        said.append(f"{m['row'][i]} in {m['column'][j]} ({int(m['counts'][i, j])}, expected {expected})")
    more = f" and {len(order) - 3} more" if len(order) > 3 else ""
    verb = "stands" if len(order) == 1 else "stand"
    return f"{text} {'; '.join(said)}{more} {verb} out."


def _doubts(m: dict[str, Any], lost: int) -> Iterator[Caveat]:
    if lost:
        yield Caveat("missing-rows", f"{lost} rows have no time and are left out.", {"rows": lost})
    if MISSING in m["row"] or MISSING in m["column"]:
        yield Caveat("missing-category", f"Rows without a category stand as {MISSING}.", {})
    small = float(np.mean(m["expected"] < 5))
    if small > 0.2 or float(m["expected"].min()) < 1:
        yield Caveat(
            "small-expected",
            f"{100 * small:.0f}% of the cells expect fewer than 5: single cells stand out on few marks.",
            {"share": small, "least": float(m["expected"].min())},
        )
