"""Checking SQL expressions before they run: columns of their source, and nothing else.

Expressions come from plan files that people pass around, so they are checked twice: here, on the parsed
tree (a list of what is allowed, not of what is forbidden), and by the sandbox they run in, which can
reach neither files nor network nor the repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.repository.engine import Reader
from perfanalytics.repository.source import quoted

#: Kinds of nodes an expression may be made of. No subqueries, windows, stars, parameters, lambdas.
_ALLOWED = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "TYPE",
}
#: Macros of DuckDB that only rearrange their arguments.
_HARMLESS_MACROS = {"nullif", "ifnull"}
#: Consistent by declaration, yet about the database and not about their arguments.
_ABOUT_THE_DATABASE = {
    "error",
    "write_log",
    "getvariable",
    "current_setting",
    "getenv",
    "stats",
    "nextval",
    "currval",
}


class Expressions:
    """Checks expressions over the columns of one staged table.

    Parameters
    ----------
    reader : Reader
        Where they are parsed (nothing is run).
    columns : iterable of str
        The columns an expression may use.
    """

    def __init__(self, reader: Reader, columns: Iterable[str]) -> None:
        self._reader = reader
        self._columns = {c.lower(): c for c in columns}
        self._functions, self._types = _vocabulary(reader)

    def check(self, expression: str, *, where: str) -> str:
        """The expression as SQL, if it is one and uses only columns of the source.

        A text that is exactly the name of a column means that column and need not be quoted ("Down Time").

        Parameters
        ----------
        expression : str
        where : str
            For messages: "measure resolution_hours, value".

        Raises
        ------
        InputError
            When it is no single SQL expression, or uses something that is not allowed.
        UnknownNameError
            For a column that does not exist.
        """
        if not isinstance(expression, str) or not expression.strip():
            raise InputError(f"{where}: an SQL expression over the columns is needed, got {expression!r}")
        if expression in self._columns.values():
            return quoted(expression)
        # the line end keeps a comment from swallowing the bracket
        text = f"SELECT (\n{expression}\n)"
        tree = json.loads(self._reader.rows("SELECT json_serialize_sql(?)", [text])[0][0])
        if tree["error"]:
            raise InputError(f"{where}: not an SQL expression: {expression!r} ({tree['error_message']})")
        statements = tree["statements"]
        node = statements[0]["node"]
        plain = (
            len(statements) == 1
            and node["type"] == "SELECT_NODE"
            and len(node["select_list"]) == 1
            and node["from_table"]["type"] == "EMPTY"
            and not node["cte_map"]["map"]
            and not any(node.get(k) for k in ("modifiers", "where_clause", "group_expressions", "having"))
            and not any(node.get(k) for k in ("sample", "qualify", "group_sets"))
        )
        if not plain:
            raise InputError(f"{where}: one expression is needed, not a query: {expression!r}")
        for part in _nodes(node["select_list"][0]):
            self._check_node(part, expression, where)
        return expression

    def _check_node(self, node: dict[str, Any], expression: str, where: str) -> None:
        kind = node["class"]
        if kind not in _ALLOWED:
            raise InputError(
                f"{where}: {kind.lower()} is not allowed in {expression!r}: an expression is computed from "
                "the columns of one row"
            )
        if kind == "COLUMN_REF":
            names = node["column_names"]
            name = ".".join(names)
            if len(names) != 1 or name.lower() not in self._columns:
                raise UnknownNameError(f"column in {expression!r} ({where})", name, self._columns.values())
        if kind == "TYPE" and node["type_name"].lower() not in self._types:
            raise InputError(f"{where}: there is no type {node['type_name']} (in {expression!r})")
        if kind == "FUNCTION":
            name = node["function_name"].lower()
            if name not in self._functions or node.get("schema"):
                raise InputError(
                    f"{where}: the function {name} is not allowed in {expression!r}: only functions of the "
                    "columns are, not aggregates, the clock, chance, settings, files or tables"
                )


#: The same for every connection of an engine, and slow to ask for.
_VOCABULARY: dict[type, tuple[frozenset[str], frozenset[str]]] = {}


def _vocabulary(reader: Reader) -> tuple[frozenset[str], frozenset[str]]:
    """The functions and types an expression may use: functions of their arguments only."""
    if type(reader) not in _VOCABULARY:
        functions = reader.rows(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE function_type = 'scalar' AND stability = 'CONSISTENT'"
        )
        types = reader.rows("SELECT type_name FROM duckdb_types()")
        _VOCABULARY[type(reader)] = (
            frozenset({n.lower() for (n,) in functions} | _HARMLESS_MACROS) - _ABOUT_THE_DATABASE,
            frozenset(n.lower() for (n,) in types),
        )
    return _VOCABULARY[type(reader)]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)
