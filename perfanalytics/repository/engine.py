"""What a storage engine must supply: read, stream, write, all or nothing, and a sandbox.

Everything in this folder that reads or writes goes through these two protocols. Queries are SQL with
``?`` for bound parameters. An engine that passes ``tests/repository/test_engine_contract.py`` will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from numpy.typing import NDArray

#: Named columns of equal length.
Columns = Mapping[str, NDArray[Any]]


class Reader(Protocol):
    """Answers queries."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows as tuples of Python values: for small answers."""
        ...

    def columns(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, NDArray[Any]]:
        """All rows as NumPy columns.

        Missing numbers are NaN (an integer column that has some becomes float), missing times NaT,
        missing texts None (texts are object arrays); a missing boolean is None in an object array.
        Times are datetime64[us].
        """
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement for its effect."""
        ...

    def put(self, table: str, data: Any) -> None:
        """Make the table ``table`` (temporary in a repository) of NumPy columns or an Arrow table."""
        ...

    def append(self, table: str, columns: Columns, types: Mapping[str, str]) -> None:
        """Append rows to a table, its columns in order, each cast to the SQL type named for it."""
        ...


class Engine(Reader, Protocol):
    """Holds a repository."""

    path: str
    read_only: bool

    def stream(
        self, sql: str, parameters: Sequence[Any] = (), *, points: int
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """The rows in order, in pieces of about ``points`` rows, without holding all of them.

        Writes on the same engine may go on while it is read.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing: an exception inside undoes everything, as does the death of the process."""
        ...

    def sandbox(self) -> Sandbox:
        """A new empty place in memory for staging."""
        ...

    def close(self) -> None:
        """Write everything to disk and let go of the file."""
        ...


class Sandbox(Reader, Protocol):
    """A place in memory where the records of one source are staged.

    It knows nothing of the repository; once locked it can reach neither files nor network, load no
    extension, and its configuration cannot be changed again.
    """

    def read_csv(
        self, table: str, path: str, *, names: Sequence[str], delimiter: str, quote: str | None, gzip: bool
    ) -> int:
        """Read a UTF-8 file with a header as text columns and ``_row`` (from 1, in the order of the file).

        Returns
        -------
        int
            How many records did not have the structure of the file; with any, the content is not to be used.
        """
        ...

    def lock(self) -> None:
        """Give up access to files and network, for good."""
        ...

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The answer as an Arrow table, for :meth:`Reader.put` of another engine."""
        ...

    def close(self) -> None:
        """Forget everything."""
        ...
