"""Admits callers of any API surface: the gate's idea of a session, filled by the access area and the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from tradepost.domain import access
from tradepost.domain.context import Ctx, Merchant, MerchantCtx, Shipper, ShipperCtx, random_id
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.wire.gate import Credentials
from tradepost.wire.refusals import ServiceUnavailable


class CallSession:
    """One admitted call on one connection."""

    __slots__ = ("_connection", "ctx", "locale", "remaining")

    def __init__(self, connection: Any, admission: access.Admission, new_id: Callable[[], str]) -> None:
        self._connection = connection
        self.ctx = _context(connection, admission, new_id)
        self.locale = admission.actor.locale
        self.remaining = admission.remaining

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """One transaction, committed at its end."""
        transaction: AbstractAsyncContextManager[Any] = self._connection.transaction()
        return transaction


class CallSessions:
    """Sessions on the connections of a database."""

    def __init__(self, database: Database, new_id: Callable[[], str] = random_id) -> None:
        self._database = database
        self._new_id = new_id

    @asynccontextmanager
    async def open(self, credentials: Credentials) -> AsyncIterator[CallSession]:
        """Admit a caller, or raise why not; what time mends becomes ServiceUnavailable."""
        asked = access.Asked(
            service=credentials.service,
            token=credentials.token,
            scope=credentials.scope,
            limits=credentials.limits,
            client=credentials.client,
            agent=credentials.agent,
        )
        try:
            async with self._database.call() as connection:
                admission = await access.admit(connection, asked)
                yield CallSession(connection, admission, self._new_id)
        except StorageUnavailable as error:
            raise ServiceUnavailable from error


def _context(connection: Any, admission: access.Admission, new_id: Callable[[], str]) -> Ctx:
    match admission.actor:
        case Merchant() as merchant:
            return MerchantCtx(db=connection, now=admission.now, actor=merchant, new_id=new_id)
        case Shipper() as shipper:
            return ShipperCtx(db=connection, now=admission.now, actor=shipper, new_id=new_id)
