"""Sends a call through the gate as the account that is signed in: one that was kept, or one made up on a page.

The token that a kept call showed is not known any more, and not needed: the session stands for him. So what is
asked is what the account may do, whatever its token could; it is not counted against a limit either.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

from tradepost.domain.context import MerchantCtx, ShipperCtx
from tradepost.domain.request_log import Kept, Said
from tradepost.surfaces.pages.asked import FORM, FORM_WITH_FILES
from tradepost.surfaces.pages.visit import Visit
from tradepost.surfaces.request_log.redaction import REMOVED
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
_STANDS_FOR_HIM: Final = "the-session-of-whoever-is-signed-in"
_queues = Queues()


def is_repeatable(api: Surface, kept: Kept) -> bool:
    """Whether a call can be sent as it was: to an endpoint that is there, with a body that is there as a whole."""
    said = kept.said
    if kept.call.service != api.name or said.is_asked_cut or REMOVED in without_token(said):
        return False
    try:
        return is_for_accounts(api.find(kept.call.method, kept.call.path))
    except Fact:
        return False


def without_token(said: Said) -> str:
    """The body of a call but for the place where an access token was, which connectors as often put there.

    Of a JSON object, a form or a form in parts; a body that cannot be read, or was not kept as a whole, stays as
    it is.
    """
    if REMOVED not in said.asked or said.is_asked_cut:
        return said.asked
    kind = said.asked_type.partition(";")[0].strip().lower()
    if kind == FORM_WITH_FILES:
        return _PART.sub("", said.asked)
    if kind == FORM:
        fields = said.asked.split("&")
        return "&".join(field for field in fields if unquote_plus(field) != f"{TOKEN}={REMOVED}")
    try:
        found = json.loads(said.asked)
    except (ValueError, RecursionError):
        return said.asked
    if not isinstance(found, dict) or found.get(TOKEN) != REMOVED:
        return said.asked
    return json.dumps({name: value for name, value in found.items() if name != TOKEN}, ensure_ascii=False)


def is_for_accounts(endpoint: Endpoint) -> bool:
    """Whether an account can call an endpoint, whichever app it is with.

    Some are called by an app with its secret, and webhooks are those of the app whose token is shown: a session is
    nobody's app.
    """
    return not endpoint.open and endpoint.chapter != "webhooks"


async def ask_again(visit: Visit, ctx: MerchantCtx | ShipperCtx, kept: Kept) -> Response:
    """What the same call is answered now; what it changes is committed with the transaction of the context."""
    said, call = kept.said, kept.call
    pairs = [pair for pair in parse_qsl(said.query, keep_blank_values=True) if pair[1] != REMOVED]
    headers = {"user-agent": said.agent, "content-type": said.asked_type}
    return await send(visit, ctx, call.method, call.path, urlencode(pairs), without_token(said).encode(), headers)


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
