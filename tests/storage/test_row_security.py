"""The second wall: what the database itself keeps apart, whatever the application forgets.

Nothing here is a list of tables. Tables, keys and policies are found in the catalogue of the migrated database,
so that a new table is tried the day it is made; only exceptions are named, each with its reason.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from tests.support.answer import Answer
from tests.support.calls import BULK_JOBS
from tests.support.database import Server
from tests.support.filling import GATES, SECRETS
from tests.support.market import LINK_KEYS, Market, World, nothing
from tradepost.domain.access.token import fingerprint, new_token
from tradepost.domain.context import random_id
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE, Database
from tradepost.storage.files_local import LocalFiles
from tradepost.surfaces.downloads import DownloadLinks
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2
from tradepost.surfaces.sessions import CallSessions
from tradepost.wire.gate import Rules
from tradepost.wire.http import Addresses, App, Service

# The column that says whose a row is. The accounts themselves have it in their id.
OWNER_COLUMNS = ("merchant_id", "account_id")
ACCOUNTS = {"merchant", "shipper"}
# What the application's role may see without row security, because it is nobody's.
SHARED = {
    "schema_migration": "which migrations ran",
    "world_clock": "what time it is",
    **dict.fromkeys(("channel", "channel_revision", "sender_news"), "the platform's, the same for everybody"),
    **dict.fromkeys(("system_update", "system_update_feature"), "news of the marketplace, the same for everybody"),
}

# Unique or foreign keys that may do without the account.
KEYS_WITHOUT_ACCOUNT = {
    **dict.fromkeys(("merchant_user_email", "shipper_email"), "it signs in to one account, so whose it is shows"),
    **dict.fromkeys(SECRETS, "it finds the account; a hash of 256 random bits tells nothing"),
    **dict.fromkeys(("access_token_service_app_id_fkey", "consent_service_app_id_fkey"), "an app calls for many"),
    "sender_shop_shop_id_fkey": "a shop is the other service's; an operator binds the two",
    "parcel_otype_fkey": "a channel is the platform's and carries for many accounts",
}
TABLES = """
    select c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced,
           array(select a.attname::text from pg_attribute a
                  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'tradepost' and c.relkind in ('r', 'p', 'm', 'v', 'f') and not c.relispartition
     order by 1
"""
KEYS = """
    select i.relname as name, t.relname as table_name, x.indisprimary as primary_key,
           array(select pg_get_indexdef(x.indexrelid, n, true) from generate_series(1, x.indnkeyatts) n) as columns
      from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
     where t.relnamespace = 'tradepost'::regnamespace and x.indisunique and not t.relispartition
    union all
    select k.conname, t.relname, null,
           array(select a.attname::text from unnest(k.conkey) with ordinality as at (number, place)
                   join pg_attribute a on a.attrelid = k.conrelid and a.attnum = at.number order by at.place)
      from pg_constraint k join pg_class t on t.oid = k.conrelid
     where k.contype = 'f' and k.connamespace = 'tradepost'::regnamespace and not t.relispartition
"""


def owner_column(table: asyncpg.Record) -> str | None:
    """The column of a table that says whose a row is."""
    if table["name"] in ACCOUNTS:
        return "id"
    return next((column for column in OWNER_COLUMNS if column in table["columns"]), None)


def tables(market: Market) -> list[asyncpg.Record]:
    """Everything in our schema that has rows."""
    return list(market.run(market.connection.fetch(TABLES)))


def secured(market: Market) -> dict[str, str]:
    """The tables with row security, and the column that says whose a row is."""
    market.fill_empty_tables()
    found = {table["name"]: owner_column(table) for table in tables(market) if table["secured"]}
    assert len(found) >= 15
    assert None not in found.values(), found
    return {name: str(column) for name, column in found.items()}


def test_every_table_of_an_account_is_secured(market: Market) -> None:
    for table in tables(market):
        column = owner_column(table)
        assert (column is not None) == table["secured"] == table["forced"], table["name"]


def test_what_the_application_sees_unsecured_is_nobodys(market: Market) -> None:
    unsecured = {
        table["name"]
        for table in tables(market)
        if not table["secured"]
        and market.sql("select has_any_column_privilege($1, $2::text, 'select')", APP_ROLE, table["name"])
    }
    assert unsecured == SHARED.keys()


def test_every_key_of_an_account_names_it(market: Market) -> None:
    owners = secured(market)
    keys = [key for key in market.run(market.connection.fetch(KEYS)) if key["table_name"] in owners]
    assert {key["table_name"] for key in keys if key["primary_key"]} == owners.keys()
    without = set()
    for key in keys:
        column = owners[key["table_name"]]
        if key["primary_key"]:
            assert key["columns"][0] == column, key["name"]
        elif column not in key["columns"]:
            without.add(key["name"])
    assert without == KEYS_WITHOUT_ACCOUNT.keys()


def test_every_policy_for_the_application_compares_the_account(market: Market) -> None:
    owners = secured(market)
    policies = market.run(
        market.connection.fetch(
            "select tablename, qual, with_check, cmd from pg_policies "
            "where schemaname = 'tradepost' and ($1 = any (roles) or 'public' = any (roles))",
            APP_ROLE,
        )
    )
    assert {policy["tablename"] for policy in policies} == owners.keys()
    for policy in policies:
        expected = f"({owners[policy['tablename']]} = current_setting('tradepost.account'::text))"
        assert policy["qual"] == expected, policy["tablename"]
        assert policy["with_check"] in (None, expected), policy["tablename"]


def test_nothing_lifts_the_application_over_the_wall(market: Market) -> None:
    roles = market.run(
        market.connection.fetch(
            "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as lifted, "
            "array(select r.rolname::text from pg_roles r where r.rolname <> p.rolname "
            "        and pg_has_role(p.rolname, r.oid, 'member')) as others "
            "from pg_roles p where rolname = any ($1)",
            [APP_ROLE, PLATFORM_ROLE],
        )
    )
    assert {(role["rolname"], role["lifted"], *role["others"]) for role in roles} == {
        (APP_ROLE, False),
        (PLATFORM_ROLE, False),
    }
    lifting = market.run(
        market.connection.fetch(
            "select proname from pg_proc where prosecdef and pronamespace = 'tradepost'::regnamespace "
            "and has_function_privilege($1, oid, 'execute') order by 1",
            APP_ROLE,
        )
    )
    assert {function["proname"] for function in lifting} == GATES


# -- the probe: no statement says whose rows it means


class Probe:
    """Looks at and changes all rows of some tables; a row that is not the account's own has leaked."""

    def __init__(
        self, market: Market, owners: dict[str, str], account_id: str, role: str | None = APP_ROLE
    ) -> None:
        """`owners` are the tables with the column that says whose a row is; no role is the superuser."""
        self._market = market
        self._owners = owners
        self._account = account_id
        self._role = role
        self.reached: set[str] = set()

    def leaks(self) -> set[str]:
        """What was done to rows of others, such as `select product`; fills `reached` with what may be done."""
        found = set()
        for table, column in self._owners.items():
            for deed, statement in {
                "select": f"select {column} from {table}",
                "update": f"update {table} set {column} = {column} returning {column}",
                "delete": f"delete from {table} returning {column}",
            }.items():
                owners = self._market.run(self._owners_met_by(statement))
                if owners is None:
                    continue
                self.reached.add(f"{deed} {table}")
                if owners - {self._account}:
                    found.add(f"{deed} {table}")
        return found

    async def _owners_met_by(self, statement: str) -> set[str] | None:
        """Whose rows a statement met, or None where the role may not run it at all. Nothing of it stays."""
        connection = self._market.connection
        transaction = connection.transaction()
        await transaction.start()
        try:
            # Foreign keys would stop a deletion before it could leak.
            await connection.execute("set local session_replication_role = replica")
            if self._role:
                await connection.execute(f"set local role {self._role}")
            await connection.execute("select set_config('tradepost.account', $1, true)", self._account)
            return {row[0] for row in await connection.fetch(statement)}
        except asyncpg.InsufficientPrivilegeError:
            return None
        finally:
            await transaction.rollback()


def test_no_other_accounts_row_is_seen_or_changed(market: Market) -> None:
    owners = secured(market)
    for table, column in owners.items():
        assert market.sql(f"select count(distinct {column}) from {table}") >= 2, f"{table} shows nothing"
    for account in (market.world.merchants["usd"].account_id, market.world.senders["lan"].account_id):
        probe = Probe(market, owners, account)
        assert probe.leaks() == set()
        assert {f"select {table}" for table in owners} <= probe.reached
        assert {"update product", "delete variation", "update stock"} <= probe.reached


def test_without_row_security_the_same_probe_leaks(market: Market) -> None:
    owners = secured(market)
    account = market.world.merchants["usd"].account_id
    deeds = {f"{deed} {table}" for deed in ("select", "update", "delete") for table in owners}
    assert Probe(market, owners, account, role=None).leaks() == deeds, "a superuser is not bound"
    for table in owners:
        market.sql(f"alter table {table} disable row level security")
    probe = Probe(market, owners, account)
    assert probe.leaks() == probe.reached
    assert {f"select {table}" for table in owners} <= probe.reached


def test_a_row_cannot_be_given_to_another_account(market: Market) -> None:
    usd, cny = (market.world.merchants[key].account_id for key in ("usd", "cny"))
    for statement in (
        f"update warehouse set merchant_id = '{cny}'",
        f"insert into warehouse values ('{cny}', '{'a' * 24}', 'X', 1, null, now())",
        f"insert into product (merchant_id, id, parent_sku, name, description, main_image, original_image_url, "
        f"created_at, updated_at) values ('{cny}', '{'a' * 24}', 'x', 'x', 'x', 'x', 'x', now(), now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security policy"):
            _as_app(market, statement, usd)
    foreign = market.sql("select id from variation where merchant_id = $1 limit 1", cny)
    their_product = market.sql("select product_id from variation where id = $1", foreign)
    own = market.sql("select id from warehouse where merchant_id = $1 limit 1", usd)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        _as_app(market, f"insert into stock values ('{usd}', '{their_product}', '{own}', '{foreign}', 1)", usd)


def test_an_unbound_connection_sees_an_error_or_nothing(market: Market, server: Server) -> None:
    owners = secured(market)

    async def fresh() -> None:
        connection = await server.connect(APP_ROLE)
        try:
            for table in owners:
                with pytest.raises(asyncpg.UndefinedObjectError, match=r"tradepost\.account"):
                    await connection.fetch(f"select * from {table}")
            await connection.execute("select set_config('tradepost.account', '', false)")
            for table in owners:
                assert await connection.fetch(f"select * from {table}") == []
        finally:
            await connection.close()

    market.run(fresh())


def _as_app(market: Market, statement: str, account_id: str) -> str:
    async def act() -> str:
        async with market.connection.transaction():
            await market.connection.execute("select set_config('tradepost.account', $1, true)", account_id)
            await market.connection.execute(f"set local role {APP_ROLE}")
            done: str = await market.connection.execute(statement)
            return done

    return str(market.run(act()))


# -- what the application's role is refused


@pytest.mark.parametrize(
    "statement",
    [
        "create table tradepost.mine (x int)",
        "create table public.mine (x int)",
        "create temporary table mine (x int)",
        "create schema mine",
        "create function tradepost.mine() returns int language sql return 1",
        "create or replace function tradepost.world_now() returns timestamptz language sql return now()",
        "create role mine",
        "create extension pg_trgm",
        "drop table product",
        "truncate product",
        "alter table product add column mine int",
        "alter table product disable row level security",
        "alter table product no force row level security",
        "drop policy own_account on product",
        "create policy mine on product using (true)",
        "create trigger mine before update on product execute function suppress_redundant_updates_trigger()",
        "select * from app",
        "select secret_hash from app",
        "select * from rate_window",
        "update world_clock set shift = '1 day'",
        "update access_token set expires_at = 'infinity'",
        "insert into access_token select * from access_token",
        "update merchant set suspended_at = null",
        "insert into schema_migration values ('9999', '')",
        "select * from elsewhere.secrets",
        "select rolpassword from pg_authid",
        "select pg_read_file('PG_VERSION')",
        "select lo_import('/etc/passwd')",
        "copy (select 1) to program 'true'",
        "copy product to '/tmp/never'",
        "copy product from program 'true'",
        "set role postgres",
        "set role tradepost_owner",
        "set role tradepost_platform",
        "set session authorization postgres",
        "set session_replication_role = replica",
        "set log_statement = 'all'",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
        "checkpoint",
    ],
)
def test_the_applications_role_is_refused(market: Market, server: Server, statement: str) -> None:
    """Each on a connection that really is that role's own, and never committed."""

    async def act() -> None:
        superuser, application = await server.connect(), await server.connect(APP_ROLE)
        await superuser.execute("create schema elsewhere create table secrets (x int)")
        await application.execute("select set_config('tradepost.account', $1, false)", account)
        transaction = application.transaction()
        await transaction.start()
        try:
            await application.execute(statement)
        finally:
            await transaction.rollback()
            await application.close()
            await superuser.execute("drop schema elsewhere cascade")
            await superuser.close()

    account = market.world.merchants["usd"].account_id
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        market.run(act())


# -- the application with its own filter switched off


class _Unfiltered:
    """A connection on which no statement says whose rows it means any more."""

    _FILTER = re.compile(r"(?:\w+\.)?(?:merchant|account)_id = \$1")

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection
        self.rewritten = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)
        return method if name == "transaction" else lambda query, *values: method(self._open(query), *values)

    def _open(self, query: str) -> str:
        changed, count = self._FILTER.subn("$1::text is not null", query)
        self.rewritten += count
        return changed


