"""WishPost beside its bare limit: `python -m bench.parcels [--quick]`, about two minutes.

Three calls: the list of channels, a list of 100 parcels, and cancelling 100 parcels in one call. The bare limit is
a plain ASGI callable on the same server library and the same database; it runs the statements of the program, taken
down as the program's own functions run them, and writes rows as JSON as they come. Lists are asked over 16
connections by `wrk`; parcels are cancelled by one caller on one connection, because cancels of one user wait for
each other, and each parcel is cancelled once.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import socket
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import msgspec
import uvicorn

from bench import load
from bench.bare import Account, Receive, Send, database_for, note, pool_of
from bench.installation import Started, bare_process, started
from bench.load import Call, Target
from tradepost.domain import access, parcels
from tradepost.domain.context import Shipper, ShipperCtx
from tradepost.domain.parcels import Cancellation, NewShipper, ParcelFilter
from tradepost.domain.parcels.rows import channels
from tradepost.domain.parcels.rows import parcels as rows
from tradepost.opening import SUPERUSER, connect_arguments, operator
from tradepost.settings import Settings, load_settings
from tradepost.storage import migrate
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.surfaces.wishpost_v3.chapters import api
from tradepost.web import server_config
from tradepost.wire.gate import Credentials

FLOOR: Final = 0.5
CONNECTIONS: Final = 16
LISTED: Final = 100
CANCELLED: Final = 100
CHANNELS: Final = 40
REASON: Final = "USER_BIZ_DUPLICATE_ORDER"
FORMS: Final = {"bare": "", "gated": "/gated"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_FILL_CHANNELS = """
    insert into channel (otype, channel_name, channel_name_en, is_registered, support_warehouses, warehouses,
                         is_only_online_payment, allow_battery, sensitivity_types, pickup_services, fee, fee_per_kg,
                         most_weight)
    select (6000 + n) || '-1', channel_name, channel_name_en, is_registered, support_warehouses, warehouses,
           is_only_online_payment, allow_battery, sensitivity_types, pickup_services, fee, fee_per_kg, most_weight
      from channel, generate_series(1, $1::integer) n where otype = '5001-1'
"""
# $1 the user, $2 how many: booked over a month, with their numbers, like one that stands there already.
_FILL_PARCELS = """
    insert into parcel (account_id, id, wish_id, tracking_number, otype, state, order_ids, country, weight, fee,
                        details, created_at, updated_at, numbered_at)
    select $1, left(md5('parcel' || n), 24), 'WOSP' || n, 'WP' || n, '5001-1', 'numbered',
           array[left(md5('order' || n), 24)], country, weight, 10, details, t.at, t.at, t.at
      from (select * from parcel order by created_at limit 1) p, generate_series(1, $2::integer) n
     cross join lateral (select now() - interval '31 days' + n * (interval '30 days' / $2::integer) as at) t
"""
# What was frozen for each of them: planners think of a ledger with nothing in it what is not true of any other.
_FILL_TRANSFERS = """
    insert into transfer (account_id, id, kind, parcel_id, at)
    select $1, n, 'freeze', left(md5('parcel' || n), 24), now() from generate_series(1, $2::integer) n
"""
_FILL_ENTRIES = """
    insert into entry (account_id, transfer_id, name, amount)
    select $1, n, name, amount
      from generate_series(1, $2::integer) n, (values ('outside', -10), ('frozen', 10)) e (name, amount)
"""
_FREEZE = """
    update ledger_account set balance = case name when 'frozen' then $2::numeric else -$2::numeric end
     where account_id = $1 and name in ('frozen', 'outside')
"""


async def fill(settings: Settings, count: int) -> Account:
    """A user with so many parcels that can be cancelled, and more channels; gives what it takes to call."""
    async with operator(settings) as ctx:
        new = NewShipper("Bench", "bench@parcels.example", access.new_secret())
        account_id = await parcels.add_shipper(ctx, new)
        app_id, _ = await access.add_app(ctx, "wishpost", access.NewApp("Bench"))
        token = await access.issue_token(ctx, "wishpost", account_id, app_id, tuple(api.scopes))
    filling: list[tuple[str, *tuple[Any, ...]]] = [
        (_FILL_CHANNELS, CHANNELS),
        (_FILL_PARCELS, account_id, count),
        (_FILL_TRANSFERS, account_id, count),
        (_FILL_ENTRIES, account_id, count),
        (_FREEZE, account_id, 10 * count),
    ]
    settling: list[tuple[str, *tuple[Any, ...]]] = [
        *((f"vacuum (analyze) {table}",) for table in ("parcel", "channel", "transfer", "entry")),
        ("checkpoint",),
    ]
    for role, statements in ((PLATFORM_ROLE, filling), (SUPERUSER, settling)):
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            **connect_arguments(settings, role), server_settings={"search_path": migrate.SCHEMA}
        )
        for text, *values in statements:
            await connection.execute(text, *values)
        await connection.close()
    return Account(account_id, token)


# -- the bare limit


class _Recorder:
    """A connection that takes down what it is asked to run."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.noted: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)

        async def run(query: str, *values: Any) -> Any:
            self.noted.append((query, values))
            return await method(query, *values)

        return run


