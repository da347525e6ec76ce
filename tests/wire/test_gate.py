"""Whatever happens inside, an answer in the envelope comes out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest

from tests.support.database import once
from tests.wire.test_endpoint import Number, good
from tests.wire.test_endpoint import surface as surface  # a fixture
from tradepost.domain.failure import Failure
from tradepost.domain.products.failures import SkuTaken
from tradepost.values import Fact, Page
from tradepost.wire import answers, gate
from tradepost.wire.endpoint import Surface
from tradepost.wire.http_types import BaseUrl, Request, Response
from tradepost.wire.paging import Listing, Under
from tradepost.wire.refusals import ServiceUnavailable
from tradepost.wire.turns import Queues

HOST = "api.example"


class OpenDoor:
    """Lets everybody in, and remembers how transactions ended."""

    def __init__(self, refuse: Fact | None = None) -> None:
        self.refuse = refuse
        self.ended: list[str] = []
        self.ctx = None
        self.locale = "fr"
        self.remaining = 7
        self.kept: dict[str, tuple[bytes, bytes | None]] = {}

    @asynccontextmanager
    async def open(self, credentials: gate.Credentials) -> AsyncIterator[OpenDoor]:
        """A session for anybody."""
        if self.refuse:
            raise self.refuse
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Note whether it was committed."""
        try:
            yield
        except BaseException:
            self.ended.append("rolled back")
            raise
        self.ended.append("committed")

    async def recall(self, key: str, fingerprint: bytes) -> bytes | None:
        """What was kept under a key."""
        before, answer = self.kept.get(key, (fingerprint, None))
        if before != fingerprint:
            raise SkuTaken(name="key", sku=key)
        self.kept[key] = (fingerprint, answer)
        return answer

    async def keep(self, key: str, answer: bytes) -> None:
        """Keep an answer under a key."""
        self.kept[key] = (self.kept[key][0], answer)


def ask(
    surface: Surface,
    door: OpenDoor,
    path: str = "/api/v0/thing",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    form: str = "",
    **rules: Any,
) -> Response:
    """GET a path over HTTPS with a token; or POST a form there."""

    async def no_body(limit: int) -> bytes:
        return form.encode()

    async def no_pieces(limit: int) -> AsyncIterator[bytes]:
        yield b""

    request = Request(
        method="POST" if form else "GET",
        path=path,
        query=query.encode(),
        headers={
            "authorization": "Bearer x",
            **({"content-length": str(len(form))} if form else {}),
            **(headers or {}),
        },
        scheme="https",
        host=HOST,
        client="203.0.113.9",
        read_body=no_body,
        stream_body=no_pieces,
    )
    return once(
        lambda: gate.answer(
            surface, door, gate.Rules(plain_http_from_loopback=False, **rules), Queues(), request, "the-id"
        )
    )


def handler(raising: BaseException) -> Any:
    """An endpoint that ends in an exception."""

    async def fail(ctx: Any) -> None:
        """Fail."""
        raise raising

    return fail


