"""`tradepost request-log`: calls of every account as somebody at a shell reads them."""

from __future__ import annotations

import asyncio

from tests.cli.conftest import CLONE, Tradepost
from tests.domain.request_log.test_request_log import call_of
from tests.support.database import Server
from tests.support.market import World
from tradepost.domain import request_log
from tradepost.domain.request_log import PackMaker, Said
from tradepost.wire.taken import new_request_id


def test_calls_are_listed_and_shown(tradepost: Tradepost, server: Server, world: World) -> None:
    shop = world.merchants["usd"].account_id
    whole, cut, unread = (call_of(new_request_id(), f"/api/v2/{name}") for name in ("whole", "cut", "unread"))

    async def keep() -> None:
        maker = PackMaker(shop)
        maker.add(whole, Said(query="sku=a", asked="x=1", asked_size=3))
        maker.add(cut, Said(query="sku=b", is_line_cut=True))
        maker.add(unread, Said(is_asked_cut=True))
        connection = await server.connect(database=CLONE)
        async with connection.transaction():
            await request_log.keep_packs(connection, [await maker.finish()], {}, 100)
        await connection.close()

    asyncio.run(keep())
    status, told = tradepost("request-log", "list", "--account", shop, "--path", "cut")
    assert (status, [line.split()[-1] for line in told.splitlines()]) == (0, [cut.id]), told
    for call, is_whole in ((whole, True), (cut, False), (unread, False)):
        status, told = tradepost("request-log", "show", call.id)
        assert (status, "not all that was asked" not in told) == (0, is_whole), told
    assert "/api/v2/whole?sku=a\n" in tradepost("request-log", "show", whole.id)[1]
    assert tradepost("request-log", "show", "x")[0] == 1