class Bare:
    """The application: three paths, each with and without the gate's statement in front of its own."""

    def __init__(self, settings: Settings, account: Account) -> None:
        self._account = account
        self._bound = database_for(settings, account.id)
        self._unbound = database_for(settings, "")
        self._routes: dict[str, Callable[[Any, bytes, bytes], Awaitable[bytes]]] = {}
        api.override_limits(settings.rate_limits)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(receive, send)
            return
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        path = scope["path"]
        gated = path.startswith("/gated/")
        run = self._routes[path.removeprefix("/gated")]
        async with pool_of(self._unbound if gated else self._bound).acquire() as connection:
            if gated:
                row: Any = await connection.fetchrow(self._admit.text, *self._admit.arguments)
                assert row["verdict"] == "ok"
            answer = await run(connection, scope["query_string"], body)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._bound.open()
        await self._unbound.open()
        asked = Credentials(
            "wishpost", self._account.token, "user.order.read", api.limits_of(api.endpoints[0]), "127.0.0.1", ""
        )
        self._admit = await note(lambda db: access.admit(db, asked))
        await self._add_lists()
        await self._add_cancel()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._bound.close()
        await self._unbound.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _add_lists(self) -> None:
        listed = await note(channels.read_channels)
        upto = datetime.now(UTC)
        wanted = ParcelFilter(LISTED, "created_at", descending=True, created_max=upto)
        page = await note(lambda db: rows.list_parcels(db, self._account.id, wanted), upto)

        async def run_channels(connection: Any, query: bytes, body: bytes) -> bytes:
            return _encode([tuple(row) for row in await connection.fetch(listed.text, *listed.arguments)])

        async def run_page(connection: Any, query: bytes, body: bytes) -> bytes:
            at = datetime.fromisoformat(query[3:].decode())
            return _encode([tuple(row) for row in await connection.fetch(page.text, *page.with_keys(at))])

        self._routes["/channels"] = run_channels
        self._routes["/orders"] = run_page

    async def _add_cancel(self) -> None:
        """The statements of one call, taken down as it really runs; the lists of numbers and ids in them change."""
        async with pool_of(self._bound).acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            numbers = [f"WP{n}" for n in range(1, CANCELLED + 1)]
            recorder: Any = _Recorder(connection)
            ctx = ShipperCtx(recorder, datetime.now(UTC), Shipper(self._account.id, "", "en"))
            judged = await parcels.cancel_parcels(ctx, [Cancellation(number, REASON) for number in numbers])
            assert all(each.failure is None for each in judged)
            await transaction.rollback()
        # They are stored in the order they were named, and locked in the order of their ids.
        ids = [each.parcel.id for each in judged if each.parcel is not None]
        (lock, _), *changes = recorder.noted

        async def run(connection: Any, query: bytes, body: bytes) -> bytes:
            asked = [wish["tracking_id"] for wish in _decode(body)]
            async with connection.transaction():
                found = {row["tracking_number"]: row["id"] for row in await connection.fetch(lock, account, asked)}
                swap = {repr(numbers): asked, repr(ids): [found[number] for number in asked]}
                for text, values in changes:
                    await connection.fetch(text, *(swap.get(key, value) for key, value in values))
            return _encode([{"tracking_id": number, "code": 0, "message": ""} for number in asked])

        account = self._account.id
        changes = [(text, [(repr(value), value) for value in values]) for text, values in changes]
        self._routes["/cancel"] = run


def serve_bare() -> None:
    """Serve until SIGTERM; the first line on standard output is the port."""
    app = Bare(load_settings(), Account(*json.load(sys.stdin)))
    opened = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(opened.getsockname()[1], flush=True)
    config = server_config(app, http="httptools")
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=[opened]))


# -- what is measured


