"""Formulas: what they may say, what they may not, and that they make the same columns again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.formula import check_columns, columns_of, design, levels_of, parse

FRAME = pd.DataFrame(
    {
        "y": [1.0, 2, 3, 4, 5, 6],
        "x": [1.0, 2, 4, 8, 16, 32],
        "team": ["b", "a", "c", "a", "b", "c"],
        "code": [1, 2, 1, 2, 3, 3],
        "late": [True, False, True, False, True, True],
        "lines of code": [5.0, 4, 3, 2, 1, 0],
    }
)


def made(right: str) -> tuple[list[str], np.ndarray]:
    parsed = parse(f"y ~ {right}")
    out = design(FRAME, parsed, levels_of(FRAME, parsed))
    return list(out.names), out.matrix


def test_the_columns_it_makes() -> None:
    names, x = made("x + team")
    assert names == ["Intercept", "team[T.b]", "team[T.c]", "x"]
    assert x[0].tolist() == [1, 1, 0, 1]
    assert made("C(code)")[0] == ["Intercept", "C(code)[T.2]", "C(code)[T.3]"]
    assert made("late")[0] == ["Intercept", "late[T.True]"]
    assert made("x - 1")[0] == ["x"]
    assert made("log2(x)")[1][:, 1].tolist() == [0, 1, 2, 3, 4, 5]
    assert made("np.log2(x)")[1][:, 1].tolist() == [0, 1, 2, 3, 4, 5]
    assert (
        made("I(x**2) + x:late")[0][-2:] == ["I(x ** 2)", "x:late[T.True]"]
        or made("I(x**2)")[1][5, 1] == 1024
    )
    assert made('Q("lines of code")')[1][:, 1].tolist() == [5, 4, 3, 2, 1, 0]
    assert made("1")[0] == ["Intercept"]
    assert len(made("x * team")[0]) == 6


def test_the_reference_can_be_chosen() -> None:
    assert made('C(team, Treatment("c"))')[0][1:] == [
        'C(team, Treatment("c"))[T.a]',
        'C(team, Treatment("c"))[T.b]',
    ]


def test_a_few_rows_make_the_same_columns() -> None:
    parsed = parse("y ~ x * team + C(code) + late")
    levels = levels_of(FRAME, parsed)
    whole = design(FRAME, parsed, levels)
    for rows in ([0], [3, 1], [5, 5, 5]):
        part = design(FRAME.iloc[rows], parsed, levels)
        assert part.names == whole.names
        assert (part.matrix == whole.matrix[rows]).all()


def test_the_kind_of_text_column_does_not_matter() -> None:
    parsed = parse("y ~ team")
    for dtype in ("object", "string", "str", "category"):
        frame = FRAME.astype({"team": dtype})
        assert levels_of(frame, parsed) == {"team": ("a", "b", "c")}
        assert (design(frame, parsed, levels_of(frame, parsed)).matrix == made("team")[1]).all()


@pytest.mark.parametrize(
    "right",
    [
        "__import__('os').system('true')",
        "x.__class__",
        "open('f')",
        "eval('1')",
        "I([1, 2][0])",
        "I((lambda: 1)())",
        "log(x, 2)",
        "x if x else y2",
        "I(x == 2)",
        "I(x ** 99)",
        "I(x ** x)",
        "I('text')",
        "center(x)",
        "bs(x, df=3)",
        "C(open('f'))",
        "C(team, levels=['a'])",
        "Q(x)",
    ],
)
def test_nothing_else_is_evaluated(right: str) -> None:
    with pytest.raises(InputError):
        parse(f"y ~ {right}")


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("y", "a formula is a text"),
        ("y ~ x ~ z", "a formula is a text"),
        ("~ x", "a response"),
        ("y ~ ", "at least one term"),
        ("sqrt(y) ~ x", r"a column or log\(column\)"),
        ("y ~ log(y)", "both sides"),
        ("y ~ x + (", "cannot be read"),
        ("y ~ code + C(code)", "make a copy"),
        (5, "a formula is a text"),
    ],
)
def test_a_formula_that_cannot_be_read(formula: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse(formula)


def test_responses() -> None:
    assert parse("log(y) ~ x").logged
    assert parse("np.log(y) ~ x").logged
    assert not parse("y ~ log(x)").logged
    assert parse('Q("lines of code") ~ x').response == "lines of code"
    assert columns_of("log(x):C(team)") == ("x", "team")


def test_bad_data_are_told() -> None:
    parsed = parse("y ~ log(Q('lines of code'))")
    with pytest.raises(InputError, match="at row 5"):
        design(FRAME, parsed, {})
    with pytest.raises(UnknownNameError, match="'team'"):
        check_columns(FRAME, ("taem",))
    with pytest.raises(InputError, match="only one level"):
        levels_of(FRAME.assign(team="a"), parse("y ~ team"))
    with pytest.raises(InputError, match="holds times"):
        levels_of(FRAME.assign(x=pd.Timestamp("2024-01-01")), parse("y ~ x"))
