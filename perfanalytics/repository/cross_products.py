"""Centered sums of squares and products computed where the rows are, in two passes over one query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from perfanalytics.core.cross_products import (
    LARGEST_CONDITION,
    CrossProducts,
    condition_of,
    root_of_sums,
)
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.repository.dimension import groups
from perfanalytics.repository.engine import Engine, Reader
from perfanalytics.repository.observations import observations
from perfanalytics.repository.selection import attribute_types, measure_record, measure_row, select
from perfanalytics.repository.source import quoted

_LOG = re.compile(r"log\((.+)\)")


def cross_products(
    engine: Engine, measure: str, terms: Sequence[str], with_measures: Sequence[str], **asked: Any
) -> CrossProducts:
    """See :meth:`perfanalytics.Repository.cross_products`."""
    names = [measure, *with_measures]
    parts, parameters, kinds = [], [], {}
    for k, name in enumerate(names):
        own = asked if k == 0 else {**asked, "where": None}
        selection = select(engine, name, **own)
        attributes = attribute_types(engine, measure_row(engine, name)[0])
        query = observations(engine, selection, groups(engine, selection))
        listed = f", o.v AS {quoted(name)}"
        kinds[name] = "number"
        for attribute, (place, kind) in attributes.items():
            if attribute in kinds:
                continue
            cast = "DOUBLE" if kind in ("integer", "number") else "VARCHAR"
            kinds[attribute] = "number" if cast == "DOUBLE" else "factor"
            if attribute in terms or f"log({attribute})" in terms:
                listed += f", s.attribute_values[{place}]::{cast} AS {quoted(attribute)}"
        sql = f"SELECT o.item{listed} FROM ({query.sql}) o JOIN series s USING (series_id)"
        parts.append(f"({sql})")
        parameters += list(query.parameters)
    table = parts[0] if len(parts) == 1 else " JOIN ".join([parts[0] + " a0"])
    for k, part in enumerate(parts[1:], 1):
        table += f" JOIN {part} a{k} USING (item)"
    logged = measure_record(engine, measure).scale in LOG_SCALES
    return products_of(
        engine,
        f"SELECT * FROM {table}",
        parameters,
        response=measure,
        logged=logged,
        terms=terms,
        kinds=kinds,
    )


def products_of(
    reader: Reader,
    sql: str,
    parameters: Sequence[Any],
    *,
    response: str,
    logged: bool,
    terms: Sequence[str],
    kinds: dict[str, str],
) -> CrossProducts:
    """The products of the columns of a query; ``kinds``: column -> "number" or "factor"."""
    if not terms or len(set(terms)) != len(terms):
        raise InputError("terms are different names of columns, or log(column); at least one")
    columns: dict[str, tuple[str, str]] = {}
    levels: dict[str, tuple[Any, ...]] = {}
    numbers = []
    for term in terms:
        found = _LOG.fullmatch(term)
        name = found.group(1) if found else term
        if name not in kinds or name == response:
            raise UnknownNameError("column for a term", name, [k for k in kinds if k != response])
        if kinds[name] == "number":
            numbers.append(name)
            columns[term] = (_log(name) if found else f"{quoted(name)}::DOUBLE", term)
            continue
        if found:
            raise InputError(f"{name!r} is a category: it has no logarithm")
        own = reader.rows(
            f"SELECT DISTINCT {quoted(name)} FROM ({sql}) WHERE {quoted(name)} IS NOT NULL ORDER BY 1",
            parameters,
        )
        levels[name] = tuple(str(r[0]) for r in own)
        if len(levels[name]) < 2:
            raise InputError(f"factor {name!r} has only one level in these data: it explains nothing")
        for level in levels[name][1:]:
            text = level.replace("'", "''")
            columns[f"{name}[T.{level}]"] = (f"({quoted(name)} = '{text}')::DOUBLE", name)
    answer = _log(response) if logged else f"{quoted(response)}::DOUBLE"
    needed = " AND ".join(f"({e}) IS NOT NULL" for e in [*(e for e, _ in columns.values()), answer])
    k = len(columns) + 1
    listed = ", ".join(f"{e} AS c{i}" for i, e in enumerate([*(e for e, _ in columns.values()), answer]))
    ends = "".join(f", {quoted(name)}::DOUBLE AS r{i}" for i, name in enumerate(numbers))
    rows = f"SELECT {listed}{ends} FROM ({sql}) WHERE {needed}"
    total = int(reader.rows(f"SELECT count(*) FROM ({sql})", parameters)[0][0])
    # first pass: means; second pass: sums of products of what is left, free of cancellation
    first = ", ".join(f"avg(c{i})" for i in range(k))
    first += "".join(f", min(r{i}), max(r{i})" for i in range(len(numbers)))
    head = reader.rows(f"SELECT count(*), {first} FROM ({rows})", parameters)[0]
    n = int(head[0])
    if n <= k:
        raise InputError(f"{n} complete rows cannot tell {k} coefficients apart")
    means = np.array(head[1 : k + 1], dtype=np.float64)
    pairs = [(i, j) for i in range(k) for j in range(i, k)]
    shifted = ", ".join(f"c{i} - ({float(means[i])!r}) AS d{i}" for i in range(k))
    sums = ", ".join(f"sum(d{i} * d{j})" for i, j in pairs)
    values = reader.rows(f"SELECT {sums} FROM (SELECT {shifted} FROM ({rows}))", parameters)[0]
    scatter = np.zeros((k, k))
    for (i, j), value in zip(pairs, values, strict=True):
        scatter[i, j] = scatter[j, i] = value
    condition = condition_of(scatter[:-1, :-1])
    how = "sums in the engine"
    if condition > LARGEST_CONDITION:
        fetched = reader.columns(rows, parameters)
        matrix = np.column_stack([fetched[f"c{i}"] for i in range(k)]).astype(np.float64)
        means = matrix.mean(axis=0)
        upper = np.asarray(np.linalg.qr(matrix - means, mode="r"))
        root = upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]
        how = "QR of fetched rows"
    else:
        root = root_of_sums(scatter)
    return CrossProducts(
        response=response,
        logged=logged,
        names=tuple(columns),
        term_of=tuple(t for _, t in columns.values()),
        means=means,
        root=root,
        n=n,
        n_dropped=total - n,
        levels=levels,
        ranges={m: (float(head[k + 1 + 2 * i]), float(head[k + 2 + 2 * i])) for i, m in enumerate(numbers)},
        condition=condition,
        computed_by=how,
        selection={"terms": list(terms)},
    )


def _log(name: str) -> str:
    """A logarithm that is missing where there is none."""
    return f"CASE WHEN {quoted(name)} > 0 THEN ln({quoted(name)}::DOUBLE) END"
