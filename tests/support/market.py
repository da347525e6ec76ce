"""The world that most tests play in: the cast with a small catalogue each, at a fixed time, with fixed ids.

`Market` runs the real application in this process, on one connection whose transaction is rolled back after
the test. Requests go through the ASGI application like those from a socket; jobs are done when a test says so, by
the handlers of the real workers. Files stay in the folder of the suite's server.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import asyncpg

from tests.support.answer import Answer
from tests.support.calls import BULK_JOBS, DOWNLOAD_JOBS, ORDER_JOBS, RETURN_WAREHOUSES, RINGS, SCARVES
from tests.support.complaints import complain
from tests.support.consent import let_in
from tests.support.database import Server
from tests.support.filling import FILL_EMPTY_TABLES
from tests.support.news import publish_updates, tell_news
from tests.support.orders import sell
from tests.support.sending import PARCELS_BOOKED, carry_some, send_some
from tests.support.webhooks import SEALING_KEYS, WEBHOOK_TOOLS, subscribe_one
from tradepost.darkroom.client import Darkroom
from tradepost.darkroom.studio import Studio
from tradepost.domain import (
    bulk_updates,
    downloads,
    jobs,
    merchants,
    operators,
    parcels,
    products,
    reference,
    returns,
    shipping,
    tickets,
)
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.jobs import Claim, Job
from tradepost.domain.orders import OrderCut, OrderRules
from tradepost.domain.pictures import FOLDER
from tradepost.domain.products import CatalogueFilter, NewDimensions, NewProduct, NewVariation, ProductRef
from tradepost.domain.returns import NewReturnWarehouse
from tradepost.domain.shipping import PlaceChanges
from tradepost.domain.warehouses import STANDARD
from tradepost.egress.client import FetchRefused
from tradepost.egress.fetching import Fetched
from tradepost.press.labels import LabelPress
from tradepost.sandbox import scenes
from tradepost.sandbox.carriers import SandboxCarriers
from tradepost.sandbox.cast import SENDERS, SHOPKEEPERS
from tradepost.sandbox.outside import Outside
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE
from tradepost.storage.files_local import LocalFiles
from tradepost.surfaces.downloads import DownloadLinks
from tradepost.surfaces.labels import LabelFiles
from tradepost.surfaces.merchant_v2.bulk_rows import RowTaker
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2
from tradepost.surfaces.merchant_v2.surface import SCOPES as MERCHANT_SCOPES
from tradepost.surfaces.operator_v1.chapters import api as operator_v1
from tradepost.surfaces.operator_v1.surface import SCOPES as OPERATOR_SCOPES
from tradepost.surfaces.pages.chapters import build_site
from tradepost.surfaces.pages.office.chapters import build_office
from tradepost.surfaces.pages.site import Kit
from tradepost.surfaces.pictures import PictureFiles
from tradepost.surfaces.request_log.collecting import RequestLog
from tradepost.surfaces.sessions import CallSessions
from tradepost.surfaces.ticket_pictures import TicketPictures
from tradepost.surfaces.token_uses import TokenUses
from tradepost.surfaces.wishpost_v2.chapters import api as wishpost_v2
from tradepost.surfaces.wishpost_v3.chapters import api as wishpost_v3
from tradepost.surfaces.wishpost_v3.surface import SCOPES as WISHPOST_SCOPES
from tradepost.values import Fact
from tradepost.wire.gate import Rules
from tradepost.wire.http import Addresses, App, Service
from tradepost.wiring import INSIDE
from tradepost.worker import handlers
from tradepost.worker.addresses import PostalRules, ReturnAddresses
from tradepost.worker.carriers import ParcelNumbers, ParcelScans
from tradepost.worker.letters import LetterWriter
from tradepost.worker.pictures import Pictures
from tradepost.worker.scans import ScansToOrder, ScansToShops

NOW = datetime(2021, 5, 19, 16, 37, tzinfo=UTC)
MORNING = NOW.replace(hour=9, minute=0)
MERCHANT_URL = "https://merchant.example"
WISHPOST_URL = "https://wishpost.cn"
PUBLIC_URLS = {"merchant": MERCHANT_URL, "wishpost": WISHPOST_URL}
LINK_KEYS = LinkKeys([b"a key that signs the links of tests"])
WORKER = 1
DARKROOM = Darkroom()
atexit.register(DARKROOM.close)
PRESS = LabelPress()
atexit.register(PRESS.close)


@dataclass(frozen=True)
class World:
    """Who is in the template database: grants by the key of the cast, service by service."""

    merchants: Mapping[str, scenes.Grant]
    senders: Mapping[str, scenes.Grant]
    files: Path
    """Where files of downloads are; those of a test that was rolled back may lie there, too."""
    operators: Mapping[str, str]
    """Tokens of operators by name."""


async def build_world(server: Server) -> World:
    """Fill the template: the cast; two products, jobs, a return, orders and news each; the time stopped."""
    files = server.folder / "files"
    connection = await server.connect()
    try:
        async with connection.transaction():
            await connection.execute("update world_clock set fixed_at = $1", NOW)
            ctx = Ctx(db=connection, now=NOW, actor=None, new_id=scenes.seeded_ids(1))
            shops = {}
            for keeper in SHOPKEEPERS:
                grant = await scenes.open_shop(ctx, keeper, tuple(MERCHANT_SCOPES), scenes.new_secrets())
                acting = await merchants.act_for(ctx, grant.account_id)
                await _few_countries(acting, keeper.rate)
                await _two_products(acting, keeper.key, keeper.rate)
                await _jobs(acting, keeper.key)
                await _return_warehouse(acting, keeper.key)
                await sell(acting, keeper)
                shops[keeper.key] = grant
            senders = {
                sender.key: await scenes.open_sender(ctx, sender, tuple(WISHPOST_SCOPES), scenes.new_secrets())
                for sender in SENDERS
            }
            await scenes.open_channels(ctx)
            await publish_updates(ctx)
            for key, grant in shops.items():
                acting = await merchants.act_for(replace(ctx, now=MORNING), grant.account_id)
                await complain(acting, key, LocalFiles(files))
                await tell_news(acting, key)
            # As of the morning, so that nothing seems to have been changed since.
            await _Worker(_OneConnection(connection), LocalFiles(files), replace(ctx, now=MORNING)).run()
            for key, grant in shops.items():
                acting = await merchants.act_for(replace(ctx, now=MORNING), grant.account_id)
                await returns.enroll_product(acting, RINGS[key][0], "US", RETURN_WAREHOUSES[key])
                await subscribe_one(acting, key, grant.client_id)
            await send_some(replace(ctx, new_id=scenes.seeded_ids(3)), senders)
            later = replace(ctx, new_id=scenes.seeded_ids(4), now=PARCELS_BOOKED)
            await _Worker(_OneConnection(connection), LocalFiles(files), later).run()
            await carry_some(ctx, senders)
            for service, grants, scopes in (
                ("merchant", shops["usd"], MERCHANT_SCOPES),
                ("wishpost", senders["lan"], WISHPOST_SCOPES),
            ):
                asked = replace(ctx, new_id=scenes.seeded_ids(len(service)))
                await let_in(asked, service, grants.account_id, tuple(scopes))
            staff = await _operators(replace(ctx, new_id=scenes.seeded_ids(5)))
    finally:
        await connection.close()
    return World(shops, senders, files, staff)


async def _operators(ctx: Ctx) -> dict[str, str]:
    """Two who act for the marketplace, for as long as the tokens of merchants live."""
    for name in ("desk", "shop"):
        await operators.add_operator(ctx, name)
    return {name: await operators.issue_token(ctx, name, list(OPERATOR_SCOPES), 30) for name in ("desk", "shop")}


# What the shops ship to, with prices in US dollars; none is: as the variations say.
SHIPS_TO = {"AU": "1", "CA": "2", "DE": None, "GB": "3", "US": None}


async def _few_countries(ctx: MerchantCtx, rate: int) -> None:
    """Settings for some countries only, so that answers about all of them can be read."""
    for country in sorted(reference.COUNTRIES.keys() - SHIPS_TO.keys()):
        await shipping.drop_country(ctx, STANDARD, country)
    for country, price in SHIPS_TO.items():
        await shipping.set_country(ctx, STANDARD, [country], Decimal(price) * rate if price else None)


async def _two_products(ctx: MerchantCtx, who: str, rate: int) -> None:
    """`ring`, reviewed, with three variations and all that a product can have; `scarf`, just added, with one."""
    earlier = replace(ctx, now=MORNING)
    own = ctx.actor.currency != "USD"

    def localized(**amounts: str) -> dict[str, Any]:
        if not own:
            return {}
        told: dict[str, Any] = {f"localized_{name}": Decimal(text) * rate for name, text in amounts.items()}
        return {**told, "localized_currency_code": ctx.actor.currency}

    prices = {"US": Decimal("3.99"), "CA": Decimal("4.99")}
    ring = await products.add_product(
        _with_ids(earlier, *RINGS[who]),
        NewProduct(
            name="Cute Ring",
            description="A ring with a bow.",
            sku="ring-green",
            parent_sku="ring",
            inventory=11,
            price=Decimal("110.90"),
            shipping=Decimal("10.50"),
            main_image="https://pictures.example/ring.jpg",
            extra_images=("https://pictures.example/ring-side.jpg",),
            clean_image="https://pictures.example/ring.jpg",
            tags=("womens ring", "Jewelry", "Bow"),
            color="green",
            condition="NEW",
            msrp=Decimal("113.90"),
            shipping_time="5-10",
            upc="12345678",
            landing_page_url="https://shop.example/ring",
            requested_product_brand_id="5a0a0a0a0a0a0a0a0a0a0a0a",
            demo_video_asset_url="https://videos.example/ring.mp4",
            max_quantity=5,
            reference_value=Decimal(1),
            quantity_value=Decimal(2),
            unit="COUNT",
            country_shipping_prices=prices
            | ({f"LOCAL_{country}": price * rate for country, price in prices.items()} if own else {}),
            length=Decimal(2),
            width=Decimal(23),
            height=Decimal(12),
            weight=Decimal("2.5"),
            declared_name="Ring",
            declared_local_name="戒指",
            pieces=1,
            declared_value=Decimal(32),
            hscode="6104299034",
            origin_country="CN",
            has_liquid=False,
            has_battery=False,
            has_powder=False,
            has_metal=True,
            **localized(price="110.90", shipping="10.50", msrp="113.90"),
        ),
    )
    for color in ("blue", "red"):
        await products.add_variation(
            earlier,
            NewVariation(
                parent_sku="ring",
                sku=f"ring-{color}",
                color=color,
                size="7.5",
                inventory=100,
                price=Decimal("15.90"),
                **localized(price="15.90"),
            ),
        )
    await products.review_product(earlier, ring.id, "approved", "Fashion", ("jewellery",))
    alaska = PlaceChanges(country="US_AK", enabled=False)
    await shipping.update_place(earlier, ProductRef(id=ring.id), alaska)
    await products.add_product(
        _with_ids(replace(ctx, now=NOW.replace(hour=12, minute=0)), *SCARVES[who]),
        NewProduct(
            name="Wool Scarf",
            description="Warm.",
            sku="scarf",
            inventory=7,
            price=Decimal(20),
            shipping=Decimal(0),
            main_image="https://pictures.example/scarf.jpg",
            **localized(price="20", shipping="0"),
        ),
    )


# Two rows that can be applied, to the stock that there is already, and two that cannot.
UPDATES = (
    {"sku": "ring-green", "inventory": "11"},
    {"sku": "ring-violet", "inventory": "5"},
    {"sku": "ring-blue", "inventory": "100", "enabled": True},
    {"sku": "ring-red"},
)


async def _jobs(ctx: MerchantCtx, who: str) -> None:
    """A bulk update, to be finished with two successes and two failures, and downloads of everything."""
    rows = RowTaker()
    for row in UPDATES:
        rows.add(row)
    earlier = replace(ctx, now=MORNING)
    await bulk_updates.start_update(replace(earlier, new_id=lambda: BULK_JOBS[who]), rows.done())
    everything = CatalogueFilter(None, None, True, False, "STANDARD")
    await downloads.start_product_download(replace(earlier, new_id=lambda: DOWNLOAD_JOBS[who]), everything)
    await downloads.start_order_download(replace(earlier, new_id=lambda: ORDER_JOBS[who]), OrderCut())


async def _return_warehouse(ctx: MerchantCtx, who: str) -> None:
    """A warehouse for returns in the US, to be validated, and what enrolling a ring takes besides."""
    job_id = f"60a4d0c4{RETURN_WAREHOUSES[who][8:]}"
    await returns.create_warehouse(
        replace(_with_ids(ctx, RETURN_WAREHOUSES[who], job_id, instead=False), now=MORNING),
        NewReturnWarehouse(
            ship_to="Returns Desk",
            warehouse_name="Bentonville",
            region="US",
            email="returns@shop.example",
            phone_number="+1 479 555 0100",
            city="Bentonville",
            state="AR",
            country="US",
            zipcode="72712",
            street_address1="4123 Example Street",
        ),
    )
    measured = NewDimensions(length=Decimal(3), width=Decimal(3), height=Decimal(3), weight=Decimal(3))
    await products.set_dimensions(replace(ctx, now=MORNING), RINGS[who][0], None, measured)


def _with_ids(ctx: MerchantCtx, *ids: str, instead: bool = True) -> MerchantCtx:
    """A context that gives these ids first; `instead` of new ones, which are then used up as well."""
    named = list(ids)

    def next_id() -> str:
        fresh = ctx.new_id() if instead or not named else ""
        return named.pop(0) if named else fresh

    return replace(ctx, new_id=next_id)


class _OneConnection:
    """A database that hands out one connection, with a savepoint around each call."""

    def __init__(self, connection: asyncpg.Connection[Any], role: str = APP_ROLE) -> None:
        self._connection = connection
        self._role = role

    async def open(self) -> None:
        """It is open."""

    async def close(self) -> None:
        """It stays open."""

    @asynccontextmanager
    async def call(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        kept: Fact | None = None
        async with self._connection.transaction():
            await self._connection.execute(f"set local role {self._role}")
            try:
                yield self._connection
            except Fact as fact:
                if not fact.keeps:
                    raise
                kept = fact  # what was committed before stays
        await self._connection.execute("reset role")
        if kept is not None:
            raise kept

    @asynccontextmanager
    async def acting_for(self, account_id: str, **how: object) -> AsyncIterator[asyncpg.Connection[Any]]:
        """In this database's role for an account, in that of the platform for none."""
        async with self._connection.transaction():
            await self._connection.execute(f"set local role {self._role if account_id else PLATFORM_ROLE}")
            await self._connection.execute("select set_config('tradepost.account', $1, true)", account_id)
            yield self._connection


