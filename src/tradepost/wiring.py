"""Puts the program together: the only module that knows everybody, and the only one that picks real or local."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import structlog
from pydantic import SecretStr

from tradepost.darkroom.client import Darkroom
from tradepost.darkroom.studio import Studio
from tradepost.domain import downloads, parcels, pictures, tickets, webhooks, world
from tradepost.domain.context import By, Ctx
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.orders import OrderRules
from tradepost.domain.parcels import Carrier
from tradepost.domain.reference import REFUND_REASONS
from tradepost.domain.returns import AddressValidator
from tradepost.domain.webhooks import SealingKeys
from tradepost.egress.addresses import judge_of
from tradepost.egress.client import Guard, GuardProcess
from tradepost.egress.fetching import may_lead_outside
from tradepost.press.labels import LabelPress
from tradepost.sandbox.carriers import SandboxCarriers
from tradepost.sandbox.outside import Outside
from tradepost.settings import Settings, SettingsError
from tradepost.storage import migrate
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE, Database
from tradepost.storage.embedded import EmbeddedPostgres
from tradepost.storage.files import FileStore
from tradepost.storage.files_local import LocalFiles
from tradepost.storage.files_s3 import S3Files
from tradepost.surfaces.downloads import DownloadLinks
from tradepost.surfaces.labels import LabelFiles
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2
from tradepost.surfaces.operator_v1.chapters import api as operator_v1
from tradepost.surfaces.pages.chapters import build_site
from tradepost.surfaces.pictures import PictureFiles
from tradepost.surfaces.sessions import CallSessions, Chance
from tradepost.surfaces.ticket_pictures import TicketPictures
from tradepost.surfaces.wishpost_v2.chapters import api as wishpost_v2
from tradepost.surfaces.wishpost_v3.chapters import api as wishpost_v3
from tradepost.wire.endpoint import DeclarationError
from tradepost.wire.gate import Rules
from tradepost.wire.http import Addresses, App, Attachments, Extra, Service
from tradepost.wire.troubles import Troubles
from tradepost.worker.addresses import PostalRules
from tradepost.worker.handlers import Mailbox, Mailer
from tradepost.worker.smtp import SmtpMailer

SCOPES: Mapping[str, Mapping[str, str]] = {"merchant": merchant_v2.scopes, "wishpost": wishpost_v3.scopes}
"""What each service's tokens can open, in words."""

OPERATOR_SCOPES: Mapping[str, str] = operator_v1.scopes
"""What an operator's tokens can open, in words."""
INSIDE: Mapping[str, str] = {"/api/operator/": "operator"}
"""Services that live at the addresses of the merchant service, by what their paths begin with."""

DATABASE = "tradepost"
SCHEMA = migrate.SCHEMA
OWNER_ROLE = "tradepost_owner"
SUPERUSER = "postgres"


def configure_logging(settings: Settings) -> None:
    """One JSON line per event on standard error."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def embedded_database(settings: Settings) -> EmbeddedPostgres | None:
    """The database that comes with the program, or None where a URL names another."""
    if settings.database_url is not None:
        return None
    return EmbeddedPostgres(settings.data / "postgres", settings.postgres_binaries)


@contextmanager
def running_database(settings: Settings) -> Iterator[None]:
    """The embedded database running for as long as this is open; nothing to do for any other.

    One at a time: whoever started the server stops it, and must not stop it under somebody else.
    """
    embedded = embedded_database(settings)
    if embedded is None:
        yield
        return
    with folder_lock(settings, "verb.lock"):
        embedded.start()
        try:
            yield
        finally:
            embedded.stop()


@contextmanager
def folder_lock(settings: Settings, name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock of the data folder; raises BlockingIOError where somebody else does and `wait` is not wanted."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def apply_rate_limits(settings: Settings) -> None:
    """Let the installation's limits count; raises SettingsError for one that nothing has."""
    surfaces = (merchant_v2, wishpost_v3, wishpost_v2, operator_v1)
    for name in settings.rate_limits:
        if name.partition("/")[0] not in {surface.service for surface in surfaces}:
            raise SettingsError(f"TRADEPOST_RATE_LIMITS: no service is called {name.partition('/')[0]!r}")
    try:
        for surface in surfaces:
            surface.override_limits(settings.rate_limits)
    except DeclarationError as error:
        raise SettingsError(f"TRADEPOST_RATE_LIMITS: {error}") from None


