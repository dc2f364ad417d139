"""Numbered SQL files bring the schema of a repository up to date, each in a transaction with its record."""

from __future__ import annotations

import hashlib
from importlib import resources

from perfanalytics._version import __version__
from perfanalytics.core.errors import MigrationError, RepositoryError
from perfanalytics.repository.engine import Engine


def available() -> list[tuple[int, str, str]]:
    """Number, name and SQL of every migration of this version, in order."""
    folder = resources.files("perfanalytics.repository") / "schema"
    found = [
        (int(f.name[:4]), f.name, f.read_text(encoding="utf-8"))
        for f in folder.iterdir()
        if f.name.endswith(".sql")
    ]
    return sorted(found)


def migrate(engine: Engine, migrations: list[tuple[int, str, str]] | None = None) -> list[str]:
    """Apply what is pending; the names of what was applied.

    Raises
    ------
    MigrationError
        When a migration fails (it is undone), when the file was made by a newer version, when an applied
        migration has changed since, or when something is pending and the repository is open read-only.
    RepositoryError
        When the file is a DuckDB database that holds something else: nothing is put beside it.
    """
    migrations = available() if migrations is None else migrations
    exists = engine.rows(
        "SELECT count(*) FROM information_schema.tables "
        "WHERE table_schema = 'main' AND table_name = 'migration'"
    )[0][0]
    if not exists:
        others = [n for (n,) in engine.rows("SELECT table_name FROM information_schema.tables ORDER BY 1")]
        if others:
            raise RepositoryError(
                f"{engine.path} is not a repository: it is a DuckDB database with tables of its own "
                f"({', '.join(others[:3])}{', ...' if len(others) > 3 else ''})"
            )
    done = dict(engine.rows("SELECT number, content_hash FROM migration")) if exists else {}
    known = {number: _hash(sql) for number, _, sql in migrations}
    newer = sorted(set(done) - set(known))
    if newer:
        raise MigrationError(
            f"{engine.path} was made by a newer version of perfanalytics (schema {newer[-1]}, "
            f"this version knows up to {max(known, default=0)})"
        )
    for number, applied in done.items():
        if applied != known[number]:
            raise MigrationError(f"migration {number} is not the one that was applied to {engine.path}")
    pending = [m for m in migrations if m[0] not in done]
    if pending and engine.read_only:
        raise MigrationError(
            f"{engine.path} needs {len(pending)} migration(s) and is open read-only: open it once for writing"
        )
    for number, name, sql in pending:
        try:
            with engine.transaction():
                engine.execute(
                    "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, "
                    "name VARCHAR NOT NULL, "
                    "content_hash VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL, "
                    "package_version VARCHAR NOT NULL)"
                )
                engine.execute(sql)
                engine.execute(
                    "INSERT INTO migration VALUES (?, ?, ?, now() AT TIME ZONE 'UTC', ?)",
                    [number, name, _hash(sql), __version__],
                )
        except Exception as error:
            raise MigrationError(
                f"migration {name} failed on {engine.path} and was undone: {error}"
            ) from error
    return [name for _, name, _ in pending]


def _hash(sql: str) -> str:
    return hashlib.blake2b(sql.encode(), digest_size=16).hexdigest()