class NowhereElse:
    """The world outside of the sandbox's own hosts: nothing can be reached in it."""

    async def fetch(self, url: str, **how: object) -> Fetched:
        """Nothing."""
        raise FetchRefused("no network in tests")


async def nothing() -> None:
    """What happens before and after the calls of a test."""


class _Worker:
    """Does jobs as `worker.runner` does, one after the other and on the one connection."""

    def __init__(self, database: _OneConnection, files: LocalFiles, ctx: Ctx) -> None:
        """`ctx` tells the time and the ids of what is done."""
        given: Any = database
        self._database = database
        self._ctx = ctx
        known: list[handlers.Handler] = [
            handlers.BulkUpdates(),
            handlers.BulkUpdateNotes(),
            handlers.ProductDownloads(given, files, MERCHANT_URL),
            handlers.OrderDownloads(given, files, MERCHANT_URL),
            Pictures(given, files, Studio(files, DARKROOM), Outside(NowhereElse())),
            ReturnAddresses(given, PostalRules()),
            ParcelNumbers(given, SandboxCarriers()),
            ParcelScans(SandboxCarriers()),
            ScansToShops(given),
            ScansToOrder(given),
            handlers.Telling(LetterWriter(PUBLIC_URLS, LINK_KEYS, SEALING_KEYS)),
            handlers.Mailing(given, handlers.Mailbox(), SEALING_KEYS),
        ]
        self._handlers = {handler.kind: handler for handler in known}

    async def run(self, steps: int | None = None) -> None:
        """Until there is nothing left to do; or only so many steps, after which the job is anybody's."""
        while steps != 0 and (job := await self._claim()) is not None:
            held = jobs.claim_of(job)
            while job.is_open and steps != 0:
                job = await self._step(job, held)
                steps = None if steps is None else steps - 1
            if job.is_open:
                async with self._database.acting_for(job.account_id) as connection:
                    await jobs.give_back(replace(self._ctx, db=connection), held)

    async def _claim(self) -> Job | None:
        async with self._database.acting_for("") as connection:
            return await jobs.claim_next(replace(self._ctx, db=connection), WORKER, self._handlers.keys())

    async def _step(self, job: Job, held: Claim) -> Job:
        handler = self._handlers[job.kind]
        effect = await handler.outside(job, lambda processed, total: None)
        async with self._database.acting_for(job.account_id) as connection:
            ctx = replace(self._ctx, db=connection)
            step = await handler.inside(ctx, await jobs.hold(ctx, held), effect)
            return await jobs.advance(ctx, held, step)


