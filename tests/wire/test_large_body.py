"""A large body through the whole application: bounded, in turn, and with room for everybody else in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import pytest

from tests.wire.test_endpoint import surface as surface  # a fixture
from tests.wire.test_gate import OpenDoor
from tests.wire.test_json_rows import Rows
from tradepost.wire import refusals
from tradepost.wire.attachments import Attachment
from tradepost.wire.endpoint import MIB, Surface
from tradepost.wire.forms import MOST_PIECE, REST_SECONDS, _small_pieces
from tradepost.wire.gate import Rules
from tradepost.wire.http import Addresses, App, Service
from tradepost.wire.json_rows import JsonRows
from tradepost.wire.params import Doc

LIMIT = 2 * MIB
ROWS = [{"sku": f"sku-{number}", "inventory": number} for number in range(10_000)]
BODY = b"updates=" + quote(json.dumps(ROWS)).encode()


class Caller:
    """One request to the application, whose body comes in pieces when they are asked for."""

    def __init__(self, app: App, pieces: Iterable[bytes], token: str = "a", **headers: str) -> None:
        self._app = app
        self._pieces = list(pieces)
        self._headers = {"transfer-encoding": "chunked", "authorization": f"Bearer {token}", **headers}
        self.asked = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.status = 0
        self.answer: Any = None

    async def call(self) -> Caller:
        """Send it and keep what is answered."""
        headers = {"host": "api.example", "content-type": "application/x-www-form-urlencoded", **self._headers}
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/v0/rows",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "scheme": "https",
            "client": ("127.0.0.1", 50000),
        }
        await self._app(scope, self._receive, self._send)
        return self

    async def _receive(self) -> Any:
        await self.may_go_on.wait()
        self.asked += 1
        if self.asked > len(self._pieces):
            return {"type": "http.disconnect"}
        more = self.asked < len(self._pieces)
        return {"type": "http.request", "body": self._pieces[self.asked - 1], "more_body": more}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        if "body" in message:
            self.answer = json.loads(message["body"])


class NoFiles:
    """Has nothing to hand out."""

    service = "test"

    async def open(self, name: str, query: Mapping[str, str]) -> Attachment:
        """There is none."""
        raise refusals.PathUnknown(path=name)


@pytest.fixture
def app(surface: Surface) -> App:
    """An application with one endpoint that takes rows."""

    async def take_rows(
        ctx: Any, *, updates: Annotated[list[Any], JsonRows(20_000, Rows), Doc("Rows.")]
    ) -> dict[str, int]:
        """Take rows."""
        return {"rows": len(updates)}

    async def nothing() -> None:
        return None

    surface.write("/rows", body_limit=LIMIT)(take_rows)
    return App(
        services={"test": Service(surface, OpenDoor())},
        addresses=Addresses(default="test", names={}),
        rules=Rules(plain_http_from_loopback=False, strict=True),
        attachments={"/downloads/": NoFiles()},
        ready=nothing,
        on_start=nothing,
        on_stop=nothing,
    )


def cut(body: bytes, size: int = 1 << 16) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def test_rows_arrive(app: App) -> None:
    caller = asyncio.run(Caller(app, cut(BODY)).call())
    assert (caller.status, caller.answer["data"]) == (200, {"rows": 10_000})


def test_others_have_their_turn_after_each_piece(app: App) -> None:
    async def play() -> int:
        task = asyncio.create_task(Caller(app, [BODY]).call())
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        assert (await task).status == 200
        return turns

    assert asyncio.run(play()) >= len(BODY) // MOST_PIECE


@pytest.mark.parametrize("rests", [True, False])
def test_a_reader_that_rests_leaves_the_machine_to_others(rests: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def collect() -> bytes:
        return b"".join([data async for data in _small_pieces(_all_of(BODY), rests)])

    monkeypatch.setattr("tradepost.wire.forms.asyncio.sleep", sleep)
    monkeypatch.setattr("tradepost.wire.forms.WORK_SECONDS", 0)
    assert asyncio.run(collect()) == BODY
    assert set(slept) == {REST_SECONDS if rests else 0}


async def _all_of(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.mark.parametrize(
    "body", [BODY[:-1], BODY.replace(b"%7B", b"x", 1), b"updates=%ff&" + BODY, b"&" * 2000 + BODY]
)
def test_what_is_wrong_is_told_when_all_has_come(app: App, body: bytes) -> None:
    pieces = cut(body)
    caller = asyncio.run(Caller(app, pieces).call())
    assert (caller.status, caller.asked) == (400, len(pieces))


def test_a_body_over_the_limit(app: App) -> None:
    """Refused at once where it says so itself, otherwise where it goes beyond."""
    told = asyncio.run(Caller(app, [], **{"content-length": str(LIMIT + 1)}).call())
    assert (told.status, told.asked) == (413, 0)
    pieces = cut(b"updates=[" + b" " * 2 * LIMIT)
    untold = asyncio.run(Caller(app, pieces).call())
    assert (untold.status, untold.asked) == (413, LIMIT // (1 << 16) + 1)
    assert "2 MiB" in untold.answer["message"]


def test_a_caller_who_leaves(app: App) -> None:
    assert asyncio.run(Caller(app, []).call()).status == 400


def test_a_third_body_of_a_caller_waits_unread(app: App) -> None:
    async def play() -> None:
        callers = [Caller(app, cut(BODY)) for _ in range(3)]
        other = Caller(app, cut(BODY), token="b")
        for caller in callers:
            caller.may_go_on.clear()
        tasks = [asyncio.create_task(caller.call()) for caller in callers]
        assert (await other.call()).status == 200
        callers[2].may_go_on.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert [caller.asked for caller in callers] == [0, 0, 0]
        for caller in callers:
            caller.may_go_on.set()
        assert [(await task).status for task in tasks] == [200, 200, 200]

    asyncio.run(play())