def connect_arguments(settings: Settings, role: str) -> Mapping[str, Any]:
    """How asyncpg connects in a role, as the owner for anything that is not an application's role."""
    embedded = embedded_database(settings)
    if embedded is not None:
        return {**embedded.connection(role, DATABASE)}
    if role == OWNER_ROLE:
        return {"dsn": settings.owner_database_url or settings.database_url}
    return {"dsn": settings.database_url}


async def prepare_database(settings: Settings, dry_run: bool = False) -> list[str]:
    """Create the embedded database where it is not there yet, and migrate; gives the migrations that ran."""
    embedded = embedded_database(settings)
    if embedded is not None and not await _create_database(embedded, dry_run):
        return [migration.name for migration in migrate.migrations()]
    connection = await asyncpg.connect(**connect_arguments(settings, OWNER_ROLE))
    try:
        return await migrate.migrate(connection, dry_run=dry_run)
    finally:
        await connection.close()


async def _create_database(embedded: EmbeddedPostgres, dry_run: bool) -> bool:
    """Create the owner and his database where they are not there yet; whether they are there now."""
    connection = await asyncpg.connect(**embedded.connection(SUPERUSER, "postgres"))
    try:
        # Several processes may begin at once; the lock goes with the connection.
        await connection.execute("select pg_advisory_lock(1)")
        if await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            return True
        if dry_run:
            return False
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", OWNER_ROLE):
            await connection.execute(f"create role {OWNER_ROLE} login createrole")
        await connection.execute(f"create database {DATABASE} owner {OWNER_ROLE}")
        return True
    finally:
        await connection.close()


@asynccontextmanager
async def operator(settings: Settings, *, makes_ids: bool = True) -> AsyncIterator[Ctx]:
    """A context for an operator's verb: every account, one transaction, the time of this world.

    Without `makes_ids` it is for what makes none; in a world with a seed it changes nothing of those of others.
    """
    database = Database(connect_arguments(settings, PLATFORM_ROLE), PLATFORM_ROLE, most=1)
    await database.open()
    try:
        async with database.acting_for("") as connection:
            ctx = await world.enter(connection)
            if makes_ids:
                await world.begin_anew(ctx)
            yield replace(ctx, by=By("shell", str(os.getuid())))
    finally:
        await database.close()


def open_files(settings: Settings) -> FileStore:
    """Where files are kept: the bucket of the settings, or a folder beside the rest of the data."""
    if settings.bucket is None:
        return LocalFiles(settings.data / "files")
    assert settings.s3_access_key_id is not None
    assert settings.s3_secret_access_key is not None
    bucket, folder = settings.bucket
    return S3Files(
        bucket,
        folder,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        key_id=settings.s3_access_key_id,
        secret=settings.s3_secret_access_key.get_secret_value(),
    )


def open_guard(settings: Settings) -> tuple[Guard, GuardProcess]:
    """How things outside are fetched, and the process to end; the sandbox has some hosts of its own."""
    process = GuardProcess(settings.egress_socket)
    return (Outside(process) if settings.is_sandbox else process), process


def open_mailer(settings: Settings) -> Mailer | None:
    """How letters leave; None where they wait until an operator says how."""
    if settings.smtp_host is None:
        return Mailbox() if settings.is_sandbox else None
    password = settings.smtp_password
    return SmtpMailer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        None if password is None else password.get_secret_value(),
        settings.mail_from,
    )


def open_address_validator() -> AddressValidator:
    """Who judges the addresses of return warehouses; another one, such as a carrier's service, goes in here."""
    return PostalRules()


def open_carriers(settings: Settings) -> Carrier:
    """Who carries parcels; a connection to real ones goes in here. Only the sandbox pretends to have seen any."""
    return SandboxCarriers(see=settings.is_sandbox)


def link_keys(settings: Settings) -> LinkKeys:
    """The keys of download links; a sandbox without any makes one and keeps it in its data folder."""
    return LinkKeys(_keys(settings, "link", settings.link_keys))


def sealing_keys(settings: Settings) -> SealingKeys:
    """The keys that seal secrets; a sandbox without any makes one and keeps it in its data folder."""
    return SealingKeys(_keys(settings, "sealing", settings.sealing_keys))


