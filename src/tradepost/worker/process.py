"""`tradepost work`: one worker process, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence

import asyncpg
import uvloop

from tradepost.darkroom.client import Darkroom
from tradepost.darkroom.studio import Studio
from tradepost.logs import configure_logging
from tradepost.opening import connect_arguments, embedded_database, open_files
from tradepost.settings import Settings
from tradepost.storage.database import APP_ROLE, PLATFORM_ROLE, Database, session_settings
from tradepost.storage.files import FileStore
from tradepost.supervisor import wait_for_parent_end
from tradepost.wiring import (
    link_keys,
    open_address_validator,
    open_carriers,
    open_guard,
    open_mailer,
    public_url,
    public_urls,
    sandbox_chores,
    sealing_keys,
)
from tradepost.worker import handlers
from tradepost.worker.addresses import ReturnAddresses
from tradepost.worker.carriers import ParcelNumbers, ParcelScans
from tradepost.worker.chores import do_chores, forget_calls
from tradepost.worker.cores import OneCore
from tradepost.worker.letters import LetterWriter
from tradepost.worker.pictures import Pictures
from tradepost.worker.runner import Runner
from tradepost.worker.scans import ScansToOrder, ScansToShops
from tradepost.worker.webhooks import Sender

PICTURE_SLOTS = 8
"""Pictures that are fetched at the same time: most of that is waiting for others."""
DARKROOMS = 2
SENDER_CONNECTIONS = 4
"""For what webhooks read and write down, which is little and takes turns."""
NICENESS = 5
"""Whoever waits for an answer goes first where a machine has both to do."""


def work(settings: Settings) -> None:
    """Do jobs and chores until told to stop, or until the supervisor is gone."""
    configure_logging(settings)
    os.nice(NICENESS)
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    slots = settings.job_slots
    core = OneCore(beside_database=embedded_database(settings) is not None)
    platform = Database(connect_arguments(settings, PLATFORM_ROLE), PLATFORM_ROLE, most=2)
    # An export keeps one connection while it notes its end on another.
    most = 2 * slots + PICTURE_SLOTS // 2 + SENDER_CONNECTIONS
    app = Database(connect_arguments(settings, APP_ROLE), APP_ROLE, most=most, greet=core.bring)
    await platform.open()
    await app.open()
    files = open_files(settings)
    guard, guard_process = open_guard(settings)
    darkroom = Darkroom(DARKROOMS)
    known = _handlers(settings, app, files, Pictures(app, files, Studio(files, darkroom), guard))
    moved = asyncio.Event()
    sender = Sender(platform, app, guard_process, sealing_keys(settings))
    runner = Runner(
        platform,
        app,
        lambda: _session(settings),
        known,
        slots,
        aside={Pictures.kind: PICTURE_SLOTS},
        numbered=lambda number: _number(number, core, sender),
        moved=moved.set,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, runner.stop)
    chores = (*sandbox_chores(settings), forget_calls(settings.request_log_mib << 20))
    helpers = [
        asyncio.create_task(do_chores(platform, files, moved, chores)),
        asyncio.create_task(_stop_with_parent(runner)),
    ]
    sending = asyncio.create_task(sender.run())
    try:
        await runner.run()
    finally:
        sender.stop()
        await asyncio.gather(sending, return_exceptions=True)
        await _end(helpers)
        await app.close()
        await platform.close()
        darkroom.close()
        guard_process.close()


def _handlers(
    settings: Settings, app: Database, files: FileStore, pictures: Pictures
) -> dict[str, handlers.Handler]:
    mailer, seals = open_mailer(settings), sealing_keys(settings)
    carriers = open_carriers(settings)
    known: list[handlers.Handler] = [
        handlers.BulkUpdates(),
        handlers.BulkUpdateNotes(),
        handlers.ProductDownloads(app, files, public_url(settings)),
        handlers.OrderDownloads(app, files, public_url(settings)),
        pictures,
        ReturnAddresses(app, open_address_validator()),
        ParcelNumbers(app, carriers),
        ParcelScans(carriers),
        ScansToShops(app),
        ScansToOrder(app),
        handlers.Telling(LetterWriter(public_urls(settings), link_keys(settings), seals)),
    ]
    if mailer is not None:  # without one, letters wait until there is one
        known.append(handlers.Mailing(app, mailer, seals))
    return {handler.kind: handler for handler in known}


async def _end(helpers: Sequence[asyncio.Task[None]]) -> None:
    for helper in helpers:
        helper.cancel()
    await asyncio.gather(*helpers, return_exceptions=True)


def _number(number: int, core: OneCore, sender: Sender) -> None:
    """Tell everybody who goes by the worker's number which it is."""
    core.settle(number)
    sender.number(number)


async def _session(settings: Settings) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of the worker's own, to listen on and to hold its number."""
    return await asyncpg.connect(
        **connect_arguments(settings, PLATFORM_ROLE), server_settings=session_settings(PLATFORM_ROLE)
    )


async def _stop_with_parent(runner: Runner) -> None:
    await wait_for_parent_end()
    runner.stop()
