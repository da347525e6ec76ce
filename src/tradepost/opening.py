"""What most processes of an installation open first: its database, its files. Knows no service.

Verbs of the command line need nothing else, and so begin at once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from tradepost.domain import world
from tradepost.domain.context import By, Ctx
from tradepost.domain.orders import OrderRules
from tradepost.domain.reference import REFUND_REASONS
from tradepost.settings import Settings, SettingsError
from tradepost.storage import migrate
from tradepost.storage.database import PLATFORM_ROLE, Database
from tradepost.storage.embedded import EmbeddedPostgres
from tradepost.storage.files import FileStore
from tradepost.storage.files_local import LocalFiles
from tradepost.storage.files_s3 import S3Files

DATABASE = "tradepost"
SCHEMA = migrate.SCHEMA
OWNER_ROLE = "tradepost_owner"
SUPERUSER = "postgres"


def embedded_database(settings: Settings) -> EmbeddedPostgres | None:
    """The database that comes with the program, or None where a URL names another."""
    if settings.database_url is not None:
        return None
    return EmbeddedPostgres(settings.data / "postgres", settings.postgres_binaries)


@contextmanager
def running_database(settings: Settings) -> Iterator[None]:
    """The embedded database running for as long as this is open; nothing to do for any other.

    One at a time: whoever started the server stops it, and must not stop it under somebody else.
    """
    embedded = embedded_database(settings)
    if embedded is None:
        yield
        return
    with folder_lock(settings, "verb.lock"):
        embedded.start()
        try:
            yield
        finally:
            embedded.stop()


@contextmanager
def folder_lock(settings: Settings, name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock of the data folder; raises BlockingIOError where somebody else does and `wait` is not wanted."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def connect_arguments(settings: Settings, role: str) -> Mapping[str, Any]:
    """How asyncpg connects in a role, as the owner for anything that is not an application's role."""
    embedded = embedded_database(settings)
    if embedded is not None:
        return {**embedded.connection(role, DATABASE)}
    if role == OWNER_ROLE:
        return {"dsn": settings.owner_database_url or settings.database_url}
    return {"dsn": settings.database_url}


async def prepare_database(settings: Settings, dry_run: bool = False) -> list[str]:
    """Create the embedded database where it is not there yet, and migrate; gives the migrations that ran."""
    embedded = embedded_database(settings)
    if embedded is not None and not await _create_database(embedded, dry_run):
        return [migration.name for migration in migrate.migrations()]
    connection = await asyncpg.connect(**connect_arguments(settings, OWNER_ROLE))
    try:
        return await migrate.migrate(connection, dry_run=dry_run)
    finally:
        await connection.close()


async def _create_database(embedded: EmbeddedPostgres, dry_run: bool) -> bool:
    """Create the owner and his database where they are not there yet; whether they are there now."""
    connection = await asyncpg.connect(**embedded.connection(SUPERUSER, "postgres"))
    try:
        # Several processes may begin at once; the lock goes with the connection.
        await connection.execute("select pg_advisory_lock(1)")
        if await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            return True
        if dry_run:
            return False
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", OWNER_ROLE):
            await connection.execute(f"create role {OWNER_ROLE} login createrole")
        await connection.execute(f"create database {DATABASE} owner {OWNER_ROLE}")
        return True
    finally:
        await connection.close()


@asynccontextmanager
async def operator(settings: Settings, *, makes_ids: bool = True) -> AsyncIterator[Ctx]:
    """A context for an operator's verb: every account, one transaction, the time of this world.

    Without `makes_ids` it is for what makes none; in a world with a seed it changes nothing of those of others.
    """
    database = Database(connect_arguments(settings, PLATFORM_ROLE), PLATFORM_ROLE, most=1)
    await database.open()
    try:
        async with database.acting_for("") as connection:
            ctx = await world.enter(connection)
            if makes_ids:
                await world.begin_anew(ctx)
            yield replace(ctx, by=By("shell", str(os.getuid())))
    finally:
        await database.close()


def open_files(settings: Settings) -> FileStore:
    """Where files are kept: the bucket of the settings, or a folder beside the rest of the data."""
    if settings.bucket is None:
        return LocalFiles(settings.data / "files")
    assert settings.s3_access_key_id is not None
    assert settings.s3_secret_access_key is not None
    bucket, folder = settings.bucket
    return S3Files(
        bucket,
        folder,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        key_id=settings.s3_access_key_id,
        secret=settings.s3_secret_access_key.get_secret_value(),
    )


def order_rules(settings: Settings) -> OrderRules:
    """What this installation decides about orders; raises SettingsError for a reason that there is not."""
    reasons = frozenset(settings.refund_reasons)
    if unknown := reasons - REFUND_REASONS.keys():
        raise SettingsError(f"TRADEPOST_REFUND_REASONS: no reason has the code {min(unknown)}")
    return OrderRules(settings.merchant_share, reasons or frozenset(REFUND_REASONS))
