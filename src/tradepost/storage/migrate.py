"""Brings a database to the schema that this version needs: ordered SQL files, each in a transaction of its own.

A file whose first line is `-- no transaction` runs outside one (CREATE INDEX CONCURRENTLY needs that). A
session lock lets one process migrate while others wait; a checksum refuses a file that was edited after it ran.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import asyncpg

SCHEMA = "tradepost"
LEAST_SERVER = 150_000
REMEDY = "Use the version that made it; a sandbox can also be started over with `tradepost sandbox reset`."
_LOCK = 7_230_114_001
_OUTSIDE = "-- no transaction"


class MigrationError(Exception):
    """The database cannot be brought to this version; the message says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the migrations folder."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What the file held when it ran."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations of this version, in order."""
    folder = resources.files("tradepost.storage") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(Migration(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8")) for f in files)


async def migrate(
    connection: asyncpg.Connection[Any], say: Callable[[str], None] = lambda line: None, dry_run: bool = False
) -> list[str]:
    """Run what has not run yet, as the owner of the schema; gives the names of what was (or would be) run."""
    if connection.get_server_version().major * 10_000 < LEAST_SERVER:
        raise MigrationError("PostgreSQL 15 or newer is needed")
    await connection.execute("set lock_timeout = 0; set statement_timeout = 0")
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        if not dry_run:
            await _create_journal(connection)
        done = await _done(connection)
        waiting = []
        for migration in migrations():
            ran = done.get(migration.name)
            if ran is None:
                waiting.append(migration)
            elif ran != migration.checksum:
                raise MigrationError(f"{migration.name} was changed after it ran on this database. {REMEDY}")
        if unknown := done.keys() - {migration.name for migration in migrations()}:
            raise MigrationError(f"the database is newer than this program: {', '.join(sorted(unknown))}. {REMEDY}")
        for migration in waiting:
            say(("would run " if dry_run else "running ") + migration.name)
            if not dry_run:
                await _run(connection, migration)
        return [migration.name for migration in waiting]
    finally:
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def missing(connection: Any) -> list[str]:
    """The names of the migrations that this version needs and the database does not have."""
    try:
        rows = await connection.fetch(f"select name from {SCHEMA}.schema_migration")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        rows = []
    done = {row["name"] for row in rows}
    return [migration.name for migration in migrations() if migration.name not in done]


async def _create_journal(connection: asyncpg.Connection[Any]) -> None:
    await connection.execute(
        f"""
        create schema if not exists {SCHEMA};
        set search_path = {SCHEMA};
        create table if not exists schema_migration (
            name text primary key, checksum text not null, ran_at timestamptz not null default now()
        );
        """
    )


async def _done(connection: asyncpg.Connection[Any]) -> dict[str, str]:
    """Name to checksum of what ran; nothing where nothing ever did."""
    if await connection.fetchval(f"select to_regclass('{SCHEMA}.schema_migration')") is None:
        return {}
    rows = await connection.fetch(f"select name, checksum from {SCHEMA}.schema_migration")
    return {row["name"]: row["checksum"] for row in rows}


async def _run(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    note = "insert into schema_migration (name, checksum) values ($1, $2)"
    if migration.sql.startswith(_OUTSIDE):
        await connection.execute(migration.sql)
        await connection.execute(note, migration.name, migration.checksum)
        return
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(note, migration.name, migration.checksum)