class _UnfilteredDatabase:
    """A database whose every call runs unfiltered in one role, and is undone."""

    def __init__(self, connection: asyncpg.Connection[Any], role: str | None) -> None:
        self.connection = _Unfiltered(connection)
        self._inner = connection
        self._role = role

    @asynccontextmanager
    async def call(self) -> AsyncIterator[_Unfiltered]:
        transaction = self._inner.transaction()
        await transaction.start()
        try:
            if self._role:
                await self._inner.execute(f"set local role {self._role}")
            yield self.connection
        finally:
            await transaction.rollback()


def _ask_for_anothers(market: Market, role: str | None) -> tuple[list[Answer], int]:
    """Ask in the name of one shop for what another has, with the application's filter switched off."""
    cny = market.world.merchants["cny"].account_id
    market.sql("update product set name = name || ' <cny>' where merchant_id = $1", cny)
    market.sql("update variation set sku = 'cny-' || sku where merchant_id = $1", cny)
    product_id = market.sql("select id from product where merchant_id = $1 order by id limit 1", cny)
    sku = market.sql("select sku from variation where merchant_id = $1 order by id limit 1", cny)
    database = _UnfilteredDatabase(market.connection, role)
    market.app = _app(database)
    answers = [
        market.get("/api/v2/product", id=product_id),
        market.get("/api/v2/product/multi-get", limit=250),
        market.get("/api/v2/variant", sku=sku),
        market.get("/api/v2/variant/multi-get", limit=250),
        market.post("/api/v2/product/update", id=product_id, name="Mine"),
        market.post("/api/v2/variant/update-inventory", sku=sku, inventory=1),
        market.get("/api/v2/variant/get-bulk-update-job-failures", job_id=BULK_JOBS["cny"]),
        market.post("/api/v2/variant/cancel-bulk-update-job", job_id=BULK_JOBS["cny"]),
    ]
    return answers, database.connection.rewritten


