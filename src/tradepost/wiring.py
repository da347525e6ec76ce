"""Puts the program together: the only module that knows everybody, and the only one that picks real or local."""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from tradepost.darkroom.client import Darkroom
from tradepost.darkroom.studio import Studio
from tradepost.domain import downloads, parcels, pictures, tickets, webhooks
from tradepost.domain.context import Ctx
from tradepost.domain.downloads import LinkKeys
from tradepost.domain.parcels import Carrier
from tradepost.domain.returns import AddressValidator
from tradepost.domain.webhooks import SealingKeys
from tradepost.egress.addresses import judge_of
from tradepost.egress.client import Guard, GuardProcess
from tradepost.egress.fetching import may_lead_outside
from tradepost.opening import connect_arguments, folder_lock, open_files, order_rules
from tradepost.press.labels import LabelPress
from tradepost.sandbox.autopilot import play_beat
from tradepost.sandbox.carriers import SandboxCarriers
from tradepost.sandbox.outside import Outside
from tradepost.settings import Settings, SettingsError
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE, Database
from tradepost.storage.files import FileStore
from tradepost.surfaces.downloads import DownloadLinks
from tradepost.surfaces.labels import LabelFiles
from tradepost.surfaces.merchant_v2.chapters import api as merchant_v2
from tradepost.surfaces.operator_v1.chapters import api as operator_v1
from tradepost.surfaces.pages.chapters import build_site
from tradepost.surfaces.pages.office.chapters import build_office
from tradepost.surfaces.pages.site import Kit
from tradepost.surfaces.pictures import PictureFiles
from tradepost.surfaces.request_log.collecting import RequestLog
from tradepost.surfaces.sessions import CallSessions, Chance
from tradepost.surfaces.ticket_pictures import TicketPictures
from tradepost.surfaces.token_uses import TokenUses
from tradepost.surfaces.wishpost_v2.chapters import api as wishpost_v2
from tradepost.surfaces.wishpost_v3.chapters import api as wishpost_v3
from tradepost.wire.attachments import Attachments
from tradepost.wire.endpoint import DeclarationError
from tradepost.wire.gate import Rules
from tradepost.wire.http import Addresses, App, Extra, Pages, Service
from tradepost.wire.troubles import Troubles
from tradepost.worker.addresses import PostalRules
from tradepost.worker.chores import Chore
from tradepost.worker.handlers import Mailbox, Mailer
from tradepost.worker.smtp import SmtpMailer

INSIDE: Mapping[str, str] = {"/api/operator/": "operator", "/operator": "operator"}
"""Services that live at the addresses of the merchant service, by what their paths begin with."""


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


def sandbox_chores(settings: Settings) -> tuple[Chore, ...]:
    """What workers do every so often in a sandbox only: let its world go on where it is told to."""
    if not settings.is_sandbox:
        return ()
    rules = order_rules(settings)

    async def play(ctx: Ctx, files: FileStore) -> int:
        return await play_beat(ctx, files, rules)

    return (Chore("let the world go on", timedelta(0), play, in_pieces=True),)


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


def public_urls(settings: Settings) -> Mapping[str, str]:
    """The same for each of the two public services, by its name."""
    wishpost = settings.wishpost_public_url or f"http://{settings.host}:{settings.wishpost_port}"
    return {"merchant": public_url(settings), "wishpost": wishpost}


@dataclass(frozen=True, slots=True)
class Contained:
    """What the application has beside its services where its world is a contained one."""

    chance: Chance
    troubles: Troubles
    extras: Mapping[str, Extra]
    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]
    desk: Any = None
    """Where its world is moved, by pages, too."""


def open_request_log(settings: Settings) -> RequestLog | None:
    """What takes calls down, on a connection of its own, so that calls never wait for it; None where it is off."""
    if not settings.request_log_calls:
        return None
    arguments = connect_arguments(settings, PLATFORM_ROLE)
    return RequestLog(Database(arguments, PLATFORM_ROLE, most=1), settings.request_log_calls)


def build_app(settings: Settings, ports: Mapping[int | str, str], contained: Contained | None = None) -> App:
    """The application of all services; `ports` tells which local address is whose."""
    # Operators see every account, so they have connections of their own, in the platform's role.
    database = Database(connect_arguments(settings, APP_ROLE), most=settings.pool_size)
    platform = Database(connect_arguments(settings, PLATFORM_ROLE), PLATFORM_ROLE, most=settings.pool_size)
    keys, files = link_keys(settings), open_files(settings)
    darkroom, press = Darkroom(), LabelPress()
    rules, studio = order_rules(settings), Studio(files, darkroom)
    chance, desk = (None, None) if contained is None else (contained.chance, contained.desk)
    sessions = CallSessions(database, link_keys=keys, studio=studio, order_rules=rules, press=press, chance=chance)
    sessions.tools = replace(sessions.tools, webhooks=webhook_tools(settings))
    apply_rate_limits(settings)
    calls, uses = open_request_log(settings), TokenUses(platform)
    sessions.seen = uses.take
    running = [part for part in (contained, calls, uses) if part is not None]

    async def start() -> None:
        await database.open()
        await platform.open()
        for part in reversed(running):
            await part.start()

    async def stop() -> None:
        for part in running:
            await part.stop()
        darkroom.close()
        press.close()
        await database.close()
        await platform.close()

    return App(
        services={
            "merchant": Service(merchant_v2, sessions, calls=calls),
            "wishpost": Service(wishpost_v3, sessions, wishpost_v2, calls),
            "operator": Service(operator_v1, CallSessions(platform, order_rules=rules, chance=chance)),
        },
        addresses=_addresses(settings, ports),
        rules=Rules(settings.is_sandbox, troubles=None if contained is None else contained.troubles),
        attachments=_attachments(database, files, keys, press),
        ready=database.missing,
        on_start=start,
        on_stop=stop,
        extras=contained.extras if contained is not None else {},
        pages=_pages(database, platform, sessions, desk),
    )


def _pages(database: Database, platform: Database, sessions: CallSessions, desk: Any) -> Mapping[str, Pages]:
    """The pages of both services, and those of operators."""
    apis = (merchant_v2, wishpost_v3)
    office = build_office(platform, Kit(operator_v1, lambda: sessions.tools, desk), (*apis, operator_v1))
    return {api.name: build_site(database, Kit(api, lambda: sessions.tools, desk)) for api in apis} | {
        office.service: office
    }


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
