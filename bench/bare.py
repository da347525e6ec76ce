"""The bare limit: the program's own statements behind the same server library, and nothing else.

No gate, no readers of parameters, no domain, no views: a key is cut out of the query string, the statement
runs, and its row is written as JSON as it is. Each path has a second form below /gated, which runs the gate's
one statement (`admit`) on the same connection first: what admitting callers costs in the database is in that
one, what it costs in the program is in neither. A third form, below /sized/N, does the same and fills the answer
with blanks up to N bytes: what a wire format of many words costs to send is in that one.

The statements are taken down from the program's own functions as they run, so the two cannot differ. Run by
`bench.installation`: `python -m bench.bare`, with the accounts as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import asyncpg
import msgspec
import uvicorn

from tradepost.domain import access
from tradepost.domain.products import ListFilter
from tradepost.domain.products.rows import reading, variations
from tradepost.domain.shipping import rows as shipping
from tradepost.domain.warehouses import STANDARD
from tradepost.opening import connect_arguments
from tradepost.settings import Settings, load_settings
from tradepost.storage.database import Database
from tradepost.surfaces.merchant_v2.chapters import api
from tradepost.values import Page
from tradepost.web import server_config
from tradepost.wire.gate import Credentials

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

LIST_LIMIT = 100

_encode = msgspec.json.Encoder().encode


class _Taken(Exception):
    """The statement is noted; nothing more is wanted of the function that ran it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its arguments, and the places among them that each call fills itself."""

    call: Literal["fetch", "fetchrow"]
    text: str
    arguments: tuple[Any, ...]
    places: tuple[int, ...] = ()

    def with_keys(self, *keys: Any) -> list[Any]:
        """The arguments for one call."""
        arguments = list(self.arguments)
        for place, key in zip(self.places, keys, strict=True):
            arguments[place] = key
        return arguments


class _Notebook:
    """Stands in for a connection and takes down the one statement it is asked to run."""

    def __init__(self) -> None:
        self.noted: tuple[Literal["fetch", "fetchrow"], str, tuple[Any, ...]] | None = None

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        self.noted = ("fetch", query, args)
        raise _Taken

    async def fetchrow(self, query: str, *args: Any) -> Any:
        self.noted = ("fetchrow", query, args)
        raise _Taken

    async def fetchval(self, query: str, *args: Any) -> Any:
        raise NotImplementedError

    async def execute(self, query: str, *args: Any) -> str:
        raise NotImplementedError


async def note(run: Callable[[_Notebook], Awaitable[Any]], *keys: object) -> Statement:
    """The statement that `run` runs; `keys` are the arguments in it that change from call to call."""
    notebook = _Notebook()
    with contextlib.suppress(_Taken):
        await run(notebook)
    assert notebook.noted is not None
    call, text, arguments = notebook.noted
    places = [next(at for at, argument in enumerate(arguments) if argument is key) for key in keys]
    return Statement(call, text, arguments, tuple(places))


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant, and the token to admit him by."""

    id: str
    token: str


class Bare:
    """The application: a few statements, each with and without the gate's in front of it."""

    def __init__(self, settings: Settings, wide: Account, narrow: Account, far: Account) -> None:
        self._wide = wide
        self._narrow = narrow
        self._far = far
        self._databases = {name: database_for(settings, name) for name in (wide.id, narrow.id, far.id, "")}
        self._routes: dict[str, Callable[[bytes], Awaitable[bytes]]] = {}
        api.override_limits(settings.rate_limits)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(receive, send)
            return
        path, size = scope["path"], 0
        if path.startswith("/sized/"):
            number, _, rest = path.removeprefix("/sized/").partition("/")
            path, size = f"/gated/{rest}", int(number)
        body = (await self._routes[path](scope["query_string"])).ljust(size)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        for database in self._databases.values():
            await database.open()
        await self._add_routes()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for database in self._databases.values():
            await database.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _add_routes(self) -> None:
        # Stand-ins, found again among the arguments of the statement by what they are.
        one, sku, start, inventory, now = "an id", "a SKU", 1_000_001, 1_000_002, datetime.now(UTC)
        ids = ["several ids"]
        wide, narrow, far = self._wide, self._narrow, self._far
        product = await note(lambda db: reading.by_id(db, wide.id, STANDARD, one), one)
        cut = Page(start, LIST_LIMIT)
        page = await note(lambda db: reading.page(db, narrow.id, STANDARD, ListFilter(), cut), start)
        stock = await note(
            lambda db: variations.set_inventory(db, wide.id, sku, STANDARD, inventory, now), sku, inventory, now
        )
        prices = await note(lambda db: shipping.by_ids(db, far.id, ids), ids)
        await self._add("/shipping", far, "products:read", prices, lambda query: (query[4:].decode().split(","),))
        await self._add("/product", wide, "products:read", product, lambda query: (query[3:].decode(),))
        await self._add("/list", narrow, "products:read", page, lambda query: (int(query[6:]),))
        await self._add("/stock", wide, "products:write", stock, _stock_keys)

    async def _add(
        self,
        path: str,
        account: Account,
        scope: str,
        statement: Statement,
        keys: Callable[[bytes], tuple[Any, ...]],
    ) -> None:
        asked = Credentials("merchant", account.token, scope, api.limits_of(api.endpoints[0]), "127.0.0.1", "")
        admit = await note(lambda db: access.admit(db, asked))
        text, many = statement.text, statement.call == "fetch"
        bound, unbound = pool_of(self._databases[account.id]), pool_of(self._databases[""])

        async def run(connection: Any, query: bytes) -> bytes:
            arguments = statement.with_keys(*keys(query))
            if many:
                return _encode([tuple(row) for row in await connection.fetch(text, *arguments)])
            return _encode(tuple(await connection.fetchrow(text, *arguments)))

        async def alone(query: bytes) -> bytes:
            async with bound.acquire() as connection:
                return await run(connection, query)

        async def gated(query: bytes) -> bytes:
            async with unbound.acquire() as connection:
                row: Any = await connection.fetchrow(admit.text, *admit.arguments)
                assert row["verdict"] == "ok"
                return await run(connection, query)

        self._routes[path] = alone
        self._routes["/gated" + path] = gated


def _stock_keys(query: bytes) -> tuple[Any, ...]:
    sku, _, inventory = query.partition(b"&")
    return sku[4:].decode(), int(inventory[10:]), datetime.now(UTC)


def database_for(settings: Settings, account_id: str) -> Database:
    """The program's own pool, whose connections are bound to one account from the start."""

    async def bind(connection: Any) -> None:
        await connection.execute("select set_config('tradepost.account', $1, false)", account_id)

    return Database(connect_arguments(settings, "tradepost_app"), most=settings.pool_size, greet=bind)


def pool_of(database: Database) -> asyncpg.Pool[Any]:
    pool = database._pool
    assert pool is not None
    return pool


def main() -> None:
    """Serve until SIGTERM; the first line on standard output is the port."""
    told = json.load(sys.stdin)
    app = Bare(load_settings(), Account(*told["wide"]), Account(*told["narrow"]), Account(*told["far"]))
    opened = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(opened.getsockname()[1], flush=True)
    config = server_config(app, http="httptools")
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[opened]))


if __name__ == "__main__":
    main()
