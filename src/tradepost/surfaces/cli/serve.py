"""`tradepost serve`: everything that one machine needs, in one command, under one supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tradepost.authority import Authority, Certified
from tradepost.egress.process import socket_path
from tradepost.egress.sockets import bind_socket
from tradepost.opening import embedded_database, folder_lock, prepare_database
from tradepost.sandbox import seed
from tradepost.settings import Settings
from tradepost.supervisor import Child, Supervisor
from tradepost.surfaces.cli.addresses import remember_addresses
from tradepost.wiring import apply_rate_limits


@dataclass(frozen=True, slots=True)
class Opened:
    """The listening sockets of both services, and of the way out."""

    merchant: socket.socket
    wishpost: socket.socket
    tls: socket.socket | None
    """Where both are by HTTPS; None where that is not wanted."""
    egress: socket.socket | None
    """Where the worker asks for what is outside; None where there is no worker, or a guard runs already."""

    def urls(self) -> dict[str, str]:
        """Where each service is."""
        found = {"merchant": _url(self.merchant), "wishpost": _url(self.wishpost)}
        return found if self.tls is None else found | {"tls": _url(self.tls, "https")}


def serve(settings: Settings) -> int:
    """Serve until stopped; gives the exit status.

    The sockets are opened here and handed to the server processes, so a port picked by the system stays the
    same when a process is restarted, and callers wait meanwhile instead of being refused.
    """
    apply_rate_limits(settings)  # so that a wrong one is told before anything is started
    try:
        with folder_lock(settings, "serve.lock", wait=False):
            return _serve(settings)
    except BlockingIOError:
        raise SystemExit(
            f"Another `tradepost serve` runs in {settings.data}. TRADEPOST_DATA chooses another folder."
        ) from None


def _serve(settings: Settings) -> int:
    # Until the supervisor listens to signals itself, being told to stop ends the start and undoes it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    has_guard = settings.is_sandbox and settings.egress_socket is None
    opened = Opened(
        _listen(settings.host, settings.port),
        _listen(settings.host, settings.wishpost_port),
        _listen(settings.host, settings.tls_port) if settings.tls else None,
        bind_socket(socket_path(settings)) if has_guard else None,
    )
    embedded = embedded_database(settings)
    certified = None
    if settings.tls:
        certified = Authority(settings.data, settings.certified_hosts).certify(datetime.now(UTC))
    try:
        with folder_lock(settings, "verb.lock"):
            if embedded is not None:
                embedded.start()
            cast = asyncio.run(_prepare(settings))
        run_file = remember_addresses(settings, opened.urls())
        print(_banner(opened.urls(), cast, certified), flush=True)
        status = Supervisor(_children(settings, opened), embedded).run()
        run_file.unlink(missing_ok=True)
        return status
    finally:
        if embedded is not None:
            embedded.stop()


async def _prepare(settings: Settings) -> seed.Cast | None:
    if settings.is_sandbox or settings.database_url is None:
        await prepare_database(settings)
    return await seed.ensure_seeded(settings) if settings.is_sandbox else None


def _children(settings: Settings, opened: Opened) -> list[Child]:
    children = [_web_child(number + 1, opened, settings) for number in range(settings.workers)]
    if settings.is_sandbox:
        urls = opened.urls()
        env = {
            "TRADEPOST_DATA": str(settings.data.resolve()),
            "TRADEPOST_PUBLIC_URL": settings.public_url or urls["merchant"],
            "TRADEPOST_WISHPOST_PUBLIC_URL": settings.wishpost_public_url or urls["wishpost"],
        }
        if opened.egress is not None:
            children.append(_egress_child(opened.egress, env))
            env["TRADEPOST_EGRESS_SOCKET"] = str(socket_path(settings).resolve())
        children.append(Child("worker", [*_program(), "work"], env=env))
    return children


def _egress_child(opened: socket.socket, env: Mapping[str, str]) -> Child:
    """The guard on a socket that stays the same when it is started again, so that who asks meanwhile waits."""
    number = opened.fileno()
    return Child("egress", [*_program(), "egress", "--listen", str(number)], pass_fds=(number,), env=env)


def _program() -> list[str]:
    return [sys.executable, "-m", "tradepost"]


def _web_child(number: int, opened: Opened, settings: Settings) -> Child:
    fds: tuple[int, ...] = (opened.merchant.fileno(), opened.wishpost.fileno())
    argv = [*_program(), "web", "--merchant", str(fds[0]), "--wishpost", str(fds[1])]
    if opened.tls is not None:
        argv += ["--tls", str(opened.tls.fileno())]
        fds = (*fds, opened.tls.fileno())
    return Child(f"web {number}", argv, pass_fds=fds, env={"TRADEPOST_DATA": str(settings.data.resolve())})


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise SystemExit(
            f"Cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}. "
            "TRADEPOST_PORT, TRADEPOST_WISHPOST_PORT and TRADEPOST_TLS_PORT choose other ports; 0 picks a free one."
        ) from None
    opened.listen(2048)
    return opened


def _url(opened: socket.socket, scheme: str = "http") -> str:
    host, port = opened.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _banner(urls: dict[str, str], cast: seed.Cast | None, certified: Certified | None) -> str:
    lines = [f"Merchant service  {urls['merchant']}", f"WishPost          {urls['wishpost']}"]
    if certified is not None:
        lines += [
            f"Both by TLS       {urls['tls']}  (told apart by name)",
            f"Authority         {certified.authority}  (for clients to trust)",
        ]
    if cast is not None:
        merchant = cast.merchants[0]
        lines += [
            f"Access token      {merchant.access_token}  ({merchant.name}, {merchant.currency})",
            "",
            "Try it:",
            f"  curl '{urls['merchant']}/api/v2/product/multi-get?limit=2' "
            f"-H 'Authorization: Bearer {merchant.access_token}'",
            "",
            "`tradepost sandbox credentials` shows everybody else. Ctrl-C stops; all data stays.",
        ]
    return "\n".join(lines)
