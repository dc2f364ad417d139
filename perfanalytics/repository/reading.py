"""Reading a file or a frame into the sandbox, as it is: the table ``raw``, with ``_row`` from 1."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from perfanalytics.core.errors import InputError, LoadError
from perfanalytics.repository.csv_records import Record, is_gzip, records
from perfanalytics.repository.engine import Sandbox
from perfanalytics.repository.source import Source, quoted

_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Reject:
    """One row, or the value of one measure on it, that was not taken."""

    line: int | None
    column: str | None
    reason: str
    original: str
    measure: str | None = None


@dataclass(slots=True)
class Raw:
    """What was read.

    ``lines`` finds the physical line and the text of rows by their number; for frames the row number itself.
    """

    names: list[str]
    read: int
    content_hash: str | None
    file: str | None
    rejects: list[Reject] = field(default_factory=list)
    _source: Source | None = None

    def lines(self, rows: Iterable[int]) -> dict[int, tuple[int, str]]:
        """Row number -> (line, text of the record)."""
        wanted = set(rows)
        if self._source is None or not wanted:
            return {row: (row, "") for row in wanted}
        last = max(wanted)
        out = {}
        for number, record in enumerate(islice(_records(self._source), last + 1)):
            if number in wanted:
                out[number] = (record.line, record.text)
        return out


def read(source: Source, sandbox: Sandbox) -> Raw:
    """Fill the table ``raw`` of the sandbox.

    Raises
    ------
    LoadError
        When the file does not exist, is empty or was cut off, or is no Parquet file.
    InputError
        For column names that repeat, or a frame that cannot be read.
    """
    if source.format == "frame":
        return _read_table(source, sandbox, source.frame, None)
    path = Path(str(source.file))
    if not path.is_file():
        raise LoadError(f"source {source.name!r}: there is no file {path}")
    if source.format == "parquet":
        import pyarrow.parquet as parquet

        try:
            table = parquet.read_table(path)
        except Exception as error:
            raise LoadError(f"source {source.name!r}: {path} is no Parquet file: {error}") from error
        raw = _read_table(source, sandbox, table, path.name)
        raw.content_hash = _hash(path)
        return raw
    try:
        return _read_csv(source, sandbox, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LoadError(
            f"source {source.name!r}: {path} is damaged or was cut off (not a whole gzip file): {error}"
        ) from error


def _read_csv(source: Source, sandbox: Sandbox, path: Path) -> Raw:
    head = next(_records(source), None)
    if head is None:
        raise LoadError(f"source {source.name!r}: {path} is empty: a header with column names is needed")
    if head.error:
        raise LoadError(f"source {source.name!r}: the header of {path} cannot be read: {head.error}")
    names = [name.strip() for name in head.fields]
    _check_names(source, names)
    raw = Raw(names, 0, _hash(path), path.name, _source=source)
    utf8 = source.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    if utf8 and len(names) > 1 and "\n" not in head.text:
        bad = sandbox.read_csv(
            "raw",
            str(path),
            names=names,
            delimiter=source.delimiter,
            quote=source.quote,
            gzip=is_gzip(path),
        )
        if not bad:
            raw.read = int(sandbox.rows("SELECT count(*) FROM raw")[0][0])
            return raw
        # Something is not as declared: read again with care, to say on which line and what.
        sandbox.execute("DROP TABLE raw")
    _read_carefully(raw, source, sandbox)
    return raw


def _read_carefully(raw: Raw, source: Source, sandbox: Sandbox) -> None:
    import pyarrow as pa

    schema = pa.schema([(n, pa.string()) for n in raw.names] + [("_row", pa.int64())])
    parts = [schema.empty_table()]
    following = enumerate(islice(_records(source), 1, None), 1)
    while chunk := list(islice(following, _CHUNK)):
        good = [(number, r.fields) for number, r in chunk if r.error is None]
        raw.rejects += [Reject(r.line, None, r.error, _printable(r.text)) for _, r in chunk if r.error]
        raw.read += len(chunk)
        if good:
            columns = [pa.array(c, pa.string()) for c in zip(*(f for _, f in good), strict=True)]
            columns.append(pa.array([number for number, _ in good], pa.int64()))
            parts.append(pa.Table.from_arrays(columns, schema=schema))
    sandbox.put("raw", pa.concat_tables(parts))


def _read_table(source: Source, sandbox: Sandbox, table: Any, file: str | None) -> Raw:
    import pyarrow as pa

    if not isinstance(table, pa.Table):
        names = [str(c) for c in getattr(table, "columns", ())]
        if not hasattr(table, "columns"):
            raise InputError(f"source {source.name!r}: frame= takes a pandas DataFrame or an Arrow table")
        try:
            table = pa.Table.from_pandas(table, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(f"source {source.name!r}: a column of the frame mixes types: {error}") from error
        table = table.rename_columns(names)
    names = list(table.schema.names)
    _check_names(source, names)
    sandbox.put("_table", table)
    # dictionary columns (categories) are texts; the order of the frame is kept
    kinds = {name: kind for name, kind, *_ in sandbox.rows("DESCRIBE _table")}
    select = ", ".join(
        f"{quoted(n)}::VARCHAR AS {quoted(n)}" if kinds[n].startswith("ENUM") else quoted(n) for n in names
    )
    sandbox.execute(f"CREATE TABLE raw AS SELECT {select}, row_number() OVER () AS _row FROM _table")
    sandbox.execute("DROP TABLE _table")
    return Raw(names, table.num_rows, None, file)


def _records(source: Source) -> Iterator[Record]:
    return records(str(source.file), delimiter=source.delimiter, quote=source.quote, encoding=source.encoding)


def _check_names(source: Source, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not name:
            raise InputError(f"source {source.name!r}: a column has no name")
        if name.startswith("_"):
            raise InputError(
                f"source {source.name!r}: column {name!r}: names with a leading underscore are ours"
            )
        if name.lower() in seen:
            raise InputError(
                f"source {source.name!r}: two columns are called {name!r} and {seen[name.lower()]!r}: "
                "names must differ in more than upper and lower case"
            )
        seen[name.lower()] = name


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _printable(text: str) -> str:
    """Undecodable bytes as \\xNN, so that the text can be stored and read."""
    return "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text)
