"""Letters by SMTP, one connection each. Knows nothing of why a letter is sent, and keeps none.

A letter whose sending was cut off may have arrived, and is sent again: both carry the same Message-ID, by which
the receiving side can tell.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal, NoReturn, cast

import aiosmtplib
import structlog

from tradepost.values import TryLater

LONGEST_REASON = 300
# The server wants a login that it did not get: no fault of the letter, and for an operator to mend.
_LOGIN_REQUIRED = 530
_ID = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
# An address as people have them: no quotes and no comments in it, nothing that means something in a header. The
# parser of the standard library takes much more, and stumbles over what it does not take.
_ADDRESS = r"""[^\s\x00-\x1f\x7f-\x9f@<>()\[\],;:\\"]+@[^\s\x00-\x1f\x7f-\x9f@<>()\[\],;:\\"]+"""
_MAILBOX = re.compile(
    rf"""(?P<bare>{_ADDRESS})|(?:"(?P<quoted>[^"\\\x00-\x1f]*)"|(?P<name>[^@<>()\[\],;:\\"\x00-\x1f]+?))?[ ]*"""
    rf"""<(?P<address>{_ADDRESS})>"""
)

log = structlog.get_logger("tradepost.worker")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in plain text, to one address; `message_id` tells it from all others, `at` is its date."""

    message_id: str
    to: str
    subject: str
    body: str
    at: datetime


class MailRefused(Exception):
    """A letter that nobody will take however often it is sent; `reason` is one line."""

    def __init__(self, reason: str) -> None:
        self.reason = " ".join(reason.split())[:LONGEST_REASON]
        super().__init__(self.reason)


class MailLater(TryLater):
    """A letter that did not leave, or may not have; sending it again makes sense."""


class _Connection(aiosmtplib.SMTP):
    """A connection that is gone when it is closed, without the farewells of TLS, which take a while."""

    def close(self) -> None:
        """Cut the connection; whatever matters was answered by then."""
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()
        super().close()


class SmtpMailer:
    """A mail server that takes our letters."""

    def __init__(
        self,
        host: str,
        port: int,
        security: Literal["none", "starttls", "tls"],
        user: str | None,
        password: str | None,
        sender: str,
        timeout_seconds: float = 30.0,
    ) -> None:
        """`sender` is an address with or without a name; `timeout_seconds` is for one letter from start to end.

        Unless `security` is "none", nothing is sent before the server has shown a certificate for `host` that
        this machine trusts.
        """
        self._host = host
        self._port = port
        self._security = security
        self._user = user
        self._password = password
        self._sender = _address(sender)
        self._domain = self._sender.domain.encode("idna").decode("ascii")
        self._timeout_seconds = timeout_seconds
        self._tls = None if security == "none" else ssl.create_default_context()

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the server; raises MailRefused for good, and MailLater for what time mends."""
        message = self._message(letter)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                client = await self._connect()
                try:
                    await self._hand_over(client, letter, message)
                finally:
                    client.close()
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("mail put off", letter=letter.message_id, error=repr(error)[:LONGEST_REASON])
            raise MailLater from error

    async def _connect(self) -> aiosmtplib.SMTP:
        client = _Connection(
            hostname=self._host,
            port=self._port,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=self._tls,
            username=self._user,
            password=self._password,
            # Its own guess asks the name service, and the whole process waits for the answer.
            local_hostname=self._domain,
            timeout=self._timeout_seconds,
        )
        await client.connect()  # which closes it where anything goes wrong
        return client

    async def _hand_over(self, client: aiosmtplib.SMTP, letter: Letter, message: EmailMessage) -> None:
        try:
            await client.send_message(message, sender=self._sender.addr_spec, recipients=[letter.to])
        except aiosmtplib.SMTPSenderRefused:
            raise  # no fault of the letter: an operator has to mend the sender
        except aiosmtplib.SMTPRecipientsRefused as error:
            _tell(error.recipients[0])
        except aiosmtplib.SMTPResponseException as error:
            _tell(error)
        except aiosmtplib.SMTPNotSupported as error:
            # The address is not ASCII, and the server takes no other.
            raise MailRefused(error.message) from error
        # The letter is the server's by now, whatever becomes of the farewell.
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()

    def _message(self, letter: Letter) -> EmailMessage:
        """The letter as it travels; raises MailRefused where no mail can be made of it."""
        if not _ID.fullmatch(letter.message_id):
            raise MailRefused("an id that is no part of a Message-ID")
        if not re.fullmatch(_ADDRESS, letter.to):
            raise MailRefused("not one address and nothing else")
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in letter.subject):
            raise MailRefused("a line break or control character in the subject")
        message = EmailMessage()
        try:
            message["From"] = self._sender
            message["To"] = _address(letter.to)
            message["Subject"] = letter.subject
            message["Date"] = letter.at
            message["Message-ID"] = f"<{letter.message_id}@{self._domain}>"
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(letter.body)
        except (ValueError, MessageError) as error:
            raise MailRefused(str(error)) from error
        return message


def _address(text: str) -> Address:
    """One address with or without a name; raises ValueError for anything else."""
    found = _MAILBOX.fullmatch(text)
    if found is None:
        raise ValueError(f"not an address: {text!r}")
    username, _, domain = (found["bare"] or found["address"]).partition("@")
    return Address(found["quoted"] or found["name"] or "", username, domain)


def _tell(error: aiosmtplib.SMTPResponseException) -> NoReturn:
    """Raise MailRefused for what the server refuses for good, else the error itself."""
    if error.code >= 500 and error.code != _LOGIN_REQUIRED:
        raise MailRefused(f"{error.code} {error.message}") from error
    raise error
