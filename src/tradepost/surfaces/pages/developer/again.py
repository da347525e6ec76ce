"""Sends a call through the gate as the account that is signed in: one that was kept, or one made up on a page.

The token that a kept call showed is not known any more, and not needed: the session stands for him. So what is
asked is what the account may do, whatever its token could; it is not counted against a limit either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from tradepost.domain.context import MerchantCtx, ShipperCtx
from tradepost.domain.request_log import Kept
from tradepost.surfaces.pages.visit import Visit
from tradepost.surfaces.sessions import OneCaller
from tradepost.values import Fact
from tradepost.wire import gate, refusals
from tradepost.wire.endpoint import Endpoint, Surface
from tradepost.wire.gate import Rules
from tradepost.wire.http_types import Request, Response
from tradepost.wire.taken import new_request_id
from tradepost.wire.turns import Queues

REMOVED: Final = "[removed]"
_STANDS_FOR_HIM: Final = "the-session-of-whoever-is-signed-in"
_queues = Queues()


def is_repeatable(api: Surface, kept: Kept) -> bool:
    """Whether a call can be sent as it was: to an endpoint that is there, with a body that is there as a whole."""
    said = kept.said
    if kept.call.service != api.name or said.asked_size > len(said.asked.encode()) or REMOVED in said.asked:
        return False
    try:
        return is_for_accounts(api.find(kept.call.method, kept.call.path))
    except Fact:
        return False


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
    return await send(visit, ctx, call.method, call.path, urlencode(pairs), said.asked.encode(), headers)


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