def test_the_application_without_its_filter_shows_nothing_of_others(market: Market) -> None:
    answers, rewritten = _ask_for_anothers(market, APP_ROLE)
    assert rewritten > 10
    assert [answer.code for answer in answers] == [1004, 0, 1004, 0, 1004, 1004, 1004, 1004]
    assert all(b"ring" in listed.body and b"cny" not in listed.body for listed in (answers[1], answers[3]))


def test_without_both_walls_the_application_shows_everything(market: Market) -> None:
    answers, _ = _ask_for_anothers(market, None)
    assert b"<cny>" in answers[1].body
    assert b"cny-" in answers[3].body
    assert b"ring-violet" in answers[6].body


def _app(database: Any) -> App:
    links = DownloadLinks(database, LocalFiles(Path("/")), LINK_KEYS)
    return App(
        {"merchant": Service(merchant_v2, CallSessions(database))}, Addresses(default="merchant", names={}),
        Rules(plain_http_from_loopback=False), attachments={"/downloads/": links},
        ready=nothing, on_start=nothing, on_stop=nothing,
    )  # fmt: skip


# -- pooled connections


class _Watched(Database):
    """A database that notes who was served by which connection."""

    served: dict[int, set[str]]

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Any]:
        async with super().call() as connection:
            yield connection
            account = await connection.fetchval("select current_setting('tradepost.account')")
            self.served.setdefault(connection.get_server_pid(), set()).add(account)


