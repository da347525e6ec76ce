"""`tradepost egress`: the guard as a process, which answers whoever may open its socket.

It is asked over connections to a listening Unix socket, or over sockets that the one process which started it hands
in. It needs no database, no secret and no file, so it can run under an account that has none of them, behind a
firewall that lets it out to the internet and nowhere else.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
import structlog

from tradepost.egress.addresses import judge_of
from tradepost.egress.exchange import NotNow, Refused, Sending
from tradepost.egress.fetching import Fetching, believing
from tradepost.egress.protocol import (
    ANSWERED,
    BODY,
    END,
    LATER,
    LONGEST_ASKED,
    MOST_SENT,
    REFUSED,
    Asked,
    Ended,
    Told,
    frame,
)
from tradepost.egress.sockets import bind_socket
from tradepost.logs import configure_logging
from tradepost.settings import Settings
from tradepost.supervisor import wait_for_parent_end

MOST_AT_ONCE: Final = 64
MOST_SENT_AT_ONCE: Final = 256
"""What is fetched and what is sent have room by themselves: neither waits for the other."""
MOST_BYTES: Final = 64 << 20
MOST_SECONDS: Final = 120.0
ASKING_SECONDS: Final = 5.0

log = structlog.get_logger("tradepost.egress")


def fetching(settings: Settings) -> Fetching:
    """How this installation fetches."""
    own: set[tuple[str, int | None]] = {(host.lower(), None) for host in settings.wishpost_hosts}
    for url in filter(None, (settings.public_url, settings.wishpost_public_url)):
        public = urlsplit(url)
        usual = 443 if public.scheme == "https" else 80
        own.add(((public.hostname or "").lower(), public.port or usual))
    return Fetching(
        judge=judge_of(settings.egress_allow),
        tls=believing(settings.egress_ca_file),
        refused_hosts=own,
    )


def run(settings: Settings, listen: int | None, control: int | None) -> None:
    """Answer until told to stop, or until whoever started this is gone.

    `listen` is a listening socket that was inherited, `control` one that sockets are handed in by; without either
    it listens where the settings say.
    """
    configure_logging(settings)
    with ExitStack() as held:
        if listen is not None:
            opened = held.enter_context(socket.socket(fileno=listen))
        elif control is not None:
            opened = held.enter_context(socket.socket(fileno=control))
        else:
            opened = held.enter_context(bind_socket(socket_path(settings)))
        asyncio.run(_serve(fetching(settings), opened, takes_sockets=control is not None))


def socket_path(settings: Settings) -> Path:
    """Where the guard listens that others ask."""
    return settings.egress_socket or settings.data / "egress.sock"


async def _serve(guard: Fetching, opened: socket.socket, *, takes_sockets: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    opened.setblocking(False)
    door = _Door(guard, stopping)
    come_in = door.take_handed if takes_sockets else door.accept
    watcher = asyncio.create_task(wait_for_parent_end())
    watcher.add_done_callback(lambda _: stopping.set())
    loop.add_reader(opened, partial(come_in, opened))
    log.info("egress ready", listening=not takes_sockets)
    try:
        await stopping.wait()
    finally:
        loop.remove_reader(opened)
        watcher.cancel()
        await door.close()


class _Door:
    """Everybody who asks, each with a task of his own."""

    def __init__(self, guard: Fetching, over: asyncio.Event) -> None:
        """`over` is set when nobody can ask any more."""
        self._guard = guard
        self._over = over
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._room_to_send = asyncio.Semaphore(MOST_SENT_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, listening: socket.socket) -> None:
        """Take everybody who waits at a listening socket."""
        while True:
            try:
                asking, _ = listening.accept()
            except OSError:
                return
            self._begin(asking)

    def take_handed(self, control: socket.socket) -> None:
        """Take a socket that is handed in; when there are no more to come, it is over."""
        try:
            told, handed, _, _ = socket.recv_fds(control, 1, 1)
        except BlockingIOError:
            return
        except OSError:
            told, handed = b"", []
        for number in handed:
            self._begin(socket.socket(fileno=number))
        if not told:
            self._over.set()

    def _begin(self, asking: socket.socket) -> None:
        task = asyncio.create_task(self._answer(asking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop whatever is being fetched; whoever asked asks again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, asking: socket.socket) -> None:
        asking.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=asking, limit=LONGEST_ASKED)
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                asked = msgspec.json.decode(await reader.readline(), type=Asked)
            # Nothing more is to come from the other end, so what does come is that it was closed.
            fetch = asyncio.create_task(self._fetch(asked, writer))
            gone = asyncio.create_task(reader.read(1))
            try:
                await asyncio.wait([fetch, gone], return_when=asyncio.FIRST_COMPLETED)
            finally:
                fetch.cancel()
                gone.cancel()
                await asyncio.gather(fetch, gone, return_exceptions=True)
            await writer.drain()
        except (OSError, TimeoutError, ValueError, msgspec.MsgspecError) as error:
            log.warning("egress was not asked", error=repr(error))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _deliver(self, asked: Asked, body: bytes, writer: asyncio.StreamWriter) -> None:
        if len(body) > MOST_SENT:
            raise Refused("too large")
        async with self._room_to_send:
            sending = Sending(asked.headers, body)
            done = await self._guard.deliver(asked.url, sending, min(asked.seconds, MOST_SECONDS))
        writer.write(frame(ANSWERED, msgspec.json.encode(Told(done.status, done.retry_after))))

    async def _fetch(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        async def write(piece: bytes) -> None:
            writer.write(frame(BODY, piece))
            await writer.drain()

        # Of a URL only the host is logged: what follows it may be a secret.
        told = log.bind(host=asked.url.split("://", 1)[-1].split("/", 1)[0].rpartition("@")[2][:100])
        try:
            if asked.body is not None:
                await self._deliver(asked, asked.body, writer)
                return
            async with self._room:
                done = await self._guard.fetch(
                    asked.url, min(asked.most_bytes, MOST_BYTES), min(asked.seconds, MOST_SECONDS), write
                )
            writer.write(frame(END, msgspec.json.encode(Ended(done.content_type, done.size))))
            told.debug("fetched", size=done.size)
        except Refused as refused:
            writer.write(frame(REFUSED, str(refused).encode()))
            told.info("not fetched", reason=str(refused))
        except NotNow as later:
            writer.write(frame(LATER, str(later).encode()))
            told.info("not fetched now", reason=str(later))
        except ConnectionError:
            return  # whoever asked is gone
        except Exception:
            # A fault of ours must not look like one of the other side; it is tried again.
            told.exception("unexpected")
            writer.write(frame(LATER, b"a fault"))
