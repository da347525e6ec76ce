"""What the server library leaves open on a connection: an end to waiting, an end to headers, and our envelope.

uvicorn closes a connection that is idle after an answer, and nothing else: one that says nothing, or sends its
headers byte by byte, stays for ever, and headers have no limit. What it cannot parse it answers in plain text.
Here every head has ten seconds and 64 KiB, and every refusal is in the envelope.
"""

from __future__ import annotations

import asyncio
import http
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tradepost.values import Fact
from tradepost.wire.http import App, header_lines
from tradepost.wire.refusals import HeadTooLarge, RequestMalformed

HEAD_SECONDS: Final = 10.0
MOST_HEAD: Final = 64 * 1024


class Protocol(HttpToolsProtocol):
    """One connection of the server."""

    _head_bytes = 0
    _in_head = True
    _between = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller connects, and has to say something soon."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and so is the wait."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came; those of a head are counted, because the parser keeps them until it is complete."""
        if self._between:
            data = _escaped_target(data)
            self._between = False
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MOST_HEAD and not self.transport.is_closing():
            self._refuse(HeadTooLarge(limit=f"{MOST_HEAD // 1024} KiB"))

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if self._deadline is None:
            self._expect_head()

    def on_message_complete(self) -> None:
        """A request is complete; what comes next begins another."""
        self._between = True
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """A head is complete; a large one that came at once is refused here."""
        self._stop_waiting()
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD:
            self._head_bytes = MOST_HEAD + 1
            raise ValueError("the head is too large")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser could not read is refused like anything else."""
        too_large = self._head_bytes > MOST_HEAD
        self._refuse(HeadTooLarge(limit=f"{MOST_HEAD // 1024} KiB") if too_large else RequestMalformed())

    def _refuse(self, fact: Fact) -> None:
        app = self.config.loaded_app
        assert isinstance(app, App)
        response = app.refuse(self.server, fact)
        reason = http.HTTPStatus(response.status).phrase
        lines = [f"HTTP/1.1 {response.status} {reason}".encode()]
        lines += [name + b": " + value for name, value in (*header_lines(response), (b"connection", b"close"))]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + response.body)
        self.transport.close()

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if self._in_head and not self.transport.is_closing():
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _escaped_target(data: bytes) -> bytes:
    """The bytes with a request line in ASCII: connectors exist that send UTF-8 in a query as it is."""
    line, end, rest = data.partition(b"\n")
    if line.isascii():
        return data
    return b"".join(b"%%%02X" % byte if byte >= 0x80 else bytes((byte,)) for byte in line) + end + rest
