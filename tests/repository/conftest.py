"""Fixtures of the tests of the repository."""

from __future__ import annotations

import pytest

from perfanalytics.repository.repository import Repository


@pytest.fixture
def repo():
    with Repository.open(":memory:") as repository:
        yield repository


@pytest.fixture
def csv(tmp_path):
    """Writes a CSV file and gives its path."""

    def write(text, name="tickets.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write
