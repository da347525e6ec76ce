"""What all files behind links have in common: whose they are, what time it is, and what to say when that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tradepost.domain.context import Ctx
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.storage.files import FileStore, FilesUnavailable
from tradepost.wire.refusals import ServiceUnavailable


@asynccontextmanager
async def acting_now(database: Database, account_id: str) -> AsyncIterator[Ctx]:
    """A transaction of an account ("" for nobody's) at the time of the world; raises ServiceUnavailable."""
    try:
        async with database.acting_for(account_id) as connection:
            yield Ctx(db=connection, now=await connection.fetchval("select world_now()"), actor=None)
    except StorageUnavailable as error:
        raise ServiceUnavailable from error


async def size_of(files: FileStore, key: str) -> int | None:
    """The size of a file in bytes, None where there is none; raises ServiceUnavailable."""
    try:
        return await files.size(key)
    except FilesUnavailable as error:
        raise ServiceUnavailable from error