CLONE = "pooled"


@pytest.fixture
def pooled(server: Server, world: World) -> Iterator[Server]:
    """A database of its own with committed markers: whatever a shop owns has the shop's mark in it."""

    async def mark() -> None:
        connection = await server.connect(database=CLONE)
        for key, grant in world.merchants.items():
            for table, column in (("product", "merchant_id"), ("merchant", "id")):
                change = f"update {table} set name = name || $2 where {column} = $1"
                await connection.execute(change, grant.account_id, f" <{key}>")
        await connection.close()

    async def remove() -> None:
        connection = await server.connect(database="postgres")
        await connection.execute(f"drop database {CLONE} with (force)")
        await connection.close()

    server.clone(CLONE)
    asyncio.run(mark())
    yield server
    asyncio.run(remove())


LIST, CHANGE = "/api/v2/product/multi-get", "/api/v2/variant/change-sku"
# What is asked: the path, a form, and the status that it comes to. The last three come with other tokens.
DEEDS: dict[str, tuple[str, dict[str, object], int]] = {
    "name": ("/api/v2/auth_test", {}, 200),
    "list": (LIST, {}, 200),
    "one": ("/api/v2/product?parent_sku=ring", {}, 200),
    "write": ("/api/v2/variant/update-inventory", {"sku": "ring-green", "inventory": 5}, 200),
    "failing write": (CHANGE, {"sku": "ring-red", "new_sku": "ring-blue"}, 400),
    "unknown": (LIST, {}, 401),
    "limited": (LIST, {}, 429),
    "poor": (LIST, {}, 403),
}


