"""The default storage engine: one DuckDB file. The only module that imports duckdb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import LoadError, RepositoryError, RepositoryLockedError
from perfanalytics.repository.engine import Columns

#: Stands for a missing value where a CSV reader wants one: no field of a file has this content.
_NEVER = "\x01\x02perfanalytics"
#: Where a DuckDB file says that it is one, and the word it says.
_MAGIC = (8, b"DUCK")


class _Connection:
    """Queries on one DuckDB connection."""

    _temporary = ""
    path = ":memory:"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._opened: duckdb.DuckDBPyConnection | None = connection

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            raise RepositoryError(f"the repository {self.path} was closed: open it again")
        return self._opened

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(parameters)).fetchall()

    def columns(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, NDArray[Any]]:
        fetched = self._connection.execute(sql, list(parameters)).fetchnumpy()
        return {name: _plain(np.asanyarray(column)) for name, column in fetched.items()}

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.execute(sql, list(parameters))

    def put(self, table: str, data: Any) -> None:
        self._connection.register("_incoming", dict(data) if isinstance(data, Mapping) else data)
        try:
            self._connection.execute(
                f"CREATE OR REPLACE {self._temporary} TABLE {table} AS SELECT * FROM _incoming"
            )
        finally:
            self._connection.unregister("_incoming")

    def append(self, table: str, columns: Columns, types: Mapping[str, str]) -> None:
        self._connection.register("_incoming", dict(columns))
        try:
            names = ", ".join(
                f'"{name.replace(chr(34), chr(34) * 2)}"::{kind}' for name, kind in types.items()
            )
            self._connection.execute(f"INSERT INTO {table} SELECT {names} FROM _incoming")
        finally:
            self._connection.unregister("_incoming")

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened = None


class DuckDBEngine(_Connection):
    """A repository in one DuckDB file, or in memory with ``":memory:"``.

    Raises
    ------
    RepositoryLockedError
        When another process has the file open for writing (or any process, when it is opened for writing).
    RepositoryError
        When the file does not exist (read-only), or is no DuckDB file.
    """

    _temporary = "TEMP"

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = str(path)
        self.read_only = read_only
        if read_only and (self.path == ":memory:" or not Path(self.path).exists()):
            raise RepositoryError(f"there is no repository {self.path}: open it once for writing to make it")
        if self.path != ":memory:":
            _check_file(self.path)
        # an absolute path is never read as the address of a service ("md:...") or a name in memory
        place = self.path if self.path == ":memory:" else str(Path(self.path).absolute())
        try:
            connection = duckdb.connect(place, read_only=read_only)
        except duckdb.IOException as error:
            raise _explained(self.path, error) from None
        except duckdb.ConnectionException as error:
            raise RepositoryLockedError(
                f"{self.path} is already open in this process in another way (read-only or for writing): "
                "close that repository first"
            ) from error
        # a Python variable never stands in for a table
        connection.execute("SET python_enable_replacements = false")
        super().__init__(connection)

    def stream(
        self, sql: str, parameters: Sequence[Any] = (), *, points: int
    ) -> Iterator[dict[str, NDArray[Any]]]:
        cursor = self._connection.cursor()
        try:
            reader = cursor.sql(sql, params=list(parameters)).to_arrow_reader(points)
            for batch in reader:
                yield {
                    name: batch.column(i).to_numpy(zero_copy_only=False)
                    for i, name in enumerate(batch.schema.names)
                }
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self.read_only:
            raise RepositoryError(f"{self.path} is open read-only: nothing can be written")
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            with suppress(duckdb.Error, RepositoryError):  # a commit that failed has rolled back by itself
                self._connection.execute("ROLLBACK")
            if isinstance(error, duckdb.TransactionException):
                raise RepositoryError(
                    f"{self.path} was written to by another Repository of this process at the same time: "
                    "nothing was kept, try again"
                ) from error
            raise

    def sandbox(self) -> DuckDBSandbox:
        return DuckDBSandbox()


class DuckDBSandbox(_Connection):
    """Staging in memory, in a database of its own."""

    def __init__(self) -> None:
        super().__init__(
            duckdb.connect(
                ":memory:",
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "python_enable_replacements": "false",
                    "temp_directory": "",
                },
            )
        )
        # no number may depend on where the machine stands
        self.execute("SET TimeZone = 'UTC'")

    def read_csv(
        self, table: str, path: str, *, names: Sequence[str], delimiter: str, quote: str | None, gzip: bool
    ) -> int:
        columns = dict.fromkeys(names, "VARCHAR")
        # Everything is said, nothing is sniffed: the sniffer reads 03/01/2024 as it likes.
        statement = f"""CREATE TABLE {table} AS SELECT *, row_number() OVER () AS _row FROM read_csv(
                ?, auto_detect = false, header = true, delim = ?, quote = ?, escape = ?, columns = ?,
                nullstr = ?, compression = ?, encoding = 'utf-8', strict_mode = true,
                store_rejects = true, rejects_table = '_structure', rejects_scan = '_scan')"""
        try:
            self.execute(
                statement,
                [path, delimiter, quote or "", quote or "", columns, _NEVER, "gzip" if gzip else "none"],
            )
        except duckdb.IOException as error:
            raise LoadError(f"{path} cannot be read to its end: {str(error).splitlines()[0]}") from error
        (bad,) = self.rows("SELECT count(*) FROM _structure")[0]
        return int(bad)

    def lock(self) -> None:
        self.execute("SET enable_external_access = false")
        self.execute("SET lock_configuration = true")

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self._connection.sql(sql, params=list(parameters)).to_arrow_table()


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """A column without a mask: NaN, NaT and None stand for what is missing."""
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    mask = np.ma.getmaskarray(column)
    data = column.data
    if not mask.any():
        return data
    if data.dtype.kind in "iuf":
        out = data.astype(np.float64)
        out[mask] = np.nan
    elif data.dtype.kind in "mM":
        out = data.copy()
        out[mask] = np.array("NaT", dtype=data.dtype)
    else:
        out = data.astype(object)
        out[mask] = None
    return out


def _check_file(path: str) -> None:
    """Refuse what is no DuckDB file: DuckDB would open a CSV file in memory, where everything is lost."""
    file = Path(path).absolute()
    if not file.parent.is_dir():
        raise RepositoryError(f"the folder of {path} does not exist")
    if not file.exists():
        return
    if file.is_dir():
        raise RepositoryError(f"{path} is not a repository: it is a folder")
    offset, word = _MAGIC
    try:
        with file.open("rb") as opened:
            head = opened.read(offset + len(word))
    except OSError as error:
        raise RepositoryError(f"{path} cannot be read: {error.strerror or error}") from None
    if head[offset:] != word:
        raise RepositoryError(
            f"{path} is not a repository: the file exists and is no DuckDB database. Give another path for "
            "the repository (it is made when there is none)"
        )


def _explained(path: str, error: duckdb.IOException) -> RepositoryError:
    text = str(error)
    if "lock" in text.lower():
        found = re.search(r"PID (\d+)", text)
        who = f"process {found.group(1)} (PID)" if found else "another process"
        return RepositoryLockedError(
            f"{path} is in use by {who}. One process at a time may write to a repository, and none may "
            "read meanwhile: close it there, or open it read-only in both"
        )
    return RepositoryError(f"{path} cannot be opened as a repository: {text.splitlines()[0]}")
