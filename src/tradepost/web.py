"""One server process: serves the sockets that it is handed until it is told to stop, or its parent is gone."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
import uvicorn

from tradepost.authority import Authority, AuthorityError, server_context
from tradepost.logs import configure_logging
from tradepost.sandbox.conditions import Conditions
from tradepost.sandbox.desk import Desk
from tradepost.sandbox.watch import Watch
from tradepost.settings import Settings
from tradepost.supervisor import wait_for_parent_end
from tradepost.surfaces.sandbox.controls import ROOT, Controls
from tradepost.surfaces.sandbox.troubles import Troubles
from tradepost.surfaces.sandbox.verbs import VERBS
from tradepost.wire.protocol import HEAD_SECONDS, Protocol
from tradepost.wiring import Contained, build_app

GRACE_SECONDS = 25
RENEW_SECONDS = 3600
log = structlog.get_logger("tradepost.web")


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


class Server(uvicorn.Server):
    """The server library with some sockets that speak TLS beside those that do not."""

    def __init__(self, config: uvicorn.Config, settings: Settings, secure: Sequence[int]) -> None:
        """`secure` are the descriptors of listening sockets."""
        super().__init__(config)
        self._authority = Authority(settings.data, settings.certified_hosts)
        self._secure = [socket.socket(fileno=fd) for fd in secure]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if not self._secure:
            return
        context = server_context(self._authority.certify(datetime.now(UTC)))
        loop = asyncio.get_running_loop()
        for opened in self._secure:
            self.servers.append(
                await loop.create_server(
                    self._connection,
                    sock=opened,
                    ssl=context,
                    ssl_handshake_timeout=HEAD_SECONDS,
                    backlog=self.config.backlog,
                )
            )
        self._renewing = asyncio.create_task(self._renew(context))

    def _connection(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    async def _renew(self, context: ssl.SSLContext) -> None:
        """Show callers a certificate that is good, for as long as this runs."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                renewed = await asyncio.to_thread(self._authority.certify, datetime.now(UTC))
                context.load_cert_chain(renewed.chain)
            except (AuthorityError, OSError):
                log.exception("certificate")


def serve_sockets(
    settings: Settings, merchant: Sequence[int], wishpost: Sequence[int], secure: Sequence[int] = ()
) -> None:
    """Serve listening sockets by descriptor, each for the service it is named for; `secure` by TLS, for both."""
    configure_logging(settings)
    sockets = [socket.socket(fileno=fd) for fd in (*merchant, *wishpost)]
    ports: dict[int | str, str] = {}
    for opened, service in zip(sockets, ["merchant"] * len(merchant) + ["wishpost"] * len(wishpost), strict=True):
        name = opened.getsockname()
        ports[name if isinstance(name, str) else name[1]] = service
    contained = _contained(settings) if settings.is_sandbox else None
    config = server_config(build_app(settings, ports, contained))
    server = Server(config, settings, secure)
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