@pytest.mark.parametrize(
    "fault", [ValueError("secret"), KeyError("x"), RecursionError(), MemoryError(), UnicodeError()]
)
@pytest.mark.parametrize("query", ["", "format=xml"])
def test_a_fault_of_ours(
    surface: Surface, fault: Exception, query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """9000 with the request id; nothing of the exception is told, and the transaction is rolled back."""
    surface.write("/thing")(handler(fault))
    door = OpenDoor()
    response = ask(surface, door, query=query)
    assert response.status == 500
    assert b"9000" in response.body
    assert b"secret" not in response.body
    assert response.headers["Wish-Request-Id"] == "the-id"
    assert door.ended == ["rolled back"]


def test_a_declared_failure_rolls_back(surface: Surface) -> None:
    surface.failure_base = Failure
    surface.write("/thing", fails=[SkuTaken])(handler(SkuTaken(name="sku", sku="a")))
    door = OpenDoor()
    response = ask(surface, door)
    assert (response.status, json.loads(response.body)["data"]) == (400, "sku")
    assert door.ended == ["rolled back"]


def test_an_undeclared_failure(surface: Surface) -> None:
    """Told like any other where it is served, an error of ours where strictness is asked for."""
    surface.failure_base = Failure
    surface.write("/thing")(handler(SkuTaken(name="sku", sku="a")))
    assert ask(surface, OpenDoor()).status == 400
    assert ask(surface, OpenDoor(), strict=True).status == 500


def test_a_failure_without_a_line(surface: Surface) -> None:
    class Nameless(Failure):
        """A failure that the table does not know."""

    surface.failure_base = Failure
    surface.write("/thing")(handler(Nameless()))
    assert ask(surface, OpenDoor()).status == 500


def test_not_available(surface: Surface) -> None:
    """503 with the time after which to try again."""
    surface.read("/thing")(good)
    response = ask(surface, OpenDoor(ServiceUnavailable()))
    assert (response.status, response.headers["Retry-After"]) == (503, "2")


def test_the_account_chooses_the_language_unless_the_caller_does(surface: Surface) -> None:
    surface.read("/thing")(good)
    assert "manquant" in ask(surface, OpenDoor()).body.decode()
    assert "fehlt" in ask(surface, OpenDoor(), query="locale=de").body.decode()


def test_unknown_parameters_are_named(surface: Surface) -> None:
    surface.read("/thing")(good)
    response = ask(surface, OpenDoor(), query="number=1&inventroy=5&%0d%0aX-Evil=1&locale=en")
    assert response.headers["Tradepost-Ignored-Parameters"] == "?, inventroy"


def test_a_page_of_a_list_under_a_name(surface: Surface) -> None:
    """The list keeps its name in both formats, and the links stand beside it."""

    async def listed(ctx: Any, *, start: Number = 3) -> Annotated[Listing[str], Under("rows")]:
        """List rows."""
        return Listing(["a"], Page(start, 1), more=True, under="rows")

    surface.read("/thing")(listed)
    told = json.loads(ask(surface, OpenDoor()).body)
    assert told["data"] == {"rows": ["a"]}
    assert told["paging"]["next"] == f"https://{HOST}/api/v0/thing?start=4&limit=1"
    assert (
        b"<Data><rows><rows>a</rows></rows></Data><Paging><Next>"
        in ask(surface, OpenDoor(), query="format=xml").body
    )


def test_links_of_a_form_call_keep_its_format_and_language_but_no_token_of_the_body(surface: Surface) -> None:
    """Who called by a form follows the link as it is, and expects the same kind of answer."""

    async def listed(ctx: Any, *, start: Number = 3) -> Listing[str]:
        """List rows."""
        return Listing(["a"], Page(start, 1), more=True)

    surface.read("/thing")(listed)
    form = "format=xml&start=7&locale=de&access_token=x"
    body = ask(surface, OpenDoor(), form=form).body.decode()
    assert f"https://{HOST}/api/v0/thing?start=8&amp;limit=1&amp;format=xml&amp;locale=de</Next>" in body


def test_a_form_to_where_nothing_is_is_answered_in_its_format_and_language(surface: Surface) -> None:
    """A small body tells them; one that cannot be read changes nothing about what is wrong."""
    path = "/api/v0/nowhere"
    told = ask(surface, OpenDoor(), path, form="format=xml&locale=de")
    asked = ask(surface, OpenDoor(), path, query="format=xml&locale=de")
    assert (told.status, told.content_type, told.body) == (404, answers.XML, asked.body)
    odd = ask(surface, OpenDoor(), path, form="format=xml", headers={"content-type": "image/png"})
    assert (odd.status, odd.content_type) == (404, answers.JSON)


def test_the_handler_is_told_where_the_caller_found_us(surface: Surface) -> None:
    async def linking(ctx: Any, *, base_url: BaseUrl) -> str:
        """Answer with a link."""
        return f"{base_url}/file"

    surface.read("/thing")(linking)
    response = ask(surface, OpenDoor(), query="base_url=x")
    assert json.loads(response.body)["data"] == f"https://{HOST}/file"
    assert response.headers["Tradepost-Ignored-Parameters"] == "base_url"
