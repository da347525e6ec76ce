"""Connections to PostgreSQL: a pool per role, and nothing that could serve one account with another's rows.

A connection of the application's role sees no account until something binds it to one. There are two ways to
get one and both bind: `Database.call` for a request, whose first statement is the gate's, and
`Database.acting_for` for everything else. Connections are pooled without a reset between users, which saves a
round trip per call, so nothing here or above may LISTEN, SET or take session locks on them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import asyncpg
import structlog

from tradepost.storage import migrate
from tradepost.values import TryLater

APP_ROLE = "tradepost_app"
PLATFORM_ROLE = "tradepost_platform"
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000
ACQUIRE_SECONDS = 4.0

# What says that the database is not there, is stopping, is full or is too busy: time mends it.
_PASSING = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


# Both hold until the end of the transaction.
_BIND = "select set_config('tradepost.account', $1, true), set_config('statement_timeout', $2, true)"

log = structlog.get_logger("tradepost.storage")


class StorageUnavailable(TryLater):
    """The database cannot serve at the moment."""


def _unavailable(error: BaseException) -> StorageUnavailable:
    log.warning("storage unavailable", error=repr(error))
    return StorageUnavailable()


async def _no_reset(connection: Any) -> None:
    """Give a connection back as it is; see the module's docstring."""


def session_settings(role: str) -> dict[str, str]:
    """What holds for every session in a role."""
    return {
        "role": role,
        "search_path": migrate.SCHEMA,
        "application_name": "tradepost",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": "30000",
        "jit": "off",
    }


class Database:
    """A pool of connections in one role."""

    def __init__(
        self,
        connect: Mapping[str, Any],
        role: str = APP_ROLE,
        *,
        most: int = 10,
        greet: Callable[[Any], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """`connect` are the keyword arguments of asyncpg.connect, such as {"dsn": …} or host, user, database.

        `greet` is called with each new connection.
        """
        self._connect = dict(connect)
        self._role = role
        self._most = most
        self._greet = greet
        self._pool: asyncpg.Pool[Any] | None = None

    async def open(self) -> None:
        """Open the pool. It connects when somebody calls, so the database need not be there yet."""
        self._pool = await asyncpg.create_pool(
            **self._connect,
            min_size=0,
            max_size=self._most,
            reset=_no_reset,
            init=self._greet,
            server_settings=session_settings(self._role),
        )

    async def close(self) -> None:
        """Close the pool; connections in use get a moment to finish."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), timeout=5)
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    def call(self) -> AbstractAsyncContextManager[Any]:
        """A connection for one request, still bound to whomever it served last.

        The caller's first statement must be the gate's `admit`, which binds it anew or to nobody.
        Raises StorageUnavailable for everything that time mends.
        """
        return BoundCall(self._pool)

    @asynccontextmanager
    async def acting_for(
        self, account_id: str, *, one_snapshot: bool = False, timeout_ms: int = STATEMENT_TIMEOUT_MS
    ) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy[Any]]:
        """A connection in one transaction that is bound to an account ("" for none) until its end.

        With `one_snapshot` everything in it is read as it was at one moment, and nothing is written.
        """
        async with self.call() as connection:
            kind = {"isolation": "repeatable_read", "readonly": True} if one_snapshot else {}
            async with connection.transaction(**kind):
                await connection.execute(_BIND, account_id, str(timeout_ms))
                yield connection

    async def missing(self) -> str | None:
        """What keeps this database from serving, in words, or None."""
        try:
            async with self.call() as connection:
                lacking = await migrate.missing(connection)
        except StorageUnavailable as error:
            return f"database: {type(error.__cause__).__name__}"
        except asyncpg.PostgresError as error:
            return f"database: {type(error).__name__}"
        return f"migrations: {', '.join(lacking)}" if lacking else None


class BoundCall:
    """A connection while one request has it. A class and no generator, because every call passes here."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: asyncpg.Pool[Any] | None) -> None:
        self._pool = pool
        self._connection: Any = None

    async def __aenter__(self) -> asyncpg.pool.PoolConnectionProxy[Any]:
        if self._pool is None:
            raise StorageUnavailable
        try:
            # With a limit the pool waits in a task of its own, which costs a read a twentieth of its time.
            limit = None if self._pool.get_idle_size() else ACQUIRE_SECONDS
            self._connection = await self._pool.acquire(timeout=limit)
        except (*_PASSING, asyncpg.PostgresError) as error:
            # Whatever keeps us from connecting (no such role yet, for one) is for an operator to mend.
            raise _unavailable(error) from error
        return self._connection  # type: ignore[no-any-return]

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._pool is not None  # nobody leaves who did not enter
        with suppress(*_PASSING):  # a connection that is gone needs no giving back
            await self._pool.release(self._connection, timeout=ACQUIRE_SECONDS)
        if isinstance(error, _PASSING):
            raise _unavailable(error) from error
