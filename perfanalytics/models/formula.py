"""Formulas: ``hours ~ log(size) + team``, turned into columns of numbers, safely and repeatably.

The syntax is that of R and patsy (``+``, ``:``, ``*``, ``-1``, ``(a + b)**2``). What stands in a term is
checked before anything is evaluated: column names, numbers, ``+ - * / **`` and a few functions, nothing
else, because formulas come from plans that other people write. Nothing depends on the data at hand except
the levels of the factors, and these are kept: so a saved model makes the same columns years later.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

#: What may be called in a formula.
FUNCTIONS = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
#: Marks of the formula language itself.
_MARKS = ("I", "C", "Q", "Treatment", "Sum", "poly")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UAdd, ast.USub)

Levels = Mapping[str, tuple[str | float | bool, ...]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A formula, taken apart.

    Parameters
    ----------
    response : str
        Column on the left side.
    logged : bool
        Whether the left side is its logarithm.
    right : str
        The right side as written.
    columns : tuple of str
        Columns on the right side.
    marked_factors : tuple of str
        Those marked as categories by ``C(...)``.
    """

    response: str
    logged: bool
    right: str
    columns: tuple[str, ...]
    marked_factors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """The columns of a model for some rows."""

    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    factor_of: tuple[str, ...]
    has_intercept: bool


def parse(formula: str) -> Parsed:
    """Take a formula apart and check every term.

    Raises
    ------
    InputError
        When the formula cannot be read or uses something that is not allowed.

    Examples
    --------
    >>> parse("log(hours) ~ log(size) + C(team)").columns
    ('size', 'team')
    """
    if not isinstance(formula, str) or formula.count("~") != 1:
        raise InputError(f"a formula is a text such as 'hours ~ log(size) + team', got {formula!r}")
    left, right = (part.strip() for part in formula.split("~"))
    if not left or not right:
        raise InputError(f"a formula has a response and at least one term: {formula!r}")
    tree = _tree(left)
    logged = isinstance(tree, ast.Call) and _called(tree) == "log" and len(tree.args) == 1
    column = tree.args[0] if isinstance(tree, ast.Call) and logged else tree
    name = _column(column)
    if name is None:
        raise InputError(f"the response is a column or log(column), got {left!r}")
    columns: dict[str, None] = {}
    marked: dict[str, None] = {}
    for code in _codes(right):
        _check(_tree(code), code, columns, marked)
    if name in columns:
        raise InputError(f"{name!r} stands on both sides of the formula")
    both = [c for c in marked if _as_number(right, c)]
    if both:
        raise InputError(f"{both[0]!r} is used as a number and as C({both[0]}): make a copy of the column")
    return Parsed(name, logged, right, tuple(columns), tuple(marked))


def columns_of(right: str) -> tuple[str, ...]:
    """The columns a right side (or one term of it) uses.

    Examples
    --------
    >>> columns_of("log(size):team")
    ('size', 'team')
    """
    columns: dict[str, None] = {}
    for code in _codes(right):
        _check(_tree(code), code, columns, {})
    return tuple(columns)


def levels_of(frame: pd.DataFrame, parsed: Parsed) -> dict[str, tuple[str | float | bool, ...]]:
    """The levels of each factor: texts, true/false and categories, or marked by C(...); sorted."""
    import pandas as pd

    out: dict[str, tuple[str | float | bool, ...]] = {}
    for name in parsed.columns:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            raise InputError(
                f"column {name!r} holds times: turn it into a number (days since ...) or a period"
            )
        if isinstance(column.dtype, pd.CategoricalDtype):
            seen = set(column.dropna().tolist())
            out[name] = tuple(plain_level(v) for v in column.cat.categories.tolist() if v in seen)
        elif name in parsed.marked_factors or not pd.api.types.is_numeric_dtype(column.dtype):
            out[name] = tuple(sorted((plain_level(v) for v in column.dropna().unique().tolist()), key=_order))
        elif pd.api.types.is_bool_dtype(column.dtype):
            out[name] = (False, True)
        if name in out and len(out[name]) < 2:
            raise InputError(f"factor {name!r} has only one level in these data: it explains nothing")
    return out


def design(
    frame: pd.DataFrame,
    parsed: Parsed,
    levels: Levels,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Design:
    """The model matrix for rows without missing values.

    ``ranges`` are the ends of the numbers in the data of the model, on which ``poly`` stands; without them
    they are taken from the rows.

    Raises
    ------
    InputError
        For a logarithm of 0 and the like, with the row.
    """
    import pandas as pd
    import patsy

    data: dict[str, Any] = {}
    for name in parsed.columns:
        if name in levels:
            data[name] = pd.Categorical(
                [plain_level(v) for v in frame[name].tolist()], categories=list(levels[name]), ordered=False
            )
        else:
            data[name] = frame[name].to_numpy(dtype=np.float64)
    made = pd.DataFrame(data, index=range(len(frame)))
    ends = dict(ranges) if ranges is not None else {}

    def poly(values: Any, degree: int) -> NDArray[np.float64]:
        # Legendre polynomials on the range of the data: well conditioned, and the same for new rows
        low, high = ends.get(values.name, (float(values.min()), float(values.max())))
        scaled = (2 * values.to_numpy() - (low + high)) / (high - low)
        return np.polynomial.legendre.legvander(scaled, degree)[:, 1:]

    environment = patsy.EvalEnvironment([{**FUNCTIONS, "poly": poly}])
    keep_all = patsy.NAAction(on_NA="raise", NA_types=[])
    try:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            matrix = patsy.dmatrix(_unprefixed(parsed.right), made, environment, NA_action=keep_all)
    except patsy.PatsyError as error:
        raise InputError(f"the formula cannot be worked out: {error}") from error
    info = matrix.design_info
    values = np.ascontiguousarray(np.asarray(matrix, dtype=np.float64))
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"term {info.column_names[column]!r} is not a number at row {row_label(frame.index[row])} "
            f"({int(bad.any(axis=1).sum())} rows): a logarithm of 0 or a division by 0?"
        )
    factor_of = [""] * values.shape[1]
    for term, where in info.term_slices.items():
        for k in range(where.start, where.stop):
            factor_of[k] = term.name()
    return Design(values, tuple(info.column_names), tuple(factor_of), "Intercept" in info.term_names)


