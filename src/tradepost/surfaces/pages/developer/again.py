"""Sends a call through the gate as the account that is signed in: one that was kept, or one made up on a page.

The token that a kept call showed is not known any more, and not needed: the session stands for him. So what is
asked is what the account may do, whatever its token could; it is not counted against a limit either.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import unquote_plus

from tradepost.domain.context import MerchantCtx, ShipperCtx
from tradepost.domain.request_log import Kept, Said
from tradepost.surfaces.pages.asked import FORM, FORM_WITH_FILES
from tradepost.surfaces.pages.visit import Visit
from tradepost.surfaces.request_log.redaction import REMOVED, UNREADABLE
from tradepost.surfaces.sessions import OneCaller
from tradepost.values import Fact
from tradepost.wire import gate, refusals
from tradepost.wire.endpoint import Endpoint, Surface
from tradepost.wire.gate import Rules
from tradepost.wire.http_types import Request, Response
from tradepost.wire.taken import new_request_id
from tradepost.wire.turns import Queues

TOKEN: Final = "access_token"
_PART: Final = re.compile(
    rf'(?m)^--[^\r\n]*\r?\n[^\r\n]*name="{TOKEN}"\r?\n(?:[^\r\n]+\r?\n)*\r?\n{re.escape(REMOVED)}\r?\n', re.ASCII
)
"""The part of a form in parts that the token was in."""
_MEMBER: Final = f'"{TOKEN}":"{REMOVED}"'
"""The member of an object that the token was in, as it is kept."""
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STANDS_FOR_HIM: Final = "the-session-of-whoever-is-signed-in"
_queues = Queues()


def is_whole(said: Said) -> bool:
    """Whether all that was asked was kept, but for secrets."""
    is_cut = said.is_asked_cut or said.is_line_cut
    return not is_cut and UNREADABLE not in said.asked and UNREADABLE not in said.query


def is_repeatable(api: Surface, kept: Kept) -> bool:
    """Whether a call can be sent as it was: whole, to an endpoint that is there, and without what was removed."""
    said, call = kept.said, kept.call
    needed = (call.path, said.asked_type, query_without_token(said), without_token(said))
    if call.service != api.name or not is_whole(said) or any(REMOVED in part for part in needed):
        return False
    try:
        return is_for_accounts(api.find(call.method, call.path))
    except Fact:
        return False


def query_without_token(said: Said) -> str:
    """The query of a call, letter by letter, but for an access token in it."""
    return _without_field(said.query)


def _without_field(text: str) -> str:
    """A form without its access token. One that had several was refused for that, and stays as it is."""
    fields = text.split("&")
    left = [field for field in fields if unquote_plus(field) != f"{TOKEN}={REMOVED}"]
    return "&".join(left) if len(left) == len(fields) - 1 else text


def without_token(said: Said) -> str:
    """The body of a call, letter by letter, but for the place where an access token was.

    Of a JSON object, a form or a form in parts, where connectors as often put it. A body that cannot be read, was
    not kept as a whole, or had several tokens, for which it was refused, stays as it is.
    """
    if REMOVED not in said.asked or said.is_asked_cut:
        return said.asked
    kind = said.asked_type.partition(";")[0].strip().lower()
    if kind == FORM_WITH_FILES:
        return _PART.sub("", said.asked) if len(_PART.findall(said.asked)) == 1 else said.asked
    if kind == FORM:
        return _without_field(said.asked)
    return _without_member(said.asked)


def _without_member(text: str) -> str:
    """The text of a JSON object without the one access token in it, everything else as it was written."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(found, dict) or found.get(TOKEN) != REMOVED or text.count(_MEMBER) != 1:
        return text
    before, _, behind = text.partition(_MEMBER)
    brackets = _STRING.sub("", before)
    if sum(map(brackets.count, "{[")) - sum(map(brackets.count, "}]")) != 1:
        return text
    rest = behind.lstrip()
    if rest.startswith(","):
        return before + rest[1:].lstrip()
    return before.rstrip().removesuffix(",") + behind


def is_for_accounts(endpoint: Endpoint) -> bool:
    """Whether an account can call an endpoint, whichever app it is with.

    Some are called by an app with its secret, and webhooks are those of the app whose token is shown: a session is
    nobody's app.
    """
    return not endpoint.open and endpoint.chapter != "webhooks"


async def ask_again(visit: Visit, ctx: MerchantCtx | ShipperCtx, kept: Kept) -> Response:
    """What the same call is answered now; what it changes is committed with the transaction of the context."""
    said, call = kept.said, kept.call
    headers = {"user-agent": said.agent, "content-type": said.asked_type}
    query, body = query_without_token(said), without_token(said).encode()
    return await send(visit, ctx, call.method, call.path, query, body, headers)


async def send(
    visit: Visit,
    ctx: MerchantCtx | ShipperCtx,
    method: str,
    path: str,
    query: str,
    body: bytes,
    headers: Mapping[str, str],
) -> Response:
    """What a call is answered as the account of the context; what it changes is committed with its transaction.

    `headers` have the content type of the body, where there is one.
    """
    sent = dict(headers) | {"authorization": f"Bearer {_STANDS_FOR_HIM}"}
    if body:
        sent["content-length"] = str(len(body))
    else:
        sent.pop("content-type", None)

    async def read_body(limit: int) -> bytes:
        if len(body) > limit:
            raise refusals.BodyTooLarge(limit=f"{limit / (1 << 20):g} MiB")
        return body

    async def stream_body(limit: int) -> AsyncIterator[bytes]:
        yield await read_body(limit)

    request = Request(
        method=method,
        path=path,
        query=query.encode(),
        headers=sent,
        scheme=visit.request.scheme,
        host=visit.request.host,
        client=None,  # whoever sends a form from far away was let in by https
        read_body=read_body,
        stream_body=stream_body,
    )
    rules = Rules(plain_http_from_loopback=True)
    return await gate.answer(visit.site.kit.api, OneCaller(ctx), rules, _queues, request, new_request_id())
