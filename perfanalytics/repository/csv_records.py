"""The careful reader of CSV files: one record at a time, with its line, its text, and what is wrong with it.

The engine reads whole files faster; this reader is used when something in the file is not as declared,
because it can say where and what, and go on with the next line.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a CSV file: its fields, or the reason why it has none."""

    line: int
    fields: tuple[str, ...]
    text: str
    error: str | None = None


def is_gzip(path: str | Path) -> bool:
    """Whether the file is compressed, by its first bytes and not by its name."""
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def records(
    path: str | Path, *, delimiter: str, quote: str | None, encoding: str, width: int | None = None
) -> Iterator[Record]:
    """The records of a file, header included, in order. Empty lines are skipped.

    Parameters
    ----------
    path : path
    delimiter, quote, encoding : str
    width : int, optional
        Fields a record must have; default as many as the first.

    Yields
    ------
    Record
        With ``error`` set when a byte is not of the encoding, a quote is not closed or stands inside a
        field, or the number of fields is wrong. After a broken quote reading goes on with the next line.

    Raises
    ------
    InputError
        For an encoding that does not exist.
    """
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    with gzip.open(path) if is_gzip(path) else Path(path).open("rb") as raw:
        try:
            # bytes that are not of the encoding come through as lone surrogates, and are found below
            file = io.TextIOWrapper(raw, encoding=name, errors="surrogateescape", newline="")
        except LookupError as error:
            raise InputError(f"unknown encoding {encoding!r}") from error
        lines = _Lines(file)
        while True:
            start = lines.number + 1
            lines.taken.clear()
            reader = (
                csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
                if quote is None
                else csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
            )
            try:
                for fields in reader:
                    text = "".join(lines.taken).rstrip("\r\n")
                    if fields:
                        width = len(fields) if width is None else width
                        yield Record(start, tuple(fields), text, _fault(fields, text, width, encoding))
                    start = lines.number + 1
                    lines.taken.clear()
                return
            except csv.Error as error:
                broken = lines.taken[0].rstrip("\r\n") if lines.taken else ""
                lines.put_back(1)
                yield Record(
                    start, (), broken, _encoding_fault(broken, encoding) or f"broken quotes: {error}"
                )


def _fault(fields: list[str], text: str, width: int, encoding: str) -> str | None:
    if len(fields) != width:
        return f"{len(fields)} fields instead of {width}"
    return None if text.isascii() else _encoding_fault(text, encoding)


def _encoding_fault(text: str, encoding: str) -> str | None:
    for character in text:
        if "\udc80" <= character <= "\udcff":
            byte = ord(character) - 0xDC00
            hint = (
                ""
                if encoding.lower() in ("cp1252", "windows-1252")
                else ("; if the file was written on Windows, declare encoding='cp1252'")
            )
            return f"byte 0x{byte:02x} is not {encoding}{hint}"
    return None


class _Lines:
    """Lines of a file that remember those taken for the current record, and can take them back."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._file)
        self.number += 1
        self.taken.append(line)
        return line

    def put_back(self, keep: int) -> None:
        """Put all but the first ``keep`` lines taken back."""
        back = self.taken[keep:]
        self._waiting.extendleft(reversed(back))
        self.number -= len(back)
