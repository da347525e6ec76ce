"""A mail server of our own: keeps what it is sent, and misbehaves where a test wants it to."""

from __future__ import annotations

import asyncio
import email.policy
import ssl
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal, cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@dataclass
class Arrived:
    """A letter as it came in: from whom and to whom on the outside, and what is in it."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    encrypted: bool

    @property
    def text(self) -> str:
        """The words of the letter, in lines that end as they do here."""
        return cast(str, self.message.get_content()).replace("\r\n", "\n")


@dataclass
class Mailbox:
    """A server that runs. The answers may be changed at any time; "" is no answer, and the connection is cut."""

    letters: list[Arrived] = field(default_factory=list)
    to_sender: str = "250 OK"
    to_recipient: str = "250 OK"
    to_letter: str = "250 OK"
    silent: bool = False
    """Whether nobody is greeted."""
    port: int = 0
    authority: Path = Path()
    """The certificate that SSL_CERT_FILE has to name for a client that is to trust this server."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to the sender's address."""
        if self.to_sender.startswith("2"):
            envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient's address."""
        if self.to_recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a letter, also one whose sender never hears of it."""
        assert isinstance(envelope.content, bytes)
        if not self.to_letter.startswith(("4", "5")):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            encrypted = server.transport is not None and server.transport.get_extra_info("sslcontext") is not None
            self.letters.append(Arrived(envelope.mail_from or "", list(envelope.rcpt_tos), message, encrypted))
        if not self.to_letter:
            cast(asyncio.Transport, server.transport).abort()
        return self.to_letter


class _Silent(asyncio.Protocol):
    """Accepts a connection and says nothing."""


@contextmanager
def mailbox(
    security: Literal["none", "starttls", "tls"] = "none", login: tuple[str, str] | None = None
) -> Iterator[Mailbox]:
    """A server on a free port of loopback in a thread; with `login` it takes nothing from anybody else."""
    box = Mailbox()
    with tempfile.TemporaryDirectory(prefix="tradepost-mail-") as folder:
        authority = trustme.CA()
        box.authority = Path(folder) / "authority.pem"
        authority.cert_pem.write_to_path(str(box.authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)

        def authenticate(
            server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
        ) -> AuthResult:
            return AuthResult(success=login == (given.login.decode(), given.password.decode()), handled=False)

        def serve_one() -> asyncio.Protocol:
            if box.silent:
                return _Silent()
            options: dict[str, Any] = {"authenticator": authenticate, "auth_require_tls": False}
            if security == "starttls":
                options |= {"tls_context": context, "require_starttls": True}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a login without encryption is nothing to offer
                return SMTP(box, hostname=HOST, ident="test", auth_required=login is not None, **options)

        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(
            loop.create_server(serve_one, HOST, 0, ssl=context if security == "tls" else None)
        )
        box.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever, name="mailbox")
        thread.start()
        try:
            yield box
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            server.close()
            loop.run_until_complete(_end_of_everything())
            loop.close()


async def _end_of_everything() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