def webhook_tools(settings: Settings) -> webhooks.Tools:
    """What subscribing to webhooks takes. Only a sandbox sends without TLS."""
    judge = judge_of(settings.egress_allow)
    schemes = ("http", "https") if settings.is_sandbox else ("https",)
    return webhooks.Tools(sealing_keys(settings), lambda url: may_lead_outside(url, judge, schemes))


def _keys(settings: Settings, name: str, told: Sequence[SecretStr]) -> list[bytes]:
    """The keys of the settings, or the one in the data folder, which is made where it is not there yet."""
    given = [key.get_secret_value().encode() for key in told]
    if not given:
        with folder_lock(settings, f"{name}.lock"):
            file = settings.data / f"{name}.key"
            if not file.exists():
                fresh = file.with_suffix(".new")
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as made:
                    made.write(secrets.token_hex(32))
                fresh.replace(file)
            given = [file.read_bytes()]
    return given


def public_url(settings: Settings) -> str:
    """What links begin with that nobody asked for by a call of his own."""
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def order_rules(settings: Settings) -> OrderRules:
    """What this installation decides about orders; raises SettingsError for a reason that there is not."""
    reasons = frozenset(settings.refund_reasons)
    if unknown := reasons - REFUND_REASONS.keys():
        raise SettingsError(f"TRADEPOST_REFUND_REASONS: no reason has the code {min(unknown)}")
    return OrderRules(settings.merchant_share, reasons or frozenset(REFUND_REASONS))


@dataclass(frozen=True, slots=True)
class Contained:
    """What the application has beside its services where its world is a contained one."""

    chance: Chance
    troubles: Troubles
    extras: Mapping[str, Extra]
    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]


def build_app(settings: Settings, ports: Mapping[int | str, str], contained: Contained | None = None) -> App:
    """The application of all services; `ports` tells which local address is whose."""
    # Operators see every account, so they have connections of their own, in the platform's role.
    database = Database(connect_arguments(settings, APP_ROLE), most=settings.pool_size)
    platform = Database(connect_arguments(settings, PLATFORM_ROLE), PLATFORM_ROLE, most=settings.pool_size)
    keys, files = link_keys(settings), open_files(settings)
    darkroom, press = Darkroom(), LabelPress()
    rules, studio = order_rules(settings), Studio(files, darkroom)
    chance = None if contained is None else contained.chance
    sessions = CallSessions(database, link_keys=keys, studio=studio, order_rules=rules, press=press, chance=chance)
    sessions.tools = replace(sessions.tools, webhooks=webhook_tools(settings))
    apply_rate_limits(settings)

    async def start() -> None:
        await database.open()
        await platform.open()
        if contained is not None:
            await contained.start()

    async def stop() -> None:
        if contained is not None:
            await contained.stop()
        darkroom.close()
        press.close()
        await database.close()
        await platform.close()

    return App(
        services={
            "merchant": Service(merchant_v2, sessions),
            "wishpost": Service(wishpost_v3, sessions, wishpost_v2),
            "operator": Service(operator_v1, CallSessions(platform, order_rules=rules, chance=chance)),
        },
        addresses=_addresses(settings, ports),
        rules=Rules(settings.is_sandbox, troubles=None if contained is None else contained.troubles),
        attachments=_attachments(database, files, keys, press),
        ready=database.missing,
        on_start=start,
        on_stop=stop,
        extras=contained.extras if contained is not None else {},
        pages={api.name: build_site(api.name, database, api.scopes) for api in (merchant_v2, wishpost_v3)},
    )


def _attachments(
    database: Database, files: FileStore, keys: LinkKeys, press: LabelPress
) -> Mapping[str, Attachments]:
    """What links lead to, by what their paths begin with."""
    return {
        downloads.FOLDER: DownloadLinks(database, files, keys),
        pictures.FOLDER: PictureFiles(database, files),
        tickets.FOLDER: TicketPictures(database, files, keys),
        parcels.FOLDER: LabelFiles(database, press, keys),
    }


def _addresses(settings: Settings, ports: Mapping[int | str, str]) -> Addresses:
    return Addresses(
        default="merchant",
        names=dict.fromkeys((host.lower() for host in settings.wishpost_hosts), "wishpost"),
        ports=ports,
        trusted_proxies=tuple(settings.trusted_proxies),
        inside=INSIDE,
    )
