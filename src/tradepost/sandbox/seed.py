"""Fills the sandbox, keeps the credentials of its cast, and starts it over.

Only hashes of secrets are in the database; the secrets of the cast themselves stand in a file of the data
folder that only its owner can read, because this world is meant to be entered. They outlive a reset, so a
connector that was set up once goes on working.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from tradepost.domain import parcels, world
from tradepost.domain.context import Ctx
from tradepost.opening import OWNER_ROLE, SCHEMA, connect_arguments, open_files, operator, prepare_database
from tradepost.sandbox import parcels as sending
from tradepost.sandbox import scenes
from tradepost.sandbox.cast import SENDERS, SHOPKEEPERS
from tradepost.sandbox.pause import hold_tables, pause_workers
from tradepost.settings import Settings
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.surfaces.scopes import SCOPES

SEED = 20210519
PRODUCTS_PER_SHOP = (14, 13, 13)
PARCELS_PER_SENDER = 6
# Workers tell which chores there are, and whoever waits for all of them has to know that without a gap.
# Operators are no part of the world: they run it, and their tokens stay good like those of the cast. Nor is the log
# of what callers asked, which is looked at after a reset, too.
_KEPT_TABLES = (
    "schema_migration",
    "world_clock",
    "operator_account",
    "operator_token",
    "operator_password",
    "request_log%",
    "token_use",
    "chore",
)
_KEPT_SEQUENCES = ("worker_number",)
"""Workers that live hold their numbers."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast with what it takes to call in its name."""

    id: str
    name: str
    currency: str | None
    email: str
    password: str
    client_id: str
    client_secret: str
    access_token: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, by service."""

    merchants: tuple[Member, ...]
    wishpost: tuple[Member, ...]


def load_cast(settings: Settings) -> Cast | None:
    """The cast as it was seeded, or None where nobody was."""
    file = _file(settings)
    if not file.exists():
        return None
    stored = json.loads(file.read_text(encoding="utf-8"))
    return Cast(
        tuple(Member(**member) for member in stored["merchants"]),
        tuple(Member(**member) for member in stored["wishpost"]),
    )


async def ensure_seeded(settings: Settings) -> Cast:
    """The cast; builds the world first where there is none."""
    cast = load_cast(settings)
    if cast is not None and await _has_shops(settings):
        return cast
    return await reset(settings)


async def rebuild(settings: Settings) -> None:
    """Throw the schema away and build it anew, with nobody in it: for a sandbox that another version made."""
    connection = await asyncpg.connect(**connect_arguments(settings, OWNER_ROLE))
    try:
        await connection.execute(f"drop schema if exists {SCHEMA} cascade")
    finally:
        await connection.close()
    await prepare_database(settings)


async def reset(settings: Settings, chance: str | None = None, at: datetime | None = None) -> Cast:
    """Empty every table and build the world from its seed; the secrets of the cast stay.

    With `chance` new ids follow from it from then on; with `at` the clock stands still there. Raises SeedUnusable,
    ClockUnusable, WorldBusy. All in one transaction: whoever calls meanwhile waits a moment, and nobody finds the
    world empty. Workers stay away until it is done: what they had in hand is of a world that is gone.
    """
    before = load_cast(settings)
    connection = await asyncpg.connect(
        **connect_arguments(settings, OWNER_ROLE), server_settings={"search_path": SCHEMA}
    )
    try:
        await pause_workers(connection)
        async with connection.transaction():
            await _truncate(connection)
            await connection.execute(f"set local role {PLATFORM_ROLE}")
            ctx = await world.enter(connection)
            await world.set_seed(ctx, chance)
            if at is not None:
                await world.set_clock(ctx, at, frozen=True)
            ctx = replace(await world.enter(connection), new_id=scenes.seeded_ids(SEED))
            cast = await _build(ctx, before)
            # Before anybody can fetch those of the new world, which have the names of the old ones.
            await open_files(settings).delete_all("pictures")
        # And before workers write any of the new world.
        for folder in ("downloads", "tickets"):
            await open_files(settings).delete_all(folder)
    finally:
        await connection.close()
    _write(settings, cast)
    return cast


async def _build(ctx: Ctx, before: Cast | None) -> Cast:
    shops = []
    for place, (keeper, count) in enumerate(zip(SHOPKEEPERS, PRODUCTS_PER_SHOP, strict=True)):
        secrets = _secrets(before.merchants[place] if before else None)
        grant = await scenes.open_shop(ctx, keeper, tuple(SCOPES["merchant"]), secrets)
        await scenes.stock_shop(ctx, grant.account_id, keeper, count, SEED + place)
        await scenes.issue_warning(ctx, grant.account_id)
        await scenes.ask_something(ctx, grant.account_id)
        shops.append(_member(grant, keeper.name, keeper.currency, keeper.email, secrets))
    await scenes.publish_news(ctx)
    senders = []
    for place, sender in enumerate(SENDERS):
        secrets = _secrets(before.wishpost[place] if before else None)
        grant = await scenes.open_sender(ctx, sender, tuple(SCOPES["wishpost"]), secrets)
        senders.append(_member(grant, sender.name, None, sender.email, secrets))
    await scenes.open_channels(ctx)
    shop_ids = {keeper.key: shop.id for keeper, shop in zip(SHOPKEEPERS, shops, strict=True)}
    for sender, member in zip(SENDERS, senders, strict=True):
        await sending.fill_account(ctx, member.id)
        acting = await parcels.act_for(ctx, member.id)
        await parcels.bind_shop(acting, shop_ids[sender.shop])
        await sending.send_parcels(acting, PARCELS_PER_SENDER)
    await sending.tell_news(ctx)
    return Cast(tuple(shops), tuple(senders))


def _secrets(before: Member | None) -> scenes.Secrets:
    if before is None:
        return scenes.new_secrets()
    return scenes.Secrets(before.password, before.client_secret, before.access_token)


def _member(grant: scenes.Grant, name: str, currency: str | None, email: str, secrets: scenes.Secrets) -> Member:
    return Member(
        grant.account_id,
        name,
        currency,
        email,
        secrets.password,
        grant.client_id,
        grant.client_secret,
        grant.access_token,
    )


async def _has_shops(settings: Settings) -> bool:
    async with operator(settings) as ctx:
        return bool(await ctx.db.fetchval("select exists (select from merchant)"))


async def _truncate(connection: asyncpg.Connection[Any]) -> None:
    """Empty every table, in the caller's transaction; raises WorldBusy."""
    rows = await connection.fetch(
        "select quote_ident(tablename) from pg_tables "
        "where schemaname = current_schema and tablename not like all($1)",
        list(_KEPT_TABLES),
    )
    tables = ", ".join(row[0] for row in rows)
    await hold_tables(connection, tables)
    await connection.execute(f"truncate {tables}")
    await connection.execute("update world_clock set fixed_at = null, shift = '0'")
    await connection.execute("update chore set done = 0")
    for row in await connection.fetch("select sequencename from pg_sequences where schemaname = $1", SCHEMA):
        if row[0] not in _KEPT_SEQUENCES:
            await connection.execute(f'alter sequence "{row[0]}" restart')


def _file(settings: Settings) -> Path:
    return settings.data / "sandbox.json"


def _write(settings: Settings, cast: Cast) -> None:
    """Complete or absent: a reader never sees half a file."""
    settings.data.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(cast), ensure_ascii=False, indent=2)
    fresh = _file(settings).with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(_file(settings))