class Canceller:
    """One caller on one connection who cancels parcels that nobody has cancelled, and checks each answer."""

    def __init__(self, token: str, count: int) -> None:
        self._token = token
        self._fresh = iter(range(CANCELLED + 1, count))

    def rate(self, host: str, path: str, calls: int) -> float:
        """Calls a second."""
        connection = http.client.HTTPConnection(host, timeout=60)
        bodies = [self._body() for _ in range(calls)]
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        began = time.perf_counter()
        for body in bodies:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse().read()
            if answer.count(b'"code":0') < CANCELLED:
                raise SystemExit(f"{path}: {answer[:300]!r}")
        took = time.perf_counter() - began
        connection.close()
        return calls / took

    def _body(self) -> bytes:
        wishes = [{"tracking_id": f"WP{next(self._fresh)}", "cancel_reason_code": REASON} for _ in range(CANCELLED)]
        return json.dumps(wishes, separators=(",", ":")).encode()


def measure(rounds: int, seconds: int, calls: int) -> int:
    """Fill an installation, measure and tell; gives how many lines miss the floor."""
    count = CANCELLED * (calls * len(("program", *FORMS)) * (rounds + 1) + 2)
    print(f"Load by {load.generator()}; {rounds} rounds of {seconds} s. Booking {count:,} parcels ...", flush=True)
    with started() as program:
        account = asyncio.run(fill(program.settings, count))
        told = json.dumps((account.id, account.token))
        with bare_process(["bench.parcels", "--bare"], told, program.environment) as bare:
            print("{:<24}{:>8}{:>12}{:>12}{:>8}".format("", "", "program /s", "bare /s", "ratio"))
            missed = 0
            for name, run in _runs(program, bare, account, seconds, calls, count).items():
                samples: dict[str, list[float]] = {who: [] for who in ("program", *FORMS)}
                for turn in range(rounds + 1):
                    for who, rates in samples.items():
                        rate = run(who)
                        if turn:  # the first turn warms everything up
                            rates.append(rate)
                missed += _told(name, samples)
    return missed


def _runs(
    program: Started, bare: str, account: Account, seconds: int, calls: int, count: int
) -> dict[str, Callable[[str], float]]:
    source = random.Random(1)
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [
        f"{datetime.fromtimestamp(day.timestamp() - source.randrange(20 * 86400), UTC):%Y-%m-%dT%H:%M:%SZ}"
        for _ in range(1000)
    ]
    canceller = Canceller(account.token, count)

    def listed(own: Sequence[str], plain: Sequence[str]) -> Callable[[str], float]:
        def run(who: str) -> float:
            host, paths = (
                (program.wishpost, own) if who == "program" else (bare, [FORMS[who] + path for path in plain])
            )
            target = Target(host, account.token, [Call("GET", path) for path in paths])
            return load.run(target, seconds, CONNECTIONS).rate

        return run

    def cancelled(who: str) -> float:
        if who == "program":
            return canceller.rate(program.wishpost, "/api/v3/orders/cancel", calls)
        return canceller.rate(bare, f"{FORMS[who]}/cancel", calls)

    return {
        f"{CHANNELS + 4} channels": listed(["/api/v3/channels"], ["/channels"]),
        f"{LISTED} parcels": listed(
            [f"/api/v3/orders?limit={LISTED}&created_at_max={at}" for at in moments],
            [f"/orders?at={at}" for at in moments],
        ),
        f"{CANCELLED} parcels cancelled": cancelled,
    }


def _told(name: str, samples: dict[str, list[float]]) -> int:
    missed = 0
    for who, form in FORMS.items():
        ratios = [mine / other for mine, other in zip(samples["program"], samples[who], strict=True)]
        ratio = statistics.median(ratios)
        missed += ratio < FLOOR
        own, plain = statistics.median(samples["program"]), statistics.median(samples[who])
        print(
            f"{name if not form else '':<24}{'+ gate' if form else '':>8}{own:>12,.0f}{plain:>12,.0f}{ratio:>8.2f}"
            f"  [{min(ratios):.2f}-{max(ratios):.2f}]{f'  below {FLOOR}' if ratio < FLOOR else ''}",
            flush=True,
        )
    return missed


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--quick", action="store_true", help="a first look")
    reader.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    chosen = reader.parse_args()
    if chosen.bare:
        serve_bare()
    else:
        plan = (3, 1, 30) if chosen.quick else (5, 3, 60)
        raise SystemExit(min(1, measure(*plan)))
