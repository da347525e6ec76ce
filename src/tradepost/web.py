"""One server process: serves the sockets that it is handed until it is told to stop, or its parent is gone."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn

from tradepost.logs import configure_logging
from tradepost.sandbox.conditions import Conditions
from tradepost.sandbox.desk import Desk
from tradepost.sandbox.watch import Watch
from tradepost.settings import Settings
from tradepost.supervisor import wait_for_parent_end
from tradepost.surfaces.sandbox.controls import ROOT, Controls
from tradepost.surfaces.sandbox.troubles import Troubles
from tradepost.surfaces.sandbox.verbs import VERBS
from tradepost.wire.protocol import Protocol
from tradepost.wiring import Contained, build_app

GRACE_SECONDS = 25


def server_config(app: Any, http: Any = Protocol) -> uvicorn.Config:
    """How the server library is used, here and by the bench's bare limit."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=http,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=2048,
    )


def _contained(settings: Settings) -> Contained:
    conditions = Conditions()
    watch = Watch(settings, conditions)
    desk = Desk(settings, conditions)
    troubles = Troubles(conditions, desk.look)
    return Contained(conditions, troubles, {ROOT: Controls(VERBS, desk)}, watch.start, watch.stop, desk)


def serve_sockets(settings: Settings, merchant: Sequence[int], wishpost: Sequence[int]) -> None:
    """Serve listening sockets by their descriptors, each for the service it is named for."""
    configure_logging(settings)
    sockets = [socket.socket(fileno=fd) for fd in (*merchant, *wishpost)]
    ports: dict[int | str, str] = {}
    for opened, service in zip(sockets, ["merchant"] * len(merchant) + ["wishpost"] * len(wishpost), strict=True):
        name = opened.getsockname()
        ports[name if isinstance(name, str) else name[1]] = service
    contained = _contained(settings) if settings.is_sandbox else None
    config = server_config(build_app(settings, ports, contained))
    server = uvicorn.Server(config)
    # What the program itself consists of is never garbage: looking through it costs every call a little.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)

    async def run() -> None:
        async def stop_with_parent() -> None:
            await wait_for_parent_end()
            server.should_exit = True

        watcher = asyncio.create_task(stop_with_parent())
        await server.serve(sockets=sockets)
        watcher.cancel()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())