def row_label(label: object) -> str:
    """The label of a row for a message: 2 or 'INC7', never np.int64(2).

    Examples
    --------
    >>> row_label(np.int64(2)), row_label("INC7")
    ('2', "'INC7'")
    """
    return repr(label.item() if isinstance(label, np.generic) else label)


def _codes(right: str) -> list[str]:
    """The expressions in the terms of a right side, as patsy finds them; nothing is evaluated."""
    import patsy

    try:
        terms = patsy.ModelDesc.from_formula("~ " + _unprefixed(right)).rhs_termlist
    except patsy.PatsyError as error:
        raise InputError(f"the formula cannot be read: {error}") from error
    return [factor.code for term in terms for factor in term.factors]


def _unprefixed(right: str) -> str:
    """``np.log`` is written ``log`` here; both are understood."""
    return re.sub(r"\b(np|numpy)\.(?=[a-z])", "", right)


def _tree(code: str) -> ast.expr:
    try:
        return ast.parse(_unprefixed(code.strip()), mode="eval").body
    except SyntaxError as error:
        raise InputError(f"cannot read {code!r} in the formula") from error


def _check(node: ast.AST, code: str, columns: dict[str, None], marked: dict[str, None]) -> None:
    """Walk an expression; collect its columns; refuse what is not allowed."""
    name = _column(node)
    if name is not None:
        columns[name] = None
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return
    elif isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
        if isinstance(node.op, ast.Pow) and not _small(node.right):
            raise InputError(f"in {code!r}: a power is a plain number up to 20")
        _check(node.left, code, columns, marked)
        _check(node.right, code, columns, marked)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, _OPERATORS):
        _check(node.operand, code, columns, marked)
    elif isinstance(node, ast.Call) and _called(node) == "C" and 1 <= len(node.args) <= 2:
        inner = _column(node.args[0])
        if inner is None or node.keywords or any(not _contrast(c) for c in node.args[1:]):
            raise InputError(
                f"a factor is C(column), C(column, Treatment('level')) or C(column, Sum): {code!r}"
            )
        columns[inner] = marked[inner] = None
    elif isinstance(node, ast.Call) and _called(node) == "poly":
        inner = _column(node.args[0]) if len(node.args) == 2 and not node.keywords else None
        degree = node.args[1] if inner is not None else None
        whole = isinstance(degree, ast.Constant) and type(degree.value) is int and 1 <= degree.value <= 30
        if inner is None or not whole:
            raise InputError(f"a polynomial is poly(column, degree) with a degree from 1 to 30: {code!r}")
        columns[inner] = None
    elif isinstance(node, ast.Call) and _called(node) in (*FUNCTIONS, "I") and not node.keywords:
        if len(node.args) != 1:
            raise InputError(f"{_called(node)} takes one argument: {code!r}")
        _check(node.args[0], code, columns, marked)
    else:
        known = ", ".join((*FUNCTIONS, *_MARKS))
        raise InputError(
            f"{code!r} is not allowed in a formula: use columns, numbers, + - * / **, and {known}"
        )


def _contrast(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in ("Treatment", "Sum")
    if not isinstance(node, ast.Call) or _called(node) != "Treatment":
        return False
    given = [*node.args, *(k.value for k in node.keywords if k.arg == "reference")]
    return len(given) == 1 and isinstance(given[0], ast.Constant)


def _column(node: ast.AST) -> str | None:
    """The column a node names: ``size`` or ``Q("lines of code")``."""
    if isinstance(node, ast.Name) and node.id not in FUNCTIONS and node.id not in _MARKS:
        return node.id
    if isinstance(node, ast.Call) and _called(node) == "Q" and len(node.args) == 1 and not node.keywords:
        text = node.args[0]
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            return text.value
    return None


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _small(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and abs(node.value) <= 20


def _as_number(right: str, column: str) -> bool:
    """Whether a column marked as a factor also stands somewhere without the mark."""
    for code in _codes(right):
        columns: dict[str, None] = {}
        marked: dict[str, None] = {}
        _check(_tree(code), code, columns, marked)
        if column in columns and column not in marked:
            return True
    return False


def plain_level(value: Any) -> Any:
    """A level as plain text, number or truth value."""
    if value is None or value != value:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.integer | np.floating):
        return int(value) if value == int(value) else float(value)
    return str(value)


def _order(level: Any) -> tuple[str, Any]:
    return (type(level).__name__, level)


def check_columns(frame: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Raise when a column is not there.

    Raises
    ------
    UnknownNameError
    """
    for name in names:
        if name not in frame.columns:
            raise UnknownNameError("column of the frame", name, [str(c) for c in frame.columns])