async def _hammer(server: Server, world: World, seed: int) -> tuple[list[str], dict[int, set[str]]]:
    """Interleave calls of all shops over three connections; gives what was wrong, and who was served where."""
    others = await _more_tokens(server, world)
    database = _Watched(server.embedded.connection(APP_ROLE, CLONE), most=3)
    database.served = {}
    await database.open()
    app = _app(database)
    source = random.Random(seed)
    wrong: list[str] = []

    async def one() -> None:
        key, deed = source.choice(list(world.merchants)), source.choice(list(DEEDS))
        path, form, status = DEEDS[deed]
        await asyncio.sleep(source.uniform(0, 0.05))
        answer = await _send(app, path, others.get((key, deed), world.merchants[key].access_token), form)
        told = answer.body.decode()
        marks = {f"<{found}>" for found in re.findall("<([a-z]+)>", told)}
        if answer.status != status or marks != ({f"<{key}>"} if deed in ("name", "list", "one") else set()):
            wrong.append(f"{deed} of {key}: {answer.status} {told[:100]}")

    await asyncio.gather(*(one() for _ in range(200)))
    await database.close()
    return wrong, database.served


async def _more_tokens(server: Server, world: World) -> dict[tuple[str, str], str]:
    """For each shop: an unknown token, one whose calls are used up for days, and one without scopes."""
    tokens = {}
    connection = await server.connect(database=CLONE)
    for key, grant in world.merchants.items():
        tokens[key, "unknown"] = new_token()
        for deed, scopes in (("limited", ["products:read"]), ("poor", [])):
            token, app_id = new_token(), random_id()
            await connection.execute("insert into app values ('merchant', $1, 'x', '', null, null, now())", app_id)
            token_row = (grant.account_id, app_id, fingerprint(token), scopes)
            await connection.execute(
                "insert into access_token values ('merchant', $1, $2, $2, $3, $4, now(), 'infinity')", *token_row
            )
            tokens[key, deed] = token
            if deed == "limited":
                await connection.execute(
                    "insert into rate_window values ($1, now() + interval '2 days', 1000000)",
                    f"merchant/default/app_user:{app_id}{grant.account_id}",
                )
    await connection.close()
    return tokens


async def _send(app: App, path: str, token: str, form: dict[str, object]) -> Answer:
    body = urlencode(form).encode()
    path, _, query = path.partition("?")
    headers = {"host": "merchant.example", "authorization": f"Bearer {token}",
               "content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}  # fmt: skip
    scope = {
        "type": "http", "method": "POST" if form else "GET", "path": path, "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if body or name[0] != "c"],
        "scheme": "https", "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 443),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return Answer(sent[0]["status"], {}, sent[1]["body"])


@pytest.mark.committing
def test_no_connection_serves_a_shop_with_anothers_setting(pooled: Server, world: World) -> None:
    seed = random.randrange(1 << 16)
    wrong, served = asyncio.run(_hammer(pooled, world, seed))
    assert wrong == [], f"seed {seed}"
    assert len(served) >= 2  # a pool opens the third only where two are busy at once
    for accounts in served.values():
        assert len(accounts) >= 3, "each connection has to change hands, or nothing is shown"


@pytest.mark.committing
def test_a_gate_that_forgets_to_bind_is_noticed(pooled: Server, world: World) -> None:
    """With connections that keep their first account the same calls must come out wrong."""

    async def forget() -> None:
        connection = await pooled.connect(database=CLONE)
        source = await connection.fetchval("select pg_get_functiondef('admit'::regproc)")
        for binding in (
            "perform set_config('tradepost.account', '', false);",
            "perform set_config('tradepost.account', token.account_id, false);",
        ):
            assert binding in source
            once = "if coalesce(current_setting('tradepost.account', true), '') = '' then " + binding + " end if;"
            source = source.replace(binding, once)
        await connection.execute(source)
        await connection.close()

    asyncio.run(forget())
    wrong, _ = asyncio.run(_hammer(pooled, world, 1))
    assert wrong
