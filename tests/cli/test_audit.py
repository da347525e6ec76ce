"""`tradepost audit`: the log as somebody at a shell reads and checks it."""

from __future__ import annotations

import asyncio
import re

from tests.cli.conftest import CLONE, Tradepost
from tests.support.database import Server
from tests.support.market import World


def test_the_log_is_shown_and_checked(tradepost: Tradepost, server: Server, world: World) -> None:
    shop = world.merchants["usd"].account_id
    assert tradepost("merchant", "suspend", shop)[0] == 0
    status, told = tradepost("audit", "list", "--limit", "1")
    assert status == 0
    assert re.search(rf"2021-05-19 16:37:00  shell \d+  merchant\.suspended  {shop}  {{}}\n", told), told
    status, told = tradepost("audit", "verify")
    assert (status, "as they were written" in told) == (0, True), told
    anchor = told.split()[-1]
    assert tradepost("audit", "verify", "--anchor", anchor)[0] == 0
    number, _, rest = anchor.partition(":")
    status, told = tradepost("audit", "verify", "--anchor", f"{int(number) + 1}:{rest}")
    assert (status, "before the anchor's" in told) == (1, True)
    assert tradepost("audit", "verify", "--anchor", "x")[0] == 1

    async def spoil() -> None:
        connection = await server.connect(database=CLONE)
        await connection.execute("update audit_record set subject = null where verb = 'merchant.suspended'")
        await connection.close()

    asyncio.run(spoil())
    status, told = tradepost("audit", "verify")
    assert (status, "not what was written" in told) == (1, True)
