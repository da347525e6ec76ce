"""What an operation is handed besides its arguments: the database, the time, new ids, and who acts.

Nothing in the domain reaches for any of these by itself; tests and the sandbox hand in their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol


class Rows(Protocol):
    """A database connection as the domain uses it; an asyncpg connection is one.

    It is bound to one account before the domain sees it, and it begins and commits nothing itself.
    """

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """All rows of a statement."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """The first row of a statement, or None."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row, or None."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement; gives its command tag."""


Pieces = Callable[[bytes], Coroutine[Any, Any, None]]
"""Takes the pieces of a stream, one after the other."""


class CopyingRows(Rows, Protocol):
    """A connection that can also stream what a query finds."""

    async def copy_from_query(
        self, query: str, *args: Any, output: Pieces, format: Literal["csv"], header: bool
    ) -> str:
        """Hand the rows of a query to `output` as a file of this format; gives the command tag."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """The shop that acts.

    `currency` is his own; `payment_currency` is the one he is paid in: either USD or his own.
    """

    id: str
    name: str
    currency: str
    payment_currency: str
    locale: str

    @property
    def paid_in_usd(self) -> bool:
        """Whether USD prices are the truth for this shop; if not, they read 999999."""
        return self.payment_currency == "USD"


@dataclass(frozen=True, slots=True)
class Shipper:
    """A user of the logistics service."""

    id: str
    name: str
    locale: str


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who acts for the marketplace."""

    id: str
    name: str
    locale: str


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, where the actor does not say it: somebody who is signed in, an app, or somebody at a shell.

    `kind` is person, operator, app or shell; `client` the address that he asks from, empty where there is none.
    """

    kind: str
    id: str
    client: str = ""


def random_id() -> str:
    """A new id: 24 hex digits, random, so that none can be guessed from another."""
    return secrets.token_hex(12)


@dataclass(frozen=True, slots=True)
class Ctx:
    """The context of one call: one connection, one moment, one actor."""

    db: Rows
    now: datetime
    actor: Any
    new_id: Callable[[], str] = random_id
    token_id: str | None = None
    """The access token of the call; None where nobody called."""
    by: By | None = field(default=None, kw_only=True)
    """Who acts, for the audit log; None where the actor says it, or nobody does."""


@dataclass(frozen=True, slots=True)
class MerchantCtx(Ctx):
    """The context of a call to the merchant service."""

    actor: Merchant
    link_keys: Any = None
    """What signs links to the merchant's files, a downloads.LinkKeys; None where nothing is linked to."""
    studio: Any = None
    """What makes and keeps the pictures that a merchant sends, a pictures.Studio; None where nobody sends any."""
    order_rules: Any = None
    """What the installation decides about orders, an orders.OrderRules; None for the usual ones."""
    webhooks: Any = None
    """What subscribing takes, a webhooks.Tools; None where nobody subscribes."""


@dataclass(frozen=True, slots=True)
class ShipperCtx(Ctx):
    """The context of a call to the logistics service."""

    actor: Shipper
    link_keys: Any = None
    """What signs links to the user's labels, a downloads.LinkKeys; None where nothing is linked to."""
    press: Any = None
    """What prints labels, a parcels.Press; None where nobody prints any."""


@dataclass(frozen=True, slots=True)
class OperatorCtx(Ctx):
    """The context of an operator's call; it sees every account."""

    actor: Operator
    order_rules: Any = None
    """What the installation decides about orders, an orders.OrderRules; None for the usual ones."""
