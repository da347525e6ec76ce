"""Admits callers of any API surface: the gate's idea of a session, filled by the access area and the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from tradepost.domain import access, operators, world
from tradepost.domain.context import (
    Ctx,
    Merchant,
    MerchantCtx,
    Operator,
    OperatorCtx,
    Shipper,
    ShipperCtx,
    random_id,
)
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.failure import Failure
from tradepost.domain.orders import OrderRules
from tradepost.domain.parcels import Press
from tradepost.domain.pictures import Studio
from tradepost.domain.webhooks import Tools as WebhookTools
from tradepost.storage.database import Database, StorageUnavailable
from tradepost.values import TryLater
from tradepost.wire.gate import Credentials
from tradepost.wire.refusals import Refusal, ServiceUnavailable

Seen = Callable[[access.Admission, Credentials], None]
"""Is told who was let in, at once: somebody waits for his answer."""


class Chance(Protocol):
    """Where the ids of a sandbox come from."""

    @property
    def seed(self) -> str | None:
        """What they follow from; None where they are random."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a call may need beside the database."""

    link_keys: LinkKeys | None
    studio: Studio | None
    order_rules: OrderRules | None
    press: Press | None
    chance: Chance | None = None
    webhooks: WebhookTools | None = None


class CallSession:
    """One admitted call on one connection."""

    __slots__ = ("_connection", "ctx", "locale", "remaining")

    def __init__(
        self, connection: Any, admission: access.Admission, new_id: Callable[[], str], tools: Tools
    ) -> None:
        self._connection = connection
        if tools.chance is not None and tools.chance.seed is not None:
            new_id = world.ForetoldIds(tools.chance.seed)
        self.ctx = _context(connection, admission, new_id, tools)
        self.locale = "" if admission.actor is None else admission.actor.locale
        self.remaining = admission.remaining

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """One transaction, committed at its end."""
        transaction: AbstractAsyncContextManager[Any] = self._connection.transaction()
        return _foretold(transaction, self.ctx) if isinstance(self.ctx.new_id, world.ForetoldIds) else transaction

    async def recall(self, key: str, fingerprint: bytes) -> bytes | None:
        """What an operator's call was answered with under this key; takes the key where there is nothing yet."""
        return await operators.take_key(self._operator_ctx(), key, fingerprint)

    async def keep(self, key: str, answer: bytes) -> None:
        """Keep the answer to an operator's call under the key that was taken for it."""
        await operators.keep_answer(self._operator_ctx(), key, answer)

    def _operator_ctx(self) -> OperatorCtx:
        assert isinstance(self.ctx, OperatorCtx), "only operators' calls have keys"
        return self.ctx


@asynccontextmanager
async def _foretold(transaction: AbstractAsyncContextManager[Any], ctx: Ctx) -> AsyncIterator[None]:
    """A transaction whose ids follow from how many there were before, in a world with a seed."""
    async with transaction:
        await world.begin_anew(ctx)
        yield


class CallSessions:
    """Sessions on the connections of a database."""

    def __init__(
        self,
        database: Database,
        new_id: Callable[[], str] = random_id,
        link_keys: LinkKeys | None = None,
        studio: Studio | None = None,
        order_rules: OrderRules | None = None,
        press: Press | None = None,
        chance: Chance | None = None,
        webhooks: WebhookTools | None = None,
    ) -> None:
        self._database = database
        self._new_id = new_id
        self.tools = Tools(link_keys, studio, order_rules, press, chance, webhooks)
        self.seen: Seen | None = None

    def open(self, credentials: Credentials) -> Opening:
        """Admit a caller, or raise why not; what time mends becomes ServiceUnavailable."""
        return Opening(self._database.call(), credentials, self._new_id, self.tools, self.seen)


class Opening:
    """A session for as long as it is open. A class and no generator, because every call passes here."""

    __slots__ = ("_call", "_credentials", "_new_id", "_seen", "_tools")

    def __init__(
        self,
        call: AbstractAsyncContextManager[Any],
        credentials: Credentials,
        new_id: Callable[[], str],
        tools: Tools,
        seen: Seen | None,
    ) -> None:
        self._call = call
        self._credentials = credentials
        self._new_id = new_id
        self._tools = tools
        self._seen = seen

    async def __aenter__(self) -> CallSession:
        try:
            connection = await self._call.__aenter__()
        except StorageUnavailable as error:
            raise ServiceUnavailable from error
        try:
            let_in = access.admit_anybody if self._credentials.is_open else access.admit
            admission = await let_in(connection, self._credentials)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        if self._seen is not None:
            self._seen(admission, self._credentials)
        return CallSession(connection, admission, self._new_id, self._tools)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._call.__aexit__(kind, error, trace)
        except StorageUnavailable as unavailable:
            raise ServiceUnavailable from unavailable
        # What a tool says that time mends (no room for a picture, a full disk) no surface has words for.
        if isinstance(error, TryLater) and not isinstance(error, Failure | Refusal):
            raise ServiceUnavailable from error


class OneCaller:
    """Sessions of one account, whoever the token says, within a transaction that somebody else has begun.

    For a page that asks something of the API in his name.
    """

    def __init__(self, ctx: MerchantCtx | ShipperCtx) -> None:
        self._ctx = ctx

    @asynccontextmanager
    async def open(self, credentials: Credentials) -> AsyncIterator[OneCall]:
        """A session for one call; nothing is counted."""
        yield OneCall(self._ctx, credentials.limits[0].limit if credentials.limits else 0)


class OneCall:
    """A call in a transaction that somebody else has begun."""

    def __init__(self, ctx: MerchantCtx | ShipperCtx, remaining: int) -> None:
        self.ctx: Any = ctx
        self.locale = ctx.actor.locale
        self.remaining = remaining

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """A part of that transaction, undone by itself where it fails."""
        transaction: AbstractAsyncContextManager[Any] = self.ctx.db.transaction()
        return transaction

    async def recall(self, key: str, fingerprint: bytes) -> bytes | None:
        """No call of a merchant has a key."""
        raise AssertionError(key)

    async def keep(self, key: str, answer: bytes) -> None:
        """No call of a merchant has a key."""
        raise AssertionError(key)


def _context(connection: Any, admission: access.Admission, new_id: Callable[[], str], tools: Tools) -> Ctx:
    match admission.actor:
        case Merchant() as merchant:
            return MerchantCtx(
                connection,
                admission.now,
                merchant,
                new_id,
                admission.token_id,
                tools.link_keys,
                tools.studio,
                tools.order_rules,
                tools.webhooks,
            )
        case Shipper() as shipper:
            return ShipperCtx(
                connection, admission.now, shipper, new_id, admission.token_id, tools.link_keys, tools.press
            )
        case None:
            return Ctx(connection, admission.now, None, new_id)
        case Operator() as operator:
            return OperatorCtx(connection, admission.now, operator, new_id, admission.token_id, tools.order_rules)