class Market:
    """The application on one connection; every request is really served, and nothing of it stays."""

    def __init__(self, loop: asyncio.Runner, connection: asyncpg.Connection[Any], world: World) -> None:
        self._loop = loop
        self.connection = connection
        self.world = world
        self._worker_ids = scenes.seeded_ids(17)
        self._database = _OneConnection(connection)
        self.files = LocalFiles(world.files)
        database: Any = self._database
        platform: Any = _OneConnection(connection, PLATFORM_ROLE)
        self._sessions = sessions = CallSessions(
            database,
            new_id=scenes.seeded_ids(7),
            link_keys=LINK_KEYS,
            studio=Studio(self.files, DARKROOM),
            press=PRESS,
            webhooks=WEBHOOK_TOOLS,
        )
        self.uses = TokenUses(platform)
        sessions.seen = self.uses.take
        apis = (merchant_v2, wishpost_v3)
        self._sites = {api.name: build_site(database, Kit(api, lambda: sessions.tools)) for api in apis}
        self._sites["operator"] = build_office(
            platform, Kit(operator_v1, lambda: sessions.tools), (*apis, operator_v1)
        )
        self.calls = RequestLog(platform, most_per_day=100_000)
        self.app = App(
            services={
                "merchant": Service(merchant_v2, sessions, calls=self.calls),
                "wishpost": Service(wishpost_v3, sessions, wishpost_v2, self.calls),
                "operator": Service(operator_v1, CallSessions(platform, new_id=scenes.seeded_ids(23))),
            },
            addresses=Addresses(default="merchant", names={"wishpost.cn": "wishpost"}, inside=INSIDE),
            rules=Rules(plain_http_from_loopback=False, strict=True),
            attachments={
                downloads.FOLDER: DownloadLinks(database, self.files, LINK_KEYS),
                FOLDER: PictureFiles(database, self.files),
                tickets.FOLDER: TicketPictures(database, self.files, LINK_KEYS),
                parcels.FOLDER: LabelFiles(database, PRESS, LINK_KEYS),
            },
            ready=nothing,
            on_start=nothing,
            on_stop=nothing,
            pages=self._sites,
        )

    def accept_reasons(self, *codes: int) -> None:
        """Accept refunds for these reasons only, or with none for every reason, like an installation's setting."""
        rules = OrderRules(refund_reasons=frozenset(codes)) if codes else None
        self._sessions.tools = replace(self._sessions.tools, order_rules=rules)

    def let_pages_use(self, desk: Any) -> None:
        """Let pages move a sandbox by this desk."""
        for site in self._sites.values():
            site.kit = replace(site.kit, desk=desk)

    def run(self, action: Any) -> Any:
        """Run a coroutine on the loop of this market."""
        return self._loop.run(action)

    def token(self, who: str) -> str:
        """The token of a merchant (`usd`, `cny`, `eur`) or, with `wishpost:` or `operator:`, of somebody else."""
        service, _, key = who.rpartition(":")
        if service == "operator":
            return self.world.operators[key]
        grants = self.world.senders if service == "wishpost" else self.world.merchants
        return grants[key].access_token

    def operate(self, verb: Callable[[Ctx], Any], now: datetime = NOW) -> Any:
        """Run domain operations as the platform would."""

        async def act() -> Any:
            await self.connection.execute("reset role")
            ctx = Ctx(db=self.connection, now=now, actor=None, new_id=scenes.seeded_ids(13))
            return await verb(ctx)

        return self.run(act())

    def work(self, steps: int | None = None) -> None:
        """Do all jobs that wait, and what follows from them, at the time of the world; or so many steps of them."""
        now = self.sql("select world_now()")
        ctx = Ctx(db=self.connection, now=now, actor=None, new_id=self._worker_ids)
        self.run(_Worker(self._database, self.files, ctx).run(steps))

    def sql(self, statement: str, *values: object) -> Any:
        """The first value of a statement, run as the database's superuser."""

        async def ask() -> Any:
            await self.connection.execute("reset role")
            return await self.connection.fetchval(statement, *values)

        return self.run(ask())

    def fill_empty_tables(self) -> None:
        """Rows of every shop in tables that the world leaves empty."""
        for statement in FILL_EMPTY_TABLES:
            self.sql(statement)

    def get(self, target: str, as_: str | None = "usd", **query: object) -> Answer:
        """GET a path (with a query in it, or as keywords) as somebody."""
        return self.request("GET", _with_query(target, query), as_)

    def post(self, target: str, as_: str | None = "usd", **form: object) -> Answer:
        """POST a form as somebody."""
        body = urlencode({name: str(value) for name, value in form.items()}).encode()
        return self.request("POST", target, as_, body, {"content-type": "application/x-www-form-urlencoded"})

    def request(
        self,
        method: str,
        target: str,
        as_: str | None = "usd",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        client: tuple[str, int] | None = ("127.0.0.1", 50000),
    ) -> Answer:
        """Any request; `as_` adds a Bearer token, None adds none. A target may be absolute."""
        base = WISHPOST_URL if as_ and as_.startswith("wishpost:") else MERCHANT_URL
        parts = urlsplit(target if "://" in target else base + target)
        sent = {"host": parts.netloc, **{name.lower(): value for name, value in (headers or {}).items()}}
        if as_ is not None:
            sent.setdefault("authorization", f"Bearer {self.token(as_)}")
        if body:
            sent.setdefault("content-length", str(len(body)))
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "query_string": parts.query.encode("utf-8"),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
            "scheme": parts.scheme,
            "client": client,
            "server": ("127.0.0.1", 443),
        }
        return self.run(self._send(scope, body))  # type: ignore[no-any-return]

    async def _send(self, scope: dict[str, Any], body: bytes) -> Answer:
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if not messages:
                await asyncio.Event().wait()  # the caller stays until the answer is there
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(message["body"] for message in sent[1:]))


def _with_query(target: str, query: Mapping[str, object]) -> str:
    if not query:
        return target
    mark = "&" if "?" in target else "?"
    return target + mark + urlencode({name: str(value) for name, value in query.items()}, quote_via=quote)


@contextmanager
def open_market(server: Server, world: World, loop: asyncio.Runner) -> Iterator[Market]:
    """A market on a connection that it has for itself, whose transaction is rolled back at the end."""
    connection = loop.run(server.borrow())
    transaction = connection.transaction()
    loop.run(transaction.start())
    try:
        yield Market(loop, connection, world)
    finally:
        loop.run(transaction.rollback())
        loop.run(server.give_back(connection))
